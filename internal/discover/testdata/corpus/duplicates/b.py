from maze import task


@task(name="over-files")
def in_b(): ...


@task
def function_name():
    return {}


@task(name="function_name")
def other():
    return {}
