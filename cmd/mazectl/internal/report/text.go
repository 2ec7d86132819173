package report

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/finding"
)

// writeConcise writes a line a finding: file:line:column: CODE [severity] message.
func writeConcise(w io.Writer, t terminal.Terminal, findings []finding.Finding, _ func(string) []byte) error {
	for _, f := range findings {
		fmt.Fprintln(w, headline(t, f))
	}
	return nil
}

func headline(t terminal.Terminal, f finding.Finding) string {
	at, rule := t.Paint(terminal.Bold, Where(f.File, f.Position)), Paint(t, f.Severity, terminal.Plain(f.Rule))
	return fmt.Sprintf("%s: %s [%s] %s", at, rule, f.Severity, terminal.Plain(f.Message))
}

// Where returns a place as compilers write it: file:line:column.
func Where(file string, at finding.Position) string {
	if at == (finding.Position{}) {
		return terminal.Plain(file)
	}
	return fmt.Sprintf("%s:%d:%d", terminal.Plain(file), at.Line, at.Column)
}

// writeFull writes the line of the source below each finding, and the other places that it is about.
func writeFull(w io.Writer, t terminal.Terminal, findings []finding.Finding, source func(string) []byte) error {
	lines := sourceLines{source: source, files: map[string][]string{}}
	for _, f := range findings {
		fmt.Fprintln(w, headline(t, f))
		if line := lines.measured(f.File, f.Position.Line); line != nil {
			fmt.Fprint(w, excerpt(t, line, f.Position))
		}
		for _, related := range f.Related {
			fmt.Fprintf(w, "  = %s: %s\n", Where(related.File, related.Position), terminal.Plain(related.Message))
		}
		fmt.Fprintln(w)
	}
	return nil
}

// sourceLines returns lines of files, which it takes apart once.
type sourceLines struct {
	source func(string) []byte
	files  map[string][]string
	// last is the line that was asked for last, of lastFile: findings are in the order of the lines.
	last     *measuredLine
	lastFile string
}

// measuredLine is a line whose columns are counted: one of megabytes may have a thousand findings.
type measuredLine struct {
	number int
	text   []rune
	// columns are how many columns the first so many characters take.
	columns []int
}

// measured returns a line that is not blank. It is nil if there is none of that number.
func (s *sourceLines) measured(file string, number int) *measuredLine {
	if s.last != nil && s.lastFile == file && s.last.number == number {
		return s.last
	}
	text, ok := s.line(file, number)
	if !ok {
		return nil
	}
	line := measure(number, text)
	s.last, s.lastFile = line, file
	return line
}

func (s *sourceLines) line(file string, number int) (string, bool) {
	lines, ok := s.files[file]
	if !ok {
		content := strings.TrimPrefix(string(s.source(file)), "\ufeff")
		lines = strings.Split(content, "\n")
		s.files[file] = lines
	}
	if number < 1 || number > len(lines) {
		return "", false
	}
	text := strings.TrimSuffix(lines[number-1], "\r")
	return text, strings.TrimSpace(text) != ""
}

func measure(number int, text string) *measuredLine {
	line := &measuredLine{number: number, text: []rune(text)}
	line.columns = make([]int, len(line.text)+1)
	for i := range line.text {
		line.columns[i+1] = line.columns[i] + terminal.Columns(line.text[i:i+1])
	}
	return line
}

// excerpt shows a line with a caret below the character that a finding is about.
func excerpt(t terminal.Terminal, line *measuredLine, at finding.Position) string {
	number := strconv.Itoa(at.Line)
	margin := strings.Repeat(" ", len(number))
	shown, column := line.window(at.Column-1, t.Width-len(number)-len("  | "))
	return fmt.Sprintf(" %s |\n %s | %s\n %s | %s%s\n", margin, number, shown, margin, strings.Repeat(" ", column), t.Paint(terminal.Red, "^"))
}

// window cuts from a line what fits into a width around one of its characters, and tells in which column that is. It looks at no more
// than what it cuts.
func (l *measuredLine) window(character, columns int) (string, int) {
	const before, ellipsis = 3, "…"
	character = min(max(character, 0), len(l.text))
	begin := 0
	if l.columns[character] > columns*2/before {
		begin = character
		for begin > 0 && l.columns[character]-l.columns[begin-1] < columns/before {
			begin--
		}
	}
	prefix := ""
	if begin > 0 {
		prefix = ellipsis
	}
	end, used := begin, len([]rune(prefix))
	for end < len(l.text) && used+l.columns[end+1]-l.columns[end] < columns {
		used += l.columns[end+1] - l.columns[end]
		end++
	}
	suffix := ""
	if end < len(l.text) {
		suffix = ellipsis
	}
	return prefix + terminal.Printable(l.text[begin:end]) + suffix, len([]rune(prefix)) + l.columns[character] - l.columns[begin]
}
