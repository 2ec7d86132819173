from maze import task


@task(name="twice")
def first(): ...


@task(name="twice")
def second(): ...


@task(name="over-files")
def in_a(): ...


@task(name="rebound")
def same(): ...


@task(name="rebinding")
def same(): ...


@task(name="hidden-by-plain")
def plain(): ...


def plain(): ...


@task(name="hidden-by-value")
def value(): ...


value = None


@task(name="hidden-by-delete")
def deleted(): ...


del deleted


@task(name="hidden-by-import")
def path(): ...


from os import path


@task(name="wrapped")
def wrapped(): ...


wrapped = print(wrapped)


@task(name="before-async")
def gone(): ...


async def gone(): ...
