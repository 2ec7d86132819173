package dag

import (
	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/jsontree"
)

// checkCode judges the code of all nodes. A workflow without any is one mistake.
func (m *mazeRules) checkCode() {
	var without []*mazeNode
	with := 0
	for _, n := range m.nodes {
		switch {
		case n == nil:
		case !m.bringsCode(n):
			without = append(without, n)
		default:
			with++
			m.checkOutputs(n)
			m.checkCodeOf(n)
		}
	}
	const compile = `have "dag compile" write it, or check for --target registry if something else runs the workflow`
	if with == 0 && len(without) > 1 {
		m.say(finding.EffectRefused, finding.MissingCode, m.workflow.Member("nodes"), nil,
			"none of the %d nodes brings code along, in \"code\", \"code_str\" or \"code_ser\", and Maze runs nothing else; "+compile, len(without))
		return
	}
	for _, n := range without {
		m.checkOutputs(n)
		m.sayAlike("no code", finding.EffectRefused, finding.MissingCode, n.at, n.node,
			"the node brings no code along, in \"code\", \"code_str\" or \"code_ser\", and Maze runs nothing else; "+compile)
	}
}

// bringsCode reports whether Maze finds code in a node.
func (m *mazeRules) bringsCode(n *mazeNode) bool {
	return m.first(n.at, "code_ser") != nil || m.isTrue(codeOf(n.at))
}

// checkCodeOf judges the code of a node that has some.
func (m *mazeRules) checkCodeOf(n *mazeNode) {
	if binary := n.at.Member("code_ser"); binary != nil && binary.Kind != jsontree.Null {
		if m.text(binary) == "" {
			m.say(finding.EffectFails, finding.UnrunnableCode, binary, n.node, `"code_ser" counts before "code_str", and this is no pickled function; leave it out`)
		}
		return
	}
	code := codeOf(n.at)
	if code.Kind != jsontree.Text {
		m.say(finding.EffectFails, finding.UnrunnableCode, code, n.node, "the code of a node is a string, found %s", code.Kind)
		return
	}
	m.readCode(code, n.node)
}

// readCode judges the Python code of a node.
func (m *mazeRules) readCode(code *jsontree.Node, n *Node) {
	if m.code == nil {
		return
	}
	if fault := m.code.Fault(m.text(code), n.Func); fault != "" {
		m.say(finding.EffectFails, finding.UnrunnableCode, code, n, "%s", fault)
	}
}
