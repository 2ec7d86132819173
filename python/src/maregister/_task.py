"""The decorator. A decorated function is the same function, with what it declares in _task_meta."""

import difflib
import inspect
import logging
import math
from typing import Any, Callable, Dict, Mapping, Optional, Sequence, Tuple, TypeVar, overload

from maregister import _annotations

logger = logging.getLogger("maregister")

TYPE_FILEPATH = "filepath"
TYPE_FOLDERPATH = "folderpath"

Function = TypeVar("Function", bound=Callable[..., Any])

# The keywords, in the order in which they may be given without keyword.
_KEYWORDS = ("name", "description", "input_parameters", "output_parameters", "task_type", "cpu_num", "mem", "gpu_mem", "model_name", "backend")

# The keywords of Maze's own decorator for how a task is run. They are not in _task_meta, which the description fixes, but in _task_run.
_RUN = ("timeout_seconds", "max_retries", "retry_backoff_seconds", "retry_on")

# The keywords for why a task should no longer be used. They are in _task_deprecated, in the form of an entry's deprecated.
_DEPRECATION = ("deprecated", "replacement")

_ALL = _KEYWORDS + _RUN + _DEPRECATION

_DEFAULT_MEMORY = 1024
_DEFAULT_BACKEND = "huggingface"


@overload
def task(__function: Function) -> Function: ...


@overload
def task(
    name: Optional[str] = ...,
    description: Optional[str] = ...,
    input_parameters: Optional[Mapping[str, Any]] = ...,
    output_parameters: Optional[Mapping[str, Any]] = ...,
    task_type: str = ...,
    cpu_num: float = ...,
    mem: float = ...,
    gpu_mem: float = ...,
    model_name: Optional[str] = ...,
    backend: Optional[str] = ...,
    *,
    timeout_seconds: Optional[float] = ...,
    max_retries: Optional[int] = ...,
    retry_backoff_seconds: Optional[float] = ...,
    retry_on: Optional[Sequence[str]] = ...,
    deprecated: Optional[str] = ...,
    replacement: Optional[str] = ...,
) -> Callable[[Function], Function]: ...


