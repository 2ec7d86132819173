package jsontree

import (
	"bytes"
	"fmt"

	"github.com/maze-agent/maregister/internal/text"
)

// MaxMarks is how many signs a text in YAML may have that separate its values: ends of lines, commas, colons, hyphens and brackets. Each
// value takes one at least, and some 500 bytes while it is read, so a text of some MiB could take gigabytes. Texts count, too: of what
// people write, a megabyte has some 100,000.
const MaxMarks = 500_000

// checkMarks returns an error for a text that may have too many values.
func checkMarks(content []byte) *YAMLError {
	if len(content) <= MaxMarks {
		return nil
	}
	marks := 0
	for _, mark := range []string{"\n", ",", ":", "-", "[", "{", "?"} {
		marks += bytes.Count(content, []byte(mark))
	}
	if marks <= MaxMarks {
		return nil
	}
	return &YAMLError{At: text.Position{Line: 1, Column: 1}, TooLarge: true,
		Problem: Problem(fmt.Sprintf("it has more than %d signs that separate values", MaxMarks)),
		Advice:  "split it, or write it as JSON, which takes much less memory"}
}

// ToJSON returns what the API server and kubectl read in a document, as JSON. Content is the text that it was parsed from.
func (d *Document) ToJSON(content []byte) ([]byte, *YAMLError) {
	if !d.readsAlike(content) || firstBeyond(d.Root) != nil {
		return YAMLToJSON(content)
	}
	return AppendJSON(make([]byte, 0, len(content)), d.Root, nil), nil
}

// readsAlike reports whether the values of a document can be taken from its tree, as both versions of the library read it alike.
func (d *Document) readsAlike(content []byte) bool {
	return d.Root != nil && d.simple && (!bytes.ContainsAny(content, "%!") || !hidden.Match(content))
}

// firstBeyond returns the first number that JSON does not have, such as .inf. Nil if there is none.
func firstBeyond(n *Node) *Node {
	for _, child := range n.Children {
		if beyond := firstBeyond(child); beyond != nil {
			return beyond
		}
	}
	if n.Kind != Object && n.Kind != Array {
		if _, ok := n.scalar(nil); !ok {
			return n
		}
	}
	return nil
}
