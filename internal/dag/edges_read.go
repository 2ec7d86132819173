package dag

import (
	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/jsontree"
)

// endpoint is one end of an edge.
type endpoint struct {
	at         *jsontree.Node
	node, port string
}

// The fields of an edge, besides from and to. The first that is there counts.
var (
	sourceFields = []string{"source", "source_task_id"}
	targetFields = []string{"target", "target_task_id"}
	outputFields = []string{"source_output", "output"}
	inputFields  = []string{"target_input", "input"}
	edgeFields   = []string{"from", "to", "source", "target", "source_task_id", "target_task_id", "source_output", "target_input", "output", "input"}
)

// edgeMistaken has what is written for fields of an edge, and what is read in their place.
var edgeMistaken = map[string]string{
	"src": `where it begins is in "source"`, "dst": `where it leads is in "target"`, "dest": `where it leads is in "target"`,
}

func (c *checker) readEdges(edges *jsontree.Node) {
	if edges.Kind != jsontree.Array {
		c.report(finding.MalformedDAG, edges, nil, `"edges" is an array of objects, found %s`, edges.Kind)
		return
	}
	c.graph.edgesAt = edges
	for _, v := range edges.Children {
		c.readEdge(v)
	}
}

func (c *checker) readEdge(v *jsontree.Node) {
	if v.Kind != jsontree.Object {
		c.reportAlike("no edge", finding.MalformedDAG, v, nil, `an edge is an object such as {"source": "t1", "target": "t2"}, found %s`, v.Kind)
		return
	}
	if c.form.drawn {
		c.readDrawnEdge(v)
		return
	}
	c.unknownFields(v, nil, edgeFields, edgeMistaken)
	source, sourceOK := c.endpoint(v, "from", sourceFields, outputFields)
	target, targetOK := c.endpoint(v, "to", targetFields, inputFields)
	if !sourceOK || !targetOK {
		return
	}
	if (source.port == "") != (target.port == "") || (c.form.ports && source.port == "") {
		c.reportAlike("no ports", finding.MalformedDAG, v, nil,
			`the edge does not say which output feeds which input; write {"from": "node.output", "to": "node.input"}`)
		if i, known := c.graph.find(target.node); known { // which of its arguments the edge is for is not known
			c.graph.Nodes[i].garbled = true
		}
		return
	}
	to, known := c.graph.find(target.node)
	if !known {
		c.unknownNode(target.at, nil, target.node)
	}
	if known && source.port != "" && c.wire(c.graph.Nodes[to], target, &reference{at: source.at, node: source.node, output: source.port, index: -1}) {
		return // the reference is followed like any other
	}
	from, sourceKnown := c.graph.find(source.node)
	switch {
	case !sourceKnown:
		c.unknownNode(source.at, nil, source.node)
	case known && source.port == "":
		c.order = append(c.order, Edge{From: from, To: to, Fit: FitUnknown, at: v})
	}
}

// readDrawnEdge reads an edge of an editor. What nodes hand over is in their inputs: the edge only shows that.
func (c *checker) readDrawnEdge(v *jsontree.Node) {
	source, target := v.Member("source"), v.Member("target")
	ends := []int{}
	for _, end := range []struct {
		at   *jsontree.Node
		name string
	}{{source, "source"}, {target, "target"}} {
		switch i, known := c.graph.find(c.text(end.at)); {
		case end.at == nil || end.at.Kind != jsontree.Text:
			c.reportAlike("no "+end.name, finding.MalformedDAG, v, nil, "the edge has no %q, the id of a node", end.name)
		case !known:
			c.unknownNode(end.at, nil, c.text(end.at))
		default:
			ends = append(ends, i)
		}
	}
	if len(ends) == 2 {
		c.order = append(c.order, Edge{From: ends[0], To: ends[1], Fit: FitUnknown, at: v})
	}
}

// endpoint reads one end: "node.port" in one field, or the node and the port in two.
func (c *checker) endpoint(v *jsontree.Node, joint string, nodeFields, portFields []string) (endpoint, bool) {
	if at := v.Member(joint); at != nil && v.Member(nodeFields[0]) == nil {
		node, port, ok := cutPort(c.text(at))
		if !ok && !c.form.ports && c.form.isID.MatchString(c.text(at)) { // only the order
			return endpoint{at: at, node: c.text(at)}, true
		}
		if match := referencePattern.FindStringSubmatch(c.text(at)); match != nil && match[3] == "" { // what is meant is clear
			node, port, ok = match[1], match[2], true
			c.report(finding.MalformedDAG, at, nil, `%q is written "node.port"; write %s`, joint, quote(node+"."+port))
		}
		if !ok {
			c.report(finding.MalformedDAG, at, nil, `%q is written "node.port", found %s`, joint, c.quote(at))
		}
		return endpoint{at, node, port}, ok
	}
	node, port := firstText(v, nodeFields), firstText(v, portFields)
	if node == nil {
		if wrong := v.Member(nodeFields[0]); wrong != nil {
			c.report(finding.MalformedDAG, wrong, nil, "%q is the id of a node, a string; found %s", nodeFields[0], wrong.Kind)
		} else {
			c.report(finding.MalformedDAG, v, nil, "the edge has no %q, the id of a node", nodeFields[0])
		}
		return endpoint{}, false
	}
	return endpoint{node, c.text(node), c.text(port)}, true
}

// firstText returns the first of the fields that has a text. Nil if none has.
func firstText(v *jsontree.Node, fields []string) *jsontree.Node {
	for _, field := range fields {
		if at := v.Member(field); at != nil && at.Kind == jsontree.Text {
			return at
		}
	}
	return nil
}

// wire makes an edge an argument of the node that it leads to. False if the argument has another value.
func (c *checker) wire(n *Node, to endpoint, r *reference) bool {
	existing := n.argument(to.port)
	switch {
	case existing == nil:
		n.add(argument{name: to.port, at: to.at, reference: r})
	case existing.literal == nil && existing.reference == nil && existing.items == nil: // declared, and to be filled
		existing.reference, existing.leftOut = r, false
	case existing.mentions(r): // told twice, in the same way
	default:
		c.report(finding.ArgumentGivenTwice, to.at, n, "the input %s gets a value from this edge and another one at %s; remove one of the two",
			quote(to.port), existing.at.Pointer())
		c.about(to.port)
		c.relate(existing.at, "the other is here")
		return false
	}
	return true
}

// mentions reports whether an argument refers to the same output.
func (a *argument) mentions(r *reference) bool {
	for _, other := range a.references() {
		if other.node == r.node && other.output == r.output {
			return true
		}
	}
	return false
}

// finalOutputs checks what Maze's own format returns of a workflow: objects with a mark, anywhere in a value.
func (c *checker) finalOutputs(v *jsontree.Node) {
	if v == nil {
		return
	}
	if mark := v.Member("__maze_output_ref__"); mark != nil {
		node, output := v.Member("task_id"), v.Member("output_key")
		if node == nil || node.Kind != jsontree.Text || output == nil || output.Kind != jsontree.Text {
			c.report(finding.MalformedDAG, v, nil, `a reference to an output has "task_id" and "output_key"`)
			return
		}
		c.finals = append(c.finals, &reference{at: v, node: c.text(node), output: c.text(output), index: -1})
		return
	}
	for _, child := range v.Children {
		c.finalOutputs(child)
	}
}
