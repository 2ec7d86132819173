package dag

import (
	"bytes"
	"strings"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/jsontree"
	"github.com/maze-agent/maregister/internal/text"
)

// Ignores returns what a workflow silences: by comments if it is YAML, and by the key of finding.IgnoreKey in the metadata of the
// workflow, of a node or of an edge, or in the annotations of a MazeWorkflow. Its value is a text of codes, or an array of them.
func Ignores(file string, content []byte) []finding.Ignore {
	content = bytes.TrimPrefix(content, []byte("\ufeff"))
	if len(content) > maxBytes || !bytes.Contains(content, []byte(finding.IgnoreMark)) && !bytes.Contains(content, []byte(finding.IgnoreKey)) {
		return nil
	}
	f := ignoreReader{file: file, content: content}
	if jsontree.Check(content) == nil {
		f.root, _ = jsontree.ParseJSON(content, 0, jsontree.Limits{Values: maxValues, Depth: maxDepth})
		f.source = jsontree.Source{Positions: text.NewPositions(content)}
	} else {
		var comments []finding.Comment
		for _, c := range jsontree.Comments(content) {
			comments = append(comments, finding.Comment(c))
		}
		f.ignores = finding.IgnoresOf(file, comments)
		document, _ := jsontree.ParseYAML(content)
		f.root = document.Root
	}
	f.read(f.root)
	for _, list := range []string{"nodes", "edges"} {
		if all := f.root.Member(list); all != nil && all.Kind == jsontree.Array {
			for _, one := range all.Children {
				f.read(one)
			}
		}
	}
	return f.ignores
}

// ignoreReader collects what the metadata in a workflow silence.
type ignoreReader struct {
	file    string
	content []byte
	source  jsontree.Source
	root    *jsontree.Node
	ignores []finding.Ignore
}

// read reads the metadata of the workflow, or of a part of it.
func (f *ignoreReader) read(part *jsontree.Node) {
	metadata := part.Member("metadata")
	value := metadata.Member(finding.IgnoreKey)
	if value == nil && part == f.root { // of a MazeWorkflow
		value = metadata.Member("annotations").Member(finding.IgnoreKey)
	}
	if value == nil {
		return
	}
	words := []*jsontree.Node{value}
	if value.Kind == jsontree.Array {
		words = value.Children
	}
	var rules []string
	for _, word := range words {
		if word.Kind == jsontree.Text {
			rules = append(rules, f.text(word))
		}
	}
	var from, to text.Position // the file
	if part != f.root {
		from, to = f.source.Span(part)
	}
	f.ignores = append(f.ignores, finding.NewIgnore(f.file, f.source.KeyAt(value), from, to, strings.Join(rules, ",")))
}

func (f *ignoreReader) text(n *jsontree.Node) string {
	if n.YAML != nil {
		return n.YAML.Text
	}
	return jsontree.DecodeText(f.content[n.Start:n.End])
}
