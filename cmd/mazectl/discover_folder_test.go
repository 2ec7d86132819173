package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/deliver"
)

// contents gives the files of a folder, by name.
func contents(t *testing.T, folder string) map[string]string {
	t.Helper()
	out := map[string]string{}
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		content, err := os.ReadFile(filepath.Join(folder, entry.Name()))
		if err != nil {
			t.Fatal(err)
		}
		out[entry.Name()] = string(content)
	}
	return out
}

func keys(m map[string]string) string {
	var names []string
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

// TestOutputDir follows a folder of manifests through the life of its Python files.
func TestOutputDir(t *testing.T) {
	source := func(task string) []byte {
		return fmt.Appendf(nil, "from maze import task\n\n\n@task(name=%q)\ndef run(path: str):\n    return {}\n", task)
	}
	root := t.TempDir()
	if err := os.CopyFS(root, fstest.MapFS{
		"src/a.py": {Data: source("first")}, "src/b.py": {Data: source("second")},
		"out/mine.yaml": {Data: []byte("kind: ConfigMap\n")}, "out/theirs.yaml": {Data: []byte(deliver.MadeBy + " --source-name others\nkind: MazeTask\n")},
		"out/notes.txt": {Data: []byte(deliver.MadeBy + "\n")},
	}); err != nil {
		t.Fatal(err)
	}
	t.Chdir(root)
	const foreign = "mine.yaml notes.txt "
	steps := []struct {
		name     string
		edit     func() error
		args     []string
		wantCode int
		wantSaid string // a part of it
		want     string // the files
	}{
		{name: "nothing there yet", args: []string{"--check"}, wantCode: exitFindings, wantSaid: "+++ out/first.yaml", want: foreign + "theirs.yaml"},
		{name: "written", wantSaid: "out: 3 written, 0 removed, 0 unchanged", want: "first.yaml kustomization.yaml " + foreign + "second.yaml theirs.yaml"},
		{name: "the same", wantSaid: "out: 0 written, 0 removed, 3 unchanged", want: "first.yaml kustomization.yaml " + foreign + "second.yaml theirs.yaml"},
		{name: "checked", args: []string{"--check"}, want: "first.yaml kustomization.yaml " + foreign + "second.yaml theirs.yaml"},
		{name: "changed", edit: func() error {
			return os.WriteFile("src/b.py", bytes.Replace(source("second"), []byte(")"), []byte(", mem=1)"), 1), 0o644)
		},
			args: []string{"--check"}, wantCode: exitFindings, wantSaid: "-    memory: 1Gi\n+    memory: 1Mi\n", want: "first.yaml kustomization.yaml " + foreign + "second.yaml theirs.yaml"},
		{name: "written again", wantSaid: "out: 1 written, 0 removed, 2 unchanged", want: "first.yaml kustomization.yaml " + foreign + "second.yaml theirs.yaml"},
		{name: "broken", edit: func() error { return os.WriteFile("src/b.py", []byte("@task("), 0o644) }, wantCode: exitFindings,
			wantSaid: "out: 0 written, 0 removed, 3 unchanged", want: "first.yaml kustomization.yaml " + foreign + "second.yaml theirs.yaml"},
		{name: "gone, checked", edit: func() error { return os.Remove("src/b.py") }, args: []string{"--check"}, wantCode: exitFindings,
			wantSaid: "--- out/second.yaml\n+++ /dev/null\n", want: "first.yaml kustomization.yaml " + foreign + "second.yaml theirs.yaml"},
		{name: "gone", wantSaid: "out: 1 written, 1 removed, 1 unchanged", want: "first.yaml kustomization.yaml " + foreign + "theirs.yaml"},
		{name: "of a source", args: []string{"--source-name=src"}, wantSaid: "out: 2 written", want: "first.yaml kustomization.yaml " + foreign + "theirs.yaml"},
		{name: "of another source", args: []string{"--source-name=other"}, wantCode: exitFailed, wantSaid: "out/first.yaml was not made by this discovery",
			want: "first.yaml kustomization.yaml " + foreign + "theirs.yaml"},
		{name: "in the way", edit: func() error { return os.WriteFile("src/c.py", source("mine"), 0o644) }, args: []string{"--source-name=src"},
			wantCode: exitFailed, wantSaid: "out/mine.yaml was not made by this discovery", want: "first.yaml kustomization.yaml " + foreign + "theirs.yaml"},
	}
	for _, step := range steps {
		if step.edit != nil {
			if err := step.edit(); err != nil {
				t.Fatal(err)
			}
		}
		said, code := call(t, "", append([]string{"discover", "src", "--output-dir=out"}, step.args...), "", false, 0)
		got := contents(t, "out")
		if code != step.wantCode || !strings.Contains(said, step.wantSaid) || keys(got) != step.want {
			t.Errorf("%s: exit code %d, want %d; files %s, want %s; want %q in:\n%s", step.name, code, step.wantCode, keys(got), step.want, step.wantSaid, said)
		}
	}
	want := deliver.MadeBy + " --source-name src\napiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n- first.yaml\n"
	if diff := cmp.Diff(want, contents(t, "out")[deliver.KustomizationFile]); diff != "" {
		t.Errorf("%s (-want +got):\n%s", deliver.KustomizationFile, diff)
	}
}
