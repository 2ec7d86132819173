"""The command: python3 -m maregister.

It imports the package, so that there is one of each: a task's Retry is the executor's Retry.
"""

import os
import sys


def main() -> None:
    """Runs the command and ends the process with its exit code."""
    # A relative path, such as that of a zipapp, would lead elsewhere once the executor works in the task's folder.
    sys.path[:] = [os.path.abspath(entry) for entry in sys.path]
    from maregister import _command

    sys.exit(_command.main(sys.argv[1:]))


if __name__ == "__main__":
    main()
