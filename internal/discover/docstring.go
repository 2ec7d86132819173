package discover

import (
	"strings"

	"github.com/maze-agent/maregister/internal/discover/python"
)

// docstring gives the first paragraphs' text as inspect.cleandoc does.
func (s *scanner) docstring(body python.Node) string {
	statements := body.Children()
	if len(statements) == 0 || statements[0].Kind != "expression_statement" {
		return ""
	}
	inner := statements[0].Children()
	if len(inner) != 1 || inner[0].Kind != "string" && inner[0].Kind != "concatenated_string" {
		return ""
	}
	text, ok := constantText(s.value(inner[0]))
	if !ok {
		return ""
	}
	return cleanDoc(text)
}

// constantText joins a text without interpolations.
func constantText(e *expr) (string, bool) {
	if value, ok := e.value.(string); ok {
		return value, e.kind == exprConstant
	}
	if e.kind != exprText {
		return "", false
	}
	var out strings.Builder
	for _, part := range e.operands {
		text, ok := constantText(part)
		if !ok {
			return "", false
		}
		out.WriteString(text)
	}
	return out.String(), true
}

// cleanDoc takes the indentation off a docstring.
func cleanDoc(doc string) string {
	lines := strings.Split(strings.ReplaceAll(doc, "\t", "        "), "\n")
	indent := -1
	for _, line := range lines[1:] {
		if content := strings.TrimLeft(line, " "); content != "" && (indent < 0 || len(line)-len(content) < indent) {
			indent = len(line) - len(content)
		}
	}
	for i, line := range lines {
		if i == 0 {
			lines[i] = strings.TrimLeft(line, " ")
		} else if indent > 0 {
			lines[i] = line[min(indent, len(line)):]
		}
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	for len(lines) > 0 && lines[0] == "" {
		lines = lines[1:]
	}
	return strings.Join(lines, "\n")
}
