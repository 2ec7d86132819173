package discover_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/maze-agent/maregister/internal/discover"
)

// TestMentions says which files need not be parsed. TestCPython shows that no task is lost by it.
func TestMentions(t *testing.T) {
	const function = "\ndef f(): pass\n"
	for text, want := range map[string]bool{
		"":                                     false,
		"x = 1\n":                              false,
		"@property" + function:                 false,
		"@task" + function:                     true,
		"\ufeff@task" + function:               true,
		"x = 1\r\f  @task" + function:          true,
		"@ maze . task ( )" + function:         true,
		"@maze.task_kind" + function:           false,
		"@requires('cpu')" + function:          false,
		"@op(gpu_mem=3)" + function:            true,
		"@op(\n  cpu_num = 3)" + function:      true,
		"@op(data_types={})" + function:        true,
		"@op(x='gpu_mem')" + function:          false,
		"@a().b[1]. task()" + function:         true,
		"@maze \\\n.task" + function:           true,
		"@(\ntask)" + function:                 true,
		"@(a.task)" + function:                 true,
		"@(a\n .task)" + function:              true,
		"@(a\n .b)" + function:                 false,
		"@(x)\n@task" + function:               true,
		"t = maze.io\n@(a, \\\n t)" + function: true,
		"@partial(a, mem=1)" + function:        false,
		"@partial(\n  io)" + function:          true,
		"(\n@(never defined)\n)":               true,
		"@\n@@ -1 +1 @@\n":                     false,
		"multitasking @ work":                  false,
		"x = a\\\n@ task\n":                    true, // a product, which costs a look
		"# @task" + function:                   false,
		"\xff\xfe@\x00":                        true,

		"from maze import io as x\n@x" + function:               true,
		"from maze import (gpu as y, io\tas  x)\n@x" + function: true,
		"from maze import (io as\n x)\n@x" + function:           true,
		"from maze import (io\n as x)\n@x" + function:           true,
		"from maze import io \\\n as x\n@x" + function:          true,
		"from maze import io as \\\n x\n@x" + function:          true,
		"from maze import io as xy\n@x" + function:              false,
		"from maze import bio as x\n@x" + function:              false,
		"from maze import io as x\n@y" + function:               false,
		"import io as x\n@y\n@x.y" + function:                   true,
		"from functools import wraps\n@wraps(f)" + function:     false,

		"import maze\nt = maze.gpu\n@t" + function:                          true,
		"import maze\nt: A = maze.gpu\n@t" + function:                       true,
		"import maze\n(t := maze.gpu)\n@t" + function:                       true,
		"import maze\nu = maze.gpu\nt=u\n@t" + function:                     true,
		"import maze\nt = (\n  maze.gpu)\n@t" + function:                    true,
		"from maze import task\nt = task(mem=1)\n@t" + function:             true,
		"import maze\nt = maze.task(mem=1)\n@t" + function:                  true,
		"from maze import task\nt, u = task(mem=1), 2\n@t" + function:       true,
		"from maze import task\nt = {'x': task(mem=1)}\n@t['x']" + function: true,
		"from maze import task\nt = partial(task, mem=1)\n@t" + function:    true,
		"from maze import task\n@partial(task, mem=1)" + function:           true,
		"from maze import task\ndef t(f):\n return task(f)\n@t" + function:  true,
		"from maze import task\ndef t(f):\n return task\n@t" + function:     false,
		"from maze import task\ndef u(f):\n return task(f)\n@t" + function:  false,
		"from x import y\ndef task(): ...\ndef t(f): ...\n@t" + function:    false,
		"from x import y\nt = y.get(task=1)\n@t" + function:                 false,

		"from x import task\nt = task(mem=1)\n@t" + function:              true,
		"from x import tasks\nt = tasks.task(mem=1)\n@t" + function:       true,
		"from x import tasks\nt = tasks.new(mem=1)\n@t" + function:        false,
		"from x import tasks\ndef task(): ...\nt = task()\n@t" + function: false,

		"import os,maze\nt = maze.task(mem=1)\n@t" + function:                                    true,
		"import\tmaze\nt = maze.task(mem=1)\n@t" + function:                                      true,
		"import \\\n maze as m\nt = m.task(mem=1)\n@t" + function:                                true,
		"from \\\r\n maze \\\r\n import task\r\nt = task(mem=1)\r\n@t" + function:                true,
		"from maze import(task)\nt = task(mem=1)\n@t" + function:                                 true,
		"from maze import task\nt = {'x': task}\n@t['x']" + function:                             true,
		"from maze import task\nt = {\n'x': task,\n}\n@t['x']" + function:                        true,
		"from maze import task\nt = dict(\n  y=1,\n  x=task)\n@t['x']" + function:                true,
		"from maze import task\nt=a=b=task\n@t" + function:                                       true,
		"from maze import task\na=t=b=task\n@t" + function:                                       true,
		"from maze import task\nt, b = task, 1\n@t" + function:                                   true,
		"from maze import task\nb, (*c, t) = 1, [task]\n@t" + function:                           true,
		"from maze import task\nt = (  # of all\n  task\n)\n@t" + function:                       true,
		"from maze import task\nt: C[\n  [C], C\n] = task\n@t" + function:                        true,
		"from maze import task\nif x:\n  t = y and task\n@t" + function:                          true,
		"from maze import task\nif x == y: t = y and task\n@t" + function:                        true,
		"from maze import task\nx = 1; t = y or task\n@t" + function:                             true,
		"from maze import task\nx = {'task': 1}\nt = x\n@t" + function:                           false,
		"from maze import task\nx = 1\nprint(task)\n@x.y" + function:                             false,
		"from maze import task\nt = a == task\n@y" + function:                                    false,
		"from mazes import task\n@x" + function:                                                  false,
		"from maze import task\ndef a(x):\n  return x.cpu\n@a" + function:                        false,
		"from maze import task\ndef a(x):\n \"\"\"\ndoc\n\"\"\"\n return task(x)\n@a" + function: true,

		"t = 1\nt == task\n@t" + function: false,
		"t = t\n@t" + function:            false,
	} {
		if got := discover.NewSearcher(nil).Search([]byte(text)).Mentions; got != want {
			t.Errorf("Mentions(%q) = %v, want %v", text, got, want)
		}
	}
}

