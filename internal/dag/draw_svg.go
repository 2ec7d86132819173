package dag

import (
	"fmt"
	"html"
	"strings"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/text"
)

const (
	lineHeight = 17
	padding    = 10
	margin     = 16
	// loopWidth is the room for a line from a node to itself.
	loopWidth = 26
	// columnWidth is the width of a column of a monospaced font of 12 pixels, in tenths of a pixel.
	columnWidth = 73
)

const svgStyle = `<style>
text { font: 12px ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; fill: #1f2328; white-space: pre }
.id { font-weight: bold }
.node rect { fill: ` + plainPaper + `; stroke: ` + plainInk + ` }
.line path { fill: none; stroke: ` + plainInk + `; stroke-width: 1.3; color: ` + plainInk + ` }
.line text, .legend { fill: #424a53; font-size: 11px }
.order path { stroke-dasharray: 5 4 }
.error rect { fill: ` + errorPaper + `; stroke: ` + errorInk + `; stroke-width: 3 }
.warning rect { fill: ` + warningPaper + `; stroke: ` + warningInk + `; stroke-width: 3 }
.error path { stroke: ` + errorInk + `; stroke-width: 3 }
.warning path { stroke: ` + warningInk + `; stroke-width: 3 }
.error .codes, .line text.error { fill: ` + errorInk + `; font-weight: bold }
.warning .codes, .line text.warning { fill: ` + warningInk + `; font-weight: bold }
</style>
<defs><marker id="arrow" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse" orient="auto-start-reverse">` +
	`<path d="M0 0L10 5L0 10z" fill="#24292f" stroke="none"/></marker></defs>
`

// svgText escapes a text for XML. It is clean of what XML cannot have already.
func svgText(s string) string { return html.EscapeString(s) }

func pixels(columns int) int { return columns * columnWidth / 10 }

// widest is the width of the widest of some lines, in pixels.
func widest(lines []string) int {
	most := 0
	for _, l := range lines {
		most = max(most, pixels(text.Columns(l)))
	}
	return most
}

// SVG draws the workflow, with findings marked. It brings its own background, so that it can be read on any. The same workflow and
// findings give the same bytes.
func (g *Graph) SVG(findings []finding.Finding) string {
	p := g.picture(findings)
	nodes, nodeTexts := make([]point, len(p.nodes)), make([][]string, len(p.nodes))
	for i := range p.nodes {
		id, function := p.label(i)
		nodeTexts[i] = []string{id, function}
		if codes := p.nodes[i].summary(); codes != "" {
			nodeTexts[i] = append(nodeTexts[i], codes)
		}
		half := widest(nodeTexts[i])/2 + padding
		nodes[i] = point{left: half, right: half, height: len(nodeTexts[i])*lineHeight + padding}
	}
	rooms, lineTexts := make([]point, len(p.lines)), make([][]label, len(p.lines))
	for i := range p.lines {
		l := &p.lines[i]
		lineTexts[i] = l.texts()
		rooms[i] = point{left: padding / 2, right: widest(textsOf(lineTexts[i])) + padding, height: max(len(lineTexts[i]), 1) * lineHeight}
		if l.from == l.to {
			nodes[l.from].right += loopWidth + rooms[i].right
		}
	}
	s := &svg{picture: p, layout: &layout{}, nodeTexts: nodeTexts, lineTexts: lineTexts}
	if len(nodes) > 0 {
		s.layout = arrange(nodes, p.lines, rooms)
	}
	return s.draw()
}

// svg is a picture that is laid out.
type svg struct {
	*picture
	*layout
	nodeTexts [][]string
	lineTexts [][]label
	out       strings.Builder
}

