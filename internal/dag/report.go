package dag

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/jsontree"
	"github.com/maze-agent/maregister/internal/nearest"
	"github.com/maze-agent/maregister/internal/text"
)

// maxFindings is how many findings are told. Of more, the rest is counted.
const maxFindings = 20_000

// report reports a value. n is the node that it belongs to; nil if it is none.
func (c *checker) report(rule string, v *jsontree.Node, n *Node, format string, args ...any) {
	if c.isFull() { // to find out where a value is may take longer than to read it
		c.leftOut++
		return
	}
	c.add(rule, v, c.at(v), n, fmt.Sprintf(format, args...))
}

// reportKey reports a value at its name.
func (c *checker) reportKey(rule string, v *jsontree.Node, n *Node, format string, args ...any) {
	if c.isFull() {
		c.leftOut++
		return
	}
	c.add(rule, v, c.keyAt(v), n, fmt.Sprintf(format, args...))
}

// reportText reports a place in a text that has no tree.
func (c *checker) reportText(rule string, at finding.Position, format string, args ...any) {
	if c.isFull() {
		c.leftOut++
		return
	}
	c.add(rule, nil, at, nil, fmt.Sprintf(format, args...))
}

// isFull reports whether no more findings are told.
func (c *checker) isFull() bool { return len(c.found) >= maxFindings }

// tellLeftOut reports how many findings were left out.
func (c *checker) tellLeftOut() {
	if c.leftOut > 0 {
		c.add(finding.DAGTooLarge, nil, finding.Position{Line: 1, Column: 1}, nil,
			fmt.Sprintf("%d more findings are left out; correct those that are told first", c.leftOut))
	}
}

// theWorkflow is the object of findings that are about no part of it.
const theWorkflow = "the workflow"

// add adds a finding. v and n are nil where there are none.
func (c *checker) add(rule string, v *jsontree.Node, position finding.Position, n *Node, message string) {
	pointer, at, subject := "", "", theWorkflow
	if v != nil {
		pointer = c.pointer(v)
	}
	if pointer != "" {
		at, subject = c.shown(v)+": ", ""
	}
	if n != nil && n.ID != "" {
		subject = "node " + quote(n.ID)
		at = subject + " at " + at
	}
	f := finding.New(rule, c.file, position, subject, "%s%s", at, message)
	f.Pointer, f.Subject = pointer, c.graph.subjectOf(v, n)
	c.found = append(c.found, f)
}

// pointer returns the pointer to a value in its workflow.
func (c *checker) pointer(v *jsontree.Node) string { return strings.TrimPrefix(v.Pointer(), c.above) }

// shown returns what a message repeats of the pointer to a value.
func (c *checker) shown(v *jsontree.Node) string {
	return text.ClipCharacters(c.pointer(v), maxPointer)
}

// subjectOf returns which part of the workflow a value is of. n is the node that it belongs to in any case; nil if that is not known.
func (g *Graph) subjectOf(v *jsontree.Node, n *Node) *finding.Subject {
	s := &finding.Subject{Node: -1, Edge: -1, Value: -1, Source: -1}
	if n != nil {
		s.Node = n.index
	}
	if v == nil || v.Parent == nil {
		return s
	}
	s.Value = v.Start
	for ; v.Parent != nil; v = v.Parent {
		switch v.Parent {
		case g.nodesAt:
			s.Node = v.Index
		case g.edgesAt:
			s.Edge = v.Index
		}
	}
	return s
}

// about adds the parameter to the finding that was reported last.
func (c *checker) about(parameter string) {
	if !c.isFull() {
		c.found[len(c.found)-1].Subject.Parameter = parameter
	}
}

// reads adds the output that is read, and the index of the node that has it, to the finding that was reported last.
func (c *checker) reads(source int, output string) {
	if !c.isFull() {
		subject := c.found[len(c.found)-1].Subject
		subject.Source, subject.Output = source, output
	}
}

