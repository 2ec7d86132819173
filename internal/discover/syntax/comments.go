package syntax

import (
	"bytes"
	"unicode/utf8"

	"github.com/maze-agent/maregister/internal/finding"
)

// ignoresIn returns what the comments of a source silence.
func ignoresIn(path string, text []byte) []finding.Ignore {
	if !bytes.Contains(text, []byte(finding.IgnoreMark)) {
		return nil
	}
	return finding.IgnoresOf(path, comments(text))
}

// comments returns those of a source, which need not be Python that can be parsed. A # in a string is none.
func comments(text []byte) []finding.Comment {
	var out []finding.Comment
	var alone []int // indexes of comments that stand alone, and wait for the line that they are about
	line, start := 1, 0
	code := false // something stands in the line
	for i := 0; i < len(text); {
		switch c := text[i]; c {
		case '\n':
			line, start, code = line+1, i+1, false
			i++
		case ' ', '\t', '\f', '\r':
			i++
		case '#':
			end := i + len(ToLineEnd(text[i:]))
			at := finding.Position{Line: line, Column: utf8.RuneCount(text[start:i]) + 1}
			out = append(out, finding.Comment{At: at, Text: string(text[i:end]), Line: line})
			if !code {
				alone = append(alone, len(out)-1)
			}
			i = end
		default:
			code = true
			for _, one := range alone {
				out[one].Line = line
			}
			alone = alone[:0]
			end := i + 1
			if c == '\'' || c == '"' {
				end = stringEnd(text, i)
			}
			if lines := bytes.Count(text[i:end], []byte("\n")); lines > 0 {
				line, start = line+lines, i+bytes.LastIndexByte(text[i:end], '\n')+1
			}
			i = end
		}
	}
	return out
}

// stringEnd returns where a string ends that begins with the quote at an offset. Without three quotes, it ends with its line at the latest.
func stringEnd(text []byte, at int) int {
	quote := text[at : at+1]
	long := bytes.HasPrefix(text[at:], bytes.Repeat(quote, 3))
	if long {
		quote = bytes.Repeat(quote, 3)
	}
	for i := at + len(quote); i < len(text); i++ {
		switch {
		case text[i] == '\\':
			i++
		case text[i] == '\n' && !long:
			return i
		case bytes.HasPrefix(text[i:], quote):
			return i + len(quote)
		}
	}
	return len(text)
}