// TestMentionsHostile: what is searched for again and again takes time in proportion to the file.
func TestMentionsHostile(t *testing.T) {
	for name, text := range map[string]string{
		"a decorator's name in one line": strings.Repeat("task ", 400_000),
		"partial in one line":            strings.Repeat("partial(a.", 200_000),
		"blanks behind a name":           strings.Repeat("t"+strings.Repeat(" ", 2_000), 500),
		"assignments":                    strings.Repeat("t = \\\n", 200_000),
		"imports of tasks":               strings.Repeat("from x import tasks\n", 19) + strings.Repeat("x = tasks.new\n", 100_000),
		"decorators in parentheses":      strings.Repeat("@(a\ndef f(): ...\n", 100_000),
		"lines joined to an import":      strings.Repeat("\\\n", 500_000) + "import x\n",
		"imports joined to each other":   strings.Repeat("import x \\\n", 100_000),
		"imports that do not end":        strings.Repeat("from x import (\n", 100_000),
		"targets":                        strings.Repeat("y=", 500_000) + "1\n" + strings.Repeat("y, ", 300_000) + "= 1\n",
		"statements in one line":         strings.Repeat("x=1;", 300_000),
		"imports":                        "from maze import " + strings.Repeat("x as y, ", 200_000),
	} {
		t.Run(name, func(t *testing.T) {
			source := []byte("from maze import x\n@t\n" + text)
			if found := discover.NewSearcher(nil).Search(source); found.Mentions || len(found.Makes) > 0 {
				t.Errorf("found a decorator")
			}
		})
	}
}

