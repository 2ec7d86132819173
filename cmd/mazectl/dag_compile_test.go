package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The acceptance cases about compiled workflows are those of the issue by which "dag compile" came. Case 24 is the script
// dag_compile_refused. A compiled workflow is run by internal/compile/testdata/runner.py, which restates what Maze does.

// whisper is the module that the documents' own code imports, and leavers has the tasks of case 25.
const (
	whisper = "def read(audio):\n    return 'said in ' + audio\n"
	leavers = `
import pathlib, sys

def bad(): raise ValueError("no such luck")
def full(): raise RuntimeError("CUDA out of memory. Tried to allocate 2 GiB")
def leave(): sys.exit(3)
def write(): pathlib.Path("note.txt").write_text("from a parent"); return pathlib.Path("note.txt").resolve()
def read(note: pathlib.Path): return {"text": note.read_text()}
def literal(**given): return {"given": given}
`
	leaversTasks = `apiVersion: v1
kind: List
items:
- {apiVersion: registry.mazeagent.net/v1alpha1, kind: MazeTask, metadata: {name: bad}, spec: {name: bad, entryPoint: "leavers:bad"}}
- {apiVersion: registry.mazeagent.net/v1alpha1, kind: MazeTask, metadata: {name: full}, spec: {name: full, entryPoint: "leavers:full"}}
- {apiVersion: registry.mazeagent.net/v1alpha1, kind: MazeTask, metadata: {name: leave}, spec: {name: leave, entryPoint: "leavers:leave"}}
- {apiVersion: registry.mazeagent.net/v1alpha1, kind: MazeTask, metadata: {name: write},
   spec: {name: write, entryPoint: "leavers:write", outputParameters: {note: {type: filepath}}}}
- {apiVersion: registry.mazeagent.net/v1alpha1, kind: MazeTask, metadata: {name: read},
   spec: {name: read, entryPoint: "leavers:read", inputParameters: {note: {type: filepath}}, outputParameters: {text: {type: string}}}}
- {apiVersion: registry.mazeagent.net/v1alpha1, kind: MazeTask, metadata: {name: literal}, spec: {name: literal, entryPoint: "leavers:literal"}}
`
)

// ranNode is what runner.py reports about a node.
type ranNode struct {
	Outputs map[string]any
	Error   *struct{ Kind, Type, Message string }
}

// runInMaze compiles workflows, each twice to the same bytes, and runs them by runner.py. It skips the test where there is no Python.
func runInMaze(t *testing.T, files []string, folder string, flags ...string) []map[string]*ranNode {
	t.Helper()
	var payloads bytes.Buffer
	for _, file := range files {
		args := append([]string{"dag", "compile", file, "--workspace=" + folder}, flags...)
		got, again := call(t, args...), call(t, args...)
		if got.code != exitFine || got.stdout != again.stdout {
			t.Fatalf("%s: the second time:\n%s\nthe first time: %s", file, again.stdout, got)
		}
		compiled := filepath.Join(t.TempDir(), "compiled.json")
		if err := os.WriteFile(compiled, []byte(got.stdout), 0o600); err != nil {
			t.Fatal(err)
		}
		checked := call(t, append([]string{"dag", "check", compiled, "--target=maze", "-o=concise"}, flags[:1]...)...)
		if checked.code != exitFine {
			t.Errorf("%s, compiled: %s", file, checked)
		}
		if err := json.Compact(&payloads, []byte(got.stdout)); err != nil {
			t.Fatal(err)
		}
		payloads.WriteByte('\n')
	}
	if _, err := exec.Command("python3", "-c", "import sys; sys.exit(sys.version_info < (3, 9))").Output(); err != nil {
		t.Skipf("python3 does not run here, or is older than 3.9 (%v), so NO COMPILED WORKFLOW WAS RUN", err)
	}
	command := exec.Command("python3", "internal/compile/testdata/runner.py", filepath.Join(folder, "run"))
	command.Stdin = &payloads
	command.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	var complaints strings.Builder
	command.Stderr = &complaints
	out, err := command.Output()
	if err != nil {
		t.Fatalf("runner.py: %v\n%s", err, complaints.String())
	}
	var all []map[string]*ranNode
	for _, line := range strings.Split(strings.TrimSpace(string(out)), "\n") {
		var nodes map[string]*ranNode
		if err := json.Unmarshal([]byte(line), &nodes); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		all = append(all, nodes)
	}
	return all
}

