package dag

import (
	"slices"
	"strings"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/jsontree"
)

// mazeEdge is an edge as _normalize_edge reads it. The places are where each end is written.
type mazeEdge struct {
	at, from, to                  *jsontree.Node
	source, output, target, input string
}

// checkEdges judges the edges as _normalize_edge and _build_task_inputs do.
func (m *mazeRules) checkEdges() {
	edges := m.workflow.Member("edges")
	if !m.isTrue(edges) {
		return
	}
	if edges.Kind != jsontree.Array {
		m.say(finding.EffectRefused, finding.MalformedDAG, edges, nil, `"edges" is an array of objects, found %s`, edges.Kind)
		return
	}
	for _, v := range edges.Children {
		if e, ok := m.readEdge(v); ok {
			m.connect(e)
		}
	}
	m.checkCycle(edges)
}

// readEdge reads an edge, and reports whether Maze can.
func (m *mazeRules) readEdge(v *jsontree.Node) (mazeEdge, bool) {
	if v.Kind != jsontree.Object {
		m.sayAlike("no edge", finding.EffectRefused, finding.MalformedDAG, v, nil, `an edge is an object such as {"source": "t1", "target": "t2"}, found %s`, v.Kind)
		return mazeEdge{}, false
	}
	e := mazeEdge{at: v, from: v.Member("from"), to: v.Member("to")}
	if e.from != nil && e.to != nil {
		ok := true
		for _, end := range []struct {
			at         *jsontree.Node
			node, port *string
		}{{e.from, &e.source, &e.output}, {e.to, &e.target, &e.input}} {
			var whole bool
			if *end.node, *end.port, whole = cutPort(m.str(end.at)); !whole {
				m.say(finding.EffectRefused, finding.MalformedDAG, end.at, nil, `%q is written "node.port", found %s`, end.at.Name, m.quote(end.at))
				ok = false
			}
		}
		return e, ok
	}
	e.from, e.source = m.end(v, "source", "source_task_id")
	e.to, e.target = m.end(v, "target", "target_task_id")
	_, e.output = m.end(v, "source_output", "output")
	_, e.input = m.end(v, "target_input", "input")
	return e, true
}

// end returns the first of some fields of an edge, and what Maze reads there.
func (m *mazeRules) end(v *jsontree.Node, names ...string) (*jsontree.Node, string) {
	if at := m.first(v, names...); at != nil {
		return at, m.str(at)
	}
	return v, ""
}

// connect makes an edge an input of the node that it leads to, or tells why Maze does not.
func (m *mazeRules) connect(e mazeEdge) {
	source, target := m.byID[e.source], m.byID[e.target]
	for _, end := range []struct {
		node *mazeNode
		at   *jsontree.Node
		id   string
	}{{source, e.from, e.source}, {target, e.to, e.target}} {
		if end.node == nil {
			rule := finding.UnknownNode
			if end.at == e.at { // the reader says so of the edge
				rule = finding.MalformedDAG
			}
			m.say(finding.EffectRefused, rule, end.at, nil, "no node has the id %s%s", quote(end.id), m.didYouMean(end.id, m.ids()))
		}
	}
	if e.output == "" || e.input == "" {
		m.sayAlike("no ports", finding.EffectRefused, finding.MalformedDAG, e.at, nil,
			`the edge does not say which output feeds which input; write {"from": "node.output", "to": "node.input"}`)
		return
	}
	if source == nil || target == nil {
		return
	}
	if source.named && !slices.Contains(source.outputs, e.output) {
		m.say(finding.EffectRefused, finding.UnknownOutput, e.from, target.node, `node %s does not declare the output %s in "outputs", but %s%s`,
			quote(source.id), quote(e.output), list(source.outputs), m.didYouMean(e.output, source.outputs))
	}
	m.wired = append(m.wired, [2]*mazeNode{source, target})
	value := e.source + ".output." + e.output
	existing := target.input(e.input)
	switch {
	case existing != nil && existing.source == inputFromUser && existing.hasValue,
		existing != nil && existing.source == inputFromTask && existing.reference != value && existing.reference != e.source+"."+e.output:
		m.say(finding.EffectRefused, finding.ArgumentGivenTwice, e.to, target.node,
			"the input %s gets a value from this edge and another one at %s; remove one of the two", quote(e.input), m.shown(existing.at))
		return
	case existing != nil && existing.source == inputFromTask:
		existing.ordered, existing.reference = true, value
		return
	}
	target.addInput(&mazeInput{name: e.input, source: inputFromTask, at: e.to, reference: value, hasValue: true, ordered: true})
}

