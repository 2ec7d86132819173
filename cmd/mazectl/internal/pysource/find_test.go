package pysource

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestFindTasks: a strange file costs itself a finding, and the good one beside it nothing.
func TestFindTasks(t *testing.T) {
	outside := tree(t, map[string]string{"secret.py": taskPy("secret")})
	cases := map[string]struct {
		files map[string]string
		make  func(root string) error // what is no file
		dirs  []string                // . if empty

		wantTasks    []string // besides good
		wantFindings []string // FILE: CODE and the beginning of the message
		wantFiles    int      // 1 if 0
	}{
		"nothing else":           {},
		"folders":                {files: map[string]string{"a/b/c.py": taskPy("c"), "a/d.txt": taskPy("d")}, wantTasks: []string{"c@a/b/c.py"}, wantFiles: 2},
		"hidden and dunder":      {files: map[string]string{".a/b.py": taskPy("b"), "__c/d.py": taskPy("d"), ".e.py": taskPy("e"), "__init__.py": taskPy("f")}},
		"folder named as a file": {files: map[string]string{"a.py/b.py": taskPy("b")}, wantFindings: []string{"a.py/b.py: MZ007 run is no task: Python cannot import its file by the name a.py.b"}, wantFiles: 2},
		"named pipe": {make: func(root string) error { return syscall.Mkfifo(filepath.Join(root, "pipe.py"), 0o644) },
			wantFindings: []string{"pipe.py: MZ001 the file is a named pipe"}, wantFiles: 2},
		"named pipe of another kind": {make: func(root string) error { return syscall.Mkfifo(filepath.Join(root, "pipe"), 0o644) }},
		"symbolic link to a named pipe": {files: map[string]string{"link.py": "-> pipe"},
			make:         func(root string) error { return syscall.Mkfifo(filepath.Join(root, "pipe"), 0o644) },
			wantFindings: []string{"link.py: MZ001 the file is a named pipe"}, wantFiles: 2},
		"symbolic link to a file that is there anyway": {files: map[string]string{"a.py": "-> good.py"}},
		"symbolic link to a hidden file":               {files: map[string]string{".v1/a.py": taskPy("a"), "a.py": "-> .v1/a.py"}, wantTasks: []string{"a@a.py"}, wantFiles: 2},
		"symbolic link to a hidden folder":             {files: map[string]string{".v1/a.py": taskPy("a"), "now": "-> .v1"}, wantTasks: []string{"a@now/a.py"}, wantFiles: 2},
		"absolute symbolic link within":                {files: map[string]string{".v1/a.py": taskPy("a"), "now": "-> ROOT/.v1"}, wantTasks: []string{"a@now/a.py"}, wantFiles: 2},
		"symbolic links to each other's folders":       {files: map[string]string{"a/a.py": taskPy("a"), "a/b": "-> ../b", "b/a": "-> ../a"}, wantTasks: []string{"a@a/a.py"}, wantFiles: 2},
		"symbolic link to a folder above":              {files: map[string]string{"a/up": "-> .."}, wantFindings: []string{"a/up: MZ001 the symbolic link leads to a folder that it is in itself"}},
		"symbolic link to itself": {files: map[string]string{"a.py": "-> a.py", "b": "-> b"},
			wantFindings: []string{"a.py: MZ001 the symbolic link leads to itself", "b: MZ001 the symbolic link leads to itself"}, wantFiles: 2},
		"symbolic link to nothing": {files: map[string]string{"a.py": "-> none", "notes.txt": "-> none"},
			wantFindings: []string{"a.py: MZ001 the symbolic link leads to nothing"}, wantFiles: 2},
		"symbolic link to a file outside": {files: map[string]string{"a.py": "-> " + outside + "/secret.py", "python3": "-> /bin/sh"},
			wantFindings: []string{"a.py: MZ001 the symbolic link leads out of the package root", "python3: MZ001"}, wantFiles: 2},
		"symbolic link to a folder outside": {files: map[string]string{"a": "-> " + outside},
			wantFindings: []string{"a: MZ001 the symbolic link leads out of the package root"}},
		"constant from outside": {files: map[string]string{"sizes.py": "-> " + outside + "/secret.py", "a.py": strings.Replace(taskPy("a"), "@task(", "from sizes import S\n@task(mem=S, ", 1)},
			wantTasks: []string{"a@a.py"}, wantFiles: 3,
			wantFindings: []string{"a.py: MZ004", "sizes.py: MZ001 the symbolic link leads out of the package root"}},
		"large file": {make: func(root string) error {
			return os.WriteFile(filepath.Join(root, "large.py"), []byte(strings.Repeat("#", maxSource+1)), 0o644)
		}, wantFindings: []string{"large.py: MZ001 the file is larger (4194305 bytes) than the 4 MiB"}, wantFiles: 2},
		"many folders in each other": {make: func(root string) error {
			return os.MkdirAll(filepath.Join(root, strings.Repeat("a/", 3*maxDepth)), 0o755)
		}, wantFindings: []string{strings.Repeat("a/", maxDepth) + "a: MZ001 the folder is within 128 others"}},
		"one long line":      {files: map[string]string{"a.py": taskPy("a") + "x = [" + strings.Repeat("1, ", 1<<20/3) + "]\n"}, wantFindings: []string{"a.py: MZ001 it is too large or too intricate to be read: split it"}, wantFiles: 2},
		"100,000 brackets":   {files: map[string]string{"a.py": taskPy("a") + "x = " + strings.Repeat("[", 100_000) + "\n"}, wantFindings: []string{"a.py: MZ003"}, wantFiles: 2},
		"a NUL":              {files: map[string]string{"a.py": taskPy("a") + "\x00"}, wantFindings: []string{"a.py: MZ00"}, wantFiles: 2},
		"a byte order mark":  {files: map[string]string{"a.py": "\xef\xbb\xbf" + taskPy("a")}, wantTasks: []string{"a@a.py"}, wantFiles: 2},
		"an empty file":      {files: map[string]string{"a.py": ""}, wantFiles: 2},
		"a file and its dir": {files: map[string]string{"a/b.py": taskPy("b")}, dirs: []string{"a/b.py", "a", "good.py"}, wantTasks: []string{"b@a/b.py"}, wantFiles: 2},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			root := tree(t, tc.files)
			if err := os.WriteFile(filepath.Join(root, "good.py"), []byte(taskPy("good")), 0o644); err != nil {
				t.Fatal(err)
			}
			if tc.make != nil {
				if err := tc.make(root); err != nil {
					t.Fatal(err)
				}
			}
			t.Chdir(root)
			if tc.dirs == nil {
				tc.dirs = []string{"."}
			}
			f, err := Find(t.Context(), Options{PackageRoot: "."}, tc.dirs)
			if err != nil {
				t.Fatal(err)
			}
			var tasks, findings []string
			for _, task := range f.Tasks {
				if task.Spec.Name != "good" {
					tasks = append(tasks, task.Spec.Name+"@"+task.File)
				}
			}
			for i, one := range f.Findings {
				text := one.File + ": " + one.Rule + " " + one.Message
				if i < len(tc.wantFindings) {
					text = text[:min(len(text), len(tc.wantFindings[i]))]
				}
				findings = append(findings, text)
			}
			if diff := cmp.Diff(tc.wantTasks, tasks); diff != "" || len(f.Tasks) != len(tasks)+1 {
				t.Errorf("%d tasks (-want +got):\n%s", len(f.Tasks), diff)
			}
			if diff := cmp.Diff(tc.wantFindings, findings); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if f.Files != max(1, tc.wantFiles) {
				t.Errorf("%d files, want %d", f.Files, max(1, tc.wantFiles))
			}
		})
	}
}

