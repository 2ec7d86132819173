package terminal

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"k8s.io/cli-runtime/pkg/printers"
)

// Plain makes one line of a text. Manifests may hold any characters: those that steer a terminal are shown and not obeyed.
func Plain(text string) string {
	return strings.Join(strings.Fields(printers.EscapeTerminal(text)), " ")
}

// wrap breaks a text at its spaces into lines of a width, if its words are not longer. It has at least one line.
func wrap(text string, width int) []string {
	lines := []string{""}
	for _, word := range strings.Split(Plain(text), " ") {
		last := &lines[len(lines)-1]
		switch {
		case *last == "":
			*last = word
		case utf8.RuneCountInString(*last)+1+utf8.RuneCountInString(word) <= width:
			*last += " " + word
		default:
			lines = append(lines, word)
		}
	}
	return lines
}

// Pad fills a text with spaces to a width.
func Pad(text string, width int) string {
	return text + strings.Repeat(" ", max(0, width-utf8.RuneCountInString(text)))
}

// width returns how many characters a text has once it is plain.
func width(text string) int { return utf8.RuneCountInString(Plain(text)) }

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
