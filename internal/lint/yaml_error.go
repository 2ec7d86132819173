package lint

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
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
	if anchor := yamlAnchor.FindStringSubmatch(message); anchor != nil {
		if offset := bytes.Index(text, []byte("*"+anchor[1])); offset >= 0 {
			return newCursor(text).to(offset), message + "; correct the alias, or write the value out"
		}
	}
	return firstText(text, 1), message
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
