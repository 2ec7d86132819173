"""Tasks for the tests of compiled workflows: one for each way in which functions take and return values."""

import asyncio
import dataclasses
import datetime
import enum
import functools
import json
import os
import pathlib
import sys
import typing
import uuid


def add(a: int, b: int = 5) -> int:
    return a + b


def halve(n):
    return {"half": n / 2, "odd": bool(n % 2)}


def count(n: int):
    return {"items": list(range(n)), "last": n - 1}


def total(items: typing.List[int], start=0):
    return {"sum": sum(items) + start}


def words(text: str):
    return {"words": text.split(), "letters": len(text)}


def join(parts: list, separator: str = "-"):
    return separator.join(str(part) for part in parts)


def describe(**anything):
    return {"text": json.dumps(anything, ensure_ascii=True)}


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclasses.dataclass
class Report:
    colour: Colour
    at: pathlib.PurePosixPath
    pair: tuple
    day: datetime.date
    id: uuid.UUID


class Point(typing.NamedTuple):
    x: int
    y: int


def report(n: int):
    return Report(Colour.RED if n % 2 else Colour.BLUE, pathlib.PurePosixPath("a/b"), (n, str(n), None), datetime.date(2026, 11, 30), uuid.UUID(int=n))


def point(n: int):
    return Point(n, -n)


def nested(n: int):
    return {"tree": {"points": [Point(i, i) for i in range(n)], Colour.RED: {"when": datetime.datetime(2026, 1, 1, 12), "deep": (n,)}}}


async def later(text: str):
    await asyncio.sleep(0)
    return {"text": text.upper()}


def awaitable(text: str):
    return later(text)


class Club:
    @staticmethod
    def member(text: str):
        return {"text": "member " + text}

    class Inner:
        @classmethod
        def name(cls, text: str):
            return {"text": f"{cls.__name__} {text}"}


def logged(function):
    @functools.wraps(function)
    def wrapper(**arguments):
        result = function(**arguments)
        return {"text": "logged " + result["text"]}

    return wrapper


@logged
def wrapped(text: str):
    return {"text": text}


class _Metadata:
    def __init__(self, func):
        self.func = func


class MazesOwn:
    """What Maze's own decorator makes of a function."""

    def __init__(self, function):
        self._maze_task_metadata = _Metadata(function)

    def __call__(self, *_, **__):
        raise RuntimeError("Maze's own wrapper adds the task to a workflow, and does not run it")


@MazesOwn
def mazes(text: str):
    return {"text": "maze " + text}


def write_note(text: str):
    name = f"note-{uuid.uuid5(uuid.NAMESPACE_OID, text).hex}.txt"
    pathlib.Path(name).write_text(text, encoding="utf-8")
    return os.path.abspath(name)


def write_notes(n: int, text: str = "x"):
    folder = pathlib.Path(f"notes-{n}-{uuid.uuid5(uuid.NAMESPACE_OID, text).hex}")
    folder.mkdir(exist_ok=True)
    for i in range(n):
        (folder / f"{i}.txt").write_text(f"{text} {i}", encoding="utf-8")
    return {"notes": sorted(folder.iterdir()), "folder": folder.resolve()}


def read_note(note: pathlib.Path):
    return {"text": note.read_text(encoding="utf-8"), "kind": type(note).__name__}


def read_notes(notes: typing.List[pathlib.Path], more: typing.Optional[typing.Dict[str, pathlib.Path]] = None):
    return {"text": "|".join(note.read_text(encoding="utf-8") for note in notes), "more": sorted(more or {})}


def model():
    return {"text": os.environ.get("MAZE_MODEL_NAME", "none")}


def maybe(n: int):
    return {"value": n} if n % 2 else {}


def nothing(n: int):
    return None


def free(n: int):
    return {"one": n, "two": [n, n], "three": {"four": n}}


def one_of(n: int):
    return {"value": {"value": n}} if n % 2 else {"other": n}


def defaults(n: int = 5, listed: list = ()):
    return {"text": json.dumps([n, listed])}


def fail(text: str):
    raise ValueError(text)


def memory(text: str):
    raise RuntimeError(f"CUDA out of memory. {text}")


def leave(text: str):
    sys.exit(text)


class Own(Exception):
    pass


def own_error(text: str):
    raise Own(text)


def not_json(n: int):
    return {"value": [float("nan"), {1, 2}, b"x", {1: 2}, (i for i in ()), object(), float("inf"), complex(1)][n % 8]}


def itself(n: int):
    value = [n]
    value.append(value)
    return {"value": value}


def wrong(n: int):
    return n
