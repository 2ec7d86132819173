package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestOutputIsNoInput: a slip of the pen does not cost a workflow or a manifest.
func TestOutputIsNoInput(t *testing.T) {
	inRoot(t)
	folder := t.TempDir()
	put := func(name, from string) string {
		content, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	workflow, tasks := put("w.json", meeting), put("t.yaml", "examples/dag/tasks/tasks.yaml")
	source, nodes := put("image.py", "cmd/mazectl/testdata/discover/tools/image.py"), put("n.yaml", "cmd/mazectl/testdata/t4-node.yaml")
	link := filepath.Join(folder, "link.json")
	if err := os.Symlink(workflow, link); err != nil {
		t.Fatal(err)
	}
	cases := map[string]struct {
		args    []string
		spoiled string
	}{
		"lint, manifest":             {[]string{"lint", tasks, "--output-file", tasks}, tasks},
		"lint, manifest of a folder": {[]string{"lint", folder, "--output-file", tasks}, tasks},
		"lint, source of a folder":   {[]string{"lint", folder, "--output-file", source}, source},
		"check, workflow":            {[]string{"dag", "check", workflow, "--tasks", tasks, "--output-file", workflow}, workflow},
		"check, a link to it":        {[]string{"dag", "check", workflow, "--tasks", tasks, "--output-file", link}, workflow},
		"check, task of a folder":    {[]string{"dag", "check", workflow, "--tasks", folder, "--output-file", tasks}, tasks},
		"check, nodes":               {[]string{"dag", "check", workflow, "--tasks", tasks, "--placeable", "--nodes", nodes, "--output-file", nodes}, nodes},
		"draw, workflow":             {[]string{"dag", "draw", workflow, "--output-file", workflow}, workflow},
		"draw, tasks":                {[]string{"dag", "draw", workflow, "--tasks", tasks, "--output-file", tasks}, tasks},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			before, err := os.ReadFile(tc.spoiled)
			if err != nil {
				t.Fatal(err)
			}
			text, code := call(t, "", tc.args, "", false, 0)
			if code != exitFailed || !strings.Contains(text, "would overwrite the input "+filepath.Dir(tc.spoiled)) {
				t.Errorf("exit code %d:\n%s", code, text)
			}
			if after, err := os.ReadFile(tc.spoiled); err != nil || string(after) != string(before) {
				t.Errorf("%s is spoiled: %v", tc.spoiled, err)
			}
		})
	}
	other := filepath.Join(folder, "findings.json")
	for range 2 { // a report that there is already is replaced
		if text, code := call(t, "", []string{"lint", tasks, "--output-file", other}, "", false, 0); code != exitFine {
			t.Errorf("exit code %d:\n%s", code, text)
		}
	}
}
