try:
    from maze import task
except ImportError:
    task = None


@task(name="optional")
def f11(): ...
