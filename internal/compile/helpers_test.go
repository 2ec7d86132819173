package compile

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/maze-agent/maregister/internal/dag"
	"github.com/maze-agent/maregister/internal/dag/mazecode"
	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/internal/schema"
)

func readCode() dag.CodeReader { return new(mazecode.Reader) }

// declaration is a task of testdata/packages, as a MazeTask declares it.
type declaration struct {
	EntryPoint    string
	Input, Output json.RawMessage
	Resources     struct{ Type, GPUMemory, ModelName string }
}

// declarations are those of testdata/packages/tasks.json, by name.
func declarations(t testing.TB) map[string]declaration {
	t.Helper()
	content, err := os.ReadFile("testdata/packages/tasks.json")
	if err != nil {
		t.Fatal(err)
	}
	var all map[string]declaration
	if err := json.Unmarshal(content, &all); err != nil {
		t.Fatal(err)
	}
	for name, d := range all {
		if d.EntryPoint == "" {
			d.EntryPoint = "shop.tasks:" + name
			all[name] = d
		}
	}
	return all
}

// shopTasks are the same as package dag takes them.
func shopTasks(t testing.TB) *dag.Tasks {
	t.Helper()
	all := map[string]dag.Task{}
	for name, d := range declarations(t) {
		task := dag.Task{Input: normalised(t, d.Input), Output: normalised(t, d.Output), Execution: dag.Execution{EntryPoint: d.EntryPoint}}
		task.Resources = registry.TaskResources{CPUNum: 1}
		switch d.Resources.Type {
		case "gpu":
			task.Resources.Type, task.Resources.GPUMem, task.Resources.ModelName = "gpu", 4096, &d.Resources.ModelName
		case "io":
			task.Resources.Type = "io"
		}
		all[name] = task
	}
	return dag.NewTasks(all)
}

func normalised(t testing.TB, declared []byte) []byte {
	t.Helper()
	s, _, err := schema.Parse(declared)
	if err != nil {
		t.Fatal(err)
	}
	return s.JSON()
}

// writeRegistry writes the tasks as MazeTasks, which the executor reads, and returns the file.
func writeRegistry(t *testing.T) string {
	t.Helper()
	var items []any
	for name, d := range declarations(t) {
		spec := map[string]any{"name": name, "entryPoint": d.EntryPoint, "inputParameters": d.Input, "outputParameters": d.Output}
		resources := map[string]string{}
		for field, value := range map[string]string{"type": d.Resources.Type, "gpuMemory": d.Resources.GPUMemory, "modelName": d.Resources.ModelName} {
			if value != "" {
				resources[field] = value
			}
		}
		spec["resources"] = resources
		items = append(items, map[string]any{
			"apiVersion": "registry.mazeagent.net/v1alpha1", "kind": "MazeTask", "metadata": map[string]string{"name": name}, "spec": spec,
		})
	}
	content, err := json.Marshal(map[string]any{"apiVersion": "v1", "kind": "List", "items": items})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "tasks.json")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// compiled returns a compiled workflow, which a check of what Maze does has nothing to say against.
func compiled(t *testing.T, workflow []byte, tasks *dag.Tasks, options Options) []byte {
	t.Helper()
	graph, found := dag.Check("w.json", workflow, tasks, dag.Options{Target: dag.TargetCompiled, GPUMemory: options.GPUMemory, ReadCode: readCode})
	for _, f := range found {
		if f.Severity == finding.SeverityError {
			t.Fatalf("not compiled: %s %s\n%s", f.Rule, f.Message, workflow)
		}
	}
	payload, refused := Workflow("w.json", graph, options)
	if len(refused) > 0 {
		t.Fatalf("not compiled: %v\n%s", refused, workflow)
	}
	checkAccepted(t, payload, tasks)
	return payload
}

// checkAccepted: Maze refuses, loses and never schedules nothing of a compiled workflow, and what is silenced in it is there.
func checkAccepted(t *testing.T, payload []byte, tasks *dag.Tasks) {
	t.Helper()
	_, found := dag.Check("compiled.json", payload, tasks, dag.Options{Target: dag.TargetMaze, ReadCode: readCode})
	left, useless := finding.Silence(found, dag.Ignores("compiled.json", payload))
	for _, f := range left {
		if f.Severity == finding.SeverityError || f.Subject.Effect != "" {
			t.Errorf("compiled: %s [%s] %s\n%s", f.Rule, f.Subject.Effect, f.Message, payload)
		}
	}
	if len(useless) > 0 {
		t.Errorf("silences nothing: %+v\n%s", useless, payload)
	}
}

// python runs a script of testdata on lines, and returns the lines that it prints. It skips the test where there is no Python.
func python(t *testing.T, script string, lines [][]byte, environment []string, arguments ...string) []string {
	t.Helper()
	if _, err := exec.Command("python3", "-c", "import sys; sys.exit(sys.version_info < (3, 9))").Output(); err != nil {
		t.Skipf("python3 does not run here, or is older than 3.9 (%v), so NO COMPILED WORKFLOW WAS RUN", err)
	}
	command := exec.Command("python3", append([]string{script}, arguments...)...)
	command.Stdin = bytes.NewReader(bytes.Join(lines, []byte("\n")))
	command.Env = append(os.Environ(), environment...)
	var complaints strings.Builder
	command.Stderr = &complaints
	out, err := command.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, complaints.String())
	}
	results := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(results) != len(lines) {
		t.Fatalf("%s: %d lines for %d workflows\n%s", script, len(results), len(lines), complaints.String())
	}
	return results
}

// packages is where the functions of the tasks are.
func packages(t *testing.T) string {
	t.Helper()
	folder, err := filepath.Abs("testdata/packages")
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

// oneLine returns JSON without white space.
func oneLine(t *testing.T, content []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := json.Compact(&out, content); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
