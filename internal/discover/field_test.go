package discover_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/ptr"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/discover"
	"github.com/maze-agent/maregister/internal/finding"
)

// fieldCase is a package root of files, and what is found in it: tasks with their types, then findings with their places.
type fieldCase struct {
	files  map[string]string
	claims []string
	want   []string
}

// inA is a case of one file.
func inA(source string, want ...string) fieldCase {
	return fieldCase{files: map[string]string{"a.py": source}, want: want}
}

// found discovers what is in a case.
func (c fieldCase) found(t *testing.T, options discover.Options) discover.Result {
	t.Helper()
	for _, claim := range c.claims {
		d, err := discover.ParseDecorator(claim)
		if err != nil {
			t.Fatal(err)
		}
		options.Claims = append(options.Claims, d)
	}
	parser := discover.NewParser(options.Claims)
	byName := map[string]*discover.Module{}
	var modules []*discover.Module
	for _, path := range slices.Sorted(maps.Keys(c.files)) {
		text := []byte(c.files[path])
		m := parser.Parse(path, moduleName(path), text)
		byName[moduleName(path)] = m
		if found := discover.NewSearcher(options.Claims).Search(text); found.Mentions || len(found.Makes) > 0 {
			modules = append(modules, m)
		}
	}
	options.Load = func(module string) *discover.Module { return byName[module] }
	return discover.Link(modules, options)
}

// lines returns tasks and findings, a line each.
func lines(result discover.Result) []string {
	var out []string
	for _, task := range result.Tasks {
		out = append(out, fmt.Sprintf("%s: %s", task.Spec.Name, strings.Join(resources(task), " ")))
	}
	for _, f := range result.Findings {
		out = append(out, fmt.Sprintf("%s:%d:%d %s", f.File, f.Position.Line, f.Position.Column, f.Rule))
	}
	return out
}

const body = "\n    return {'x': 1}\n"

