"""The example of docs/run.md, where the source tree is."""

import json
import os
import shutil
import sys
import unittest

from maregister import TaskRegistry
from support import Case

EXAMPLE = os.path.join(os.path.dirname(__file__), "..", "..", "examples", "run")


@unittest.skipUnless(os.path.isdir(EXAMPLE), "the example is not here")
class Example(Case):
    def test_the_workflow(self):
        """Runs the nodes as a scheduler would, one after the other, by a registry of what the functions declare."""
        shutil.copytree(os.path.join(EXAMPLE, "tools"), os.path.join(self.root, "tools"))
        registry = TaskRegistry()
        self.addCleanup(setattr, sys, "path", list(sys.path))
        self.assertEqual(["split_text", "write_report"], registry.discover_tasks(os.path.join(self.root, "tools"), self.root))
        entries = {name: {**registry.entry(name), "entry_point": f"tools.text:{name}"} for name in registry.list()}
        folder = self.registry(entries)
        with open(os.path.join(EXAMPLE, "workflow.json"), encoding="utf-8") as file:
            nodes = json.load(file)["nodes"]
        for node in nodes:
            run = self.run_task(node["func"], MAZE_REGISTRY=folder, MAZE_NODE=node["id"], MAZE_ARGS=node["args"], MAZE_PACKAGES="tools")
            self.assertEqual(0, run.code, run.stderr)
        report = os.path.join(self.shared, "r", "t2", "work", "report.txt")
        self.assertEqual({"report": report, "words": 9}, run.outputs)
        with open(report, encoding="utf-8") as file:
            self.assertEqual("Report\n  5 The registry has a task\n  4 An executor runs it\n", file.read())
