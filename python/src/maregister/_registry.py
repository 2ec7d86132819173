"""The registry: tasks of this process by their functions, and published ones by their entry points."""

import copy
import difflib
import importlib
import inspect
import logging
import os
import sys
from typing import Any, Callable, Dict, Iterator, List, Optional, Union

from maregister import _entrypoint, _published, _task
from maregister._errors import TaskNotFoundError

logger = logging.getLogger("maregister")

DEFAULT_REGISTRY = "/etc/maze-registry"
_Path = Union[str, "os.PathLike[str]"]


class TaskRegistry:
    """Tasks by name: first those that this process registered, then those of a published registry.

    source is a folder where the ConfigMap maze-registry is mounted, or a JSON file. By default, it is $MAZE_REGISTRY, or
    /etc/maze-registry if that is there. It is read anew at each call, as the kubelet updates it.
    """

    def __init__(self, source: Optional[_Path] = None) -> None:
        self._source = source
        self._functions: Dict[str, Callable[..., Any]] = {}

    def register_task(self, func: Callable[..., Any]) -> None:
        """Registers a decorated function by its task's name. A second one of a name takes the place of the first, with a warning.

        TypeError: it is not decorated. ValueError: its task has no name.
        """
        function = _entrypoint.unwrapped(func)
        meta = _task.complete(function)
        if not isinstance(meta, dict):
            where = f"{getattr(function, '__module__', '')}.{getattr(function, '__qualname__', function)}"
            raise _told(TypeError(f"{where} is no task: decorate it with @task(name=…)"))
        name = meta.get("name")
        if not isinstance(name, str) or not name:
            raise _told(ValueError(f'the task of {function.__module__}.{function.__qualname__} has no name: give @task a name="…"'))
        if name in self._functions and self._functions[name] is not function:
            logger.warning("task %s is registered again: the function of %s replaces that of %s", name, _place(function), _place(self._functions[name]))
        self._functions[name] = function
        logger.info("Successfully registered task: %s", name)

    def discover_tasks(self, tasks_root_path: _Path, package_root_path: _Path) -> List[str]:
        """Registers the tasks of the Python files below a folder, and returns their names, in the order of files and lines.

        package_root_path is the folder from which the files' modules are named, and is put in front of sys.path. Files and folders whose
        names begin with "__" or a dot are left out. A file that cannot be imported is an error in the log, and harms no other.
        """
        root, packages = os.path.abspath(tasks_root_path), os.path.abspath(package_root_path)
        if not os.path.isdir(root):
            raise NotADirectoryError(f"{root} is no folder")
        if os.path.commonpath([root, packages]) != packages:
            raise ValueError(f"{root} is not below {packages}: modules are named from there")
        if packages not in sys.path:
            sys.path.insert(0, packages)
        importlib.invalidate_caches()
        names: List[str] = []
        for path in _python_files(root):
            for function in _tasks_in(path, packages):
                try:
                    self.register_task(function)
                except (TypeError, ValueError):
                    continue  # which is in the log
                names.append(function._task_meta["name"])
        return names

    def get_task(self, name: str) -> Callable[..., Any]:
        """Returns the function of a task. It checks no arguments.

        TaskNotFoundError: no task of that name is registered, or it has no entry point. ImportError: the entry point leads nowhere.
        ValueError: the published registry is not whole, or the entry point names what no task may name. OSError: it cannot be read.
        """
        if name in self._functions:
            return self._functions[name]
        entry = self._published_entry(name)
        entry_point = entry.get("entry_point")
        if not entry_point:
            raise TaskNotFoundError(f"task {name!r} has no entry point: declare spec.entryPoint, or register its function")
        function: Callable[..., Any] = _entrypoint.load(entry_point, _entrypoint.allowed_packages(os.environ))
        return function

    def list(self) -> List[str]:
        """Returns the names of all tasks, sorted."""
        return sorted(set(self._functions) | set(self._published()))

    def entry(self, name: str) -> Dict[str, Any]:
        """Returns what is declared of a task: _task_meta, and for a published one what the registry adds. TaskNotFoundError: as above."""
        if name in self._functions:
            meta: Dict[str, Any] = copy.deepcopy(getattr(self._functions[name], "_task_meta"))
            return meta
        return self._published_entry(name)

    def has_source(self) -> bool:
        """Reports whether there is a published registry to read."""
        return self._place() is not None

    def _place(self) -> Optional[str]:
        if self._source is not None:
            return os.fspath(self._source)
        configured = os.environ.get("MAZE_REGISTRY")
        if configured:
            return configured
        return DEFAULT_REGISTRY if os.path.isdir(DEFAULT_REGISTRY) else None

    def _published(self) -> Dict[str, Dict[str, Any]]:
        place = self._place()
        return {} if place is None else _published.read(place)

    def _published_entry(self, name: str) -> Dict[str, Any]:
        published = self._published()
        if name in published:
            return published[name]
        known = sorted(set(self._functions) | set(published))
        near = difflib.get_close_matches(str(name), known, 1)
        place = self._place()
        where = f"in {place}" if place else "in this process, and no published registry is there: set MAZE_REGISTRY"
        hint = f"; did you mean {near[0]!r}?" if near else f"; there are {', '.join(known[:10])}" if known else ""
        raise TaskNotFoundError(f"no task is called {name!r} {where}{hint}")


def _told(error: Exception) -> Exception:
    """Logs an error that is about to be raised: the description promises it in the log, whoever catches it."""
    logger.error("%s", error)
    return error


def _place(function: Any) -> str:
    return f"{getattr(function, '__module__', '?')}:{getattr(function, '__qualname__', '?')}"


def _python_files(root: str) -> Iterator[str]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith(("__", ".")))
        for name in sorted(files):
            if name.endswith(".py") and not name.startswith(("__", ".")):
                yield os.path.join(folder, name)


def _tasks_in(path: str, packages: str) -> List[Any]:
    """Imports a file as a module of the package root, and returns the tasks that it defines, in the order of its lines."""
    module_name = os.path.relpath(path, packages)[: -len(".py")].replace(os.sep, ".")
    try:
        module = importlib.import_module(module_name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # SystemExit, too: whatever a module does, the others are registered
        logger.error("%s was not imported, and has no tasks: %s: %s", path, type(error).__name__, error, exc_info=True)
        return []
    file = getattr(module, "__file__", None)
    if file is None or os.path.realpath(file) != os.path.realpath(path):
        logger.error("%s has no tasks: another module of the name %s was imported before, from %s", path, module_name, file)
        return []
    found: Dict[int, Any] = {}
    for value in vars(module).values():
        try:
            function = _entrypoint.unwrapped(value)
            is_task = isinstance(getattr(function, "_task_meta", None), dict) and function.__module__ == module_name
        except Exception:  # an object of the module that answers for its attributes itself
            continue
        if is_task:
            found[id(function)] = function
    return sorted(found.values(), key=_line)


def _line(function: Any) -> int:
    code = getattr(inspect.unwrap(function), "__code__", None)
    return int(code.co_firstlineno) if code else 0


task_registry = TaskRegistry()
