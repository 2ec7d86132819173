package dag

import (
	"bytes"
	"strings"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/jsontree"
	"github.com/maze-agent/maregister/internal/text"
)

// Ignores returns what a workflow silences, by [File.Ignores].
func Ignores(file string, content []byte) []finding.Ignore {
	if len(content) > maxBytes || !mayIgnore(content) {
		return nil
	}
	return Read(file, content).Ignores()
}

func mayIgnore(content []byte) bool {
	return bytes.Contains(content, []byte(finding.IgnoreMark)) || bytes.Contains(content, []byte(finding.IgnoreKey))
}

// Ignores returns what the workflows of a file silence: by comments if it is YAML, and by the key of finding.IgnoreKey in the metadata of a
// workflow, of what is around it, of a node or of an edge, or in the annotations of a MazeWorkflow, whose nodes have no metadata. Its value
// is a text of codes, or an array of them.
func (f *File) Ignores() []finding.Ignore {
	if len(f.content) > maxBytes || !mayIgnore(f.content) {
		return nil
	}
	var all []finding.Ignore
	if jsontree.Check(f.content) != nil {
		var comments []finding.Comment
		for _, c := range jsontree.Comments(f.content) {
			comments = append(comments, finding.Comment(c))
		}
		all = finding.IgnoresOf(f.Name, comments)
	}
	ends := map[int]int{}
	for _, d := range f.Documents {
		r := ignoreReader{of: d}
		r.root, _, r.json, r.source = d.Tree()
		r.readAll()
		all = append(all, r.ignores...)
		if r.root != nil {
			from, to := r.source.Span(r.root)
			ends[d.placed(from).Line] = d.placed(to).Line
		}
	}
	finding.Widen(all, ends)
	return all
}

// ignoreReader collects what the metadata in a workflow silence.
type ignoreReader struct {
	of      *Document
	json    []byte
	source  jsontree.Source
	root    *jsontree.Node
	ignores []finding.Ignore
}

// readAll reads the metadata of the document and of its parts.
func (r *ignoreReader) readAll() {
	if r.of.IsObject() {
		r.read(r.root, r.root.Member("metadata").Member("annotations"))
		return
	}
	workflow := unwrap(r.root)
	r.read(r.root, r.root.Member("metadata"))
	if workflow != r.root {
		r.read(workflow, workflow.Member("metadata"))
	}
	for _, list := range []string{"nodes", "edges"} {
		for _, one := range childrenOf(workflow.Member(list)) {
			r.read(one, one.Member("metadata"))
			r.read(one, one.Member("data").Member("metadata")) // what an editor keeps of a node
		}
	}
}

// childrenOf returns the members or the items of a value. Nil is a value that has none.
func childrenOf(v *jsontree.Node) []*jsontree.Node {
	if v == nil {
		return nil
	}
	return v.Children
}

// read reads what metadata silence in the part of the document that has them.
func (r *ignoreReader) read(part, metadata *jsontree.Node) {
	value := metadata.Member(finding.IgnoreKey)
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
			rules = append(rules, word.Written(r.json))
		}
	}
	var from, to text.Position // the file
	if part != r.root || r.of.several {
		from, to = r.source.Span(part)
	}
	at := r.of.placed(r.source.KeyAt(value))
	r.ignores = append(r.ignores, finding.NewIgnore(r.of.File, at, r.of.placed(from), r.of.placed(to), strings.Join(rules, ",")))
}
