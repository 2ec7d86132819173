package dag

import (
	"fmt"
	"slices"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/internal/schema"
	"github.com/maze-agent/maregister/internal/text"
)

// checkFunctions checks that every node runs a task that there is, and, if that was asked, one that some node of the
// cluster can host.
func (c *checker) checkFunctions() {
	for _, n := range c.graph.Nodes {
		if n.Func == "" {
			continue
		}
		c.rename(n)
		t, written := c.tasks.byName[n.Func]
		known := written && t.Refused == ""
		switch {
		case !known && n.ownCode:
			c.reportTask(finding.UnregisteredCode, n,
				"the node runs code of its own, and no registered task is called %s, so its arguments are not checked%s", quote(n.Func),
				c.didYouMean(n.Func, c.tasks.names))
		case t.Refused != "":
			c.reportTask(finding.UnknownFunc, n, "task %s is in %s", quote(n.Func), t.Refused)
		case !known && c.tasks.some:
			c.reportTask(finding.UnknownFunc, n, "the registry serves no task %s: create it, or correct the name; "+
				"if a MazeTask has that, its condition Ready says what to do", quote(n.Func))
		case !known && c.tasks.Len() == 0:
			c.reportTask(finding.UnknownFunc, n, "no task is called %s: there are no tasks at all%s", quote(n.Func), c.tasks.whereNone)
		case !known && n.funcAt == n.idAt && c.form == &mazeV1:
			c.reportTask(finding.UnknownFunc, n, "no task is called %s, the id of the node, which counts as there is no %q", quote(n.Func),
				c.form.function[0])
		case !known:
			c.reportTask(finding.UnknownFunc, n, "no task is called %s%s", quote(n.Func), c.didYouMean(n.Func, c.tasks.names))
		case t.Unplaceable != "":
			c.reportTask(finding.UnplaceableNode, n, "task %s cannot be placed now: %s", quote(n.Func), t.Unplaceable)
		}
		if known && t.Deprecated != nil {
			c.reportTask(finding.DeprecatedTask, n, "task %s is deprecated: %s", quote(n.Func), c.advice(t.Deprecated))
		}
	}
}

// reportTask reports what is said of the task that a node runs, and so of all nodes that run it.
func (c *checker) reportTask(rule string, n *Node, format string, args ...any) {
	c.reportAlike(rule+" "+n.Func, rule, n.funcAt, n, format, args...)
}

// advice returns what to do instead of running a deprecated task.
func (c *checker) advice(d *registry.Deprecation) string {
	const most = 300 // characters: more than a name, as the sentence says what to do
	why := text.ClipCharacters(d.Why(), most)
	switch next, ok := c.tasks.byName[d.Replacement]; {
	case d.Replacement == "":
		return why
	case !c.tasks.some && (!ok || next.Refused != ""):
		return fmt.Sprintf("%s; no task is called %s yet, which is to replace it", why, quote(d.Replacement))
	default:
		return fmt.Sprintf("%s; run %s instead", why, quote(d.Replacement))
	}
}

// rename sets a node's name to the first of its other names that is that of a task, if its own is none: labels are not looked up.
func (c *checker) rename(n *Node) {
	if c.knows(n) {
		return
	}
	for _, other := range n.names {
		if t, ok := c.tasks.byName[other.text]; ok && t.Refused == "" {
			n.Func, n.funcAt = other.text, other.at
			return
		}
	}
}

// knows reports whether a node's task is known.
func (c *checker) knows(n *Node) bool {
	t, ok := c.tasks.byName[n.Func]
	return ok && t.Refused == ""
}

// input returns what a node's task takes. Nil if that is not known.
func (c *checker) input(n *Node) *schema.Parameters {
	t := c.tasks.byName[n.Func]
	return c.open(n, t.Input, t.InputSchema)
}

// output returns what a node's task puts out. Nil if that is not known.
func (c *checker) output(n *Node) *schema.Parameters {
	t := c.tasks.byName[n.Func]
	return c.open(n, t.Output, t.OutputSchema)
}

func (c *checker) open(n *Node, declared []byte, judged *schema.Schema) *schema.Parameters {
	if len(declared) == 0 {
		return nil
	}
	p, err := c.tasks.open(declared, judged)
	if err != nil {
		c.report(finding.InvalidSchema, n.funcAt, n, "task %s: %v", quote(n.Func), err)
		return nil
	}
	return p
}

// declaresNothing reports whether a task has no word for what it takes or puts out, as Maze lets it. It may still forbid names: see [Takes].
func declaresNothing(p *schema.Parameters) bool { return len(p.Names()) == 0 && len(p.Required()) == 0 }

// outputNames returns the outputs that a node is known to have, by its task or, where that is not known, by its own words. Nil if neither
// says.
func (c *checker) outputNames(n *Node) []string {
	if p := c.output(n); p != nil {
		return allowedNames(p)
	}
	if !c.knows(n) {
		return n.outputs
	}
	return nil
}

// allowedNames returns the names that a schema declares or requires, and does not forbid, sorted.
func allowedNames(p *schema.Parameters) []string {
	names := slices.Concat(p.Names(), p.Required())
	slices.Sort(names)
	return slices.DeleteFunc(slices.Compact(names), p.Forbids)
}
