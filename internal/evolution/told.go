package evolution

import (
	"encoding/json"

	"github.com/maze-agent/maregister/internal/registry"
)

// told returns what has changed of an entry besides its parameters. None of it breaks a workflow.
func told(before, after *registry.Entry) []Change {
	fields := []struct {
		name     string
		old, new any
	}{
		{"description", before.Description, after.Description},
		{"entryPoint", before.EntryPoint, after.EntryPoint},
		{"resources", before.Resources, after.Resources},
		{"placement", before.Kubernetes.Placement, after.Kubernetes.Placement},
		{"predictor", before.Predictor, after.Predictor},
	}
	var changes []Change
	for _, field := range fields {
		was, is := fieldText(field.old), fieldText(field.new)
		if string(was) != string(is) {
			changes = append(changes, Change{Kind: Told, Parameter: field.name, Verdict: Compatible, Old: was, New: is})
		}
	}
	return changes
}

// fieldText returns a field, or a keyword's value, as JSON. Nil where it is null.
func fieldText(field any) json.RawMessage {
	text, err := json.Marshal(field)
	if err != nil || string(text) == "null" {
		return nil
	}
	return text
}
