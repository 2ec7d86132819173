package dag

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/nearest"
)

// maxFindings is how many findings are told. Whoever has more begins with these.
const maxFindings = 20_000

// Check reads a workflow and judges it by the tasks that there are. file is what findings call it. The graph has all that could
// be read; it is never nil.
func Check(file string, content []byte, tasks *Tasks) (*Graph, []finding.Finding) {
	c := &checker{
		file: file, content: bytes.TrimPrefix(content, []byte("\ufeff")), tasks: tasks, guesses: maxGuesses,
		graph: &Graph{byID: map[string]int{}},
	}
	if root := c.parse(); root != nil {
		c.read(root)
		for _, step := range steps {
			step(c)
		}
	}
	return c.graph, c.sorted()
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
	file    string
	content []byte
	tasks   *Tasks
	format  format
	graph   *Graph
	// order are the edges that hand nothing over.
	order []Edge
	// finals are the references of the workflow's own outputs.
	finals []*reference
	doubts []doubt
	found  []located
	allIDs []string
	// guesses is how much more may be compared with what may be meant.
	guesses int
}

// located is a finding whose place is not yet worked out.
type located struct {
	finding.Finding
	offset  int
	related []int
}

// parse makes the tree. Nil if that cannot be done.
func (c *checker) parse() *value {
	switch {
	case len(c.content) > maxBytes:
		c.reportAt(finding.DAGTooLarge, nil, 0, nil, "the workflow has more than %d bytes; split it, or check that it is the right file", maxBytes)
		return nil
	case !utf8.Valid(c.content):
		c.reportAt(finding.MalformedDAG, nil, firstInvalid(c.content), nil, "this is not UTF-8; save the file as UTF-8")
		return nil
	case !json.Valid(c.content):
		at, message := syntaxError(c.content)
		c.reportAt(finding.MalformedDAG, nil, at, nil, "%s", message)
		return nil
	}
	root, failure := parse(c.content)
	if failure != nil {
		c.reportAt(finding.DAGTooLarge, nil, failure.at, nil, "%s", failure.message)
		return nil
	}
	c.duplicateKeys(root)
	return root
}

func firstInvalid(content []byte) int {
	for i := 0; i < len(content); {
		r, size := utf8.DecodeRune(content[i:])
		if r == utf8.RuneError && size <= 1 {
			return i
		}
		i += size
	}
	return len(content)
}

// syntaxError says where and why a text is not JSON.
func syntaxError(content []byte) (int, string) {
	trimmed := bytes.TrimSpace(content)
	switch {
	case len(trimmed) == 0:
		return 0, `the file is empty; a workflow is JSON such as {"nodes": [{"id": "t1", "func": "speech_to_text", "args": {}}]}`
	case bytes.IndexByte([]byte(`{["`), trimmed[0]) < 0:
		return 0, "this is not JSON, in which workflows are written; convert YAML, and leave comments out"
	}
	err := json.Unmarshal(content, new(json.RawMessage))
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		return max(0, int(syntax.Offset)-1), "this is not JSON, in which workflows are written: " + syntax.Error()
	}
	return 0, fmt.Sprint(err)
}

func (c *checker) duplicateKeys(v *value) {
	if v.kind == object && len(v.children) > 1 {
		first := make(map[string]*value, len(v.children))
		for _, child := range v.children {
			if other := first[child.name]; other != nil {
				c.reportAt(finding.DuplicateKey, child, child.nameAt, nil,
					"the key %s is given twice in one object, and the last one counts; remove one", quote(child.name))
				c.relateAt(other.nameAt, "the first is here")
				continue
			}
			first[child.name] = child
		}
	}
	for _, child := range v.children {
		c.duplicateKeys(child)
	}
}

// report tells of a value. n is the node that it belongs to; nil if it is none.
func (c *checker) report(rule string, v *value, n *Node, format string, args ...any) {
	c.reportAt(rule, v, v.start, n, format, args...)
}

func (c *checker) reportAt(rule string, v *value, offset int, n *Node, format string, args ...any) {
	if len(c.found) > maxFindings {
		return
	}
	if len(c.found) == maxFindings {
		rule, v, offset, n, format, args = finding.DAGTooLarge, nil, 0, nil, "there are more than %d findings; correct these first", []any{maxFindings}
	}
	pointer, at, subject := "", "", "the workflow"
	if v != nil {
		pointer = v.pointer()
	}
	if pointer != "" {
		at, subject = pointer+": ", ""
	}
	if n != nil && n.ID != "" {
		subject = "node " + quote(n.ID)
		at = subject + " at " + at
	}
	f := finding.New(rule, c.file, finding.Position{}, subject, "%s%s", at, fmt.Sprintf(format, args...))
	f.Pointer = pointer
	c.found = append(c.found, located{Finding: f, offset: offset})
}

// relate adds another place to the finding that was reported last.
func (c *checker) relate(v *value, message string) { c.relateAt(v.start, message) }

func (c *checker) relateAt(offset int, message string) {
	last := &c.found[len(c.found)-1]
	if len(c.found) > maxFindings {
		return
	}
	last.Related = append(last.Related, finding.Related{File: c.file, Message: message})
	last.related = append(last.related, offset)
}

// sorted gives the findings by place, with lines and columns, for which it goes through the text once.
func (c *checker) sorted() []finding.Finding {
	type mark struct {
		offset int
		at     *finding.Position
	}
	var marks []mark
	for i := range c.found {
		f := &c.found[i]
		marks = append(marks, mark{f.offset, &f.Position})
		for j, offset := range f.related {
			marks = append(marks, mark{offset, &f.Related[j].Position})
		}
	}
	slices.SortFunc(marks, func(a, b mark) int { return cmp.Compare(a.offset, b.offset) })
	place, offset := finding.Position{Line: 1, Column: 1}, 0
	for _, m := range marks {
		for offset < min(m.offset, len(c.content)) {
			r, size := utf8.DecodeRune(c.content[offset:])
			offset += size
			place.Column++
			if r == '\n' {
				place = finding.Position{Line: place.Line + 1, Column: 1}
			}
		}
		*m.at = place
	}
	findings := make([]finding.Finding, len(c.found))
	for i := range c.found {
		findings[i] = c.found[i].Finding
	}
	return finding.Sort(findings)
}

// text gives what a string stands for; nothing for what is no string.
func (c *checker) text(v *value) string {
	if v == nil || v.kind != text {
		return ""
	}
	return decodeText(c.content[v.start:v.end])
}

// raw gives the text of a value as it is written.
func (c *checker) raw(v *value) []byte { return c.content[v.start:v.end] }

// maxQuoted is how much of a text a message repeats, in characters.
const maxQuoted = 60

// quote repeats a value in a message, as JSON.
func (c *checker) quote(v *value) string {
	if v == nil {
		return "nothing"
	}
	if v.kind == text {
		return quote(c.text(v))
	}
	return clip(string(c.raw(v)))
}

func quote(name string) string { return strconv.Quote(clip(name)) }

func clip(s string) string {
	if len(s) <= maxQuoted {
		return s
	}
	runes := []rune(s[:min(len(s), maxQuoted*utf8.UTFMax)])
	if len(runes) <= maxQuoted && len(s) <= maxQuoted*utf8.UTFMax {
		return s
	}
	return string(runes[:min(len(runes), maxQuoted)-1]) + "…"
}

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
