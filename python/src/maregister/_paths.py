"""Files and folders among arguments and outputs."""

import os
from typing import Any, Callable, List, Optional

from maregister import _schema, _validator
from maregister._failure import Failure

_FORMATS = ("filepath", "folderpath")


class Roots:
    """The folders in which files may be."""

    def __init__(self, shared: Optional[str], roots: List[str]) -> None:
        self.all = ([shared] if shared else []) + roots
        # restricted is whether arguments have to lie below a root.
        self.restricted = bool(roots)

    def have(self, path: str) -> bool:
        """Reports whether a path, links followed, is a root or below one."""
        real = os.path.realpath(path)
        return any(os.path.commonpath([real, root]) == root for root in (os.path.realpath(root) for root in self.all))


def check_inputs(schema: _schema.Schema, arguments: Any, roots: Roots, work: str) -> None:
    """Checks that the files which arguments name are there, and below a root. Relative paths are those of the task's folder."""

    def check(value: str, form: str, at: str) -> str:
        path = os.path.join(work, value)
        if "\0" in value or (roots.restricted and not roots.have(path)):
            raise Failure("InvalidArguments", f"the path of argument {at} is outside of {', '.join(roots.all)}")
        _exists(path, form, "MissingInput", f"argument {at}")
        return value

    convert(schema, arguments, check)


def check_outputs(schema: _schema.Schema, outputs: Any, roots: Roots, work: str) -> Any:
    """Returns the outputs with absolute paths. Files have to be there, and where other nodes find them."""

    def check(value: str, form: str, at: str) -> str:
        path = os.path.abspath(os.path.join(work, value))
        if not roots.all:
            raise Failure("InvalidResult", f"output {at} is a path, which no other node sees: set MAZE_SHARED to a folder that they share, or MAZE_PATH_ROOTS")
        if "\0" in value or not roots.have(path):
            raise Failure("InvalidResult", f"output {at} is a path outside of {', '.join(roots.all)}, which no other node sees: write into the current folder")
        _exists(path, form, "InvalidResult", f"output {at}")
        return path

    return convert(schema, outputs, check)


def _exists(path: str, form: str, kind: str, what: str) -> None:
    if not os.path.exists(path):
        raise Failure(kind, f"{what} names {'a folder' if form == 'folderpath' else 'a file'} that is not there: {path}")
    if form == "folderpath" and not os.path.isdir(path):
        raise Failure(kind, f"{what} names a folder, and {path} is none")


Check = Callable[[str, str, str], Any]


def convert(root: _schema.Schema, value: Any, check: Check) -> Any:
    """Returns a value with what check returns in place of each path, which its schema has told to be one."""
    return _Walk(root, check).walk(root, value, "", 0)


class _Walk:
    def __init__(self, root: _schema.Schema, check: Check) -> None:
        self.targets, self.judging, self.check = _schema.targets(root), _validator.Judging(root), check
        self.left = 200_000

    def walk(self, schema: Any, value: Any, at: str, depth: int) -> Any:
        """Returns a value with its paths converted. Of alternatives, those count which the value fits."""
        self.left -= 1
        if not isinstance(schema, dict) or depth > 100 or self.left < 0:
            return value
        if isinstance(value, str):
            if schema.get("format") in _FORMATS and not isinstance(schema.get("format"), list):
                return self.check(value, schema["format"], at)
        elif isinstance(value, list):
            value = self._items(schema, value, at, depth)
        elif isinstance(value, dict):
            value = self._members(schema, value, at, depth)
        for keyword in ("$ref", "$dynamicRef"):
            if keyword in schema:
                value = self.walk(_schema.target(self.targets, schema[keyword]), value, at, depth + 1)
        for one in schema.get("allOf", ()):
            value = self.walk(one, value, at, depth + 1)
        for keyword in ("anyOf", "oneOf"):
            for one in schema.get(keyword, ()):
                if not isinstance(self.judging.part(one, value), _validator.Mismatch):
                    value = self.walk(one, value, at, depth + 1)
                    break
        return value

    def _items(self, schema: Any, value: List[Any], at: str, depth: int) -> List[Any]:
        first, others = schema.get("prefixItems", []), schema.get("items")
        return [self.walk(first[i] if i < len(first) else others, item, f"{at}/{i}", depth + 1) for i, item in enumerate(value)]

    def _members(self, schema: Any, value: Any, at: str, depth: int) -> Any:
        named, others = schema.get("properties", {}), schema.get("additionalProperties")
        return {name: self.walk(named.get(name, others), member, f"{at}/{name}".lstrip("/"), depth + 1) for name, member in value.items()}