// effect adds to the finding that was reported last what Maze does.
func (c *checker) effect(e finding.Effect) {
	if !c.isFull() {
		c.found[len(c.found)-1].Subject.Effect = e
	}
}

// relate adds another place to the finding that was reported last.
func (c *checker) relate(v *jsontree.Node, message string) {
	if !c.isFull() {
		c.relateAt(c.at(v), message)
	}
}

func (c *checker) relateAt(at finding.Position, message string) {
	if c.isFull() {
		return
	}
	last := &c.found[len(c.found)-1]
	last.Related = append(last.Related, finding.Related{File: c.file, Position: at, Message: message})
}

// maxEach is how many findings of one cause are made. Of more, the others are counted.
const maxEach = 2_000

// alike are the findings of one cause: how many there are, and the index of the last one that was made. That is negative for none.
type alike struct{ count, last int }

// reportAlike reports a value as report does. cause names what it has in common with others: see finding.Join.
func (c *checker) reportAlike(cause, rule string, v *jsontree.Node, n *Node, format string, args ...any) {
	if c.isAlike(cause) {
		c.report(rule, v, n, format, args...)
		c.noteAlike(cause)
	}
}

// isAlike counts a finding of a cause, and reports whether it is to be made.
func (c *checker) isAlike(cause string) bool {
	if c.causes == nil {
		c.causes = map[string]*alike{}
	}
	a := c.causes[cause]
	if a == nil {
		a = &alike{last: -1}
		c.causes[cause] = a
	}
	a.count++
	return a.count <= maxEach
}

// noteAlike says that the finding that was reported last is of a cause.
func (c *checker) noteAlike(cause string) {
	if !c.isFull() { // else it may have been left out
		c.causes[cause].last = len(c.found) - 1
		c.found[len(c.found)-1].Cause = cause
	}
}

// countAlike has findings stand for those of their cause that were not made.
func (c *checker) countAlike() {
	for _, a := range c.causes {
		switch more := a.count - maxEach; {
		case more <= 0:
		case a.last < 0:
			c.leftOut += more
		default:
			c.found[a.last].More = more
		}
	}
}

// maxQuoted is how much of a text a message repeats, in characters.
const maxQuoted = 60

// maxPointer is how much of a pointer a message repeats, in characters. Else what is wrong would be lost where a message is clipped.
const maxPointer = 80

// quote repeats a value in a message, as JSON.
func (c *checker) quote(v *jsontree.Node) string {
	if v == nil {
		return "nothing"
	}
	if v.Kind == jsontree.Text {
		return quote(c.text(v))
	}
	return clip(string(c.raw(v)))
}

func quote(name string) string { return strconv.Quote(clip(name)) }

func clip(s string) string { return text.ClipCharacters(s, maxQuoted) }

// maxGuesses bounds how many characters of names are compared with what may be meant: some tenths of a second.
const maxGuesses = 20_000_000

// nearest guesses which of the candidates a name was meant as. Empty if none is near, or too much was guessed already.
func (c *checker) nearest(name string, candidates []string) string {
	cost := len(candidates) * len(name)
	if c.guesses < cost {
		return ""
	}
	c.guesses -= cost
	return nearest.Name(name, candidates)
}

// didYouMean is the end of a sentence about a name that nothing has.
func (c *checker) didYouMean(name string, candidates []string) string {
	if meant := c.nearest(name, candidates); meant != "" {
		return fmt.Sprintf("; did you mean %q?", meant)
	}
	return ""
}

// list names what there is, if that is not too much.
func list(names []string) string {
	if len(names) == 0 {
		return "none at all"
	}
	const most = 8
	out := ""
	for i, name := range names[:min(len(names), most)] {
		if i > 0 {
			out += ", "
		}
		out += clip(name)
	}
	if len(names) > most {
		out += fmt.Sprintf(" and %d more", len(names)-most)
	}
	return out
}
