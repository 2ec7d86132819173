package dag

import (
	"slices"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/schema"
)

// Step is a node as a compiler needs it, whichever format it is written in.
type Step struct {
	ID, Func string
	// Position is where the node is written.
	Position finding.Position
	// Task is what the node runs. Nil if that is code of its own, or is not known.
	Task *Task
	// Code says that the node brings its code along, among Own.
	Code bool
	// Own are the fields that the node has, and that Maze reads: all but id, inputs and, if there is a task, outputs and code.
	Own []Field
	// Arguments are in the order of the file; what edges hand over comes last.
	Arguments []Argument
	// Outputs are those that the node declares itself. Used are those that others refer to, sorted.
	Outputs, Used []string
	// After are the ids of the nodes that it only waits for.
	After []string
}

// Field is a member of an object as it is written: a name, and JSON.
type Field struct {
	Name  string
	Value []byte
}

// Argument is what a node passes for a parameter. It has one of Literal, Output, Items and Written.
type Argument struct {
	Name string
	// Literal is JSON.
	Literal []byte
	Output  *Output
	Items   []Item
	// Written is what only Maze knows, in its own words: an input of the run.
	Written []byte
}

// Item is one of a list in which there are outputs. It has one of Literal and Output.
type Item struct {
	Literal []byte
	Output  *Output
}

// Output is another node's output, or one item of it.
type Output struct {
	Node, Name string
	// Index is that of the item. Negative for the whole output.
	Index int
	// Metadata are those of the edge that hands it over, as JSON. Nil if there is none.
	Metadata []byte
}

// notOwn are the fields of a node of Maze's own form that a compiler writes anew, and notOfTask those where it writes the code, too.
var (
	notOwn    = []string{"id", "inputs"}
	notOfTask = slices.Concat(notOwn, []string{"outputs"}, ownCode)
)

// ownOfWorkbench are the fields of a node of the Workbench that count beside its own code.
var ownOfWorkbench = []string{"task_kind", "resources"}

// Steps returns the nodes. Where Check finds errors, parts of them may be missing.
func (g *Graph) Steps() []Step {
	c := g.of
	used := map[string][]string{}
	for _, n := range g.Nodes {
		for i := range n.arguments {
			for _, r := range n.arguments[i].references() {
				used[r.node] = append(used[r.node], r.output)
			}
		}
	}
	for _, r := range c.finals {
		used[r.node] = append(used[r.node], r.output)
	}
	steps := make([]Step, len(g.Nodes))
	for i, n := range g.Nodes {
		steps[i] = c.step(n)
		slices.Sort(used[n.ID])
		steps[i].Used = slices.Compact(used[n.ID])
	}
	for _, e := range g.Edges {
		if e.Output == "" && e.Input == "" {
			steps[e.To].After = append(steps[e.To].After, g.Nodes[e.From].ID)
		}
	}
	return steps
}

// step returns a node by itself.
func (c *checker) step(n *Node) Step {
	s := Step{ID: n.ID, Func: n.Func, Position: c.at(n.at), Code: n.ownCode, Outputs: n.outputs}
	if t, ok := c.tasks.byName[n.Func]; ok && t.Refused == "" && !n.ownCode {
		s.Task = &t
	}
	switch c.form {
	case &mazeV1:
		without := notOwn
		if s.Task != nil {
			without = notOfTask
		}
		for _, child := range n.at.Members() {
			if !slices.Contains(without, child.Name) {
				s.Own = append(s.Own, Field{child.Name, c.raw(child)})
			}
		}
	case &workbench:
		data := n.at.Member("data")
		for _, name := range ownOfWorkbench {
			if at := data.Member(name); n.ownCode && at != nil {
				s.Own = append(s.Own, Field{name, c.raw(at)})
			}
		}
		if n.ownCode {
			s.Own = append(s.Own, Field{"code", c.raw(data.Member("customCode"))})
		}
	}
	for i := range n.arguments {
		if a := &n.arguments[i]; !a.leftOut || n.ownCode && c.form == &mazeV1 {
			s.Arguments = append(s.Arguments, c.exported(n, a))
		}
	}
	return s
}

// exported returns an argument without its places.
func (c *checker) exported(n *Node, a *argument) Argument {
	out := Argument{Name: a.name}
	switch {
	case a.reference != nil:
		out.Output = c.exportedOutput(a.reference)
	case a.items != nil:
		for _, i := range a.items {
			if i.reference != nil {
				out.Items = append(out.Items, Item{Output: c.exportedOutput(i.reference)})
			} else {
				out.Items = append(out.Items, Item{Literal: c.passed(i.literal)})
			}
		}
	case a.literal != nil && (!n.ownCode || c.form == &workbench):
		out.Literal = c.value(a)
	default:
		out.Written = c.raw(a.at)
	}
	return out
}

func (c *checker) exportedOutput(r *reference) *Output {
	out := &Output{Node: r.node, Name: r.output, Index: r.index}
	if edge := r.at.Parent; edge.Parent != nil && edge.Parent == c.graph.edgesAt {
		if at := edge.Member("metadata"); at != nil {
			out.Metadata = c.raw(at)
		}
	}
	return out
}

// Fields returns what a workflow of Maze's own form says beside its nodes and edges.
func (g *Graph) Fields() []Field {
	c := g.of
	if c.form != &mazeV1 {
		return nil
	}
	var fields []Field
	for _, child := range c.workflow.Members() {
		if !slices.Contains(workflowFields, child.Name) {
			fields = append(fields, Field{child.Name, c.raw(child)})
		}
	}
	return fields
}

// Takes reports whether a schema has a place for an argument or an output of a name: who writes another one has probably misspelt it.
func Takes(inputs *schema.Parameters, name string) bool {
	if inputs.Forbids(name) {
		return false
	}
	_, ok := inputs.Part(name)
	return ok || declaresNothing(inputs) || slices.Contains(inputs.Required(), name)
}
