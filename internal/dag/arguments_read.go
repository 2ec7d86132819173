package dag

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/jsontree"
)

// referencePattern is what a reference to another node's output looks like in the described format: nothing before, nothing
// behind. A key may have dots, an id may not.
var referencePattern = regexp.MustCompile(`^([A-Za-z0-9_-]+)\.output\.([^\s\[\]/\\]+)(?:\[([0-9]{1,9})\])?$`)

func (c *checker) describedArgument(n *Node, name string, v *jsontree.Node) argument {
	a := argument{name: name, at: v}
	if r := c.describedReference(n, v); r != nil {
		a.reference = r
		return a
	}
	if v.Kind == jsontree.Array {
		found := false
		items := make([]item, len(v.Children))
		for i, child := range v.Children {
			items[i] = item{literal: child}
			if r := c.describedReference(n, child); r != nil {
				items[i], found = item{reference: r}, true
			}
		}
		if found {
			a.items = items
			return a
		}
	}
	a.literal = v
	return a
}

// describedReference reads a text that is a reference. Nil if it is not one.
func (c *checker) describedReference(n *Node, v *jsontree.Node) *reference {
	if v.Kind != jsontree.Text {
		c.doubtInside(n, v)
		return nil
	}
	written := c.text(v)
	match := referencePattern.FindStringSubmatch(written)
	if match == nil {
		c.doubt(n, v, written)
		return nil
	}
	r := &reference{at: v, node: match[1], output: match[2], index: -1}
	if match[3] != "" {
		r.index, _ = strconv.Atoi(match[3]) // cannot fail: up to nine digits
	}
	return r
}

// The forms of an input in Maze's own format.
const (
	inputFromTask = "from_task"
	inputFromUser = "from_user"
	inputFromRun  = "from_run"

	inputOfRun = `an input from the run is written {"input_schema": "from_run", "value": {%q: true, "key": "…"}}`
)

// The fields of an input of Maze's own format that is not the value itself, and those that are only for people.
var (
	inputDescription = []string{"from", "value", "data_type", "input_schema", "has_value", "key"}
	inputRemarks     = []string{"description", "label", "comment", "title"}
)

// mazeArgument reads an input of Maze's own format as Maze does: an object with "from", "value" or "data_type" says where the value
// comes from, and anything else is the value.
func (c *checker) mazeArgument(n *Node, name string, v *jsontree.Node) argument {
	a := argument{name: name, at: v}
	from, literal, has := v.Member("from"), v.Member("value"), v.Member("has_value")
	source := c.text(v.Member("input_schema"))
	without := source == inputFromUser && has != nil && !c.isTrue(has)
	if from == nil && literal == nil && v.Member("data_type") == nil {
		switch source {
		case inputFromTask:
			a.reference = c.mazeReference(n, nil, v)
			return a
		case inputFromRun:
			c.report(finding.InvalidRunInput, v, n, inputOfRun, runMark)
			return a
		}
		a.leftOut = without // what is meant is clear
		if !without {
			a.literal = v
			c.doubtValue(n, v)
		}
		return a
	}
	switch {
	case c.misread(n, name, v), source == inputFromRun:
	case source == inputFromTask, source != inputFromUser && from != nil:
		if literal != nil && (source == inputFromTask || from == nil) {
			from = literal
		}
		a.reference = c.mazeReference(n, from, v)
	case without:
		a.leftOut = true
	case literal != nil:
		a.literal = literal
		c.doubtValue(n, literal)
	case source == inputFromUser && has != nil: // there is a value, and it is not given: None is passed
		a.literal, a.instead = v, []byte("null")
	default:
		a.leftOut = true
	}
	return a
}

// misread reports what Maze loses of an object that it takes for the description of an input, and was probably meant as a value. It
// reports whether there is no value to check.
func (c *checker) misread(n *Node, name string, v *jsontree.Node) bool {
	from := v.Member("from")
	if v.Member("input_schema") != nil || from != nil && isReference(c.text(from)) {
		return false
	}
	var lost []string
	for _, child := range v.Children {
		if !slices.Contains(inputDescription, child.Name) && !slices.Contains(inputRemarks, child.Name) {
			lost = append(lost, child.Name)
		}
	}
	if len(lost) == 0 {
		return false
	}
	taken, effect := "data_type", finding.EffectLost
	if v.Member("value") != nil {
		taken = "value"
	}
	if from != nil {
		taken, effect = "from", finding.EffectFails
	}
	c.report(finding.MisreadValue, v, n, `Maze takes an object with the key %q for the description of an input, and drops %s; `+
		`to pass the object itself as %s, write {"input_schema": "from_user", "value": {…}, "has_value": true}`, taken, list(lost), quote(name))
	c.about(name)
	c.effect(effect)
	return from != nil
}

// isReference reports whether a text can be a reference of Maze's own format.
func isReference(written string) bool {
	node, _, ok := cutPort(written)
	return ok && anyID.MatchString(node) || referencePattern.MatchString(written)
}

// mazeReference reads node.output or node.output.key, as both are in use.
func (c *checker) mazeReference(n *Node, v, whole *jsontree.Node) *reference {
	if v == nil || v.Kind != jsontree.Text {
		c.report(finding.MalformedDAG, whole, n, `an input from another node is written {"from": "node.output"}`)
		return nil
	}
	written := c.text(v)
	if match := referencePattern.FindStringSubmatch(written); match != nil && match[3] == "" {
		return &reference{at: v, node: match[1], output: match[2], index: -1}
	}
	node, output, ok := cutPort(written)
	if !ok {
		c.report(finding.MalformedDAG, v, n, `%s is no reference; write "node.output": an id and the name of one of its outputs`, quote(written))
		return nil
	}
	return &reference{at: v, node: node, output: output, index: -1}
}

// cutPort takes apart "node.port".
func cutPort(written string) (node, port string, ok bool) {
	node, port, ok = strings.Cut(written, ".")
	return node, port, ok && node != "" && port != "" && !strings.Contains(port, ".")
}
