import os

from maze import task


@task(name="by_environment", mem=int(os.environ["MEM"]))
def by_environment():
    return {}
