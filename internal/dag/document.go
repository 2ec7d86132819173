package dag

import (
	"bytes"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/jsontree"
	"github.com/maze-agent/maregister/internal/text"
)

const (
	// maxBytes, maxValues and maxDepth bound a workflow: a hundred thousand nodes fit.
	maxBytes  = 64 << 20
	maxValues = 2_000_000
	maxDepth  = 100
	// maxYAML bounds one in YAML, which takes many times the time and the memory of JSON.
	maxYAML = 8 << 20
)

// document is the text of a workflow as a tree. Of YAML, the tree is that of the JSON which it stands for, so that whatever reads
// the tree need not know; only positions are those of the text itself.
type document struct {
	// json is what the offsets of the tree lead into.
	json []byte
	root *jsontree.Node
	// own is the tree of the text itself: root, unless that is YAML.
	own *jsontree.Node
	// positions are those of a text in JSON. Nil for YAML.
	positions *text.Positions
	// written has the YAML value of each JSON value that was asked for, and of those beside it.
	written map[*jsontree.Node]*jsontree.Node
}

// at returns where a value is written.
func (d *document) at(v *jsontree.Node) finding.Position {
	if d.written == nil {
		return d.positions.At(v.Start)
	}
	return d.yaml(v).YAML.At
}

// keyAt returns where the name of a member of an object is written.
func (d *document) keyAt(v *jsontree.Node) finding.Position {
	if d.written == nil {
		return d.positions.At(v.NameStart)
	}
	facts := d.yaml(v).YAML
	if facts.Key == nil {
		return facts.At
	}
	return facts.Key.YAML.At
}

// yaml returns the YAML value that stands for a JSON value, or the nearest one above it that is known.
func (d *document) yaml(v *jsontree.Node) *jsontree.Node {
	if found := d.written[v]; found != nil {
		return found
	}
	above := d.yaml(v.Parent) // the root is there
	byName := map[string]*jsontree.Node{}
	for _, merged := range slices.Backward(above.YAML.Merged) {
		for _, child := range merged.Children {
			byName[child.Name] = child
		}
	}
	for _, child := range above.Children {
		byName[child.Name] = child
	}
	for i, sibling := range v.Parent.Children {
		d.written[sibling] = above
		if child := byName[sibling.Name]; v.Parent.Kind == jsontree.Object && child != nil {
			d.written[sibling] = child
		} else if v.Parent.Kind == jsontree.Array && i < len(above.Children) {
			d.written[sibling] = above.Children[i]
		}
	}
	return d.written[v]
}

// text returns what a string stands for; nothing for what is no string.
func (d *document) text(v *jsontree.Node) string {
	if v == nil || v.Kind != jsontree.Text {
		return ""
	}
	return jsontree.DecodeText(d.json[v.Start:v.End])
}

// raw returns the text of a value, as JSON.
func (d *document) raw(v *jsontree.Node) []byte { return d.json[v.Start:v.End] }

// parse makes the tree, and reports why that cannot be done.
func (c *checker) parse(content []byte) {
	if len(content) > maxBytes {
		c.reportText(finding.DAGTooLarge, finding.Position{Line: 1, Column: 1},
			"the workflow has more than %d bytes; split it, or check that it is the right file", maxBytes)
		return
	}
	positions := text.NewPositions(content)
	if invalid := text.FirstInvalid(content); invalid >= 0 {
		c.reportText(finding.MalformedDAG, positions.At(invalid), "this is not UTF-8; save the file as UTF-8")
		return
	}
	failure := jsontree.Check(content)
	if other := otherLanguage(content); failure != nil && other != "" {
		c.reportText(finding.MalformedDAG, finding.Position{Line: 1, Column: 1},
			`this is %s; a workflow is JSON or YAML, and has "nodes" with "func" and "args"`, other)
		return
	}
	if failure != nil && (c.isYAML || looksLikeYAML(c.file, content)) {
		c.parseYAML(content)
		return
	}
	if failure != nil {
		at, message := describeSyntax(content, failure)
		c.reportText(finding.MalformedDAG, positions.At(at), "%s", message)
		return
	}
	c.positions = positions
	if c.tree(content) {
		c.own = c.root
	}
}

// tree reads JSON, and reports whether it is within the limits. Positions have to be known if it is not.
func (c *checker) tree(content []byte) bool {
	root, failure := jsontree.ParseJSON(content, 0, jsontree.Limits{Values: maxValues, Depth: maxDepth})
	if failure == nil {
		c.json, c.root = content, root
		return true
	}
	at := finding.Position{Line: 1, Column: 1}
	if c.positions != nil {
		at = c.positions.At(failure.Offset)
	}
	message := fmt.Sprintf("the workflow has more than %d JSON values; split it", maxValues)
	if failure.Excess == jsontree.TooDeep {
		message = fmt.Sprintf("the workflow is nested deeper than %d levels; flatten it", maxDepth)
	}
	c.reportText(finding.DAGTooLarge, at, "%s", message)
	return false
}