// TestAcceptance23 compiles the workflows of the documents, with the functions there: Maze accepts and runs them. Literals are what they were.
func TestAcceptance23(t *testing.T) {
	inRoot(t)
	folder := t.TempDir()
	writeFile(t, filepath.Join(folder, "whisper.py"), whisper)
	tools, err := filepath.Abs("examples/dag")
	if err != nil {
		t.Fatal(err)
	}
	ran := runInMaze(t, documentedWorkflows(t), folder, dagTasks, "--python-path="+tools, "--python-path="+folder)
	const said = "This was said (en). It is in /recordings/meeting.wav. It was not much."
	wants := []map[string]map[string]any{
		{"t1": {"text": said, "seconds": 4.2}, "t2": {"summary": said}, "t3": {"done": nil}},
		{"t1": {"text": said, "seconds": 4.2}, "t2": {"done": nil}},
		{"t1": {"text": "said in /recordings/meeting.wav"}, "t2": {"summary": "said in /recordings/meeting.wav"}},
		{"t1": {"text": "said in /recordings/meeting.wav"}, "tidy": {"y": "said in /recordings/meeting.wav"}},
		{"t1": {"text": said, "seconds": 4.2}, "t2": {"summary": said}},
	}
	for i, want := range wants {
		if diff := cmp.Diff(want, outputsOf(t, ran[i])); diff != "" {
			t.Errorf("workflow %d of the documents (-want +got):\n%s", i+1, diff)
		}
	}
}

// TestAcceptance23Literals: whatever a literal looks like, the function gets it.
func TestAcceptance23Literals(t *testing.T) {
	inRoot(t)
	folder := t.TempDir()
	tasks, flags := leaversIn(t, folder)
	const literals = `{"a": {"from": "t1.x"}, "b": {"value": 1, "other": 2}, "c": {"data_type": "str"}, "d": "\" ' \\ ''' {} %s", "e": "\u2028\u2029", "f": "😀\ud83d\ude00",
		"g": {"input_schema": "from_task", "value": "a.output.b"}, "h": [{"from": null}, [[]], 1.5, -0.5, true, null], "max-words": 1, "self": 2, "a.b": 3}`
	file := filepath.Join(folder, "w.json")
	writeFile(t, file, `{"nodes": [{"id": "t1", "func": "literal", "args": `+literals+`}]}`)
	ran := runInMaze(t, []string{file}, folder, append([]string{tasks}, flags...)...)
	var want any
	if err := json.Unmarshal([]byte(literals), &want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]map[string]any{"t1": {"given": want, "done": nil}}, outputsOf(t, ran[0])); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestAcceptance25: in Maze, an exception keeps its type and its text, by which Maze knows a lack of resources; sys.exit does not end the
// worker; and a file of a direct parent is read.
func TestAcceptance25(t *testing.T) {
	inRoot(t)
	folder := t.TempDir()
	tasks, flags := leaversIn(t, folder)
	file := filepath.Join(folder, "w.json")
	writeFile(t, file, `{"nodes": [{"id": "bad", "func": "bad"}, {"id": "full", "func": "full"}, {"id": "leave", "func": "leave"},
		{"id": "write", "func": "write"}, {"id": "read", "func": "read", "args": {"note": "write.output.note"}}]}`)
	ran := runInMaze(t, []string{file}, folder, append([]string{tasks}, flags...)...)[0]
	got := map[string]string{}
	for id, n := range ran {
		switch {
		case n == nil:
			got[id] = "did not run"
		case n.Error != nil:
			got[id] = n.Error.Kind + " " + n.Error.Type + ": " + n.Error.Message
		default:
			got[id] = fmt.Sprint(n.Outputs)
		}
	}
	want := map[string]string{
		"bad":   "user_code builtins.ValueError: no such luck",
		"full":  "resource_insufficient builtins.RuntimeError: CUDA out of memory. Tried to allocate 2 GiB",
		"leave": "user_code builtins.RuntimeError: the task ended the process: SystemExit(3)",
		"write": "map[note:note.txt]",
		"read":  "map[text:from a parent]",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// leaversIn writes the tasks of case 25, and returns the flags that name them.
func leaversIn(t *testing.T, folder string) (tasks string, flags []string) {
	t.Helper()
	writeFile(t, filepath.Join(folder, "leavers.py"), leavers)
	writeFile(t, filepath.Join(folder, "tasks", "tasks.yaml"), leaversTasks)
	return "--tasks=" + filepath.Join(folder, "tasks"), []string{"--python-path=" + folder}
}

func writeFile(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// outputsOf returns the outputs of all nodes, all of which have succeeded.
func outputsOf(t *testing.T, ran map[string]*ranNode) map[string]map[string]any {
	t.Helper()
	outputs := map[string]map[string]any{}
	for id, n := range ran {
		if n == nil || n.Error != nil {
			told, _ := json.Marshal(n)
			t.Fatalf("node %s did not succeed: %s", id, told)
		}
		outputs[id] = n.Outputs
	}
	return outputs
}
