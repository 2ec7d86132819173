package ecma

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"
)

// MaxRepeat is how often RE2 repeats something at most.
const MaxRepeat = 1000

// Kind is what keeps RE2 from running a regular expression.
type Kind int

const (
	// Invalid says that it is no regular expression.
	Invalid Kind = iota
	// Lookaround says that it looks ahead or behind.
	Lookaround
	// Backreference says that it refers to what a group has matched.
	Backreference
	// Repetition says that it repeats something more often than RE2 can.
	Repetition
	// Property says that it names a property of characters that RE2 does not have.
	Property
)

// Fault is the first reason why there is no translation.
type Fault struct {
	Kind Kind
	// Text is the part that RE2 cannot run, such as (?= or \1.
	Text string
	// Detail says more of what is Invalid.
	Detail string
}

// translator reads a regular expression from its beginning.
type translator struct {
	source string
	next   int
	out    strings.Builder
	names  map[string]bool
	// modifiers reports whether flags are set inside the expression: ^, $ and . may then mean something else.
	modifiers bool
}

// Translate returns an RE2 regular expression that matches the same text. It does not check the structure: parentheses that do not
// match, or nothing to be repeated.
func Translate(source string) (string, *Fault) {
	t := &translator{source: source, names: map[string]bool{}}
	for t.next < len(source) {
		if fault := t.term(); fault != nil {
			return "", fault
		}
	}
	return t.out.String(), nil
}

func (t *translator) rest() string { return t.source[t.next:] }

// take moves on if the text goes on with a prefix.
func (t *translator) take(prefix string) bool {
	if !strings.HasPrefix(t.rest(), prefix) {
		return false
	}
	t.next += len(prefix)
	return true
}

func (t *translator) rune() rune {
	r, size := utf8.DecodeRuneInString(t.rest())
	t.next += size
	return r
}

// anyButLineEnd is what . matches in ECMA-262.
const anyButLineEnd = `[^\n\r\x{2028}\x{2029}]`

func (t *translator) term() *Fault {
	switch t.source[t.next] {
	case '\\', '[':
		return t.characters()
	case '(':
		return t.group()
	case '{':
		return t.repetition()
	case '.':
		t.next++
		if t.modifiers {
			t.out.WriteByte('.')
		} else {
			t.out.WriteString(anyButLineEnd)
		}
	case '^', '$', '|', ')', '*', '+', '?':
		t.out.WriteByte(t.source[t.next])
		t.next++
	default:
		t.out.WriteString(literal(t.rune(), metacharacters))
	}
	return nil
}

// groups are how groups begin that RE2 cannot run, or that are none of ECMA-262's. Longer ones come first.
var groups = []struct {
	begin string
	fault Fault
}{
	{"(?<=", Fault{Kind: Lookaround}},
	{"(?<!", Fault{Kind: Lookaround}},
	{"(?=", Fault{Kind: Lookaround}},
	{"(?!", Fault{Kind: Lookaround}},
	{"(?P=", Fault{Kind: Backreference}},
	{"(?P>", Fault{Kind: Invalid, Detail: "it has recursion, which is PCRE's"}},
	{"(?>", Fault{Kind: Invalid, Detail: "it has an atomic group, which is PCRE's"}},
	{"(?#", Fault{Kind: Invalid, Detail: "it has a comment, which is PCRE's"}},
	{"(?(", Fault{Kind: Invalid, Detail: "it has a condition, which is PCRE's"}},
	{"(?R", Fault{Kind: Invalid, Detail: "it has recursion, which is PCRE's"}},
	{"(?|", Fault{Kind: Invalid, Detail: "it has a branch reset, which is PCRE's"}},
}

func (t *translator) group() *Fault {
	for _, g := range groups {
		if strings.HasPrefix(t.rest(), g.begin) {
			fault := g.fault
			fault.Text = g.begin
			return &fault
		}
	}
	switch {
	case t.take("(?:"):
		t.out.WriteString("(?:")
	case t.take("(?<"), t.take("(?P<"):
		name, _, closed := strings.Cut(t.rest(), ">")
		if !closed {
			return &Fault{Kind: Invalid, Text: "(?<", Detail: "the name of a group does not end"}
		}
		t.next += len(name) + 1
		if t.names[name] || !isWord(name) { // no one can refer to it
			t.out.WriteString("(?:")
			return nil
		}
		t.names[name] = true
		t.out.WriteString("(?P<" + name + ">")
	case t.take("(?"):
		t.modifiers = true
		t.out.WriteString("(?")
	default:
		t.next++
		t.out.WriteByte('(')
	}
	return nil
}

func isWord(name string) bool {
	for _, c := range []byte(name) {
		if c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return name != ""
}

// repetition reads {2}, {2,} or {2,5}. Any other brace is a character.
func (t *translator) repetition() *Fault {
	inner, _, closed := strings.Cut(t.rest()[1:], "}")
	low, high, isRange := strings.Cut(inner, ",")
	if !closed || !isDigits(low) || isRange && high != "" && !isDigits(high) {
		t.next++
		t.out.WriteString(`\{`)
		return nil
	}
	text := "{" + inner + "}"
	t.next += len(text)
	for _, bound := range []string{low, high} {
		if n, err := strconv.Atoi(bound); bound != "" && (err != nil || n > MaxRepeat) {
			return &Fault{Kind: Repetition, Text: text}
		}
	}
	t.out.WriteString(text)
	return nil
}

func isDigits(text string) bool {
	return text != "" && strings.Trim(text, "0123456789") == ""
}

// characters reads an escape or a class, and a second one if both are halves of UTF-16 that stand for characters together.
func (t *translator) characters() *Fault {
	first, fault := t.atom()
	if fault != nil || first.verbatim != "" {
		t.out.WriteString(first.verbatim)
		return fault
	}
	if high, ok := first.only(minSurrogate, maxHigh); ok && strings.HasPrefix(t.rest(), `\u`) || ok && strings.HasPrefix(t.rest(), "[") {
		second, fault := t.atom()
		if fault != nil {
			return fault
		}
		if low, ok := second.only(minLow, maxSurrogate); ok {
			return t.pairs(high, low)
		}
		return loneSurrogate()
	}
	if first.single && len(first.ranges) == 1 && isSurrogate(first.ranges[0].low) {
		return loneSurrogate()
	}
	t.out.WriteString(first.String())
	return nil
}

func loneSurrogate() *Fault {
	return &Fault{Kind: Invalid, Text: `\ud800`, Detail: "half of a surrogate pair matches nothing"}
}

// pairs writes the characters that two halves stand for.
func (t *translator) pairs(high, low []span) *Fault {
	const maxRanges = 128
	var all set
	for _, h := range high {
		for _, l := range low {
			if l == (span{minLow, maxSurrogate}) {
				all.ranges = append(all.ranges, span{combine(h.low, l.low), combine(h.high, l.high)})
				continue
			}
			for c := h.low; c <= h.high; c++ {
				all.ranges = append(all.ranges, span{combine(c, l.low), combine(c, l.high)})
				if len(all.ranges) > maxRanges {
					return &Fault{Kind: Invalid, Text: `\ud800`, Detail: fmt.Sprintf("its surrogates stand for more than %d ranges; write \\u{…}", maxRanges)}
				}
			}
		}
	}
	all.single = len(all.ranges) == 1 && all.ranges[0].low == all.ranges[0].high
	t.out.WriteString(all.String())
	return nil
}
