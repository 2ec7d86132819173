package dag

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/jsontree"
)

// workflowFields are the fields of a workflow, and workflowMistaken has what is written for them, and what is read in their place.
var (
	workflowFields   = []string{"nodes", "edges", "schema"}
	workflowMistaken = map[string]string{"tasks": `nodes are in "nodes"`, "steps": `nodes are in "nodes"`, "links": `edges are in "edges"`}
)

const workflowExample = `{"nodes": [{"id": "t1", "func": "speech_to_text", "args": {}}]}`

// instead returns what to do with a document that is no object.
func (c *checker) instead() string {
	switch first := strings.TrimSpace(c.text(c.root)); {
	case c.root.Kind == jsontree.Array && len(c.root.Children) > 0 && c.root.Children[0].Member("nodes") != nil:
		return "; write each workflow into a file of its own"
	case c.root.Kind == jsontree.Array && len(c.root.Children) > 0 && formOfNode(c.root.Children[0]) != nil:
		return `; write the nodes below "nodes"`
	case strings.HasPrefix(first, "{"):
		return "; it is JSON in a text: write it without the quotes around it"
	}
	return ""
}

// read makes the graph of a workflow, and reports what is not as its form has it.
func (c *checker) read() {
	c.workflow = unwrap(c.root)
	if c.platform() {
		return
	}
	if c.workflow = c.root; c.root.Kind != jsontree.Object {
		c.report(finding.MalformedDAG, c.root, nil, `a workflow is an object such as %s, found %s%s`, workflowExample, c.root.Kind, c.instead())
		return
	}
	c.workflow = unwrap(c.root)
	if isSubmitted(c.workflow) {
		c.form = &submitted
		c.readNodes(c.workflow.Member("tasks"))
		return
	}
	nodes := c.workflow.Member("nodes")
	switch {
	case nodes == nil && (c.recognise(c.root, withoutNodes) || c.workflow != c.root && c.recognise(c.workflow, withoutNodes)):
		return
	case nodes == nil:
		c.noNodes()
		return
	case nodes.Kind != jsontree.Array && nodes.Kind != jsontree.Object:
		c.report(finding.MalformedDAG, nodes, nil, `"nodes" is an array of objects, found %s`, nodes.Kind)
		return
	case len(nodes.Children) == 0:
		c.report(finding.MalformedDAG, nodes, nil, "the workflow has no nodes, so there is nothing to run; add one, or delete the workflow")
	}
	if c.form = c.formOf(nodes); c.form == nil {
		if c.recognise(c.workflow, withNodes) {
			return
		}
		c.form = &described
	}
	c.unknownFields(c.workflow, nil, workflowFields, workflowMistaken)
	c.readNodes(nodes)
	if edges := c.workflow.Member("edges"); edges != nil && edges.Kind != jsontree.Null {
		c.readEdges(edges)
	}
	c.finalOutputs(c.workflow.Member("final_output_refs"))
}

// noNodes reports a workflow without nodes, or what stands for them.
func (c *checker) noNodes() {
	for _, child := range c.workflow.Children {
		if instead, ok := workflowMistaken[child.Name]; ok && child.Name != "links" {
			c.reportKey(finding.MalformedDAG, child, nil, `nothing reads the field %s here; %s`, quote(child.Name), instead)
			return
		}
	}
	c.report(finding.MalformedDAG, c.workflow, nil, `the workflow has no "nodes"; write %s`, workflowExample)
	c.unknownFields(c.workflow, nil, workflowFields, workflowMistaken)
}

// readNodes reads nodes in an array, or in an object whose keys are their ids.
func (c *checker) readNodes(nodes *jsontree.Node) {
	c.graph.nodesAt = nodes
	c.adoptFields(nodes)
	for _, v := range nodes.Children {
		c.readNode(v)
	}
}

// adoptFields has tasks and arguments read from fields of other names, if no node has those that count and many have the same one. It
// reports each once: who writes in the words of another framework made one mistake.
func (c *checker) adoptFields(nodes *jsontree.Node) {
	if c.form != &described {
		return
	}
	adopted := described
	function := c.adopted(nodes, "func", functionElsewhere, "the name of the task is in")
	arguments := c.adopted(nodes, "args", argumentsElsewhere, "arguments are in")
	if function != "" {
		adopted.function, adopted.known = []string{function}, append(slices.Clone(adopted.known), function)
	}
	if arguments != "" {
		adopted.arguments, adopted.known = arguments, append(slices.Clone(adopted.known), arguments)
	}
	if function+arguments != "" {
		c.form = &adopted
	}
}

