from maze import task
x = `1`


@task(name="old")
def old(): ...