func (s *svg) draw() string {
	legend := s.legend()
	width := max(s.width, widest(legend)) + 2*margin
	height := s.height + 2*margin
	if len(legend) > 0 {
		height += margin + len(legend)*lineHeight
	}
	fmt.Fprintf(&s.out, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" role="img">`+"\n", width, height, width, height)
	fmt.Fprintf(&s.out, "<title>A workflow of %d nodes</title>\n%s", len(s.nodes), svgStyle)
	fmt.Fprintf(&s.out, `<rect width="%d" height="%d" rx="6" fill="#ffffff"/>`+"\n", width, height)
	fmt.Fprintf(&s.out, `<g transform="translate(%d %d)">`+"\n", margin, margin)
	for i := range s.lines {
		s.line(i)
	}
	for i := range s.nodes {
		s.node(i)
	}
	s.out.WriteString("</g>\n")
	for i, entry := range legend {
		fmt.Fprintf(&s.out, `<text class="legend" x="%d" y="%d">%s</text>`+"\n", margin, s.height+3*margin+i*lineHeight, svgText(entry))
	}
	s.out.WriteString("</svg>\n")
	return s.out.String()
}

func (s *svg) node(i int) {
	at, m := &s.points[i], &s.nodes[i]
	half := widest(s.nodeTexts[i])/2 + padding
	fmt.Fprintf(&s.out, `<g class="%s"><title>%s</title><rect x="%d" y="%d" width="%d" height="%d" rx="5"/>`,
		strings.TrimSpace("node "+string(m.severity)), svgText(s.title(i)), at.x-half, at.y, 2*half, at.height)
	for k, line := range s.nodeTexts[i] {
		class := []string{"id", "task", "codes"}[k]
		fmt.Fprintf(&s.out, `<text class="%s" x="%d" y="%d" text-anchor="middle">%s</text>`, class, at.x, at.y+padding/2+(k+1)*lineHeight-4, svgText(line))
	}
	s.out.WriteString("</g>\n")
}

func (s *svg) line(i int) {
	l, r := &s.lines[i], &s.routes[i]
	class := "line"
	if l.order {
		class += " order"
	}
	title := ""
	if len(l.messages) > 0 {
		title = "<title>" + svgText(strings.Join(l.messages, "\n")) + "</title>"
	}
	fmt.Fprintf(&s.out, `<g class="%s">%s`, strings.TrimSpace(class+" "+string(l.severity)), title)
	path, x, y := s.path(r), 0, 0
	marker := "end"
	if len(r.points) == 0 {
		path, x, y = s.loop(l)
	} else {
		label := &s.points[r.points[1]]
		x, y = label.x+padding/2, label.y
		if r.upwards {
			marker = "start"
		}
	}
	fmt.Fprintf(&s.out, `<path d="%s" marker-%s="url(#arrow)"/>`, path, marker)
	for k, one := range s.lineTexts[i] {
		class := ""
		if one.severity != "" {
			class = fmt.Sprintf(` class="%s"`, one.severity)
		}
		fmt.Fprintf(&s.out, `<text%s x="%d" y="%d">%s</text>`, class, x, y+(k+1)*lineHeight-5, svgText(one.text))
	}
	s.out.WriteString("</g>\n")
}

// path leads from the lower side of the first point, through the others, to the upper side of the last one.
func (s *svg) path(r *route) string {
	var out strings.Builder
	x, y := 0, 0
	for k, i := range r.points {
		p := &s.points[i]
		switch {
		case k == 0:
			x, y = p.x, p.y+p.height
			fmt.Fprintf(&out, "M%d %d", x, y)
			continue
		case x == p.x:
			fmt.Fprintf(&out, "V%d", p.y)
		default:
			middle := (y + p.y) / 2
			fmt.Fprintf(&out, "C%d %d %d %d %d %d", x, middle, p.x, middle, p.x, p.y)
		}
		x, y = p.x, p.y
		if k < len(r.points)-1 && p.height > 0 {
			y += p.height
			fmt.Fprintf(&out, "V%d", y)
		}
	}
	return out.String()
}

// loop leads from the right side of a node back to it, and says where there is room for labels.
func (s *svg) loop(l *line) (path string, x, y int) {
	p := &s.points[l.from]
	right := p.x + widest(s.nodeTexts[l.from])/2 + padding
	upper, lower := p.y+p.height/4, p.y+p.height*3/4
	path = fmt.Sprintf("M%d %dC%d %d %d %d %d %d", right, lower, right+loopWidth, lower, right+loopWidth, upper, right, upper)
	return path, right + loopWidth, p.y
}
