package dag

import (
	"fmt"
	"strings"

	"github.com/maze-agent/maregister/internal/finding"
)

// The colours of what is wrong, which people tell apart who do not see red and green, and of what is not.
const (
	errorInk, errorPaper     = "#b3261e", "#fdecea"
	warningInk, warningPaper = "#8a5a00", "#fff4d6"
	plainInk, plainPaper     = "#57606a", "#f6f8fa"
)

func colors(severity finding.Severity) (ink, paper string) {
	switch severity {
	case finding.SeverityError:
		return errorInk, errorPaper
	case finding.SeverityWarning:
		return warningInk, warningPaper
	}
	return plainInk, plainPaper
}

var dotEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, `&`, `&amp;`, "\n", `\n`)

// dotText quotes a text for DOT: Graphviz would follow escapes and HTML's entities. Lines are centred.
func dotText(lines ...string) string {
	return `"` + dotEscapes.Replace(strings.Join(lines, "\n")) + `"`
}

// DOT draws the workflow in Graphviz's language, with findings marked. The same workflow and findings give the same bytes.
func (g *Graph) DOT(findings []finding.Finding) string {
	p := g.picture(findings)
	var out strings.Builder
	fmt.Fprintf(&out, "digraph workflow {\n  graph [bgcolor=white, fontname=\"sans-serif\"%s];\n", dotLegend(p))
	fmt.Fprintf(&out, "  node [shape=box, style=\"rounded,filled\", color=%q, fillcolor=%q, fontname=\"monospace\", fontsize=12];\n", plainInk, plainPaper)
	fmt.Fprintf(&out, "  edge [color=%q, fontcolor=%q, fontname=\"monospace\", fontsize=11];\n", plainInk, plainInk)
	for i := range p.nodes {
		id, function := p.label(i)
		lines := []string{id, function}
		style := ""
		if m := &p.nodes[i]; m.severity != "" {
			ink, paper := colors(m.severity)
			lines = append(lines, m.summary())
			style = fmt.Sprintf(", color=%q, fillcolor=%q, penwidth=2.5", ink, paper)
		}
		fmt.Fprintf(&out, "  n%d [label=%s, tooltip=%s%s];\n", i, dotText(lines...), dotText(p.title(i)), style)
	}
	for i := range p.lines {
		l := &p.lines[i]
		lines := textsOf(l.texts())
		var style []string
		if l.order {
			style = append(style, "style=dashed")
		}
		if l.severity != "" {
			ink, _ := colors(l.severity)
			style = append(style, fmt.Sprintf("color=%q, fontcolor=%q, penwidth=2.5", ink, ink))
		}
		if len(lines) > 0 {
			style = append(style, "label="+dotText(lines...))
		}
		if len(l.messages) > 0 {
			style = append(style, "tooltip="+dotText(l.messages...))
		}
		attributes := ""
		if len(style) > 0 {
			attributes = " [" + strings.Join(style, ", ") + "]"
		}
		fmt.Fprintf(&out, "  n%d -> n%d%s;\n", l.from, l.to, attributes)
	}
	out.WriteString("}\n")
	return out.String()
}

func dotLegend(p *picture) string {
	lines := p.legend()
	if len(lines) == 0 {
		return ""
	}
	text := strings.ReplaceAll(dotText(lines...), `\n`, `\l`) // to the left
	return ", labelloc=b, labeljust=l, fontsize=11, label=" + strings.TrimSuffix(text, `"`) + `\l"`
}
