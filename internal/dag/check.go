package dag

import (
	"bytes"
	"fmt"
	"strconv"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/jsontree"
	"github.com/maze-agent/maregister/internal/nearest"
	"github.com/maze-agent/maregister/internal/text"
)

// maxFindings is how many findings are told. Whoever has more begins with these.
const maxFindings = 20_000

// Check reads a workflow and judges it by the tasks that there are. file is what findings call it. The graph has all that could
// be read; it is never nil.
func Check(file string, content []byte, tasks *Tasks) (*Graph, []finding.Finding) {
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	c := &checker{
		file: file, content: content, positions: text.NewPositions(content), tasks: tasks, guesses: maxGuesses,
		graph: &Graph{byID: map[string]int{}},
	}
	if root := c.parse(); root != nil {
		c.read(root)
		for _, step := range steps {
			step(c)
		}
	}
	return c.graph, finding.Sort(c.found)
}

// steps are what is judged once the graph is read.
var steps = []func(*checker){
	// What names the task that a node runs has to be known.
	(*checker).checkFunctions,
	// What a reference mentions has to be there, and to be able to feed what it is wired to.
	(*checker).checkReferences,
	// What a node passes has to be what its task takes.
	(*checker).checkArguments,
	// What waits for itself never starts, and neither does what waits for that.
	(*checker).checkOrder,
	// What looks like a reference and is none is probably a mistake.
	(*checker).reportDoubts,
}

// checker is one check of one workflow.
type checker struct {
	file      string
	content   []byte
	positions *text.Positions
	tasks     *Tasks
	format    format
	graph     *Graph
	// order are the edges that hand nothing over.
	order []Edge
	// finals are the references of the workflow's own outputs.
	finals []*reference
	doubts []doubt
	found  []finding.Finding
	allIDs []string
	// guesses is how much more may be compared with what may be meant.
	guesses int
}

const (
	// maxBytes, maxValues and maxDepth bound a workflow: a hundred thousand nodes fit.
	maxBytes  = 64 << 20
	maxValues = 2_000_000
	maxDepth  = 100
)

// parse makes the tree. Nil if that cannot be done.
func (c *checker) parse() *jsontree.Node {
	if len(c.content) > maxBytes {
		c.reportAt(finding.DAGTooLarge, nil, 0, nil, "the workflow has more than %d bytes; split it, or check that it is the right file", maxBytes)
		return nil
	}
	if invalid := text.FirstInvalid(c.content); invalid >= 0 {
		c.reportAt(finding.MalformedDAG, nil, invalid, nil, "this is not UTF-8; save the file as UTF-8")
		return nil
	}
	if err := jsontree.Check(c.content); err != nil {
		at, message := describeSyntax(c.content, err)
		c.reportAt(finding.MalformedDAG, nil, at, nil, "%s", message)
		return nil
	}
	root, failure := jsontree.ParseJSON(c.content, 0, jsontree.Limits{Values: maxValues, Depth: maxDepth})
	if failure != nil {
		message := fmt.Sprintf("the workflow has more than %d JSON values; split it", maxValues)
		if failure.Excess == jsontree.TooDeep {
			message = fmt.Sprintf("the workflow is nested deeper than %d levels; flatten it", maxDepth)
		}
		c.reportAt(finding.DAGTooLarge, nil, failure.Offset, nil, "%s", message)
		return nil
	}
	c.duplicateKeys(root)
	return root
}

// describeSyntax returns where a text is not JSON, and what to say of it.
func describeSyntax(content []byte, err *jsontree.SyntaxError) (int, string) {
	trimmed := bytes.TrimSpace(content)
	switch {
	case len(trimmed) == 0:
		return 0, `the file is empty; a workflow is JSON such as {"nodes": [{"id": "t1", "func": "speech_to_text", "args": {}}]}`
	case bytes.IndexByte([]byte(`{["`), trimmed[0]) < 0:
		return 0, "this is not JSON, in which workflows are written; convert YAML, and leave comments out"
	}
	return max(0, err.Offset-1), "this is not JSON, in which workflows are written: " + err.Message
}

func (c *checker) duplicateKeys(v *jsontree.Node) {
	duplicates := v.Duplicates()
	for _, child := range v.Children {
		if first := duplicates[child]; first != nil {
			c.reportAt(finding.DuplicateKey, child, child.NameStart, nil,
				"the key %s is given twice in one object, and the last one counts; remove one", quote(child.Name))
			c.relateAt(first.NameStart, "the first is here")
		}
	}
	for _, child := range v.Children {
		c.duplicateKeys(child)
	}
}

// report tells of a value. n is the node that it belongs to; nil if it is none.
func (c *checker) report(rule string, v *jsontree.Node, n *Node, format string, args ...any) {
	c.reportAt(rule, v, v.Start, n, format, args...)
}

func (c *checker) reportAt(rule string, v *jsontree.Node, offset int, n *Node, format string, args ...any) {
	if len(c.found) > maxFindings {
		return
	}
	if len(c.found) == maxFindings {
		rule, v, offset, n, format, args = finding.DAGTooLarge, nil, 0, nil, "there are more than %d findings; correct these first", []any{maxFindings}
	}
	pointer, at, subject := "", "", "the workflow"
	if v != nil {
		pointer = v.Pointer()
	}
	if pointer != "" {
		at, subject = pointer+": ", ""
	}
	if n != nil && n.ID != "" {
		subject = "node " + quote(n.ID)
		at = subject + " at " + at
	}
	f := finding.New(rule, c.file, c.positions.At(offset), subject, "%s%s", at, fmt.Sprintf(format, args...))
	f.Pointer, f.Subject = pointer, subjectOf(v, n)
	c.found = append(c.found, f)
}

// subjectOf returns which part of the workflow a value is of. n is the node that it belongs to in any case; nil if that is not known.
func subjectOf(v *jsontree.Node, n *Node) *finding.Subject {
	s := &finding.Subject{Node: -1, Edge: -1, Value: -1}
	if n != nil {
		s.Node = n.index
	}
	if v == nil || v.Parent == nil {
		return s
	}
	s.Value = v.Start
	for v.Parent.Parent != nil && v.Parent.Parent.Parent != nil {
		v = v.Parent
	}
	if array := v.Parent; array.Parent != nil && array.Kind == jsontree.Array {
		switch array.Name {
		case "nodes":
			s.Node = v.Index
		case "edges":
			s.Edge = v.Index
		}
	}
	return s
}

// about adds the parameter to the finding that was reported last.
func (c *checker) about(parameter string) {
	if len(c.found) <= maxFindings {
		c.found[len(c.found)-1].Subject.Parameter = parameter
	}
}

// relate adds another place to the finding that was reported last.
func (c *checker) relate(v *jsontree.Node, message string) { c.relateAt(v.Start, message) }

func (c *checker) relateAt(offset int, message string) {
	last := &c.found[len(c.found)-1]
	if len(c.found) > maxFindings {
		return
	}
	last.Related = append(last.Related, finding.Related{File: c.file, Position: c.positions.At(offset), Message: message})
}

// text gives what a string stands for; nothing for what is no string.
func (c *checker) text(v *jsontree.Node) string {
	if v == nil || v.Kind != jsontree.Text {
		return ""
	}
	return jsontree.DecodeText(c.content[v.Start:v.End])
}

// raw gives the text of a value as it is written.
func (c *checker) raw(v *jsontree.Node) []byte { return c.content[v.Start:v.End] }

// maxQuoted is how much of a text a message repeats, in characters.
const maxQuoted = 60

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
