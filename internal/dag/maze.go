package dag

import (
	"slices"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/jsontree"
)

// What Maze does with a workflow is worked out from the rules of its code at commit 5643670. docs/dag.md has them as a table, each
// with its place in Maze's code. They are apart from what is read and checked for all targets: they look at the document as Maze does,
// which converts where this package judges. Where both find the same, it is told once.

// checkTarget reports what Maze refuses, or cannot run, of a workflow that is for Maze.
func (c *checker) checkTarget() {
	if c.workflow == nil || !c.isForMaze() {
		return
	}
	if c.form == nil { // it could not be read at all
		for i := range c.found {
			c.found[i].Subject.Effect = finding.EffectRefused
		}
		return
	}
	m := &mazeRules{checker: c, told: map[place]int{}}
	if c.options.ReadCode != nil {
		m.code = c.options.ReadCode()
	}
	for i, f := range c.found {
		m.told[place{f.Rule, f.Pointer}] = i
	}
	switch {
	case c.options.Target == TargetCompiled:
		m.checkCompiled()
	case c.form == &mazeV1:
		m.checkWorkflow()
	case c.form == &workbench:
		m.checkWorkbench()
	default:
		if schema := c.schema(); c.text(schema) == workflowV1 { // it is told that the nodes are others
			m.say(finding.EffectRefused, finding.MalformedDAG, schema, nil, "the nodes are not written as %q has them", workflowV1)
			return
		}
		m.say(finding.EffectRefused, finding.MissingCode, c.workflow, nil,
			"Maze takes only %s, whose nodes bring code along, and this is written as in %s; have \"dag compile\" make it of this, or check for --target registry",
			workflowV1, c.form.name)
	}
}

// isForMaze reports whether Maze's rules count.
func (c *checker) isForMaze() bool {
	switch c.options.Target {
	case TargetRegistry:
		return false
	case TargetMaze, TargetCompiled:
		return true
	}
	return c.isMazes()
}

// place is a rule and a JSON pointer.
type place struct{ rule, pointer string }

// mazeRules is one look at a workflow as Maze's validator has it.
type mazeRules struct {
	*checker
	// told are the findings that there are, by place.
	told  map[place]int
	nodes []*mazeNode
	byID  map[string]*mazeNode
	// wired are the pairs of nodes that an edge orders.
	wired [][2]*mazeNode
	// sources are the nodes that each one waits for by wired. Nil until that is asked for.
	sources map[*mazeNode][]*mazeNode
	// waits is how many of them were followed.
	waits int
	// code reads the code of the nodes. Nil if none is to be looked at.
	code CodeReader
}

// mazeNode is a node as Maze's validator makes it.
type mazeNode struct {
	at   *jsontree.Node
	node *Node
	id   string
	// inputs are in the order of the file; edges add to them.
	inputs  []*mazeInput
	byInput map[string]*mazeInput
	outputs []string
	// named says that outputs are those that Maze would know: it did not refuse them.
	named bool
}

// mazeInput is an input as Maze's validator makes it.
type mazeInput struct {
	name, source string
	at           *jsontree.Node
	// value is what an input from the run holds, and reference what one from a node does.
	value     *jsontree.Node
	reference string
	hasValue  bool
	// ordered says that an edge has come.
	ordered bool
}

// say tells what Maze does with a value. Where the rule was told of the same value before, only what Maze does is added.
func (m *mazeRules) say(effect finding.Effect, rule string, v *jsontree.Node, n *Node, format string, args ...any) {
	at := place{rule, v.Pointer()}
	if i, ok := m.told[at]; ok {
		if effect == finding.EffectRefused || m.found[i].Subject.Effect == "" {
			m.found[i].Subject.Effect = effect
		}
		return
	}
	m.report(rule, v, n, format, args...)
	m.told[at] = len(m.found) - 1
	m.effect(effect)
}

// sayAlike is say for what many nodes may have in common.
func (m *mazeRules) sayAlike(cause string, effect finding.Effect, rule string, v *jsontree.Node, n *Node, format string, args ...any) {
	if _, ok := m.told[place{rule, v.Pointer()}]; ok {
		m.say(effect, rule, v, n, format, args...)
		return
	}
	if m.isAlike(cause) {
		m.say(effect, rule, v, n, format, args...)
		m.noteAlike(cause)
	}
}

// checkWorkflow goes through a payload in the order of Maze's dag_spec_from_payload, and of what its API does with the result.
func (m *mazeRules) checkWorkflow() {
	nodes := m.workflow.Member("nodes")
	if nodes.Kind != jsontree.Array || len(nodes.Children) == 0 {
		m.say(finding.EffectRefused, finding.MalformedDAG, nodes, nil, `Maze needs "nodes" to be an array that is not empty; write each node with its "id"`)
		if nodes.Kind != jsontree.Object {
			return
		}
	}
	m.byID = map[string]*mazeNode{}
	for i, v := range nodes.Children {
		m.nodes = append(m.nodes, m.checkNode(m.graph.Nodes[i], v))
	}
	m.checkCode()
	m.checkIDs()
	m.checkEdges()
	m.checkReferences()
	m.checkRun()
	m.checkContract()
	m.checkFinals()
	m.checkRequest()
}

// checkIDs looks for nodes of one id, as Maze reads ids: without white space around them.
func (m *mazeRules) checkIDs() {
	for _, n := range m.nodes {
		if n == nil || n.id == "" {
			continue
		}
		if other := m.byID[n.id]; other != nil {
			m.say(finding.EffectRefused, finding.DuplicateNodeID, n.at.Member("id"), n.node, "the node at %s has the same id; give one of the two another id",
				m.shown(other.at))
			continue
		}
		m.byID[n.id] = n
	}
}

// input returns an input of a node. Nil if there is none.
func (n *mazeNode) input(name string) *mazeInput { return n.byInput[name] }

func (n *mazeNode) addInput(i *mazeInput) {
	if n.byInput == nil {
		n.byInput = map[string]*mazeInput{}
	}
	if n.byInput[i.name] == nil {
		n.inputs = append(n.inputs, i)
	} else {
		n.inputs[slices.Index(n.inputs, n.byInput[i.name])] = i
	}
	n.byInput[i.name] = i
}

// mustBeObject tells that a value which is neither an object nor empty is refused. It reports whether the value is to be read.
func (m *mazeRules) mustBeObject(rule string, v *jsontree.Node, n *Node, what string) bool {
	if v == nil || v.Kind == jsontree.Object {
		return v != nil
	}
	if m.isTrue(v) {
		m.say(finding.EffectRefused, rule, v, n, "%s is an object, found %s", what, v.Kind)
	}
	return false
}

// mustBeNumber tells that a value which Python cannot make a number of is refused.
func (m *mazeRules) mustBeNumber(v *jsontree.Node, n *Node, whole bool) {
	if v == nil || v.Kind == jsontree.Null {
		return
	}
	_, ok := m.float(v)
	kind := "a number"
	if whole {
		ok, kind = m.isInt(v), "a whole number"
	}
	if !ok {
		m.say(finding.EffectRefused, finding.InvalidSetting, v, n, "%q is %s, found %s", v.Name, kind, m.quote(v))
	}
}
