"""What a function's signature and annotations tell of its parameters, as JSON Schema.

It says what `mazectl discover` says of the same source.
"""

import collections.abc
import dataclasses
import inspect
import json
import math
import os
import pathlib
import sys
import types
import typing
from typing import Any, Dict, List, Mapping, Optional, Tuple

Schema = Dict[str, Any]

_SIMPLE: Dict[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null", None: "null"}
_ARRAYS = (list, collections.abc.Sequence, collections.abc.MutableSequence, collections.abc.Iterable, collections.abc.Collection)
_SETS = (set, frozenset, collections.abc.Set, collections.abc.MutableSet)
_OBJECTS = (dict, collections.abc.Mapping, collections.abc.MutableMapping)
# Names of Python's types in schemas that are declared.
_TYPE_NAMES = {str: "string", int: "integer", float: "number", bool: "boolean", list: "array", tuple: "array", dict: "object", set: "array"}


def _typing(*names: str) -> Tuple[Any, ...]:
    """Returns those of typing's and, where it is installed, typing_extensions' objects that there are."""
    modules = [typing] + ([sys.modules["typing_extensions"]] if "typing_extensions" in sys.modules else [])
    return tuple(getattr(module, name) for module in modules for name in names if hasattr(module, name))


def plain(value: Any, depth: int = 0) -> Any:
    """Returns a value as JSON has it, with names for Python's types. NotImplemented: JSON has no such value."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else NotImplemented
    if isinstance(value, type):
        return _TYPE_NAMES.get(value, NotImplemented)
    if depth > 64:
        return NotImplemented
    if isinstance(value, (list, tuple)):
        items = [plain(item, depth + 1) for item in value]
        return NotImplemented if any(item is NotImplemented for item in items) else items
    if isinstance(value, Mapping):
        members = {key: plain(item, depth + 1) for key, item in value.items()}
        bad = any(item is NotImplemented or not isinstance(key, str) for key, item in members.items())
        return NotImplemented if bad else members
    return NotImplemented


def signature(function: Any) -> inspect.Signature:
    """Returns a function's signature. From Python 3.14 on, annotations are evaluated here, and may name what is not there at run time.

    TypeError, ValueError: it is a callable of C, which has none.
    """
    if sys.version_info >= (3, 14):
        from annotationlib import Format

        return inspect.signature(function, annotation_format=Format.FORWARDREF)
    return inspect.signature(function)


class Reader:
    """Reads one function."""

    def __init__(self, function: Any) -> None:
        self.function = inspect.unwrap(function)
        self.globals: Dict[str, Any] = getattr(self.function, "__globals__", {})
        self.module: Optional[str] = getattr(self.function, "__module__", None)
        # complete is False if an annotation names what is not there: perhaps not yet.
        self.complete = True

    def inputs(self) -> Schema:
        """Returns the schema of the signature."""
        properties: Schema = {}
        required: List[str] = []
        for name, parameter in self._parameters().items():
            if parameter.kind not in (parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY):
                continue
            schema = {} if parameter.annotation is parameter.empty else self.schema(self._resolved(parameter.annotation))
            properties[name] = _with_default(schema, parameter.default, parameter.empty)
            if parameter.default is parameter.empty:
                required.append(name)
        schema = _object(properties, required)
        if not self._parameters():
            schema["additionalProperties"] = False  # or {} would read as a task that takes anything
        return schema

    def _parameters(self) -> Mapping[str, inspect.Parameter]:
        try:
            return signature(self.function).parameters
        except (TypeError, ValueError):
            return {}

    def annotated_output(self) -> Schema:
        """Returns the schema of the return annotation, if that is a TypedDict or dataclass of the function's module."""
        try:
            returned = signature(self.function).return_annotation
        except (TypeError, ValueError):
            return {}
        if returned is inspect.Signature.empty:
            return {}
        hint = self._resolved(returned)
        while typing.get_origin(hint) in _typing("Annotated", "Final"):
            hint = typing.get_args(hint)[0]
        return self.schema(hint) if self._is_record(hint) else {}

    def _resolved(self, annotation: Any) -> Any:
        """Returns an annotation without quotes. Any, if it names what is not there."""
        holder = types.SimpleNamespace(__annotations__={"it": annotation})
        try:  # of a thing without code, which has no defaults: Python 3.9 and 3.10 make an annotation Optional by a default of None
            return typing.get_type_hints(holder, self.globals, self.globals, include_extras=True)["it"]
        except Exception:  # it evaluates the user's text
            self.complete = False
            return Any

    def schema(self, hint: Any, inside: Tuple[Any, ...] = ()) -> Schema:
        """Returns the schema of a type. inside are the classes that are being described."""
        if isinstance(hint, (typing.ForwardRef, str)):  # typing leaves some within other types
            hint = self._resolved(hint if isinstance(hint, str) else hint.__forward_arg__)
        origin, args = typing.get_origin(hint), typing.get_args(hint)
        base = origin or hint
        if isinstance(base, collections.abc.Hashable) and base in _SIMPLE:
            return {"type": _SIMPLE[base]}
        if origin in _typing("Annotated", "Final", "Required", "NotRequired", "ReadOnly", "ClassVar"):
            return self.schema(args[0], inside)
        if origin in _typing("Literal"):
            return {"enum": list(args)} if all(plain(arg) is not NotImplemented for arg in args) else {}
        if origin is typing.Union or origin is getattr(types, "UnionType", typing.Union):
            return _union(*(self.schema(arg, inside) for arg in args))
        if base in _ARRAYS:
            return self._unless_any({"type": "array"}, "items", args[:1], inside)
        if base in _SETS:
            return self._unless_any({"type": "array", "uniqueItems": True}, "items", args[:1], inside)
        if base in _OBJECTS:
            return self._unless_any({"type": "object"}, "additionalProperties", args[1:], inside)
        if base is tuple:
            return self._tuple(hint, args, inside)
        if base is os.PathLike or (inspect.isclass(base) and issubclass(base, pathlib.PurePath)):
            return {"type": "filepath"}
        if self._is_record(hint) and hint not in inside:
            return self._record(hint, inside + (hint,))
        return {}

    def _unless_any(self, schema: Schema, keyword: str, args: Tuple[Any, ...], inside: Tuple[Any, ...]) -> Schema:
        inner = self.schema(args[0], inside) if args else {}
        return dict(schema, **{keyword: inner}) if inner else schema

    def _tuple(self, hint: Any, args: Tuple[Any, ...], inside: Tuple[Any, ...]) -> Schema:
        if len(args) == 2 and args[1] is Ellipsis:
            return self._unless_any({"type": "array"}, "items", args[:1], inside)
        if args == ((),):  # tuple[()] of Python 3.9 and 3.10
            args = ()
        elif not args and "()" not in repr(hint):
            return {"type": "array"}
        schema: Schema = {"type": "array", "minItems": len(args), "maxItems": len(args)}
        if args:
            schema["prefixItems"] = [self.schema(arg, inside) for arg in args]
        return schema

    def _is_record(self, hint: Any) -> bool:
        """Reports whether a type is a TypedDict or a dataclass of the function's module."""
        return inspect.isclass(hint) and hint.__module__ == self.module and (_is_typed_dict(hint) or dataclasses.is_dataclass(hint))

    def _record(self, cls: Any, inside: Tuple[Any, ...]) -> Schema:
        try:
            hints = typing.get_type_hints(cls, include_extras=True)
        except Exception:  # it evaluates the user's text
            self.complete = False
            return {}
        properties: Schema = {}
        required: List[str] = []
        if _is_typed_dict(cls):
            for name, hint in hints.items():
                properties[name] = self.schema(hint, inside)
                if _is_required(hint, name in cls.__required_keys__):
                    required.append(name)
            return _object(properties, required)
        for field in dataclasses.fields(cls):
            properties[field.name] = _with_default(self.schema(hints[field.name], inside), field.default, dataclasses.MISSING)
            if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
                required.append(field.name)
        return _object(properties, required)


def _is_typed_dict(hint: Any) -> bool:
    return inspect.isclass(hint) and issubclass(hint, dict) and hasattr(hint, "__required_keys__")


def _is_required(hint: Any, otherwise: bool) -> bool:
    """Reports what the annotation of a TypedDict's field says. The class does not know if its annotations were not evaluated."""
    while typing.get_origin(hint) in _typing("Annotated", "ReadOnly", "Final"):
        hint = typing.get_args(hint)[0]
    origin = typing.get_origin(hint)
    return otherwise if origin not in _typing("Required", "NotRequired") else origin in _typing("Required")


def _object(properties: Schema, required: List[str]) -> Schema:
    schema: Schema = {"type": "object", "properties": properties}
    if required:
        schema["required"] = required
    return schema


def _union(*schemas: Schema) -> Schema:
    flat: List[Schema] = []
    seen = set()
    for schema in schemas:
        for one in schema["anyOf"] if set(schema) == {"anyOf"} else [schema]:
            text = json.dumps(one, sort_keys=True)
            if text not in seen:
                seen.add(text)
                flat.append(one)
    return flat[0] if len(flat) == 1 else {"anyOf": flat}


def _allows_null(schema: Schema) -> bool:
    options = schema.get("anyOf", ())
    return not schema or schema.get("type") == "null" or None in schema.get("enum", ()) or any(map(_allows_null, options))


def _with_default(schema: Schema, default: Any, missing: Any) -> Schema:
    """Returns a schema with a default, if it is JSON and of the schema's type. A default of None allows null, too."""
    if default is missing or isinstance(default, type):
        return schema
    default = plain(default)
    if default is NotImplemented:
        return schema
    if default is None and not _allows_null(schema):
        schema = _union(schema, {"type": "null"})
    return dict(schema, default=default) if _fits(default, schema) else schema


def _fits(value: Any, schema: Schema) -> bool:
    """Reports whether a value is of a schema's type. What is within it is not looked at."""
    if "anyOf" in schema:
        return any(_fits(value, option) for option in schema["anyOf"])
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return {
        "string": isinstance(value, str),
        "filepath": isinstance(value, str),
        "folderpath": isinstance(value, str),
        "boolean": isinstance(value, bool),
        "null": value is None,
        "array": isinstance(value, list),
        "object": isinstance(value, dict),
        "number": number,
        "integer": number and value == int(value),
    }.get(schema.get("type", ""), True)
