package dag

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os/exec"
	"strings"
	"testing"

	"github.com/maze-agent/maregister/internal/finding"
)

// TestMazeRefuses compares what is said of generated workflows with what testdata/maze_rules.py says, which restates Maze's rules in
// its own language, by the table of docs/dag.md.
func TestMazeRefuses(t *testing.T) {
	const workflows, fewest = 2_000, 500 // fewest is how many of each verdict there are at least
	if _, err := exec.Command("python3", "--version").Output(); err != nil {
		t.Skipf("python3 does not run here (%v), so what Maze refuses is not compared", err)
	}
	random := rand.New(rand.NewPCG(15, 3))
	var all [][]byte
	for range workflows {
		all = append(all, generated(t, random))
	}
	command := exec.Command("python3", "testdata/maze_rules.py")
	command.Stdin = bytes.NewReader(bytes.Join(all, []byte("\n")))
	var complaints strings.Builder
	command.Stderr = &complaints
	out, err := command.Output()
	if err != nil {
		t.Fatalf("maze_rules.py: %v\n%s", err, complaints.String())
	}
	verdicts := strings.Split(strings.TrimSpace(string(out)), "\n")
	if len(verdicts) != len(all) {
		t.Fatalf("%d verdicts on %d workflows", len(verdicts), len(all))
	}
	tasks, rows, differ := NewTasks(nil), map[string]int{}, 0
	for i, workflow := range all {
		rows[verdicts[i]]++
		_, findings := Check("w.json", workflow, tasks, Options{Target: TargetMaze, ReadCode: readCode})
		refused := false
		var why []string
		for _, f := range findings {
			if f.Subject.Effect == finding.EffectRefused {
				refused = true
				why = append(why, f.Rule+" "+f.Message)
			}
		}
		if refused != (verdicts[i] != "accepted") {
			if differ++; differ <= 5 {
				t.Errorf("Maze: %s; found: %q\n%s", verdicts[i], why, workflow)
			}
		}
	}
	t.Logf("%d workflows, by the row that they break first: %v", len(all), rows)
	if differ > 0 {
		t.Errorf("%d of %d verdicts differ", differ, len(all))
	}
	if accepted := rows["accepted"]; accepted < fewest || workflows-accepted < fewest {
		t.Errorf("Maze accepts %d of %d workflows: want %d of each verdict", accepted, workflows, fewest)
	}
	for _, row := range strings.Fields("R1 R2 R3 R4 R5 R6 R7 R8 R9 R10 R11 R12 R13 R14 R15 R16 R17 R18 R19") {
		if rows[row] == 0 {
			t.Errorf("no workflow breaks the row %s", row)
		}
	}
}

// object is a JSON object.
type object = map[string]any

