"""Acceptance cases 4 to 11: what is run, with which arguments."""

import os

from support import Case, MATH, entry

SHOW = """
    def show(**given):
        return given
"""


class Arguments(Case):
    def test_04_a_task_by_its_name(self):
        self.write("tools/math.py", MATH)
        folder = self.registry({"add": entry("tools.math:add", outputs={"sum": {"type": "integer"}})})
        run = self.run_task("add", MAZE_REGISTRY=folder, MAZE_ARGS='{"a":1,"b":2}')
        self.assertEqual(0, run.code, run.stderr)
        self.assertEqual({"format": 1, "status": "succeeded", "exitCode": 0, "outputs": {"sum": 3}}, run.message)
        self.assertRegex(run.result.pop("startedAt"), r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        self.assertGreaterEqual(run.result.pop("durationSeconds"), 0)
        want = {"format": 1, "task": "add", "run": "r", "node": "t1", "status": "succeeded", "outputs": {"sum": 3}, "entryPoint": "tools.math:add", "exitCode": 0}
        self.assertEqual(want, run.result)
        by_variable = self.run_task(MAZE_REGISTRY=folder, MAZE_TASK="add", MAZE_ARGS_FILE=self.write("args", '{"a":1,"b":2}'))
        self.assertEqual({"sum": 3}, by_variable.outputs)

    def test_05_an_entry_point(self):
        self.write("tools/math.py", MATH)
        run = self.run_task("tools.math:add", MAZE_ARGS='{"a":1,"b":2}')
        self.assertEqual(({"sum": 3}, "add"), (run.outputs, run.result["task"]))
        folder = self.registry({"add": entry("elsewhere:add", outputs={"total": {"type": "integer"}})})
        both = self.run_task("tools.math:add", MAZE_TASK="add", MAZE_REGISTRY=folder, MAZE_ARGS='{"a":1,"b":2}')
        self.assertEqual({"total": 3}, both.outputs)  # by the registry's schema
        self.assertEqual({"sum": 3}, self.run_task("tools.math:add", MAZE_TASK="add", MAZE_ARGS='{"a":1,"b":2}').outputs)

    def test_06_references_on_the_volume(self):
        self.write("tools/math.py", MATH)
        arguments = {"a": "t1.output.sum", "b": 1}
        self.assertEqual(0, self.run_task("tools.math:add", MAZE_ARGS={"a": 1, "b": 2}).code)
        self.assertEqual({"sum": 4}, self.run_task("tools.math:add", MAZE_NODE="t2", MAZE_ARGS=arguments).outputs)
        missing = self.fails("MissingInput", 66, "tools.math:add", MAZE_NODE="t2", MAZE_ARGS={"a": "t9.output.sum", "b": 1})
        self.assertIn("t9", missing.stderr)
        other = self.fails("MissingInput", 66, "tools.math:add", MAZE_NODE="t2", MAZE_ARGS={"a": "t1.output.total", "b": 1})
        self.assertIn("it has: sum", other.stderr)
        self.result_of("t1", status="failed", error={"kind": "Raised"})
        failed = self.fails("MissingInput", 66, "tools.math:add", MAZE_NODE="t2", MAZE_ARGS=arguments)
        self.assertIn("Raised", failed.stderr)
        self.write("shared/r/t1/result.json", '{"format":1,"outp')
        self.fails("MissingInput", 66, "tools.math:add", MAZE_NODE="t2", MAZE_ARGS=arguments)
        self.fails("MissingInput", 66, "tools.math:add", MAZE_SHARED=None, MAZE_ARGS=arguments)

    def test_07_references_by_a_variable(self):
        self.write("show.py", SHOW)
        inputs = {"t1": {"l": [1, 2], "a.b": {"c": 1}}}
        for arguments, want in (
            ({"l": ["t1.output.l[1]", "x"]}, {"l": [2, "x"]}),
            ({"l": "t1.output.l"}, {"l": [1, 2]}),
            ({"l": "t1.output.a.b"}, {"l": {"c": 1}}),
            ({"l": "see t1.output.l", "m": {"n": "t1.output.l"}, "n": [["t1.output.l"]]}, None),  # none of these is one
        ):
            run = self.run_task("show:show", MAZE_INPUTS=inputs, MAZE_ARGS=arguments)
            self.assertEqual(want or arguments, run.outputs)
        literal = self.run_task("show:show", MAZE_INPUTS=inputs, MAZE_REFERENCES="literal", MAZE_ARGS={"l": "t1.output.l[1]"})
        self.assertEqual({"l": "t1.output.l[1]"}, literal.outputs)
        for reference in ("t1.output.l[5]", "t1.output.l[2]", "t1.output.a.b[0]", "t1.output.x", "t2.output.l"):
            self.fails("MissingInput", 66, "show:show", MAZE_INPUTS=inputs, MAZE_ARGS={"l": [reference]})
        self.result_of("t1", {"large": "from the volume", "l": "older"})
        both = self.run_task("show:show", MAZE_NODE="t2", MAZE_INPUTS=inputs, MAZE_ARGS={"x": "t1.output.large", "y": "t1.output.l"})
        self.assertEqual({"x": "from the volume", "y": [1, 2]}, both.outputs)
        self.fails("Usage", 64, "show:show", MAZE_REFERENCES="maybe")
        self.fails("Usage", 64, "show:show", MAZE_INPUTS={"t1": 1})

    def test_08_defaults_and_validation(self):
        self.write("n.py", "def n(n=5): return {'n': n}\n")
        schema = {"n": {"type": "integer", "minimum": 1, "default": 7}}
        for form in (schema, {"type": "object", "properties": schema}):
            folder = self.registry({"n": entry("n:n", form)}, f"registry{len(form)}")
            for given, want in (({}, 7), ({"n": 2.0}, 2.0), ({"n": 3}, 3)):
                self.assertEqual({"n": want}, self.run_task("n", MAZE_REGISTRY=folder, MAZE_ARGS=given).outputs)
            for wrong in (0, True, 1.5, "1", None, [1]):
                run = self.fails("InvalidArguments", 65, "n", MAZE_REGISTRY=folder, MAZE_ARGS={"n": wrong})
                self.assertIn("argument n", run.stderr)
            self.fails("InvalidArguments", 65, "n", MAZE_REGISTRY=folder, MAZE_ARGS={"m": 1})
        self.write("need.py", "import sys\nsys.stderr.write('imported')\n\ndef need(n, m): return {}\n")
        folder = self.registry({"need": entry("need:need", schema)}, "need")
        missing = self.fails("InvalidArguments", 65, "need", MAZE_REGISTRY=folder, MAZE_ARGS={"n": 1})
        self.assertIn("'m'", missing.stderr)
        early = self.fails("InvalidArguments", 65, "need", MAZE_REGISTRY=folder, MAZE_ARGS={"n": 0})
        self.assertNotIn("imported", early.stderr)  # a mistake costs no import

    def test_08_values_are_no_part_of_messages(self):
        self.write("n.py", "def n(n): return {'n': n}\n")
        folder = self.registry({"n": entry("n:n", {"n": {"enum": ["a"], "maxLength": 3}})})
        run = self.fails("InvalidArguments", 65, "n", MAZE_REGISTRY=folder, MAZE_ARGS={"n": "a-secret"})
        self.assertNotIn("a-secret", run.stderr + str(run.message) + str(run.result))

    def test_09_what_is_wrong_before_all_else(self):
        self.write("tools/math.py", MATH)
        folder = self.registry({"add": entry("tools.math:add"), "none": entry(None)})
        for wrong in ("{", "[]", '{"a":NaN}', '{"a":1,"a":2}', '{"a":1e999}', '"x"', "null", "[" * 100_000, '{"a":' + "1" * 5000 + "}"):
            self.fails("Usage", 64, "add", MAZE_REGISTRY=folder, MAZE_ARGS=wrong)
        for variable in ("MAZE_NODE", "MAZE_RUN"):
            for name in ("../x", "..", ".", "a/b", "/x", "x" * 256):
                run = self.fails("Usage", 64, "add", MAZE_REGISTRY=folder, MAZE_ARGS={"a": 1, "b": 2}, **{variable: name})
                self.assertIn(variable, run.stderr)
        self.assertEqual([["t1"]], [folders for _, folders, _ in os.walk(os.path.join(self.shared, "r"))][:1])
        for arguments in (("addd",), ("none",), ()):
            self.fails("Usage", 64, *arguments, MAZE_REGISTRY=folder)
        for variables in (
            {"MAZE_TIMEOUT": "soon"}, {"MAZE_GRACE": "-1"}, {"MAZE_TERMINATION_MAX": "1"}, {"MAZE_ARGS_FILE": "/nowhere"}, {"MAZE_NODE": None},
            {"MAZE_ARGS": "{}", "MAZE_ARGS_FILE": "/dev/null"}, {"MAZE_TASK": "other"}, {"MAZE_REGISTRY": "/nowhere"}, {"MAZE_TIMEOUT": "nan"},
        ):  # fmt: skip
            self.fails("Usage", 64, "add", **{"MAZE_REGISTRY": folder, **variables})
        self.assertEqual(64, self.run_task("add", "--no-such-flag").code)

    def test_10_entry_points_that_no_task_may_name(self):
        self.write("tools/math.py", MATH + "\n    import os\n    from subprocess import getoutput\n")
        for wrong in (
            "subprocess:getoutput", "os:system", "builtins:eval", "posix:system", "__main__:main", "tools.math:getoutput", "tools.math:os.system",
            "tools.math:add.__globals__", "tools.math:__builtins__", "tools.math:", ":add", "tools/math:add", "tools.math:add()", "..x:y",
        ):  # fmt: skip
            self.fails("Usage", 64, wrong, MAZE_ARGS={"cmd": "id"})
            folder = self.registry({"x": entry(wrong)}, "r" + str(abs(hash(wrong))))
            self.fails("Usage", 64, "x", MAZE_REGISTRY=folder)
        self.fails("Usage", 64, "tools.math:add", MAZE_PACKAGES="vision", MAZE_ARGS={"a": 1, "b": 2})
        self.assertEqual(0, self.run_task("tools.math:add", MAZE_PACKAGES="vision,tools", MAZE_ARGS={"a": 1, "b": 2}).code)

    def test_11_what_is_not_there(self):
        self.write("tools/math.py", MATH + "\n    number = 1\n")
        self.write("needs.py", "import no_such_dependency\n")
        self.write("ends.py", "import sys\nsys.exit(0)\n")
        for missing, named in (("no_such_module:f", "no_such_module"), ("tools.math:sub", "sub"), ("needs:f", "no_such_dependency"), ("tools.math:number", "int"), ("ends:f", "SystemExit")):
            self.assertIn(named, self.fails("ImportFailed", 69, missing).stderr)
