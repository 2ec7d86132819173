package jsontree

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/maze-agent/maregister/internal/text"
)

// YAMLSlip returns the mistake for which YAMLToJSON has refused a text in UTF-8. It reports false if it finds none that it knows.
func YAMLSlip(content []byte, refused *YAMLError) (Slip, bool) {
	y := newYAMLText(content, refused)
	for _, look := range []func(*yamlText) (Slip, bool){
		(*yamlText).conflict, (*yamlText).control, (*yamlText).template, (*yamlText).value, (*yamlText).tab, (*yamlText).lookalike, (*yamlText).byProblem,
	} {
		if slip, ok := look(y); ok {
			return slip, true
		}
	}
	return Slip{}, false
}

// Explain returns where a text in UTF-8 is not YAML, and what to do: by YAMLSlip or, of a mistake that it does not know, as the library
// has it. It has no line breaks.
func (e *YAMLError) Explain(content []byte) (text.Position, string) {
	at, problem := e.At, e.Error()
	if slip, ok := YAMLSlip(content, e); ok {
		at, problem = text.NewPositions(content).At(slip.Offset), slip.String()
	}
	return at, strings.Join(strings.Fields(problem), " ")
}

// yamlText is a text that is no YAML.
type yamlText struct {
	content []byte
	refused *YAMLError
	// line is the index of the line that the library tells, which may be behind the mistake; starts are where the lines begin.
	line   int
	starts []int
}

func newYAMLText(content []byte, refused *YAMLError) *yamlText {
	y := &yamlText{content: content, refused: refused, starts: []int{0}}
	for at, b := range content {
		if b == '\n' && at+1 < len(content) {
			y.starts = append(y.starts, at+1)
		}
	}
	y.line = min(max(refused.At.Line-1, 0), len(y.starts)-1)
	return y
}

// maxLine bounds what is looked at of a line.
const maxLine = 4096

// of returns a line without what ends it.
func (y *yamlText) of(line int) string {
	end := len(y.content)
	if line+1 < len(y.starts) {
		end = y.starts[line+1]
	}
	return strings.TrimRight(string(y.content[y.starts[line]:min(end, y.starts[line]+maxLine)]), "\r\n")
}

// above returns the line above another one that is no comment and not blank. It reports false if there is none.
func (y *yamlText) above(line int) (int, bool) {
	for line--; line >= 0; line-- {
		if trimmed := strings.TrimSpace(y.of(line)); trimmed != "" && trimmed[0] != '#' {
			return line, true
		}
	}
	return 0, false
}

// match looks for a pattern in the told line, then in those around it. The slip is where the first group begins that is there.
func (y *yamlText) match(pattern *regexp.Regexp, what, advice string) (Slip, bool) {
	lines := []int{y.line}
	if above, ok := y.above(y.line); ok {
		lines = append(lines, above)
	}
	if y.line+1 < len(y.starts) { // some errors are told a line too early
		lines = append(lines, y.line+1)
	}
	for _, line := range lines {
		if offset := group(pattern, y.of(line)); offset >= 0 {
			return Slip{y.starts[line] + offset, what, advice}, true
		}
	}
	return Slip{}, false
}

var (
	conflictMark = regexp.MustCompile(`(?m)^(<{7} |>{7} |\|{7} )`)
	templateMark = regexp.MustCompile(`\{\{|\{%|<%`)
	tabIndent    = regexp.MustCompile("^ *(?:- +)*(\t)")
	anyTab       = regexp.MustCompile("(\t)")
)

// conflict finds what a version control system has left.
func (y *yamlText) conflict() (Slip, bool) {
	at := conflictMark.FindIndex(y.content)
	if at == nil {
		return Slip{}, false
	}
	return Slip{at[0], "this marks a conflict of git", "decide which of the two versions is right, and remove the marks"}, true
}

// control finds the first character that YAML does not allow.
func (y *yamlText) control() (Slip, bool) {
	at := bytes.IndexFunc(y.content, isControl)
	if at < 0 {
		return Slip{}, false
	}
	r, _ := utf8.DecodeRune(y.content[at:])
	escape := fmt.Sprintf(`\u%04X`, r)
	if r > 0xffff {
		escape = fmt.Sprintf(`\U%08X`, r)
	}
	return Slip{at, fmt.Sprintf("YAML does not allow the character U+%04X", r), `remove it, or write it as the escape ` + escape + ` in a text in "quotes"`}, true
}

