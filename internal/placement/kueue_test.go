package placement

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// TestKueue: flavors with the labels that docs/placement.md gives them are chosen for a task exactly where a node of theirs fits. The rule is
// restated from Kueue's flavorSelector (pkg/scheduler/flavorassigner): of the required terms, expressions of labels that no flavor has are not
// looked at, and a term of which nothing is left admits every flavor.
func TestKueue(t *testing.T) {
	nodes := map[string]*corev1.Node{
		"t4":    node(capable("Tesla-T4", "15360", "4", "7", "5")+"kubernetes.io/arch=amd64", "nvidia.com/gpu=4"),
		"l4":    node(capable("NVIDIA-L4", "23034", "1", "8", "9")+"kubernetes.io/arch=amd64", "nvidia.com/gpu=1"),
		"h100":  node(capable("NVIDIA-H100-80GB-HBM3", "81559", "8", "9", "0")+"kubernetes.io/arch=amd64", "nvidia.com/gpu=8"),
		"gh200": node(capable("NVIDIA-GH200-480GB", "97871", "1", "9", "0")+"kubernetes.io/arch=arm64", "nvidia.com/gpu=1"),
	}
	keys := []string{"nvidia.com/gpu.product", "nvidia.com/gpu.memory", "nvidia.com/gpu.compute.major", "nvidia.com/gpu.compute.minor", "kubernetes.io/arch"}
	inv := inventory(nil, nodes["t4"], nodes["l4"], nodes["h100"], nodes["gh200"])
	for task, want := range map[string][]string{
		`{type: gpu, gpuMemory: 4Gi}`:                                                       {"gh200", "h100", "l4", "t4"},
		`{type: gpu, gpuMemory: 20Gi}`:                                                      {"gh200", "h100", "l4"},
		`{type: gpu, gpuMemory: 90Gi}`:                                                      {"gh200"},
		`{type: gpu, gpuMemory: 20Gi, gpuRequirements: {architecture: amd64}}`:              {"h100", "l4"},
		`{type: gpu, gpuMemory: 4Gi, gpuRequirements: {minComputeCapability: '8.0'}}`:       {"gh200", "h100", "l4"},
		`{type: gpu, gpuMemory: 4Gi, gpuRequirements: {minComputeCapability: '8.9'}}`:       {"gh200", "h100", "l4"},
		`{type: gpu, gpuMemory: 4Gi, gpuRequirements: {minComputeCapability: '10.0'}}`:      nil,
		`{type: gpu, gpuMemory: 4Gi, gpuRequirements: {products: [NVIDIA-L4, Tesla-T4]}}`:   {"l4", "t4"},
		`{type: gpu, gpuMemory: 4Gi, gpuRequirements: {products: [Tesla-T4, NVIDIA-H200]}}`: {"t4"},
	} {
		resources, refusal := admit(t, task)
		if refusal != "" {
			t.Fatal(refusal)
		}
		got, fits := Explain(RequirementOf(resources), inv)
		var flavors []string
		for _, name := range sortedKeys(nodes) {
			if admits(&got.Placement, nodes[name].Labels, keys) {
				flavors = append(flavors, name)
			}
			class, _ := inv.ClassOf(nodes[name])
			i := slices.IndexFunc(fits, func(f Fit) bool { return f.Class.Equal(&class) })
			if fit := fits[i].Why == ""; fit != slices.Contains(want, name) {
				t.Errorf("%s: %s fits: %t: %s", task, name, fit, fits[i].Why)
			}
		}
		if diff := cmp.Diff(want, flavors); diff != "" {
			t.Errorf("%s: flavors -want +got:\n%s", task, diff)
		}
	}
}

// admits reports whether Kueue takes a flavor with some labels for a Pod with a placement. keys are the labels of all flavors.
func admits(placement *v1alpha1.Placement, labels map[string]string, keys []string) bool {
	return slices.ContainsFunc(placement.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms,
		func(term corev1.NodeSelectorTerm) bool {
			looked := slices.DeleteFunc(slices.Clone(term.MatchExpressions), func(r corev1.NodeSelectorRequirement) bool { return !slices.Contains(keys, r.Key) })
			return len(looked) == 0 || satisfies(looked, labels)
		})
}
