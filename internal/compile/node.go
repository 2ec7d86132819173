package compile

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/maze-agent/maregister/internal/dag"
	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/schema"
)

// literal is an input whose value is known. Maze takes a bare value with certain members for a description of one.
type literal struct {
	Schema   string          `json:"input_schema"`
	Value    json.RawMessage `json:"value"`
	HasValue bool            `json:"has_value"`
}

func literalOf(value []byte) []byte { return encoded(literal{"from_user", value, true}) }

// node returns a node of the compiled workflow, and the edges that lead to it.
func (w *writer) node(step *dag.Step) (object, []edge) {
	var n object
	n.add("id", step.ID)
	if !has(step, naming...) {
		n.add("task_name", step.Func)
	}
	for _, f := range step.Own {
		if slices.Contains(naming, f.Name) {
			n = append(n, f)
		}
	}
	in := wiring{to: step.ID, names: map[string]bool{}, fed: map[string]bool{}, rules: map[[3]string]string{}, sources: w.byNode}
	if step.Code {
		in.passAll(step.Arguments)
	} else {
		in.known = w.outline(step)
		in.bind(step)
		for _, before := range step.After {
			in.hidden("after", " "+before, &dag.Output{Node: before, Name: w.firsts[before], Index: -1})
		}
	}
	n.add("inputs", in.inputs)
	if !has(step, "outputs") {
		n.add("outputs", w.outputs(step))
	}
	for _, f := range step.Own {
		if !slices.Contains(naming, f.Name) {
			n = append(n, f)
		}
	}
	if step.Code {
		return n, in.edges
	}
	w.resources(&n, step)
	addRun(&n, step)
	if in.lacks() && !has(step, "metadata") {
		n.add("metadata", ignoring(finding.MissingArgument))
	}
	n.add("code", code(w.plan(step, in.known, in.arguments)))
	return n, in.edges
}

// naming are the fields by which Maze names what a node runs.
var naming = []string{"task_name", "name"}

// has reports whether a node has one of some fields itself.
func has(step *dag.Step, names ...string) bool {
	return slices.ContainsFunc(step.Own, func(f dag.Field) bool { return slices.Contains(names, f.Name) })
}

// wiring is what leads into a node: its inputs, the edges to them, and how the arguments of the function are made of them.
type wiring struct {
	to        string
	inputs    object
	edges     []edge
	arguments []passed
	// names are those that no other input may have, and fed those of all inputs.
	names, fed map[string]bool
	// rules are those that inputs which are no parameters break, by what they are of: an argument, and an output.
	rules map[[3]string]string
	// known is the task of the node, and sources those of all nodes by id. Nil for code of the user's own.
	known   *outline
	sources map[string]*outline
}

// passed is an argument of the function, as the plan has it.
type passed struct {
	name string
	from source
}

// MarshalJSON implements json.Marshaler.
func (p passed) MarshalJSON() ([]byte, error) { return encoded([]any{p.name, p.from}), nil }

// source says where a value comes from: an input or an item of one, a list of values, or the plan itself.
type source struct {
	Input *string         `json:"input,omitempty"`
	Item  *int            `json:"item,omitempty"`
	Items []source        `json:"items,omitempty"`
	Value json.RawMessage `json:"value,omitempty"`
}

// passAll passes arguments to code of the user's own, as they are.
func (in *wiring) passAll(arguments []dag.Argument) {
	for _, a := range arguments {
		switch {
		case a.Output != nil:
			in.wire(a.Name, a.Output)
		case a.Literal != nil:
			in.give(a.Name, literalOf(a.Literal))
		default:
			in.give(a.Name, a.Written)
		}
	}
}

// bind passes the arguments of a node to its task, and the schema's defaults for those that are not given.
func (in *wiring) bind(step *dag.Step) {
	for _, a := range step.Arguments {
		in.names[a.Name] = true // before others are made up
	}
	for _, d := range in.known.defaults {
		in.names[d.Name] = true
	}
	given := map[string]bool{}
	for _, a := range step.Arguments {
		given[a.Name] = true
		in.arguments = append(in.arguments, passed{a.Name, in.source(a)})
	}
	for _, d := range in.known.defaults {
		if !given[d.Name] {
			in.give(d.Name, literalOf(d.Value))
			in.arguments = append(in.arguments, passed{d.Name, source{Input: &d.Name}})
		}
	}
}

