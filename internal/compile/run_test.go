package compile

import (
	"encoding/json"
	"errors"
	"flag"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
)

var seed = flag.Uint64("seed", 17, "the workflows that are generated")

// told is what became of a node.
type told struct {
	Outputs map[string]any
	Error   *struct{ Kind, Type, Message string }
}

// TestGeneratedWorkflows compares what Maze makes of compiled workflows, by testdata/runner.py, with what the executor of the Python package
// makes of the workflows themselves, by testdata/pods.py.
func TestGeneratedWorkflows(t *testing.T) {
	const workflows = 330
	tasks, random := shopTasks(t), &workflowMaker{Rand: rand.New(rand.NewPCG(*seed, 5))}
	folder := t.TempDir()
	var written, payloads [][]byte
	for range workflows {
		workflow := random.workflow(t)
		written = append(written, workflow)
		payloads = append(payloads, oneLine(t, compiled(t, workflow, tasks, Options{PythonPath: []string{packages(t)}, Workspace: folder})))
	}
	for i, verdict := range python(t, "../dag/testdata/maze_rules.py", payloads, nil) {
		if verdict != "accepted" {
			t.Errorf("Maze refuses: %s\n%s", verdict, written[i])
		}
	}
	inMaze := python(t, "testdata/runner.py", payloads, nil, folder+"/maze")
	environment := []string{"PYTHONPATH=../../python/src:" + packages(t), "MAZE_REGISTRY=" + writeRegistry(t), "PYTHONDONTWRITEBYTECODE=1"}
	inPods := python(t, "testdata/pods.py", written, environment, folder+"/pods")
	c := comparison{T: t}
	for i := range written {
		c.workflow(written[i], inMaze[i], inPods[i])
	}
	t.Logf("-seed %d: %d workflows, %d nodes: %d succeeded, %d failed, %d did not run; %d failed in Maze where the node that reads fails in a Pod",
		*seed, workflows, c.nodes, c.succeeded, c.failed, c.idle, c.earlier)
	if c.succeeded < 700 || c.failed < 40 || c.earlier < 3 {
		t.Errorf("too few of a kind to say something")
	}
}

// comparison counts what was compared.
type comparison struct {
	*testing.T
	nodes, succeeded, failed, idle, earlier int
}

func (c *comparison) workflow(workflow []byte, inMaze, inPods string) {
	var maze, pods map[string]*told
	if err := errors.Join(json.Unmarshal([]byte(inMaze), &maze), json.Unmarshal([]byte(inPods), &pods)); err != nil {
		c.Fatalf("%v: %s\n%s\n%s", err, inMaze, inPods, workflow)
	}
	if len(maze) != len(pods) {
		c.Fatalf("%s\n%s\n%s", inMaze, inPods, workflow)
	}
	early := false // an output that others need is not returned: in Maze, the node itself fails
	for _, n := range maze {
		early = early || n != nil && n.Error != nil && strings.Contains(n.Error.Message, "which is needed")
	}
	missing := slices.ContainsFunc(slices.Collect(values(pods)), func(n *told) bool { return n != nil && n.Error != nil && n.Error.Kind == "MissingInput" })
	for id, m := range maze {
		p := pods[id]
		c.nodes++
		switch {
		case m == nil && p == nil:
			c.idle++
		case m != nil && p != nil && m.Outputs != nil && p.Outputs != nil:
			c.succeeded++
			if _, has := p.Outputs[done]; !has {
				delete(m.Outputs, done)
			}
			if !reflect.DeepEqual(m.Outputs, p.Outputs) {
				c.Errorf("node %s: outputs %v in Maze, %v in a Pod\n%s", id, m.Outputs, p.Outputs, workflow)
			}
		case m != nil && p != nil && m.Error != nil && p.Error != nil:
			c.failed++
			c.failure(id, m, p, workflow)
		case early && missing:
			c.earlier++
		default:
			c.Errorf("node %s: %+v in Maze, %+v in a Pod\n%s\n%s\n%s", id, m, p, inMaze, inPods, workflow)
		}
	}
}

// failure compares why a node failed: exceptions of the task are the same in Maze, but for SystemExit.
func (c *comparison) failure(id string, m, p *told, workflow []byte) {
	want := map[string][]string{
		"Raised":        {p.Error.Type},
		"InvalidResult": {"builtins.TypeError", "builtins.ValueError"},
		"MissingInput":  {"builtins.LookupError"},
		"ImportFailed":  {"builtins.ModuleNotFoundError", "builtins.AttributeError"},
	}[p.Error.Kind]
	if p.Error.Type == "builtins.SystemExit" {
		want = []string{"builtins.RuntimeError"}
	}
	same := p.Error.Kind != "Raised" || p.Error.Type == "builtins.SystemExit" || m.Error.Message == p.Error.Message
	if !slices.Contains(want, m.Error.Type) || !same {
		c.Errorf("node %s: %+v in Maze, %+v in a Pod\n%s", id, *m.Error, *p.Error, workflow)
	}
}

func values(all map[string]*told) func(yield func(*told) bool) {
	return func(yield func(*told) bool) {
		for _, n := range all {
			if !yield(n) {
				return
			}
		}
	}
}

// TestParity compares what the code of a node does to arguments and to results with what the executor does, by testdata/parity.py: what a
// change of the one has to do to the other.
func TestParity(t *testing.T) {
	got := python(t, "testdata/parity.py", [][]byte{[]byte(beforePlan + "PLAN" + behindPlan)}, []string{"PYTHONPATH=../../python/src"})
	t.Log(got[0])
}
