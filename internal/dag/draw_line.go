package dag

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/maze-agent/maregister/internal/finding"
)

// line is all edges from one node to another: one line with several labels.
type line struct {
	from, to int
	labels   []label
	// order says that nothing is handed over.
	order bool
	mark
}

// label tells of an edge.
type label struct {
	text     string
	severity finding.Severity // empty if nothing is wrong with the edge
}

// maxLabels is how many labels are shown of a line.
const maxLabels = 6

// drawn is where an edge is in a picture. label is negative if it has none.
type drawn struct{ line, label int }

// add marks an edge, and the line that it is a part of.
func (d drawn) add(p *picture, f finding.Finding) {
	p.lines[d.line].add(f)
	d.mark(p, f.Severity)
}

func (d drawn) mark(p *picture, severity finding.Severity) {
	if d.label < 0 {
		return
	}
	if l := &p.lines[d.line].labels[d.label]; l.severity != finding.SeverityError {
		l.severity = severity
	}
}

// draw makes the lines, and tells where each edge is.
func (p *picture) draw() []drawn {
	edges := make([]drawn, len(p.graph.Edges))
	between := map[[2]int]int{}
	for i, e := range p.graph.Edges {
		key := [2]int{e.From, e.To}
		at, ok := between[key]
		if !ok {
			at = len(p.lines)
			between[key] = at
			p.lines = append(p.lines, line{from: e.From, to: e.To, order: true})
		}
		l := &p.lines[at]
		edges[i] = drawn{at, -1}
		if e.Output != "" || e.Input != "" {
			l.order = false
			edges[i].label = len(l.labels)
			l.labels = append(l.labels, label{text: labelOf(&e)})
		}
		if e.Fit == FitIncompatible {
			l.addCode(finding.IncompatibleEdge, finding.SeverityError)
			edges[i].mark(p, finding.SeverityError)
		}
	}
	return edges
}

func labelOf(e *Edge) string {
	output := shorten(e.Output, maxLabel)
	if e.Index >= 0 {
		output += fmt.Sprintf("[%d]", e.Index)
	}
	return output + " → " + shorten(e.Input, maxLabel)
}

// sortLabels puts first what is wrong, with a sign if that is not all of the line, and leaves out what is too much.
func (l *line) sortLabels() {
	weight := map[finding.Severity]int{finding.SeverityError: -2, finding.SeverityWarning: -1}
	slices.SortStableFunc(l.labels, func(a, b label) int { return cmp.Compare(weight[a.severity], weight[b.severity]) })
	if hidden := len(l.labels) - maxLabels + 1; hidden > 1 {
		// The worst of those that are left out is the first.
		more := label{fmt.Sprintf("… and %d more", hidden), l.labels[maxLabels-1].severity}
		l.labels = append(l.labels[:maxLabels-1], more)
	}
	for i := range l.labels {
		if label := &l.labels[i]; label.severity != "" && len(l.labels) > 1 {
			label.text = sign(label.severity) + " " + label.text
		}
	}
}

// texts are the labels of a line, and the rules that it breaks.
func (l *line) texts() []label {
	all := slices.Clone(l.labels)
	if codes := l.summary(); codes != "" {
		all = append(all, label{codes, l.severity})
	}
	return all
}

// textsOf are labels without what is wrong with them.
func textsOf(labels []label) []string {
	texts := make([]string, len(labels))
	for i, one := range labels {
		texts[i] = one.text
	}
	return texts
}

// rounds are the cycles of a picture, see markCycles.
type rounds struct {
	// of is the cycle that a node is in, counted from 1.
	of []int
	// nodes and lines are those of each cycle.
	nodes, lines [][]int
}

// markCycles marks what is in a cycle; the finding is at one of its nodes only.
func (p *picture) markCycles() *rounds {
	next, all := make([][]int, len(p.nodes)), make([]bool, len(p.nodes))
	for _, l := range p.lines {
		next[l.from] = append(next[l.from], l.to)
	}
	for i := range all {
		all[i] = true
	}
	r := &rounds{of: make([]int, len(p.nodes)), nodes: components(next, all)}
	r.lines = make([][]int, len(r.nodes))
	for number, members := range r.nodes {
		for _, i := range members {
			r.of[i] = number + 1
			p.nodes[i].addCode(finding.Cycle, finding.SeverityError)
		}
		p.codes = []string{finding.Cycle}
	}
	for i := range p.lines {
		if l := &p.lines[i]; r.of[l.from] > 0 && r.of[l.from] == r.of[l.to] {
			l.addCode(finding.Cycle, finding.SeverityError)
			r.lines[r.of[l.from]-1] = append(r.lines[r.of[l.from]-1], i)
		}
	}
	return r
}

// tellCycle shows the finding of a cycle, which is at one of its nodes, at all that is in it.
func (p *picture) tellCycle(r *rounds, node int, f finding.Finding) {
	number := r.of[node] - 1
	if f.Rule != finding.Cycle || number < 0 {
		return
	}
	for _, i := range r.nodes[number] {
		if i != node {
			p.nodes[i].add(f)
		}
	}
	for _, i := range r.lines[number] {
		p.lines[i].add(f)
	}
}
