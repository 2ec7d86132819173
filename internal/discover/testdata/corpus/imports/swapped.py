from maze import task as gpu
from agentos.scheduler import cpu as task


@gpu(name="a-task")
def f8(): ...


@task(cpu_num=3)
def is_cpu(): ...
