package ecma

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Spaces in ECMA-262: white space and line ends. RE2's \s has ASCII's only, and no vertical tab.
const (
	spaces   = `\t-\r\p{Z}\x{FEFF}`
	noSpaces = `\x00-\x08\x0E-\x1F!-\x9F\xA1-\x{167F}\x{1681}-\x{1FFF}\x{200B}-\x{2027}\x{202A}-\x{202E}\x{2030}-\x{205E}` +
		`\x{2060}-\x{2FFF}\x{3001}-\x{FEFE}\x{FF00}-\x{10FFFF}`
)

func character(r rune) set { return set{single: true, ranges: []span{{r, r}}} }

func class(text string) set { return set{classes: []string{text}} }

// atom reads an escape or a class.
func (t *translator) atom() (set, *Fault) {
	if t.source[t.next] == '[' {
		return t.class()
	}
	return t.escape(false)
}

// escape reads what a backslash begins.
func (t *translator) escape(inClass bool) (set, *Fault) {
	begin := t.next
	t.next++
	if t.next == len(t.source) {
		return set{}, &Fault{Kind: Invalid, Text: `\`, Detail: "it ends with a backslash"}
	}
	switch c := t.rune(); c {
	case 'd', 'D', 'w', 'W':
		return class(`\` + string(c)), nil
	case 's':
		return class(spaces), nil
	case 'S':
		return class(noSpaces), nil
	case 'b', 'B', 'A', 'z':
		if c == 'b' && inClass {
			return character('\b'), nil
		}
		if !inClass {
			return set{verbatim: `\` + string(c)}, nil
		}
	case 'a', 'f', 'n', 'r', 't', 'v':
		return character(rune("\a\f\n\r\t\v"[strings.IndexRune("afnrtv", c)])), nil
	case '0':
		return t.octal(), nil
	case '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return set{}, &Fault{Kind: Backreference, Text: `\` + string(c)}
	case 'k':
		return set{}, &Fault{Kind: Backreference, Text: `\k`}
	case 'c':
		if c := strings.ToUpper(t.rest() + " ")[0]; c >= 'A' && c <= 'Z' {
			t.next++
			return character(rune(c) % 32), nil
		}
	case 'x', 'u':
		if r, ok := t.number(c); ok {
			return character(r), nil
		}
	case 'p', 'P':
		return t.property(c == 'P')
	default:
		if c >= utf8.RuneSelf || !isWord(string(c)) || c == '_' {
			return character(c), nil
		}
	}
	return set{}, t.unknownEscape(begin)
}

func (t *translator) unknownEscape(begin int) *Fault {
	text := t.source[begin:t.next]
	detail := text + " is no escape"
	switch text {
	case `\Z`:
		detail = `\Z is Python's; the end of the text is $`
	case `\u`, `\x`, `\c`:
		detail = text + " lacks what belongs behind it, as in " + map[string]string{`\u`: `\u00e9`, `\x`: `\xe9`, `\c`: `\cA`}[text]
	}
	return &Fault{Kind: Invalid, Text: text, Detail: detail}
}

// octal reads up to two digits behind \0.
func (t *translator) octal() set {
	value := rune(0)
	for range 2 {
		if t.next == len(t.source) || t.source[t.next] < '0' || t.source[t.next] > '7' {
			break
		}
		value = value*8 + rune(t.source[t.next]-'0')
		t.next++
	}
	return character(value)
}

// number reads the hexadecimal number behind \x or \u, and the second half of a surrogate pair.
func (t *translator) number(kind rune) (rune, bool) {
	if inner, _, closed := strings.Cut(t.rest(), "}"); closed && strings.HasPrefix(inner, "{") {
		n, err := strconv.ParseUint(inner[1:], 16, 32)
		if err != nil || n > utf8.MaxRune {
			return 0, false
		}
		t.next += len(inner) + 1
		return rune(n), true
	}
	digits := 4
	if kind == 'x' {
		digits = 2
	}
	high, ok := t.digits(digits)
	if !ok || kind == 'x' || high < minSurrogate || high > maxHigh || !strings.HasPrefix(t.rest(), `\u`) {
		return high, ok
	}
	before := t.next
	t.next += len(`\u`)
	if low, ok := t.digits(digits); ok && low >= minLow && low <= maxSurrogate {
		return combine(high, low), true
	}
	t.next = before
	return high, true
}

func (t *translator) digits(n int) (rune, bool) {
	if len(t.rest()) < n {
		return 0, false
	}
	value, err := strconv.ParseUint(t.rest()[:n], 16, 32)
	if err != nil || strings.ContainsAny(t.rest()[:n], "+-_") {
		return 0, false
	}
	t.next += n
	return rune(value), true
}

// class reads a class in brackets.
func (t *translator) class() (set, *Fault) {
	t.next++
	result := set{negated: t.take("^")}
	for !t.take("]") {
		if t.next == len(t.source) {
			return set{}, &Fault{Kind: Invalid, Text: "[", Detail: "a class lacks its ]"}
		}
		first, fault := t.member()
		if fault != nil {
			return set{}, fault
		}
		if !strings.HasPrefix(t.rest(), "-") || strings.HasPrefix(t.rest(), "-]") || len(t.rest()) < 2 {
			result.add(first)
			continue
		}
		t.next++
		last, fault := t.member()
		switch {
		case fault != nil:
			return set{}, fault
		case !first.single || !last.single: // the hyphen is a character
			result.add(first)
			result.add(character('-'))
			result.add(last)
		case first.ranges[0].low > last.ranges[0].low:
			return set{}, &Fault{Kind: Invalid, Text: "[", Detail: "the range " + literal(first.ranges[0].low, "") + "-" +
				literal(last.ranges[0].low, "") + " is out of order"}
		default:
			result.ranges = append(result.ranges, span{first.ranges[0].low, last.ranges[0].low})
		}
	}
	return result, nil
}

func (s *set) add(other set) {
	s.ranges = append(s.ranges, other.ranges...)
	s.classes = append(s.classes, other.classes...)
}

// member reads a character or an escape of a class.
func (t *translator) member() (set, *Fault) {
	if strings.HasPrefix(t.rest(), "[:") { // which is RE2's
		if name, _, closed := strings.Cut(t.rest()[2:], ":]"); closed && isWord(strings.TrimPrefix(name, "^")) {
			t.next += len(name) + 4
			return class("[:" + name + ":]"), nil
		}
	}
	if t.source[t.next] != '\\' {
		return character(t.rune()), nil
	}
	member, fault := t.escape(true)
	if fault == nil && member.negated {
		return set{}, &Fault{Kind: Property, Text: `\P{…}`}
	}
	return member, fault
}
