from maze import task

try:
    pass
except ValueError, e:
    pass


@task(name="old")
def old(): ...