// checkCycle reports a cycle of edges, and that Maze refuses it.
func (m *mazeRules) checkCycle(edges *jsontree.Node) {
	next := make([][]int, len(m.graph.Nodes))
	stuck := make([]bool, len(m.graph.Nodes))
	for _, pair := range m.wired {
		next[pair[0].node.index] = append(next[pair[0].node.index], pair[1].node.index)
	}
	for i := range stuck {
		stuck[i] = true
	}
	if len(components(next, stuck)) == 0 {
		return
	}
	told := false
	for i := range m.found {
		if m.found[i].Rule == finding.Cycle {
			m.found[i].Subject.Effect = finding.EffectRefused
			told = true
		}
	}
	if !told {
		m.say(finding.EffectRefused, finding.Cycle, edges, nil, "the edges lead in a circle, and Maze refuses that; remove one of them")
	}
}

// checkReferences looks for references that Maze does not order: without an edge, both nodes start at once. One that is written in
// full is found if the other node has ended by then, over other edges.
func (m *mazeRules) checkReferences() {
	for _, n := range m.nodes {
		if n == nil {
			continue
		}
		for _, i := range n.inputs {
			if _, told := m.told[place{finding.MisreadValue, i.at.Pointer()}]; i.source != inputFromTask || i.ordered || told {
				continue
			}
			id, output, full := fullReference(i.reference)
			source := m.byID[id]
			if full && source != nil && m.isBefore(source, n) {
				continue
			}
			advice := `{"from": "node.output", "to": "node.input"}`
			if short, port, ok := cutPort(i.reference); ok && !full {
				id, output = short, port
			}
			if at := m.firstMember(i.at, "from", "value"); id != "" && m.byID[id] == nil && at != nil {
				m.say(finding.EffectFails, finding.UnknownNode, at, n.node, "no node has the id %s%s", quote(id), m.didYouMean(id, m.ids()))
				continue
			}
			if id != "" && output != "" {
				advice = `{"source_task_id": ` + quote(id) + `, "source_output": ` + quote(output) +
					`, "target_task_id": ` + quote(n.id) + `, "target_input": ` + quote(i.name) + "}"
			}
			m.sayAlike("unordered", finding.EffectFails, finding.UnorderedReference, i.at, n.node,
				"no edge brings %s to the input %s, and in Maze only edges make a node wait; add the edge %s", quote(i.reference), quote(i.name), advice)
		}
	}
}

// fullReference takes apart "node.output.key" as Maze does, which ignores what is in the middle and what follows.
func fullReference(reference string) (id, output string, ok bool) {
	const parts = 3
	all := strings.Split(reference, ".")
	if len(all) < parts {
		return "", "", false
	}
	return all[0], all[2], true
}

// maxWaits bounds how many edges are followed to see what is before a node. Beyond, nothing is told.
const maxWaits = 5_000_000

// isBefore reports whether edges make a node end before another one begins.
func (m *mazeRules) isBefore(earlier, later *mazeNode) bool {
	m.indexWires()
	seen := map[*mazeNode]bool{}
	for queue := []*mazeNode{later}; len(queue) > 0; queue = queue[1:] {
		for _, source := range m.sources[queue[0]] {
			if m.waits++; source == earlier || m.waits > maxWaits {
				return true
			}
			if !seen[source] {
				seen[source] = true
				queue = append(queue, source)
			}
		}
	}
	return false
}

// indexWires notes what each node waits for, once.
func (m *mazeRules) indexWires() {
	if m.sources != nil {
		return
	}
	m.sources = map[*mazeNode][]*mazeNode{}
	for _, pair := range m.wired {
		m.sources[pair[1]] = append(m.sources[pair[1]], pair[0])
	}
}
