"""The command line: python3 -m maregister."""

import argparse
import os
import sys
from typing import List

from maregister import _executor
from maregister._registry import TaskRegistry
from maregister._version import __version__

_RUN = """Runs a task, in this process. Its arguments are in MAZE_ARGS, a JSON object; the tasks are in MAZE_REGISTRY, a folder or a JSON file.
docs/run.md has all variables and exit codes."""


def main(argv: List[str]) -> int:
    """Runs a command, and returns the exit code."""
    parser = argparse.ArgumentParser(prog="maregister", description="Runs tasks of Maze by their names.")
    parser.add_argument("--version", action="version", version=f"maregister {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    run = commands.add_parser("run", help="run a task", description=_RUN, formatter_class=argparse.RawDescriptionHelpFormatter)
    run.add_argument("task", nargs="?", metavar="TASK", help="a task's name, or package.module:function; by default $MAZE_TASK")
    run.add_argument("--print", action="store_true", dest="prints", help="write the outputs to stdout, too, after what the task prints")
    commands.add_parser("list", help="print the names of the tasks in MAZE_REGISTRY, one a line")
    try:
        arguments = parser.parse_args(argv)
    except SystemExit as end:
        return 64 if end.code else 0  # 2 would be a code that tells nothing to a scheduler
    if arguments.command == "run":
        return _executor.run(arguments.task, dict(os.environ), arguments.prints)
    return _list()


def _list() -> int:
    registry = TaskRegistry()
    if not registry.has_source():
        print("maregister: there is no registry: set MAZE_REGISTRY to a folder or a JSON file", file=sys.stderr)
        return 64
    try:
        names = registry.list()
    except (OSError, ValueError) as error:
        print(f"maregister: {error}", file=sys.stderr)
        return 64
    for name in names:
        print(name)
    return 0
