"""The task registry of Maze, in Python: declare tasks, get published ones by name, run them.

    from maregister import task, task_registry

    @task(name="add", output_parameters={"sum": {"type": int}})
    def add(a: int, b: int) -> int:
        return a + b

    task_registry.register_task(add)
    task_registry.get_task("add")(a=1, b=2)

`python3 -m maregister run NAME` runs a task as a scheduler does. docs/python.md and docs/run.md tell more.
"""

import logging

from maregister._errors import Retry, TaskNotFoundError
from maregister._registry import TaskRegistry, task_registry
from maregister._task import TYPE_FILEPATH, TYPE_FOLDERPATH, task
from maregister._version import __version__

__all__ = [
    "TYPE_FILEPATH",
    "TYPE_FOLDERPATH",
    "Retry",
    "TaskNotFoundError",
    "TaskRegistry",
    "__version__",
    "task",
    "task_registry",
]

logging.getLogger("maregister").addHandler(logging.NullHandler())
