package syntax

import "bytes"

// Blanks holds what Python takes for space within a line.
const Blanks = " \t\f"

// StartsLine reports whether what follows a text is the first in its line.
func StartsLine(text []byte) bool {
	text = bytes.TrimPrefix(bytes.TrimRight(text, Blanks), []byte("\ufeff"))
	return len(text) == 0 || text[len(text)-1] == '\n' || text[len(text)-1] == '\r'
}

// ToLineEnd returns a text up to the end of its first line.
func ToLineEnd(text []byte) []byte {
	if end := bytes.IndexAny(text, "\r\n"); end >= 0 {
		return text[:end]
	}
	return text
}
