package compile

import (
	"bytes"
	"encoding/json"

	"github.com/maze-agent/maregister/internal/dag"
	"github.com/maze-agent/maregister/internal/finding"
)

// Options say what a compiled workflow has besides the workflow.
type Options struct {
	// PythonPath are folders where Maze's workers find the user's packages, if these are not installed there.
	PythonPath []string
	// GPUMemory is what a task of the type gpu that does not say needs of GPU memory, in MiB.
	GPUMemory int64
	// Workspace is the folder of the run, by which nodes hand on files. Empty for none, or that of the workflow.
	Workspace string
}

// maxPayload bounds a compiled workflow, in bytes: no more is read of one.
const maxPayload = 64 << 20

// Workflow returns a workflow that dag.Check has read, for dag.TargetCompiled, as maze.workflow/v1. file is what findings call it: they
// say why it cannot be done. Where Check found no error, that is only if the result is too large.
func Workflow(file string, g *dag.Graph, options Options) ([]byte, []finding.Finding) {
	steps := g.Steps()
	w := writer{options: options, limit: maxPayload, outlines: map[string]*outline{}, byNode: map[string]*outline{}, firsts: map[string]string{}}
	var found []finding.Finding
	for i := range steps {
		if step := &steps[i]; !step.Code && (step.Task == nil || step.Task.EntryPoint == "") { // Check says why
			found = append(found, finding.New(finding.MissingCode, file, step.Position, "",
				"the node cannot be compiled, as it has no task whose function can be imported"))
		} else {
			w.firsts[step.ID] = w.outputs(step)[0]
			if !step.Code {
				w.byNode[step.ID] = w.outline(step)
			}
		}
	}
	if len(found) > 0 {
		return nil, finding.Sort(found)
	}
	w.raw("{\n")
	w.field("schema", "maze.workflow/v1")
	w.settings(g.Fields())
	var edges []edge
	w.raw("  \"nodes\": [")
	for i := range steps {
		node, incoming := w.node(&steps[i])
		w.item(i, node)
		edges = append(edges, incoming...)
	}
	w.raw("\n  ],\n  \"edges\": [")
	for i, e := range edges {
		w.item(i, e)
	}
	if len(edges) > 0 {
		w.raw("\n  ")
	}
	w.raw("]\n}\n")
	if w.full() {
		return nil, []finding.Finding{finding.New(finding.DAGTooLarge, file, finding.Position{Line: 1, Column: 1}, "the workflow",
			"compiled, the workflow has more than %d bytes, which is as much as is read of one; split it", maxPayload)}
	}
	return w.out.Bytes(), nil
}

// edge brings an output of a node to an input of another one, whatever they are called.
type edge struct {
	Source string `json:"source_task_id"`
	Output string `json:"source_output"`
	Target string `json:"target_task_id"`
	Input  string `json:"target_input"`
	// Metadata are for checks: Maze does not read them.
	Metadata json.RawMessage `json:"metadata,omitempty"`
}

// writer writes a workflow, up to a limit.
type writer struct {
	options Options
	out     bytes.Buffer
	limit   int
	// outlines are what is known of tasks, by name, and byNode by the ids of nodes. firsts are the first outputs of nodes.
	outlines, byNode map[string]*outline
	firsts           map[string]string
}

// full reports whether there is too much, so that nothing more is written.
func (w *writer) full() bool { return w.out.Len() > w.limit }

func (w *writer) raw(text string) { w.out.WriteString(text) }

// item writes an item of one of the arrays.
func (w *writer) item(i int, value any) {
	if w.full() {
		return
	}
	if i > 0 {
		w.raw(",")
	}
	w.raw("\n    ")
	indent(&w.out, value, "    ")
}

// field writes a member of the workflow.
func (w *writer) field(name string, value any) {
	w.raw("  ")
	w.out.Write(encoded(name))
	w.raw(": ")
	indent(&w.out, value, "  ")
	w.raw(",\n")
}

// settings writes what the workflow says beside its nodes and edges, and the workspace.
func (w *writer) settings(fields []dag.Field) {
	written := w.options.Workspace == ""
	for _, f := range fields {
		value := json.RawMessage(f.Value)
		if f.Name == "run" && !written {
			value, written = withMember(value, "workspace_dir", w.options.Workspace), true
		}
		w.field(f.Name, value)
	}
	if !written {
		w.field("run", object{{Name: "workspace_dir", Value: encoded(w.options.Workspace)}})
	}
}