// TestMayImport says which files are searched again with the names of decorators that other files make. No other can declare a task by one.
func TestMayImport(t *testing.T) {
	for text, want := range map[string]bool{
		"":                                false,
		"import os\nx = 1\n":              false,
		"from deco import job\nx = job\n": false,
		"from deco import job\n@job\ndef f(): ...\n":    true,
		"import deco\n@deco.job\ndef f(): ...\n":        true,
		"import deco\nx = deco.job\n@x\ndef f(): ...\n": true,
		"import maze, deco\nf = deco.job(g)\n":          true,
		"from deco import job as work\n":                true,
		"from deco import (\n    job as work)\n":        true,
	} {
		found := discover.NewSearcher(nil).Search([]byte(text))
		again := discover.NewSearcher(discover.Claims(nil).AlsoNamed([]string{"job"})).Search([]byte(text))
		if found.MayImport != want {
			t.Errorf("Search(%q) has MayImport %v, want %v", text, found.MayImport, want)
		}
		if !want && (again.Mentions || len(again.Makes) > 0) {
			t.Errorf("Search(%q) finds more with another name", text)
		}
	}
}

// TestMakes has the names that a file may give decorators, which other files use.
func TestMakes(t *testing.T) {
	for text, want := range map[string][]string{
		"":                                                                  nil,
		"from x import task\nt = task(mem=1)\n":                             nil,
		"from maze import task\n":                                           nil,
		"from maze import task as t, gpu as g\n":                            {"t", "g"},
		"from maze import task\nt = task\n":                                 {"t"},
		"from maze import task\nt = task(mem=1)\n":                          {"t"},
		"from maze import task\nt: T = task(mem=1)\n":                       {"t"},
		"from maze import task\nt = partial(task, mem=1)\n":                 {"t"},
		"from maze import task\ndef t(**k):\n    return task(**k)\n":        {"t"},
		"from maze import task\n@task(mem=1)\ndef f(): ...\nx = 1\n":        nil,
		"import maze\nt = maze.io()\ndef u(f): ...\nfor x in y:\n  z = 1\n": {"t"}, // u is no decorator: nothing in it is

		"from maze import (\n    task as t,  # (all)\n    io as u\n)\n":                {"t", "u"},
		"from maze import \\\n    task as \\\n t\nx = 1\n":                             {"t"},
		"try:\n    from maze import task as t\nexcept ImportError:\n    t = None\n":    {"t"},
		"try:\n\timport maze\n\tt = maze.task\nexcept ImportError:\n\tt = None\n":      {"t"},
		"from maze \\\n  import task\nt = (\n  task\n)\n":                              {"t"},
		"import maze; t = maze.task\n":                                                 {"t"},
		"from maze import task\nt = u = task\nv = 1\n":                                 {"t", "u"},
		"from maze import client as c\nt = c.task(mem=1)\n":                            {"t"},
		"from maze import task as t\ndef u(**k):\n    return v(**k)\ndef v(f): t(f)\n": {"t", "v", "u"},
		"import maze\nasync def t(f): return maze.task(f)\ndef v(f):\n  x = task\n":    {"t"},
		"import maze, torch\ndef t(x):\n    return x.cpu()\nx = {'cpu': 1}\n":          nil,
		strings.Repeat("c = 1\n", 200) + "from maze import task as t\n":                {"t"},
	} {
		if diff := cmp.Diff(want, discover.NewSearcher(nil).Search([]byte(text)).Makes); diff != "" {
			t.Errorf("Makes(%q) (-want +got):\n%s", text, diff)
		}
	}
}

// TestMakesMany: of too many names, none is left out without a word.
func TestMakesMany(t *testing.T) {
	var many, chain strings.Builder
	for i := range 1000 {
		fmt.Fprintf(&many, "t%d = task(mem=%d)\n", i, i)
		fmt.Fprintf(&chain, "def t%d(f): return t%d(f)\n", i, i+1)
	}
	for name, source := range map[string]string{"many": many.String(), "each of the next one": chain.String() + "t1000 = task\n"} {
		t.Run(name, func(t *testing.T) {
			found := discover.NewSearcher(nil).Search([]byte("from maze import task\n" + source + "@t0\ndef f(): ...\n"))
			if !found.MakesMore || !found.Mentions {
				t.Errorf("got %+v, want more names than are said", found)
			}
		})
	}
}

func TestNames(t *testing.T) {
	names := discover.NewNames([]string{"job", "q"})
	for text, want := range map[string]bool{"": false, "jobs": false, "ajob": false, "jobs job": true, "x.q": true, "q": true, "é_q": false} {
		if got := names.In([]byte(text)); got != want {
			t.Errorf("In(%q) = %v, want %v", text, got, want)
		}
	}
}
