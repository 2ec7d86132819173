import maze
import maze.client.maze.decorator as m
from maze.client.maze.decorator import task as t, TYPE_FILEPATH as FILE
from maze.client.maze import decorator

register = maze.task
again = register


@maze.task(name="dotted")
def f1(): ...


@m.task(name="module-alias", input_parameters={"a": {"type": m.TYPE_FOLDERPATH}})
def f2(a): ...


@t(name="alias", input_parameters={"a": {"type": FILE}})
def f3(a): ...


@decorator.task(name="from-module")
def f4(): ...


@register(name="assigned")
def f5(): ...


@again(name="assigned-again")
def f6(): ...


@maze.client.maze.decorator.task
def f7():
    return {"a": 1}
