"""What the tests share: folders with modules, and runs of the executor."""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import textwrap
import unittest

import maregister

# Where the package under test is: the source tree, or a virtual environment that it was installed into.
PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(maregister.__file__)))

# The longest time that a test waits for what should happen, in seconds: a busy machine may take a minute for what takes a second.
PATIENCE = 120

MATH = """
    from maregister import task

    @task(name="add", output_parameters={"sum": {"type": int}})
    def add(a: int, b: int) -> int:
        return a + b
"""


class Run:
    """How the executor ended, and what it left."""

    def __init__(self, code, stdout, stderr, message, result):
        self.code, self.stdout, self.stderr, self.message, self.result = code, stdout, stderr, message, result

    @property
    def outputs(self):
        return self.result["outputs"]

    @property
    def kind(self):
        return self.result["error"]["kind"]


def parsed(path):
    """Returns the JSON in a file, None if there is no file, or what is in it is not whole."""
    try:
        with open(path, "rb") as file:
            return json.loads(file.read().decode())
    except (OSError, ValueError):
        return None


class Case(unittest.TestCase):
    """A test with a folder of its own, from which modules are imported."""

    maxDiff = None

    def setUp(self):
        self.root = os.path.realpath(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.root, ignore_errors=True)
        self.shared = os.path.join(self.root, "shared")
        self.log = os.path.join(self.root, "termination-log")
        os.mkdir(self.shared)

    def write(self, path, text):
        """Writes a file below the root, and returns its path."""
        whole = os.path.join(self.root, path)
        os.makedirs(os.path.dirname(whole), exist_ok=True)
        with open(whole, "w", encoding="utf-8") as file:
            file.write(textwrap.dedent(text))
        return whole

    def environ(self, **variables):
        """Returns the variables of a run, in which None takes one away."""
        environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": PACKAGE + os.pathsep + self.root,
            "PYTHONDONTWRITEBYTECODE": "1",
            "MAZE_SHARED": self.shared,
            "MAZE_RUN": "r",
            "MAZE_NODE": "t1",
            "MAZE_TERMINATION_LOG": self.log,
            "MAZE_GRACE": "30",
        }
        environ.update({name: value if value is None or isinstance(value, str) else json.dumps(value) for name, value in variables.items()})
        return {name: value for name, value in environ.items() if value is not None}

    def start(self, *arguments, **variables):
        """Starts the executor."""
        open(self.log, "wb").close()
        command = [sys.executable, "-m", "maregister", "run", *arguments]
        return subprocess.Popen(command, env=self.environ(**variables), cwd=self.root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def finish(self, process, **variables):
        """Returns how a started executor ended."""
        stdout, stderr = process.communicate(timeout=PATIENCE)
        node = variables.get("MAZE_NODE", "t1")
        path = variables.get("MAZE_RESULT") or os.path.join(self.shared, "r", str(node), "result.json")
        return Run(process.returncode, stdout, stderr, parsed(self.log), parsed(path))

    def run_task(self, *arguments, **variables):
        """Runs the executor."""
        return self.finish(self.start(*arguments, **variables), **variables)

    def fails(self, kind, code, *arguments, **variables):
        """Runs the executor, and checks how it fails: both records say the same."""
        run = self.run_task(*arguments, **variables)
        self.assertEqual((code, "failed", kind), (run.code, run.message["status"], run.message["error"]["kind"]), run.stderr)
        if run.result is not None:
            self.assertEqual(("failed", kind, code), (run.result["status"], run.kind, run.result["exitCode"]))
        self.assertEqual(run.code, run.message["exitCode"])
        self.assertEqual("", run.stdout)
        return run

    def registry(self, entries, folder="registry"):
        """Writes a registry as the kubelet mounts the ConfigMap, and returns its folder."""
        data = {name: json.dumps({"name": name, **entry}, sort_keys=True) for name, entry in entries.items()}
        lines = "".join(f"{hashlib.sha256(text.encode()).hexdigest()}  {name}\n" for name, text in sorted(data.items()))
        shard = {"digest": "sha256:" + hashlib.sha256(lines.encode()).hexdigest(), "name": "maze-registry", "prefix": "", "tasks": len(data)}
        index = {"format": 1, "generation": 1, "shards": [shard], "tasks": len(data)}
        version = os.path.join(self.root, folder, "..2026_11_30_00_00_00.1")
        os.makedirs(version)
        os.symlink(os.path.basename(version), os.path.join(self.root, folder, "..data"))
        for name, text in {**data, ".index": json.dumps(index)}.items():
            self.write(os.path.join(version, name), "")
            with open(os.path.join(version, name), "w", encoding="utf-8") as file:
                file.write(text)
            os.symlink(os.path.join("..data", name), os.path.join(self.root, folder, name))
        return os.path.join(self.root, folder)

    def result_of(self, node, outputs=None, **more):
        """Writes the result of another node of the run."""
        record = {"format": 1, "status": "succeeded", "outputs": outputs, "exitCode": 0, **more}
        return self.write(f"shared/r/{node}/result.json", json.dumps(record))


def entry(entry_point, inputs=None, outputs=None, **more):
    """Returns an entry, with parameters in the short form."""
    return {"input_parameters": inputs or {}, "output_parameters": outputs or {}, "entry_point": entry_point, **more}
