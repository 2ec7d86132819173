package registry_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/registry"
)

func TestSpecResources(t *testing.T) {
	quantity := func(text string) *resource.Quantity {
		q := resource.MustParse(text)
		return &q
	}
	cases := map[string]struct {
		declared v1alpha1.Resources
		requests corev1.ResourceList
		want     v1alpha1.Resources
	}{
		"Nothing": {declared: v1alpha1.Resources{Type: v1alpha1.ResourceTypeIO}, want: v1alpha1.Resources{Type: v1alpha1.ResourceTypeIO}},
		"By the requests": {
			declared: v1alpha1.Resources{Type: v1alpha1.ResourceTypeGPU, CPU: quantity("500m"), Memory: quantity("1000k"), GPUMemory: quantity("20Gi"), Backend: "vllm", ModelName: "m"},
			requests: corev1.ResourceList{corev1.ResourceCPU: *quantity("500m"), corev1.ResourceMemory: *quantity("1000k")},
			want:     v1alpha1.Resources{Type: v1alpha1.ResourceTypeGPU, CPU: quantity("500m"), Memory: quantity("1000k"), GPUMemory: quantity("20Gi"), Backend: "vllm", ModelName: "m"},
		},
		"Numbers of GPUs": {
			declared: v1alpha1.Resources{Type: v1alpha1.ResourceTypeGPU, GPUCounts: []int32{7, 1, 14}},
			want:     v1alpha1.Resources{Type: v1alpha1.ResourceTypeGPU, GPUCounts: []int32{1, 7, 14}},
		},
		"What GPUs must be": {
			declared: v1alpha1.Resources{Type: v1alpha1.ResourceTypeGPU, GPURequirements: &v1alpha1.GPURequirements{
				MinComputeCapability: "8.9", Architecture: "arm64", Products: []string{"Tesla-T4", "NVIDIA-L4"}}},
			want: v1alpha1.Resources{Type: v1alpha1.ResourceTypeGPU, GPURequirements: &v1alpha1.GPURequirements{
				MinComputeCapability: "8.9", Architecture: "arm64", Products: []string{"NVIDIA-L4", "Tesla-T4"}}},
		},
		"Rounded, without requests": {
			declared: v1alpha1.Resources{Type: v1alpha1.ResourceTypeCPU, CPU: quantity("500m"), Memory: quantity("1000k")},
			want:     v1alpha1.Resources{Type: v1alpha1.ResourceTypeCPU, CPU: quantity("1"), Memory: quantity("1Mi")},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			task := &v1alpha1.MazeTask{Spec: v1alpha1.MazeTaskSpec{Name: "t", Resources: tc.declared}}
			entry, err := registry.NewEntry(task, registry.Interface{}, v1alpha1.Placement{Requests: tc.requests}, nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&tc.want, entry.SpecResources()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestShardOf: each entry is where the index says that it is.
func TestShardOf(t *testing.T) {
	var items []registry.Item
	for i := range 400 {
		items = append(items, registry.Item{Name: fmt.Sprintf("task-%d", i), Text: fmt.Sprintf(`{"name":%0200d}`, i)})
	}
	shards := registry.Split(items, 16<<10)
	index := registry.NewIndex(shards, registry.Index{})
	if len(shards) < 4 {
		t.Fatalf("want some shards, got %d", len(shards))
	}
	for _, shard := range shards {
		for _, item := range shard.Items {
			if ref := index.ShardOf(item.Name); ref == nil || ref.Name != shard.Name || !ref.Has(item.Name) {
				t.Errorf("%s: want it in %s, got %v", item.Name, shard.Name, ref)
			}
		}
	}
	if (&registry.ShardRef{Prefix: "2"}).Has("a") || (&registry.Index{}).ShardOf("a") != nil {
		t.Error("want no entry behind a prefix that is none, and no shard in an empty index")
	}
}
