from mazes import task
from agentos_lib import gpu


@task(name="x", cpu_num=1)
def one(): ...


@gpu(mem=1)
def two(): ...
