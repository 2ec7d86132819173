package lint

import (
	"bytes"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/jsontree"
)

// ignores returns what the comments of a file silence. ends has the last line of each object, by its first.
func (f *file) ignores(content []byte, ends map[int]int) []finding.Ignore {
	var out []finding.Ignore
	if bytes.Contains(content, []byte(finding.IgnoreMark)) {
		var comments []finding.Comment
		for _, c := range jsontree.Comments(bytes.TrimPrefix(content, []byte("\ufeff"))) {
			comments = append(comments, finding.Comment(c))
		}
		out = finding.IgnoresOf(f.name, comments)
		finding.Widen(out, ends)
	}
	return out
}

// addEnds adds on which lines the object of a document begins and ends, and the items of a list.
func (d document) addEnds(ends map[int]int) {
	if d.place.node == nil {
		return
	}
	from, to := d.place.source.Span(d.place.node)
	ends[from.Line] = max(ends[from.Line], to.Line)
	list, ok := d.place.member("items")
	if !ok {
		return
	}
	for i := range list.node.Children {
		if at, ok := list.item(i); ok {
			document{place: at}.addEnds(ends)
		}
	}
}

// annotated returns what the annotation of an object silences in it, or those of the items of a list.
func (f *file) annotated(d document) []finding.Ignore {
	var out []finding.Ignore
	content, _ := d.value.(map[string]any)
	items, _ := content["items"].([]any)
	list, _ := d.place.member("items")
	for i, item := range items {
		if at, ok := list.item(i); ok {
			out = append(out, f.annotated(document{item, at})...)
		}
	}
	meta, _ := content["metadata"].(map[string]any)
	annotations, _ := meta["annotations"].(map[string]any)
	rules, ok := annotations[finding.IgnoreKey].(string)
	if !ok || d.place.node == nil {
		return out
	}
	at, _ := d.place.member("metadata")
	at, _ = at.member("annotations")
	from, to := d.place.source.Span(d.place.node)
	return append(out, finding.NewIgnore(f.name, at.key(finding.IgnoreKey).at, from, to, rules))
}
