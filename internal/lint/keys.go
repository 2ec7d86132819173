package lint

import (
	"slices"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/jsontree"
)

// reportKeys reports what decoding hides: keys that are given twice, and those that are not read as they are written.
func (o *object) reportKeys() {
	seen := map[*jsontree.Node]bool{} // aliases share nodes
	var walk func(n *jsontree.Node)
	walk = func(n *jsontree.Node) {
		if n == nil || seen[n] {
			return
		}
		seen[n] = true
		o.reportKeysOf(n)
		for _, child := range n.Children {
			walk(child)
		}
	}
	walk(o.place.node)
}

// reportKeysOf reports the keys of one object that are given twice, and those that YAML reads as something else.
func (o *object) reportKeysOf(n *jsontree.Node) {
	if n.Kind != jsontree.Object {
		return
	}
	source, duplicates, glued := o.place.source, n.Duplicates(), n.Glued()
	for _, m := range n.Children {
		switch first := duplicates[m]; {
		case slices.Contains(glued, m):
			o.report(finding.DuplicateKey, place{at: source.KeyAt(m), path: m.Pointer()}, "%s", jsontree.AnotherObject)
		case first != nil && len(glued) > 0: // of an object whose beginning is told
		case first != nil:
			o.report(finding.DuplicateKey, place{at: source.KeyAt(m), path: m.Pointer()},
				"%s is given twice, first in line %d; keep one of them", quoted(m.Name), source.KeyAt(first).Line)
		case m.YAML != nil && m.YAML.Written != "" && m.YAML.Written != m.Name:
			o.report(finding.BooleanKey, place{at: source.KeyAt(m), path: m.Pointer()}, "%s is read as %s; put it in quotes", m.YAML.Written, m.Name)
		}
	}
}
