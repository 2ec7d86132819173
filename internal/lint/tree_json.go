package lint

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"

	"github.com/maze-agent/maregister/internal/finding"
)

// jsonTree reads the tree of a text that is known to be one JSON value.
func jsonTree(content []byte, at *cursor) *node {
	b := jsonBuilder{decoder: json.NewDecoder(bytes.NewReader(content)), at: at, start: at.offset}
	b.decoder.UseNumber()
	return b.node()
}

type jsonBuilder struct {
	decoder *json.Decoder
	at      *cursor
	start   int
}

// next gives the next token and where it is written.
func (b *jsonBuilder) next() (json.Token, finding.Position) {
	offset := b.start + int(b.decoder.InputOffset())
	for offset < len(b.at.content) && bytes.IndexByte([]byte(" \t\r\n,:"), b.at.content[offset]) >= 0 {
		offset++
	}
	at := b.at.to(offset)
	token, err := b.decoder.Token()
	if err != nil {
		return json.Delim('}'), at // cannot be: the text is JSON
	}
	return token, at
}

func (b *jsonBuilder) node() *node {
	token, at := b.next()
	out := &node{at: at}
	switch token {
	case json.Delim('{'):
		for b.decoder.More() {
			name, at := b.next()
			text, _ := name.(string)
			out.members = append(out.members, member{name: text, at: at, value: b.node()})
		}
		b.next()
	case json.Delim('['):
		for b.decoder.More() {
			out.items = append(out.items, b.node())
		}
		b.next()
	}
	return out
}

// cursor turns offsets into places, in one way through a text.
type cursor struct {
	content []byte
	offset  int
	place   finding.Position
}

func newCursor(content []byte) *cursor {
	return &cursor{content: content, place: finding.Position{Line: 1, Column: 1}}
}

// to goes on to an offset, which must not be behind, and gives its place.
func (c *cursor) to(offset int) finding.Position {
	for c.offset < min(offset, len(c.content)) {
		r, size := utf8.DecodeRune(c.content[c.offset:])
		c.offset += size
		c.place.Column++
		if r == '\n' {
			c.place = finding.Position{Line: c.place.Line + 1, Column: 1}
		}
	}
	return c.place
}