// source makes the inputs and edges of an argument.
func (in *wiring) source(a dag.Argument) source {
	switch {
	case a.Items != nil:
		items := make([]source, len(a.Items))
		for i, item := range a.Items {
			if item.Output == nil {
				items[i] = source{Value: item.Literal}
			} else {
				items[i] = in.hidden(a.Name, fmt.Sprintf("[%d]", i), item.Output)
			}
		}
		return source{Items: items}
	case a.Output != nil && (a.Output.Index >= 0 || a.Name == ""):
		return in.hidden(a.Name, "[]", a.Output)
	case a.Output != nil:
		in.wire(a.Name, a.Output)
	case a.Literal != nil:
		in.give(a.Name, literalOf(a.Literal))
	default:
		in.give(a.Name, a.Written)
	}
	return source{Input: &a.Name}
}

// hidden brings an output to an input that is no parameter, under a name that nothing has yet. base says what it is of.
func (in *wiring) hidden(base, suffix string, from *dag.Output) source {
	name := base + suffix
	for in.names[name] {
		name += "'"
	}
	in.names[name] = true
	in.wire(name, from)
	key := [3]string{base, from.Node, from.Name}
	rule, known := in.rules[key]
	if !known {
		rule = in.broken(name, from)
		in.rules[key] = rule
	}
	if rule != "" {
		in.edges[len(in.edges)-1].Metadata = encoded(ignoring(rule))
	}
	out := source{Input: &name}
	if from.Index >= 0 {
		out.Item = &from.Index
	}
	return out
}

// broken returns the rule that a check of the compiled workflow finds broken by an input that is no parameter. Empty if there is none.
func (in *wiring) broken(name string, from *dag.Output) string {
	if in.known.inputs == nil {
		return ""
	}
	if !dag.Takes(in.known.inputs, name) {
		return finding.UnknownArgument
	}
	source := in.sources[from.Node]
	if source == nil || source.results == nil {
		return ""
	}
	into, ok := in.known.inputs.Part(name) // of parameters without a name of their own
	if out, known := source.results.Part(from.Name); ok && known && schema.Feeds(out, into) == schema.Incompatible {
		return finding.IncompatibleEdge
	}
	return ""
}

// lacks reports whether the task requires an argument for which there is no input of its name.
func (in *wiring) lacks() bool {
	return in.known.inputs != nil && slices.ContainsFunc(in.known.inputs.Required(), func(name string) bool { return !in.fed[name] })
}

// give adds an input that no edge leads to. value is JSON.
func (in *wiring) give(name string, value []byte) {
	in.inputs = append(in.inputs, dag.Field{Name: name, Value: value})
	in.fed[name] = true
}

func (in *wiring) wire(input string, from *dag.Output) {
	in.fed[input] = true
	in.edges = append(in.edges, edge{Source: from.Node, Output: from.Name, Target: in.to, Input: input, Metadata: from.Metadata})
}

// ignoring returns metadata that silence a rule, as a check of the compiled workflow breaks it: not all inputs are parameters.
func ignoring(rule string) object { return object{{Name: finding.IgnoreKey, Value: encoded(rule)}} }

// resources adds what a node needs, unless it says so itself.
func (w *writer) resources(n *object, step *dag.Step) {
	if has(step, "task_kind", "resources", "model_anchor") {
		return
	}
	r := step.Task.Resources
	kind := string(r.Type)
	if kind == "" {
		kind = "cpu"
	}
	needs := object{}
	needs.add("cpu_num", max(1, r.CPUNum))
	switch {
	case kind == "io":
		needs.add("io_num", 1)
	case kind == "gpu" && r.GPUMem > 0:
		needs.add("gpu_mem", r.GPUMem)
	case kind == "gpu" && w.options.GPUMemory > 0:
		needs.add("gpu_mem", w.options.GPUMemory)
	}
	n.add("task_kind", kind)
	n.add("resources", needs)
}

// addRun adds how long the task may run and what follows a failure, as far as the node does not say so itself.
func addRun(n *object, step *dag.Step) {
	run := step.Task.Run
	for _, option := range []struct {
		name  string
		value any
		given bool
	}{
		{"timeout_seconds", run.TimeoutSeconds, run.TimeoutSeconds != nil},
		{"max_retries", run.MaxRetries, run.MaxRetries != nil},
		{"retry_backoff_seconds", run.RetryBackoffSeconds, run.RetryBackoffSeconds != nil},
		{"retry_on", run.RetryOn, run.RetryOn != nil},
	} {
		if option.given && !has(step, option.name) {
			n.add(option.name, option.value)
		}
	}
}
