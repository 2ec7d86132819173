package discover_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// source is a generated file.
type source struct {
	path string
	text []byte
}

// generated is a tree of Python files.
type generated struct {
	files []source
	// functions is how many decorated functions are in it.
	functions int
	names     []string
	serial    int
	// forms is how many ways to declare a task are used: the first 3 have everything in the decorator.
	forms int
}

// decorators are how a file names Maze's decorators.
type decorators struct {
	imports                  []string
	task, tool, cpu, gpu, io string
	filepath, folderpath     string
	star                     bool
	constants                []constant
	futureAnnotations        bool
}

// shared are the constants of a package, in constants.py and in __init__.py.
var shared = []constant{
	{"MODEL", "llava-v1.6"},
	{"PREFIX", "reads"},
	{"MEBIBYTES", 4096},
	{"CORES", 2},
	{"STRING", dict{{"type", "string"}}},
	{"LIMITS", dict{{"minimum", 0}, {"maximum", 10}}},
	{"REQUIRED", list{"a", "b"}},
	{"GPU_RESOURCES", dict{{"cpu", 2}, {"cpu_mem", 2048}, {"gpu", 1}, {"gpu_mem", 8192}}},
	{"TYPES", dict{{"a", "int"}, {"b", "List[int]"}}},
}

// generate writes packages of modules with tasks.
func generate(seed uint64, python, forms, packages, modules, functions int) *generated {
	random := rand.New(rand.NewPCG(seed, 0))
	g := &generated{forms: forms}
	for p := range packages {
		pkg := fmt.Sprintf("pkg%02d", p)
		w := &writer{Rand: random, python: python}
		g.add(pkg+"/__init__.py", w.constantsFile(shared[:4]))
		g.add(pkg+"/sub/__init__.py", "")
		g.add(pkg+"/constants.py", w.constantsFile(shared))
		g.add(pkg+"/deco.py", "import maze\nfrom maze.client.maze.decorator import task, TYPE_FILEPATH\nfrom agentos.scheduler import *\n"+
			"from agentos.scheduler import cpu, gpu, io\nfrom maze.library.tools.definitions import tool\nfrom maze import TYPE_FOLDERPATH\n")
		g.add(pkg+"/helpers.py", helpers)
		for m := range modules {
			path := fmt.Sprintf("%s/tools_%d.py", pkg, m)
			if m%3 == 0 {
				path = fmt.Sprintf("%s/sub/tools_%d.py", pkg, m)
			}
			w := &writer{Rand: random, python: python, latin: m == 1}
			g.addEncoded(w, path, g.module(w, pkg, path, functions), m)
		}
	}
	return g
}

const helpers = `import functools


def logged(function):
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)
    return wrapper


def retried(times, **options):
    return logged
`

func (w *writer) constantsFile(constants []constant) string {
	var b strings.Builder
	b.WriteString(typeImports)
	for _, c := range constants {
		text := w.expression(c.value, 3)
		for _, line := range w.pending {
			b.WriteString(line + "\n")
		}
		w.pending = nil
		b.WriteString(c.text + pick(w, "", ": Final", ": object") + " = " + text + pick(w, "", "  # one", ";") + "\n")
		w.constants = append(w.constants, c)
	}
	w.constants = nil
	return b.String()
}

func (g *generated) add(path, text string) {
	g.files = append(g.files, source{path, []byte(text)})
}

// addEncoded adds a file with one of the encodings and line ends that Python reads.
func (g *generated) addEncoded(w *writer, path, text string, m int) {
	switch m {
	case 1:
		text = pick(w, "# -*- coding: latin-1 -*-\n", "#!/usr/bin/python3\n# vim: set fileencoding=iso-8859-1 :\n", "# coding=latin1\n") + text
		encoded := make([]byte, 0, len(text))
		for _, r := range text {
			encoded = append(encoded, byte(r))
		}
		g.files = append(g.files, source{path, encoded})
		return
	case 2:
		text = strings.ReplaceAll(text, "\n", "\r\n")
	case 3:
		text = "\ufeff" + text
	case 4:
		text = "# -*- coding: utf-8 -*-\n" + text
	}
	g.add(path, text)
}

