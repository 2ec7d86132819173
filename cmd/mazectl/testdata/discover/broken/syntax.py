from maze import task


@task(name="unfinished"
def unfinished():
