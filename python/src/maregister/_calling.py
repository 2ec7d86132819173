"""Calls a task's function: binds arguments to its signature, awaits, and makes outputs of the result."""

import collections.abc
import inspect
import os
import pathlib
import typing
from typing import Any, Dict, List, Mapping

from maregister import _annotations, _json, _schema, _stopping, _validator
from maregister._failure import Failure


def bind(function: Any, arguments: Mapping[str, Any]) -> Dict[str, Any]:
    """Returns the arguments for a call by name, with a path for what is annotated as one. Failure: the signature does not take them."""
    try:
        signature = _annotations.signature(function)
    except (TypeError, ValueError):  # a callable of C has none
        return dict(arguments)
    try:
        signature.bind(**arguments)
    except TypeError as error:
        only = [name for name, p in signature.parameters.items() if p.kind is p.POSITIONAL_ONLY and p.default is p.empty]
        hint = f"; it takes {', '.join(only)} only without a name, and tasks are called by names" if only else ""
        raise Failure("InvalidArguments", f"the function does not take these arguments: {error}{hint}") from None
    return {name: _as_annotated(value, hint) for name, value, hint in _with_hints(function, arguments)}


def _with_hints(function: Any, arguments: Mapping[str, Any]) -> "List[tuple[str, Any, Any]]":
    try:
        hints = typing.get_type_hints(function)
    except Exception:  # it evaluates the user's text
        hints = {}
    return [(name, value, hints.get(name)) for name, value in arguments.items()]


def _as_annotated(value: Any, hint: Any) -> Any:
    """Returns a path for a text whose annotation is a path, also within lists, dicts and alternatives."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    base = origin or hint
    if isinstance(value, str):
        options = args if origin is typing.Union or type(hint).__name__ == "UnionType" else (hint,)
        if str in options:
            return value
        for option in options:
            kind = typing.get_origin(option) or option
            if inspect.isclass(kind) and issubclass(kind, pathlib.PurePath):
                return kind(value)
            if kind is os.PathLike:
                return pathlib.Path(value)
        return value
    if origin is typing.Union or type(hint).__name__ == "UnionType":
        matching = [arg for arg in args if (typing.get_origin(arg) or arg) in (list, dict, tuple)]
        return _as_annotated(value, matching[0]) if len(matching) == 1 else value
    if isinstance(value, list) and args:
        if base is tuple and not (len(args) == 2 and args[1] is Ellipsis):
            return [_as_annotated(item, arg) for item, arg in zip(value, args)] + value[len(args) :]
        if inspect.isclass(base) and issubclass(base, collections.abc.Iterable):
            return [_as_annotated(item, args[0]) for item in value]
    if isinstance(value, dict) and len(args) == 2 and inspect.isclass(base) and issubclass(base, collections.abc.Mapping):
        return {name: _as_annotated(member, args[1]) for name, member in value.items()}
    return value


def call(function: Any, arguments: Mapping[str, Any], stopper: _stopping.Stopper) -> Any:
    """Returns what a function returns, awaited if that is to be awaited. It may be stopped meanwhile."""
    stopper.arm()
    result = function(**arguments)
    stopper.disarm()
    if not inspect.isawaitable(result):
        return result
    import asyncio  # here, as it takes half of the time to start

    async def waited() -> Any:
        loop, cancel = asyncio.get_running_loop(), getattr(asyncio.current_task(), "cancel")
        try:
            stopper.arm(lambda: loop.call_soon_threadsafe(cancel))
            return await result
        finally:
            stopper.disarm()

    return asyncio.run(waited())


def outputs(result: Any, schema: _schema.Schema) -> Dict[str, Any]:
    """Returns a task's outputs by name, as JSON. Failure: the result is not what the schema declares.

    A dict has the outputs. If the task declares one output only, anything else is that one. None is no output.
    """
    declared, required = list(_schema.properties(schema)), _schema.required(schema)
    only = declared[0] if len(declared) == 1 else None
    if result is None:
        if required:
            raise Failure("InvalidResult", f"the task returns None, and its output {', '.join(required)} is required: return it")
        return {}
    try:
        plain = _json.plain(result)
    except _json.NotJSON as error:
        raise Failure("InvalidResult", f"in what the task returns, {error}") from None
    except Exception as error:  # of the user's own conversions
        raise Failure("InvalidResult", f"what the task returns cannot be converted to JSON: {type(error).__name__}", error) from None
    if only is not None and not (isinstance(plain, dict) and only in plain):
        plain = {only: plain}
    if not isinstance(plain, dict):
        wanted = f"with {', '.join(declared)}" if declared else "of outputs by name"
        raise Failure("InvalidResult", f"the task returns {_validator.type_of(plain)}: return a dict {wanted}")
    verdict = _validator.Judging(schema).judge(plain)
    if isinstance(verdict, _validator.Mismatch):
        where = f"output {verdict.pointer[1:]}" if verdict.pointer else "the outputs"
        raise Failure("InvalidResult", f"{where}: {verdict.why}")
    return plain
