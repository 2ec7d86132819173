package main

import (
	"strings"

	eastasian "golang.org/x/text/width"
	"k8s.io/cli-runtime/pkg/printers"
)

// printable replaces what would steer a terminal, and tabs, whose width depends on where they are.
func printable(text []rune) string {
	return printers.EscapeTerminal(strings.Map(func(r rune) rune {
		if r == '\t' || r == '\r' {
			return ' '
		}
		return r
	}, string(text)))
}

// columnsOf is how wide a text is in a terminal: Chinese characters take two columns.
func columnsOf(text []rune) int {
	n := 0
	for _, r := range printable(text) {
		switch eastasian.LookupRune(r).Kind() {
		case eastasian.EastAsianWide, eastasian.EastAsianFullwidth:
			n += 2
		default:
			n++
		}
	}
	return n
}
