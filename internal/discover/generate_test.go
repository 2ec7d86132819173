package discover_test

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// This file makes Python sources with tasks, for TestCPython. It works backwards: a value is chosen first, and then an expression
// that comes to it. What it writes has to be statically known, as an issue with values that are not would say nothing of these two.

// writer writes one Python file.
type writer struct {
	*rand.Rand
	python int // minor version of the Python that has to read it
	// latin says that the file is in Latin-1.
	latin bool
	// constants are the names that an expression can use, to their values.
	constants []constant
	// pending are lines to write at module level before the next function.
	pending []string
	serial  int
	types   typeNames
}

type constant struct {
	text  string
	value any
}

// Values are nil, bool, int, float64, string, list, tuple, dict and bare.
type (
	list  []any
	tuple []any
	dict  []pair
	pair  struct {
		key   string
		value any
	}
	// bare is an expression as such, which has no other form.
	bare string
)

func (w *writer) coin(oneIn int) bool { return w.IntN(oneIn) == 0 }

func pick[T any](w *writer, from ...T) T { return from[w.IntN(len(from))] }

// expression returns a Python expression for a value, in parentheses if it could not stand as an operand.
func (w *writer) expression(value any, depth int) string {
	if depth > 0 {
		for range 4 { // a constant of the same value, if one is met
			if len(w.constants) > 0 && w.coin(2) {
				if c := pick(w, w.constants...); equal(c.value, value) {
					return c.text
				}
			}
		}
		switch w.IntN(14) {
		case 0:
			return w.define(value, depth)
		case 1:
			return "(" + w.blank() + w.expression(value, depth-1) + w.blank() + ")"
		}
	}
	switch value := value.(type) {
	case nil:
		return "None"
	case bool:
		return map[bool]string{true: "True", false: "False"}[value]
	case int:
		return w.integer(value, depth)
	case float64:
		return w.float(value, depth)
	case string:
		return w.text(value, depth)
	case list:
		return w.list(value, depth)
	case tuple:
		return w.sequence("(", value, ",)", depth)
	case dict:
		return w.dict(value, depth)
	case bare:
		return string(value)
	}
	panic(fmt.Sprintf("a value of type %T", value))
}

func equal(a, b any) bool {
	return fmt.Sprintf("%T%#v", a, a) == fmt.Sprintf("%T%#v", b, b)
}

// define makes a module constant for a value.
func (w *writer) define(value any, depth int) string {
	w.serial++
	name := pick(w, "C%d", "_private_%d", "Größe_%d", "DEFAULT_%d")
	name = fmt.Sprintf(name, w.serial)
	annotation := ""
	if w.coin(4) {
		annotation = pick(w, ": "+w.types.name(w, "Any"), ": "+w.types.name(w, "Final"), ": 'object'")
	}
	text := w.expression(value, depth-1)
	w.pending = append(w.pending, name+annotation+" = "+text)
	w.constants = append(w.constants, constant{name, value})
	return name
}

// blank is white space where an expression is in parentheses.
func (w *writer) blank() string {
	return pick(w, "", "", "", "", " ", "\n", "  # a comment ) ] } ' \"\n    ", "\\\n", "\t", " \n\n  ")
}

func (w *writer) integer(value, depth int) string {
	if depth > 0 {
		operand := func(v int) string { return w.expression(v, depth-1) }
		k, r := w.IntN(5)+2, w.IntN(9)
		switch w.IntN(12) {
		case 0:
			return fmt.Sprintf("(%s + %s)", operand(value-r), operand(r))
		case 1:
			return fmt.Sprintf("(%s-%s)", operand(value+r), operand(r))
		case 2: // rounds down, below 0 too
			return fmt.Sprintf("(%s // %s)", operand(value*k+r%k), operand(k))
		case 3:
			return fmt.Sprintf("(%s // %s)", operand(-value*k-r%k), operand(-k))
		case 4:
			if value >= 0 {
				return fmt.Sprintf("(%s %% %s)", operand(value-(r-4)*(value+k)), operand(value+k))
			}
			return fmt.Sprintf("(%s %% %s)", operand(value+(r-4)*(value-k)), operand(value-k))
		case 5:
			return fmt.Sprintf("(- %s)", operand(-value))
		case 6:
			return fmt.Sprintf("(~%s)", operand(^value))
		case 7, 8:
			if value != 0 && value%k == 0 {
				return fmt.Sprintf("(%s * %s)", operand(value/k), operand(k))
			}
		}
	}
	for exponent := 2; exponent < 12 && depth >= 0; exponent++ {
		if value == 1<<exponent && w.coin(3) {
			return fmt.Sprintf("(2 ** %d)", exponent)
		}
	}
	if value < 0 {
		return fmt.Sprintf("(-%s)", w.integer(-value, -1))
	}
	if w.coin(3) && value > 0 {
		return pick(w, fmt.Sprintf("%#x", value), fmt.Sprintf("%#X", value), fmt.Sprintf("%#b", value), fmt.Sprintf("0o%o", value), underscored(value))
	}
	return strconv.Itoa(value)
}

