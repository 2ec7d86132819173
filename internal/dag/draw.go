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
	c := p.markCircles()
	byPointer, byEdge := map[string]int{}, map[string]int{}
	for i, e := range g.Edges {
		if e.at == nil {
			continue
		}
		pointer := e.at.Pointer()
		byPointer[pointer] = i
		if edge := element(pointer, "edges"); edge >= 0 {
			byEdge[strconv.Itoa(edge)] = i
		}
	}
	byObject := map[string]int{}
	for i := len(g.Nodes) - 1; i >= 0; i-- {
		byObject["node "+quote(g.Nodes[i].ID)] = i
	}
	for _, f := range findings {
		if at, ok := slices.BinarySearch(p.codes, f.Rule); !ok {
			p.codes = slices.Insert(p.codes, at, f.Rule)
		}
		at, onLine := byPointer[f.Pointer]
		if !onLine {
			at, onLine = byEdge[strconv.Itoa(element(f.Pointer, "edges"))]
		}
		if onLine {
			edges[at].add(p, f)
		}
		node := element(f.Pointer, "nodes")
		if i, ok := byObject[f.Object]; ok && node < 0 {
			node = i
		}
		switch {
		case node >= 0 && node < len(p.nodes):
			p.nodes[node].add(f)
			p.tellCircle(c, node, f)
		case !onLine:
			p.rest = append(p.rest, f)
		}
	}
	for i := range p.lines {
		p.lines[i].sortLabels()
	}
	return p
}

// element gives the index of the item of an array at the root that a pointer leads into. Negative if it leads elsewhere.
func element(pointer, array string) int {
	rest, ok := strings.CutPrefix(pointer, "/"+array+"/")
	if !ok {
		return -1
	}
	index, _, _ := strings.Cut(rest, "/")
	i, err := strconv.Atoi(index)
	if err != nil {
		return -1
	}
	return i
}

// label gives what is written into a node: its id and its task.
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
