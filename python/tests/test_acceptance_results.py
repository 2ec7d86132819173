"""Acceptance cases 12 to 16, and 20 to 22: what tasks return, raise and print, and the records of it."""

import hashlib
import os
import signal
import stat
import subprocess
import sys
import time

from support import Case, MATH, entry

RESULTS = """
    import asyncio, collections, dataclasses, datetime, enum, pathlib, typing, uuid

    class Colour(enum.Enum):
        RED = "red"

    @dataclasses.dataclass
    class Box:
        colour: Colour
        path: pathlib.Path
        size: tuple

    class Point(typing.NamedTuple):
        x: int
        y: float

    class Model:
        def model_dump(self):
            return {"m": 1}

    class Scalar:
        shape = ()
        def item(self):
            return 2.5

    class Array(Scalar):
        shape = (2,)

    class Other:
        pass

    def circle():
        a = []
        a.append(a)
        return a

    def deep():
        a = []
        for _ in range(100_000):
            a = [a]
        return a

    async def values():
        yield 1

    VALUES = {
        "nan": float("nan"), "inf": [float("inf")], "set": {1}, "bytes": b"x", "key": {1: 2}, "circle": circle(), "deep": deep(), "generator": (x for x in []),
        "surrogate": {"a": "\\udc80"}, "object": Other(), "array": [Array()], "none": None, "text": "x", "class": int, "async": values(), "huge": 10 ** 5000,
        "complex": 1j,
    }

    def bad(which):
        return {"n": VALUES[which]}

    def bare(which):
        return VALUES[which]

    def good():
        return Box(Colour.RED, pathlib.Path("/a/b"), (1, Point(1, 2.0), Scalar(), Model(), uuid.UUID(int=0), datetime.date(2026, 1, 2),
            datetime.datetime(2026, 1, 2, 3), datetime.time(4), collections.OrderedDict(a=1), collections.defaultdict(list), True, None, "é"))

    async def waits():
        await asyncio.sleep(0)
        return 5

    class Club:
        @staticmethod
        def static(a):
            return a

        @classmethod
        def of_class(cls, a):
            return cls.__name__ + a

        def method(self, a):
            return a

    def large(size):
        return {"text": "文" * size, "n": 1}

    def many(count):
        return {f"output_{i}": i for i in range(count)}

    def prints():
        import subprocess, sys
        print("task")
        subprocess.run(["echo", "child"])
        return {}
"""
INTEGER = {"n": {"type": "integer"}}