// TestField has the field cases of Python sources by their rows, each with others of its kind.
func TestField(t *testing.T) {
	const ascend = "from ascend_maze import task\n"
	const ofMaze = "from maze import task\n"
	const taken = "input_parameters={'a': {'type': 'string'}}, task_type='gpu', gpu_mem=1024"
	sdk := "from platform_sdk.tasks import task\n@task(name='x', " + taken + ")\ndef f(a):" + body
	cases := map[string]map[string]fieldCase{
		"B1": {
			"an npu task":             inA(ascend+"@task(task_kind='npu', resources={'npu_mem': 1024})\ndef f(a: int):"+body, "a.py:2:17 MZ013"),
			"an npu task by memory":   inA(ascend+"@task(resources={'cpu_num': 1, 'npu_mem': 70_000})\ndef f(a: int):"+body, "a.py:2:43 MZ013"),
			"by the older name":       inA(ascend+"@task(resources={'gpu_mem': 1024})\ndef f():"+body, "a.py:2:29 MZ013"),
			"without memory":          inA(ascend+"@task(task_kind=' NPU ', max_retries=0)\ndef f():"+body, "a.py:2:17 MZ013"),
			"a cpu task":              inA(ascend+"@task(task_kind='cpu', resources={'cpu_num': 2, 'mem': 128}, max_retries=2)\ndef f(a: str, b: int = 3):"+body, "f: cpu cpu=2 memory=128Mi"),
			"an io task":              inA(ascend+"@task(task_kind='io', resources={'cpu_num': 1, 'mem': 64, 'io_num': 1})\ndef f(path: str):"+body, "f: io cpu=1 memory=64Mi"),
			"io by its slots":         inA(ascend+"@task(resources={'io_num': 2})\ndef f():"+body, "f: io cpu=1"),
			"the decorator alone":     inA(ascend+"@task\ndef f():\n    return {}\n", "f: cpu cpu=1"),
			"no arguments":            inA(ascend+"@task()\ndef f():"+body, "f: cpu cpu=1"),
			"None":                    inA(ascend+"@task(task_kind=None, resources={'cpu_num': None, 'mem': None})\ndef f():"+body, "f: cpu cpu=1"),
			"from its module":         inA("from ascend_maze.api.task import task as t\n@t(task_kind='cpu')\ndef f():"+body, "f: cpu cpu=1"),
			"by the package":          inA("import ascend_maze as am\n@am.task(task_kind='io')\ndef f():"+body, "f: io cpu=1"),
			"a gpu task":              inA(ascend+"@task(task_kind='gpu')\ndef f():"+body, "a.py:2:17 MZ008"),
			"an unknown resource":     inA(ascend+"@task(resources={'ram': 1})\ndef f():"+body, "a.py:2:17 MZ008"),
			"a negative resource":     inA(ascend+"@task(resources={'mem': -1})\ndef f():"+body, "a.py:2:25 MZ008"),
			"a fraction":              inA(ascend+"@task(resources={'cpu_num': 0.5})\ndef f():"+body, "a.py:2:29 MZ008"),
			"memory of a cpu task":    inA(ascend+"@task(task_kind='cpu', resources={'npu_mem': 1})\ndef f():"+body, "a.py:2:17 MZ008"),
			"a keyword of Maze":       inA(ascend+"@task(data_types={'a': 'int'})\ndef f(a):"+body, "a.py:2:18 MZ008"),
			"no time":                 inA(ascend+"@task(timeout_seconds=0)\ndef f():"+body, "a.py:2:23 MZ008"),
			"negative retries":        inA(ascend+"@task(max_retries=-1)\ndef f():"+body, "a.py:2:19 MZ008"),
			"errors that are no list": inA(ascend+"@task(retry_on='npu_oom')\ndef f():"+body, "a.py:2:16 MZ008"),
			"other keys":              inA(ascend+"@task\ndef f(a):\n    if a: return {'x': 1}\n    return {'y': 1}\n", "a.py:5:5 MZ009"),
			"an end without return":   inA(ascend+"@task\ndef f(a):\n    if a: return {'x': 1}\n", "a.py:2:1 MZ009"),
			"a bare return":           inA(ascend+"@task\ndef f(a):\n    if a: return\n    return {'x': 1}\n", "a.py:4:11 MZ009"),
			"arguments in any number": inA(ascend+"@task\ndef f(*a):"+body, "a.py:3:7 MZ007"),
		},
		"B2": {
			"a note":                  inA(sdk, "a.py:2:2 MZ012"),
			"claimed":                 {files: map[string]string{"a.py": sdk}, claims: []string{"platform_sdk.tasks:task"}, want: []string{"x: gpu cpu=1 memory=1Gi gpuMemory=1Gi backend=huggingface"}},
			"another is claimed":      {files: map[string]string{"a.py": sdk}, claims: []string{"platform_sdk:task"}, want: []string{"a.py:2:2 MZ012"}},
			"an alias":                {files: map[string]string{"a.py": "from platform_sdk.tasks import task as job\nrun = job\n@run(name='x', " + taken + ")\ndef f(a):" + body}, claims: []string{"platform_sdk.tasks:task"}, want: []string{"x: gpu cpu=1 memory=1Gi gpuMemory=1Gi backend=huggingface"}},
			"a module":                {files: map[string]string{"a.py": "import platform_sdk.tasks as t\n@t.task(name='x')\ndef f():" + body}, claims: []string{"platform_sdk.tasks:task"}, want: []string{"x: cpu cpu=1 memory=1Gi backend=huggingface"}},
			"a module with dots":      {files: map[string]string{"a.py": "import platform_sdk.tasks\n@platform_sdk.tasks.task\ndef f():" + body}, claims: []string{"platform_sdk.tasks:task"}, want: []string{"f: cpu cpu=1"}},
			"a module from a package": {files: map[string]string{"a.py": "from platform_sdk import tasks\n@tasks.task\ndef f():" + body}, claims: []string{"platform_sdk.tasks:task"}, want: []string{"f: cpu cpu=1"}},
			"a re-export": {files: map[string]string{"p/__init__.py": "", "p/deco.py": "from platform_sdk.tasks import task\n", "p/a.py": "from .deco import task\n@task\ndef f():" + body},
				claims: []string{"platform_sdk.tasks:task"}, want: []string{"f: cpu cpu=1"}},
			"a re-export by a wildcard": {files: map[string]string{"deco.py": "from platform_sdk.tasks import *\n", "a.py": "from deco import task\n@task\ndef f():" + body},
				claims: []string{"platform_sdk.tasks:task"}, want: []string{"f: cpu cpu=1"}},
			"a wrapper of one's own": {files: map[string]string{"p/deco.py": "def task(**k): ...\n", "p/a.py": "from .deco import task\n@task(" + taken + ", name='x')\ndef f(a):" + body},
				want: []string{"p/a.py:2:2 MZ012"}},
			"a wrapper that is claimed": {files: map[string]string{"p/deco.py": "def task(**k): ...\n", "p/a.py": "from .deco import task\n@task(" + taken + ", name='x')\ndef f(a):" + body},
				claims: []string{"p.deco:task"}, want: []string{"x: gpu cpu=1 memory=1Gi gpuMemory=1Gi backend=huggingface"}},
			"where it is defined":  {files: map[string]string{"a.py": "def task(f): return f\n@task\ndef f():" + body}, claims: []string{"a:task"}, want: []string{"f: cpu cpu=1"}},
			"another name":         {files: map[string]string{"a.py": "from sdk import register\n@register(name='x')\ndef f():" + body}, claims: []string{"sdk:register"}, want: []string{"x: cpu cpu=1 memory=1Gi backend=huggingface"}},
			"of another kind":      {files: map[string]string{"a.py": "from sdk import gpu\n@gpu(gpu_mem=2048)\ndef f():" + body}, claims: []string{"sdk:gpu"}, want: []string{"f: gpu cpu=0 gpuMemory=2Gi backend=huggingface"}},
			"another name, a note": inA("from sdk import maze_task\n@maze_task(input_parameters={}, output_parameters={})\ndef f():"+body, "a.py:2:2 MZ012"),
			"a relative import":    {files: map[string]string{"p/a.py": "from .missing import task\n@task(" + taken + ")\ndef f(a):" + body}, want: []string{"p/a.py:2:2 MZ012"}},
			"out of the root":      inA("from . import ops\n@ops.run("+taken+")\ndef f(a):"+body, "a.py:2:2 MZ012"),
			"only a size":          inA("from corp.ops import op\n@op(gpu_mem=3)\ndef f(a):"+body, "a.py:2:2 MZ012"),
			"a wildcard":           inA("from sdk import *\n@task("+taken+")\ndef f(a):"+body, "a.py:2:2 MZ012"),
			"within a function":    inA("def g():\n    from sdk import task\n    @task("+taken+")\n    def f(a): ...\n", "a.py:3:6 MZ012"),
			"kinds of resources":   inA("from sdk import task\n@task(task_kind='gpu', resources={})\ndef f():"+body, "a.py:2:2 MZ012"),
			"an alien keyword":     inA("from sdk import task\n@task(task_type='gpu', queue='q')\ndef f():" + body),
			"no telling keyword":   inA("from sdk import task\n@task(name='x', description='y')\ndef f():" + body),
			"our own package":      inA("from maregister import task\n@task(name='x', "+taken+")\ndef f(a):"+body, "x: gpu cpu=1 memory=1Gi gpuMemory=1Gi backend=huggingface"),
			"our own, alone":       inA("from maregister import task\n@task\ndef f(a):\n    result = {}\n    return result\n", "f: cpu cpu=1 memory=1Gi"),
			"our own, re-exported": {files: map[string]string{"p/base.py": "from maregister import task\n", "p/a.py": "from p.base import task as t\n@t(name='x')\ndef f():" + body},
				want: []string{"x: cpu cpu=1 memory=1Gi backend=huggingface"}},
			"our own, without a name": inA("import maregister\n@maregister.task()\ndef f():"+body, "a.py:2:2 MZ006"),
			"our own, no decorator":   inA("from maregister import task_registry\n@task_registry.register_task\ndef f():" + body),
		},
		"B3": {
			"a parameter":          inA("def make(app):\n    @app.task(name='x')\n    def f(): ...\n"),
			"a task as parameter":  inA("def make(task):\n    @task(name='x', cpu_num=1)\n    def f(): ...\n"),
			"of self":              inA("class A:\n    def g(self):\n        @self.app.task(max_retries=3)\n        def f(): ...\n"),
			"of the file":          inA("def task(**k): return lambda f: f\n@task(name='x', task_type='cpu')\ndef f(): ...\n"),
			"of the file, a class": inA("class task:\n    def __init__(self, name): ...\n@task(name='x')\ndef f(): ...\n"),
			"of the file, later": inA("from maze import task\n@task(name='x')\ndef f():"+body+"def task(**k): return lambda f: f\n@task(name='y')\ndef g(): ...\n",
				"x: cpu cpu=1 memory=1Gi backend=huggingface"),
			"a class for a module":  inA("import maze\nclass maze:\n    task = 1\n@maze.task(name='x')\ndef f(): ...\n"),
			"another import, later": inA("from maze import task\nfrom celery import task\n@task(name='x')\ndef f(): ...\n"),
			"Maze's import, later":  inA("from celery import task\nfrom maze import task\n@task(name='x')\ndef f():"+body, "x: cpu cpu=1 memory=1Gi backend=huggingface"),
			"the same name again":   inA("from maze import task\ntask = task\n@task(name='x')\ndef f():"+body, "x: cpu cpu=1 memory=1Gi backend=huggingface"),
			"of the file, if missing": inA("try:\n    from maze import task\nexcept ImportError:\n    def task(**k): return lambda f: f\n@task(name='x')\ndef f():"+body,
				"x: cpu cpu=1 memory=1Gi backend=huggingface"),
			"a lambda":                    inA("task = lambda **k: (lambda f: f)\n@task(name='x')\ndef f(): ...\n"),
			"a value":                     inA("from functools import partial\ntask = partial(print, 1)\n@task(name='x', cpu_num=1)\ndef f(): ...\n"),
			"a loop variable":             inA("for task in []:\n    @task(name='x')\n    def f(): ...\n"),
			"a local name":                inA("def g():\n    task = make()\n    @task(name='x')\n    def f(): ...\n"),
			"a local function":            inA("def g():\n    def task(**k): ...\n    @task(name='x')\n    def f(): ...\n"),
			"of a class":                  inA("class A:\n    def task(**k): ...\n    @task(name='x')\n    def f(self): ...\n"),
			"an object":                   inA("app = Celery()\n@app.task(name='x', max_retries=3)\ndef f(): ...\n"),
			"an object of another module": {files: map[string]string{"p/app.py": "from celery import Celery\napp = Celery()\n", "p/a.py": "from p.app import app\n@app.task(name='x')\ndef f(): ...\n"}},
			"an object made at home":      {files: map[string]string{"p/app.py": "def make(): ...\napp = make()\n", "p/a.py": "from p.app import app\n@app.task(name='x', cpu_num=1)\ndef f(): ...\n"}},
			"Celery":                      inA("from celery import shared_task as task\n@task(name='x', bind=True, max_retries=3)\ndef f(self): ...\n"),
			"Prefect":                     inA("from prefect import task, flow\n@task(name='x', description='y', timeout_seconds=3, retries=2)\ndef f(): ...\n@flow\ndef g(): ...\n"),
			"Airflow":                     inA("from airflow.decorators import task\n@task(task_id='x', retries=3)\ndef f(): ...\n@task.branch(task_id='y')\ndef g(): ...\n"),
			"Dagster":                     inA("import dagster\n@dagster.op(name='x')\ndef f(): ...\n"),
			"invoke":                      inA("from invoke import task\n@task(name='x', default=True)\ndef f(c): ...\n"),
			"luigi":                       inA("import luigi\n@luigi.Task.event_handler(luigi.Event.SUCCESS)\ndef f(task): ...\n"),
			"taskiq":                      inA("from taskiq import InMemoryBroker\nbroker = InMemoryBroker()\n@broker.task(task_name='x')\nasync def f(): ...\n"),
			"dramatiq":                    inA("import dramatiq\n@dramatiq.actor(max_retries=3)\ndef f(): ...\n"),
			"Flyte":                       inA("from flytekit import task, Resources\n@task(requests=Resources(cpu='1'), cache=True)\ndef f() -> int: ...\n"),
			"Maze within a function":      inA("def g(x):\n    from maze import task\n    @task(name='x')\n    def f(): ...\n", "a.py:3:5 MZ007"),
			"Maze, or a stand-in":         inA("try:\n    from maze import task\nexcept ImportError:\n    def task(f): return f\n@task\ndef f():"+body, "f: cpu cpu=1"),
		},
		"B4": {
			"a name":                  inA(ofMaze+"@task\ndef f():\n    result = {'a': 1}\n    return result\n", "a.py:5:12 MZ009"),
			"a generator":             inA(ofMaze+"@task\ndef f():\n    yield {'a': 1}\n", "a.py:4:5 MZ009"),
			"a call":                  inA(ofMaze+"@task(task_kind='cpu')\ndef f():\n    return dict(a=1)\n", "a.py:4:12 MZ009"),
			"nothing":                 inA(ofMaze+"@task\ndef f(): ...\n", "a.py:2:1 MZ009"),
			"no key":                  inA(ofMaze+"@task\ndef f():\n    return {}\n", "a.py:2:1 MZ009"),
			"a spread":                inA(ofMaze+"@task\ndef f(a):\n    return {**a, 'b': 1}\n", "a.py:4:12 MZ009"),
			"an f-string":             inA(ofMaze+"@task\ndef f(a):\n    return {f'{a}': 1}\n", "a.py:4:12 MZ009"),
			"one of two":              inA(ofMaze+"@task\ndef f(a):\n    if a: return None\n    return {'b': 1}\n", "a.py:4:18 MZ009"),
			"arguments in any number": inA(ofMaze+"@task\ndef f(*a, **k):"+body, "a.py:3:7 MZ007", "a.py:3:11 MZ007"),
			"by position":             inA(ofMaze+"@task\ndef f(a, /):"+body, "a.py:3:7 MZ007"),
			"a core in words":         inA(ofMaze+"@task(resources={'cpu_num': 'two'})\ndef f():"+body, "a.py:2:29 MZ008"),
			"no GPU memory":           inA(ofMaze+"@task(resources={'gpu_mem': None})\ndef f():"+body, "a.py:2:29 MZ008"),
			"an unknown kind":         inA(ofMaze+"@task(task_kind='npu')\ndef f():"+body, "a.py:2:17 MZ008"),
			"an unknown keyword":      inA(ofMaze+"@task(task_kind='cpu', retries=3)\ndef f():"+body, "a.py:2:32 MZ008"),
			"a bare return":           inA(ofMaze+"@task\ndef f(a):\n    if a: return\n    return {'b': 1}\n", "f: cpu cpu=1", "a.py:4:11 MZ009"),
			"declared outputs":        inA(ofMaze+"@task(name='x', output_parameters={'a': {'type': 'string'}})\ndef f():\n    return g()\n", "x: cpu cpu=1 memory=1Gi backend=huggingface"),
		},
		"B6": {
			"not there":                inA(ofMaze+"@task(name='x', input_parameters={\n    'image': {'type': 'string'},\n    'size': {'type': 'integer'}})\ndef f(image):"+body, "x: cpu cpu=1 memory=1Gi backend=huggingface", "a.py:4:13 MZ014"),
			"not declared":             inA(ofMaze+"@task(name='x', input_parameters={'image': {'type': 'string'}})\ndef f(image, size):"+body, "x: cpu cpu=1 memory=1Gi backend=huggingface", "a.py:3:14 MZ014"),
			"another name":             inA(ofMaze+"@task(name='x', input_parameters={'type': 'object', 'properties': {'img': {'type': 'string'}}})\ndef f(image):"+body, "x: cpu cpu=1 memory=1Gi backend=huggingface", "a.py:2:75 MZ014", "a.py:3:7 MZ014"),
			"a default":                inA(ofMaze+"@task(name='x', input_parameters={'a': {'type': 'string'}})\ndef f(a, b=1, *, c=2):"+body, "x: cpu cpu=1 memory=1Gi backend=huggingface"),
			"any keyword":              inA(ofMaze+"@task(name='x', input_parameters={'a': {'type': 'string'}})\ndef f(**k):"+body, "x: cpu cpu=1 memory=1Gi backend=huggingface"),
			"any position":             inA(ofMaze+"@task(name='x', input_parameters={'a': {'type': 'string'}})\ndef f(*a):"+body, "x: cpu cpu=1 memory=1Gi backend=huggingface", "a.py:2:40 MZ014"),
			"by position only":         inA(ofMaze+"@task(name='x', input_parameters={'a': {'type': 'string'}})\ndef f(a, /):"+body, "x: cpu cpu=1 memory=1Gi backend=huggingface", "a.py:2:40 MZ014"),
			"by keyword only":          inA(ofMaze+"@task(name='x', input_parameters={'a': {'type': 'string'}})\ndef f(*, a, b):"+body, "x: cpu cpu=1 memory=1Gi backend=huggingface", "a.py:3:13 MZ014"),
			"additional ones":          inA(ofMaze+"@task(name='x', input_parameters={'type': 'object', 'properties': {'a': {}}, 'additionalProperties': True})\ndef f(a, b):"+body, "x: cpu cpu=1 memory=1Gi backend=huggingface"),
			"nothing declared":         inA(ofMaze+"@task(name='x', input_parameters={})\ndef f(a):"+body, "x: cpu cpu=1 memory=1Gi backend=huggingface"),
			"behind another decorator": inA(ofMaze+"@task(name='x', input_parameters={'a': {'type': 'string'}})\n@with_session\ndef f(a, session):"+body, "x: cpu cpu=1 memory=1Gi backend=huggingface"),
			"under another decorator":  inA(ofMaze+"@logged\n@task(name='x', input_parameters={'a': {'type': 'string'}})\ndef f(b):"+body, "x: cpu cpu=1 memory=1Gi backend=huggingface", "a.py:3:40 MZ014", "a.py:4:7 MZ014"),
			"a constant":               inA(ofMaze+"IN = {\n    'a': {'type': 'string'},\n    'b': {'type': 'string'}}\n@task(name='x', input_parameters=IN)\ndef f(a):"+body, "x: cpu cpu=1 memory=1Gi backend=huggingface", "a.py:4:10 MZ014"),
			"a list":                   inA(ofMaze+"@task(inputs=['a', 'b'], outputs=['x'])\ndef f(a, c):"+body, "f: cpu cpu=1", "a.py:2:20 MZ014", "a.py:3:10 MZ014"),
			"all in one dict":          inA(ofMaze+"@task(inputs=['a', 'b'], outputs=['x'])\ndef f(params):"+body, "f: cpu cpu=1"),
			"a type of nothing":        inA(ofMaze+"@task(data_types={'image': 'file', 'imgae': 'file'})\ndef f(image):"+body, "f: cpu cpu=1", "a.py:2:45 MZ014"),
		},
	}
	for row, all := range cases {
		for name, tc := range all {
			t.Run(row+"/"+name, func(t *testing.T) {
				result := tc.found(t, discover.Options{})
				if diff := cmp.Diff(tc.want, lines(result)); diff != "" {
					t.Errorf("(-want +got):\n%s%v", diff, result.Findings)
				}
			})
		}
	}
}

