package dag

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

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
	to, known := c.graph.find(target.node)
	hasPorts := source.port != "" && target.port != "" || !c.form.ports && source.port+target.port == ""
	if sourceOK && targetOK && !hasPorts {
		c.reportAlike("no ports", finding.MalformedDAG, v, nil,
			`the edge does not say which output feeds which input; write {"from": "node.output", "to": "node.input"}`)
	}
	if !sourceOK || !targetOK || !hasPorts {
		if known { // which of its arguments the edge is for, or that it gets one, is not known
			c.graph.Nodes[to].garbled = true
		}
		return
	}
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
		written := c.text(at)
		if !c.form.ports && c.form.isID.MatchString(written) { // only the order
			return endpoint{at: at, node: written}, true
		}
		node, port, ok := cutPort(written)
		if !ok {
			node, port, ok = c.wrongEnd(joint, at)
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

// betweenPort is an end of an edge with a word between the id and the port, as a reference has "output" there.
var betweenPort = regexp.MustCompile(`^([^\s.]+)\.(?:outputs?|inputs?|args|arguments|params|parameters)\.([^\s.\[\]]+)$`)

// wrongEnd reports an end of an edge that is not "node.port". It returns what is meant, if that is clear, and true; or else the id of the
// node that is probably meant.
func (c *checker) wrongEnd(joint string, at *jsontree.Node) (node, port string, ok bool) {
	written, what, instead := c.text(at), "output", "the reference"
	if joint == "to" {
		what, instead = "argument", "the argument"
	}
	if match := betweenPort.FindStringSubmatch(written); match != nil {
		c.report(finding.MalformedDAG, at, nil, `%q is written "node.%s"; write %s`, joint, what, quote(match[1]+"."+match[2]))
		return match[1], match[2], true
	}
	node, port, _ = strings.Cut(written, ".")
	last := max(0, strings.LastIndexByte(written, '.'))
	_, isDotted := c.graph.find(written[:last])
	item := referencePattern.FindStringSubmatch(written)
	if item != nil {
		port = item[2]
	}
	switch {
	case node == "" || item == nil && !strings.Contains(port, "."):
		c.report(finding.MalformedDAG, at, nil, `%q is written "node.%s", the id of a node and the name of one of its %ss; found %s`,
			joint, what, what, c.quote(at))
	case isDotted:
		c.report(finding.MalformedDAG, at, nil, `the first dot of %s ends the id of the node, so an id has no dot: call node %s otherwise`,
			quote(written), quote(written[:last]))
	case item != nil && item[3] != "":
		c.report(finding.MalformedDAG, at, nil, `an edge hands over the whole output, and %s is one item of it; %s`,
			quote(written), c.insteadOfEdge("the reference"))
	default:
		c.report(finding.MalformedDAG, at, nil, `the first dot of %s ends the id of the node, and an edge cannot name the %s %s, which has a dot; %s`,
			quote(written), what, quote(port), c.insteadOfEdge(instead))
	}
	return node, "", false
}

// insteadOfEdge returns what to do with what no edge can say.
func (c *checker) insteadOfEdge(what string) string {
	if !c.hasReferences() {
		return "give it another name"
	}
	return fmt.Sprintf("write %s in %q of the node that takes it", what, c.form.arguments)
}

// hasReferences reports whether arguments can be references of the described format, which say more than an edge.
func (c *checker) hasReferences() bool { return c.form.arguments != "" && !c.form.ports }

// itemPattern is an item of an output, as a reference has it and an edge does not.
var itemPattern = regexp.MustCompile(`^(.+)\[[0-9]+\]$`)

// isItem reports whether an edge names an item of one of the outputs or arguments that there are.
func (c *checker) isItem(port string, names []string) bool {
	match := itemPattern.FindStringSubmatch(port)
	return match != nil && c.hasReferences() && slices.Contains(names, match[1])
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
			quote(to.port), c.shown(existing.at))
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
