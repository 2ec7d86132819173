"""Checks values against normalised schemas, with the verdicts of the operator's JSON Schema library.

A verdict has three values. What is not known (a regular expression, unevaluatedProperties, a value that takes too long) is open, and
open is not refused. With two values, {"not": {"pattern": "a"}} would refuse everything.
"""

from fractions import Fraction
from typing import Any, Callable, Dict, Iterator, List, Tuple, Union

from maregister import _schema


class Mismatch:
    """Says where a value does not fit, and why. It never has the value itself, which may be a secret."""

    def __init__(self, pointer: str, why: str) -> None:
        self.pointer, self.why = pointer, why

    def __str__(self) -> str:
        return f"{self.pointer}: {self.why}" if self.pointer else self.why


class _Fits:
    """The two other verdicts."""


FITS = _Fits()
OPEN = _Fits()
Verdict = Union[_Fits, Mismatch]

# How many schemas are applied to one value and what is in it, before the verdict is left open.
_STEPS = 200_000
_DEPTH = 150


class _Exhausted(Exception):
    """Judging takes too long."""


class Judging:
    """Judges values by a normalised schema, or by parts of it."""

    def __init__(self, root: Any) -> None:
        self._root, self._targets = root, _schema.targets(root) if isinstance(root, dict) else {}

    def judge(self, value: Any) -> Verdict:
        """Returns whether a value fits the whole schema."""
        return self.part(self._root, value)

    def part(self, schema: Any, value: Any) -> Verdict:
        """Returns whether a value fits a part of the schema. A schema that is none leaves it open."""
        try:
            return _Judge(self._targets).apply(schema, value, "", 0)
        except (_Exhausted, RecursionError, TypeError, AttributeError, ValueError, KeyError):
            return OPEN  # not a schema that the operator accepts, or too large


def type_of(value: Any) -> str:
    """Returns the name of a value's type in JSON Schema."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, (int, float)):
        return "integer" if value == int(value) else "number"
    return "string" if isinstance(value, str) else "array" if isinstance(value, list) else "object"


def exact(number: Union[int, float]) -> Fraction:
    """Returns the number that is written, and not its nearest binary fraction: 0.3 is a multiple of 0.1."""
    return Fraction(number) if isinstance(number, int) else Fraction(repr(number))


def key(value: Any) -> Any:
    """Returns what is equal for equal JSON values, and can be hashed: 1 and 1.0 are equal, and true is neither."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return (type(value).__name__, value)
    if isinstance(value, (int, float)):
        return exact(value)
    if isinstance(value, list):
        return ("array",) + tuple(key(item) for item in value)
    return ("object", frozenset((name, key(member)) for name, member in value.items()))


def _all(verdicts: Iterator[Verdict]) -> Verdict:
    """Returns the verdict of what has to fit all of it: the first mismatch, even behind what is open."""
    result: Verdict = FITS
    for verdict in verdicts:
        if isinstance(verdict, Mismatch):
            return verdict
        if verdict is OPEN:
            result = OPEN
    return result


