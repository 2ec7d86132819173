"""Entry points: which ones may be named, and the functions that they name."""

import importlib
import os
import re
import sys
import sysconfig
import types
from typing import Any, FrozenSet, List, Mapping, Optional

_IDENTIFIER = r"[^\W\d]\w*"
_PATTERN = re.compile(rf"({_IDENTIFIER}(?:\.{_IDENTIFIER})*):({_IDENTIFIER}(?:\.{_IDENTIFIER})*)\Z")


class NotAllowed(ValueError):
    """An entry point names what no task may name."""


class NoFunction(ImportError):
    """An entry point leads to no function."""


def is_entry_point(text: str) -> bool:
    """Reports whether a text is meant as an entry point. The name of a task has no colon."""
    return ":" in text


def allowed_packages(environ: Mapping[str, str]) -> Optional[List[str]]:
    """Returns the top-level packages of MAZE_PACKAGES; None if it names none."""
    return re.findall(r"[^\s,:]+", environ.get("MAZE_PACKAGES", "")) or None


def check(entry_point: str, packages: Optional[List[str]]) -> None:
    """Refuses, before anything is imported, an entry point that is none, or that names a package which is not allowed."""
    match = _PATTERN.match(entry_point)
    if not match:
        raise NotAllowed(f"{entry_point!r} is no entry point: write package.module:function")
    top = match[1].split(".")[0]
    if packages is not None and top not in packages:
        raise NotAllowed(f"the entry point {entry_point} is of the package {top}, and MAZE_PACKAGES allows {', '.join(packages)}")
    if packages is None and top in _standard_library():
        raise NotAllowed(f"the entry point {entry_point} is of Python's standard library, which has no tasks")
    if any(part.startswith("__") for part in match[2].split(".")):
        raise NotAllowed(f"the entry point {entry_point} leads into Python's own attributes")


def load(entry_point: str, packages: Optional[List[str]]) -> Any:
    """Imports an entry point's function. NotAllowed: no task may name it. NoFunction: it is none. Or what the import raises."""
    check(entry_point, packages)
    module_name, _, names = entry_point.partition(":")
    found: Any = importlib.import_module(module_name)
    for name in names.split("."):
        try:
            found = getattr(found, name)
        except AttributeError:
            raise NoFunction(f"{module_name} has no {names}") from None
        if isinstance(found, types.ModuleType):
            raise NotAllowed(f"the entry point {entry_point} leads through the module {found.__name__}: name that module before the colon")
    found = unwrapped(found)
    home = getattr(found, "__module__", None)
    if isinstance(home, str) and isinstance(found, (type, types.FunctionType, types.BuiltinFunctionType, types.MethodType)):
        if home.split(".")[0] in _standard_library() and home != "__main__":
            raise NotAllowed(f"the entry point {entry_point} is {home}.{getattr(found, '__qualname__', '')}, of Python's standard library")
    if not callable(found):
        raise NoFunction(f"{entry_point} is {type(found).__name__}, and no function")
    return found


def unwrapped(found: Any) -> Any:
    """Returns the function in the wrapper of Maze's own decorator, or what it is given. Other decorators stay."""
    return getattr(getattr(found, "_maze_task_metadata", None), "func", None) or found


def _standard_library() -> FrozenSet[str]:
    """Returns the names of the standard library's modules."""
    global _standard
    if _standard is None:
        names = set(sys.builtin_module_names) | {"__main__"}
        names.update(getattr(sys, "stdlib_module_names", ()))
        if not hasattr(sys, "stdlib_module_names"):  # Python 3.9
            folder = sysconfig.get_path("stdlib")
            for place in (folder, os.path.join(folder, "lib-dynload")):
                names.update(name.split(".")[0] for name in os.listdir(place) if name != "site-packages")
        _standard = frozenset(names)
    return _standard


_standard: Optional[FrozenSet[str]] = None
