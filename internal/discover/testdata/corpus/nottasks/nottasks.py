from agentos.scheduler import cpu
from maze import task


@task(name="asynchronous")
async def asynchronous():
    return 1


class Tools:
    @task(name="a-method")
    def method(self):
        return 1

    @staticmethod
    @task(name="static")
    def static():
        return 1

    class Inner:
        @task
        def deeper(self):
            return {}


def outer():
    @task(name="nested")
    def nested():
        return 1
    return nested


@task(name="outside")
def outside():
    @cpu()
    def inside():
        pass
    return inside


anonymous = task(name="anonymous")(lambda: 1)
applied = task(name="applied")(outer)


@task
def star(*args):
    return {"a": 1}


@task
def stars(a, **kwargs):
    return {"a": 1}


@task
def by_position(a, /, b):
    return {"a": 1}


@task(name="any-parameters")
def any_parameters(a, /, b: int, *args: str, c=1, **kwargs): ...


@task(name="on-a-class")
class Decorated:
    pass


@cpu
def not_called(): ...
