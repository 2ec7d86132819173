package dag

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/jsontree"
	"github.com/maze-agent/maregister/internal/schema"
)

// checkArguments judges what each node passes by what its task takes.
func (c *checker) checkArguments() {
	for _, n := range c.graph.Nodes {
		inputs := c.input(n)
		c.checkNames(n, inputs)
		if inputs != nil {
			c.checkArgumentsOf(n, inputs)
		}
	}
}

func (c *checker) checkArgumentsOf(n *Node, inputs *schema.Parameters) {
	before := len(c.found)
	complete := true // all of it is known before the workflow runs
	for i := range n.arguments {
		a := &n.arguments[i]
		if a.leftOut {
			continue
		}
		complete = complete && a.literal != nil
		if isTooLong(a.name, inputs) {
			complete = false
		} else if !Takes(inputs, a.name) {
			c.unknownArgument(n, a, inputs)
		} else if part, ok := inputs.Part(a.name); ok {
			c.checkValue(n, a, part)
		}
	}
	if !n.garbled {
		c.missingArguments(n, inputs)
	}
	if complete && !n.garbled && len(c.found) == before {
		c.checkTogether(n, inputs)
	}
}

func (c *checker) unknownArgument(n *Node, a *argument, inputs *schema.Parameters) {
	report := c.report
	if a.at.Parent != nil && a.at.Parent == n.argsAt && n.argsAt.Kind == jsontree.Object {
		report = c.reportKey
	}
	names := allowedNames(inputs)
	switch {
	case c.isItem(a.name, names):
		report(finding.UnknownArgument, a.at, n, "an edge feeds the whole argument, and %s is one item of it; %s", quote(a.name),
			c.insteadOfEdge("the list"))
	case inputs.TakesNothing():
		report(finding.UnknownArgument, a.at, n, "task %s has no parameters, so it cannot take %s; leave it out", quote(n.Func), quote(a.name))
	case len(names) == 0:
		report(finding.UnknownArgument, a.at, n, "the schema of task %s forbids the argument %s; leave it out", quote(n.Func), quote(a.name))
	default:
		report(finding.UnknownArgument, a.at, n, "task %s has no parameter %s, but %s%s", quote(n.Func), quote(a.name), list(names),
			c.didYouMean(a.name, names))
	}
	c.about(a.name)
}

func (c *checker) missingArguments(n *Node, inputs *schema.Parameters) {
	for _, name := range inputs.Required() {
		at := n.argsAt
		if at == nil {
			at = n.at
		}
		if a := n.argument(name); a != nil && !a.leftOut {
			continue
		} else if a != nil {
			at = a.at
		}
		kind := ""
		if part, ok := inputs.Part(name); ok {
			kind = fmt.Sprintf(" (%s)", part)
		}
		c.report(finding.MissingArgument, at, n, "task %s needs the argument %s%s; give it a value, or wire it to an output", quote(n.Func), quote(name), kind)
		c.about(name)
	}
}

// value returns the literal that an argument passes, as JSON.
func (c *checker) value(a *argument) []byte {
	if a.instead != nil {
		return a.instead
	}
	return c.passed(a.literal)
}

// passed returns a value as JSON, as the task gets it. The API server reads the numbers of a MazeWorkflow as int64 or float64 and writes
// them anew: 1e16 gets digits, and 1e-400 is 0.
func (c *checker) passed(v *jsontree.Node) []byte {
	if !c.isObject {
		return c.raw(v)
	}
	value, beyond := v.Value(c.json)
	if beyond != nil { // the API server refuses it, and what adds its verdict tells so
		return c.raw(v)
	}
	out, _ := json.Marshal(value) // cannot fail: it was JSON
	return out
}

// checkValue judges what is known of an argument's value.
func (c *checker) checkValue(n *Node, a *argument, part schema.Part) {
	if a.literal != nil {
		err := part.Validate(c.value(a))
		if err != nil && c.form == &workbench && a.literal.Kind == jsontree.Text {
			// The Workbench has fields of text only, and functions for it make numbers of them.
			if written := []byte(c.text(a.literal)); jsontree.Check(written) == nil && part.Validate(written) == nil {
				a.instead, err = written, nil
			}
		}
		if err != nil {
			c.report(finding.InvalidArgument, a.literal, n, "the argument %s does not fit task %s: %s%s", quote(a.name), quote(n.Func), misfit(err),
				c.reading(a.literal))
			c.about(a.name)
		}
		return
	}
	for i, item := range a.items {
		one, ok := part.Item(i)
		if !ok {
			c.report(finding.InvalidArgument, a.at, n, "the argument %s is a list with an item [%d], and task %s takes %s", quote(a.name), i, quote(n.Func), part)
			c.about(a.name)
			return
		}
		if item.literal == nil {
			continue
		}
		if err := one.Validate(c.passed(item.literal)); err != nil {
			c.report(finding.InvalidArgument, item.literal, n, "the item [%d] of the argument %s does not fit task %s: %s%s", i, quote(a.name), quote(n.Func),
				misfit(err), c.reading(item.literal))
			c.about(a.name)
		}
	}
}

// misfit returns why a value does not fit a schema. Of one that is too large to be compared, package schema speaks as of a schema.
func misfit(err error) string {
	if refusal, ok := errors.AsType[*schema.Error](err); ok && refusal.Reason == schema.ReasonSchemaTooLarge {
		size, values, depth := schema.ValueLimits()
		return fmt.Sprintf("what is compared with a schema has at most %d bytes, %d JSON values and %d levels; hand it over as a file", size, values, depth)
	}
	return err.Error()
}

// reading returns what YAML reads in a value that is written without quotes, to be appended to a message: nothing if that is what is written.
func (c *checker) reading(v *jsontree.Node) string {
	if c.written == nil {
		return ""
	}
	written := c.yaml(v)
	for _, one := range append([]*jsontree.Node{written}, written.Children...) {
		if read, other := one.Read(nil); other {
			return "; " + clip(one.YAML.Text) + " is read as " + read + ": put it in quotes if it is a text"
		}
	}
	return ""
}

// checkTogether judges all arguments of a node at once: by what a schema says of several together.
func (c *checker) checkTogether(n *Node, inputs *schema.Parameters) {
	var all bytes.Buffer
	all.WriteByte('{')
	for i := range n.arguments {
		a := &n.arguments[i]
		if a.leftOut {
			continue
		}
		if all.Len() > 1 {
			all.WriteByte(',')
		}
		name, _ := json.Marshal(a.name) // cannot fail: a string
		all.Write(name)
		all.WriteByte(':')
		all.Write(c.value(a))
	}
	all.WriteByte('}')
	if err := inputs.Validate(all.Bytes()); err != nil {
		at := n.argsAt
		if at == nil {
			at = n.at
		}
		c.report(finding.InvalidArgument, at, n, "the arguments together do not fit task %s: %s", quote(n.Func), misfit(err))
	}
}
