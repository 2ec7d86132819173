package evolution

import (
	"encoding/json"

	"github.com/maze-agent/maregister/internal/registry"
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
		old, now := fieldText(field.old), fieldText(field.new)
		if string(old) != string(now) {
			changes = append(changes, Change{Kind: Told, Parameter: field.name, Verdict: Compatible, Old: old, New: now})
		}
	}
	return changes
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
	text, err := json.Marshal(field)
	if err != nil || string(text) == "null" {
		return nil
	}
	return text
}