// TestFieldB5 finds where a part of a manifest is declared. lint's own findings are tested with mazectl.
func TestFieldB5(t *testing.T) {
	cases := map[string]struct {
		source  string
		pointer string
		want    finding.Position
	}{
		"a value":                    {"@task(name='x', input_parameters={\n    'd': {\n        'type': 'datetime'}})\ndef f(d):", "/spec/inputParameters/d/type", finding.Position{Line: 4, Column: 17}},
		"a value of a schema":        {"@task(name='x', input_parameters={'properties': {\n'd': {'type': 'datetime'}}})\ndef f(d):", "/spec/inputParameters/properties/d/type", finding.Position{Line: 3, Column: 15}},
		"a constant":                 {"DATE = {'type': 'datetime'}\n@task(name='x', input_parameters={'d': DATE})\ndef f(d):", "/spec/inputParameters/d/type", finding.Position{Line: 2, Column: 17}},
		"a constant itself":          {"T = 'datetime'\n@task(name='x', input_parameters={'d': {'type': T}})\ndef f(d):", "/spec/inputParameters/d/type", finding.Position{Line: 3, Column: 49}},
		"a spread":                   {"BASE = {\n 'type': 'datetime'}\n@task(name='x', input_parameters={'d': {**BASE, 'title': 'D'}})\ndef f(d):", "/spec/inputParameters/d/type", finding.Position{Line: 3, Column: 10}},
		"the last of two":            {"@task(name='x', input_parameters={'d': 1,\n 'd': {'type': 5}})\ndef f(d):", "/spec/inputParameters/d/type", finding.Position{Line: 3, Column: 16}},
		"an item":                    {"@task(name='x', output_parameters={'d': {'anyOf': [{},\n {'type': 'x'}]}})\ndef f():", "/spec/outputParameters/d/anyOf/1/type", finding.Position{Line: 3, Column: 11}},
		"an escaped name":            {"@task(name='x', input_parameters={\n'a/b~c': {'type': 'x'}})\ndef f(**k):", "/spec/inputParameters/a~1b~0c/type", finding.Position{Line: 3, Column: 19}},
		"a part that is not written": {"@task(name='x', input_parameters={'d': dict(type='x')})\ndef f(d):", "/spec/inputParameters/d/type", finding.Position{Line: 2, Column: 2}},
		"all arguments":              {"A = dict\n@task(**{'name': 'x', 'input_parameters': {'d': {'type': 'x'}}})\ndef f(d):", "/spec/inputParameters/d/type", finding.Position{Line: 3, Column: 7}},
		"a name":                     {"@task(name='a b')\ndef f():", "/spec/name", finding.Position{Line: 2, Column: 12}},
		"a size":                     {"@task(name='x',\n mem=5)\ndef f():", "/spec/resources/memory", finding.Position{Line: 3, Column: 6}},
		"a size in a dict":           {"@task(resources={\n 'cpu_mem': 5})\ndef f():", "/spec/resources/memory", finding.Position{Line: 3, Column: 13}},
		"a parameter":                {"@task\ndef f(a, b: int,\n c: dict[str, int]):", "/spec/inputParameters/properties/c/additionalProperties/type", finding.Position{Line: 4, Column: 5}},
		"a default":                  {"@task\ndef f(a: int\n = 5):", "/spec/inputParameters/properties/a/default", finding.Position{Line: 4, Column: 4}},
		"a type in a text":           {"@task(data_types={\n 'a': 'int'})\ndef f(a):", "/spec/inputParameters/properties/a/type", finding.Position{Line: 3, Column: 7}},
		"a listed input":             {"@task(inputs=['a',\n 'b'], outputs=[])\ndef f(a, b):", "/spec/inputParameters/properties/b/type", finding.Position{Line: 3, Column: 2}},
		"the whole":                  {"@task(name='x')\ndef f():", "", finding.Position{Line: 2, Column: 1}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			c := inA("from maze import task\n" + tc.source + body)
			if name == "a part that is not written" { // the schema is not known: the decorator's place is what there is
				c = inA("from maze import task\n" + strings.ReplaceAll(tc.source, "dict(type='x')", "{}") + body)
				tc.want = finding.Position{Line: 2, Column: 40}
			}
			judge := func(*v1alpha1.MazeTaskSpec) []finding.Finding {
				return []finding.Finding{{Rule: finding.InvalidSchema, Pointer: tc.pointer}}
			}
			for _, f := range c.found(t, discover.Options{Judge: judge}).Findings {
				if f.Rule == finding.InvalidSchema && (f.Position != tc.want || f.File != "a.py" || !strings.HasPrefix(f.Object, "a:f") || f.Pointer != "") {
					t.Errorf("%+v, want it at %v", f, tc.want)
				}
			}
		})
	}
}

