package compile

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"
	"k8s.io/utils/ptr"

	"github.com/maze-agent/maregister/internal/dag"
	"github.com/maze-agent/maregister/internal/finding"
)

var update = flag.Bool("update", false, "write what is compiled into testdata, instead of comparing it")

// TestPayloads compares the workflows of testdata/payloads.txtar as they are compiled: NAME.json or NAME.yaml beside NAME.want. Of the code, only
// the plan is compared.
func TestPayloads(t *testing.T) {
	const file = "testdata/payloads.txtar"
	archive, err := txtar.ParseFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(archive.Files); i += 2 {
		source, want := archive.Files[i], &archive.Files[i+1]
		t.Run(source.Name, func(t *testing.T) {
			if name := strings.TrimSuffix(source.Name, filepath.Ext(source.Name)); want.Name != name+".want" {
				t.Fatalf("%s is beside %s", want.Name, source.Name)
			}
			graph, _ := dag.Check("w"+filepath.Ext(source.Name), source.Data, shopTasks(t), dag.Options{Target: dag.TargetCompiled, ReadCode: readCode})
			payload, refused := Workflow("w", graph, Options{})
			if len(refused) > 0 {
				t.Fatal(refused)
			}
			checkAccepted(t, payload, shopTasks(t))
			got := onlyPlans(t, payload)
			if *update {
				want.Data = []byte(got)
				return
			}
			if diff := cmp.Diff(string(want.Data), got); diff != "" {
				t.Errorf("compiled (-want +got; -update accepts it):\n%s", diff)
			}
		})
	}
	if *update {
		if err := os.WriteFile(file, txtar.Format(archive), 0o666); err != nil {
			t.Fatal(err)
		}
	}
}

// onlyPlans returns a compiled workflow with the plan of each node in place of the code that Workflow wrote.
func onlyPlans(t *testing.T, payload []byte) string {
	t.Helper()
	return regexp.MustCompile(`"code": "def maze_task(.*)"`).ReplaceAllStringFunc(string(payload), func(member string) string {
		var code string
		if err := json.Unmarshal([]byte(strings.TrimPrefix(member, `"code": `)), &code); err != nil {
			t.Fatal(err)
		}
		quoted, rest, ok := strings.Cut(strings.TrimPrefix(code, beforePlan), behindPlan)
		text, err := strconv.Unquote(quoted)
		if !ok || rest != "" || err != nil {
			t.Fatalf("this is not the shim: %s", code)
		}
		return `"plan": ` + text
	})
}

// TestLimit: a workflow that becomes too large is refused, and takes no more memory than that.
func TestLimit(t *testing.T) {
	var nodes strings.Builder
	nodes.WriteString(`{"nodes": [{"id": "n", "func": "free"}`)
	for i := range 20_000 {
		nodes.WriteString(`,{"id": "n` + strconv.Itoa(i) + `", "func": "free"}`)
	}
	graph, found := dag.Check("w.json", []byte(nodes.String()+"]}"), shopTasks(t), dag.Options{Target: dag.TargetCompiled, ReadCode: readCode})
	payload, refused := Workflow("w.json", graph, Options{})
	if len(found) > 0 || payload != nil || len(refused) != 1 || refused[0].Rule != finding.DAGTooLarge {
		t.Errorf("want %s alone, got %d bytes and %v, %v", finding.DAGTooLarge, len(payload), refused, found)
	}
}

// TestRunOptions: what a task says of its runs is in each node, unless the node says so itself.
func TestRunOptions(t *testing.T) {
	run := dag.RunOptions{
		TimeoutSeconds: ptr.To(600.0), MaxRetries: ptr.To[int32](0), RetryBackoffSeconds: ptr.To(0.5), RetryOn: []string{"node_lost"},
	}
	tasks := dag.NewTasks(map[string]dag.Task{"t": {Execution: dag.Execution{EntryPoint: "a:b", Run: run}}})
	const workflow = `{"schema": "maze.workflow/v1", "nodes": [{"id": "a", "task_name": "t"}, {"id": "b", "task_name": "t", "max_retries": 7, "timeout_seconds": null}]}`
	var payload struct{ Nodes []map[string]any }
	if err := json.Unmarshal(compiled(t, []byte(workflow), tasks, Options{}), &payload); err != nil {
		t.Fatal(err)
	}
	got := []map[string]any{}
	for _, n := range payload.Nodes {
		options := map[string]any{}
		for _, name := range []string{"timeout_seconds", "max_retries", "retry_backoff_seconds", "retry_on"} {
			options[name] = n[name]
		}
		got = append(got, options)
	}
	kept := []any{"node_lost"}
	want := []map[string]any{
		{"timeout_seconds": 600.0, "max_retries": 0.0, "retry_backoff_seconds": 0.5, "retry_on": kept},
		{"timeout_seconds": nil, "max_retries": 7.0, "retry_backoff_seconds": 0.5, "retry_on": kept},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestImpossible: what cannot be compiled is told, whoever silences why.
func TestImpossible(t *testing.T) {
	graph, _ := dag.Check("w.json", []byte("{\"nodes\": [\n{\"id\": \"a\", \"func\": \"nothing of the kind\"}]}"), shopTasks(t), dag.Options{Target: dag.TargetCompiled, ReadCode: readCode})
	_, refused := Workflow("w.json", graph, Options{})
	want := finding.Position{Line: 2, Column: 1}
	if len(refused) != 1 || refused[0].Rule != finding.MissingCode || refused[0].Position != want {
		t.Errorf("want %s at %v alone, got %v", finding.MissingCode, want, refused)
	}
}

// TestHostile: what is large in one place takes no time by its square. A test that did would take minutes.
func TestHostile(t *testing.T) {
	const many = 60_000
	members := func(format string) string {
		var all strings.Builder
		for i := range many {
			fmt.Fprintf(&all, format, i)
		}
		return strings.TrimSuffix(all.String(), ",")
	}
	v1 := func(node string) string {
		return `{"schema": "maze.workflow/v1", "nodes": [{"id": "a", "task_name": "free"}, {"id": "b", "task_name": "free", ` + node + `}]}`
	}
	tests := map[string]string{
		"fields":     v1(members(`"f%d":1,`)),
		"metadata":   v1(`"metadata": {` + members(`"f%d":1,`) + `}`),
		"inputs":     v1(`"inputs": {"r": {"from": "a.x"}, ` + members(`"f%d":1,`) + `}`),
		"references": `{"nodes": [{"id": "a", "func": "free"}, {"id": "b", "func": "join", "args": {"parts": [` + members(`"a.output.x%d",`) + `]}}]}`,
		"waits":      `{"nodes": [{"id": "a", "func": "free"}, {"id": "b", "func": "free", "args": {` + members(`"f%d":"a.output.x[1]",`) + `}}]}`,
		"finals":     `{"schema": "maze.workflow/v1", "nodes": [{"id": "a", "task_name": "free"}], "final_output_refs": {` + members(`"f%d":1,`) + `}}`,
	}
	for name, workflow := range tests {
		t.Run(name, func(t *testing.T) {
			graph, found := dag.Check("w.json", []byte(workflow), shopTasks(t), dag.Options{Target: dag.TargetCompiled, ReadCode: readCode})
			if payload, refused := Workflow("w.json", graph, Options{}); len(found)+len(refused) > 0 || len(payload) < many {
				t.Errorf("%d bytes, and %v, %v", len(payload), found[:min(3, len(found))], refused)
			}
		})
	}
}
