package syntax

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/maze-agent/maregister/internal/discover/python"
)

// docstring returns the text of a body's docstring as inspect.cleandoc does. It is empty without one.
func (s *scanner) docstring(body python.Node) string {
	statements := body.Children()
	if len(statements) == 0 || statements[0].Kind != "expression_statement" {
		return ""
	}
	literal := statements[0]
	for inner := literal.Children(); len(inner) == 1 && literal.Kind != "string"; inner = literal.Children() {
		literal = inner[0] // in parentheses, perhaps
	}
	parts := []python.Node{literal}
	if literal.Kind == "concatenated_string" {
		parts = literal.Children()
	}
	if slices.ContainsFunc(parts, isNoPlainString) {
		return ""
	}
	text, ok := ConstantText(s.value(literal))
	if !ok {
		return ""
	}
	return cleanDoc(text)
}

// isNoPlainString reports whether Python does not take a node for a part of a docstring.
func isNoPlainString(n python.Node) bool {
	return n.Kind != "string" || strings.ContainsAny(n.All()[0].Text(), "fFtTbB")
}

// ConstantText returns a text without interpolations. It reports whether the expression is one.
func ConstantText(e *Expr) (string, bool) {
	if value, ok := e.Value.(string); ok {
		return value, e.Kind == Constant || e.Kind == Text
	}
	if e.Kind != Text {
		return "", false
	}
	var out strings.Builder
	for _, part := range e.Operands {
		text, ok := ConstantText(part)
		if !ok {
			return "", false
		}
		out.WriteString(text)
	}
	return out.String(), true
}

// cleanDoc returns a docstring without its indentation, as Python's inspect.cleandoc does.
func cleanDoc(doc string) string {
	lines := strings.Split(doc, "\n")
	margin := -1
	for i, line := range lines {
		lines[i] = expandTabs(line)
		if content := trimLeft(lines[i]); i > 0 && content != "" {
			if indent := utf8.RuneCountInString(lines[i]) - utf8.RuneCountInString(content); margin < 0 || indent < margin {
				margin = indent
			}
		}
	}
	lines[0] = trimLeft(lines[0])
	for i := 1; i < len(lines) && margin > 0; i++ {
		runes := []rune(lines[i])
		lines[i] = string(runes[min(margin, len(runes)):])
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	for len(lines) > 0 && lines[0] == "" {
		lines = lines[1:]
	}
	return strings.Join(lines, "\n")
}

func trimLeft(line string) string { return strings.TrimLeftFunc(line, isSpace) }

// isSpace reports what Python's str.isspace does: the separators of ASCII are space, too.
func isSpace(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

// expandTabs replaces tabs: it fills up to every eighth column.
func expandTabs(line string) string {
	const width = 8
	var out strings.Builder
	column := 0
	for _, r := range line {
		switch r {
		case '\t':
			fill := width - column%width
			out.WriteString(strings.Repeat(" ", fill))
			column += fill
		case '\r':
			out.WriteRune(r)
			column = 0
		default:
			out.WriteRune(r)
			column++
		}
	}
	return out.String()
}
