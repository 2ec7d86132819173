package dag

import (
	"slices"
	"strings"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/jsontree"
)

// checkNode judges a node as _normalize_node does. Nil for what is no object.
func (m *mazeRules) checkNode(n *Node, v *jsontree.Node) *mazeNode {
	if v.Kind != jsontree.Object {
		m.sayAlike("no object", finding.EffectRefused, finding.MalformedDAG, v, nil, "a node is an object, found %s", v.Kind)
		return nil
	}
	out := &mazeNode{at: v, node: n}
	if id := v.Member("id"); m.isTrue(id) {
		out.id = strings.TrimSpace(m.str(id))
	} else if m.options.Target == TargetCompiled { // the id may be the key of the node, and is written into it
		out.id = n.ID
	}
	switch id := v.Member("id"); {
	case mazeID.MatchString(out.id):
	case id == nil || id.Kind == jsontree.Null:
		m.sayAlike("no id", finding.EffectRefused, finding.MalformedDAG, v, n, `"id" is missing: the name of the node, by which others refer to its outputs`)
	default:
		m.sayAlike("id", finding.EffectRefused, finding.InvalidNodeID, id, nil, "%s cannot be an id: it has %s, so that others can refer to it",
			m.quote(id), mazeIDWords)
	}
	if t := v.Member("type"); m.isTrue(t) && !slices.Contains([]string{"code", "python_task", "task"}, m.str(t)) {
		m.say(finding.EffectRefused, finding.MalformedDAG, t, n, `the type of a node is "code", "python_task" or "task", found %s`, m.quote(t))
	}
	m.checkResources(n, v)
	m.checkSettings(n, v)
	m.checkInputs(out)
	return out
}

// checkInputs judges a node's inputs as _normalize_inputs does.
func (m *mazeRules) checkInputs(n *mazeNode) {
	inputs := n.at.Member("inputs")
	if !m.mustBeObject(finding.MalformedDAG, inputs, n.node, `"inputs"`) {
		return
	}
	for _, v := range inputs.Members() {
		n.addInput(m.readInput(n, v))
	}
}

func (m *mazeRules) readInput(n *mazeNode, v *jsontree.Node) *mazeInput {
	i := &mazeInput{name: v.Name, source: inputFromUser, at: v}
	if v.Member("from") == nil && v.Member("value") == nil && v.Member("data_type") == nil {
		i.hasValue = true
		if v.Member("has_value") != nil && v.Member("input_schema") != nil {
			m.say(finding.EffectLost, finding.InvalidRunInput, v, n.node,
				`Maze passes this object itself, as it has none of "from", "value" and "data_type"; add "data_type", or leave the input out`)
		}
		return i
	}
	schema, value := m.text(v.Member("input_schema")), v.Member("value")
	switch {
	case schema == inputFromRun:
		i.source, i.value = inputFromRun, value
		if references, ok := m.runReferences(value); !ok || len(references) == 0 {
			m.say(finding.EffectRefused, finding.InvalidRunInput, v, n.node, inputOfRun, runMark)
		}
	case schema == inputFromTask:
		i.source, i.hasValue = inputFromTask, true
		if from := m.first(v, "value", "from"); from != nil {
			i.reference = m.str(from)
		}
	case schema == inputFromUser:
		i.hasValue = value != nil
		if has := v.Member("has_value"); has != nil {
			i.hasValue = m.isTrue(has)
		}
	case v.Member("from") != nil:
		i.source, i.hasValue, i.reference = inputFromTask, true, m.str(v.Member("from"))
	default:
		i.hasValue = value != nil
	}
	return i
}

// checkOutputs judges a node's outputs as _normalize_outputs does.
func (m *mazeRules) checkOutputs(n *mazeNode) {
	outputs := n.at.Member("outputs")
	if outputs == nil || outputs.Kind == jsontree.Null {
		m.sayAlike("no outputs", finding.EffectRefused, finding.InvalidOutputs, n.at, n.node,
			`"outputs" is missing: Maze needs the names of what the node returns, such as ["text"]`)
		return
	}
	if outputs.Kind != jsontree.Array || len(outputs.Children) == 0 {
		rule := finding.InvalidOutputs
		if outputs.Kind != jsontree.Array {
			rule = finding.MalformedDAG
		}
		m.sayAlike("empty outputs", finding.EffectRefused, rule, outputs, n.node,
			`"outputs" is an array with the name of one output at least, such as ["text"]; found %s`, m.quote(outputs))
		return
	}
	n.named = true
	for _, v := range outputs.Children {
		name := ""
		if v.Kind == jsontree.Text {
			name = m.text(v)
		} else if named := m.first(v, "name", "key"); named != nil {
			name = m.str(named)
		}
		switch {
		case name == "":
			m.say(finding.EffectRefused, finding.MalformedDAG, v, n.node, `an output is a name, or an object such as {"name": "text", "data_type": "str"}`)
		case slices.Contains(n.outputs, name):
			m.say(finding.EffectRefused, finding.InvalidOutputs, v, n.node, "the output %s is declared twice; remove one of the two", quote(name))
		case strings.Contains(name, "."):
			m.say(finding.EffectLost, finding.InvalidOutputs, v, n.node,
				"the output %s has a dot, and Maze would hand None to the nodes that refer to it; rename it", quote(name))
		}
		n.outputs = append(n.outputs, name)
	}
}

// kinds are those of Maze's tasks.
var kinds = []string{"cpu", "gpu", "io"}