// TestFieldB7: "has none" and "declares none" are told apart in the manifest.
func TestFieldB7(t *testing.T) {
	const closed = `{"additionalProperties":false,"properties":{},"type":"object"}`
	for source, want := range map[string]string{
		"from maze import task\n@task\ndef f():" + body:                                  closed,
		"from maze import task\n@task(name='x')\ndef f():" + body:                        closed,
		"from agentos.scheduler import io\n@io()\ndef f():" + body:                       closed,
		"from ascend_maze import task\n@task\ndef f():" + body:                           closed,
		"from maregister import task\n@task\ndef f():" + body:                            closed,
		"from maze import task\n@task(inputs=[], outputs=['x'])\ndef f():" + body:        closed,
		"from maze import task\n@task(name='x')\ndef f(**k):" + body:                     `{"properties":{},"type":"object"}`,
		"from maze import task\n@task(name='x')\ndef f(*a):" + body:                      `{"properties":{},"type":"object"}`,
		"from maze import task\n@task(name='x')\ndef f(a):" + body:                       `{"properties":{"a":{}},"required":["a"],"type":"object"}`,
		"from maze import task\n@task(name='x', input_parameters={})\ndef f():" + body:   `{}`,
		"from maze import task\n@task(name='x', input_parameters=None)\ndef f():" + body: closed, // as left out
	} {
		result := inA(source).found(t, discover.Options{})
		got := ""
		if input := result.Tasks[0].Spec.InputParameters; input != nil {
			got = string(input.Raw)
		}
		if got != want {
			t.Errorf("%s: %s, want %s", source, got, want)
		}
	}
}

