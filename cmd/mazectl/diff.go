package main

import (
	"cmp"
	"strings"
)

// paintDiff colours a diff as git does.
func (t terminal) paintDiff(text string) string {
	colors := map[byte]color{'+': green, '-': red}
	var out strings.Builder
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		out.WriteString(t.paint(colors[cmp.Or(line, " ")[0]], line) + "\n")
	}
	return out.String()
}
