package lint

import (
	"bytes"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/jsontree"
)

// ignores returns what the comments of a file silence.
func (f *file) ignores(content []byte) []finding.Ignore {
	var out []finding.Ignore
	if bytes.Contains(content, []byte(finding.IgnoreMark)) {
		var comments []finding.Comment
		for _, c := range jsontree.Comments(bytes.TrimPrefix(content, []byte("\ufeff"))) {
			comments = append(comments, finding.Comment(c))
		}
		out = finding.IgnoresOf(f.name, comments)
	}
	return out
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
