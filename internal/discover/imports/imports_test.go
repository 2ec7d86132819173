package imports_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/maze-agent/maregister/internal/discover/imports"
	"github.com/maze-agent/maregister/internal/discover/syntax"
)

func parse(path, source string) *syntax.Module {
	all := func(*syntax.Module, *syntax.Function, *syntax.Expr) bool { return true }
	return syntax.NewParser(all).Parse(path, imports.ModuleName(path), []byte(source))
}

func TestFiles(t *testing.T) {
	for module, want := range map[string][]string{
		"a":      {"a/__init__.py", "a.py"},
		"a.b":    {"a/b/__init__.py", "a/b.py"},
		"a..b":   nil,
		"../../": nil,
	} {
		if diff := cmp.Diff(want, imports.Files(module)); diff != "" {
			t.Errorf("Files(%q) (-want +got):\n%s", module, diff)
		}
		for _, file := range want {
			if got := imports.ModuleName(file); got != module {
				t.Errorf("ModuleName(%q) = %q, want %q", file, got, module)
			}
		}
	}
}

func TestImportable(t *testing.T) {
	for path, want := range map[string]bool{
		"a.py": true, "a/__init__.py": true, "größe/_b1.py": true, "a-b.py": false, "1/a.py": false, "a b/c.py": false, "a.b.py": false,
	} {
		if got := imports.Importable(path); got != want {
			t.Errorf("Importable(%q) = %t, want %t", path, got, want)
		}
	}
}

// TestReferenceOf resolves what stands in import statements of modules at several places.
func TestReferenceOf(t *testing.T) {
	for _, tc := range []struct {
		path, source, name string
		want               imports.Reference
	}{
		{"a/b.py", "import x.y", "x", imports.Reference{Module: "x"}},
		{"a/b.py", "import x.y as z", "z", imports.Reference{Module: "x.y"}},
		{"a/b.py", "from x.y import n", "n", imports.Reference{Module: "x.y", Name: "n"}},
		{"a/b.py", "from x import n as m", "m", imports.Reference{Module: "x", Name: "n"}},
		{"a/b.py", "from . import n", "n", imports.Reference{Module: "a", Name: "n"}},
		{"a/b.py", "from .c import n", "n", imports.Reference{Module: "a.c", Name: "n"}},
		{"a/b/c.py", "from ..d import n", "n", imports.Reference{Module: "a.d", Name: "n"}},
		{"a/__init__.py", "from . import n", "n", imports.Reference{Module: "a", Name: "n"}},
		{"a/__init__.py", "from .c import n", "n", imports.Reference{Module: "a.c", Name: "n"}},
		{"a.py", "from . import n", "n", imports.Reference{Module: ".", Name: "n"}},
		{"a.py", "from .c import n", "n", imports.Reference{Module: "c", Name: "n"}},
		{"a/b.py", "from ...c import n", "n", imports.Reference{Module: ".", Name: "n"}},
	} {
		m := parse(tc.path, tc.source)
		if got := imports.ReferenceOf(m, m.Bindings[tc.name][0].Imported); got != tc.want {
			t.Errorf("%s in %s: %+v, want %+v", tc.source, tc.path, got, tc.want)
		}
	}
}

// TestModuleOf has expressions that name a module for certain, and others. The zero value is for the latter.
func TestModuleOf(t *testing.T) {
	for source, want := range map[string]imports.Reference{
		"import a\nx = a.N":                {Module: "a"},
		"import a.b\nimport a.c\nx = a.N":  {Module: "a"},
		"import a as b\nx = b.N":           {Module: "a"},
		"from p import a\nx = a.N":         {Module: "p", Name: "a"},
		"import p.a\nx = p.a.N":            {Module: "p", Name: "a"},
		"import a\nimport b as a\nx = a.N": {},
		"import a\na = 1\nx = a.N":         {},
		"x = a.N":                          {},
	} {
		m := parse("m.py", source)
		got, ok := imports.ModuleOf(m, m.Bindings["x"][0].Value.Operands[0])
		if got != want || ok != (want != imports.Reference{}) {
			t.Errorf("%q: %+v, %t, want %+v", source, got, ok, want)
		}
	}
}

