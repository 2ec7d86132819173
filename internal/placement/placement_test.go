package placement

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

func TestResolve(t *testing.T) {
	quantity := func(s string) *resource.Quantity { return ptr.To(resource.MustParse(s)) }
	const (
		gpuAnySize = `{"requests":{"cpu":"1","memory":"1Gi","nvidia.com/gpu":"1"},"limits":{"nvidia.com/gpu":"1"},` +
			`"tolerations":[{"key":"nvidia.com/gpu","operator":"Exists","effect":"NoSchedule"}],` +
			`"gpu":{"count":1,"resourceName":"nvidia.com/gpu"}}`
		gpu4Gi = `{"requests":{"cpu":"1","memory":"1Gi","nvidia.com/gpu":"1"},"limits":{"nvidia.com/gpu":"1"},` +
			`"affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[{"matchExpressions":[` +
			`{"key":"nvidia.com/gpu.memory","operator":"Gt","values":["4095"]},` +
			`{"key":"nvidia.com/gpu.memory","operator":"Lt","values":["1048576"]}]}]}}},` +
			`"tolerations":[{"key":"nvidia.com/gpu","operator":"Exists","effect":"NoSchedule"}],` +
			`"gpu":{"count":1,"memoryPerGPU":4096,"resourceName":"nvidia.com/gpu"}}`
	)
	cases := map[string]struct {
		resources v1alpha1.Resources
		want      string
	}{
		"A cpu task has no GPU keys": {
			resources: v1alpha1.Resources{Type: v1alpha1.ResourceTypeCPU, CPU: quantity("2"), Memory: quantity("1Gi")},
			want:      `{"requests":{"cpu":"2","memory":"1Gi"}}`,
		},
		"An io task has none either, and fractions are kept": {
			resources: v1alpha1.Resources{Type: v1alpha1.ResourceTypeIO, CPU: quantity("0.5"), Memory: quantity("512Mi")},
			want:      `{"requests":{"cpu":"500m","memory":"512Mi"}}`,
		},
		"A gpu task without gpuMemory takes a GPU of any size": {
			resources: v1alpha1.Resources{Type: v1alpha1.ResourceTypeGPU, CPU: quantity("1"), Memory: quantity("1Gi")},
			want:      gpuAnySize,
		},
		"4Gi asks for more than 4095 MiB": {
			resources: v1alpha1.Resources{Type: v1alpha1.ResourceTypeGPU, CPU: quantity("1"), Memory: quantity("1Gi"), GPUMemory: quantity("4Gi")},
			want:      gpu4Gi,
		},
		"4096Mi gives the same bytes as 4Gi": {
			resources: v1alpha1.Resources{Type: v1alpha1.ResourceTypeGPU, CPU: quantity("1000m"), Memory: quantity("1024Mi"), GPUMemory: quantity("4096Mi")},
			want:      gpu4Gi,
		},
		"A fraction of a MiB is rounded up": {
			resources: v1alpha1.Resources{Type: v1alpha1.ResourceTypeGPU, CPU: quantity("1"), Memory: quantity("1073741824"), GPUMemory: quantity("4293918721")},
			want:      gpu4Gi,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := json.Marshal(Resolve(&tc.resources))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, string(got)); diff != "" {
				t.Errorf("Resolve(...): -want, +got:\n%s", diff)
			}
		})
	}
}
