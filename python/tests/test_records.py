"""The termination message, at every size around its limit; and a run whose names are no Unicode."""

import json
import os
import unittest

from maregister._failure import Failure
from maregister._records import Outcome, message
from support import MATH, Case


class Message(unittest.TestCase):
    def parsed(self, outcome, result, most):
        content = message(outcome, result, most)
        self.assertLessEqual(len(content), most)
        return json.loads(content.decode())

    def test_outputs(self):
        for size in range(0, 300):
            for character in ("a", "文", '"', "\n", "\u2028", "😀"):
                outputs = {"n": 1, "text": character * size, "é": [size]}
                record = self.parsed(Outcome(outputs), b"x" * 10, 256)
                kept = {name for name in outputs if name not in record.get("omitted", ())}
                self.assertEqual({name: outputs[name] for name in kept}, record["outputs"])
                self.assertEqual("sha256" in record, "omitted" in record)
                self.assertIn("n", kept)

    def test_names(self):
        for count in (1, 10, 100, 1000):
            for most in (64, 100, 256, 4096):
                record = self.parsed(Outcome({"文" * i: i for i in range(1, count)}), b"", most)
                self.assertEqual("succeeded", record["status"])

    def test_failures(self):
        for size in range(0, 1100, 7):
            for character in ("a", "文", '"', "\x00"):
                for most in (64, 128, 4096):
                    record = self.parsed(Outcome(failure=Failure("Usage", character * size)), None, most)
                    self.assertEqual(("failed", 64), (record["status"], record["exitCode"]))


class Names(Case):
    def test_what_is_no_unicode(self):
        self.write("tools/math.py", MATH)
        strange = os.fsdecode(b"caf\xe9")
        run = self.run_task("tools.math:add", MAZE_RUN=strange, MAZE_RESULT=os.path.join(self.root, "r.json"), MAZE_ARGS={"a": 1, "b": 2})
        self.assertEqual((0, "caf?"), (run.code, run.result["run"]), run.stderr)
        self.fails("Usage", 64, "tools.math:" + strange)
        self.fails("Usage", 64, "tools.math:add", MAZE_ARGS='{"a":"' + strange + '"}')
