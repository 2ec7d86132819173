package terminal

import (
	"fmt"
	"strings"

	"k8s.io/cli-runtime/pkg/printers"

	"github.com/maze-agent/maregister/internal/text"
)

// Plain makes one line of a text. Manifests may hold any characters: those that steer a terminal are shown and not obeyed.
func Plain(lines string) string {
	return strings.Join(strings.Fields(printers.EscapeTerminal(lines)), " ")
}

// wrap breaks a text at its spaces into lines of so many columns, if its words are not longer. It has at least one line.
func wrap(long string, columns int) []string {
	lines := []string{""}
	for _, word := range strings.Split(Plain(long), " ") {
		last := &lines[len(lines)-1]
		switch {
		case *last == "":
			*last = word
		case text.Columns(*last)+1+text.Columns(word) <= columns:
			*last += " " + word
		default:
			lines = append(lines, word)
		}
	}
	return lines
}

// Pad fills a text with spaces to so many columns.
func Pad(short string, columns int) string {
	return short + strings.Repeat(" ", max(0, columns-text.Columns(short)))
}

// width returns how many columns a text takes once it is plain.
func width(line string) int { return text.Columns(Plain(line)) }

// Plural returns a number with its noun: 1 task, 2 tasks, 2 classes.
func Plural(n int, noun string) string {
	switch {
	case n == 1:
		return "1 " + noun
	case strings.HasSuffix(noun, "s"):
		noun += "e"
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