def task(*args: Any, **keywords: Any) -> Any:
    """Declares a function as a task, and returns the same function, with _task_meta.

    name: by which workflows name it. register_task needs one.
    description: what it does, by default the docstring.
    input_parameters, output_parameters: JSON Schemas, or maps of name to property schema. A Python type stands for its name.
        By default, inputs are those of the signature, and outputs those of a TypedDict or dataclass that is returned.
    task_type: cpu, gpu or io. cpu_num: cores. mem, gpu_mem: MiB. gpu_mem is only for gpu.
    model_name, backend: what the task needs to be there.
    timeout_seconds, max_retries, retry_backoff_seconds, retry_on: how it is run, as docs/run.md has it.
    deprecated, replacement: why the task should no longer be used, and the name of the task that takes over.

    Without arguments, as @task alone, the task has the function's name and no backend. Sizes are rounded up, as in the published registry.
    """
    if len(args) == 1 and not keywords and callable(args[0]):
        return _declare(args[0], {"name": args[0].__name__, "backend": None})
    if len(args) > len(_KEYWORDS):
        raise TypeError(f"task() takes {len(_KEYWORDS)} arguments, and gets {len(args)}")
    given = dict(zip(_KEYWORDS, args))
    for keyword, value in keywords.items():
        if keyword in given:
            raise TypeError(f"task() gets {keyword} twice")
        if keyword not in _ALL:
            near = difflib.get_close_matches(keyword, _ALL, 1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; it takes {', '.join(_ALL)}"
            raise TypeError(f"task() does not take {keyword}{hint}")
        given[keyword] = value
    return lambda function: _declare(function, given)


def _signature(
    name: Optional[str] = None,
    description: Optional[str] = None,
    input_parameters: Optional[Mapping[str, Any]] = None,
    output_parameters: Optional[Mapping[str, Any]] = None,
    task_type: str = "cpu",
    cpu_num: float = 1,
    mem: float = _DEFAULT_MEMORY,
    gpu_mem: float = 0,
    model_name: Optional[str] = None,
    backend: Optional[str] = _DEFAULT_BACKEND,
    *,
    timeout_seconds: Optional[float] = None,
    max_retries: Optional[int] = None,
    retry_backoff_seconds: Optional[float] = None,
    retry_on: Optional[Sequence[str]] = None,
    deprecated: Optional[str] = None,
    replacement: Optional[str] = None,
) -> Callable[[Function], Function]:
    raise NotImplementedError("only its signature is used")


# What help() shows. The function itself has to know which arguments were given.
setattr(task, "__signature__", inspect.signature(_signature))


def _declare(function: Any, given: Dict[str, Any]) -> Any:
    if not callable(function):
        raise TypeError(f"@task decorates a function, and not {type(function).__name__}")
    meta, complete = _meta(function, given)
    run, deprecated = _run(given), _deprecated(given)
    function._task_meta = meta
    if run:
        function._task_run = run
    if deprecated:
        function._task_deprecated = deprecated
    if not complete:
        function._task_declared = (function, given)
    return function


def complete(function: Any) -> Any:
    """Returns a function's _task_meta, with what annotations say that name what the module defined after the function."""
    meta = getattr(function, "_task_meta", None)
    declared = getattr(function, "__dict__", {}).pop("_task_declared", None)
    if declared is not None and isinstance(meta, dict):
        meta.update(_meta(*declared)[0])
    return meta


def _meta(function: Any, given: Dict[str, Any]) -> Tuple[Dict[str, Any], bool]:
    """Returns what a function declares. It reports whether all annotations could be read."""
    reader = _annotations.Reader(function)
    description = inspect.getdoc(function) if given.get("description") is None else _text(given, "description")
    inputs, outputs = given.get("input_parameters"), given.get("output_parameters")
    meta = {
        "name": _text(given, "name"),
        "description": description or None,
        "input_parameters": reader.inputs() if inputs is None else _parameters("input_parameters", inputs),
        "output_parameters": reader.annotated_output() if outputs is None else _parameters("output_parameters", outputs),
        "resources": _resources(given),
    }
    return meta, reader.complete


def _run(given: Mapping[str, Any]) -> Dict[str, Any]:
    """Returns how a task is run, in the form of an entry's run; empty for what the scheduler has for all."""
    run: Dict[str, Any] = {}
    for keyword, field, least in (("timeout_seconds", "timeout", 0.0005), ("retry_backoff_seconds", "backoff", 0)):
        if given.get(keyword) is not None:
            seconds = _number(given[keyword], keyword, least)
            if keyword == "timeout_seconds" and seconds == 0:
                raise ValueError("timeout_seconds is above 0; leave it out for any time")
            run[field] = f"{round(seconds * 1000)}ms"
    retries, kinds = given.get("max_retries"), given.get("retry_on")
    if retries is not None:
        if isinstance(retries, bool) or not isinstance(retries, int) or not 0 <= retries <= 100:
            raise ValueError(f"max_retries is a whole number from 0 to 100, and not {retries!r}")
        run["retries"] = retries
    if kinds is not None:
        if isinstance(kinds, str) or not isinstance(kinds, (list, tuple)) or not all(isinstance(kind, str) and kind for kind in kinds):
            raise TypeError(f"retry_on is a list of texts such as 'resource_insufficient', and not {kinds!r}")
        if kinds:
            run["retryOn"] = list(dict.fromkeys(kinds))
        else:
            run["retries"] = 0  # as Maze takes it
    return run


def _deprecated(given: Mapping[str, Any]) -> Dict[str, str]:
    """Returns why a task should no longer be used, in the form of an entry's deprecated; empty for one that is here to stay."""
    texts = {keyword: given[keyword] for keyword in _DEPRECATION if given.get(keyword) is not None}
    for keyword, text in texts.items():
        if not isinstance(text, str) or not text.strip():
            raise ValueError(f"{keyword} is a text that is not blank, and not {text!r}")
    if "replacement" in texts and "deprecated" not in texts:
        raise ValueError("replacement goes with deprecated, which says why and by when")
    return {field: texts[keyword] for keyword, field in zip(_DEPRECATION, ("message", "replacement")) if keyword in texts}


def _text(given: Mapping[str, Any], keyword: str) -> Optional[str]:
    """Returns a text, or None for none."""
    value = given.get(keyword)
    if value is not None and not isinstance(value, str):
        raise TypeError(f"{keyword} is a string, and not {type(value).__name__}")
    return value or None


def _parameters(keyword: str, declared: Any) -> Dict[str, Any]:
    if not isinstance(declared, Mapping):
        raise TypeError(f"{keyword} is a dict, and not {type(declared).__name__}")
    plain = _annotations.plain(declared)
    if not isinstance(plain, dict):
        raise TypeError(f"{keyword} has to be JSON, or Python's types: str, int, float, bool, list, tuple, dict")
    return plain


def _number(value: Any, keyword: str, least: float = 0) -> float:
    """Returns a number that is not negative. least is what it has to be if it is not 0."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0 or 0 < value < least:
        raise ValueError(f"{keyword} is a number, 0 or at least {least:g}; it is {value!r}")
    return value


def _kind(text: Optional[str]) -> str:
    kind = (text or "cpu").strip().lower()
    if kind not in ("cpu", "gpu", "io"):
        raise ValueError(f"task_type is cpu, gpu or io, and not {text!r}")
    return kind


def _resources(given: Mapping[str, Any]) -> Dict[str, Any]:
    """Returns resources as the registry publishes them: whole cores and MiB. Without memory, the API server's default counts."""
    kind = _kind(_text(given, "task_type"))
    gpu_memory = math.ceil(_number(given.get("gpu_mem", 0), "gpu_mem", 1))
    if gpu_memory and kind != "gpu":
        logger.warning("gpu_mem is only for tasks of type gpu, and this is %s: it is left out", kind)
        gpu_memory = 0
    return {
        "type": kind,
        "cpu_num": math.ceil(_number(given.get("cpu_num", 1), "cpu_num")),
        "mem": math.ceil(_number(given.get("mem", _DEFAULT_MEMORY), "mem", 1)) or _DEFAULT_MEMORY,
        "gpu_mem": gpu_memory,
        "model_name": _text(given, "model_name"),
        "backend": _text(given, "backend") if "backend" in given else _DEFAULT_BACKEND,
    }
