from . import task, deco
from .deco import task as t2
from .other import task as own
from .deco import tool


@task
def bare_relative():
    return {"a": 1}


@deco.task
def bare_module():
    return {"a": 1}


@t2(name="relative-named")
def f9(): ...


@own
def bare_own():
    return {"a": 1}


@own(name="by-keywords")
def f10(): ...


@own(retries=3)
def not_maze():
    return {"a": 1}


@tool
def bare_own_again():
    return {"a": 1}