// module writes a module with functions.
func (g *generated) module(w *writer, pkg, path string, functions int) string {
	d := w.decorators(pkg, strings.Contains(path, "/sub/"))
	w.constants = d.constants
	var b strings.Builder
	b.WriteString(pick(w, "", `"""A module of tools."""`+"\n", "'''@task(name=\"not this\")\ndef f(): pass'''\n", "# tools\n\n"))
	if d.futureAnnotations {
		b.WriteString("from __future__ import annotations\n")
	}
	b.WriteString(typeImports + strings.Join(d.imports, "\n") + "\n\n\nclass Custom:\n    pass\n\n\n")
	for n := range w.IntN(4) {
		text := w.record(n)
		g.flush(w, &b)
		b.WriteString(text)
	}
	for range functions {
		function := g.function(w, d)
		g.flush(w, &b)
		b.WriteString(function + pick(w, "\n\n", "\n", "\n\n\f\n", "\n# a comment\n\n"))
		if w.coin(8) {
			b.WriteString(w.noise(d))
		}
	}
	return b.String() + pick(w, "", "if __name__ == '__main__':\n    print(\"@task\")\n", "# the end, without a line end")
}

func (*generated) flush(w *writer, b *strings.Builder) {
	for _, line := range w.pending {
		b.WriteString(line + "\n")
	}
	w.pending = nil
}

// noise is what declares no task, or none that a module has in the end.
func (w *writer) noise(d decorators) string {
	w.serial++
	n := w.serial
	return pick(w,
		fmt.Sprintf("def plain_%d(x: int = 3):\n    return {'x': x}\n\n\n", n),
		fmt.Sprintf("class Holder%d:\n    @%s(name=\"method-%d\")\n    def method(self):\n        return 1\n\n\n", n, d.task, n),
		fmt.Sprintf("def outer_%d():\n    @%s(name=\"inner-%d\")\n    def inner():\n        return 1\n    return inner\n\n\n", n, d.tool, n),
		fmt.Sprintf("@%s(name=\"async-%d\")\nasync def asynchronous_%d():\n    return 1\n\n\n", d.task, n, n),
		fmt.Sprintf("TEXT_%d = \"\"\"\n@task(name='text')\ndef f():\n    pass\n\"\"\"\n", n),
		fmt.Sprintf("if __name__ == \"__main__\":\n    @%s(name=\"main-%d\")\n    def only_main():\n        return 1\n\n\n", d.task, n),
	)
}