// TestFieldB8: what a decorator says of how to run the task is carried by the MazeTask.
func TestFieldB8(t *testing.T) {
	for source, want := range map[string]*v1alpha1.Run{
		"max_retries=3, retry_backoff_seconds=2, retry_on=['resource_insufficient'], timeout_seconds=60": {
			Retries: ptr.To[int32](3), Backoff: "2s", RetryOn: []string{"resource_insufficient"}, Timeout: "1m"},
		"":                           nil,
		"timeout_seconds=2 * 30":     {Timeout: "1m"},
		"timeout_seconds=0.25":       {Timeout: "250ms"},
		"timeout_seconds=5400.0":     {Timeout: "1h30m"},
		"retry_backoff_seconds=0":    {Backoff: "0s"},
		"retry_on=('a', 'b', 'a')":   {RetryOn: []string{"a", "b"}},
		"retry_on=[]":                {Retries: ptr.To[int32](0)}, // Maze starts nothing again then
		"retry_on=[], max_retries=3": {Retries: ptr.To[int32](0)},
		"max_retries=0":              {Retries: ptr.To[int32](0)},
		"max_retries=-1":             {Retries: ptr.To[int32](0)}, // as Maze takes it
		"max_retries=2.9":            {Retries: ptr.To[int32](2)}, // likewise
		"max_retries=None, retry_on=None, timeout_seconds=None": nil,
	} {
		result := inA("from maze import task\n@task("+source+")\ndef f():"+body).found(t, discover.Options{})
		if len(result.Tasks) != 1 || len(result.Findings) > 0 {
			t.Fatalf("%s: %v", source, lines(result))
		}
		if diff := cmp.Diff(want, result.Tasks[0].Spec.Run); diff != "" {
			t.Errorf("%s (-want +got):\n%s", source, diff)
		}
	}
}

