package terminal

import (
	"cmp"
	"strings"
)

// PaintDiff colours a diff as git does.
func (t Terminal) PaintDiff(text string) string {
	colors := map[byte]Color{'+': Green, '-': Red}
	var out strings.Builder
	for line := range strings.Lines(text) {
		line = Printable([]rune(strings.TrimSuffix(line, "\n")))
		out.WriteString(t.Paint(colors[cmp.Or(line, " ")[0]], line) + "\n")
	}
	return out.String()
}
