package lint

import (
	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/jsontree"
)

// pointers has the pointer to what is written at each position of a document. A key stands for its value. Of an item of a list and its
// first key, which begin at one position in YAML, the key counts: what is wrong with an item is told by what it has.
type pointers map[finding.Position]*jsontree.Node

// add notes the positions of a node, and of what is below it.
func (p pointers) add(source jsontree.Source, n *jsontree.Node) {
	p[source.At(n)] = n
	for _, child := range n.Children {
		if n.Kind == jsontree.Object {
			p[source.KeyAt(child)] = child
		}
		if child.YAML != nil && child.YAML.Feature == jsontree.Alias { // what it stands for is elsewhere, and may be large
			p[source.At(child)] = child
			continue
		}
		p.add(source, child)
	}
}

// point sets the pointers of a document's findings to what they are about.
func (d document) point(findings []finding.Finding) {
	if len(findings) == 0 || d.place.node == nil {
		return
	}
	all := pointers{}
	all.add(d.place.source, d.place.node)
	for i := range findings {
		if n := all[findings[i].Position]; n != nil && findings[i].Pointer == "" {
			findings[i].Pointer = n.Pointer()
		}
	}
}