// minAdopted is how many nodes make a field of another name one mistake.
const minAdopted = 3

// adopted returns the field that is read in the place of another one. Empty if that one is to be read, or it is not clear.
func (c *checker) adopted(nodes *jsontree.Node, field string, others []string, what string) string {
	if slices.ContainsFunc(nodes.Children, func(v *jsontree.Node) bool { return c.form.fieldsOf(v).Member(field) != nil }) {
		return ""
	}
	for _, other := range others {
		var with []*jsontree.Node
		for _, v := range nodes.Children {
			if at := v.Member(other); at != nil {
				with = append(with, at)
			}
		}
		if len(with) < minAdopted {
			continue // each is told
		}
		c.reportKey(finding.MalformedDAG, with[0], nil, "nothing reads the field %s here; %s %q (so it is in %d more places)", quote(other), what, field, len(with)-1)
		return other
	}
	return ""
}

func (c *checker) readNode(v *jsontree.Node) {
	n := &Node{at: v, index: len(c.graph.Nodes)}
	c.graph.Nodes = append(c.graph.Nodes, n)
	if v.Kind != jsontree.Object {
		c.reportAlike("no object", finding.MalformedDAG, v, nil, "a node is an object, found %s", v.Kind)
		return
	}
	fields := c.form.fieldsOf(v)
	c.readID(n)
	if c.form.function != nil {
		c.readFunction(n, fields)
	}
	if c.form.known != nil {
		c.unknownFields(fields, n, c.form.known, c.form.mistaken)
	}
	if c.form.readNode != nil {
		c.form.readNode(c, n, fields)
	}
	if c.form.arguments != "" {
		c.readArguments(n, fields)
	}
	n.garbled = n.garbled || c.form == &agentos
}

// readFunction reads the name of the task that a node runs.
func (c *checker) readFunction(n *Node, fields *jsontree.Node) {
	for _, name := range c.form.function {
		if n.funcAt = fields.Member(name); n.funcAt != nil && n.funcAt.Kind != jsontree.Null {
			break
		}
	}
	missing := n.funcAt == nil || n.funcAt.Kind == jsontree.Null
	switch other := firstText(fields, functionElsewhere); {
	case missing && other != nil && c.form.mistaken[other.Name] != "": // what is meant is clear
		c.reportKey(finding.MalformedDAG, other, n, "nothing reads the field %s here; %s", quote(other.Name), c.form.mistaken[other.Name])
		n.funcAt, n.Func = other, c.text(other)
	case missing:
		c.reportAlike("no function", finding.MalformedDAG, n.at, n, "%q is missing: the name of the task that the node runs", c.form.function[0])
	case n.funcAt.Kind != jsontree.Text:
		c.report(finding.MalformedDAG, n.funcAt, n, "%q is a string, the name of a task; found %s", n.funcAt.Name, n.funcAt.Kind)
	case c.text(n.funcAt) == "":
		c.report(finding.MalformedDAG, n.funcAt, n, "%q is empty; write the name of the task that the node runs", n.funcAt.Name)
	default:
		n.Func = c.text(n.funcAt)
	}
}

func (c *checker) readArguments(n *Node, fields *jsontree.Node) {
	n.argsAt = fields.Member(c.form.arguments)
	switch {
	case n.argsAt == nil || n.argsAt.Kind == jsontree.Null:
		n.argsAt = nil
	case n.argsAt.Kind != jsontree.Object:
		c.report(finding.MalformedDAG, n.argsAt, n, "%q is an object of arguments by name, found %s", c.form.arguments, n.argsAt.Kind)
		n.garbled = true
	default:
		for _, child := range n.argsAt.Children {
			n.add(c.form.readArgument(c, n, child.Name, child))
		}
	}
}

// readID reads the id of a node: from a field, or from the node's key where nodes are in an object.
func (c *checker) readID(n *Node) {
	n.idAt = n.at.Member(c.form.id)
	if keyed := n.at.Parent.Kind == jsontree.Object; keyed && (n.idAt == nil || n.idAt.Kind != jsontree.Text) {
		n.idAt, n.ID = n.at, n.at.Name
	} else {
		switch {
		case n.idAt == nil || n.idAt.Kind == jsontree.Null:
			c.reportAlike("no id", finding.MalformedDAG, n.at, n, `%q is missing: the name of the node, by which others refer to its outputs`, c.form.id)
			return
		case n.idAt.Kind != jsontree.Text:
			c.reportAlike("id kind", finding.InvalidNodeID, n.idAt, n, "an id is a string, found %s; write it in quotes", n.idAt.Kind)
			if n.idAt.Kind == jsontree.Number { // others refer to it as it is written
				n.ID = string(c.raw(n.idAt))
				c.knowID(n)
			}
			return
		}
		n.ID = c.text(n.idAt)
	}
	if !c.form.isID.MatchString(n.ID) {
		c.report(finding.InvalidNodeID, n.idAt, nil, "%s cannot be an id: it has %s, so that others can refer to it", quote(n.ID), c.form.idWords)
	}
	c.knowID(n)
}

