package dag

import (
	"regexp"
	"slices"
	"strings"

	"github.com/maze-agent/maregister/internal/finding"
)

// What follows is for workflows that are to be compiled for Maze. A node that brings code along keeps it, with all that is said of it, so
// Maze's rules hold for that. The others get code that imports the functions of their tasks: package compile writes it.

// checkCompiled reports what cannot be compiled, or what Maze would refuse of the result.
func (m *mazeRules) checkCompiled() {
	if m.form == &mazeV1 {
		m.checkKept()
	}
	for _, n := range m.graph.Nodes {
		if m.form != &mazeV1 && n.ID != "" && !mazeID.MatchString(n.ID) {
			advice := ""
			if other := "_" + n.ID; mazeID.MatchString(other) {
				advice = ", such as " + quote(other)
			}
			m.say(finding.EffectRefused, finding.InvalidNodeID, n.idAt, n, "%s cannot be the id of a node in Maze: it has %s; write another one%s",
				quote(n.ID), mazeIDWords, advice)
		}
		switch {
		case n.ownCode:
			m.checkOwnCode(n)
		case n.garbled && m.form == &agentos:
			m.sayAlike("no arguments", finding.EffectRefused, finding.MalformedDAG, n.at, n,
				`the workflow does not say what the node passes to its task, so it cannot be compiled; write it as {"id": "…", "func": "…", "args": {}}`)
		case m.knows(n):
			m.checkTask(n)
		}
	}
	m.checkOwnOrder()
}

// checkKept judges what a workflow of Maze's own form keeps when it is compiled.
func (m *mazeRules) checkKept() {
	m.byID = map[string]*mazeNode{}
	for i, v := range m.workflow.Member("nodes").Children {
		n := m.checkNode(m.graph.Nodes[i], v)
		m.nodes = append(m.nodes, n)
		switch {
		case n == nil:
		case m.bringsCode(n):
			m.checkOutputs(n)
			m.checkCodeOf(n)
		case n.node.ownCode:
			m.say(finding.EffectRefused, finding.MissingCode, n.at, n.node,
				`"code_str" is empty and counts before "code", so the node brings no code along for Maze; remove "code_str"`)
		}
	}
	m.checkIDs()
	m.checkEdges()
	m.checkRun()
	m.checkContract()
	m.checkFinals()
	m.checkRequest()
}

// checkOwnCode judges a node of the Workbench that has its code in itself. Those of Maze's own form are judged with the rest of it.
func (m *mazeRules) checkOwnCode(n *Node) {
	if m.form != &workbench {
		return
	}
	if len(n.outputs) == 0 {
		m.sayAlike("no outputs", finding.EffectRefused, finding.InvalidOutputs, n.at, n,
			`"outputs" is an array with one output at least, such as {"name": "text", "dataType": "str"}`)
	}
	m.checkOutputNames(n, n.outputs)
	data := n.at.Member("data")
	m.readCode(data.Member("customCode"), n)
	m.checkGPUs(n, data)
}

// entryPointPattern is what an entry point looks like, as the API server has it.
var entryPointPattern = regexp.MustCompile(`^[\pL_][\pL\pN_]*([.][\pL_][\pL\pN_]*)*:[\pL_][\pL\pN_]*([.][\pL_][\pL\pN_]*)*$`)

// checkTask judges whether code can be written that runs a node's task, and whether Maze runs it then.
func (m *mazeRules) checkTask(n *Node) {
	t := m.tasks.byName[n.Func]
	switch {
	case t.EntryPoint == "":
		m.report(finding.NoEntryPoint, n.funcAt, n, "task %s has no entry point, so nothing can import its function; declare it, such as tools.image:image_caption",
			quote(n.Func))
	case !entryPointPattern.MatchString(t.EntryPoint):
		m.report(finding.NoEntryPoint, n.funcAt, n, "the entry point %s of task %s is none; write package.module:function", quote(t.EntryPoint), quote(n.Func))
	}
	if outputs := m.output(n); outputs != nil {
		m.checkOutputNames(n, outputs.Names())
	}
	if m.form == &mazeV1 && hasAny(n.at, ofResources) { // which count instead, and are judged as Maze does
		return
	}
	if kind := string(t.Resources.Type); kind == "gpu" && t.Resources.GPUMem == 0 && m.options.GPUMemory == 0 {
		m.say(finding.EffectNeverScheduled, finding.InvalidResources, n.funcAt, n,
			"task %s does not say how much GPU memory it needs, and Maze never schedules such a node; declare resources.gpuMemory, or give --gpu-mem", quote(n.Func))
	}
	if t.GPUs > 1 {
		m.say(finding.EffectLost, finding.SeveralGPUs, n.funcAt, n,
			"task %s is placed on %d GPUs, and Maze gives a node one; with less than %d MiB free on it, the node waits for ever",
			quote(n.Func), t.GPUs, max(t.Resources.GPUMem, m.options.GPUMemory))
	}
}

// ofResources are the fields in which a node of Maze's own form says what it needs. If it has one, the task's resources do not count.
var ofResources = []string{"task_kind", "resources", "model_anchor"}

// checkOutputNames judges the names of what a node puts out.
func (m *mazeRules) checkOutputNames(n *Node, names []string) {
	at := n.funcAt
	if at == nil {
		at = n.at
	}
	for _, name := range names {
		switch {
		case name == "":
			m.report(finding.InvalidOutputs, at, n, "an output of the node has no name, and Maze refuses that; give it one")
		case strings.Contains(name, "."):
			m.report(finding.InvalidOutputs, at, n, "the output %s has a dot, and Maze would hand None to the nodes that refer to it; rename it", quote(name))
		case slices.Contains(takenOut, name):
			m.report(finding.InvalidOutputs, at, n, "the output %s is one that Maze takes out of what a function returns; rename it", quote(name))
		}
	}
}

// takenOut are the members that Maze keeps for itself.
var takenOut = []string{"__maze_metrics__", "__maze_invocation_task__"}

// checkOwnOrder reports edges that hand nothing over to code of the user's own: in Maze an edge always does, and that code does not know it.
func (m *mazeRules) checkOwnOrder() {
	for _, e := range m.graph.Edges {
		if to := m.graph.Nodes[e.To]; e.Output == "" && e.Input == "" && to.ownCode {
			m.say(finding.EffectRefused, finding.MalformedDAG, e.at, nil,
				"the edge hands nothing over to node %s, whose code does not take what Maze would hand over; wire an input, or remove the edge", quote(to.ID))
		}
	}
}
