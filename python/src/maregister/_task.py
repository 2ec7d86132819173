"""The decorator. A decorated function is the same function, with what it declares in _task_meta."""

import inspect
import logging
import math
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple, TypeVar, Union, overload

from maregister import _annotations

logger = logging.getLogger("maregister")

TYPE_FILEPATH = "filepath"
TYPE_FOLDERPATH = "folderpath"

Function = TypeVar("Function", bound=Callable[..., Any])

# The keywords of each way to declare a task, in the order in which they may be given without keyword.
_NAMED = ("name", "description", "input_parameters", "output_parameters", "task_type", "cpu_num", "mem", "gpu_mem", "model_name", "backend")
_LISTED = ("inputs", "outputs", "resources", "data_types")
_INFERRED = ("resources", "data_types", "task_kind")
# How to run a task, as Maze's decorator has it. It is no part of _task_meta.
_RUN = ("max_retries", "retry_backoff_seconds", "retry_on", "timeout_seconds")

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
) -> Callable[[Function], Function]: ...


@overload
def task(
    *,
    resources: Optional[Mapping[str, Any]] = ...,
    data_types: Optional[Mapping[str, Union[str, type]]] = ...,
    task_kind: Optional[str] = ...,
    max_retries: Optional[int] = ...,
    retry_backoff_seconds: Optional[float] = ...,
    retry_on: Optional[Sequence[str]] = ...,
    timeout_seconds: Optional[float] = ...,
) -> Callable[[Function], Function]: ...


@overload
def task(
    inputs: Sequence[str],
    outputs: Sequence[str] = ...,
    resources: Optional[Mapping[str, Any]] = ...,
    data_types: Optional[Mapping[str, Union[str, type]]] = ...,
) -> Callable[[Function], Function]: ...


def task(*args: Any, **keywords: Any) -> Any:
    """Declares a function as a task, and returns the same function, with _task_meta.

    name: by which workflows name it. register_task needs one.
    description: what it does, by default the docstring.
    input_parameters, output_parameters: JSON Schemas, or maps of name to property schema. A Python type stands for its name.
        By default, inputs are those of the signature, and outputs those of a TypedDict or dataclass that is returned.
    task_type: cpu, gpu or io. cpu_num: cores. mem, gpu_mem: MiB. gpu_mem is only for gpu.
    model_name, backend: what the task needs to be there.

    Maze's other forms work, too: @task alone, @task(resources={…}, data_types={…}) and @task(inputs=[…], outputs=[…]) take the
    function's name. Sizes are rounded up, as in the published registry.
    """
    if len(args) == 1 and not keywords and callable(args[0]):
        return _declare(args[0], "inferred", {})
    form = _form_of(args, keywords)
    allowed = {"named": _NAMED, "listed": _LISTED, "inferred": _INFERRED}[form]
    positional = () if form == "inferred" else allowed
    if len(args) > len(positional):
        raise TypeError(f"task() takes {len(positional)} arguments without keyword in this form, and gets {len(args)}")
    given = dict(zip(positional, args))
    for keyword, value in keywords.items():
        if keyword in given:
            raise TypeError(f"task() gets {keyword} twice")
        if keyword not in allowed and not (form == "inferred" and keyword in _RUN):
            raise TypeError(f"task() does not take {keyword} here; it takes {', '.join(allowed)}")
        given[keyword] = value
    return lambda function: _declare(function, form, given)


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
) -> Callable[[Function], Function]:
    raise NotImplementedError("only its signature is used")


# What help() shows. The function itself has to know which arguments were given.
setattr(task, "__signature__", inspect.signature(_signature))


def _form_of(args: Sequence[Any], keywords: Mapping[str, Any]) -> str:
    """Returns which way of declaring a task the arguments are, as mazectl discover tells them apart."""
    if "inputs" in keywords or "outputs" in keywords or (args and isinstance(args[0], (list, tuple))):
        return "listed"
    if args or any(keyword in _NAMED for keyword in keywords):
        return "named"
    return "inferred"


def _declare(function: Any, form: str, given: Dict[str, Any]) -> Any:
    if not callable(function):
        raise TypeError(f"@task decorates a function, and not {type(function).__name__}")
    meta, complete = _meta(function, form, given)
    function._task_meta = meta
    if not complete:
        function._task_declared = (function, form, given)
    return function


def complete(function: Any) -> Any:
    """Returns a function's _task_meta, with what annotations say that name what the module defined after the function."""
    meta = getattr(function, "_task_meta", None)
    declared = getattr(function, "__dict__", {}).pop("_task_declared", None)
    if declared is not None and isinstance(meta, dict):
        meta.update(_meta(*declared)[0])
    return meta


