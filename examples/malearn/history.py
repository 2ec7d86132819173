#!/usr/bin/env python3
"""What a predictor keeps of the runs of tasks, and for how long that holds. Needs nothing but Python 3.8.

    kubectl get configmaps -l 'registry.mazeagent.net/registry in (index,shard)' -o json | python3 history.py

notes a run of 12.5 seconds of every task, and prints its tool type, its name, the digest of its interface, and its runs.
"""

import json
import os
import sys

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "registry-reader"))
from read_registry import read_registry


# docs/malearn.md: begin
class History:
    """The runs of tasks, for as long as they tell something of the next one. Entries are those of a registry."""

    def __init__(self):
        self._runs = {}  # by key: the digest of the spec, and its runs

    @staticmethod
    def key(entry):
        """Returns what a model is kept under: another tool type, or other arguments or results, need another model."""
        return entry["predictor"], entry["name"], entry["digest"]["interface"]

    def runs(self, entry):
        """Returns the runs of the task as it is now. Those of another spec, which may have been slower, are dropped."""
        spec, runs = self._runs.get(self.key(entry), (None, []))
        if spec != entry["digest"]["spec"]:
            spec, runs = entry["digest"]["spec"], []
            self._runs[self.key(entry)] = spec, runs
        return runs

    def add(self, started, now, run):
        """Notes a run of a task whose entry was `started` when it began. Returns False if it tells nothing of what it is now."""
        if (self.key(started), started["digest"]["spec"]) != (self.key(now), now["digest"]["spec"]):
            return False
        self.runs(now).append(run)
        return True

    def prune(self, entries):
        """Forgets what no task of the registry has any more."""
        keys = {self.key(entry) for entry in entries}
        self._runs = {key: kept for key, kept in self._runs.items() if key in keys}


def main():
    history = History()
    started = read_registry(json.load(sys.stdin)["items"])  # when runs begin
    now = started  # when they end: read it again
    for name in sorted(started.keys() & now.keys()):
        history.add(started[name], now[name], 12.5)  # seconds
        print(*history.key(now[name]), history.runs(now[name]))
# docs/malearn.md: end


if __name__ == "__main__":
    main()
