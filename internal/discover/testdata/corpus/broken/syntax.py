from maze import task


@task(name="broken")
def broken(:
    pass
