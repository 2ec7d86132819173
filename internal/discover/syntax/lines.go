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

// maxContinuations bounds the squares of how many lines in a row hold nothing but a backslash, all together: the parser goes over them again
// and again, from each. People write one in a row.
const maxContinuations = 20_000_000

// tooManyContinuations reports whether a text has more lines in a row that only continue than the parser can read in good time.
func tooManyContinuations(text []byte) bool {
	cost, run := 0, 0
	for len(text) > 0 && cost <= maxContinuations {
		line, rest, _ := bytes.Cut(text, []byte("\n"))
		text = rest
		switch trimmed := bytes.Trim(line, Blanks); {
		case string(trimmed) == `\`:
			run++
			cost += 2*run - 1
		case bytes.HasSuffix(trimmed, []byte(`\`)):
			run = 1
		default:
			run = 0
		}
	}
	return cost > maxContinuations
}
