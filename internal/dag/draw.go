package dag

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/text"
)

// picture is what all drawings of a workflow show.
type picture struct {
	graph *Graph
	nodes []mark // of the nodes of the graph
	lines []line
	// codes are the rules that are broken, sorted.
	codes []string
	// rest are the findings that are about no node and no edge.
	rest []finding.Finding
}

// mark says what is wrong with a part of a picture.
type mark struct {
	severity finding.Severity // empty if nothing is wrong
	codes    []string         // sorted
	messages []string
}

const (
	// maxMessages is how many messages are told of a part of a picture, and maxMessage how long they may be, in columns.
	maxMessages = 10
	maxMessage  = 600
	// maxLabel is how much of a name is shown, in columns.
	maxLabel = 30
)

func (m *mark) add(f finding.Finding) {
	m.addCode(f.Rule, f.Severity)
	switch len(m.messages) {
	case maxMessages:
		m.messages = append(m.messages, "and more")
	case maxMessages + 1:
	default:
		m.messages = append(m.messages, shorten(f.Rule+" "+f.Message, maxMessage))
	}
}

func (m *mark) addCode(code string, severity finding.Severity) {
	if m.severity != finding.SeverityError {
		m.severity = severity
	}
	if at, found := slices.BinarySearch(m.codes, code); !found {
		m.codes = slices.Insert(m.codes, at, code)
	}
}

// summary names the rules that a part of a picture breaks, with a sign, as not everyone sees colours. Empty if there are none.
func (m *mark) summary() string {
	const most = 4
	switch {
	case len(m.codes) == 0:
		return ""
	case len(m.codes) > most:
		return sign(m.severity) + " " + strings.Join(m.codes[:most], " ") + " …"
	}
	return sign(m.severity) + " " + strings.Join(m.codes, " ")
}

func sign(severity finding.Severity) string {
	if severity == finding.SeverityError {
		return "✖"
	}
	return "!" // a triangle would look like an arrowhead
}

// picture finds out which parts of the workflow findings are about.
func (g *Graph) picture(findings []finding.Finding) *picture {
	p := &picture{graph: g, nodes: make([]mark, len(g.Nodes))}
	edges := p.draw()
	c := p.markCycles()
	byValue, byEdge := map[int]int{}, map[int]int{}
	for i, e := range g.Edges {
		if e.at == nil {
			continue
		}
		byValue[e.at.Start] = i
		if s := g.subjectOf(e.at, nil); s.Edge >= 0 {
			byEdge[s.Edge] = i
		}
	}
	for _, f := range findings {
		if at, ok := slices.BinarySearch(p.codes, f.Rule); !ok {
			p.codes = slices.Insert(p.codes, at, f.Rule)
		}
		s := f.Subject
		if s == nil { // it is not this graph's
			p.rest = append(p.rest, f)
			continue
		}
		at, onLine := byValue[s.Value]
		if !onLine {
			at, onLine = byEdge[s.Edge]
		}
		if onLine {
			edges[at].add(p, f)
		}
		node := s.Node
		switch {
		case node >= 0 && node < len(p.nodes):
			p.nodes[node].add(f)
			p.tellCycle(c, node, f)
		case !onLine:
			p.rest = append(p.rest, f)
		}
	}
	for i := range p.lines {
		p.lines[i].sortLabels()
	}
	return p
}

// label returns what is written into a node: its id and its task.
func (p *picture) label(i int) (id, function string) {
	n := p.graph.Nodes[i]
	id, function = shorten(n.ID, maxLabel), shorten(n.Func, maxLabel)
	if id == "" {
		id = "(no id)"
	}
	if function == "" {
		function = "(no task)"
	}
	return id, function
}

// title tells of a node what there is no room for in it.
func (p *picture) title(i int) string {
	n := p.graph.Nodes[i]
	lines := append([]string{shorten(n.ID, maxMessage) + ": " + shorten(n.Func, maxMessage)}, p.nodes[i].messages...)
	return strings.Join(lines, "\n")
}

// legend explains the rules that are broken.
func (p *picture) legend() []string {
	var all []string
	for _, code := range p.codes {
		rule, _ := finding.Lookup(code)
		all = append(all, fmt.Sprintf("%s %s %s", sign(rule.Severity), code, rule.Name))
	}
	const most = 5
	for _, f := range p.rest[:min(len(p.rest), most)] {
		all = append(all, fmt.Sprintf("%s %s: %s", sign(f.Severity), f.Rule, shorten(f.Message, 2*maxLabel)))
	}
	if len(p.rest) > most {
		all = append(all, fmt.Sprintf("and %d more", len(p.rest)-most))
	}
	return all
}

// shorten returns the beginning of a text, on one line, in which nothing steers the one who shows it: control characters and those
// that change the direction of writing are written out.
func shorten(s string, columns int) string {
	const marks = 8 // on a letter, more than any language has
	var out strings.Builder
	for rest := text.ClipCharacters(s, marks*columns); rest != ""; {
		r, size := utf8.DecodeRuneInString(rest)
		part := rest[:size]
		if r == utf8.RuneError && size <= 1 || !unicode.IsPrint(r) {
			part = strings.Trim(strconv.QuoteToASCII(part), `"`)
		}
		out.WriteString(part)
		rest = rest[size:]
	}
	return text.ClipColumns(out.String(), columns)
}
