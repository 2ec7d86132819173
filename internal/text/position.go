package text

import (
	"bytes"
	"unicode/utf8"
)

// Position is a place in a text: a line, and a character (Unicode code point) in it, both counted from 1. The zero value is no
// place: the text as such is meant.
type Position struct {
	Line   int `json:"line"`
	Column int `json:"column"`
}

// Start is where every text begins.
var Start = Position{Line: 1, Column: 1}

// Positions turns offsets into a text, in bytes, into positions. Only \n ends a line. The text is UTF-8; where it is not, only offsets up to
// FirstInvalid count. It is not safe for concurrent use.
type Positions struct {
	text []byte
	// known are the positions of every stride bytes, as far as anyone has asked: they bound the way to any offset.
	known []Position
	// last is where the last question led: offsets that grow cost nothing more than the way between them.
	last   Position
	offset int
}

const stride = 1 << 12

// NewPositions returns the positions of a text.
func NewPositions(text []byte) *Positions {
	return &Positions{text: text, known: []Position{Start}, last: Start}
}

// At returns the position of an offset, or that of the end of the text for one behind it.
func (p *Positions) At(offset int) Position {
	offset = max(0, min(offset, len(p.text)))
	if nearest := min(offset/stride, len(p.known)-1); offset < p.offset || p.offset < nearest*stride {
		p.offset, p.last = nearest*stride, p.known[nearest]
	}
	for ; p.offset < offset; p.offset++ {
		if p.offset == len(p.known)*stride {
			p.known = append(p.known, p.last)
		}
		switch b := p.text[p.offset]; {
		case b == '\n':
			p.last = Position{Line: p.last.Line + 1, Column: 1}
		case utf8.RuneStart(b):
			p.last.Column++
		}
	}
	return p.last
}

// Searchable returns a text in which ASCII words are found, whether it is UTF-8 or, by its first two bytes, UTF-16. It is not to be read.
func Searchable(text []byte) []byte {
	if bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")) {
		return bytes.ReplaceAll(text, []byte{0}, nil)
	}
	return text
}

// FirstInvalid returns the offset of the first byte that is not UTF-8, or -1 if there is none.
func FirstInvalid(text []byte) int {
	if utf8.Valid(text) {
		return -1
	}
	for i := 0; i < len(text); {
		r, size := utf8.DecodeRune(text[i:])
		if r == utf8.RuneError && size == 1 {
			return i
		}
		i += size
	}
	return -1
}
