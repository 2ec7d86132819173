package discover_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/maze-agent/maregister/internal/discover"
)

var update = flag.Bool("update", false, "write what is found in testdata/corpus to its want.txt instead of comparing it")

// TestCorpus compares the tasks and the findings of each folder of testdata/corpus, which is a package root, with its want.txt.
func TestCorpus(t *testing.T) {
	folders, err := os.ReadDir("testdata/corpus")
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		t.Run(folder.Name(), func(t *testing.T) {
			root := filepath.Join("testdata/corpus", folder.Name())
			got := report(t, link(t, sources(t, root)))
			golden := filepath.Join(root, "want.txt")
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
				t.Errorf("%s (-want +got; -update writes it):\n%s", golden, diff)
			}
		})
	}
}

// sources reads the Python files below a folder.
func sources(t *testing.T, root string) []source {
	t.Helper()
	var files []source
	err := fs.WalkDir(os.DirFS(root), ".", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".py" {
			return err
		}
		text, err := os.ReadFile(filepath.Join(root, path))
		files = append(files, source{path, text})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// report writes what was found: tasks as YAML, and a line for each finding.
func report(t *testing.T, result discover.Result) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("tasks:\n")
	for _, task := range result.Tasks {
		spec := task.Spec
		fmt.Fprintf(&b, "  %s:\n    function: %s\n", spec.Name, task.Function)
		fmt.Fprintf(&b, "    at: %s:%d:%d\n", task.File, task.Position.Line, task.Position.Column)
		fmt.Fprintf(&b, "    resources: %s\n", strings.Join(resources(task), " "))
		if spec.Run != nil {
			text, err := json.Marshal(spec.Run)
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintf(&b, "    run: %s\n", text)
		}
		if spec.Description != "" {
			fmt.Fprintf(&b, "    description: %s\n", strconv.Quote(spec.Description))
		}
		for _, schema := range []struct {
			name string
			json *apiextensionsv1.JSON
		}{{"input", spec.InputParameters}, {"output", spec.OutputParameters}} {
			if schema.json != nil {
				fmt.Fprintf(&b, "    %s: %s\n", schema.name, sorted(t, schema.json.Raw))
			}
		}
		if spec.EntryPoint != task.Function || spec.Source == nil || spec.Source.Path != task.File || int(spec.Source.Line) != task.Position.Line {
			t.Errorf("%s: the entry point is %s and the source %v, want %s and %s:%d",
				spec.Name, spec.EntryPoint, spec.Source, task.Function, task.File, task.Position.Line)
		}
	}
	if len(result.Findings) == 0 {
		return b.String() + "findings: none\n"
	}
	b.WriteString("findings:\n")
	for _, f := range result.Findings {
		fmt.Fprintf(&b, "  - %s:%d:%d %s %s %s\n", f.File, f.Position.Line, f.Position.Column, f.Rule, f.Object, f.Message)
		for _, r := range f.Related {
			fmt.Fprintf(&b, "      %s:%d:%d %s\n", r.File, r.Position.Line, r.Position.Column, r.Message)
		}
	}
	return b.String()
}

func resources(task discover.Task) []string {
	r := task.Spec.Resources
	parts := []string{string(r.Type)}
	if r.CPU != nil {
		parts = append(parts, "cpu="+r.CPU.String())
	}
	if r.Memory != nil {
		parts = append(parts, "memory="+r.Memory.String())
	}
	if r.GPUMemory != nil {
		parts = append(parts, "gpuMemory="+r.GPUMemory.String())
	}
	if r.ModelName != "" {
		parts = append(parts, "modelName="+r.ModelName)
	}
	if r.Backend != "" {
		parts = append(parts, "backend="+r.Backend)
	}
	return parts
}

// sorted writes JSON in one line, with keys in order.
func sorted(t *testing.T, raw json.RawMessage) string {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var value any
	if err := decoder.Decode(&value); err != nil {
		t.Fatalf("decode %s: %v", raw, err)
	}
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(b.String())
}