class _Judge:
    def __init__(self, targets: Dict[str, Any]) -> None:
        self.targets, self.left = targets, _STEPS

    def apply(self, schema: Any, value: Any, at: str, depth: int) -> Verdict:
        """Judges a value by one schema."""
        self.left -= 1
        if self.left < 0 or depth > _DEPTH:
            raise _Exhausted
        if schema is True:
            return FITS
        if schema is False:
            return Mismatch(at, "no value is allowed here")
        if not isinstance(schema, dict):
            return OPEN
        return _all(self._keywords(schema, value, at, depth + 1))

    def _keywords(self, schema: Dict[str, Any], value: Any, at: str, depth: int) -> Iterator[Verdict]:
        kind = type_of(value)
        for keyword, argument in schema.items():
            rule = _SIMPLE.get(keyword)
            if rule is not None and (rule[0] == "any" or kind in rule[0]):
                why = rule[1](argument, value, kind)
                if why:
                    yield Mismatch(at, why)
        for keyword in ("$ref", "$dynamicRef"):
            if keyword in schema:
                yield self.apply(_schema.target(self.targets, schema[keyword]), value, at, depth)
        yield from self._combined(schema, value, at, depth)
        if kind == "array":
            yield from self._array(schema, value, at, depth)
        elif kind == "object":
            yield from self._object(schema, value, at, depth)
        elif kind == "string" and "pattern" in schema:
            yield OPEN

    def _combined(self, schema: Dict[str, Any], value: Any, at: str, depth: int) -> Iterator[Verdict]:
        """Yields the verdicts of the keywords that apply schemas to the same value."""
        for one in schema.get("allOf", ()):
            yield self.apply(one, value, at, depth)
        if "anyOf" in schema:
            yield self._any_of(schema["anyOf"], value, at, depth)
        if "oneOf" in schema:
            yield self._one_of(schema["oneOf"], value, at, depth)
        if "not" in schema:
            verdict = self.apply(schema["not"], value, at, depth)
            yield FITS if isinstance(verdict, Mismatch) else OPEN if verdict is OPEN else Mismatch(at, "it is what is ruled out")
        if "if" in schema:
            condition = self.apply(schema["if"], value, at, depth)
            if condition is OPEN:
                yield OPEN
            else:
                yield self.apply(schema.get("else" if isinstance(condition, Mismatch) else "then", True), value, at, depth)

    def _any_of(self, options: List[Any], value: Any, at: str, depth: int) -> Verdict:
        verdicts = []
        for option in options:
            verdicts.append(self.apply(option, value, at, depth))
            if verdicts[-1] is FITS:
                return FITS
        if any(verdict is OPEN for verdict in verdicts):
            return OPEN
        return Mismatch(at, "it fits none of the alternatives: " + "; ".join(dict.fromkeys(map(str, verdicts[:3]))))

    def _one_of(self, options: List[Any], value: Any, at: str, depth: int) -> Verdict:
        verdicts = [self.apply(option, value, at, depth) for option in options]
        fitting = sum(verdict is FITS for verdict in verdicts)
        if fitting > 1:
            return Mismatch(at, f"it fits {fitting} alternatives, and may fit only one")
        if any(verdict is OPEN for verdict in verdicts):
            return OPEN
        return FITS if fitting else Mismatch(at, "it fits none of the alternatives: " + "; ".join(dict.fromkeys(map(str, verdicts[:3]))))

    def _array(self, schema: Dict[str, Any], value: List[Any], at: str, depth: int) -> Iterator[Verdict]:
        first = schema.get("prefixItems", [])
        for i, item in enumerate(value):
            if i < len(first):
                yield self.apply(first[i], item, f"{at}/{i}", depth)
            elif "items" in schema:
                yield self.apply(schema["items"], item, f"{at}/{i}", depth)
        if schema.get("uniqueItems") is True:
            self.left -= len(value)
            if len({key(item) for item in value}) < len(value):
                yield Mismatch(at, "two items are the same")
        if "contains" in schema:
            yield self._contains(schema, value, at, depth)
        if "unevaluatedItems" in schema:
            yield OPEN

    def _contains(self, schema: Dict[str, Any], value: List[Any], at: str, depth: int) -> Verdict:
        verdicts = [self.apply(schema["contains"], item, at, depth) for item in value]
        least, most = schema.get("minContains", 1), schema.get("maxContains", len(value))
        sure = sum(verdict is FITS for verdict in verdicts)
        perhaps = sure + sum(verdict is OPEN for verdict in verdicts)
        if sure > most or perhaps < least:
            return Mismatch(at, "the number of items that are asked for is not right")
        return FITS if least <= sure and perhaps <= most else OPEN

    def _object(self, schema: Dict[str, Any], value: Dict[str, Any], at: str, depth: int) -> Iterator[Verdict]:
        named, others = schema.get("properties", {}), schema.get("additionalProperties", True)
        for name, member in value.items():
            here = f"{at}/{name}"
            if name in named:
                yield self.apply(named[name], member, here, depth)
            if schema.get("patternProperties"):
                yield OPEN  # whatever the name matches, and so whether it is an additional one
            elif name not in named and others is not True:
                yield Mismatch(here, "it is not declared") if others is False else self.apply(others, member, here, depth)
            if "propertyNames" in schema:
                yield self.apply(schema["propertyNames"], name, here, depth)
        for name, names in schema.get("dependentRequired", {}).items():
            missing = [other for other in names if other not in value] if name in value else []
            if missing:
                yield Mismatch(at, f"{', '.join(missing)} is missing, which {name} needs")
        for name, dependent in schema.get("dependentSchemas", {}).items():
            if name in value:
                yield self.apply(dependent, value, at, depth)
        if "unevaluatedProperties" in schema or "dependencies" in schema:
            yield OPEN


# The keywords that need neither another schema nor another keyword: for which types, and what is wrong.
Rule = Tuple[Any, Callable[[Any, Any, str], Union[str, None]]]


def _type(declared: Any, _: Any, kind: str) -> Union[str, None]:
    names = declared if isinstance(declared, list) else [declared]
    if kind in names or (kind == "integer" and "number" in names):
        return None
    return f"it has to be {' or '.join(map(str, names))}, and is {kind}"


def _missing(names: List[str], value: Dict[str, Any]) -> str:
    missing = [name for name in names if name not in value]
    return f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing" if missing else ""


_NUMBERS = ("integer", "number")
_SIMPLE: Dict[str, Rule] = {
    "type": ("any", _type),
    "enum": ("any", lambda a, v, _: None if key(v) in [key(one) for one in a] else "it is none of the values that are allowed"),
    "const": ("any", lambda a, v, _: None if key(v) == key(a) else "it is not the value that is allowed"),
    "minimum": (_NUMBERS, lambda a, v, _: None if exact(v) >= exact(a) else f"it is less than {a}"),
    "maximum": (_NUMBERS, lambda a, v, _: None if exact(v) <= exact(a) else f"it is more than {a}"),
    "exclusiveMinimum": (_NUMBERS, lambda a, v, _: None if exact(v) > exact(a) else f"it is not more than {a}"),
    "exclusiveMaximum": (_NUMBERS, lambda a, v, _: None if exact(v) < exact(a) else f"it is not less than {a}"),
    "multipleOf": (_NUMBERS, lambda a, v, _: None if exact(v) % exact(a) == 0 else f"it is no multiple of {a}"),
    "minLength": (("string",), lambda a, v, _: None if len(v) >= a else f"it has fewer than {a} characters"),
    "maxLength": (("string",), lambda a, v, _: None if len(v) <= a else f"it has more than {a} characters"),
    "minItems": (("array",), lambda a, v, _: None if len(v) >= a else f"it has fewer than {a} items"),
    "maxItems": (("array",), lambda a, v, _: None if len(v) <= a else f"it has more than {a} items"),
    "minProperties": (("object",), lambda a, v, _: None if len(v) >= a else f"it has fewer than {a} members"),
    "maxProperties": (("object",), lambda a, v, _: None if len(v) <= a else f"it has more than {a} members"),
    "required": (("object",), lambda a, v, _: _missing(a, v)),
}
