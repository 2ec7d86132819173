package dag

import (
	"regexp"
	"slices"
	"strconv"

	"github.com/maze-agent/maregister/internal/finding"
)

// workflowV1 is the "schema" of Maze's own format. Its rules are those of maze/core/workflow/dag_spec.py in Maze's repository.
const workflowV1 = "maze.workflow/v1"

// format says what the parts of a node are called, and how its arguments are written.
type format struct {
	// function are the names of the field that names the task, the first that is there counts.
	function []string
	// arguments is the name of the field with the arguments.
	arguments string
	read      func(c *checker, n *Node, name string, v *value) argument
	// ports says that an edge without an output and an input is refused.
	ports bool
	// id is what an id looks like, and idWords says it.
	id      *regexp.Regexp
	idWords string
	// known are the fields of a node, and mistaken what is read for others.
	known    []string
	mistaken map[string]string
}

// What else is written for fields of a node, of either format.
var (
	argumentsElsewhere = []string{"args", "inputs", "arguments", "params", "parameters", "kwargs"}
	functionElsewhere  = []string{"func", "function", "task", "task_name", "tool"}
	waitsElsewhere     = []string{"depends_on", "dependsOn", "dependencies", "needs"}
)

// mistaken says for fields that a format does not have what is read in their place: nothing where edges are.
func mistaken(arguments, function string) map[string]string {
	all := map[string]string{}
	for _, field := range argumentsElsewhere {
		all[field] = "arguments are in " + strconv.Quote(arguments)
	}
	for _, field := range functionElsewhere {
		all[field] = "the name of the task is in " + strconv.Quote(function)
	}
	for _, field := range waitsElsewhere {
		all[field] = "a node waits for those that its arguments refer to, and for those that edges come from"
	}
	return all
}

var (
	described = format{
		function: []string{"func"}, arguments: "args", read: (*checker).describedArgument,
		id:      regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`),
		idWords: `1 to 128 ASCII letters, digits, "_" and "-"`,
		known:   []string{"id", "func", "args"}, mistaken: mistaken("args", "func"),
	}
	maze = format{
		function: []string{"task_name", "name", "id"}, arguments: "inputs", read: (*checker).mazeArgument, ports: true,
		id:      regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]{0,127}$`),
		idWords: `up to 128 ASCII letters, digits, "_" and "-", and begins with a letter or "_"`,
		known: []string{"id", "type", "task_name", "name", "inputs", "outputs", "code", "code_str", "code_ser", "task_kind", "resources", "file_context",
			"model_anchor", "max_retries", "retry_backoff_seconds", "retry_on", "timeout_seconds", "metadata", "fallback", "fallback_policy"},
		mistaken: mistaken("inputs", "task_name"),
	}
)

// ownCode are the fields of Maze's nodes that bring the function along.
var ownCode = []string{"code", "code_str", "code_ser"}

// workflowMistaken has what is written for fields of a workflow, and what is read in their place.
var workflowMistaken = map[string]string{"tasks": `nodes are in "nodes"`, "steps": `nodes are in "nodes"`, "links": `edges are in "edges"`}

// formatOf tells the format of a workflow. Maze takes its own without "schema", too.
func (c *checker) formatOf(root, nodes *value) format {
	if schema := root.member("schema"); schema != nil && schema.kind != null {
		if c.text(schema) != workflowV1 {
			c.report(finding.MalformedDAG, schema, nil, `the schema %s is not known; write %q, or leave "schema" out for nodes with "func" and "args"`,
				c.quote(schema), workflowV1)
		}
		return maze
	}
	for _, node := range nodes.children {
		if node.member("func") != nil || node.member("args") != nil {
			return described
		}
		if node.member("task_name") != nil || node.member("inputs") != nil || slices.ContainsFunc(ownCode, func(f string) bool { return node.member(f) != nil }) {
			return maze
		}
	}
	return described
}

// read makes the graph of a workflow, and reports what is not as its format has it.
func (c *checker) read(root *value) {
	if root.kind != object {
		c.report(finding.MalformedDAG, root, nil, `a workflow is an object such as {"nodes": [{"id": "t1", "func": "speech_to_text", "args": {}}]}, found %s`,
			kindNames[root.kind])
		return
	}
	c.unknownFields(root, nil, []string{"nodes", "edges", "schema"}, workflowMistaken)
	nodes := root.member("nodes")
	switch {
	case nodes == nil:
		c.report(finding.MalformedDAG, root, nil, `the workflow has no "nodes"; write {"nodes": [{"id": "t1", "func": "speech_to_text", "args": {}}]}`)
		return
	case nodes.kind != array:
		c.report(finding.MalformedDAG, nodes, nil, `"nodes" is an array of objects, found %s`, kindNames[nodes.kind])
		return
	case len(nodes.children) == 0:
		c.report(finding.MalformedDAG, nodes, nil, "the workflow has no nodes, so there is nothing to run; add one, or delete the workflow")
	}
	c.format = c.formatOf(root, nodes)
	for _, v := range nodes.children {
		c.readNode(v)
	}
	if edges := root.member("edges"); edges != nil && edges.kind != null {
		c.readEdges(edges)
	}
	c.finalOutputs(root.member("final_output_refs"))
}

