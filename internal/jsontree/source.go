package jsontree

import "github.com/maze-agent/maregister/internal/text"

// Source tells where the values of a tree are written.
type Source struct {
	// Positions are those of the text that offsets lead into. Of YAML they are not needed.
	Positions *text.Positions
	// Above is how many lines are above the text of a YAML tree.
	Above int
}

// At returns where a value begins.
func (s Source) At(n *Node) text.Position {
	if n.YAML != nil {
		return s.below(n.YAML.At)
	}
	return s.Positions.At(n.Start)
}

// KeyAt returns where the key of a member of an object begins.
func (s Source) KeyAt(n *Node) text.Position {
	if n.YAML != nil {
		return s.below(n.YAML.Key.YAML.At)
	}
	return s.Positions.At(n.NameStart)
}

// Span returns where a value begins, and where the last thing in it begins or, of JSON, where it ends.
func (s Source) Span(n *Node) (from, to text.Position) {
	from = s.At(n)
	if n.YAML == nil {
		return from, s.Positions.At(max(n.Start, n.End-1))
	}
	to = from
	last := func(at text.Position) {
		if at.Line > to.Line || at.Line == to.Line && at.Column > to.Column {
			to = at
		}
	}
	for _, child := range n.Children {
		if child.YAML.Key != nil {
			last(s.KeyAt(child))
		}
		if child.YAML.Feature == Alias { // what it stands for is elsewhere, and may be large
			last(s.At(child))
			continue
		}
		_, end := s.Span(child)
		last(end)
	}
	return from, to
}

// Begin returns where the first text of a YAML document begins.
func (s Source) Begin(content []byte) text.Position { return s.below(firstText(content, 1)) }

func (s Source) below(at text.Position) text.Position {
	at.Line += s.Above
	return at
}
