package syntax

import (
	"slices"
	"unicode/utf8"

	"github.com/maze-agent/maregister/internal/finding"
)

// positions turns byte offsets into a text into positions. Offsets that grow cost little, however long a line is.
type positions struct {
	text  []byte
	lines []int // where each begins
	last  struct{ offset, line, column int }
}

// newPositions returns the positions of a text whose lines end in \n.
func newPositions(text []byte) *positions {
	p := &positions{text: text, lines: []int{0}}
	for i, b := range text {
		if b == '\n' {
			p.lines = append(p.lines, i+1)
		}
	}
	return p
}

// at returns the position of an offset: line and character, both counted from 1.
func (p *positions) at(offset int) finding.Position {
	line, exact := slices.BinarySearch(p.lines, offset)
	if !exact {
		line--
	}
	from, column := p.lines[line], 1
	if p.last.column > 0 && p.last.line == line && p.last.offset >= from && p.last.offset <= offset {
		from, column = p.last.offset, p.last.column
	}
	column += utf8.RuneCount(p.text[from:offset])
	p.last.offset, p.last.line, p.last.column = offset, line, column
	return finding.Position{Line: line + 1, Column: column}
}
