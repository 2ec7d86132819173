package discover

import (
	"bytes"
	"slices"
	"unicode/utf8"

	"github.com/maze-agent/maregister/internal/discover/syntax"
)

// Mentions reports whether a file may declare tasks: it has a decorator of one of Maze's names, or of a name that the file itself
// binds to one of those. It only searches the bytes, and reports true rather too often. A name that another file binds to one is not
// seen.
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
		if syntax.StartsLine(source[:len(source)-len(rest)+at]) {
			line := bytes.TrimLeft(syntax.ToLineEnd(rest[at+1:]), syntax.Blanks)
			name := leadingName(line)
			if isDecoratorName(name) || hasDecoratorMember(line) || bytes.HasPrefix(line, []byte("(")) || bytes.HasSuffix(line, []byte("\\")) {
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

// isWide reports whether a file is of an encoding in which names are not found. It is then read, to be refused.
func isWide(source []byte) bool {
	return bytes.HasPrefix(source, []byte("\xff\xfe")) || bytes.HasPrefix(source, []byte("\xfe\xff"))
}

const (
	// space is what may stand between the tokens of a statement that goes over lines.
	space = syntax.Blanks + "\\\r\n"
)

// followName looks at each use of a name in a file. It reports whether the name is bound to one of Maze's decorators, and adds the
// names that it is bound to.
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
		other, found := assigned(source, end)
		if found {
			return names, true
		}
		if other != nil && syntax.StartsLine(source[:start]) {
			names = appendNew(names, other)
		}
	}
}

// renamed reports whether a text ends in "task as", or another decorator's name.
func renamed(text []byte) bool {
	trimmed := bytes.TrimRight(text, space)
	before, ok := bytes.CutSuffix(trimmed, []byte("as"))
	return ok && len(trimmed) < len(text) && !endsInName(before) && isDecoratorName(trailingName(bytes.TrimRight(before, space)))
}

// assigned looks at what follows a name, which ends at end. It reports whether one of Maze's decorators is assigned to it, and returns
// another name that is.
func assigned(source []byte, end int) (other []byte, found bool) {
	value := bytes.TrimLeft(source[end:], syntax.Blanks)
	if len(value) > 0 && value[0] == ':' { // an annotation, or :=
		value = value[max(0, bytes.IndexByte(syntax.ToLineEnd(value), '=')):]
	}
	if len(value) < 2 || value[0] != '=' || value[1] == '=' {
		return nil, false
	}
	first, last, rest := dottedName(bytes.TrimLeft(value[1:], space+"("))
	if len(rest) > 0 && bytes.IndexByte([]byte("([{\"'"), rest[0]) >= 0 { // only something of it, or a string
		return nil, false
	}
	return first, isDecoratorName(last)
}

// dottedName returns the first and the last part of the name that a text begins with, and what follows it.
func dottedName(text []byte) (first, last, rest []byte) {
	for {
		text = bytes.TrimLeft(text, syntax.Blanks)
		last = leadingName(text)
		if first == nil {
			first = last
		}
		rest = bytes.TrimLeft(text[len(last):], syntax.Blanks)
		if len(rest) == 0 || rest[0] != '.' {
			return first, last, rest
		}
		text = rest[1:]
	}
}

// hasDecoratorMember reports whether one of Maze's decorators is taken from something in a line.
func hasDecoratorMember(line []byte) bool {
	for {
		_, rest, ok := bytes.Cut(line, []byte("."))
		if !ok {
			return false
		}
		line = bytes.TrimLeft(rest, syntax.Blanks)
		if isDecoratorName(leadingName(line)) {
			return true
		}
	}
}

func isDecoratorName(name []byte) bool {
	return slices.ContainsFunc(decorators, func(one string) bool { return string(name) == one })
}

// appendNew adds a name, unless it is empty or there already.
func appendNew(names [][]byte, name []byte) [][]byte {
	if len(name) == 0 || slices.ContainsFunc(names, func(one []byte) bool { return bytes.Equal(one, name) }) {
		return names
	}
	return append(names, name)
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

// endsInName reports whether a text ends in a name.
func endsInName(text []byte) bool { return len(text) > 0 && isNameByte(text[len(text)-1]) }

// isNameByte reports whether a byte may be part of a name: every byte beyond ASCII is taken for one.
func isNameByte(b byte) bool {
	return b == '_' || '0' <= b && b <= '9' || 'a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || b >= utf8.RuneSelf
}