func (c *checker) readNode(v *value) {
	n := &Node{at: v}
	c.graph.Nodes = append(c.graph.Nodes, n)
	if v.kind != object {
		c.report(finding.MalformedDAG, v, nil, "a node is an object, found %s", kindNames[v.kind])
		return
	}
	c.readID(n)
	c.unknownFields(v, n, c.format.known, c.format.mistaken)
	c.readOwnCode(n)
	for _, name := range c.format.function {
		if n.funcAt = v.member(name); n.funcAt != nil && n.funcAt.kind != null {
			break
		}
	}
	switch {
	case n.funcAt == nil || n.funcAt.kind == null:
		c.report(finding.MalformedDAG, v, n, "%q is missing: the name of the task that the node runs", c.format.function[0])
	case n.funcAt.kind != text:
		c.report(finding.MalformedDAG, n.funcAt, n, "%q is a string, the name of a task; found %s", n.funcAt.name, kindNames[n.funcAt.kind])
	case c.text(n.funcAt) == "":
		c.report(finding.MalformedDAG, n.funcAt, n, "%q is empty; write the name of the task that the node runs", n.funcAt.name)
	default:
		n.Func = c.text(n.funcAt)
	}
	c.readArguments(n)
}

func (c *checker) readArguments(n *Node) {
	n.argsAt = n.at.member(c.format.arguments)
	switch {
	case n.argsAt == nil || n.argsAt.kind == null:
		n.argsAt = nil
	case n.argsAt.kind != object:
		c.report(finding.MalformedDAG, n.argsAt, n, "%q is an object of arguments by name, found %s", c.format.arguments, kindNames[n.argsAt.kind])
		n.garbled = true
	default:
		for _, child := range n.argsAt.children {
			n.add(c.format.read(c, n, child.name, child))
		}
	}
}

func (c *checker) readID(n *Node) {
	n.idAt = n.at.member("id")
	switch {
	case n.idAt == nil || n.idAt.kind == null:
		c.report(finding.MalformedDAG, n.at, n, `"id" is missing: the name of the node, by which others refer to its outputs`)
		return
	case n.idAt.kind != text:
		c.report(finding.InvalidNodeID, n.idAt, n, "an id is a string, found %s; write it in quotes", kindNames[n.idAt.kind])
		return
	}
	n.ID = c.text(n.idAt)
	if !c.format.id.MatchString(n.ID) {
		c.report(finding.InvalidNodeID, n.idAt, nil, "%s cannot be an id: it has %s, so that others can refer to it", quote(n.ID), c.format.idWords)
	}
	if first, taken := c.graph.byID[n.ID]; taken {
		other := c.graph.Nodes[first].idAt
		c.report(finding.DuplicateNodeID, n.idAt, n, "the node at %s has the same id; give one of the two another id", other.parent.pointer())
		c.relate(other, "the first is here")
		return
	}
	c.graph.byID[n.ID] = len(c.graph.Nodes) - 1
}

// readOwnCode reads what Maze's nodes say of a function that they bring along.
func (c *checker) readOwnCode(n *Node) {
	if !c.format.ports {
		return
	}
	n.ownCode = slices.ContainsFunc(ownCode, func(f string) bool {
		code := n.at.member(f)
		return code != nil && code.kind == text && code.end-code.start > len(`""`)
	})
	if t := n.at.member("type"); t != nil && t.kind != null && !slices.Contains([]string{"code", "python_task", "task", ""}, c.text(t)) {
		c.report(finding.MalformedDAG, t, n, `the type of a node is "code", "python_task" or "task", found %s`, c.quote(t))
	}
	outputs := n.at.member("outputs")
	if outputs == nil || outputs.kind == null {
		return
	}
	if outputs.kind != array {
		c.report(finding.MalformedDAG, outputs, n, `"outputs" is an array of names, or of objects such as {"name": "text", "data_type": "str"}; found %s`,
			kindNames[outputs.kind])
		return
	}
	n.outputs = []string{}
	for _, v := range outputs.children {
		named := v
		if v.kind == object {
			if named = v.member("name"); named == nil {
				named = v.member("key")
			}
		}
		if named == nil || named.kind != text {
			c.report(finding.MalformedDAG, v, n, `an output is a name, or an object such as {"name": "text", "data_type": "str"}`)
			continue
		}
		n.outputs = append(n.outputs, c.text(named))
	}
}

// unknownFields tells of fields that are probably meant as known ones. Others are left alone: editors keep positions and labels.
func (c *checker) unknownFields(v *value, n *Node, known []string, mistaken map[string]string) {
	for _, child := range v.children {
		if slices.Contains(known, child.name) {
			continue
		}
		if instead, ok := mistaken[child.name]; ok {
			c.reportAt(finding.UnknownDAGField, child, child.nameAt, n, "nothing reads the field %s here; %s", quote(child.name), instead)
			continue
		}
		if meant := c.nearest(child.name, known); meant != "" && v.member(meant) == nil {
			c.reportAt(finding.UnknownDAGField, child, child.nameAt, n, "nothing reads the field %s; did you mean %q?", quote(child.name), meant)
		}
	}
}
