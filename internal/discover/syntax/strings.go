package syntax

import (
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/maze-agent/maregister/internal/discover/python"
)

// readString reads one literal: a constant or, for an f-string with interpolations, a text of several parts.
func readString(r *reader, n python.Node, e *Expr) {
	children := n.All()
	start := children[0].Text()
	prefix := strings.ToLower(strings.TrimRight(start, `"'`))
	e.Text = "the string"
	if strings.ContainsAny(prefix, "t") || len(children) < 2 {
		return
	}
	raw, formatted := strings.Contains(prefix, "r"), strings.Contains(prefix, "f")
	from := children[0].End
	var parts []*Expr
	until := func(to int) (string, bool) { return unescape(string(n.Between(from, to)), raw, formatted) }
	for _, child := range children[1:] {
		if child.Kind != "interpolation" {
			continue
		}
		text, ok := until(child.Start)
		if !ok {
			return
		}
		if text != "" {
			parts = append(parts, &Expr{Kind: Constant, At: e.At, Value: text})
		}
		parts, from = append(parts, r.interpolation(child)), child.End
	}
	text, ok := until(children[len(children)-1].Start)
	switch {
	case !ok:
		e.Text = "a character that is named, or half of a surrogate pair"
	case strings.Contains(prefix, "b"):
		e.Kind, e.Value = Constant, Bytes(n.Text())
	case len(parts) == 0 && text != "":
		e.Kind, e.Value = Text, text
	default:
		if text != "" {
			parts = append(parts, &Expr{Kind: Constant, At: e.At, Value: text})
		}
		e.Kind, e.Operands = Text, parts
	}
}

// interpolation reads {value} of an f-string. One with a conversion, a format or an = is not evaluated.
func (r *reader) interpolation(n python.Node) *Expr {
	if parts := n.Children(); len(parts) == 1 && !strings.HasSuffix(strings.TrimRight(strings.TrimSuffix(n.Text(), "}"), " "), "=") {
		return r.expr(parts[0])
	}
	return &Expr{At: r.positions.At(n.Start), Text: others["interpolation"]}
}

var escapes = map[byte]string{
	'\n': "", '\\': `\`, '\'': "'", '"': `"`, 'a': "\a", 'b': "\b", 'f': "\f", 'n': "\n", 'r': "\r", 't': "\t", 'v': "\v",
}

// unescape returns the text that stands between the quotes of a literal. It reports whether that is known: characters by name and
// surrogates are not.
func unescape(text string, raw, formatted bool) (string, bool) {
	if formatted {
		text = strings.ReplaceAll(strings.ReplaceAll(text, "{{", "{"), "}}", "}")
	}
	if raw || !strings.Contains(text, `\`) {
		return text, true
	}
	var out strings.Builder
	for {
		before, rest, found := strings.Cut(text, `\`)
		out.WriteString(before)
		if !found || rest == "" {
			return out.String(), true
		}
		value, size, ok := escape(rest)
		if !ok {
			return "", false
		}
		out.WriteString(value)
		text = rest[size:]
	}
}

// escape returns what stands behind a backslash, and how many bytes belong to it. It reports whether that is known.
func escape(rest string) (value string, size int, ok bool) {
	first := rest[0]
	if plain, ok := escapes[first]; ok {
		return plain, 1, true
	}
	const octal = "01234567"
	switch digits := map[byte]int{'x': 2, 'u': 4, 'U': 8}[first]; {
	case digits > 0:
		if len(rest) <= digits {
			return "", 0, false
		}
		code, err := strconv.ParseUint(rest[1:1+digits], 16, 32)
		if err != nil || !utf8.ValidRune(rune(code)) {
			return "", 0, false
		}
		return string(rune(code)), 1 + digits, true
	case strings.IndexByte(octal, first) >= 0:
		size = 1
		for size < min(3, len(rest)) && strings.IndexByte(octal, rest[size]) >= 0 {
			size++
		}
		code, err := strconv.ParseUint(rest[:size], 8, 32)
		return string(rune(code)), size, err == nil
	case first == 'N':
		return "", 0, false
	default: // Python keeps the backslash
		return `\`, 0, true
	}
}
