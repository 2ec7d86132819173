package discover_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/maze-agent/maregister/internal/discover"
)

// TestDecoratorsInVariables has decorators that get their arguments before the function, in each way in which Python code keeps them. Each is read,
// or told in one finding; those of other frameworks are left alone.
func TestDecoratorsInVariables(t *testing.T) {
	const (
		maze    = "from maze import task\n"
		partial = "from functools import partial\n"
		f       = "def f(a):" + body
		cpu2    = "f: cpu cpu=2"
	)
	cases := map[string]fieldCase{
		"a variable":                    inA(maze+"deco = task(resources={'cpu_num': 2})\n@deco\n"+f, cpu2),
		"of the form with a name":       inA(maze+"deco = task(name='x', cpu_num=2, mem=1024)\n@deco\n"+f, "x: cpu cpu=2 memory=1Gi backend=huggingface"),
		"of a module":                   inA("import maze as m\ndeco = m.task(resources={'cpu_num': 2})\n@deco\n"+f, cpu2),
		"a variable of a variable":      inA(maze+"one = task(resources={'cpu_num': 2})\ntwo = one\n@two\n"+f, cpu2),
		"two at once":                   inA(maze+"one, two = task(), task(resources={'cpu_num': 2})\n@two\n"+f, cpu2),
		"the last before the function":  inA(maze+"d = task()\nd = task(resources={'cpu_num': 2})\n@d\n"+f+"d = task(resources={'cpu_num': 3})\n", cpu2),
		"where Maze is not installed":   inA("try:\n  from maze import task\n  d = task(resources={'cpu_num': 2})\nexcept ImportError:\n  def d(f): return f\n@d\n"+f, cpu2),
		"one of two":                    inA(maze+"if x:\n  d = task()\nelse:\n  d = task(resources={'cpu_num': 2})\n@d\n"+f, "a.py:6:2 MZ004"),
		"called once more":              inA(maze+"d = task(resources={'cpu_num': 2})\n@d()\n"+f, "a.py:3:2 MZ008"),
		"a wrong argument":              inA(maze+"d = task(resources={'cpu_num': 2}, nme='x')\n@d\n"+f, "a.py:2:40 MZ008"),
		"not known":                     inA(maze+"d = task(name='x', mem=int('5'))\n@d\n"+f, "x: cpu cpu=1 backend=huggingface", "a.py:2:24 MZ004"),
		"declared inputs":               inA(maze+"d = task(name='x', input_parameters={'b': {}})\n@d\ndef f(a=1):"+body, "x: cpu cpu=1 memory=1Gi backend=huggingface", "a.py:2:43 MZ014"),
		"in a dict":                     inA(maze+"D = {'x': task(), 'y': task(resources={'cpu_num': 2})}\n@D['y']\n"+f, cpu2),
		"in a dict, by a variable":      inA(maze+"import os\nD = {'x': task()}\n@D[os.name]\n"+f, "a.py:4:2 MZ012"),
		"within a function":             inA(maze+"def g():\n  d = task()\n  @d\n  def f(a):\n    return {'x': 1}\n", "a.py:4:3 MZ007"),
		"a partial":                     inA(partial+maze+"gpu = partial(task, task_type='gpu', gpu_mem=1024)\n@gpu(name='x')\n"+f, "x: gpu cpu=1 memory=1Gi gpuMemory=1Gi backend=huggingface"),
		"a partial, overridden":         inA("import functools\n"+maze+"p = functools.partial(task, name='x', cpu_num=1)\n@p(cpu_num=2)\n"+f, "x: cpu cpu=2 memory=1Gi backend=huggingface"),
		"a partial that is not called":  inA(partial+maze+"p = partial(task, resources={'cpu_num': 2})\n@p\n"+f, cpu2),
		"a partial at the function":     inA(partial+maze+"@partial(task, resources={'cpu_num': 2})\n"+f, cpu2),
		"a partial of a partial":        inA(partial+maze+"p = partial(partial(task, cpu_num=1), mem=2048)\n@p(name='x', cpu_num=2)\n"+f, "x: cpu cpu=2 memory=2Gi backend=huggingface"),
		"a partial's dict, overridden":  inA(partial+maze+"C = {'cpu_num': 1}\np = partial(task, **C)\n@p(name='x', cpu_num=2)\n"+f, "x: cpu cpu=2 memory=1Gi backend=huggingface"),
		"a partial, by a dict":          inA(partial+maze+"p = partial(task, name='x', cpu_num=1)\n@p(**{'cpu_num': 2})\n"+f, "x: cpu cpu=2 memory=1Gi backend=huggingface"),
		"a partial, twice in one call":  inA(partial+maze+"p = partial(task, name='x', cpu_num=1)\n@p(cpu_num=2, **{'cpu_num': 3})\n"+f, "a.py:4:15 MZ008"),
		"a partial, not known":          inA(partial+maze+"p = partial(task, name='x', cpu_num=int('5'))\n@p(cpu_num=2)\n"+f, "x: cpu cpu=2 memory=1Gi backend=huggingface"),
		"a partial that must be called": inA(partial+maze+"p = partial(task, name='x')\n@p\n"+f, "a.py:4:2 MZ008"),
		"a wrapper":                     inA(maze+"def gpu(**k):\n  return task(task_type='gpu', **k)\n@gpu(name='x')\n"+f, "a.py:4:2 MZ012"),
		"a wrapper with a function":     inA(maze+"def mine(**k):\n  def inner(f):\n    return task(**k)(f)\n  return inner\n@mine()\n"+f, "a.py:6:2 MZ012"),
		"a wrapper with a variable":     inA(maze+"def mine(f):\n  d = task()\n  return d(f)\n@mine\n"+f, "a.py:5:2 MZ012"),
		"a wrapper above the decorator": inA(maze+"def logged(f):\n  return task(f)\n@logged\n@task(resources={'cpu_num': 2})\n"+f, cpu2),
		"no wrapper, by a parameter":    inA(maze + "def retry(task):\n  return task(3)\n@retry\n" + f),
		"no wrapper, by a variable":     inA(maze + "def retry(f):\n  task = make()\n  return task(f)\n@retry\n" + f),
		"a lambda":                      inA(maze+"@(lambda f: task(f))\n"+f, "a.py:2:3 MZ012"),
		"a choice":                      inA(maze+"d = task if x else None\n@d\n"+f, "a.py:3:2 MZ012"),
		"a call with the function":      inA(maze+f+"f = task(f)\n", "a.py:4:5 MZ012"),
		"a call with it, of a call":     inA(maze+"def _f(a): ...\nf = task(resources={})(_f)\n", "a.py:3:5 MZ012"),
		"a call with something else":    inA(maze + "x = 1\nf = task(x)\ng = len(f)\n"),
		"of another file": {files: map[string]string{"d.py": maze + "N = 2\ncpu2 = task(resources={'cpu_num': N})\n", "a.py": "from d import cpu2 as task\n@task\n" + f},
			want: []string{cpu2}},
		"of another file, by its module": {files: map[string]string{"d.py": maze + "io = task(resources={'cpu_num': 2})\n", "a.py": "import d\n@d.io\n" + f},
			want: []string{cpu2}},
		"a partial of another file": {files: map[string]string{"d.py": partial + maze + "p = partial(task, name='x', cpu_num=1)\n", "a.py": "from d import p\n@p(cpu_num=2)\n" + f},
			want: []string{"x: cpu cpu=2 memory=1Gi backend=huggingface"}},
		"of another file, wrong there": {files: map[string]string{"d.py": maze + "io = task(name='x', mem=int('5'))\n", "a.py": "import d\n@d.io\n" + f},
			want: []string{"x: cpu cpu=1 backend=huggingface", "a.py:2:2 MZ004"}},
		"a wrapper of another file": {files: map[string]string{"d.py": maze + "def io(**k):\n  return task(**k)\n", "a.py": "from d import io\n@io(mem=5)\n" + f},
			want: []string{"a.py:2:2 MZ012"}},
		"of a claimed one":       {files: map[string]string{"a.py": "from sdk import task\nd = task(name='x', cpu_num=2, mem=1024)\n@d\n" + f}, claims: []string{"sdk:task"}, want: []string{"x: cpu cpu=2 memory=1Gi backend=huggingface"}},
		"a claimed wrapper":      {files: map[string]string{"a.py": maze + "def mine(**k):\n  return task(**k)\n@mine(name='x', cpu_num=2, mem=1024)\n" + f}, claims: []string{"a:mine"}, want: []string{"x: cpu cpu=2 memory=1Gi backend=huggingface"}},
		"of one to be claimed":   inA("from sdk import task\nd = task(task_type='gpu', gpu_mem=1024)\n@d\n"+f, "a.py:3:2 MZ012"),
		"Prefect's":              inA(partial + "from prefect import task\nd = task(retries=3)\np = partial(task, retries=3)\n@d\n" + f + "@p\n" + f + "@p(name='x')\n" + f),
		"Celery's":               inA("from celery import Celery\napp = Celery()\ntask = app.task(bind=True)\n@task\n" + f),
		"Huey's":                 inA("from huey import RedisHuey\nhuey = RedisHuey()\ntask = huey.task\n@task(retries=2)\n" + f + "g = task(f)\n"),
		"Flyte's, in a wrapper":  inA("from flytekit import task\ndef mine(**k):\n  return task(**k)\n@mine(cache=True)\n" + f),
		"a cycle of variables":   inA(maze + "d = e\ne = d\n@d\n" + f),
		"many values":            inA(maze + strings.Repeat("d = d or e\ne = e or d\n", 300) + "@d\n" + f),
		"many partials":          inA(partial + maze + "p = " + strings.Repeat("partial(", 300) + "task" + strings.Repeat(", mem=1)", 300) + "\n@p\n" + f),
		"a wrapper of a wrapper": inA(maze+"def one(f):\n  return task(f)\ndef two(f):\n  return one(f)\n@two\n"+f, "a.py:6:2 MZ012"),
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			result := tc.found(t, discover.Options{})
			if diff := cmp.Diff(tc.want, lines(result)); diff != "" {
				t.Errorf("(-want +got):\n%s%v", diff, result.Findings)
			}
		})
	}
}