func underscored(value int) string {
	text := strconv.Itoa(value)
	return strings.Join(strings.Split(text, ""), "_")
}

func (w *writer) float(value float64, depth int) string {
	if depth > 0 && w.coin(3) {
		if whole := value * 4; whole == float64(int(whole)) {
			return fmt.Sprintf("(%s / %s)", w.expression(int(whole), depth-1), w.expression(4, depth-1))
		}
	}
	if value < 0 {
		return fmt.Sprintf("(-%s)", w.float(-value, 0))
	}
	text := strconv.FormatFloat(value, pick(w, byte('f'), 'e', 'E'), -1, 64)
	if strings.HasPrefix(text, "0.") && w.coin(2) {
		text = text[1:]
	}
	if !strings.ContainsAny(text, ".eE") {
		text += pick(w, ".", ".0", "e0", ".0_0")
	}
	return text
}

func (w *writer) list(value list, depth int) string {
	if depth > 0 && w.coin(6) {
		cut := w.IntN(len(value) + 1)
		return fmt.Sprintf("(%s +%s%s)", w.expression(value[:cut:cut], depth-1), w.blank(), w.expression(value[cut:], depth-1))
	}
	return w.sequence("[", value, "]", depth)
}

func (w *writer) sequence(open string, values []any, end string, depth int) string {
	var b strings.Builder
	b.WriteString(open)
	for i, value := range values {
		if i > 0 {
			b.WriteString("," + w.blank())
		}
		b.WriteString(w.expression(value, depth-1))
	}
	if len(values) == 0 {
		return open + end[len(end)-1:]
	}
	if end == "]" && w.coin(3) {
		b.WriteString("," + w.blank())
	}
	return b.String() + w.blank() + end
}

func (w *writer) dict(value dict, depth int) string {
	var b strings.Builder
	b.WriteString("{" + w.blank())
	for i := 0; i < len(value); {
		if depth > 0 && w.coin(6) { // some of it from another dict, with a key that is overwritten later
			n := w.IntN(len(value)-i) + 1
			part := append(dict{}, value[i:i+n]...)
			if i+n < len(value) && w.coin(2) {
				part = append(part, pair{value[i+n].key, 0})
			}
			b.WriteString("**" + w.expression(part, depth-1))
			i += n
		} else {
			b.WriteString(w.expression(value[i].key, depth-1) + pick(w, ": ", ":", " : ") + w.expression(value[i].value, depth-1))
			i++
		}
		if i < len(value) || w.coin(3) {
			b.WriteString("," + w.blank())
		}
	}
	b.WriteString("}")
	if depth > 0 && w.coin(12) {
		return "{" + "**" + b.String() + "}"
	}
	return b.String()
}

func (w *writer) text(value string, depth int) string {
	runes := []rune(value)
	cut := w.IntN(len(runes) + 1)
	left, right := string(runes[:cut]), string(runes[cut:])
	if depth > 0 {
		switch w.IntN(9) {
		case 0:
			return fmt.Sprintf("(%s%s+ %s)", w.expression(left, depth-1), w.blank(), w.expression(right, depth-1))
		case 1, 2:
			return fmt.Sprintf("(%s%s %s)", w.literal(left), w.blank(), pick(w, w.literal(right), w.formatted(right, depth-1)))
		case 3, 4:
			return w.formatted(value, depth)
		case 5:
			if half := len(value) / 2; value[:half] == value[half:] {
				return fmt.Sprintf("(%s * %s)", w.expression(value[:half], depth-1), w.expression(2, depth-1))
			}
			return fmt.Sprintf("(%s * 1 + 0 * %s)", w.expression(value, depth-1), w.literal(right))
		}
	}
	return w.literal(value)
}

// formatted writes an f-string.
func (w *writer) formatted(value string, depth int) string {
	prefix, quote := pick(w, "f", "F"), pick(w, `"`, `'`, `"""`, `'''`)
	var b strings.Builder
	for _, c := range w.constants { // the first that is a part of it
		var part string
		switch v := c.value.(type) {
		case string:
			part = v
		case int:
			part = strconv.Itoa(v)
		}
		if before, after, found := strings.Cut(value, part); part != "" && found && w.coin(2) && !strings.Contains(c.text, "\n") && !strings.Contains(c.text, "\\") {
			b.WriteString(braces(w.escaped(before, quote, false)) + "{" + pick(w, "", " ") + c.text + pick(w, "", " ") + "}")
			value = after
			break
		}
	}
	if depth > 0 && w.coin(4) && value == keepPlain(value) && len(value) > 0 {
		other := map[byte]string{'"': "'", '\'': `"`}[quote[0]]
		return prefix + quote + b.String() + "{" + other + value + other + "}" + quote
	}
	b.WriteString(braces(w.escaped(value, quote, false)))
	return prefix + quote + b.String() + quote
}

