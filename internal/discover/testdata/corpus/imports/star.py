from maze.client.maze.decorator import *
from somewhere import *


@task(name="star", cpu_num=2)
def f12(): ...