// TestFieldB8Findings: what cannot be carried is told, where it is written. The task is there without it.
func TestFieldB8Findings(t *testing.T) {
	for source, want := range map[string]string{
		"timeout_seconds='60'":         "timeout_seconds takes a number of seconds, and gets a string; it is left out",
		"retry_backoff_seconds=[2]":    "retry_backoff_seconds takes a number of seconds, and gets a list; it is left out",
		"max_retries='3'":              "max_retries takes a whole number, and gets a string; it is left out",
		"retry_on='timeout'":           "retry_on takes a list of texts such as resource_insufficient, and gets a string; it is left out",
		"retry_on=['a', 3]":            "retry_on takes a list of texts such as resource_insufficient, and gets a list; it is left out",
		"max_retries=count()":          "max_retries is left out: write a constant",
		"retry_on=(ValueError,)":       "retry_on is left out: write a constant",
		"timeout_seconds=float('nan')": "timeout_seconds is left out: write a constant",
	} {
		result := inA("from maze import task\n@task("+source+")\ndef f():"+body).found(t, discover.Options{})
		if len(result.Tasks) != 1 || result.Tasks[0].Spec.Run != nil || len(result.Findings) != 1 || !strings.Contains(result.Findings[0].Message, want) {
			t.Errorf("%s: %v, %v, want %q", source, lines(result), result.Findings, want)
		}
	}
}

