exec "x = 1"


@task
def f(): pass
