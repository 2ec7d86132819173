"""The decorator, beyond what TestPackage of internal/discover compares."""

import inspect
import pickle
import sys
import types
import unittest

from maregister import TaskRegistry, task


# A module in which an annotation names what comes after the function.
LATER = """
from maregister import task
from typing import TypedDict

@task(name="later")
def later(a: "Inner", b: "no_such.Thing" = None) -> "Out":
    return {"n": 1}

class Inner(TypedDict):
    m: int

class Out(TypedDict):
    n: int
"""


@task(name="plain")
def plain(a: int) -> dict:
    """Does it."""
    return {"a": a}


class Decorator(unittest.TestCase):
    def test_the_function_stays_as_it_is(self):
        self.assertEqual({"a": 1}, plain(1))
        self.assertIs(plain, pickle.loads(pickle.dumps(plain)))
        self.assertEqual("Does it.", plain.__doc__)
        self.assertEqual(["name", "description"], list(inspect.signature(task).parameters)[:2])

    def test_without_arguments(self):
        @task
        def bare(x, y: int = 3):
            """Adds."""
            return {"sum": x + y}

        inputs = {"type": "object", "properties": {"x": {}, "y": {"type": "integer", "default": 3}}, "required": ["x"]}
        meta = bare._task_meta
        self.assertEqual(("bare", "Adds.", inputs, {}), (meta["name"], meta["description"], meta["input_parameters"], meta["output_parameters"]))
        self.assertEqual({"type": "cpu", "cpu_num": 1, "mem": 1024, "gpu_mem": 0, "model_name": None, "backend": None}, meta["resources"])

    def test_annotations_of_what_comes_later(self):
        module = sys.modules["later_module"] = types.ModuleType("later_module")
        self.addCleanup(sys.modules.pop, "later_module")
        exec(LATER, vars(module))
        TaskRegistry().register_task(module.later)
        inner = {"type": "object", "properties": {"m": {"type": "integer"}}, "required": ["m"]}
        meta = module.later._task_meta
        self.assertEqual({"a": inner, "b": {"default": None}}, meta["input_parameters"]["properties"])
        self.assertEqual({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}, meta["output_parameters"])

    def test_why_it_should_no_longer_be_used(self):
        for keywords, want in (
            ({}, None),
            ({"deprecated": None, "replacement": None}, None),
            ({"deprecated": "Goes in May."}, {"message": "Goes in May."}),
            ({"deprecated": "Use b.", "replacement": "b"}, {"message": "Use b.", "replacement": "b"}),
        ):
            function = task(name="a", **keywords)(lambda x: x)
            self.assertEqual(want, getattr(function, "_task_deprecated", None), keywords)
            self.assertNotIn("deprecated", function._task_meta)
        for keywords in ({"deprecated": " "}, {"deprecated": True}, {"replacement": "b"}, {"deprecated": "Use b.", "replacement": 1}):
            with self.assertRaises(ValueError, msg=str(keywords)):
                task(name="a", **keywords)(lambda x: x)

    def test_how_it_is_run(self):
        for keywords, want in (
            (dict(timeout_seconds=90, max_retries=3, retry_backoff_seconds=0.5, retry_on=("a", "b", "a")),
             {"timeout": "90000ms", "retries": 3, "backoff": "500ms", "retryOn": ["a", "b"]}),
            (dict(retry_on=[]), {"retries": 0}),
            (dict(retry_on=[], max_retries=3), {"retries": 0}),
            (dict(retry_backoff_seconds=0, max_retries=0), {"retries": 0, "backoff": "0ms"}),
            (dict(timeout_seconds=None, max_retries=None, retry_backoff_seconds=None, retry_on=None), None),
            ({}, None),
        ):
            function = task(name="x", **keywords)(lambda: None)
            self.assertEqual(want, getattr(function, "_task_run", None), keywords)
            self.assertEqual(["name", "description", "input_parameters", "output_parameters", "resources"], list(function._task_meta))

    def test_mistakes(self):
        for wrong, error, text in (
            (dict(name="x", timeout_seconds=0), ValueError, "above 0"),
            (dict(name="x", timeout_seconds=-1), ValueError, "timeout_seconds"),
            (dict(name="x", timeout_seconds="60"), ValueError, "timeout_seconds"),
            (dict(name="x", max_retries=1.5), ValueError, "from 0 to 100"),
            (dict(name="x", max_retries=101), ValueError, "from 0 to 100"),
            (dict(name="x", retry_on="timeout"), TypeError, "list of texts"),
            (dict(name="x", retry_on=[ValueError]), TypeError, "list of texts"),
            (dict(name="x", timeout_second=1), TypeError, "did you mean 'timeout_seconds'"),
            (dict(nmae="x"), TypeError, "did you mean 'name'"),
            (dict(name=1), TypeError, "name is a string"),
            (dict(name="x", task_type="tpu"), ValueError, "cpu, gpu or io"),
            (dict(name="x", mem=-1), ValueError, "mem"),
            (dict(name="x", mem=0.5), ValueError, "at least 1"),
            (dict(name="x", cpu_num=float("nan")), ValueError, "cpu_num"),
            (dict(name="x", input_parameters=[1]), TypeError, "dict"),
            (dict(name="x", input_parameters={"a": {"default": object()}}), TypeError, "JSON"),
        ):
            with self.assertRaisesRegex(error, text):
                task(**wrong)(lambda: None)
        with self.assertRaises(TypeError):
            task("x", name="y")
        with self.assertRaises(TypeError):
            task(name="x")("no function")
        with self.assertLogs("maregister", "WARNING"):
            self.assertEqual(0, task(name="x", gpu_mem=5)(lambda: None)._task_meta["resources"]["gpu_mem"])
