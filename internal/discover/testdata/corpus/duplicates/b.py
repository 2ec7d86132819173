from maze import task


@task(name="over-files")
def in_b(): ...


@task
def function_name():
    return {"a": 1}


@task(name="function_name")
def other():
    return {}
