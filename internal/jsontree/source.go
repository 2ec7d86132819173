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

// Begin returns where the first text of a YAML document begins.
func (s Source) Begin(content []byte) text.Position { return s.below(firstText(content, 1)) }

func (s Source) below(at text.Position) text.Position {
	at.Line += s.Above
	return at
}
