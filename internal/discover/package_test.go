package discover_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/discover"
)

// taskMeta is what "discover -o task-meta" prints of a task, and what the package has in _task_meta.
type taskMeta struct {
	Name             string          `json:"name"`
	Description      *string         `json:"description"`
	InputParameters  json.RawMessage `json:"input_parameters"`
	OutputParameters json.RawMessage `json:"output_parameters"`
	Resources        struct {
		Type      string  `json:"type"`
		CPUNum    int64   `json:"cpu_num"`
		Mem       int64   `json:"mem"`
		GPUMem    int64   `json:"gpu_mem"`
		ModelName *string `json:"model_name"`
		Backend   *string `json:"backend"`
	} `json:"resources"`
}

// compared returns what is compared. Parameters are decoded, as the order of members says nothing.
func (m taskMeta) compared(t *testing.T) any {
	input, output := exactly(t, m.InputParameters), exactly(t, m.OutputParameters)
	m.InputParameters, m.OutputParameters = nil, nil
	return []any{m, input, output}
}

// TestPackage compares what discovery finds in generated files with the _task_meta of the same functions, when they are declared with
// the decorator of the package maregister.
func TestPackage(t *testing.T) {
	answer := map[string]taskMeta{}
	g := ask(t, "testdata/package.py", 3, &answer)
	compared, different := 0, 0
	for _, task := range link(t, g.files).Tasks {
		want := publishedMeta(task)
		got, known := answer[want.Name]
		if !known {
			t.Errorf("the package has no task %s", want.Name)
			continue
		}
		compared++
		delete(answer, want.Name)
		if diff := cmp.Diff(want.compared(t), got.compared(t)); diff != "" {
			if different++; different <= 5 {
				t.Errorf("task %s (-discovery +package):\n%s\n%s", want.Name, diff, excerpt(g, ofDiscovery(t, task)))
			}
		}
	}
	for name := range answer {
		t.Errorf("discovery has no task %s", name)
	}
	if different > 0 || compared < minTasks {
		t.Errorf("%d of %d tasks differ, with -seed %d; want at least %d tasks", different, compared, *seed, minTasks)
	}
	t.Logf("%d tasks compared", compared)
}

// publishedMeta returns the original's fields as the registry publishes them, with the API server's defaults: TestDiscover of
// cmd/mazectl shows that -o task-meta prints the same.
func publishedMeta(task discover.Task) taskMeta {
	const defaultCores, defaultMebibytes = 1, 1024
	spec := task.Spec
	text := func(s string) *string {
		if s == "" {
			return nil
		}
		return &s
	}
	m := taskMeta{Name: spec.Name, Description: text(spec.Description), InputParameters: json.RawMessage("{}"), OutputParameters: json.RawMessage("{}")}
	if spec.InputParameters != nil {
		m.InputParameters = spec.InputParameters.Raw
	}
	if spec.OutputParameters != nil {
		m.OutputParameters = spec.OutputParameters.Raw
	}
	r := spec.Resources
	m.Resources.Type, m.Resources.ModelName, m.Resources.Backend = string(r.Type), text(r.ModelName), text(r.Backend)
	m.Resources.CPUNum, m.Resources.Mem, m.Resources.GPUMem = defaultCores, defaultMebibytes, v1alpha1.Mebibytes(r.GPUMemory)
	if r.CPU != nil {
		m.Resources.CPUNum = r.CPU.Value()
	}
	if r.Memory != nil {
		m.Resources.Mem = v1alpha1.Mebibytes(r.Memory)
	}
	return m
}
