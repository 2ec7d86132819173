package lint

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/maze-agent/maregister/internal/finding"
)

var (
	// yamlPrefix is how the library begins its errors, with the line where it knows one.
	yamlPrefix = regexp.MustCompile(`^yaml: (?:unmarshal errors:\n  )?(?:line (\d+): )?`)
	// yamlAnchor is how it names an anchor in those without a line.
	yamlAnchor = regexp.MustCompile(`anchor '([^']+)'`)
)

// fromParser begins the library's errors of its parser, whose lines are counted from 0; those of its scanner are from 1.
const fromParser = "did not find expected"

// locateYAML says where a text is not YAML, and why.
func locateYAML(text []byte, err error) (finding.Position, string) {
	message := strings.TrimPrefix(err.Error(), "error converting YAML to JSON: ")
	match := yamlPrefix.FindStringSubmatch(message)
	if match == nil {
		return firstText(text, 1), message
	}
	message = message[len(match[0]):]
	if line, err := strconv.Atoi(match[1]); err == nil {
		if strings.HasPrefix(message, fromParser) {
			line++
		}
		return firstText(text, line), message + "; check indentation, quotes and brackets, here and in the line above"
	}
	if offset := bytes.IndexFunc(text, isControl); offset >= 0 && strings.HasPrefix(message, "control characters") {
		return newCursor(text).to(offset), message + "; remove it"
	}
	if strings.HasPrefix(message, "invalid map key") {
		offset := max(0, bytes.Index(text, []byte("{{")))
		return newCursor(text).to(offset), "a key is an object or a list; put text that begins with { or [ in quotes, " +
			"and lint what a template makes, not the template"
	}
	if anchor := yamlAnchor.FindStringSubmatch(message); anchor != nil {
		if offset := bytes.Index(text, []byte("*"+anchor[1])); offset >= 0 {
			return newCursor(text).to(offset), message + "; correct the alias, or write the value out"
		}
	}
	return firstText(text, 1), message
}

// isControl says whether YAML has no place for a character, which must be a control character then.
func isControl(r rune) bool {
	return r != '\t' && r != '\n' && r != '\r' && r != '\u0085' && unicode.IsControl(r)
}

// firstText is where the first text is from a line on, which the library may say is behind the end.
func firstText(text []byte, line int) finding.Position {
	line = min(line, bytes.Count(bytes.TrimRight(text, "\n"), []byte("\n"))+1)
	for i, content := range strings.Split(string(text), "\n") {
		trimmed := strings.TrimLeft(content, " \t")
		if i+1 >= line && strings.TrimSpace(trimmed) != "" && trimmed[0] != '#' {
			return finding.Position{Line: i + 1, Column: 1 + utf8.RuneCountInString(content) - utf8.RuneCountInString(trimmed)}
		}
	}
	return finding.Position{Line: line, Column: 1}
}
