"""Compares what the code of a compiled node does to arguments and results with what the executor of the Python package does.

    python3 parity.py < code

The standard input is the code of a node, in which the name PLAN stands for the text of the plan. It prints how many calls were compared, and ends with 1 if some differ.
"""

import collections
import dataclasses
import datetime
import enum
import json
import math
import os
import pathlib
import random
import sys
import types
import typing
import uuid

from maregister import _calling, _failure, _schema

CALLS = 4_000


class Shade(enum.Enum):
    DARK = "dark"
    PAIR = (1, 2)


class Level(enum.IntEnum):
    LOW = 1


class Text(str):
    def __str__(self):
        return "another text"


@dataclasses.dataclass
class Record:
    a: typing.Any
    b: typing.Any = None


class Tuple(typing.NamedTuple):
    x: typing.Any
    y: typing.Any = 0


class Model:
    def __init__(self, value):
        self.value = value

    def model_dump(self):
        return {"value": self.value}


class Scalar:
    shape = ()

    def __init__(self, value):
        self.value = value

    def item(self):
        return self.value


class Array(Scalar):
    shape = (2,)


class Broken:
    def model_dump(self):
        raise KeyError("no dump")


def leaf(r):
    return r.choice((
        None, True, False, 0, -1, 2**70, 1.5, -0.0, 1e300, math.nan, math.inf, "", "text", "\ud800", "漢字\u2028", Shade.DARK, Shade.PAIR, Level.LOW, Text("t"),
        pathlib.PurePosixPath("a/b"), uuid.UUID(int=7), datetime.date(2026, 1, 2), datetime.datetime(2026, 1, 2, 3, 4, 5, 6), datetime.time(1, 2), b"x",
        bytearray(b"y"), {1, 2}, frozenset(), complex(1, 2), range(3), iter([1]), int, Record, object(), Broken(), len, (i for i in ()),
    ))  # fmt: skip


def value(r, depth=0):
    """Returns a random value: of JSON, of what becomes JSON, or of neither."""
    if depth > 4 or r.random() < 0.4:
        return leaf(r) if r.random() < 0.35 else r.choice((None, True, 0, 3, 1.5, "text", "other"))
    inner = lambda: value(r, depth + 1)  # noqa: E731
    kind = r.randrange(11)
    if kind < 3:
        return {r.choice(("a", "b", "value", "", "max-words")): inner() for _ in range(r.randrange(4))}
    if kind < 5:
        return [inner() for _ in range(r.randrange(4))]
    return (
        lambda: tuple(inner() for _ in range(r.randrange(3))), lambda: Record(inner(), inner()), lambda: Tuple(inner()), lambda: Model(inner()),
        lambda: Scalar(inner()), lambda: r.choice((Array(1), collections.OrderedDict(a=inner()), {r.choice((1, None, Shade.DARK, Shade.PAIR, Text("k"))): inner()})),
    )[kind - 5]()  # fmt: skip


SCHEMAS = (
    {}, {"value": {}}, {"a": {}}, {"a": {}, "b": {}}, {"type": "object", "properties": {"a": {}}, "required": ["a"]},
    {"type": "object", "properties": {"value": {}}, "required": ["value"]}, {"type": "object", "properties": {"a": {}, "b": {}}, "required": ["b"]},
)  # fmt: skip

PATH = pathlib.Path
HINTS = (
    PATH, pathlib.PurePosixPath, os.PathLike, "os.PathLike[str]", str, int, typing.Any, list, dict, typing.List[PATH], typing.Optional[PATH], typing.Union[PATH, str],
    typing.Union[int, PATH], typing.Dict[str, PATH], typing.Tuple[PATH, int], typing.Tuple[PATH, ...], typing.Sequence[PATH], typing.Optional[typing.List[PATH]],
    typing.Union[typing.List[PATH], typing.Dict[str, PATH]], typing.Mapping[str, typing.List[PATH]], typing.Set[PATH], typing.Iterable[PATH], "Missing", tuple,
    typing.Dict[str, typing.Tuple[str, PATH]], typing.Callable[[int], PATH], typing.Type[PATH], typing.List["PATH"], None,
)  # fmt: skip


def argument(r, depth=0):
    """Returns a random value of JSON."""
    if depth > 2 or r.random() < 0.5:
        return r.choice((None, True, 1, 1.5, "a/b", "", "text"))
    if r.random() < 0.5:
        return [argument(r, depth + 1) for _ in range(r.randrange(4))]
    return {r.choice(("a", "b")): argument(r, depth + 1) for _ in range(r.randrange(3))}


def told(make):
    """Returns what a call gives, with the types of what it gives, or that it fails. An exception of the user's own is one as well."""
    try:
        return "gives", described(make())
    except (_failure.Failure, TypeError, ValueError, KeyError, RecursionError):
        return ("fails",)


def described(given):
    if isinstance(given, dict):
        return [(name, described(member)) for name, member in given.items()]
    if isinstance(given, (list, tuple)):
        return type(given).__name__, [described(item) for item in given]
    return type(given).__name__, repr(given)


class Nodes:
    """Calls the code of compiled nodes, each with a plan of its own."""

    def __init__(self, code):
        self.namespace = {}
        exec(code, self.namespace)

    def call(self, given, schema):
        schema = _schema.normalise(schema)
        declared = list(_schema.properties(schema))
        plan = {"function": "parity_tasks:task", "path": [], "model": None, "arguments": [[name, {"input": name}] for name in given], "none": [], "paths": []}
        plan.update(only=declared[0] if len(declared) == 1 else None, needed=_schema.required(schema))
        self.namespace["PLAN"] = json.dumps(plan)
        return self.namespace["maze_task"](**given)


def main():
    nodes, r, different = Nodes(sys.stdin.read()), random.Random(17), 0
    tasks = types.ModuleType("parity_tasks")
    sys.modules["parity_tasks"] = tasks
    kinds = collections.Counter()
    for _ in range(CALLS):
        result, schema = value(r), r.choice(SCHEMAS)
        tasks.task = lambda: result
        want, got = told(lambda: _calling.outputs(result, _schema.normalise(schema))), told(lambda: nodes.call({}, schema))
        kinds["result " + want[0]] += 1
        different += tell(want, got, f"the result {result!r} by {schema}")
        given = {"argument": argument(r)}
        hint = r.choice(HINTS)

        def task(argument):
            seen.append(argument)
            return {}

        task.__annotations__ = {"argument": hint}
        seen, tasks.task = [], task
        want, got = told(lambda: _calling.bind(task, given)["argument"]), told(lambda: (nodes.call(given, {}), seen[0])[1])
        kinds["argument " + want[0]] += 1
        different += tell(want, got, f"the argument {given} of {hint}")
    print(f"{sum(kinds.values())} calls, {different} differ: {dict(kinds)}")
    sys.exit(different > 0)


def tell(want, got, what):
    if want == got:
        return 0
    print(f"{what}:\n  the executor {want}\n  the node     {got}".encode(errors="backslashreplace").decode())
    return 1


if __name__ == "__main__":
    main()
