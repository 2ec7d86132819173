package terminal

import (
	"strings"

	"github.com/maze-agent/maregister/internal/text"
)

// Printable replaces what would steer a terminal, and tabs, whose width depends on where they are.
func Printable(runes []rune) string {
	return visible(strings.Map(func(r rune) rune {
		if r == '\t' || r == '\r' {
			return ' '
		}
		return r
	}, string(runes)))
}

// Columns returns how wide a text is in a terminal: Chinese characters take two columns.
func Columns(runes []rune) int { return text.Columns(Printable(runes)) }
