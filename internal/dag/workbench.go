package dag

import (
	"regexp"
	"strings"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/jsontree"
)

// codeOf returns the code of a node of maze.workflow/v1, as Maze looks for it. Nil if there is none.
func codeOf(fields *jsontree.Node) *jsontree.Node {
	if code := fields.Member("code_str"); code != nil {
		return code
	}
	return fields.Member("code")
}

var firstDefinition = regexp.MustCompile(`(?m)^def[ \t]+([A-Za-z_][A-Za-z0-9_]*)`)

// definedIn returns the name of the first function that code defines at its top. Empty if there is none.
func definedIn(code string) string {
	if match := firstDefinition.FindStringSubmatch(code); match != nil {
		return match[1]
	}
	return ""
}

// readWorkbenchNode reads a node of the Workbench, as its compileWorkflowToDagSpec does: all of it is in "data".
func (c *checker) readWorkbenchNode(n *Node, node *jsontree.Node) {
	data := node.Member("data")
	if data == nil || data.Kind != jsontree.Object {
		c.reportAlike("no data", finding.MalformedDAG, node, n, `a node of the Workbench has an object "data", which says what the node runs`)
		n.garbled = true
		return
	}
	c.workbenchFunction(n, data)
	c.readOutputs(n, data.Member("outputs"), `"outputs" is an array of objects such as {"name": "text", "dataType": "str"}`)
	n.argsAt = data.Member("inputs")
	switch {
	case n.argsAt == nil || n.argsAt.Kind == jsontree.Null:
		n.argsAt = nil
	case n.argsAt.Kind != jsontree.Array:
		c.report(finding.MalformedDAG, n.argsAt, n,
			`"inputs" is an array of objects such as {"name": "text", "source": "user", "value": "…"}; found %s`, n.argsAt.Kind)
		n.garbled = true
	default:
		for _, v := range n.argsAt.Children {
			c.workbenchInput(n, v)
		}
	}
}

// workbenchFunction finds the name of the function that a node runs: the one that it is called in its file, or else the end of
// the key of its source or of a built-in task, or else what its own code defines.
func (c *checker) workbenchFunction(n *Node, data *jsontree.Node) {
	code := data.Member("customCode")
	n.ownCode = strings.TrimSpace(c.text(code)) != "" && c.text(data.Member("category")) == "custom"
	key, reference := data.Member("sourceKey"), data.Member("taskRef")
	_, ofKey, _ := strings.Cut(c.text(key), "::")
	ofReference := c.text(reference)[strings.LastIndexByte(c.text(reference), '.')+1:]
	for _, candidate := range []name{
		{c.text(data.Member("functionName")), data.Member("functionName")}, {ofKey, key}, {ofReference, reference},
		{definedIn(c.text(code)), code}, {c.text(data.Member("label")), data.Member("label")},
	} {
		if strings.TrimSpace(candidate.text) != "" {
			n.Func, n.funcAt = candidate.text, candidate.at
			return
		}
	}
	c.reportAlike("no function", finding.MalformedDAG, data, n, `"functionName" is missing: the name of the function that the node runs`)
}

// workbenchInput reads an input of a node of the Workbench.
func (c *checker) workbenchInput(n *Node, v *jsontree.Node) {
	parameter := v.Member("name")
	if parameter == nil || strings.TrimSpace(c.text(parameter)) == "" {
		c.report(finding.MalformedDAG, v, n, `an input has a "name": that of the parameter`)
		n.garbled = true
		return
	}
	a := argument{name: c.text(parameter), at: v}
	switch c.text(v.Member("source")) {
	case "user":
		a.literal = v.Member("value")
		a.leftOut = a.literal == nil
	case "task":
		source := v.Member("taskSource")
		id, key := source.Member("taskId"), source.Member("outputKey")
		if c.text(id) == "" || c.text(key) == "" {
			at := v
			if source != nil {
				at = source
			}
			c.report(finding.MalformedDAG, at, n, `an input from another node has "taskSource" with the node's id in "taskId" and its output in "outputKey"`)
			break
		}
		a.reference = &reference{at: source, node: c.text(id), output: c.text(key), index: -1}
	default:
		c.report(finding.MalformedDAG, v, n, `the "source" of an input is "user" or "task", found %s`, c.quote(v.Member("source")))
	}
	if other := n.argument(a.name); other != nil {
		c.report(finding.ArgumentGivenTwice, v, n, "the input %s is given twice; remove one of the two", quote(a.name))
		c.relate(other.at, "the other is here")
	}
	n.add(a)
}