class Results(Case):
    def setUp(self):
        super().setUp()
        self.write("results.py", RESULTS)

    def test_12_exceptions(self):
        self.write("raises.py", """
            import sys
            from maregister import Retry

            class Own(Exception):
                def __str__(self):
                    raise RuntimeError

            def helper():
                raise ValueError("no such luck")

            def value(): helper()
            def exit(): sys.exit(0)
            def memory(): raise MemoryError
            def interrupt(): raise KeyboardInterrupt
            def retry(): raise Retry("later")
            def own(): raise Own
            def long(): raise ValueError("文" * 5000)
            async def waits(): helper()
        """)
        run = self.fails("Raised", 1, "raises:value")
        for record in (run.message, run.result):
            self.assertEqual({"kind": "Raised", "type": "builtins.ValueError", "message": "no such luck"}, record["error"])
        for task in ("raises:value", "raises:waits"):
            stderr = self.fails("Raised", 1, task).stderr
            first = stderr[stderr.index("Traceback") :].splitlines()[1]
            self.assertIn("raises.py", first)
            self.assertNotIn("_executor.py", stderr)
        for task, kind, code, error in (
            ("exit", "Raised", 1, "builtins.SystemExit"), ("memory", "Raised", 1, "builtins.MemoryError"), ("own", "Raised", 1, "raises.Own"),
            ("interrupt", "Raised", 1, "builtins.KeyboardInterrupt"), ("retry", "Retry", 75, "maregister.Retry"),
        ):  # fmt: skip
            self.assertEqual(error, self.fails(kind, code, f"raises:{task}").result["error"]["type"])
        self.assertEqual(1000, len(self.fails("Raised", 1, "raises:long").result["error"]["message"]))

    def test_13_what_is_no_result(self):
        required = {"type": "object", "properties": INTEGER, "required": ["n"]}
        folder = self.registry({
            "bad": entry("results:bad"), "bare": entry("results:bare", outputs=required), "none": entry("results:bare", outputs=INTEGER),
            "undeclared": entry("results:bare"),
        })  # fmt: skip
        for which in ("nan", "inf", "set", "bytes", "key", "circle", "deep", "generator", "surrogate", "object", "array", "class", "async", "huge", "complex"):
            run = self.fails("InvalidResult", 76, "bad", MAZE_REGISTRY=folder, MAZE_ARGS={"which": which})
            self.assertIn("/n", run.stderr)
        for which in ("none", "text", "generator", "set"):
            self.fails("InvalidResult", 76, "bare", MAZE_REGISTRY=folder, MAZE_ARGS={"which": which})
        self.fails("InvalidResult", 76, "undeclared", MAZE_REGISTRY=folder, MAZE_ARGS={"which": "text"})
        self.assertEqual({}, self.run_task("none", MAZE_REGISTRY=folder, MAZE_ARGS={"which": "none"}).outputs)

    def test_14_what_is_converted(self):
        size = [1, {"x": 1, "y": 2.0}, 2.5, {"m": 1}, "00000000-0000-0000-0000-000000000000", "2026-01-02", "2026-01-02T03:00:00", "04:00:00", {"a": 1}, {}, True, None, "é"]
        self.assertEqual({"colour": "red", "path": "/a/b", "size": size}, self.run_task("results:good").outputs)

    def test_15_the_message_has_what_fits(self):
        run = self.run_task("results:large", MAZE_ARGS={"size": 2000})
        with open(os.path.join(self.shared, "r", "t1", "result.json"), "rb") as file:
            content = file.read()
        want = {"format": 1, "status": "succeeded", "exitCode": 0, "outputs": {"n": 1}, "omitted": ["text"], "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
        self.assertEqual(want, run.message)
        self.assertLessEqual(os.path.getsize(self.log), 4096)
        many = self.run_task("results:many", MAZE_ARGS={"count": 5000})
        self.assertEqual([], many.message["omitted"])
        self.assertGreater(len(many.message["outputs"]), 100)
        self.assertLessEqual(os.path.getsize(self.log), 4096)
        self.assertEqual({"format": 1, "status": "succeeded", "exitCode": 0, "outputs": {"n": 1}, "omitted": ["text"]},
                         self.run_task("results:large", MAZE_SHARED=None, MAZE_ARGS={"size": 2000}).message)

    def test_16_kinds_of_functions(self):
        folder = self.registry({name: entry(f"results:{name}", outputs=INTEGER) for name in ("waits", "Club.static", "Club.of_class", "Club.method")})
        self.assertEqual({"n": 5}, self.run_task("waits", MAZE_REGISTRY=folder).outputs)
        self.assertEqual({"n": 2}, self.run_task("Club.static", MAZE_REGISTRY=folder, MAZE_ARGS={"a": 2}).outputs)
        self.fails("InvalidResult", 76, "Club.of_class", MAZE_REGISTRY=folder, MAZE_ARGS={"a": "x"})
        self.assertIn("self", self.fails("InvalidArguments", 65, "Club.method", MAZE_REGISTRY=folder, MAZE_ARGS={"a": 2}).stderr)

    def test_20_what_is_printed(self):
        run = self.run_task("results:prints")
        self.assertEqual((0, "task\nchild\n", ""), (run.code, run.stdout, run.stderr))
        self.write("tools/math.py", MATH)
        printed = self.run_task("tools.math:add", "--print", MAZE_ARGS={"a": 1, "b": 2})
        self.assertEqual('{"sum":3}\n', printed.stdout)

    def test_21_paths(self):
        self.write("files.py", """
            import pathlib
            from typing import List, Optional

            def writes(name, text="x"):
                pathlib.Path(name).write_text(text)
                return name

            def reads(file: pathlib.Path, more: Optional[List[pathlib.Path]] = None):
                assert isinstance(file, pathlib.Path) and all(isinstance(one, pathlib.Path) for one in more or [])
                return file.read_text()
        """)
        path, text = {"type": "filepath"}, {"type": "string"}
        folder = self.registry({
            "writes": entry("files:writes", outputs={"file": path}), "folder": entry("files:writes", outputs={"file": {"type": "folderpath"}}),
            "reads": entry("files:reads", {"file": path, "more": {"anyOf": [{"type": "array", "items": path}, {"type": "null"}]}}, {"text": text}),
        })  # fmt: skip
        out = os.path.join(self.shared, "r", "t1", "work", "out.txt")
        self.assertEqual({"file": out}, self.run_task("writes", MAZE_REGISTRY=folder, MAZE_ARGS={"name": "out.txt", "text": "hello"}).outputs)
        read = self.run_task("reads", MAZE_NODE="t2", MAZE_REGISTRY=folder, MAZE_ARGS={"file": "t1.output.file", "more": [out]})
        self.assertEqual({"text": "hello"}, read.outputs, read.stderr)
        outside = os.path.join(self.root, "outside.txt")
        self.fails("InvalidResult", 76, "writes", MAZE_REGISTRY=folder, MAZE_ARGS={"name": outside})
        self.fails("InvalidResult", 76, "writes", MAZE_REGISTRY=folder, MAZE_ARGS={"name": "out.txt"}, MAZE_SHARED=None)
        self.fails("InvalidResult", 76, "folder", MAZE_REGISTRY=folder, MAZE_ARGS={"name": "out.txt"})
        for arguments in ({"file": "/nowhere"}, {"file": out, "more": ["/nowhere"]}, {"file": "relative"}):
            self.fails("MissingInput", 66, "reads", MAZE_NODE="t2", MAZE_REGISTRY=folder, MAZE_ARGS=arguments)
        data = os.path.dirname(self.write("data/in.txt", "inside"))
        os.symlink(outside, os.path.join(data, "link"))
        os.symlink("in.txt", os.path.join(data, "good"))
        for name in ("in.txt", "good"):
            run = self.run_task("reads", MAZE_REGISTRY=folder, MAZE_PATH_ROOTS=data, MAZE_ARGS={"file": os.path.join(data, name)})
            self.assertEqual({"text": "inside"}, run.outputs)
        for path in (outside, os.path.join(data, "link"), os.path.join(data, "../outside.txt"), data + "2/x", "/nowhere", "a\0b"):
            self.fails("InvalidArguments", 65, "reads", MAZE_REGISTRY=folder, MAZE_PATH_ROOTS=data, MAZE_ARGS={"file": path})

    def test_22_results_that_cannot_be_written(self):
        self.write("tools/math.py", MATH)
        for path in (os.path.join(self.root, "nowhere", "x.json"), "/dev/null/result.json", self.shared):
            run = self.run_task("tools.math:add", MAZE_RESULT=path, MAZE_SHARED=None, MAZE_ARGS={"a": 1, "b": 2})
            self.assertEqual((74, "WriteFailed"), (run.code, run.message["error"]["kind"]), run.stderr)
        path = os.path.join(self.root, "own.json")
        self.assertEqual({"sum": 3}, self.run_task("tools.math:add", MAZE_RESULT=path, MAZE_ARGS={"a": 1, "b": 2}).outputs)
        self.assertTrue(os.stat(path).st_mode & stat.S_IRGRP, "another user of the volume cannot read it")

    def test_22_killed_while_writing(self):
        """At every moment there is the old result or the new one, whole."""
        path = os.path.join(self.root, "result.json")
        code = f"from maregister import _records\nfor i in range(10 ** 9): _records._replace({path!r}, b'%d' % i + b' ' * 10_000_000)"
        for delay in (0, 0.05, 0.11, 0.17, 0.24):
            if os.path.exists(path):
                os.remove(path)
            process = subprocess.Popen([sys.executable, "-c", code], env=self.environ())
            while not os.path.exists(path) and process.poll() is None:  # it writes once it has started, which may take long
                time.sleep(0.001)
            try:
                process.wait(timeout=delay)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
            self.assertEqual(-signal.SIGKILL, process.wait())
            self.assertGreaterEqual(os.path.getsize(path), 10_000_001)
