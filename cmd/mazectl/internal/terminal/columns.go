package terminal

import (
	"strings"

	eastasian "golang.org/x/text/width"
	"k8s.io/cli-runtime/pkg/printers"
)

// Printable replaces what would steer a terminal, and tabs, whose width depends on where they are.
func Printable(text []rune) string {
	return printers.EscapeTerminal(strings.Map(func(r rune) rune {
		if r == '\t' || r == '\r' {
			return ' '
		}
		return r
	}, string(text)))
}

// Columns is how wide a text is in a terminal: Chinese characters take two columns.
func Columns(text []rune) int {
	n := 0
	for _, r := range Printable(text) {
		switch eastasian.LookupRune(r).Kind() {
		case eastasian.EastAsianWide, eastasian.EastAsianFullwidth:
			n += 2
		default:
			n++
		}
	}
	return n
}
