package dag

import (
	"regexp"
	"slices"
	"strconv"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/jsontree"
)

// workflowV1 is the "schema" of Maze's own format. Its rules are those of maze/core/workflow/dag_spec.py in Maze's repository.
const workflowV1 = "maze.workflow/v1"

// format says what the parts of a node are called, and how its arguments are written.
type format struct {
	// function are the names of the field that names the task, the first that is there counts.
	function []string
	// arguments is the name of the field with the arguments.
	arguments string
	read      func(c *checker, n *Node, name string, v *jsontree.Node) argument
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
func (c *checker) formatOf(root, nodes *jsontree.Node) format {
	if schema := root.Member("schema"); schema != nil && schema.Kind != jsontree.Null {
		if c.text(schema) != workflowV1 {
			c.report(finding.MalformedDAG, schema, nil, `the schema %s is not known; write %q, or leave "schema" out for nodes with "func" and "args"`,
				c.quote(schema), workflowV1)
		}
		return maze
	}
	for _, node := range nodes.Children {
		if node.Member("func") != nil || node.Member("args") != nil {
			return described
		}
		if node.Member("task_name") != nil || node.Member("inputs") != nil || slices.ContainsFunc(ownCode, func(f string) bool { return node.Member(f) != nil }) {
			return maze
		}
	}
	return described
}

// read makes the graph of a workflow, and reports what is not as its format has it.
func (c *checker) read(root *jsontree.Node) {
	if root.Kind != jsontree.Object {
		c.report(finding.MalformedDAG, root, nil, `a workflow is an object such as {"nodes": [{"id": "t1", "func": "speech_to_text", "args": {}}]}, found %s`,
			root.Kind)
		return
	}
	c.unknownFields(root, nil, []string{"nodes", "edges", "schema"}, workflowMistaken)
	nodes := root.Member("nodes")
	switch {
	case nodes == nil:
		c.report(finding.MalformedDAG, root, nil, `the workflow has no "nodes"; write {"nodes": [{"id": "t1", "func": "speech_to_text", "args": {}}]}`)
		return
	case nodes.Kind != jsontree.Array:
		c.report(finding.MalformedDAG, nodes, nil, `"nodes" is an array of objects, found %s`, nodes.Kind)
		return
	case len(nodes.Children) == 0:
		c.report(finding.MalformedDAG, nodes, nil, "the workflow has no nodes, so there is nothing to run; add one, or delete the workflow")
	}
	c.format = c.formatOf(root, nodes)
	for _, v := range nodes.Children {
		c.readNode(v)
	}
	if edges := root.Member("edges"); edges != nil && edges.Kind != jsontree.Null {
		c.readEdges(edges)
	}
	c.finalOutputs(root.Member("final_output_refs"))
}

func (c *checker) readNode(v *jsontree.Node) {
	n := &Node{at: v, index: len(c.graph.Nodes)}
	c.graph.Nodes = append(c.graph.Nodes, n)
	if v.Kind != jsontree.Object {
		c.report(finding.MalformedDAG, v, nil, "a node is an object, found %s", v.Kind)
		return
	}
	c.readID(n)
	c.unknownFields(v, n, c.format.known, c.format.mistaken)
	c.readOwnCode(n)
	for _, name := range c.format.function {
		if n.funcAt = v.Member(name); n.funcAt != nil && n.funcAt.Kind != jsontree.Null {
			break
		}
	}
	switch {
	case n.funcAt == nil || n.funcAt.Kind == jsontree.Null:
		c.report(finding.MalformedDAG, v, n, "%q is missing: the name of the task that the node runs", c.format.function[0])
	case n.funcAt.Kind != jsontree.Text:
		c.report(finding.MalformedDAG, n.funcAt, n, "%q is a string, the name of a task; found %s", n.funcAt.Name, n.funcAt.Kind)
	case c.text(n.funcAt) == "":
		c.report(finding.MalformedDAG, n.funcAt, n, "%q is empty; write the name of the task that the node runs", n.funcAt.Name)
	default:
		n.Func = c.text(n.funcAt)
	}
	c.readArguments(n)
}

func (c *checker) readArguments(n *Node) {
	n.argsAt = n.at.Member(c.format.arguments)
	switch {
	case n.argsAt == nil || n.argsAt.Kind == jsontree.Null:
		n.argsAt = nil
	case n.argsAt.Kind != jsontree.Object:
		c.report(finding.MalformedDAG, n.argsAt, n, "%q is an object of arguments by name, found %s", c.format.arguments, n.argsAt.Kind)
		n.garbled = true
	default:
		for _, child := range n.argsAt.Children {
			n.add(c.format.read(c, n, child.Name, child))
		}
	}
}

func (c *checker) readID(n *Node) {
	n.idAt = n.at.Member("id")
	switch {
	case n.idAt == nil || n.idAt.Kind == jsontree.Null:
		c.report(finding.MalformedDAG, n.at, n, `"id" is missing: the name of the node, by which others refer to its outputs`)
		return
	case n.idAt.Kind != jsontree.Text:
		c.report(finding.InvalidNodeID, n.idAt, n, "an id is a string, found %s; write it in quotes", n.idAt.Kind)
		return
	}
	n.ID = c.text(n.idAt)
	if !c.format.id.MatchString(n.ID) {
		c.report(finding.InvalidNodeID, n.idAt, nil, "%s cannot be an id: it has %s, so that others can refer to it", quote(n.ID), c.format.idWords)
	}
	if first, taken := c.graph.byID[n.ID]; taken {
		other := c.graph.Nodes[first].idAt
		c.report(finding.DuplicateNodeID, n.idAt, n, "the node at %s has the same id; give one of the two another id", other.Parent.Pointer())
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
		code := n.at.Member(f)
		return code != nil && code.Kind == jsontree.Text && code.End-code.Start > len(`""`)
	})
	if t := n.at.Member("type"); t != nil && t.Kind != jsontree.Null && !slices.Contains([]string{"code", "python_task", "task", ""}, c.text(t)) {
		c.report(finding.MalformedDAG, t, n, `the type of a node is "code", "python_task" or "task", found %s`, c.quote(t))
	}
	outputs := n.at.Member("outputs")
	if outputs == nil || outputs.Kind == jsontree.Null {
		return
	}
	if outputs.Kind != jsontree.Array {
		c.report(finding.MalformedDAG, outputs, n, `"outputs" is an array of names, or of objects such as {"name": "text", "data_type": "str"}; found %s`,
			outputs.Kind)
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

// unknownFields tells of fields that are probably meant as known ones. Others are left alone: editors keep positions and labels.
func (c *checker) unknownFields(v *jsontree.Node, n *Node, known []string, mistaken map[string]string) {
	for _, child := range v.Children {
		if slices.Contains(known, child.Name) {
			continue
		}
		if instead, ok := mistaken[child.Name]; ok {
			c.reportAt(finding.UnknownDAGField, child, child.NameStart, n, "nothing reads the field %s here; %s", quote(child.Name), instead)
			continue
		}
		if meant := c.nearest(child.Name, known); meant != "" && v.Member(meant) == nil {
			c.reportAt(finding.UnknownDAGField, child, child.NameStart, n, "nothing reads the field %s; did you mean %q?", quote(child.Name), meant)
		}
	}
}
