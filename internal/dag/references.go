package dag

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/jsontree"
	"github.com/maze-agent/maregister/internal/schema"
)

// checkReferences follows every reference, and makes the graph's edges.
func (c *checker) checkReferences() {
	for to, n := range c.graph.Nodes {
		for i := range n.arguments {
			a := &n.arguments[i]
			if a.reference != nil {
				c.follow(to, a, a.reference, -1)
			}
			for position, item := range a.items {
				if item.reference != nil {
					c.follow(to, a, item.reference, position)
				}
			}
		}
	}
	wired := map[[2]int]bool{}
	for _, e := range c.graph.Edges {
		wired[[2]int{e.From, e.To}] = true
	}
	for _, e := range c.order { // those that say nothing new are left out
		if pair := [2]int{e.From, e.To}; !wired[pair] {
			wired[pair] = true
			c.graph.Edges = append(c.graph.Edges, e)
		}
	}
	for _, r := range c.finals {
		if from, ok := c.graph.find(r.node); !ok {
			c.unknownNode(r.at, nil, r.node)
		} else {
			c.source(c.graph.Nodes[from], nil, r)
		}
	}
}

// follow makes the edge of a reference in an argument of a node. position is that in a list of references; negative if it is not
// in one.
func (c *checker) follow(to int, a *argument, r *reference, position int) {
	n := c.graph.Nodes[to]
	from, ok := c.graph.find(r.node)
	if !ok {
		c.unknownNode(r.at, n, r.node)
		return
	}
	edge := Edge{From: from, To: to, Output: r.output, Index: r.index, Input: a.name, Fit: FitUnknown, at: r.at}
	if part, known := c.source(c.graph.Nodes[from], n, r); known {
		edge.Fit = c.connect(n, a, r, part, position)
	}
	c.graph.Edges = append(c.graph.Edges, edge)
}

func (c *checker) unknownNode(at *jsontree.Node, n *Node, id string) {
	c.report(finding.UnknownNode, at, n, "no node has the id %s%s", quote(id), c.didYouMean(id, c.ids()))
}

// ids are those of all nodes, in the order of the file.
func (c *checker) ids() []string {
	if c.allIDs == nil {
		for _, n := range c.graph.Nodes {
			if n.ID != "" {
				c.allIDs = append(c.allIDs, n.ID)
			}
		}
	}
	return c.allIDs
}

// source returns the schema of what a reference mentions. False if it is not known. from is the node that is mentioned, n the one that
// mentions it; nil if none does.
func (c *checker) source(from, n *Node, r *reference) (schema.Part, bool) {
	outputs := c.output(from)
	if outputs == nil {
		if names := c.outputNames(from); names != nil && !slices.Contains(names, r.output) {
			c.unknownOutput(from, n, r, names)
		}
		return schema.Part{}, false
	}
	if !Takes(outputs, r.output) {
		c.unknownOutput(from, n, r, allowedNames(outputs))
		return schema.Part{}, false
	}
	part, ok := outputs.Part(r.output)
	if !ok || r.index < 0 {
		return part, ok
	}
	one, ok := part.Item(r.index)
	if !ok {
		c.report(finding.UnknownOutput, r.at, n, "the output %s of node %s has no item [%d]: it %s", quote(r.output), quote(from.ID), r.index, extent(part, r.index))
		c.reads(from.index, r.output)
	}
	return one, ok
}

// extent says of a part that has no item at an index what it is instead.
func extent(part schema.Part, index int) string {
	const most = 1000 // looked at
	for last := min(index, most) - 1; last >= 0; last-- {
		if _, ok := part.Item(last); ok {
			return fmt.Sprintf("has %d at most", last+1)
		}
	}
	return "is " + part.String()
}

func (c *checker) unknownOutput(from, n *Node, r *reference, names []string) {
	of := ""
	if from.Func != "" {
		of = fmt.Sprintf(" (task %s)", quote(from.Func))
	}
	switch outputs := c.output(from); {
	case c.isItem(r.output, names):
		c.report(finding.UnknownOutput, r.at, n, "an edge hands over the whole output, and %s is one item of it; %s",
			quote(r.output), c.insteadOfEdge("the reference"))
	case len(names) > 0:
		c.report(finding.UnknownOutput, r.at, n, "node %s%s has no output %s, but %s%s", quote(from.ID), of, quote(r.output), list(names),
			c.didYouMean(r.output, names))
	case outputs == nil || outputs.TakesNothing():
		c.report(finding.UnknownOutput, r.at, n, "node %s%s has no outputs, so it cannot hand over %s; leave the reference out",
			quote(from.ID), of, quote(r.output))
	default:
		c.report(finding.UnknownOutput, r.at, n, "the output schema of node %s%s forbids the name %s; correct it, or leave the reference out",
			quote(from.ID), of, quote(r.output))
	}
	c.reads(from.index, r.output)
}

// connect returns whether an output can feed an argument, and reports it if it cannot.
func (c *checker) connect(n *Node, a *argument, r *reference, from schema.Part, position int) Fit {
	inputs := c.input(n)
	if inputs == nil {
		return FitUnknown
	}
	to, ok := inputs.Part(a.name)
	if !ok { // told as an unknown argument
		return FitUnknown
	}
	if position >= 0 {
		if to, ok = to.Item(position); !ok { // told as a value that does not fit
			return FitUnknown
		}
	}
	producer, _ := c.graph.find(r.node)
	key := [2]string{
		portKey(c.graph.Nodes[producer].Func, r.output, r.index),
		portKey(n.Func, a.name, position),
	}
	result := c.tasks.feeds(key, from, to)
	if result.verdict == FitIncompatible {
		c.report(finding.IncompatibleEdge, r.at, n, "the output %s of node %s cannot feed the argument %s: %s",
			quote(r.output), quote(r.node), quote(a.name), result.why)
		c.about(a.name)
		c.reads(producer, r.output)
	}
	return result.verdict
}

func portKey(function, port string, index int) string {
	return function + "\x00" + port + "\x00" + strconv.Itoa(index)
}
