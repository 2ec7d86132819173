package lint

import (
	"strconv"
	"strings"

	"github.com/maze-agent/maregister/internal/finding"
)

// node is a value of a document, with where it is written. A tree of them knows what decoding loses: places, and keys that are
// given twice.
type node struct {
	// at is where the value begins.
	at finding.Position
	// block says that it is an object or a list that is told by indentation, so that nothing but its key stands for it.
	block   bool
	members []member
	items   []*node
	// merged are the objects that YAML's << takes over.
	merged []*node
}

type member struct {
	name  string
	at    finding.Position
	value *node
	// written is how the name is written if that is another word: n is read as false.
	written string
}

// place is a value in a document, and where to point for it.
type place struct {
	*node
	at finding.Position
}

// root is the place of a whole document.
func root(n *node, otherwise finding.Position) place {
	if n == nil {
		return place{at: otherwise}
	}
	return place{n, n.at}
}

// member gives the value of a key. As in what is decoded, the last of several with one key counts.
func (p place) member(name string) (place, bool) {
	const maxMerges = 100 // one may merge itself
	objects := []*node{p.node}
	for i := 0; i < len(objects) && i < maxMerges; i++ {
		n := objects[i]
		if n == nil {
			continue
		}
		for j := len(n.members) - 1; j >= 0; j-- {
			if m := n.members[j]; m.name == name {
				return m.place(), true
			}
		}
		objects = append(objects, n.merged...)
	}
	return p, false
}

func (m member) place() place {
	if m.value == nil || m.value.block {
		return place{m.value, m.at}
	}
	return place{m.value, m.value.at}
}

func (p place) item(i int) (place, bool) {
	if p.node == nil || i < 0 || i >= len(p.items) {
		return p, false
	}
	return place{p.items[i], p.items[i].at}, true
}

// key gives where the key of a member is written.
func (p place) key(name string) finding.Position {
	if p.node != nil {
		for _, m := range p.members {
			if m.name == name {
				return m.at
			}
		}
	}
	return p.at
}

// pointer follows a JSON pointer as far as it leads.
func (p place) pointer(pointer string) place {
	unescape := strings.NewReplacer("~1", "/", "~0", "~")
	for _, token := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
		next, ok := p.child(unescape.Replace(token))
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
	if p.node != nil {
		for _, m := range p.members {
			if r, ok := strings.CutPrefix(path, m.name); ok && len(m.name) > len(name) && (r == "" || r[0] == '.' || r[0] == '[') {
				name, rest = m.name, r
			}
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