// TestFieldB8OfThePackage: the package's own decorator takes the same, and raises an error where Maze's goes on.
func TestFieldB8OfThePackage(t *testing.T) {
	for source, want := range map[string]string{
		"timeout_seconds=90, max_retries=3, retry_backoff_seconds=0.5, retry_on=['a']": "",
		"timeout_seconds=0":         "timeout_seconds is a number above 0, and not 0, so maregister's decorator raises an error",
		"max_retries=1.5":           "max_retries is a whole number of at least 0, and not 1.5, so maregister's decorator raises an error",
		"max_retries=-1":            "max_retries is a whole number of at least 0",
		"retry_backoff_seconds='2'": "retry_backoff_seconds is a number of at least 0, and not a string, so maregister's decorator raises an error",
		"retry_on=['']":             "retry_on is a list of codes of errors",
	} {
		result := inA("from maregister import task\n@task(name='f', "+source+")\ndef f():"+body).found(t, discover.Options{})
		if want == "" {
			run := &v1alpha1.Run{Timeout: "1m30s", Retries: ptr.To[int32](3), Backoff: "500ms", RetryOn: []string{"a"}}
			if diff := cmp.Diff(run, result.Tasks[0].Spec.Run); diff != "" || len(result.Findings) > 0 {
				t.Errorf("%s: %v (-want +got):\n%s", source, result.Findings, diff)
			}
			continue
		}
		if len(result.Tasks) != 0 || len(result.Findings) != 1 || !strings.HasPrefix(result.Findings[0].Message, want) {
			t.Errorf("%s: %v, %v, want %q", source, lines(result), result.Findings, want)
		}
	}
}

