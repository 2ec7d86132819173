"""JSON that every reader takes the same way, and Python values as JSON."""

import collections.abc
import dataclasses
import datetime
import enum
import json
import math
import pathlib
import uuid
from typing import Any, Dict, List, Set, Tuple

# How deep a result may be nested.
MAX_DEPTH = 100


def loads(text: str) -> Any:
    """Reads JSON. ValueError: it is none, or readers differ about it: NaN, a number beyond every double, a name given twice."""
    try:
        return json.loads(text, object_pairs_hook=_members, parse_constant=_refuse_constant, parse_float=_float)
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _members(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if names.count(name) > 1}) if len(names) < 1000 else ["a name"]
        raise ValueError(f"{', '.join(twice)} is given twice in one object")
    return members


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(f"the number {text} is too large")
    return number


def dumps(value: Any) -> bytes:
    """Returns compact JSON in UTF-8. What is no Unicode, as in the path of a folder, becomes question marks."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode(errors="replace")


class NotJSON(ValueError):
    """A value has no counterpart in JSON. The message says where it is, and what to do."""


def plain(value: Any) -> Any:
    """Returns a value as JSON has it. NotJSON: there is no such value.

    Converted are dataclasses, named tuples and models of pydantic to objects, tuples to arrays, Enum to its value, paths, UUIDs, dates
    and times to text, and numbers of numpy and torch to numbers.
    """
    try:
        return _plain(value, "", set(), 0)
    except RecursionError:
        raise NotJSON("it is nested too deep: return less, or write it to a file") from None


_HINTS = (
    ((bytes, bytearray, memoryview), "bytes: write a file and return its path, or encode them by base64"),
    ((set, frozenset), "a set, which has no order: return sorted(…)"),
    ((collections.abc.Iterator, range), "an iterator: return list(…)"),
    (collections.abc.AsyncIterator, "an asynchronous iterator: collect its items in a list"),
    (complex, "a complex number: return its parts"),
    (type, "a class: return its name"),
)


def _plain(value: Any, at: str, inside: Set[int], depth: int) -> Any:
    """Returns a value as JSON has it. at is where it is in the result, inside are the ids of what it is in."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, enum.Enum):
        return _plain(value.value, at, inside, depth)
    if isinstance(value, str):
        return _text(value, at)
    if isinstance(value, int):
        return _integer(int(value), at)
    if isinstance(value, float):
        if not math.isfinite(value):
            raise _not_json(at, f"{float(value)}, which is no number in JSON: return None, or leave it out")
        return float(value)
    if isinstance(value, pathlib.PurePath):
        return _text(str(value), at)
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, (datetime.date, datetime.time)):  # a datetime is a date
        return value.isoformat()
    if depth >= MAX_DEPTH:
        raise _not_json(at, f"nested deeper than {MAX_DEPTH} levels: return less, or write it to a file")
    if id(value) in inside:
        raise _not_json(at, "a part of itself: return it without the circle")
    inside.add(id(value))
    try:
        return _composed(value, at, inside, depth + 1)
    finally:
        inside.discard(id(value))


def _composed(value: Any, at: str, inside: Set[int], depth: int) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        members = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
        return {name: _plain(member, f"{at}/{name}", inside, depth) for name, member in members.items()}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return _plain(value._asdict(), at, inside, depth)
    if isinstance(value, collections.abc.Mapping):
        return _object(value, at, inside, depth)
    if isinstance(value, (list, tuple)):
        return [_plain(item, f"{at}/{i}", inside, depth) for i, item in enumerate(value)]
    if callable(getattr(value, "model_dump", None)) and not isinstance(value, type):
        return _plain(value.model_dump(), at, inside, depth)
    shape = getattr(value, "shape", None)
    if shape is not None and callable(getattr(value, "item", None)):
        if tuple(shape) != ():
            raise _not_json(at, "an array: return .tolist(), or write a file and return its path")
        return _plain(value.item(), at, inside, depth)
    for kinds, hint in _HINTS:
        if isinstance(value, kinds):  # type: ignore[arg-type]
            raise _not_json(at, hint)
    raise _not_json(at, f"{_name(value)}, which is no JSON: return a dict, list, str, int, float, bool or None")


def _object(value: Any, at: str, inside: Set[int], depth: int) -> Dict[str, Any]:
    members = {}
    for name, member in value.items():
        if isinstance(name, enum.Enum):
            name = name.value
        if not isinstance(name, str):
            raise _not_json(at, f"a dict with a key of type {_name(name)}: make its keys strings")
        name = _text(name, at)
        members[name] = _plain(member, f"{at}/{name}", inside, depth)
    return members


def _text(value: str, at: str) -> str:
    text = str.__str__(value)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _not_json(at, "a text that is no Unicode, as of a file name with other bytes: decode it by the right encoding") from None
    return text


def _integer(value: int, at: str) -> int:
    if value.bit_length() > 14_000:  # some 4,200 digits: more are refused by Python itself
        raise _not_json(at, "an integer of thousands of digits: return it as text")
    return value


def _name(value: Any) -> str:
    return f"{type(value).__module__}.{type(value).__qualname__}".replace("builtins.", "")


def _not_json(at: str, what: str) -> NotJSON:
    return NotJSON(f"{at.encode(errors='replace').decode() or 'the result'} is {what}")
