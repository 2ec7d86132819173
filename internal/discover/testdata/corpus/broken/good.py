from maze import task


@task(name="good")
def good(): ...
