package lint

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/maze-agent/maregister/internal/dag"
)

// TestCheckWorkflow judges MazeWorkflows as "dag check" does, by a task that takes anything as image. What the API server or the operator
// refuses is the same as "lint" tells.
func TestCheckWorkflow(t *testing.T) {
	type members = map[string]any
	node := func(id string, args members) members { return members{"id": id, "func": "caption", "args": args} }
	nodes := func(n int) (all []any) {
		for i := range n {
			all = append(all, node(fmt.Sprintf("n%d", i), nil))
		}
		return all
	}
	for name, tc := range map[string]struct {
		edit func(object, spec members)
		// want are the rules and pointers of the findings.
		want []string
	}{
		"right":              {edit: func(_, _ members) {}},
		"2,001 nodes":        {func(_, spec members) { spec["nodes"] = nodes(2001) }, []string{"MZ113 /spec/nodes"}},
		"2,000 nodes":        {edit: func(_, spec members) { spec["nodes"] = nodes(2000) }},
		"no nodes":           {func(_, spec members) { spec["nodes"] = []any{} }, []string{"MZ113 /spec/nodes"}},
		"nodes by ids":       {func(_, spec members) { spec["nodes"] = members{"a": members{"func": "caption"}} }, []string{"MZ107 /spec/nodes", "MZ105 /spec/nodes/a"}},
		"an unknown field":   {func(_, spec members) { spec["timeout"] = 3 }, []string{"MZ105 /spec/timeout"}},
		"a field of Maze":    {func(_, spec members) { spec["nodes"] = []any{members{"id": "a", "task_name": "caption"}} }, []string{"MZ106 /spec/nodes/0/func", "MZ105 /spec/nodes/0/task_name"}},
		"an id with a space": {func(_, spec members) { spec["nodes"] = []any{node("a b", nil)} }, []string{"MZ113 /spec/nodes/0/id"}},
		"an id twice":        {func(_, spec members) { spec["nodes"] = []any{node("a", nil), node("a", nil)} }, []string{"MZ113 /spec/nodes/1"}},
		"a description":      {func(_, spec members) { spec["description"] = strings.Repeat("x", 16385) }, []string{"MZ113 /spec/description"}},
		"a name":             {func(object, _ members) { object["metadata"] = members{"name": "A_b"} }, []string{"MZ108 /metadata/name"}},
		"no spec":            {func(object, _ members) { delete(object, "spec") }, []string{"MZ106 /spec"}},
		"another version":    {func(object, _ members) { object["apiVersion"] = "registry.mazeagent.net/v1" }, []string{"MZ104 /apiVersion"}},
		"another group":      {func(object, _ members) { object["apiVersion"] = "v1" }, []string{"MZ104 /apiVersion"}},
		"no version":         {func(object, _ members) { delete(object, "apiVersion") }, []string{"MZ104 "}},
		"no kind":            {func(object, _ members) { delete(object, "kind") }, []string{"MZ104 "}},
		"a misspelt kind":    {func(object, _ members) { object["kind"] = "MazeWorkFlow" }, []string{"MZ104 /kind"}},
		"a schema of Maze":   {func(_, spec members) { spec["schema"] = "maze.workflow/v1" }, []string{"MZ105 /spec/schema"}},
		"a mixed edge":       {func(_, spec members) { spec["edges"] = []any{members{"source": "n0", "to": "n1"}} }, []string{"MZ113 /spec/edges/0"}},
		"an edge of two forms": {func(_, spec members) {
			spec["edges"] = []any{members{"source": "n0", "target": "n1", "from": "n0", "to": "n1"}}
		}, []string{"MZ113 /spec/edges/0"}},
		"signs that are six": {func(_, spec members) {
			spec["nodes"] = []any{node("a", members{"image": strings.Repeat("<&>", 15_000)})}
		}, []string{"MZ202 /spec"}},
		"signs that fit": {edit: func(_, spec members) {
			spec["nodes"] = []any{node("a", members{"image": strings.Repeat("<&>", 14_000)})}
		}},
		"megabytes":             {func(_, spec members) { spec["nodes"] = []any{node("a", members{"image": strings.Repeat("x", 2<<20)})} }, []string{"MZ102 ", "MZ209 /spec/nodes/0/args/image"}},
		"a number":              {func(_, spec members) { spec["nodes"] = []any{node("a", members{"image": json.RawMessage("1e999")})} }, []string{"MZ101 /spec/nodes/0/args/image", "MZ209 /spec/nodes/0/args/image"}},
		"a task that is not":    {func(_, spec members) { spec["nodes"] = []any{members{"id": "a", "func": "nope"}} }, []string{"MZ206 /spec/nodes/0/func"}},
		"a name of no task":     {func(_, spec members) { spec["nodes"] = []any{members{"id": "a", "func": "no pe"}} }, []string{"MZ113 /spec/nodes/0/func", "MZ206 /spec/nodes/0/func"}},
		"arguments of one list": {func(_, spec members) { spec["nodes"] = []any{members{"id": "a", "func": "caption", "args": []any{1}}} }, []string{"MZ107 /spec/nodes/0/args"}},
	} {
		t.Run(name, func(t *testing.T) {
			spec := members{"nodes": nodes(2)}
			object := members{"apiVersion": "registry.mazeagent.net/v1alpha1", "kind": "MazeWorkflow", "metadata": members{"name": "sample"}, "spec": spec}
			tc.edit(object, spec)
			content, err := json.Marshal(object)
			if err != nil {
				t.Fatal(err)
			}
			read := dag.Read("w.json", content)
			if len(read.Documents) != 1 {
				t.Fatalf("%d documents", len(read.Documents))
			}
			tasks := dag.NewTasks(map[string]dag.Task{"caption": {Input: json.RawMessage(`{"type": "object", "properties": {"image": {"type": "string"}}}`)}})
			var linter Linter
			_, found := linter.CheckWorkflow(read.Documents[0], tasks, dag.Options{})
			var got []string
			refused := false
			for _, f := range found {
				got = append(got, f.Rule+" "+f.Pointer)
				refused = refused || f.Rule < "MZ200" || f.Rule == "MZ202"
				if f.Position.Line != 1 {
					t.Errorf("it is at %v: %s", f.Position, f.Message)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("-want +got: %s\n%v", diff, found)
			}
			full, err := New()
			if err != nil {
				t.Fatal(err)
			}
			if result := full.Lint([]Source{{Name: "w.json", Content: content}}); (len(result.Findings) > 0) != refused {
				t.Errorf("lint has another verdict: %v", result.Findings)
			}
		})
	}
}

// TestCheckWorkflowOfList judges an item of a list, and tells which one it is.
func TestCheckWorkflowOfList(t *testing.T) {
	const object = "- apiVersion: registry.mazeagent.net/v1alpha1\n  kind: MazeWorkflow\n  metadata: {name: %s, namespace: vision}\n" +
		"  spec:\n    nodes:\n    - {id: t1, func: caption, retries: 3}\n"
	read := dag.Read("all.yaml", []byte("# printed\napiVersion: v1\nkind: List\nitems:\n"+fmt.Sprintf(object, "one")+fmt.Sprintf(object, "two")))
	var linter Linter
	var got []string
	for _, d := range read.Documents {
		_, found := linter.CheckWorkflow(d, dag.NewTasks(map[string]dag.Task{"caption": {}}), dag.Options{})
		for _, f := range found {
			got = append(got, fmt.Sprintf("%d:%d %s [%s] %s", f.Position.Line, f.Position.Column, f.Pointer, f.Object, f.Message))
		}
	}
	const says = `spec.nodes[0].retries: unknown field; correct or remove it; "kubectl explain mazeworkflow --recursive" lists the fields`
	want := []string{
		"10:31 /items/0/spec/nodes/0/retries [MazeWorkflow vision/one] MazeWorkflow vision/one: " + says,
		"16:31 /items/1/spec/nodes/0/retries [MazeWorkflow vision/two] MazeWorkflow vision/two: " + says,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
