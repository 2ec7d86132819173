from maze import task


@task(name="old")
def old():
    print "x"