// decorators chooses how a file imports what it needs.
func (w *writer) decorators(pkg string, sub bool) decorators {
	dot, up := ".", "."
	if sub {
		dot, up = "..", ".."
	}
	styles := []decorators{
		{imports: []string{"from maze.client.maze.decorator import task, TYPE_FILEPATH, TYPE_FOLDERPATH"}, task: "task", filepath: "TYPE_FILEPATH", folderpath: "TYPE_FOLDERPATH"},
		{imports: []string{"from maze.client.maze.decorator import (task as io_bound,  # odd\n    TYPE_FILEPATH as FILE)"}, task: "io_bound", filepath: "FILE"},
		{imports: []string{"from maze import task as gpu"}, task: "gpu"},
		{imports: []string{"import maze"}, task: "maze.task", filepath: "maze.TYPE_FILEPATH"},
		{imports: []string{"import os, maze.client.maze.decorator as m"}, task: "m.task", folderpath: "m.TYPE_FOLDERPATH"},
		{imports: []string{"import maze.client.maze.decorator"}, task: "maze.client.maze.decorator.task", filepath: "maze.client.maze.decorator.TYPE_FILEPATH"},
		{imports: []string{"from maze.client.maze import decorator"}, task: "decorator.task"},
		{imports: []string{"import maze", "register = maze.task"}, task: "register"},
		{imports: []string{"from maze import *"}, task: "task", star: true},
		{imports: []string{"from " + dot + "deco import task, TYPE_FILEPATH"}, task: "task", filepath: "TYPE_FILEPATH"},
		{imports: []string{"from " + dot + "deco import task as t_"}, task: "t_"},
		{imports: []string{"from " + up + " import deco"}, task: "deco.task", folderpath: "deco.TYPE_FOLDERPATH"},
		{imports: []string{"from " + pkg + ".deco import task as run, TYPE_FOLDERPATH as folder"}, task: "run", folderpath: "folder"},
		{imports: []string{"import " + pkg + ".deco as d"}, task: "d.task"},
		{imports: []string{"import " + pkg + ".deco"}, task: pkg + ".deco.task"},
		{imports: []string{"if True:", "    from maze.client.maze.decorator import task"}, task: "task"},
	}
	d := pick(w, styles...)
	d.tool = w.decorator(&d, "tool", "maze.library.tools.definitions", dot)
	d.cpu = w.decorator(&d, "cpu", "agentos.scheduler", dot)
	d.gpu = w.decorator(&d, "gpu", "agentos.scheduler", dot)
	d.io = w.decorator(&d, "io", pick(w, "agentos.scheduler", "agent.scheduler"), dot)
	if d.filepath == "" {
		d.filepath = "'filepath'"
	}
	if d.folderpath == "" {
		d.folderpath = "'folderpath'"
	}
	d.imports = append(d.imports, "from "+dot+"helpers import logged", "from "+up+" import helpers", "import functools, contextlib")
	d.importConstants(w, pkg, dot, up)
	d.futureAnnotations = w.coin(3)
	return d
}

// decorator imports one of the others, under a name of its own as task may have any.
func (w *writer) decorator(d *decorators, name, module, dot string) string {
	alias := name + "_"
	switch w.IntN(5) {
	case 0:
		d.imports = append(d.imports, fmt.Sprintf("import %s as %s_module", module, alias))
		return alias + "_module." + name
	case 1:
		d.imports = append(d.imports, fmt.Sprintf("from %sdeco import %s as %s", dot, name, alias))
		return alias
	case 2:
		parent, last, _ := strings.Cut(module, ".")
		if !strings.Contains(last, ".") {
			d.imports = append(d.imports, fmt.Sprintf("from %s import %s as %s_module", parent, last, alias))
			return alias + "_module." + name
		}
	case 3:
		d.imports = append(d.imports, fmt.Sprintf("from %s import %s as _raw_%s", module, name, name), fmt.Sprintf("%s = _raw_%s", alias, name))
		return alias
	}
	d.imports = append(d.imports, fmt.Sprintf("from %s import %s as %s", module, name, alias))
	return alias
}

func (d *decorators) importConstants(w *writer, pkg, dot, up string) {
	prefix, from := "", shared
	switch w.IntN(9) {
	case 0:
		names := make([]string, len(from))
		for i, c := range from {
			names[i] = c.text
		}
		d.imports = append(d.imports, "from "+dot+"constants import "+strings.Join(names, ", "))
	case 1:
		d.imports = append(d.imports, "import "+pkg+".constants as c")
		prefix = "c."
	case 2:
		d.imports = append(d.imports, "from "+up+" import constants")
		prefix = "constants."
	case 3:
		d.imports = append(d.imports, "import "+pkg+".constants")
		prefix = pkg + ".constants."
	case 4:
		d.imports = append(d.imports, "from "+pkg+" import constants as k")
		prefix = "k."
	case 5:
		from = shared[:4]
		d.imports = append(d.imports, "from "+pkg+" import MODEL, PREFIX, MEBIBYTES, CORES")
	case 6:
		from = shared[:4]
		d.imports = append(d.imports, "import "+pkg)
		prefix = pkg + "."
	case 7:
		d.imports = append(d.imports, "from "+dot+"constants import (", "    PREFIX as START,", "    GPU_RESOURCES as R,)")
		d.constants = []constant{{"START", shared[1].value}, {"R", shared[7].value}}
		return
	case 8:
		return
	}
	for _, c := range from {
		d.constants = append(d.constants, constant{prefix + c.text, c.value})
	}
}
