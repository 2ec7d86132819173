package jsontree

import (
	"bytes"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/maze-agent/maregister/internal/text"
)

// Problem is what the library says is wrong with a text, without the line.
type Problem string

// The problems that can be told better than the library does.
const (
	problemColon     Problem = "mapping values are not allowed in this context"
	problemSign      Problem = "found character that cannot start any token"
	problemMapping   Problem = "did not find expected ',' or '}'"
	problemList      Problem = "did not find expected ',' or ']'"
	problemAnchor    Problem = "did not find expected alphabetic or numeric character" // of an anchor or an alias
	problemDocument  Problem = "did not find expected <document start>"
	problemTab       Problem = "found a tab character that violates indentation"
	problemTabIndent Problem = "found a tab character where an indentation space is expected"
	problemKey       Problem = "did not find expected key"
	problemItem      Problem = "did not find expected '-' indicator"
	problemNoColon   Problem = "could not find expected ':'"
	problemNode      Problem = "did not find expected node content"
	problemEnd       Problem = "found unexpected end of stream"
	problemSeparator Problem = "found unexpected document indicator"
	problemEscape    Problem = "found unknown escape character"
	problemHex       Problem = "did not find expected hexdecimal number"
	problemInline    Problem = "block sequence entries are not allowed in this context"
	problemBlock     Problem = "did not find expected comment or line break"
	problemQuestion  Problem = "mapping keys are not allowed in this context"
	problemHandle    Problem = "found undefined tag handle"
	problemTag       Problem = "did not find expected whitespace or line break"
	problemDirective Problem = "found unknown directive name"
)

// YAMLError says why a text is not YAML.
type YAMLError struct {
	// At is where the text begins in the line that the library tells, or where the problem is if that is known. See YAMLSlip.
	At text.Position
	// Problem is what the library says.
	Problem Problem
	// Advice says what to do. Empty if that is not known.
	Advice string
	// TooLarge says that the text may have more values than are read.
	TooLarge bool
	// notJSON says that the text is YAML, and JSON has no counterpart for a value or a key.
	notJSON bool
	// anchor is that of an alias which cannot be followed. Empty if that is not the problem.
	anchor string
}

// Error implements error.
func (e *YAMLError) Error() string {
	if e.Advice == "" {
		return string(e.Problem)
	}
	return string(e.Problem) + "; " + e.Advice
}

var (
	// yamlPrefix is how the library begins its errors, with the line where it knows one.
	yamlPrefix = regexp.MustCompile(`^yaml: (?:unmarshal errors:\n  )?(?:line (\d+): )?`)
	// yamlAnchor is how it names an anchor in those without a line.
	yamlAnchor = regexp.MustCompile(`anchor '([^']+)'`)
)

// fromParser begins the library's errors of its parser, whose lines are counted from 0; those of its scanner are from 1.
const fromParser = "did not find expected"

const inLine = "check indentation, quotes and brackets, here and in the line above"

// locate returns where a text is not YAML, and why. The library's errors are only text: this is the one place that takes it apart.
func locate(content []byte, err error) *YAMLError {
	message := strings.TrimPrefix(err.Error(), "error converting YAML to JSON: ")
	match := yamlPrefix.FindStringSubmatch(message)
	if match == nil {
		notJSON := strings.HasPrefix(message, "json: unsupported value") || strings.HasPrefix(message, "unsupported map key")
		return &YAMLError{At: firstText(content, 1), Problem: Problem(message), notJSON: notJSON}
	}
	problem := Problem(message[len(match[0]):])
	is := func(prefix string) bool { return strings.HasPrefix(string(problem), prefix) }
	if line, err := strconv.Atoi(match[1]); err == nil {
		if is(fromParser) && problem != problemAnchor {
			line++
		}
		return &YAMLError{At: firstText(content, line), Problem: problem, Advice: inLine}
	}
	offset := func(of string) text.Position {
		return text.NewPositions(content).At(max(0, bytes.Index(content, []byte(of))))
	}
	switch anchor := yamlAnchor.FindStringSubmatch(string(problem)); {
	case is("control characters"):
		return &YAMLError{At: text.NewPositions(content).At(max(0, bytes.IndexFunc(content, isControl))), Problem: problem, Advice: "remove it"}
	case is("invalid map key"):
		return &YAMLError{At: offset("{{"), Problem: "a key is an object or a list", notJSON: true,
			Advice: "put text that begins with { or [ in quotes, and lint what a template makes, not the template"}
	case anchor != nil:
		return &YAMLError{At: offset("*" + anchor[1]), Problem: problem, Advice: "correct the alias, or write the value out", anchor: anchor[1]}
	}
	return &YAMLError{At: firstText(content, 1), Problem: problem}
}

// isControl reports whether YAML does not allow a character: most of the control characters, and what is none in Unicode.
func isControl(r rune) bool {
	switch {
	case r == '\t' || r == '\n' || r == '\r' || r == '\u0085':
		return false
	case r < ' ' || r >= 0x7f && r < 0xa0:
		return true
	default:
		return r == '\ufffe' || r == '\uffff'
	}
}

// firstText returns where the first text is from a line on, which the library may say is behind the end.
func firstText(content []byte, line int) text.Position {
	line = min(line, bytes.Count(bytes.TrimRight(content, "\n"), []byte("\n"))+1)
	for i, content := range strings.Split(string(content), "\n") {
		trimmed := strings.TrimLeft(content, " \t")
		if i+1 >= line && strings.TrimSpace(trimmed) != "" && trimmed[0] != '#' {
			return text.Position{Line: i + 1, Column: 1 + utf8.RuneCountInString(content) - utf8.RuneCountInString(trimmed)}
		}
	}
	return text.Position{Line: line, Column: 1}
}

var (
	colonAgain = regexp.MustCompile(`: +([^ ]).*:`)
	anchorSign = regexp.MustCompile(`(?:^|[ \[{,])([*&])`)
)

// group returns where the group of a pattern begins that is in a line.
func group(pattern *regexp.Regexp, line string) int {
	match := pattern.FindStringSubmatchIndex(line)
	for i := 2; i < len(match); i += 2 {
		if match[i] >= 0 {
			return match[i]
		}
	}
	return -1
}

// closesNothing returns where a line of a block closes a bracket that its value did not open. It is 0 if it does not.
func closesNothing(line string) int {
	_, value, isValue := strings.Cut(line, ": ")
	value = strings.TrimLeft(value, " ")
	if !isValue || value == "" || value[0] != '{' && value[0] != '[' || strings.ContainsAny(value, `"'#`) {
		return 0
	}
	depth := 0
	for i, r := range value {
		switch r {
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth < 0 {
				return len(line) - len(value) + i
			}
		default:
		}
	}
	return 0
}

// openBracket returns where the innermost bracket of a line is that it does not close.
func openBracket(line string) int {
	var open []int
	for i, r := range line {
		switch r {
		case '{', '[':
			open = append(open, i)
		case '}', ']':
			if last := len(open) - 1; last >= 0 && line[open[last]]+2 == byte(r) {
				open = open[:last]
			}
		default:
		}
	}
	if len(open) == 0 {
		return -1
	}
	return open[len(open)-1]
}
