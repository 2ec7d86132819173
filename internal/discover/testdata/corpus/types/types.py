import collections.abc
import os
import pathlib
import typing as t
from dataclasses import dataclass, field
from typing import Annotated, Any, Dict, List, Literal, NotRequired, Optional, Required, Sequence, TypedDict, Union

import numpy as np
from maze import task, TYPE_FILEPATH


class Point(TypedDict):
    """A point."""
    x: float
    y: "float"


class Partial(Point, total=False):
    label: Required[str]
    tags: list[str]
    nearest: Optional["Partial"]


@dataclass(frozen=True)
class Options:
    size: int
    mode: Literal["fast", "good"] = "fast"
    extra: Dict[str, Any] = field(default_factory=dict)
    limit: int = None
    weight: float = field(default=1.5)


@dataclass
class More(Options):
    last: bool = False
    point: Optional[Point] = None


class Other:
    pass


Alias = str


@task(name="simple")
def simple(a: str, b: int, c: float, d: bool, e: None, f: Any, g: object, h: list, i: dict, j: set, k: tuple, l, m: "str", n: List): ...


@task(name="containers")
def containers(a: list[int], b: t.List["str"], c: Sequence[float], d: collections.abc.Iterable[bool], e: set[str], f: t.FrozenSet[int],
               g: tuple[int, ...], h: tuple[int, str], i: dict[str, int], j: Dict[str, List[int]], k: t.Mapping[str, Any], l: list[Any]): ...


@task(name="unions")
def unions(a: Optional[int], b: Union[int, str, None], c: int | None, d: Optional[Union[int, Optional[str]]], e: Union[int],
           f: "list[int] | None" = None, g: int = None, h: Optional[int] = 5, i: Union[str, Literal["a"]] = "a", j: Any = None, k=None): ...


@task(name="special")
def special(a: Literal["x", 1, True], b: Annotated[int, "metres"], c: pathlib.Path, d: os.PathLike, e: t.Literal["a", None] = None): ...


@task(name="records")
def records(p: Point, q: Partial, o: Options, m: "More") -> Point: ...


@task(name="returns")
def returns() -> "More": ...


@task(name="unknown")
def unknown(a: bytes, b: np.ndarray, c: Other, d: list[Other], e: Alias, f: t.Callable[[int], str], g: make(), h: complex = 1j): ...


@task(name="defaults")
def defaults(a: int = 3, b: str = "x" "y", c: list = [1, 2], d: dict = {"a": None}, e: float = -1.5, f: tuple = (1, "a"), g: bytes = b"x",
             h: int = len("abc"), i: str = TYPE_FILEPATH, j: object = ..., k: bool = not True): ...


@task
def inferred(a, b: List[int], c: Optional[str] = None, d=None, e=3):
    return {"a": 1}
