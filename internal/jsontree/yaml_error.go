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
	ProblemColon    Problem = "mapping values are not allowed in this context"
	ProblemSign     Problem = "found character that cannot start any token"
	ProblemMapping  Problem = "did not find expected ',' or '}'"
	ProblemList     Problem = "did not find expected ',' or ']'"
	ProblemAnchor   Problem = "did not find expected alphabetic or numeric character" // of an anchor or an alias
	ProblemDocument Problem = "did not find expected <document start>"

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
	// At is where the text begins in the line that the library tells, or where the culprit is if that is known.
	At text.Position
	// Problem is what the library says.
	Problem Problem
	// Advice says what to do. Empty if that is not known.
	Advice string
	// line is the text of the line.
	line string
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

// Culprit returns where in its line the error probably is, and the character there.
func (e *YAMLError) Culprit() (text.Position, rune) {
	if culprit := culprits[e.Problem]; culprit != nil {
		if offset := culprit(e.line); offset >= 0 {
			sign, _ := utf8.DecodeRuneInString(e.line[offset:])
			return text.Position{Line: e.At.Line, Column: 1 + utf8.RuneCountInString(e.line[:offset])}, sign
		}
	}
	sign, _ := utf8.DecodeRuneInString(e.line)
	return e.At, sign
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
		out := newYAMLError(content, firstText(content, 1), message, "")
		out.notJSON = strings.HasPrefix(message, "json: unsupported value") || strings.HasPrefix(message, "unsupported map key")
		return out
	}
	message = message[len(match[0]):]
	if line, err := strconv.Atoi(match[1]); err == nil {
		if strings.HasPrefix(message, fromParser) && message != string(ProblemAnchor) {
			line++
		}
		return newYAMLError(content, firstText(content, line), message, inLine)
	}
	if offset := bytes.IndexFunc(content, isControl); offset >= 0 && strings.HasPrefix(message, "control characters") {
		return newYAMLError(content, text.NewPositions(content).At(offset), message, "remove it")
	}
	if strings.HasPrefix(message, "invalid map key") {
		offset := max(0, bytes.Index(content, []byte("{{")))
		out := newYAMLError(content, text.NewPositions(content).At(offset), "a key is an object or a list", "put text that begins with { or [ in quotes, "+
			"and lint what a template makes, not the template")
		out.notJSON = true
		return out
	}
	if anchor := yamlAnchor.FindStringSubmatch(message); anchor != nil {
		if offset := bytes.Index(content, []byte("*"+anchor[1])); offset >= 0 {
			out := newYAMLError(content, text.NewPositions(content).At(offset), message, "correct the alias, or write the value out")
			out.anchor = anchor[1]
			return out
		}
	}
	return newYAMLError(content, firstText(content, 1), message, "")
}

func newYAMLError(content []byte, at text.Position, problem, advice string) *YAMLError {
	lines := bytes.SplitAfterN(content, []byte("\n"), at.Line+1)
	line := strings.TrimRight(string(lines[min(at.Line, len(lines))-1]), "\r\n")
	return &YAMLError{At: at, Problem: Problem(problem), Advice: advice, line: line}
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
	colonAgain  = regexp.MustCompile(`: +([^ ]).*:`)
	strangeSign = regexp.MustCompile("^ *(\t)|(?:^|[ \\[{,])([@`%|>])")
	anchorSign  = regexp.MustCompile(`(?:^|[ \[{,])([*&])`)
)

// culprits find what is wrong in a line: the offset, or a negative number if it is not there.
var culprits = map[Problem]func(line string) int{
	ProblemColon:   func(line string) int { return group(colonAgain, line) }, // the value that has a colon
	ProblemSign:    func(line string) int { return group(strangeSign, line) },
	ProblemAnchor:  func(line string) int { return group(anchorSign, line) },
	ProblemMapping: openBracket,
	ProblemList:    openBracket,
}

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
