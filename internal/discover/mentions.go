package discover

import (
	"bytes"
	"slices"
	"unicode/utf8"
)

// Mentions says whether a file may declare tasks: whether it has a decorator of one of Maze's names, or of a name that the file
// itself gives to one of those. It only searches the bytes, and rather says yes too often. A name that another file gives to
// one is not seen.
func Mentions(source []byte) bool {
	if isWide(source) {
		return true
	}
	var roots [][]byte
	for rest := source; ; {
		at := bytes.IndexByte(rest, '@')
		if at < 0 {
			break
		}
		if startsLine(source[:len(source)-len(rest)+at]) {
			line := toLineEnd(rest[at+1:])
			name := leadingName(bytes.TrimLeft(line, blanks))
			if len(name) == 0 || bytes.IndexByte(line, '\\') >= 0 || hasDecoratorName(line) {
				return true
			}
			roots = appendNew(roots, name)
		}
		rest = rest[at+1:]
	}
	for i := 0; i < len(roots); i++ { // it may grow
		var found bool
		if roots, found = followName(source, roots, roots[i]); found {
			return true
		}
	}
	return false
}

// isWide says whether a file is of an encoding in which names are not found. It is then read, to be refused.
func isWide(source []byte) bool {
	return bytes.HasPrefix(source, []byte("\xff\xfe")) || bytes.HasPrefix(source, []byte("\xfe\xff"))
}

// blanks are what Python takes for space within a line.
const blanks = " \t\f"

// followName looks at all that a file calls by a name. It says whether Maze's decorators are among it, and adds the names that it is
// another one for.
func followName(source []byte, names [][]byte, name []byte) ([][]byte, bool) {
	for from := 0; ; {
		at := bytes.Index(source[from:], name)
		if at < 0 {
			return names, false
		}
		start, end := from+at, from+at+len(name)
		from = end
		if endsInName(source[:start]) || end < len(source) && isNameByte(source[end]) {
			continue
		}
		if renamed(source[:start]) {
			return names, true
		}
		if value := assigned(toLineEnd(source[end:])); value != nil {
			if hasDecoratorName(value) || bytes.ContainsAny(value, `\([`) {
				return names, true
			}
			if other := leadingName(value); len(other) > 0 {
				names = appendNew(names, other)
			}
		}
	}
}

// renamed says whether a text ends in "task as", or another decorator's name.
func renamed(text []byte) bool {
	const space = blanks + "\\\r\n"
	trimmed := bytes.TrimRight(text, space)
	before, ok := bytes.CutSuffix(trimmed, []byte("as"))
	return ok && len(trimmed) < len(text) && !endsInName(before) && isDecoratorName(trailingName(bytes.TrimRight(before, space)))
}

// assigned gives what follows a name that a value is given to; nil for another use of the name.
func assigned(rest []byte) []byte {
	rest = bytes.TrimLeft(rest, blanks)
	if len(rest) > 0 && rest[0] == ':' { // an annotation, or :=
		_, value, ok := bytes.Cut(rest, []byte("="))
		if !ok {
			return nil
		}
		return bytes.TrimLeft(value, blanks)
	}
	if len(rest) < 2 || rest[0] != '=' || rest[1] == '=' {
		return nil
	}
	return bytes.TrimLeft(rest[1:], blanks)
}

// hasDecoratorName says whether one of the names in a text is a decorator's.
func hasDecoratorName(text []byte) bool {
	for i := 0; i < len(text); i++ {
		if name := leadingName(text[i:]); len(name) > 0 {
			if isDecoratorName(name) {
				return true
			}
			i += len(name)
		}
	}
	return false
}

func isDecoratorName(name []byte) bool {
	return slices.ContainsFunc(decorators, func(one string) bool { return string(name) == one })
}

func appendNew(names [][]byte, name []byte) [][]byte {
	if slices.ContainsFunc(names, func(one []byte) bool { return bytes.Equal(one, name) }) {
		return names
	}
	return append(names, name)
}

// startsLine says whether what follows a text is the first in its line.
func startsLine(text []byte) bool {
	text = bytes.TrimPrefix(bytes.TrimRight(text, blanks), []byte("\ufeff"))
	return len(text) == 0 || text[len(text)-1] == '\n' || text[len(text)-1] == '\r'
}

func toLineEnd(text []byte) []byte {
	if end := bytes.IndexAny(text, "\r\n"); end >= 0 {
		return text[:end]
	}
	return text
}

func leadingName(text []byte) []byte {
	end := 0
	for end < len(text) && isNameByte(text[end]) {
		end++
	}
	return text[:end]
}

func trailingName(text []byte) []byte {
	start := len(text)
	for start > 0 && isNameByte(text[start-1]) {
		start--
	}
	return text[start:]
}

// endsInName says whether a text ends in a name.
func endsInName(text []byte) bool { return len(text) > 0 && isNameByte(text[len(text)-1]) }

// isNameByte takes every byte beyond ASCII for a part of a name.
func isNameByte(b byte) bool {
	return b == '_' || '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || b >= utf8.RuneSelf
}
