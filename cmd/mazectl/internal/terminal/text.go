package terminal

import (
	"fmt"
	"strings"

	"k8s.io/cli-runtime/pkg/printers"

	"github.com/maze-agent/maregister/internal/text"
)

// Plain makes one line of a text. Manifests may hold any characters: those that steer a terminal, or hide what stands there, are shown
// and not obeyed.
func Plain(lines string) string { return visible(strings.Join(strings.Fields(lines), " ")) }

// Visible does the same for a text of several lines. Lines and tabs stay.
func Visible(long string) string {
	var out strings.Builder
	for rest := printers.EscapeTerminal(long); rest != ""; {
		end := strings.IndexAny(rest, "\n\t")
		if end < 0 {
			end = len(rest)
		}
		out.WriteString(text.Visible(rest[:end]))
		next := min(end+1, len(rest))
		out.WriteString(rest[end:next])
		rest = rest[next:]
	}
	return out.String()
}

// visible shows the characters of a line that steer a terminal: ESC as ^[, and others as \u0007.
func visible(line string) string { return text.Visible(printers.EscapeTerminal(line)) }

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
