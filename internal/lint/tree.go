package lint

import (
	"strconv"
	"strings"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/jsontree"
)

// place is a value in a document, and where to point for it.
type place struct {
	source jsontree.Source
	// text is that of a JSON document. Nil for YAML.
	text []byte
	// node is nil if only the position is known.
	node *jsontree.Node
	at   finding.Position
	// path is the JSON pointer to it in its document.
	path string
}

// root returns the place of a document.
func root(source jsontree.Source, text []byte, n *jsontree.Node) place {
	return place{source: source, text: text, node: n, at: source.At(n)}
}

// member returns the value of a key. As in what is decoded, the last of several with one key counts.
func (p place) member(name string) (place, bool) {
	const maxMerges = 100 // one may merge itself
	objects := []*jsontree.Node{p.node}
	for i := 0; i < len(objects) && i < maxMerges; i++ {
		if m := objects[i].Member(name); m != nil {
			return p.of(m, name), true
		}
		if n := objects[i]; n != nil && n.YAML != nil {
			objects = append(objects, n.YAML.Merged...)
		}
	}
	return p, false
}

// of returns the place of a value in this one. Nothing but its key stands for an object or a list of YAML in a block.
func (p place) of(n *jsontree.Node, name string) place {
	next := p.below(name)
	next.node, next.at = n, p.source.At(n)
	if n.YAML != nil && n.YAML.Block && n.YAML.Key != nil {
		next.at = p.source.KeyAt(n)
	}
	return next
}

// below returns the place itself, under the pointer to a value in it: that may not be written anywhere.
func (p place) below(name string) place {
	p.path += "/" + jsontree.EscapeToken(name)
	return p
}

func (p place) item(i int) (place, bool) {
	if p.node == nil || p.node.Kind != jsontree.Array || i < 0 || i >= len(p.node.Children) {
		return p, false
	}
	next := p.below(strconv.Itoa(i))
	next.node, next.at = p.node.Children[i], p.source.At(p.node.Children[i])
	return next, true
}

// members returns those of an object.
func (p place) members() []*jsontree.Node {
	if p.node == nil || p.node.Kind != jsontree.Object {
		return nil
	}
	return p.node.Children
}

// key returns where the key of a member is written.
func (p place) key(name string) place {
	key := p.below(name)
	for _, m := range p.members() {
		if m.Name == name {
			key.node, key.at = nil, p.source.KeyAt(m)
			return key
		}
	}
	return key
}

// pointer follows a JSON pointer as far as it leads.
func (p place) pointer(pointer string) place {
	for _, token := range jsontree.Tokens(pointer) {
		next, ok := p.child(token)
		if !ok {
			return p
		}
		p = next
	}
	return p
}

func (p place) child(name string) (place, bool) {
	if next, ok := p.member(name); ok {
		return next, true
	}
	if i, err := strconv.Atoi(name); err == nil {
		return p.item(i)
	}
	return p, false
}

// field follows a path such as spec.items[0].name as far as it leads. parent is the place before the last step, and last the
// name of that step: what an unknown field is called.
func (p place) field(path string) (found, parent place, last string) {
	found, parent = p, p
	for path != "" {
		name, rest := found.step(path)
		next, ok := found.child(name)
		parent, last = found, name
		if !ok {
			return found, parent, last
		}
		found, path = next, rest
	}
	return found, parent, last
}

// step takes the first name off a path. Keys may have dots and brackets, as labels do: the longest key that is there counts.
func (p place) step(path string) (name, rest string) {
	path = strings.TrimPrefix(path, ".")
	for _, m := range p.members() {
		if r, ok := strings.CutPrefix(path, m.Name); ok && len(m.Name) > len(name) && (r == "" || r[0] == '.' || r[0] == '[') {
			name, rest = m.Name, r
		}
	}
	if name != "" {
		return name, rest
	}
	if inner, ok := strings.CutPrefix(path, "["); ok {
		name, rest, _ = strings.Cut(inner, "]")
		return name, rest
	}
	end := strings.IndexAny(path, ".[")
	if end <= 0 {
		return path, ""
	}
	return path[:end], path[end:]
}