// TestOriginOf follows x through the modules of a package root.
func TestOriginOf(t *testing.T) {
	const unknown, library, foreign, defined = imports.Unknown, imports.Library, imports.Foreign, imports.Defined
	task := imports.Reference{Module: "maze", Name: "task"}
	claimed := []imports.Reference{{Module: "sdk.tasks", Name: "job"}, {Module: "own", Name: "x"}}
	for name, tc := range map[string]struct {
		files map[string]string
		want  imports.Reference
		from  imports.Origin
	}{
		"the library":       {map[string]string{"m.py": "from maze import task as x"}, task, library},
		"an attribute":      {map[string]string{"m.py": "import maze\nx = maze.task"}, task, library},
		"another name":      {map[string]string{"m.py": "from maze import task\ny = task\nx = y"}, task, library},
		"a foreign package": {map[string]string{"m.py": "from celery import x"}, imports.Reference{Module: "celery", Name: "x"}, foreign},
		"a call":            {map[string]string{"m.py": "import celery\nx = celery.Celery().task"}, imports.Reference{}, foreign},
		"either":            {map[string]string{"m.py": "try:\n  from maze import task as x\nexcept ImportError:\n  x = None"}, task, library},
		"a function":        {map[string]string{"m.py": "def x(): pass"}, imports.Reference{Module: "m", Name: "x"}, defined},
		"a function of another module": {map[string]string{"m.py": "from p import x", "p.py": "def x(): pass"},
			imports.Reference{Module: "p", Name: "x"}, defined},
		"a value that is computed": {map[string]string{"m.py": "def make(): pass\nx = make()"}, imports.Reference{Module: "m", Name: "x"}, defined},
		"a method":                 {map[string]string{"m.py": "class A: pass\na = A()\nx = a.task"}, imports.Reference{Module: "m", Name: "x"}, defined},
		"a fallback":               {map[string]string{"m.py": "try:\n  from celery import x\nexcept ImportError:\n  def x(): pass"}, imports.Reference{Module: "celery", Name: "x"}, foreign},
		"a claimed name":           {map[string]string{"m.py": "import sdk.tasks as t\nx = t.job"}, imports.Reference{Module: "sdk.tasks", Name: "job"}, library},
		"a claimed function":       {map[string]string{"m.py": "from own import x", "own.py": "def x(): pass"}, imports.Reference{Module: "own", Name: "x"}, library},
		"a claimed re-export":      {map[string]string{"m.py": "from p import x", "p.py": "from sdk.tasks import job as x"}, imports.Reference{Module: "sdk.tasks", Name: "job"}, library},
		"bindings of bindings":     {map[string]string{"m.py": fanOut(10)}, imports.Reference{Module: "m", Name: "x19"}, defined},
		"nothing":                  {map[string]string{"m.py": ""}, imports.Reference{}, unknown},
		"a re-export":              {map[string]string{"m.py": "from p import x", "p/__init__.py": "from .q import x", "p/q.py": "from maze import task as x"}, task, library},
		"a wildcard":               {map[string]string{"m.py": "from p import *", "p/__init__.py": "from .q import *", "p/q.py": "from maze import task as x"}, task, library},
		"a module of itself":       {map[string]string{"m.py": "from m import x"}, imports.Reference{Module: "m", Name: "x"}, unknown},
		"a cycle of imports":       {map[string]string{"m.py": "from n import x", "n.py": "from m import x"}, imports.Reference{Module: "n", Name: "x"}, unknown},
	} {
		t.Run(name, func(t *testing.T) {
			r := imports.Resolver{Library: []string{"maze"}, Claimed: claimed, Load: func(module string) *syntax.Module {
				for _, file := range imports.Files(module) {
					if source, ok := tc.files[file]; ok {
						return parse(file, source)
					}
				}
				return nil
			}}
			m := parse("m.py", tc.files["m.py"])
			got, from := r.OriginOf(m, &syntax.Expr{Kind: syntax.Name, Text: "x"})
			if got != tc.want || from != tc.from {
				t.Errorf("%+v, %d, want %+v, %d", got, from, tc.want, tc.from)
			}
		})
	}
}

// fanOut binds x so that the ways from name to name are more than can be followed.
func fanOut(n int) string {
	var out strings.Builder
	out.WriteString(strings.Repeat("x = x0\n", n))
	for i := range 20 {
		out.WriteString(strings.Repeat(fmt.Sprintf("x%d = x%d\n", i, i+1), n))
	}
	return out.String()
}
