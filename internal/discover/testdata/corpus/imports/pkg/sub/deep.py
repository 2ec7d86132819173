from ..deco import task
from ... import nowhere


@task
def deep():
    return {"a": 1}
