"""What the package maregister makes of a tree of modules with tasks: the other side of TestPackage.

    PYTHONPATH=python/src python3 package.py ROOT

imports every module below ROOT, with the package's own decorator in place of Maze's, and prints _task_meta by the tasks' names.
"""

import importlib
import importlib.abc
import importlib.machinery
import inspect
import json
import pathlib
import sys
import typing

import maregister


class StandIns(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Makes any module below Maze's names, with the package's decorator."""

    def find_spec(self, fullname, path=None, target=None):
        if fullname.split(".")[0] in ("maze", "agentos", "agent"):
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        names = dict(task=maregister.task, tool=maregister.task, cpu=None, gpu=None, io=None,
                     TYPE_FILEPATH=maregister.TYPE_FILEPATH, TYPE_FOLDERPATH=maregister.TYPE_FOLDERPATH)
        module.__dict__.update(names, __all__=list(names))


def main(root):
    sys.dont_write_bytecode = True
    sys.meta_path.insert(0, StandIns())
    sys.path.insert(0, root)
    registry, tasks = maregister.TaskRegistry(), {}
    for path in sorted(pathlib.Path(root).rglob("*.py"), key=lambda p: p.relative_to(root).as_posix()):
        for forget in typing._cleanups:  # or two modules share Optional["Record"], which means another class in each
            forget()
        parts = path.relative_to(root).with_suffix("").parts
        module = importlib.import_module(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
        found = [(inspect.unwrap(value).__code__.co_firstlineno, value) for name, value in vars(module).items()
                 if inspect.isfunction(value) and value.__module__ == module.__name__ and value.__name__ == name]
        for _, function in sorted(found, key=lambda one: one[0]):
            if hasattr(function, "_task_meta"):
                registry.register_task(function)
                tasks[function._task_meta["name"]] = function._task_meta
    json.dump(tasks, sys.stdout, allow_nan=False)


if __name__ == "__main__":
    main(sys.argv[1])
