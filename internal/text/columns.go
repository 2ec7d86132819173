package text

import (
	"strings"

	"github.com/rivo/uniseg"
)

// Columns returns how wide a text is where all characters have the width of one column or two: Chinese characters take two, and a mark
// on a letter takes none. What cannot be seen has no width: see Visible.
func Columns(text string) int { return uniseg.StringWidth(text) }

// ClipColumns returns a text of at most so many columns, which ends in an ellipsis if something is left out. It cuts no letter off its
// marks.
func ClipColumns(text string, columns int) string {
	var out strings.Builder
	used, state := 0, -1
	for rest := text; rest != ""; {
		var cluster string
		var width int
		cluster, rest, width, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if used += width; used > columns || used == columns && rest != "" {
			return out.String() + ellipsis
		}
		out.WriteString(cluster)
	}
	return text
}