func braces(text string) string {
	return strings.NewReplacer("{", "{{", "}", "}}").Replace(text)
}

func keepPlain(text string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x80 && (r == ' ' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z') {
			return r
		}
		return -1
	}, text)
}

// literal writes one string literal.
func (w *writer) literal(value string) string {
	quote := pick(w, `"`, `"`, `'`, `"""`, `'''`)
	if w.coin(5) && !strings.ContainsAny(value, "\\\n\r\"'") && (!w.latin || isLatin(value)) {
		return pick(w, "r", "R") + quote + value + quote
	}
	return pick(w, "", "", "", "u", "U") + quote + w.escaped(value, quote, true) + quote
}

func isLatin(text string) bool {
	return strings.IndexFunc(text, func(r rune) bool { return r > 0xff }) < 0
}

// escaped writes what stands between quotes. Braces are for an f-string to double; named says whether {} may be written as escapes.
func (w *writer) escaped(value, quote string, named bool) string {
	var b strings.Builder
	runes := []rune(value)
	for i, r := range runes {
		isQuote := r == rune(quote[0])
		last := i == len(runes)-1
		switch {
		case r == '\\':
			b.WriteString(`\\`)
		case isQuote && (len(quote) == 1 || last || w.coin(2)), isQuote && i > 0 && runes[i-1] == r:
			b.WriteString(`\` + string(r))
		case r == '\n' && len(quote) == 3 && w.coin(2):
			b.WriteString("\n")
		case r == '\n':
			b.WriteString(pick(w, `\n`, `\x0a`, `\012`, `\12`+noDigit(runes, i)))
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(pick(w, `\t`, "\t"))
		case r < ' ':
			fmt.Fprintf(&b, `\x%02x`, r)
		case w.latin && r > 0xff || r > 0x7e && w.coin(4) || named && w.coin(30) && r < 0x7f:
			b.WriteString(w.escape(r))
		default:
			b.WriteRune(r)
		}
		if w.coin(60) && !last {
			b.WriteString("\\\n")
		}
	}
	return b.String()
}

// noDigit is empty where an octal escape of two digits can end before the next character, and else makes it three.
func noDigit(runes []rune, i int) string {
	if i+1 < len(runes) && runes[i+1] >= '0' && runes[i+1] <= '7' {
		return `\` + "\n"
	}
	return ""
}

func (w *writer) escape(r rune) string {
	ways := []string{fmt.Sprintf(`\U%08x`, r)}
	if r <= 0xffff {
		ways = append(ways, fmt.Sprintf(`\u%04X`, r))
	}
	if r <= 0xff {
		ways = append(ways, fmt.Sprintf(`\x%02x`, r), fmt.Sprintf(`\%03o`, r))
	}
	return pick(w, ways...)
}

// words are parts of descriptions and of other texts.
var words = []string{
	"reads", "an image", "图像描述", "größer", "naïve", "\U0001f600", `C:\temp\new`, `"quoted"`, "it's", "a\nb", "tab\there", "{braces}", "100 %", "%s",
	"", " ", "# no comment", "'''", `"""`, "\\", "é", "\u200b", "a\u00a0b", "@task(name='x')", "x\r\ny", "\x7f", "ÿ", "lambda: 0", "end\\",
}

func (w *writer) sentence() string {
	var parts []string
	for range w.IntN(4) + 1 {
		parts = append(parts, pick(w, words...))
	}
	return strings.Join(parts, pick(w, " ", "", "\n", "-"))
}

// value returns any value that JSON has.
func (w *writer) value(depth int) any {
	switch n := w.IntN(10); {
	case n == 0:
		return nil
	case n == 1:
		return w.coin(2)
	case n == 2:
		return pick(w, 0.5, 1.25, -3.0, 1e10, 0.001, 2.75, 0)
	case n < 5:
		return w.IntN(5000) - 1000
	case n < 7 || depth <= 0:
		return w.sentence()
	case n == 7:
		return list(w.values(depth))
	case n == 8:
		return tuple(w.values(depth))
	}
	var d dict
	for i, v := range w.values(depth) {
		d = append(d, pair{fmt.Sprint(pick(w, "key", "ключ", "a b", "type"), i), v})
	}
	return d
}

func (w *writer) values(depth int) []any {
	values := make([]any, w.IntN(4))
	for i := range values {
		values[i] = w.value(depth - 1)
	}
	return values
}