// template finds the marks of a template where they explain why the text is no YAML: near to the told line, or where a value begins.
func (y *yamlText) template() (Slip, bool) {
	for _, at := range templateMark.FindAllIndex(y.content, maxMarks) {
		line := y.lineOf(at[0])
		before := strings.TrimSpace(string(y.content[max(y.starts[line], at[0]-maxWord):at[0]]))
		near := line >= y.line-1 && line <= y.line+1
		isValue := before == "" || strings.HasSuffix(before, ":") || strings.HasSuffix(before, "-")
		if !strings.HasPrefix(before, "#") && (isValue || near && !strings.ContainsAny(before, `"'`)) {
			return templateAt(at[0]), true
		}
	}
	return Slip{}, false
}

// maxMarks bounds how many places are looked at.
const maxMarks = 1000

func (y *yamlText) lineOf(offset int) int {
	low, high := 0, len(y.starts)
	for high-low > 1 {
		if middle := (low + high) / 2; y.starts[middle] <= offset {
			low = middle
		} else {
			high = middle
		}
	}
	return low
}

// offsetOf returns the offset of a position in the text.
func (y *yamlText) offsetOf(at text.Position) int {
	if at.Line > len(y.starts) {
		return len(y.content)
	}
	offset := y.starts[max(at.Line-1, 0)]
	for column := 1; column < at.Column && offset < len(y.content); column++ {
		_, size := utf8.DecodeRune(y.content[offset:])
		offset += size
	}
	return offset
}

// value finds what YAML has, and JSON has not: the library has read the text, and could not write it.
func (y *yamlText) value() (Slip, bool) {
	if !y.refused.notJSON {
		return Slip{}, false
	}
	document, _ := ParseYAML(y.content)
	var found *Node
	var walk func(n *Node)
	seen := map[*Node]bool{}
	walk = func(n *Node) {
		if n == nil || found != nil || seen[n] {
			return
		}
		seen[n] = true
		if key := n.YAML.Key; key != nil && (key.Kind == Null || key.Kind == Object || key.Kind == Array) {
			found = key
			return
		}
		if n.Kind == Number && n.YAML.Plain && isInfinite(n.YAML.Text) {
			found = n
			return
		}
		for _, child := range n.Children {
			walk(child)
		}
	}
	walk(document.Root)
	switch {
	case found == nil:
		return Slip{}, false
	case found.Kind == Number:
		return Slip{
			y.offsetOf(found.YAML.At), "JSON, and with it Kubernetes, has no " + found.YAML.Text + ", only numbers that are finite",
			`leave it out if it is a bound; if it is a text, put it in quotes`,
		}, true
	}
	return Slip{
		y.offsetOf(found.YAML.At), "a key is " + found.Kind.String() + ", and keys of Kubernetes are strings",
		`put a key such as null or ~ in quotes; a text that begins with { or [ has to be in quotes, too`,
	}, true
}

// tab finds a tab where YAML has only spaces.
func (y *yamlText) tab() (Slip, bool) {
	pattern := tabIndent
	if y.refused.Problem == problemTab || y.refused.Problem == problemTabIndent {
		pattern = anyTab
	}
	return y.match(pattern, "YAML is indented with spaces, and this is a tab", "write spaces for it")
}

// lookalike finds a character that only looks like one of YAML's, where one of these is missing.
func (y *yamlText) lookalike() (Slip, bool) {
	for line := y.line; line >= 0 && line >= y.line-2; line-- {
		shown := y.of(line)
		if strings.Contains(shown, ": ") && strings.TrimLeft(shown, " ") == strings.TrimLeft(shown, " \u00a0\u3000\u2003") {
			continue
		}
		for at, r := range shown {
			if slip, ok := lookalikeAt(y.starts[line]+at, r); ok {
				return slip, true
			}
		}
	}
	return Slip{}, false
}