// knowID has others find a node by its id, if no other node has the same.
func (c *checker) knowID(n *Node) {
	if first, taken := c.graph.byID[n.ID]; taken {
		other := c.graph.Nodes[first].idAt
		c.report(finding.DuplicateNodeID, n.idAt, n, "the node at %s has the same id; give one of the two another id", c.shown(c.graph.Nodes[first].at))
		c.relate(other, "the first is here")
		return
	}
	c.graph.byID[n.ID] = len(c.graph.Nodes) - 1
}

// readMazeNode reads what a node of maze.workflow/v1 says of a function that it brings along, and of the function's name: what
// the Workbench compiles has a label in "task_name", and so may have what Maze's client writes.
func (c *checker) readMazeNode(n *Node, fields *jsontree.Node) {
	if at := fields.Member("metadata").Member("playground_function_name"); strings.TrimSpace(c.text(at)) != "" {
		n.Func, n.funcAt = c.text(at), at
	} else if code := codeOf(fields); n.Func != "" && code != nil {
		n.names = append(n.names, name{definedIn(c.text(code)), code})
	}
	n.ownCode = slices.ContainsFunc(ownCode, func(f string) bool {
		code := fields.Member(f)
		return code != nil && code.Kind == jsontree.Text && code.End-code.Start > len(`""`)
	})
	if t := fields.Member("type"); t != nil && t.Kind != jsontree.Null && !slices.Contains([]string{"code", "python_task", "task", ""}, c.text(t)) {
		c.report(finding.MalformedDAG, t, n, `the type of a node is "code", "python_task" or "task", found %s`, c.quote(t))
	}
	c.readOutputs(n, fields.Member("outputs"), `"outputs" is an array of names, or of objects such as {"name": "text", "data_type": "str"}`)
}

// readOutputs reads the outputs that a node declares.
func (c *checker) readOutputs(n *Node, outputs *jsontree.Node, words string) {
	if outputs == nil || outputs.Kind == jsontree.Null {
		return
	}
	if outputs.Kind != jsontree.Array {
		c.report(finding.MalformedDAG, outputs, n, "%s; found %s", words, outputs.Kind)
		return
	}
	n.outputs = []string{}
	for _, v := range outputs.Children {
		named := v
		if v.Kind == jsontree.Object {
			if named = v.Member("name"); named == nil {
				named = v.Member("key")
			}
		}
		if named == nil || named.Kind != jsontree.Text {
			c.report(finding.MalformedDAG, v, n, `an output is a name, or an object such as {"name": "text", "data_type": "str"}`)
			continue
		}
		n.outputs = append(n.outputs, c.text(named))
	}
}

// readSubmittedNode reads the task of a node that Maze's agent submitted: the name that its decorator declares, or else its own.
func (c *checker) readSubmittedNode(n *Node, fields *jsontree.Node) {
	for _, at := range []*jsontree.Node{fields.Member("meta").Member("name"), fields.Member("name")} {
		if name := c.text(at); name != "" {
			n.Func, n.funcAt = name, at
			return
		}
	}
	c.reportAlike("no function", finding.MalformedDAG, n.at, n, `neither "meta" nor the node has a "name": the name of the task that the node runs`)
}

// unknownFields tells of fields that are probably meant as known ones. Others are left alone: editors keep positions and labels.
func (c *checker) unknownFields(v *jsontree.Node, n *Node, known []string, mistaken map[string]string) {
	for _, child := range v.Children {
		if slices.Contains(known, child.Name) || n != nil && child == n.funcAt { // which is told
			continue
		}
		advice := ""
		if instead, ok := mistaken[child.Name]; ok {
			advice = " here; " + instead
		} else if meant := c.nearest(child.Name, known); meant != "" && v.Member(meant) == nil {
			advice = fmt.Sprintf("; did you mean %s?", strconv.Quote(meant))
		}
		if advice != "" && c.isAlike("field "+child.Name) {
			c.reportKey(finding.UnknownDAGField, child, n, "nothing reads the field %s%s", quote(child.Name), advice)
			c.noteAlike("field " + child.Name)
		}
	}
}