// TestDeprecated: the package's own decorator says why a task should no longer be used. Maze's do not take that.
func TestDeprecated(t *testing.T) {
	for source, want := range map[string]string{
		"":                                       "",
		", deprecated=None, replacement=None":    "",
		", deprecated='Use b.'":                  "Use b",
		", deprecated='Use b.', replacement='b'": "Use b; replacement: b",
		", deprecated=' '":                       "deprecated is a text that is not blank, so maregister's decorator raises an error",
		", deprecated=True":                      "deprecated is a text that is not blank",
		", replacement='b'":                      "replacement goes with deprecated, which says why and by when, so maregister's decorator raises an error",
		", deprecated='Use b.', replacement=1":   "replacement is a text that is not blank",
		", deprecated=when(), replacement='b'":   "not statically known",
	} {
		result := inA("from maregister import task\n@task(name='f'"+source+")\ndef f():"+body).found(t, discover.Options{})
		got := ""
		if len(result.Tasks) == 1 && result.Tasks[0].Spec.Deprecated != nil {
			got = result.Tasks[0].Spec.Deprecated.String()
		}
		for _, f := range result.Findings {
			got += f.Message
		}
		if !strings.HasPrefix(got, want) || want == "" && got != "" {
			t.Errorf("%s: want %q, got %q", source, want, got)
		}
	}
	result := inA("from maze import task\n@task(name='f', deprecated='Use b.')\ndef f():"+body).found(t, discover.Options{})
	if len(result.Tasks) != 0 || len(result.Findings) != 1 {
		t.Errorf("want Maze's decorator to refuse it, got %v, %v", lines(result), result.Findings)
	}
}

// TestFieldB9: mem=0, which is the default of @gpu, leaves the memory out, so the CRD's default of 1Gi counts. The documents tell it.
func TestFieldB9(t *testing.T) {
	for source, want := range map[string]string{
		"@gpu(mem=0)": "f: gpu cpu=0 gpuMemory=1Mi backend=huggingface", "@gpu()": "f: gpu cpu=0 gpuMemory=1Mi backend=huggingface",
		"@gpu(gpu_mem=0)": "f: gpu cpu=0 backend=huggingface", "@gpu(mem=512, gpu_mem=2048)": "f: gpu cpu=0 memory=512Mi gpuMemory=2Gi backend=huggingface",
		"@cpu(mem=0)": "f: cpu cpu=1", "@io(mem=0)": "f: io cpu=0",
	} {
		result := inA("from agentos.scheduler import cpu, gpu, io\n"+source+"\ndef f():"+body).found(t, discover.Options{})
		if diff := cmp.Diff([]string{want}, lines(result)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", source, diff)
		}
	}
}

func TestParseDecorator(t *testing.T) {
	for text, want := range map[string]string{
		"platform_sdk.tasks:task": "", "größe:aufgabe": "",
		"platform_sdk.tasks.task": "has no colon: write MODULE:NAME, here platform_sdk.tasks:task",
		"task":                    "is not MODULE:NAME", "": "is not MODULE:NAME", "a.": "is not MODULE:NAME",
		".tasks:task": "relative module", "a-b:task": `"a-b" is no name of a module`, ":task": `"" is no name of a module`, "a..b:task": "no name of a module",
		"a:": `"" is no name of a decorator`, "a:b.c": `"b.c" is no name of a decorator`, "a:b:c": `"b:c" is no name of a decorator`,
	} {
		_, err := discover.ParseDecorator(text)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}
