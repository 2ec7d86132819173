package evolution

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/internal/text"
)

// told returns what has changed of an entry besides its parameters. None of it breaks a workflow.
func told(before, after *registry.Entry) []Change {
	isSame := before.Digest.Spec != "" && before.Digest.Spec == after.Digest.Spec
	if isSame && (!isPublished(before) || !isPublished(after)) {
		return nil
	}
	type field struct {
		name     string
		old, new any
	}
	was, is := before.SpecResources(), after.SpecResources()
	fields := []field{
		{"description", before.Description, after.Description},
		{"resources.type", was.Type, is.Type},
		{"resources.cpu", was.CPU, is.CPU},
		{"resources.memory", was.Memory, is.Memory},
		{"resources.gpuMemory", was.GPUMemory, is.GPUMemory},
		{"resources.gpuCounts", was.GPUCounts, is.GPUCounts},
		{"resources.gpuRequirements", was.GPURequirements, is.GPURequirements},
		{"resources.modelName", before.Resources.ModelName, after.Resources.ModelName},
		{"resources.backend", before.Resources.Backend, after.Resources.Backend},
	}
	hasBoth := before.Digest.Spec != "" && after.Digest.Spec != ""
	if hasBoth { // the original's form has neither
		predictor := field{"predictor", declaredPredictor(before), declaredPredictor(after)}
		if isPublished(before) && isPublished(after) {
			predictor = field{"predictor", before.Predictor, after.Predictor}
			fields = append(fields, field{"placement", before.Kubernetes.Placement, after.Kubernetes.Placement})
		}
		fields = append(fields, field{"entryPoint", before.EntryPoint, after.EntryPoint}, field{"run", before.Run, after.Run}, predictor)
	}
	var changes []Change
	if old, now := fieldText(before.Deprecated), fieldText(after.Deprecated); hasBoth && string(old) != string(now) {
		changes = append(changes, Change{Kind: Deprecated, Parameter: "deprecated", Verdict: Compatible, Old: old, New: now})
	}
	for _, field := range fields {
		changes = append(changes, differences(field.name, fieldText(field.old), fieldText(field.new))...)
	}
	return changes
}

// differences returns what has changed of a field: the parts that differ of an object, or of a list with as many items, and else the whole.
// A message repeats only the ends of a long value, so that two wholes may look alike in it.
func differences(name string, old, now json.RawMessage) []Change {
	if string(old) == string(now) {
		return nil
	}
	was, is := partsOf(old), partsOf(now)
	if was == nil || is == nil || old[0] == '[' && len(was) != len(is) {
		return []Change{{Kind: Told, Parameter: name, Verdict: Compatible, Old: old, New: now}}
	}
	var changes []Change
	both := maps.Clone(was)
	maps.Copy(both, is)
	for _, part := range slices.SortedFunc(maps.Keys(both), text.CompareNatural) {
		changes = append(changes, differences(name+part, was[part], is[part])...)
	}
	return changes
}

// partsOf returns the members of an object or the items of a list by what their names add to its own, such as .cpu or [0]. Nil for other
// values, and for none.
func partsOf(value json.RawMessage) map[string]json.RawMessage {
	var members map[string]json.RawMessage
	var items []json.RawMessage
	switch {
	case len(value) == 0:
		return nil
	case json.Unmarshal(value, &members) == nil:
		parts := make(map[string]json.RawMessage, len(members))
		for name, member := range members {
			parts["."+name] = member
		}
		return parts
	case json.Unmarshal(value, &items) == nil:
		parts := make(map[string]json.RawMessage, len(items))
		for i, item := range items {
			parts["["+strconv.Itoa(i)+"]"] = item
		}
		return parts
	}
	return nil
}

// isPublished reports whether an operator made the entry, by its configuration and the nodes of its cluster. One that is made of a manifest
// has neither.
func isPublished(e *registry.Entry) bool { return e.Kubernetes.UID != "" }

// declaredPredictor returns what the task says of its predictor, and not what the operator's configuration does.
func declaredPredictor(e *registry.Entry) *string {
	if e.Kubernetes.PredictorRule != "" {
		return nil
	}
	return e.Predictor
}

// fieldText returns a field, or a keyword's value, as JSON. Nil where it is null.
func fieldText(field any) json.RawMessage {
	value, err := json.Marshal(field)
	if err != nil || string(value) == "null" {
		return nil
	}
	return value
}
