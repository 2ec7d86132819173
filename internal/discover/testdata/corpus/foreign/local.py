from invoke import task


def cpu(cpu_num=1):
    return lambda f: f


@cpu(cpu_num=2)
def by_keywords(): ...


@task
def build(c): ...


class Runner:
    def task(self, **options):
        return lambda f: f


runner = Runner()


@runner.task(schedule="daily")
def of_object(): ...
