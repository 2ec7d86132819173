package catalogue

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/dag"
	"github.com/maze-agent/maregister/internal/placement"
	"github.com/maze-agent/maregister/internal/registry"
)

// TestRequirementOf: a published task requires what its manifest does.
func TestRequirementOf(t *testing.T) {
	for name, resources := range map[string]string{
		"defaults": `{cpu: "1", memory: 1Gi}`,
		"exact":    `{type: gpu, cpu: 1500m, memory: 1000001Ki, gpuMemory: 40Gi, backend: vllm}`,
		"none":     `{type: io, cpu: "0", memory: 0}`,
		"no size":  `{type: gpu, backend: VLLM}`,
	} {
		t.Run(name, func(t *testing.T) {
			task := &v1alpha1.MazeTask{}
			if err := yaml.Unmarshal([]byte(resources), &task.Spec.Resources); err != nil {
				t.Fatal(err)
			}
			want := placement.RequirementOf(&task.Spec.Resources)
			resolution := placement.Resolve(want, placement.NewBuilder(placement.DefaultConfig()).Inventory())
			entry, err := registry.NewEntry(task, registry.Interface{Input: []byte(`{}`), Output: []byte(`{}`)}, resolution.Placement, nil)
			if err != nil {
				t.Fatal(err)
			}
			if got := placement.RequirementOf(entry.SpecResources()); got != want {
				t.Errorf("requirement: got %+v, want %+v", got, want)
			}
		})
	}
}

// TestExecutionOf: a published task is run as its manifest says, and as it was placed.
func TestExecutionOf(t *testing.T) {
	task := &v1alpha1.MazeTask{}
	if err := yaml.Unmarshal([]byte(`{entryPoint: "a.b:c", resources: {type: gpu, cpu: 1500m, memory: 1Gi, gpuMemory: 160Gi, modelName: m}}`), &task.Spec); err != nil {
		t.Fatal(err)
	}
	placed := v1alpha1.Placement{GPU: &v1alpha1.GPUPlacement{Count: 2}}
	entry, err := registry.NewEntry(task, registry.Interface{Input: []byte(`{}`), Output: []byte(`{}`)}, placed, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := dag.Execution{EntryPoint: "a.b:c", Resources: registry.ResourcesOf(&task.Spec.Resources), GPUs: 2}
	if diff := cmp.Diff(want, executionOf(&entry)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := want.Resources; got.CPUNum != 2 || got.GPUMem != 163_840 || *got.ModelName != "m" {
		t.Errorf("resources: %+v", got)
	}
}