// checkResources judges what a node asks for as normalize_task_semantics does.
func (m *mazeRules) checkResources(n *Node, v *jsontree.Node) {
	resources, anchor := v.Member("resources"), v.Member("model_anchor")
	if !m.mustBeObject(finding.InvalidResources, resources, n, `"resources"`) {
		resources = nil
	}
	if !m.mustBeObject(finding.InvalidResources, anchor, n, `"model_anchor"`) {
		anchor = nil
	}
	m.amount(n, resources, 1, "cpu_num", "cpu")
	m.amount(n, resources, 0, "io_num")
	memory := max(m.amount(n, resources, 0, "gpu_mem", "gpu_memory_mb"), m.estimate(n, anchor))
	model := m.isTrue(anchor.Member("local_model"))
	kind, kindAt := "cpu", v.Member("task_kind")
	switch {
	case kindAt != nil && kindAt.Kind != jsontree.Null:
		if kind = strings.ToLower(strings.TrimSpace(m.str(kindAt))); !slices.Contains(kinds, kind) {
			m.say(finding.EffectRefused, finding.InvalidResources, kindAt, n, "Maze has no tasks of the kind %s, but cpu, gpu, io; write one of these", m.quote(kindAt))
			return
		}
	case memory > 0 || model:
		kind = "gpu"
	}
	if kind != "gpu" && memory > 0 {
		at := m.firstMember(resources, "gpu_mem", "gpu_memory_mb")
		if at == nil {
			at = anchor
		}
		m.say(finding.EffectRefused, finding.InvalidResources, at, n,
			"a task of the kind %s has no GPU memory; write \"task_kind\": \"gpu\", or leave the memory out", kind)
	}
	if kind != "gpu" && model {
		m.say(finding.EffectRefused, finding.InvalidResources, anchor.Member("local_model"), n,
			"a task of the kind %s has no local model; write \"task_kind\": \"gpu\", or leave the model out", kind)
	}
	m.checkGPU(n, v, resources, kind, memory, model)
}

// checkGPU judges how many GPUs a node asks for, and how much memory of them.
func (m *mazeRules) checkGPU(n *Node, v, resources *jsontree.Node, kind string, memory float64, model bool) {
	if kind == "gpu" && memory <= 0 && !model {
		at := m.firstMember(resources, "gpu_mem", "gpu_memory_mb")
		if at == nil {
			at = v
		}
		m.say(finding.EffectNeverScheduled, finding.InvalidResources, at, n,
			`a task of the kind gpu has to say how much memory it needs, or Maze never schedules it; write "resources": {"gpu_mem": MiB}`)
	}
	for _, field := range []string{"gpu", "gpu_num", "gpus", "num_gpus"} {
		at := resources.Member(field)
		if at == nil {
			continue
		}
		switch number, ok := m.float(at); {
		case ok && number > 1:
			m.say(finding.EffectLost, finding.InvalidResources, at, n,
				"Maze does not read %q, and gives a task one GPU at most; write \"gpu_mem\", the memory on one of them", field)
		case ok && number > 0 && kind != "gpu":
			m.say(finding.EffectLost, finding.InvalidResources, at, n,
				"Maze does not read %q, so the task gets no GPU; write \"gpu_mem\", the memory that it needs in MiB", field)
		}
	}
}

// firstMember returns the first of some members that is there and not null.
func (*mazeRules) firstMember(v *jsontree.Node, names ...string) *jsontree.Node {
	for _, name := range names {
		if child := v.Member(name); child != nil && child.Kind != jsontree.Null {
			return child
		}
	}
	return nil
}

// amount returns a resource as Maze reads it: from the first of some fields.
func (m *mazeRules) amount(n *Node, resources *jsontree.Node, otherwise float64, names ...string) float64 {
	at := m.firstMember(resources, names...)
	if at == nil {
		return otherwise
	}
	amount, ok := m.count(at, otherwise)
	switch {
	case !ok:
		m.say(finding.EffectRefused, finding.InvalidResources, at, n, "%q is too large a number; write a smaller one", at.Name)
	case amount < 0:
		m.say(finding.EffectRefused, finding.InvalidResources, at, n, "%q cannot be negative, found %s", at.Name, m.quote(at))
	}
	return amount
}

// estimate returns how much GPU memory a model is said to need, in MiB.
func (m *mazeRules) estimate(n *Node, anchor *jsontree.Node) float64 {
	at, factor := m.first(anchor, "estimated_gpu_mem_mb", "gpu_mem", "gpu_memory_mb"), 1.0
	if at == nil {
		const mebibyte, overhead = 1 << 20, 1.2
		at, factor = m.first(anchor, "estimated_weight_memory_bytes", "weight_bytes"), overhead/mebibyte
	}
	if at == nil {
		return 0
	}
	amount, ok := m.count(at, -1)
	if number, isNumber := m.float(at); ok && isNumber && number == number { // NaN differs from itself
		return max(0, number*factor)
	} else if ok && amount >= 0 {
		return amount
	}
	m.say(finding.EffectRefused, finding.InvalidResources, at, n, "%q is a number, found %s", at.Name, m.quote(at))
	return 0
}

// checkSettings judges what else a node says, as _normalize_node does.
func (m *mazeRules) checkSettings(n *Node, v *jsontree.Node) {
	m.mustBeNumber(v.Member("max_retries"), n, true)
	if backoff := v.Member("retry_backoff_seconds"); m.isTrue(backoff) {
		m.mustBeNumber(backoff, n, false)
	}
	m.mustBeNumber(v.Member("timeout_seconds"), n, false)
	if on := v.Member("retry_on"); on != nil && on.Kind != jsontree.Array && on.Kind != jsontree.Null {
		m.say(finding.EffectRefused, finding.InvalidSetting, on, n, `"retry_on" is an array of kinds of errors, such as ["node_lost"]; found %s`, m.quote(on))
	}
	m.checkRetries(n, v)
	m.mustBeObject(finding.InvalidSetting, v.Member("metadata"), n, `"metadata"`)
}
