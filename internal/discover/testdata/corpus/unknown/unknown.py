import os
import settings
from maze import task
from elsewhere import SIZE
from .broken import CORES

TWICE = 1
TWICE = 2
if os.name == "nt":
    SOMETIMES = 1
RATIO = 3.14159
LOOP = LOOP2
LOOP2 = LOOP


@task(name="all", description=str("x"), cpu_num=int(os.environ["N"]),
      mem=max(1, 2), model_name=os.environ.get("MODEL"), backend=settings.BACKEND)
def calls(): ...


@task(name="schemas",
      input_parameters={n: {"type": "string"} for n in "ab"},
      output_parameters={"a": {"type": make()}})
def comprehensions(a): ...


@task(name="names", cpu_num=TWICE, mem=SOMETIMES, model_name=f"{RATIO:.2f}",
      backend=NOWHERE)
def bound(): ...


@task(name="imported", cpu_num=SIZE, mem=CORES, backend="x" if os.name else "y")
def imported(): ...


@task(name="operators", cpu_num=1 / 0, mem=2 ** 100000, description="a" - "b",
      model_name="x".upper(), backend="{}".format(1))
def operators(): ...


@task(name="odd", cpu_num=LOOP, mem=(lambda: 1)(), backend=b"bytes",
      input_parameters={"a": {"enum": {1, 2}}})
def odd(): ...


@task(name="na" + str(1))
def no_name(): ...


@task(resources={"cpu": os.cpu_count(), "gpu_mem": 1024})
def part():
    return {"a": 1}


@task(name="stars", *[])
def stars(): ...
