package pysource

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// jobPy is a Python file whose function job is a task if a name of another file is a decorator.
func jobPy(module, name string) string {
	return fmt.Sprintf("from %s import %s\n\n\n@%s\ndef job(x):\n    return {\"y\": x}\n", module, name, name)
}

// numbered has a file for each number below n, which both patterns have.
func numbered(n int, name, content string) map[string]string {
	files := map[string]string{}
	for i := range n {
		files[fmt.Sprintf(name, i)] = strings.ReplaceAll(content, "NUMBER", fmt.Sprint(i))
	}
	return files
}

// lines returns a line for each number below n.
func lines(n int, line string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.ReplaceAll(line, "NUMBER", fmt.Sprint(i)) + "\n")
	}
	return b.String()
}

// TestFindTasksOfImporters: a task by a decorator that another file makes is found, and with ParseAll none of them is lost.
func TestFindTasksOfImporters(t *testing.T) {
	const quick = "quick = task(resources={\"cpu\": 1})\n"
	cases := map[string]struct {
		files map[string]string
		more  map[string]string

		onlyAll bool // whether it takes ParseAll
		others  int  // how many other tasks there are
	}{
		"made by a file":    {files: map[string]string{"deco.py": "from maze import task\n" + quick, "a.py": jobPy("deco", "quick")}},
		"kept in a dict":    {files: map[string]string{"deco.py": "from maze import task\n" + quick, "a.py": "from deco import quick\nK = {'a': quick}\n@K['a']\ndef job(x):\n    return {\"y\": x}\n"}},
		"taken by a module": {files: map[string]string{"deco.py": "from maze import task\n" + quick, "a.py": "import deco\n@deco.quick\ndef job(x):\n    return {\"y\": x}\n"}},
		"beside a task of Maze": {files: map[string]string{"deco.py": "from maze import task\n" + quick,
			"a.py": jobPy("deco", "quick") + taskPy("other")}, others: 1},
		"made after 200 constants": {files: map[string]string{"deco.py": "from maze import task\n" + lines(200, "CNUMBER = 1") + quick,
			"a.py": jobPy("deco", "quick")}},
		"made after 200 functions": {files: map[string]string{"a.py": jobPy("deco", "quick"),
			"deco.py": "from maze import task\n" + lines(200, "def fNUMBER(t): return t.cpu()") + quick}},
		"among more names than a file may have": {files: map[string]string{"a.py": jobPy("deco", "t450"),
			"deco.py": "from maze import task\n" + lines(500, "tNUMBER = task(resources={\"cpu\": 1})")}},
		"among more names than all may have": {files: map[string]string{"deco.py": "from maze import task\n" + quick, "a.py": jobPy("deco", "quick")},
			more: numbered(2*maxMade, "b%d.py", "from maze import task\nnameNUMBER = task(resources={\"cpu\": 1})\n")},
		"made by a package":               {files: map[string]string{"sdk/__init__.py": "from maze import task as quick\n", "tools/a.py": jobPy("sdk", "quick")}},
		"imported over lines":             {files: map[string]string{"deco.py": "from maze import (\n    task as quick,\n)\n", "a.py": jobPy("deco", "quick")}},
		"imported if it is there":         {files: map[string]string{"deco.py": "try:\n    from maze import task as quick\nexcept ImportError:\n    quick = None\n", "a.py": jobPy("deco", "quick")}},
		"renamed by a third file":         {files: map[string]string{"d.py": "from maze import task as q\n", "e.py": "from d import q as r\n", "a.py": jobPy("e", "r")}},
		"renamed by a package":            {files: map[string]string{"d.py": "from maze import task as q\n", "e/__init__.py": "from d import (\n    q as r)\n", "a.py": jobPy("e", "r")}},
		"renamed by six files":            {files: map[string]string{"d0.py": "from maze import task as q0\n", "a.py": jobPy("d6", "q6")}, more: renaming(6)},
		"renamed without a word of Maze":  {files: map[string]string{"d.py": "from maze import task\n", "e.py": "from d import task as q\n", "a.py": jobPy("e", "q")}},
		"assigned without a word of Maze": {files: map[string]string{"d.py": "from maze import task as q\n", "e.py": "import d\nr = d.q\n", "a.py": jobPy("e", "r")}, onlyAll: true},
	}
	for name, tc := range cases {
		for _, parseAll := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s/%v", name, parseAll), func(t *testing.T) {
				maps.Copy(tc.files, tc.more)
				f, err := Find(t.Context(), Options{ParseAll: parseAll, Shown: func(name string) string { return name }}, []string{tree(t, tc.files)})
				if err != nil {
					t.Fatal(err)
				}
				var want, got []string
				if parseAll || !tc.onlyAll {
					want = append(want, "job")
				}
				for _, task := range f.Tasks {
					if task.Spec.Name == "job" {
						got = append(got, task.Spec.Name)
					}
				}
				if diff := cmp.Diff(want, got); diff != "" || len(f.Tasks) != len(want)+tc.others {
					t.Errorf("%d tasks, %v (-want +got):\n%s", len(f.Tasks), f.Findings, diff)
				}
			})
		}
	}
}

// renaming has n files of which each renames a decorator of the one before it.
func renaming(n int) map[string]string {
	files := map[string]string{}
	for i := range n {
		files[fmt.Sprintf("d%d.py", i+1)] = fmt.Sprintf("from d%d import q%d as q%d\n", i, i, i+1)
	}
	return files
}