// TestFindTasksUnreadable: a folder or file that may not be read costs itself a finding.
func TestFindTasksUnreadable(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may read everything")
	}
	root := tree(t, map[string]string{"a.py": taskPy("a"), "b/b.py": taskPy("b"), "c.py": taskPy("c")})
	for name, mode := range map[string]os.FileMode{"a.py": 0, "b": 0} {
		if err := os.Chmod(filepath.Join(root, name), mode); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = os.Chmod(filepath.Join(root, name), 0o755) })
	}
	f, err := Find(t.Context(), Options{}, []string{root})
	if err != nil || len(f.Tasks) != 1 || len(f.Findings) != 2 || f.Knows("a.py") || f.Knows("b/b.py") || !f.Knows("c.py") {
		t.Errorf("got %+v, error %v", f, err)
	}
}

func TestFindTasksCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if f, err := Find(ctx, Options{}, []string{tree(t, map[string]string{"a.py": taskPy("a")})}); err == nil {
		t.Errorf("got %+v, want an error", f)
	}
}

func TestPattern(t *testing.T) {
	cases := map[string]struct {
		pattern string
		matches []string
		not     []string
	}{
		"name":                {"test_*", []string{"test_a.py", "a/test_b"}, []string{"a/b_test_c", "test_a/b.py"}},
		"name with a slash":   {"tests/", []string{"tests", "a/tests"}, []string{"a/tests/b"}},
		"path":                {"a/*.py", []string{"a/b.py"}, []string{"a/b/c.py", "x/a/b.py"}},
		"any depth":           {"**/a.py", []string{"a.py", "b/a.py", "b/c/a.py"}, []string{"ba.py"}},
		"any depth between":   {"a/**/**/b.py", []string{"a/b.py", "a/c/d/b.py"}, []string{"b.py", "a/b.pyi"}},
		"all below":           {"a/**", []string{"a", "a/b"}, []string{"ab"}},
		"as a path is begun":  {"/a", []string{"a"}, []string{"b/a"}},
		"as a shell gives it": {"./a/b", []string{"a/b"}, []string{"a"}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p, err := newPattern(tc.pattern)
			if err != nil {
				t.Fatal(err)
			}
			for _, one := range tc.matches {
				if !p.matches(one) {
					t.Errorf("%s does not match %s", tc.pattern, one)
				}
			}
			for _, one := range tc.not {
				if p.matches(one) {
					t.Errorf("%s matches %s", tc.pattern, one)
				}
			}
		})
	}
	for _, text := range []string{"", "/", "[", "a/[b"} {
		if _, err := newPattern(text); err == nil {
			t.Errorf("%q is taken for a pattern", text)
		}
	}
}
