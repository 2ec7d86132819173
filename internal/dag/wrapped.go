package dag

import (
	"slices"
	"strings"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/jsontree"
)

// wrappers are the ways to a workflow in documents that have one inside: the body of a request to Maze's API, and what that answers;
// what Maze's Workbench exports, saves and imports; and a run.
var wrappers = [][]string{{"spec"}, {"workflow"}, {"payload"}, {"run", "metadata", "dag_spec"}, {"metadata", "dag_spec"}, {"draft"}}

// covers are the names of members that hold a workflow only if there are nodes inside.
var covers = []string{"dag", "dag_spec", "definition", "data", "graph", "workflow_definition", "workflow_spec"}

// maxWrappers is how many of them may be around each other.
const maxWrappers = 4

// unwrap returns the workflow in a document, or the document if there is none inside.
func unwrap(root *jsontree.Node) *jsontree.Node {
	v := root
	for range maxWrappers {
		inner := inside(v)
		if inner == nil {
			break
		}
		v = inner
	}
	return v
}

// isWorkflow reports whether a value has the nodes of a workflow, in any of the forms. It says nothing of whether they are right.
func isWorkflow(v *jsontree.Node) bool {
	v = unwrap(v)
	return v.Member("nodes") != nil || isSubmitted(v)
}

// isSubmitted reports whether a value is what Maze's agent sent to its scheduler.
func isSubmitted(v *jsontree.Node) bool {
	return v.Member("graph_definition") != nil && v.Member("tasks") != nil
}

func inside(v *jsontree.Node) *jsontree.Node {
	if v.Member("nodes") != nil {
		return nil
	}
	for _, way := range wrappers {
		inner := v
		for _, name := range way {
			inner = inner.Member(name)
		}
		if inner != nil && inner.Kind == jsontree.Object {
			return inner
		}
	}
	for _, name := range covers {
		inner := v.Member(name)
		nodes := inner.Member("nodes")
		if nodes != nil && (name != "graph" || len(nodes.Children) > 0 && nodes.Children[0].Kind == jsontree.Object) { // a snapshot has ids in its graph
			return inner
		}
	}
	return nil
}

// stranger is a document that is no workflow, and is taken for one.
type stranger struct {
	is test
	// what names it, and advice says what to do.
	what, advice string
}

// has makes a test for all of some members.
func has(names ...string) func(*checker, *jsontree.Node) bool {
	return func(_ *checker, v *jsontree.Node) bool {
		return !slices.ContainsFunc(names, func(name string) bool { return v.Member(name) == nil })
	}
}

// either makes a test of several.
func either(tests ...func(*checker, *jsontree.Node) bool) func(*checker, *jsontree.Node) bool {
	return func(c *checker, v *jsontree.Node) bool {
		return slices.ContainsFunc(tests, func(is func(*checker, *jsontree.Node) bool) bool { return is(c, v) })
	}
}

// withoutNodes are documents that have no nodes at the top. The first that fits counts.
var withoutNodes = []stranger{
	{func(c *checker, v *jsontree.Node) bool {
		return c.text(v.Member("schema")) == appV1 || v.Member("command") != nil
	},
		"an application of Maze (" + appV1 + "), which is one command and has no nodes",
		"Maze's /apps/validate checks it; write a workflow of tasks to have it checked here"},
	{func(c *checker, v *jsontree.Node) bool {
		return v.Member("items") != nil && strings.HasSuffix(c.text(v.Member("kind")), listSuffix)
	}, "a list of Kubernetes", `"mazectl dag check" checks each of its items; give one workflow here`},
	{has("apiVersion", "kind"), "an object of Kubernetes", `"mazectl lint" checks MazeTasks; a workflow has "nodes"`},
	{func(c *checker, v *jsontree.Node) bool { return strings.HasPrefix(c.text(v.Member("schema")), "maze_") },
		"one of the files in which Maze's Workbench keeps its own state", `check what it saves in "workflows", or exports`},
	{has("task_nodes"), "a snapshot of a run of Maze", `check the workflow that was submitted; a full snapshot has it in "metadata"."dag_spec"`},
	{has("definitions", "tasks"), "a workflow as ascend_maze compiles it",
		`check what it was compiled from, or write its tasks as "nodes" with "func" and "args"`},
	{either(has("task_spec"), has("task_spec_id"), has("task_specs"), has("max_tasks")), "a dynamic run of Maze, which grows while it runs",
		"there is no graph to check before it runs; lint the tasks instead"},
	{either(has("task_input", "task_output"), has("workflow_id", "task_id"), has("workflow_id", "source_task_id"), has("workflow_id", "task_type")),
		"one request of an older version of Maze's API, which adds a task or an edge to a workflow",
		`write all of them as one workflow, with "nodes" and "edges"`},
	{has("data"), "an export of an editor, with what it draws in \"data\"", `take the object with "nodes" out of it, and give each node "func" and "args"`},
	{has("States", "StartAt"), "a state machine of AWS Step Functions", hasNodes},
	{has("nbformat", "cells"), "a notebook of Jupyter", hasNodes},
	{either(has("jobs", "on"), has("jobs", "true")), "a workflow of GitHub Actions", hasNodes},
}

// withNodes are documents whose nodes are not Maze's. The first that fits counts.
var withNodes = []stranger{
	{has("connections"), "a workflow of n8n", `write its nodes with "id", "func" and "args"`},
	{func(_ *checker, v *jsontree.Node) bool {
		return slices.ContainsFunc(v.Member("nodes").Children, func(n *jsontree.Node) bool { return n.Member("data") != nil || n.Member("position") != nil })
	}, "an export of a React Flow editor, whose nodes do not say which tasks they run",
		`give each node "func" and "args", or "data" with "functionName" and "inputs" as Maze's Workbench does`},
	{func(c *checker, v *jsontree.Node) bool {
		return v.Member("links") != nil && (v.Member("directed") != nil || v.Member("multigraph") != nil)
	}, "a graph by networkx, whose nodes do not say which tasks they run", `give each node "func" and "args", and write "links" as "edges"`},
}

// recognise reports what a document is that is no workflow, in one finding. It reports whether it was one of those.
func (c *checker) recognise(v *jsontree.Node, strangers []stranger) bool {
	for _, s := range strangers {
		if s.is(c, v) {
			c.report(finding.MalformedDAG, v, nil, "this is %s; %s", s.what, s.advice)
			return true
		}
	}
	return false
}
