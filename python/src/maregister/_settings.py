"""The variables that tell the executor what to run, and where its records go."""

import math
import os
from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional

from maregister import _entrypoint, _json
from maregister._failure import Failure

# The kubelet takes 4096 bytes of a container's message in Pods of up to three containers.
_TERMINATION_MAX = 4096
_LEAST_TERMINATION_MAX = 64
_GRACE = 10.0
_LONGEST = 1e8  # seconds: some three years, which every clock takes


@dataclass(frozen=True)
class Places:
    """Where the records of a run go."""

    run: Optional[str]
    node: Optional[str]
    # shared is the folder that the nodes of a run share, folder this node's below it.
    shared: Optional[str]
    folder: Optional[str]
    result: Optional[str]
    termination_log: str
    termination_max: int

    @property
    def work(self) -> Optional[str]:
        """Returns the folder in which the task works."""
        return self.folder and os.path.join(self.folder, "work")

    @staticmethod
    def only_message(environ: Mapping[str, str]) -> "Places":
        """Returns the places of a run whose variables are wrong: nothing is written but the message."""
        log = environ.get("MAZE_TERMINATION_LOG") or "/dev/termination-log"
        return Places(None, None, None, None, None, log, _TERMINATION_MAX)

    @staticmethod
    def of(environ: Mapping[str, str]) -> "Places":
        """Reads the places. Failure: a name is no plain path component, or one is missing."""
        run, node = _component(environ, "MAZE_RUN"), _component(environ, "MAZE_NODE")
        shared = environ.get("MAZE_SHARED") or None
        folder = None
        if shared:
            shared = os.path.abspath(shared)
            if not run or not node:
                raise Failure("Usage", "MAZE_SHARED is set, so MAZE_RUN and MAZE_NODE have to name the node's folder below it")
            folder = os.path.join(shared, run, node)
        result = environ.get("MAZE_RESULT") or (os.path.join(folder, "result.json") if folder else None)
        most = _number(environ, "MAZE_TERMINATION_MAX", _TERMINATION_MAX)
        if most < _LEAST_TERMINATION_MAX:
            raise Failure("Usage", f"MAZE_TERMINATION_MAX is {most:g}; a message needs {_LEAST_TERMINATION_MAX} bytes at least")
        log = Places.only_message(environ).termination_log
        return Places(run, node, shared, folder, result and os.path.abspath(result), log, int(most))


def plain_component(name: str) -> bool:
    """Reports whether a name leads to nothing but one file or folder of this name."""
    return name not in ("", ".", "..") and "/" not in name and os.sep not in name and "\0" not in name and len(os.fsencode(name)) <= 255


def _component(environ: Mapping[str, str], variable: str) -> Optional[str]:
    name = environ.get(variable) or None
    if name is not None and not plain_component(name):
        raise Failure("Usage", f"{variable} is {name!r}, which is no plain name of a folder")
    return name


def _number(environ: Mapping[str, str], variable: str, otherwise: float) -> float:
    text = environ.get(variable)
    if not text:
        return otherwise
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number <= _LONGEST:
        raise Failure("Usage", f"{variable} is {text!r}; it is a number from 0 to {_LONGEST:g}")
    return number


@dataclass(frozen=True)
class Settings:
    """What to run, and how."""

    # target is what to run, a task's name or an entry point. name is the task's name, if it is known.
    target: str
    name: Optional[str]
    resolves: bool
    arguments: Dict[str, Any]
    inputs: Dict[str, Any]
    packages: Optional[List[str]]
    roots: List[str]
    # timeout is None if the variable does not say: the task may.
    timeout: Optional[float]

    @staticmethod
    def of(argument: Optional[str], environ: Mapping[str, str]) -> "Settings":
        """Reads the variables. argument is the TASK of the command line."""
        name = environ.get("MAZE_TASK") or None
        target = argument or name
        if not target:
            raise Failure("Usage", "no task is given: name one, as in: python3 -m maregister run TASK, or set MAZE_TASK")
        if name is not None and _entrypoint.is_entry_point(name):
            name = None
        if not _entrypoint.is_entry_point(target):
            if name not in (None, target):
                raise Failure("Usage", f"the task to run is {target}, and MAZE_TASK is {name}: give one of the two")
            name = target
        references = environ.get("MAZE_REFERENCES") or "resolve"
        if references not in ("resolve", "literal"):
            raise Failure("Usage", f"MAZE_REFERENCES is {references!r}; it is resolve or literal")
        return Settings(
            target=target,
            name=name,
            resolves=references == "resolve",
            arguments=_object(environ, "MAZE_ARGS"),
            inputs=_inputs(environ),
            packages=_entrypoint.allowed_packages(environ),
            roots=[os.path.abspath(root) for root in environ.get("MAZE_PATH_ROOTS", "").split(os.pathsep) if root],
            timeout=_number(environ, "MAZE_TIMEOUT", 0) if environ.get("MAZE_TIMEOUT") else None,
        )


def grace(environ: Mapping[str, str]) -> float:
    """Returns how many seconds a task has from being stopped to its end. What is wrong is told by of."""
    return _number(environ, "MAZE_GRACE", _GRACE)


def _inputs(environ: Mapping[str, str]) -> Dict[str, Any]:
    inputs = _object(environ, "MAZE_INPUTS")
    for node, outputs in inputs.items():
        if not isinstance(outputs, dict):
            raise Failure("Usage", f"MAZE_INPUTS has no JSON object for node {node}: it maps each node to its outputs")
    return inputs


def _object(environ: Mapping[str, str], variable: str) -> Dict[str, Any]:
    """Returns the JSON object of a variable, or of the file that it names with _FILE behind."""
    text, file = environ.get(variable), environ.get(variable + "_FILE")
    if text and file:
        raise Failure("Usage", f"{variable} and {variable}_FILE are both set: set one of them")
    where = variable
    try:
        if file:
            where = f"{variable}_FILE, {file},"
            with open(file, encoding="utf-8") as opened:
                text = opened.read()
        elif text:
            text.encode()  # fails for what was no UTF-8
        value = _json.loads(text) if text else {}
    except OSError as error:
        raise Failure("Usage", f"{where} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise Failure("Usage", f"{where} has no JSON that counts: {error}") from None
    if not isinstance(value, dict):
        raise Failure("Usage", f"{where} has no JSON object, which maps names to values")
    return value