def _meta(function: Any, form: str, given: Dict[str, Any]) -> Tuple[Dict[str, Any], bool]:
    """Returns what a function declares. It reports whether all annotations could be read."""
    reader = _annotations.Reader(function)
    meta: Dict[str, Any] = {"name": getattr(function, "__name__", None), "description": inspect.getdoc(function) or None}
    if form == "named":
        meta["name"] = _text(given, "name")
        if given.get("description") is not None:
            meta["description"] = _text(given, "description")
        inputs, outputs = given.get("input_parameters"), given.get("output_parameters")
        meta["input_parameters"] = reader.inputs() if inputs is None else _parameters("input_parameters", inputs)
        meta["output_parameters"] = reader.annotated_output() if outputs is None else _parameters("output_parameters", outputs)
        meta["resources"] = _named_resources(given)
        return meta, reader.complete
    types = {key: _type_text(key, value) for key, value in (given.get("data_types") or {}).items()}
    if form == "listed":
        inputs, outputs = _names(given, "inputs"), _names(given, "outputs")
        meta["input_parameters"] = reader.listed(inputs, types, required=inputs)
        meta["output_parameters"] = reader.listed(outputs, types, required=[])
        meta["resources"] = _dict_resources(given.get("resources"), None)
    else:
        meta["input_parameters"] = reader.inputs(types, bare=True)
        meta["output_parameters"] = reader.returned_output(types)
        meta["resources"] = _dict_resources(given.get("resources"), _text(given, "task_kind"))
    return meta, reader.complete


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


def _type_text(name: str, declared: Any) -> str:
    if isinstance(declared, str):
        return declared
    if isinstance(declared, type):
        return declared.__name__
    raise TypeError(f'data_types maps names to names of types such as "str"; {name} has {type(declared).__name__}')


def _names(given: Mapping[str, Any], keyword: str) -> List[str]:
    names = given.get(keyword) or []
    if not isinstance(names, (list, tuple)) or not all(isinstance(name, str) for name in names):
        raise TypeError(f"{keyword} is a list of names")
    return list(names)


def _number(value: Any, keyword: str, least: float = 0) -> float:
    """Returns a number that is not negative. least is what it has to be if it is not 0."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value) or value < 0 or 0 < value < least:
        raise ValueError(f"{keyword} is a number, 0 or at least {least:g}; it is {value!r}")
    return value


def _kind(text: Optional[str], keyword: str, otherwise: str) -> str:
    kind = (text or otherwise).strip().lower()
    if kind not in ("cpu", "gpu", "io"):
        raise ValueError(f"{keyword} is cpu, gpu or io, and not {text!r}")
    return kind


def _resources(kind: str, cpu: float, memory: float, gpu_memory: float, model: Optional[str], backend: Optional[str]) -> Dict[str, Any]:
    """Returns resources as the registry publishes them: whole cores and MiB. Without memory, the API server's default counts."""
    if gpu_memory and kind != "gpu":
        logger.warning("gpu_mem is only for tasks of type gpu, and this is %s: it is left out", kind)
        gpu_memory = 0
    return {
        "type": kind,
        "cpu_num": math.ceil(cpu),
        "mem": math.ceil(memory) or _DEFAULT_MEMORY,
        "gpu_mem": math.ceil(gpu_memory),
        "model_name": model,
        "backend": backend,
    }


def _named_resources(given: Mapping[str, Any]) -> Dict[str, Any]:
    return _resources(
        _kind(_text(given, "task_type"), "task_type", "cpu"),
        _number(given.get("cpu_num", 1), "cpu_num"),
        _number(given.get("mem", _DEFAULT_MEMORY), "mem", 1),
        _number(given.get("gpu_mem", 0), "gpu_mem", 1),
        _text(given, "model_name"),
        _text(given, "backend") if "backend" in given else _DEFAULT_BACKEND,
    )


def _dict_resources(declared: Any, kind: Optional[str]) -> Dict[str, Any]:
    """Returns the resources of Maze's dict. kind is what the task mainly needs, where the declaration says so."""
    wanted = declared or {}
    if not isinstance(wanted, Mapping):
        raise TypeError(f"resources is a dict, and not {type(wanted).__name__}")
    cpu = _number(wanted.get("cpu_num", wanted.get("cpu", 1)), "cpu_num")
    gpu_memory = _number(wanted.get("gpu_mem", 0), "gpu_mem", 1)
    gpus = _number(wanted.get("gpu", 0), "gpu")
    otherwise = "gpu" if gpu_memory or gpus else "cpu"
    memory = _number(wanted.get("cpu_mem", 0), "cpu_mem", 1)
    return _resources(_kind(kind, "task_kind", otherwise), max(1, cpu), memory, gpu_memory, None, None)
