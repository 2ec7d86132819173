from maze import task


@task(name="indent")
def indent():
    x = 1
  y = 2