// parseYAML makes the tree of the JSON that a text in YAML stands for.
func (c *checker) parseYAML(content []byte) {
	first := finding.Position{Line: 1, Column: 1}
	if len(content) > maxYAML {
		c.reportText(finding.DAGTooLarge, first, "a workflow in YAML has at most %d bytes; write a larger one in JSON", maxYAML)
		return
	}
	document, failure := jsontree.ParseYAML(content)
	if failure != nil && failure.TooLarge {
		c.reportText(finding.DAGTooLarge, first, "a workflow in YAML is not read if %s", failure)
		return
	}
	if failure != nil {
		c.reportNoYAML(content, "this is neither JSON nor YAML, in which workflows are written: ", failure)
		return
	}
	if document.Root == nil || document.Root.Kind == jsontree.Null {
		c.reportText(finding.MalformedDAG, first, "%s", emptyFile)
		return
	}
	if expanded(document.Root, map[*jsontree.Node]int{}, 0) > maxBytes {
		c.reportText(finding.DAGTooLarge, document.Root.YAML.At, "with its aliases written out, the workflow has more than %d bytes; split it", maxBytes)
		return
	}
	converted, failure := document.ToJSON(content)
	if failure != nil {
		c.reportNoYAML(content, "this is not YAML: ", failure)
		return
	}
	if !c.tree(bytes.TrimSpace(converted)) {
		return
	}
	c.written = map[*jsontree.Node]*jsontree.Node{c.root: document.Root}
	c.own = document.Root
	if document.Second != nil {
		c.reportText(finding.MalformedDAG, *document.Second, "a file has one workflow, and here another document begins; put it into a file of its own")
	}
}

// reportNoYAML reports why a text is not YAML: the mistake if it is a known one, and what the library says otherwise.
func (c *checker) reportNoYAML(content []byte, what string, failure *jsontree.YAMLError) {
	slip, ok := jsontree.YAMLSlip(content, failure)
	switch {
	case !ok:
		c.reportText(finding.MalformedDAG, failure.At, "%s%s", what, failure)
		return
	case slip.What == jsontree.Template:
		slip.Advice = "check what is made of it; a text that begins with { has to be in quotes"
	}
	c.reportText(finding.MalformedDAG, text.NewPositions(content).At(slip.Offset), "%s%s", what, slip)
}

// expanded returns about how many bytes of JSON a YAML value stands for, with its aliases written out. It is no more than a little
// above maxBytes, be the value a bomb. known has those that were counted.
func expanded(v *jsontree.Node, known map[*jsontree.Node]int, depth int) int {
	if size, ok := known[v]; ok {
		return size
	}
	size := len(v.Name) + 2
	if v.YAML != nil {
		size += len(v.YAML.Text)
	}
	known[v] = size // of a value that is within itself
	children := v.Children
	if v.YAML != nil {
		children = slices.Concat(children, v.YAML.Merged)
	}
	for _, child := range children {
		if depth <= maxDepth && size <= maxBytes {
			size += expanded(child, known, depth+1)
		}
	}
	known[v] = min(size, maxBytes+1)
	return known[v]
}

const emptyFile = `the file is empty; a workflow is JSON such as {"nodes": [{"id": "t1", "func": "speech_to_text", "args": {}}]}`

// looksLikeYAML reports whether a text that is no JSON was meant to be YAML.
func looksLikeYAML(file string, content []byte) bool {
	trimmed := bytes.TrimSpace(content)
	switch {
	case len(trimmed) == 0:
		return false
	case bytes.HasPrefix(trimmed, []byte("//")) || bytes.HasPrefix(trimmed, []byte("/*")):
		return false
	}
	named := slices.Contains([]string{".yaml", ".yml"}, strings.ToLower(path.Ext(file)))
	return named || bytes.IndexByte([]byte(`{["`), trimmed[0]) < 0
}

// describeSyntax returns where a text is not JSON, and what to say of it.
func describeSyntax(content []byte, err *jsontree.SyntaxError) (int, string) {
	trimmed := bytes.TrimSpace(content)
	at := min(max(0, err.Offset-1), len(content))
	rest := content[at:]
	switch {
	case len(trimmed) == 0:
		return 0, emptyFile
	case bytes.HasPrefix(rest, []byte("//")) || bytes.HasPrefix(rest, []byte("/*")) || bytes.HasPrefix(rest, []byte("#")):
		return at, "JSON has no comments; remove this one, or write the workflow in YAML"
	}
	if slip, ok := jsontree.JSONSlip(content, 0); ok && slip.What != jsontree.Template {
		return slip.Offset, "this is not JSON, in which workflows are written: " + slip.String()
	}
	if jsontree.Check(content[:at]) == nil && len(bytes.TrimSpace(content[:at])) > 0 {
		return at, "a file has one workflow, and here another document begins; put it into a file of its own"
	}
	return at, "this is not JSON, in which workflows are written: " + err.Message
}

// reportDuplicates reports the keys that are given twice in an object of the text.
func (c *checker) reportDuplicates() {
	source := jsontree.Source{Positions: c.positions}
	var walk func(v *jsontree.Node, depth int)
	seen := map[*jsontree.Node]bool{}
	walk = func(v *jsontree.Node, depth int) {
		if v.YAML != nil {
			if seen[v] || depth > maxDepth { // what an alias stands for is looked at once
				return
			}
			seen[v] = true
		}
		duplicates, glued := v.Duplicates(), v.Glued()
		for _, child := range v.Children {
			switch first := duplicates[child]; {
			case first == nil:
			case c.isFull():
				c.leftOut++
			case slices.Contains(glued, child):
				c.add(finding.DuplicateKey, child, source.KeyAt(child), nil, jsontree.AnotherObject)
			case len(glued) == 0: // else it is of an object whose beginning is told
				c.add(finding.DuplicateKey, child, source.KeyAt(child), nil,
					fmt.Sprintf("the key %s is given twice in one object, and the last one counts; remove one", quote(child.Name)))
				c.relateAt(source.KeyAt(first), "the first is here")
			}
		}
		for _, child := range v.Children {
			walk(child, depth+1)
		}
	}
	walk(c.own, 0)
}
