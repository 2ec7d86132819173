"""Acceptance cases 1 to 3: the decorator and the registry. TestPackage of internal/discover has more of the first."""

import json
import os
import pathlib
import sys
import types

from maregister import TYPE_FILEPATH, TaskNotFoundError, TaskRegistry, task
from support import Case, MATH, entry


class Registry(Case):
    def setUp(self):
        super().setUp()
        self.addCleanup(setattr, sys, "path", list(sys.path))
        self.addCleanup(lambda before: [sys.modules.pop(name) for name in set(sys.modules) - before], set(sys.modules))

    def test_01_the_decorator_of_the_description(self):
        @task(
            name="image_caption",
            description="为输入图像生成描述性文本",
            input_parameters={"image": {"type": TYPE_FILEPATH}},
            output_parameters={"caption": {"type": "string"}},
            task_type="gpu",
            gpu_mem=4096,
            model_name="llava-v1.6",
        )
        def image_caption(image: str) -> dict:
            return {"caption": image}

        self.assertIsInstance(image_caption, types.FunctionType)
        self.assertEqual(
            {
                "name": "image_caption",
                "description": "为输入图像生成描述性文本",
                "input_parameters": {"image": {"type": "filepath"}},
                "output_parameters": {"caption": {"type": "string"}},
                "resources": {"type": "gpu", "cpu_num": 1, "mem": 1024, "gpu_mem": 4096, "model_name": "llava-v1.6", "backend": "huggingface"},
            },
            image_caption._task_meta,
        )
        registry = TaskRegistry()
        registry.register_task(image_caption)
        self.assertEqual({"caption": "/data/img.jpg"}, registry.get_task("image_caption")(image="/data/img.jpg"))

    def test_02_discovery_of_a_folder(self):
        self.write("src/tools/__init__.py", "raise SystemExit('it is imported as a package only')\n".replace("raise", "# raise"))
        self.write("src/tools/a.py", MATH)
        self.write("src/tools/broken.py", "import no_such_dependency\n")
        self.write("src/tools/c.py", 'from maregister import task\nfrom tools.a import add\n\n@task(name="other")\ndef other(): pass\n')
        self.write("src/tools/.hidden/d.py", "raise RuntimeError\n")
        self.write("src/tools/__main__.py", "raise RuntimeError\n")
        registry = TaskRegistry()
        with self.assertLogs("maregister", "INFO") as logs:
            names = registry.discover_tasks(os.path.join(self.root, "src/tools"), os.path.join(self.root, "src"))
        self.assertEqual(["add", "other"], names)
        self.assertEqual(["add", "other"], registry.list())
        self.assertEqual(["INFO", "ERROR", "INFO"], [record.levelname for record in logs.records])
        self.assertEqual("Successfully registered task: add", logs.records[0].getMessage())
        self.assertIn("no_such_dependency", logs.records[1].getMessage())

        self.write("src/more/again.py", MATH.replace("a + b", "a - b"))
        with self.assertLogs("maregister", "WARNING") as logs:
            registry.discover_tasks(os.path.join(self.root, "src/more"), os.path.join(self.root, "src"))
        self.assertEqual(["WARNING"], [record.levelname for record in logs.records])
        self.assertEqual(-1, registry.get_task("add")(a=1, b=2))

    def test_02_a_task_without_a_name_is_skipped_with_an_error(self):
        self.write("src/unnamed.py", 'from maregister import task\n\n@task(description="x")\ndef f(): pass\n\ndef helper(): pass\n')
        registry = TaskRegistry()
        with self.assertLogs("maregister", "ERROR") as logs:
            self.assertEqual([], registry.discover_tasks(os.path.join(self.root, "src"), os.path.join(self.root, "src")))
        self.assertEqual(1, len(logs.records))
        with self.assertRaises(TypeError):
            registry.register_task(lambda: None)
        with self.assertRaises(ValueError):
            registry.register_task(task(description="x")(lambda: None))

    def test_03_a_mounted_folder(self):
        self.write("tools/math.py", MATH)
        sys.path.insert(0, self.root)
        folder = self.registry({"add": entry("tools.math:add", {"a": {"type": "integer"}}), "none": entry(None)})
        registry = TaskRegistry(folder)
        self.assertEqual(3, registry.get_task("add")(a=1, b=2))
        self.assertEqual(["add", "none"], registry.list())
        self.assertEqual("tools.math:add", registry.entry("add")["entry_point"])
        with self.assertRaisesRegex(TaskNotFoundError, "did you mean 'add'"):
            registry.get_task("addd")
        with self.assertRaisesRegex(TaskNotFoundError, "entry point"):
            registry.get_task("none")
        with open(os.path.join(folder, "add"), "a", encoding="utf-8") as file:
            file.write(" ")
        with self.assertRaisesRegex(ValueError, "not what the index names"):
            registry.get_task("add")

    def test_03_files(self):
        self.write("tools/math.py", MATH)
        sys.path.insert(0, self.root)
        folder = self.registry({"add": entry("tools.math:add")})
        data = {name: pathlib.Path(folder, name).read_text(encoding="utf-8") for name in ("add", ".index")}
        label = {"registry.mazeagent.net/registry": "index"}
        configmap = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "maze-registry", "labels": label}, "data": data}
        spec = {"name": "add", "entryPoint": "tools.math:add", "resources": {"cpu": "500m", "memory": "1.5Gi", "type": "gpu", "gpuMemory": "4G"}}
        mazetask = {"apiVersion": "registry.mazeagent.net/v1alpha1", "kind": "MazeTask", "metadata": {"name": "add"}, "spec": spec}
        refused = {"type": "Accepted", "status": "False", "message": "no"}
        newer = json.loads(json.dumps(mazetask))
        newer["metadata"] = {"name": "newer", "creationTimestamp": "2026-01-01T00:00:00Z"}
        newer["status"] = {"conditions": [refused]}
        for document in (
            configmap,
            mazetask,
            {"apiVersion": "v1", "kind": "List", "items": [configmap, {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "kube-root-ca.crt"}}]},
            {"apiVersion": "v1", "kind": "List", "items": [newer, mazetask]},
        ):
            registry = TaskRegistry(self.write("registry.json", json.dumps(document)))
            self.assertEqual(3, registry.get_task("add")(a=1, b=2), document)
        resources = {"type": "gpu", "cpu_num": 1, "mem": 1536, "gpu_mem": 3815, "model_name": None, "backend": None}
        self.assertEqual(resources, registry.entry("add")["resources"])
        meta = TaskRegistry(self.write("meta.json", json.dumps({"add": {"name": "add", "description": "x"}})))
        self.assertEqual("x", meta.entry("add")["description"])
        for wrong in ("{", "[]", '{"add": {"name": "other"}}', '{"kind": "List", "apiVersion": "v1", "items": [1]}', "[" * 100_000):
            with self.assertRaises(ValueError):
                TaskRegistry(self.write("wrong.json", wrong)).list()
