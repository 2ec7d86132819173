package dag

import (
	"cmp"
	"slices"

	"github.com/maze-agent/maregister/internal/finding"
)

// Use is a node of a workflow that runs a task.
type Use struct {
	// Node is the node's id, and Task the name of the task that it runs. Names are what else the task may be called, if none has that name.
	Node  string   `json:"node"`
	Task  string   `json:"task"`
	Names []string `json:"-"`
	// Position and Pointer are where the task is named. A workflow that is in no file has no positions.
	Position finding.Position `json:"position,omitzero"`
	Pointer  string           `json:"pointer,omitempty"`
	// Arguments are the names of those that it passes, and Outputs those of the task's outputs that other nodes read, both sorted.
	Arguments []string `json:"arguments"`
	Outputs   []string `json:"outputs"`
}

// Runs reports whether the node runs a task.
func (u *Use) Runs(task string) bool { return u.Task == task || slices.Contains(u.Names, task) }

// Uses returns which tasks the workflow runs, in the order of its nodes. It reports false for what is no workflow, or cannot be read as one,
// as where no node names a task. A node that names none has no Task.
func (d *Document) Uses() ([]Use, bool) {
	c := d.checker(NewTasks(nil), Options{})
	isMalformed := func(f finding.Finding) bool { return f.Rule == finding.MalformedDAG }
	if c.root == nil || slices.ContainsFunc(c.found, isMalformed) { // such as one that holds another document
		return nil, false
	}
	c.read()
	if c.form == nil || !slices.ContainsFunc(c.graph.Nodes, func(n *Node) bool { return n.Func != "" || len(n.names) > 0 }) {
		return nil, false
	}
	c.checkReferences()
	uses := make([]Use, len(c.graph.Nodes))
	for i, n := range c.graph.Nodes {
		uses[i] = Use{Node: n.ID, Task: n.Func, Arguments: []string{}, Outputs: []string{}}
		at := n.at
		if n.funcAt != nil {
			at = n.funcAt
		}
		uses[i].Position, uses[i].Pointer = d.placed(c.at(at)), d.pointer(at.Pointer())
		for _, name := range n.names {
			uses[i].Names = append(uses[i].Names, name.text)
		}
		for j := range n.arguments {
			if !n.arguments[j].leftOut {
				uses[i].Arguments = append(uses[i].Arguments, n.arguments[j].name)
			}
		}
	}
	for _, e := range c.graph.Edges {
		if e.Output != "" {
			uses[e.From].Outputs = append(uses[e.From].Outputs, e.Output)
		}
		if e.Input != "" {
			uses[e.To].Arguments = append(uses[e.To].Arguments, e.Input)
		}
	}
	for i := range uses {
		for _, names := range []*[]string{&uses[i].Arguments, &uses[i].Outputs} {
			slices.Sort(*names)
			*names = slices.Compact(*names)
		}
	}
	slices.SortStableFunc(uses, func(a, b Use) int { // nodes by their ids in YAML are read in the order of these
		return cmp.Or(cmp.Compare(a.Position.Line, b.Position.Line), cmp.Compare(a.Position.Column, b.Position.Column))
	})
	return uses, true
}
