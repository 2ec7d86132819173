package deliver

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/yaml"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/pysource"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/registry"
)

// The forms in which tasks are printed.
const (
	EncodingYAML     = "yaml"
	encodingJSON     = "json"
	encodingTaskMeta = "task-meta"
)

// Encodings are the values of -o.
var Encodings = []string{EncodingYAML, encodingJSON, encodingTaskMeta}

// encodeManifests writes objects in one of the forms of -o.
func encodeManifests(all []pysource.Manifest, output string) ([]byte, error) {
	switch output {
	case encodingTaskMeta:
		return encodeTaskMeta(all)
	case encodingJSON:
		list := struct {
			APIVersion string               `json:"apiVersion"`
			Kind       string               `json:"kind"`
			Items      []*v1alpha1.MazeTask `json:"items"`
		}{"v1", "List", []*v1alpha1.MazeTask{}}
		for _, m := range all {
			list.Items = append(list.Items, m.Object)
		}
		return encodeJSON(list)
	}
	var out bytes.Buffer
	for i, m := range all {
		if i > 0 {
			out.WriteString("---\n")
		}
		content, err := encodeYAML(m.Object)
		if err != nil {
			return nil, fmt.Errorf("encode the manifest of %s: %w", m.Spec.Name, err)
		}
		out.Write(content)
	}
	return out.Bytes(), nil
}

// encodeYAML writes an object as YAML. YAML takes U+0085 for the end of a line, which would change a text that has it: JSON, which is YAML,
// too, has an escape for it.
func encodeYAML(object any) ([]byte, error) {
	content, err := json.Marshal(object)
	if err != nil {
		return nil, err
	}
	if escaped := escapeControls(content); !bytes.Contains(content, []byte("\u0085")) {
		return yaml.JSONToYAML(escaped)
	}
	var out bytes.Buffer
	if err := json.Indent(&out, escapeControls(content), "", "  "); err != nil {
		return nil, err
	}
	out.WriteByte('\n')
	return out.Bytes(), nil
}

// escapeControls returns JSON without the characters that no reader of YAML takes as they are, and JSON does: DEL, C1, U+FFFE and U+FFFF.
// In JSON, they are in strings, where an escape says the same.
func escapeControls(content []byte) []byte {
	isControl := func(r rune) bool { return r >= 0x7f && r <= 0x9f || r == 0xfffe || r == 0xffff }
	if bytes.IndexFunc(content, isControl) < 0 {
		return content
	}
	var out bytes.Buffer
	for _, r := range string(content) {
		if isControl(r) {
			fmt.Fprintf(&out, `\u%04x`, r)
		} else {
			out.WriteRune(r)
		}
	}
	return out.Bytes()
}

// encodeTaskMeta writes what the registry would publish in the fields of the original's _task_meta, by name of the task.
func encodeTaskMeta(all []pysource.Manifest) ([]byte, error) {
	out := map[string]registry.TaskMeta{}
	for _, m := range all {
		task := m.Object.DeepCopy()
		setDefaults(&task.Spec.Resources)
		entry, err := registry.NewEntry(task, registry.Interface{}, v1alpha1.Placement{}, nil)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.Place(), err)
		}
		out[m.Spec.Name] = entry.TaskMeta
	}
	return encodeJSON(out)
}

// setDefaults sets what the API server would.
func setDefaults(r *v1alpha1.Resources) {
	r.Type = cmp.Or(r.Type, v1alpha1.ResourceTypeCPU)
	if r.CPU == nil {
		r.CPU = resource.NewQuantity(1, resource.DecimalSI)
	}
	if r.Memory == nil {
		r.Memory = resource.NewQuantity(1<<30, resource.BinarySI)
	}
}

func encodeJSON(value any) ([]byte, error) {
	var out bytes.Buffer
	if err := terminal.WriteJSON(&out, value); err != nil {
		return nil, fmt.Errorf("encode the result: %w", err)
	}
	return out.Bytes(), nil
}
