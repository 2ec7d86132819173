package dag

import (
	"slices"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/jsontree"
)

// checkWorkbench judges a workflow of the Workbench as its compileWorkflowToDagSpec does, which makes of it what Maze's API takes. The
// code of the tasks is in files, and is not looked for.
func (m *mazeRules) checkWorkbench() {
	edges := m.workflow.Member("edges")
	if edges == nil || edges.Kind != jsontree.Array {
		at := edges
		if at == nil {
			at = m.workflow
		}
		m.say(finding.EffectRefused, finding.MalformedDAG, at, nil, `a workflow of the Workbench has "edges", an array; write "edges": [] if there are none`)
	}
	for i := range m.found { // what cannot be read is refused, and so is what leads nowhere
		if slices.Contains([]string{finding.MalformedDAG, finding.InvalidNodeID, finding.DuplicateNodeID, finding.UnknownNode,
			finding.ArgumentGivenTwice, finding.Cycle}, m.found[i].Rule) {
			m.found[i].Subject.Effect = finding.EffectRefused
		}
	}
	for _, n := range m.graph.Nodes {
		if data := n.at.Member("data"); data != nil && data.Kind == jsontree.Object {
			m.checkWorkbenchNode(n, data)
		}
	}
	m.checkDrawn()
}

// checkWorkbenchNode judges what a node says of itself.
func (m *mazeRules) checkWorkbenchNode(n *Node, data *jsontree.Node) {
	if configured := data.Member("configured"); configured == nil || configured.Kind != jsontree.True {
		at := configured
		if at == nil {
			at = data
		}
		m.sayAlike("not configured", finding.EffectRefused, finding.InvalidSetting, at, n,
			`the node is not configured; open it in the Workbench, or write "configured": true`)
	}
	if category := data.Member("category"); !slices.Contains([]string{"builtin", "custom", "workspace"}, m.text(category)) {
		at := category
		if at == nil {
			at = data
		}
		m.sayAlike("no category", finding.EffectRefused, finding.MalformedDAG, at, n,
			`the "category" of a node is "builtin", "custom" or "workspace", found %s`, m.quote(category))
	}
	outputs := data.Member("outputs")
	if len(n.outputs) == 0 {
		at := outputs
		if at == nil {
			at = data
		}
		m.sayAlike("no outputs", finding.EffectRefused, finding.InvalidOutputs, at, n,
			`"outputs" is an array with one output at least, such as {"name": "text", "dataType": "str"}`)
	}
	seen := map[string]bool{}
	if outputs != nil && outputs.Kind == jsontree.Array {
		for _, v := range outputs.Children {
			name := m.text(v.Member("name"))
			if seen[name] {
				m.say(finding.EffectRefused, finding.InvalidOutputs, v, n, "the output %s is declared twice; remove one of the two", quote(name))
			}
			seen[name] = true
		}
	}
	for i := range n.arguments {
		r := n.arguments[i].reference
		if r == nil {
			continue
		}
		if from, ok := m.graph.find(r.node); ok && !slices.Contains(m.graph.Nodes[from].outputs, r.output) {
			m.say(finding.EffectRefused, finding.UnknownOutput, r.at, n, `node %s does not declare the output %s in "outputs", but %s`,
				quote(r.node), quote(r.output), list(m.graph.Nodes[from].outputs))
		}
	}
	if kind := data.Member("task_kind"); kind != nil && kind.Kind != jsontree.Null && !slices.Contains(kinds, m.text(kind)) {
		m.say(finding.EffectRefused, finding.InvalidResources, kind, n, "Maze has no tasks of the kind %s, but cpu, gpu, io; write one of these", m.quote(kind))
	}
	m.checkGPUs(n, data)
}

// checkGPUs judges what a node of the Workbench asks for.
func (m *mazeRules) checkGPUs(n *Node, data *jsontree.Node) {
	resources := data.Member("resources")
	for _, name := range []string{"cpu_num", "gpu_mem", "io_num"} {
		if at := resources.Member(name); at != nil {
			m.amount(n, resources, 0, name)
		}
	}
	model := data.Member("localModel") != nil || data.Member("modelAnchor") != nil
	memory := 0.0
	if at := resources.Member("gpu_mem"); at != nil {
		memory, _ = m.count(at, 0)
	}
	switch kind := m.text(data.Member("task_kind")); {
	case kind == "gpu" && memory <= 0 && !model:
		m.say(finding.EffectNeverScheduled, finding.InvalidResources, data.Member("task_kind"), n,
			`a task of the kind gpu has to say how much memory it needs, or Maze never schedules it; write "resources": {"gpu_mem": MiB}`)
	case (kind == "cpu" || kind == "io") && memory > 0:
		m.say(finding.EffectRefused, finding.InvalidResources, resources.Member("gpu_mem"), n,
			"a task of the kind %s has no GPU memory; write \"task_kind\": \"gpu\", or leave the memory out", kind)
	}
}

// checkDrawn compares the edges with the inputs that are wired: the Workbench wants both to say the same.
func (m *mazeRules) checkDrawn() {
	drawn := map[[2]int][]*jsontree.Node{}
	for _, e := range m.order {
		drawn[[2]int{e.From, e.To}] = append(drawn[[2]int{e.From, e.To}], e.at)
	}
	wired := map[[2]int][]wire{}
	for to, n := range m.graph.Nodes {
		for i := range n.arguments {
			r := n.arguments[i].reference
			if r == nil {
				continue
			}
			from, ok := m.graph.find(r.node)
			if !ok {
				continue
			}
			w := wire{r.output, n.arguments[i].name}
			wired[[2]int{from, to}] = append(wired[[2]int{from, to}], w)
			if !slices.ContainsFunc(drawn[[2]int{from, to}], func(e *jsontree.Node) bool { return m.shows(e, w) }) {
				m.sayAlike("not drawn", finding.EffectRefused, finding.UnorderedReference, n.arguments[i].at, n,
					`no edge shows that node %s feeds the input %s; add the edge {"source": %s, "target": %s}`, quote(r.node), quote(w.input), quote(r.node), quote(n.ID))
			}
		}
	}
	for _, e := range m.order {
		if !slices.ContainsFunc(wired[[2]int{e.From, e.To}], func(w wire) bool { return m.shows(e.at, w) }) {
			m.sayAlike("draws nothing", finding.EffectRefused, finding.MalformedDAG, e.at, nil,
				"no input of node %s is wired as the edge shows, and an edge alone orders nothing; wire an input, or remove the edge", quote(m.graph.Nodes[e.To].ID))
		}
	}
}

// wire is the output of a node and the input of another one that it feeds.
type wire struct{ output, input string }

// shows reports whether an edge is drawn for a wire.
func (m *mazeRules) shows(e *jsontree.Node, w wire) bool {
	out, in := e.Member("sourceHandle"), e.Member("targetHandle")
	return (!m.isTrue(out) || m.text(out) == w.output) && (!m.isTrue(in) || m.text(in) == w.input)
}
