import pkg.constants as c
import pkg.constants
import pkg
from . import constants, VERSION
from .constants import GPU as RESOURCES, STRING, NAMES
from pkg import REEXPORTED
from maze import task

PREFIX = "tool"
PAIR = ("x", "y")
LATER = lambda: UNUSED


@task(
    name=f"{PREFIX}-{c.GIB}" '-one' + "!" * 3,
    description=f"With {c.MODEL}, {VERSION} {{really}} {'in'} it.",
    input_parameters={**{"a": {**STRING, "minLength": -(-1)}}, "b": {"enum": [*PAIR, None, True, 0x10, 1_000, .5, 1e3]}},
    output_parameters={"type": "object", "properties": {"x": {"type": float}, "y": {"type": list}, "z": {"type": dict}, "s": {"type": str}, "b": {"type": bool}}},
    cpu_num=7 // -2 + 5,
    mem=pkg.constants.SIZE,
    model_name=constants.MODEL,
)
def evaluated(a, b): ...


@task(resources=RESOURCES)
def by_name(n: int = 1 << 2, size=c.SIZE, model: str = REEXPORTED):
    return {"a": 1}


@task(inputs=NAMES, outputs=["r"], resources={"cpu": 1 + 1, **c.GPU, "gpu": 0})
def listed(a, b):
    pass


OPTIONS = {"name": "spread", "cpu_num": 2}


@task(**OPTIONS, mem=512)
def spread(): ...
