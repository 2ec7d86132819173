package dag

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/maze-agent/maregister/internal/finding"
)

// mermaidText quotes a text for Mermaid, which reads HTML and Markdown in it: all but letters, digits and some signs are entities.
func mermaidText(lines ...string) string {
	var out strings.Builder
	out.WriteByte('"')
	for i, line := range lines {
		if i > 0 {
			out.WriteString("<br/>")
		}
		for _, r := range line {
			if r >= utf8.RuneSelf || r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || strings.ContainsRune(" _-.,:/()", r) {
				out.WriteRune(r)
			} else {
				fmt.Fprintf(&out, "#%d;", r)
			}
		}
	}
	out.WriteByte('"')
	return out.String()
}

// Mermaid draws the workflow in Mermaid's language, with findings marked. The same workflow and findings give the same bytes.
func (g *Graph) Mermaid(findings []finding.Finding) string {
	p := g.picture(findings)
	var out, notes strings.Builder
	out.WriteString("flowchart TD\n")
	note := func(name string, m *mark) {
		for _, message := range m.messages {
			// A brace behind the signs of a comment would make it a directive.
			fmt.Fprintf(&notes, "  %%%% %s: %s\n", name, strings.NewReplacer("{", "(", "}", ")").Replace(message))
		}
	}
	classes := map[finding.Severity][]string{}
	for i := range p.nodes {
		id, function := p.label(i)
		lines := []string{id, function}
		if m := &p.nodes[i]; m.severity != "" {
			lines = append(lines, m.summary())
			classes[m.severity] = append(classes[m.severity], fmt.Sprintf("n%d", i))
			note(fmt.Sprintf("n%d", i), m)
		}
		fmt.Fprintf(&out, "  n%d[%s]\n", i, mermaidText(lines...))
	}
	styles := map[finding.Severity][]string{}
	for i := range p.lines {
		l := &p.lines[i]
		lines := textsOf(l.texts())
		if l.severity != "" {
			styles[l.severity] = append(styles[l.severity], fmt.Sprint(i))
			note(fmt.Sprintf("n%d to n%d", l.from, l.to), &l.mark)
		}
		arrow := "-->"
		if l.order {
			arrow = "-.->"
		}
		if len(lines) > 0 {
			arrow += "|" + mermaidText(lines...) + "|"
		}
		fmt.Fprintf(&out, "  n%d %s n%d\n", l.from, arrow, l.to)
	}
	if lines := p.legend(); len(lines) > 0 {
		fmt.Fprintf(&out, "  legend[%s]\n  style legend fill:none,stroke:none,text-align:left\n", mermaidText(lines...))
	}
	for _, severity := range []finding.Severity{finding.SeverityError, finding.SeverityWarning} {
		ink, paper := colors(severity)
		if all := classes[severity]; len(all) > 0 {
			fmt.Fprintf(&out, "  classDef %s fill:%s,stroke:%s,stroke-width:3px,color:#1f2328\n  class %s %s\n", severity, paper, ink, strings.Join(all, ","), severity)
		}
		if all := styles[severity]; len(all) > 0 {
			fmt.Fprintf(&out, "  linkStyle %s stroke:%s,stroke-width:3px\n", strings.Join(all, ","), ink)
		}
	}
	return out.String() + notes.String()
}
