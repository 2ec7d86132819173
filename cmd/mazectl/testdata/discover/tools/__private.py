from maze import task


@task(name="private")
def private():
    return {}