// generated returns a workflow that Maze accepts, or one with a few values replaced.
func generated(t *testing.T, r *rand.Rand) []byte {
	t.Helper()
	w := proper(r)
	for range r.IntN(3) {
		spoil(r, w)
	}
	out, err := json.Marshal(w)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// proper returns a workflow that Maze accepts.
func proper(r *rand.Rand) object {
	names := []string{"a", "b", "c", "d"}[:1+r.IntN(4)]
	var nodes, edges []any
	for i, name := range names {
		inputs := object{"n": i}
		node := object{
			"id": name, "task_name": "t", "code": "def t(**k):\n    return {'y': 1}", "inputs": inputs, "outputs": []any{"y", object{"name": "z", "data_type": "str"}},
			"resources": object{"cpu_num": 1}, "retry_on": []any{"node_lost"}, "max_retries": 2, "retry_backoff_seconds": 0.5, "timeout_seconds": 9, "metadata": object{},
		}
		if i > 0 {
			from := names[r.IntN(i)]
			edges = append(edges, pick[any](r,
				object{"from": from + ".y", "to": name + ".x"},
				object{"source_task_id": from, "source_output": "y", "target_task_id": name, "target_input": "x"},
				object{"source": from, "output": "y", "target": name, "input": "x"}))
			if written := pick[any](r, nil, object{"from": from + ".y"}, object{"input_schema": "from_task", "value": from + ".output.y", "has_value": true},
				object{"input_schema": "from_user", "value": nil, "has_value": false, "data_type": "str"}); written != nil {
				inputs["x"] = written
			}
		}
		nodes = append(nodes, node)
	}
	w := object{
		"schema": workflowV1, "name": "w", "workflow_id": "w1", "nodes": nodes, "edges": edges, "tags": []any{"a"}, "metadata": object{},
		"run":               object{"artifact_mode": true, "timeout_seconds": 60, "run_id": "0f8fad5b-d9cb-469f-a165-70867728950e", "tags": []any{}},
		"final_output_refs": object{"r": object{outputMark: true, "task_id": "a", "output_key": "y"}},
	}
	if r.IntN(2) == 0 {
		node := nodes[0].(object)
		node["inputs"].(object)["q"] = object{"input_schema": "from_run", "value": []any{object{runMark: true, "key": "q"}}}
		w["input_contract"] = object{"constants": []any{"c"}, "runtime": object{"q": object{"required": true}}}
		if r.IntN(2) == 0 {
			w["run"].(object)["inputs"] = object{"q": 1}
		}
	}
	return w
}

func pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// spoil replaces, adds or removes a value of a workflow.
func spoil(r *rand.Rand, w object) {
	nodes := w["nodes"]
	list, _ := nodes.([]any)
	if len(list) == 0 {
		return
	}
	node, isObject := list[r.IntN(len(list))].(object)
	if !isObject {
		return
	}
	if r.IntN(5) < 3 {
		spoilNode(r, node)
		return
	}
	run, _ := w["run"].(object)
	edges, _ := w["edges"].([]any)
	switch r.IntN(9) {
	case 0:
		w[pick(r, "edges", "run", "tags", "metadata", "workflow_id", "input_contract", "final_output_refs", "name")] = odd(r)
	case 1, 2:
		if run != nil {
			run[pick(r, "run_id", "timeout_seconds", "tags", "artifact_mode", "metadata", "inputs", "idempotency_key", "workspace_dir", "file_context")] = pick[any](r, odd(r),
				any("6f8fad5b-d9cb-469f-a165-70867728950E"), object{"enabled": true}, object{"enabled": true, "workspace_dir": "/w", "artifact_store": object{"base_url": odd(r)}},
				object{"enabled": odd(r), "workspace_dir": odd(r)}, object{"q": 1, "r": 2}, object{"artifact_store": object{"root": odd(r)}, "task_node_ids": odd(r)})
		}
	case 3, 4:
		if len(edges) > 0 {
			if edge, ok := edges[r.IntN(len(edges))].(object); ok {
				edge[pick(r, "from", "to", "source", "target", "source_output", "input")] = pick[any](r, odd(r), any("a.y"), "b.x", "a", "y", "d.z", "b.n")
			}
		}
	case 5:
		w["edges"] = append(edges, pick[any](r, odd(r), any(object{"from": "a.z", "to": "a.w"}), object{"source": "b", "target": "a"}, object{"from": "b.y", "to": "a.v"},
			object{"from": "a.y", "to": "b.n"}, object{"from": "a.z", "to": "b.x"}, object{"from": "a.nope", "to": "b.k"}, object{"from": "c.y", "to": "b.k"}))
	case 6:
		w["input_contract"] = object{"constants": pick[any](r, odd(r), any([]any{"c", "c"}), []any{"q"}, []any{}), "runtime": pick[any](r, odd(r),
			any(object{"q": object{"required": odd(r)}}), object{"q": object{"required": false, "default": 1}}, object{"q": object{"required": true, "default": 1}},
			object{"p": object{"required": true}}, object{"q": odd(r)})}
	case 7:
		w["final_output_refs"] = pick[any](r, odd(r), any([]any{object{outputMark: odd(r), "task_id": "a", "output_key": "y"}}), object{outputMark: true, "task_id": "d", "output_key": "z"},
			object{outputMark: true, "task_id": "a", "output_key": odd(r)}, object{outputMark: true, "task_id": odd(r), "output_key": "y"})
	case 8:
		w["nodes"] = pick[any](r, any(append(list, list[0])), append(list, odd(r)), odd(r))
	}
}

func spoilNode(r *rand.Rand, node object) {
	resources, _ := node["resources"].(object)
	inputs, _ := node["inputs"].(object)
	switch r.IntN(8) {
	case 0:
		delete(node, pick(r, "id", "code", "outputs", "inputs", "resources", "retry_on", "task_name"))
	case 1:
		node[pick(r, "id", "type", "code", "code_str", "code_ser", "outputs", "inputs", "resources", "model_anchor", "metadata")] = odd(r)
	case 2:
		node[pick(r, "max_retries", "retry_backoff_seconds", "retry_on", "timeout_seconds")] = odd(r)
	case 3:
		node["task_kind"] = pick[any](r, odd(r), any("npu"), "gpu", " GPU", "io", "cpu")
		node["model_anchor"] = pick[any](r, odd(r), nil, any(object{"local_model": "m"}), object{"local_model": "m", "gpu_mem": odd(r)}, object{"estimated_weight_memory_bytes": odd(r)})
	case 4:
		if resources != nil {
			resources[pick(r, "cpu_num", "cpu", "io_num", "gpu_mem", "gpu_memory_mb", "gpu", "mem")] = odd(r)
			node["task_kind"] = pick[any](r, any(nil), "gpu", "io")
		}
	case 5:
		node["outputs"] = pick[any](r, odd(r), any([]any{"y", "y"}), []any{"y", object{"name": odd(r), "key": "z"}}, []any{"y", odd(r)}, []any{"y", "a.b"})
	case 6:
		node["id"] = pick[any](r, odd(r), any("1a"), "a b", " c ", "a", "_x-1", strings.Repeat("i", 129))
	case 7:
		if inputs != nil {
			inputs[pick(r, "x", "n", "k")] = pick[any](r, odd(r), any(object{"from": odd(r)}), object{"value": odd(r)}, object{"data_type": "str"}, object{"from": "a.y"},
				object{"input_schema": "from_run", "value": odd(r)}, object{"input_schema": "from_run", "value": object{runMark: true, "key": pick(r, "q", "r")}},
				object{"input_schema": "from_run", "value": object{runMark: odd(r), "key": "q"}}, object{"input_schema": "from_run", "value": object{runMark: true, "key": odd(r)}},
				object{"input_schema": "from_user", "value": odd(r), "has_value": odd(r)}, object{"input_schema": "from_task", "value": odd(r), "from": "a.y"},
				object{"input_schema": "from_run"}, object{"input_schema": "from_user", "has_value": false})
		}
	}
}

// odd returns a value that is often not what is wanted.
func odd(r *rand.Rand) any {
	return pick[any](r, nil, true, false, 0, 1, -1, 2.5, 5000, -0.5, json.Number("1e400"), json.Number("123456789012345678901234567890"),
		"", " ", "x", "7", "-3", "1.5", " 2 ", "1_0", "nan", "inf", "a.y", []any{}, []any{1}, []any{"x"}, object{}, object{"k": 1})
}
