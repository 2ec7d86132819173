package ecma

import (
	"fmt"
	"strings"
	"unicode"
)

const (
	minSurrogate, maxHigh = 0xD800, 0xDBFF
	minLow, maxSurrogate  = 0xDC00, 0xDFFF
)

func isSurrogate(r rune) bool { return minSurrogate <= r && r <= maxSurrogate }

// combine returns the character of a surrogate pair.
func combine(high, low rune) rune { return (high-minSurrogate)<<10 + (low - minLow) + 0x10000 }

// span is a range of characters, both ends included.
type span struct{ low, high rune }

// set is what an escape or a class matches.
type set struct {
	// verbatim is RE2 text that stands for itself, such as \b.
	verbatim string
	// single reports whether it is one character, not a class.
	single  bool
	negated bool
	ranges  []span
	// classes are RE2's text for more characters, to stand in a class: \d, \p{L}.
	classes []string
}

// only returns the ranges if all characters are within bounds.
func (s set) only(low, high rune) ([]span, bool) {
	for _, r := range s.ranges {
		if r.low < low || r.high > high {
			return nil, false
		}
	}
	return s.ranges, len(s.ranges) > 0 && !s.negated && len(s.classes) == 0
}

// String returns the set as RE2 has it. Surrogates are no characters, and left out.
func (s set) String() string {
	if s.single {
		return literal(s.ranges[0].low, metacharacters)
	}
	var inner strings.Builder
	for _, r := range s.ranges {
		if r.low >= minSurrogate && r.high <= maxSurrogate {
			continue
		}
		if isSurrogate(r.low) {
			r.low = maxSurrogate + 1
		}
		if isSurrogate(r.high) {
			r.high = minSurrogate - 1
		}
		inner.WriteString(literal(r.low, classMetacharacters))
		if r.high > r.low {
			if r.high > r.low+1 {
				inner.WriteByte('-')
			}
			inner.WriteString(literal(r.high, classMetacharacters))
		}
	}
	for _, class := range s.classes {
		inner.WriteString(class)
	}
	switch {
	case inner.Len() == 0 && s.negated:
		return `(?s:.)`
	case inner.Len() == 0:
		return `[^\x00-\x{10FFFF}]`
	case s.negated:
		return "[^" + inner.String() + "]"
	case len(s.ranges) == 0 && len(s.classes) == 1 && isEscape(s.classes[0]):
		return s.classes[0]
	}
	return "[" + inner.String() + "]"
}

// isEscape reports whether the text is a single escape, such as \d or \p{L}.
func isEscape(class string) bool {
	return class[0] == '\\' && (len(class) == 2 || class[2] == '{' && strings.IndexByte(class, '}') == len(class)-1)
}

const (
	metacharacters      = `\.+*?()|[]{}^$`
	classMetacharacters = `\[]^-`
)

// literal writes a character so that it stands for itself. One that cannot be seen is written by its number.
func literal(r rune, meta string) string {
	switch {
	case r < 0x80 && strings.ContainsRune(meta, r):
		return `\` + string(r)
	case r == ' ' || unicode.IsPrint(r) && !unicode.IsMark(r):
		return string(r)
	case r < 0x100:
		return fmt.Sprintf(`\x%02X`, r)
	default:
		return fmt.Sprintf(`\x{%04X}`, r)
	}
}
