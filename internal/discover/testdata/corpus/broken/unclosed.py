from maze import task


@task(name="unclosed"
def unclosed():
    pass
