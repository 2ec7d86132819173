package client

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/registry"
)

// itemOf makes the entry of a task, with all that an entry can have.
func itemOf(t testing.TB, name string, generation int64) registry.Item {
	t.Helper()
	cpu, memory, gpuMemory, gpus := resource.MustParse("1"), resource.MustParse("1Gi"), resource.MustParse("4Gi"), resource.MustParse("1")
	task := &v1alpha1.MazeTask{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "vision", Name: strings.ReplaceAll(name, "_", "-"), UID: types.UID("uid of " + name), Generation: generation,
		},
		Spec: v1alpha1.MazeTaskSpec{
			Name: name, Description: fmt.Sprintf("描述 %d", generation), EntryPoint: "tools:" + name, Predictor: "vlm_process",
			Resources: v1alpha1.Resources{
				Type: v1alpha1.ResourceTypeGPU, CPU: &cpu, Memory: &memory, GPUMemory: &gpuMemory, ModelName: "llava-v1.6", Backend: "vllm",
			},
		},
	}
	schemas := registry.Interface{Input: json.RawMessage(`{"type":"object"}`), Output: json.RawMessage(`{"type":"object"}`)}
	entry, err := registry.NewEntry(task, schemas, v1alpha1.Placement{
		Requests:     corev1.ResourceList{corev1.ResourceCPU: cpu, corev1.ResourceMemory: memory},
		Limits:       corev1.ResourceList{"nvidia.com/gpu": gpus},
		NodeSelector: map[string]string{"gpu": "a10"},
		Affinity:     &v1alpha1.Affinity{NodeAffinity: &corev1.NodeAffinity{}},
		Tolerations:  []corev1.Toleration{{Key: "nvidia.com/gpu"}},
		GPU:          &v1alpha1.GPUPlacement{Count: 1, MemoryPerGPU: 4096, ResourceName: "nvidia.com/gpu", TensorParallelSize: 1},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	item, err := entry.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return item
}

// tasks are generations of tasks by name, as a test writes them.
type tasks map[string]int64

// publisher makes the ConfigMaps of one registry after the other, as the operator does.
type publisher struct {
	shardSize int
	index     registry.Index
	items     map[string]registry.Item
}

// publish returns the ConfigMaps of a registry, that of the index first.
func (p *publisher) publish(t testing.TB, all tasks) []*corev1.ConfigMap {
	t.Helper()
	if p.items == nil {
		p.items = map[string]registry.Item{}
	}
	var items []registry.Item
	for name, generation := range all {
		key := fmt.Sprintf("%s@%d", name, generation)
		if _, known := p.items[key]; !known {
			p.items[key] = itemOf(t, name, generation)
		}
		items = append(items, p.items[key])
	}
	shards := registry.Split(items, max(p.shardSize, registry.MinShardSize))
	p.index = registry.NewIndex(shards, p.index)
	index, err := registry.Render("vision", shards, p.index, nil, "1")
	if err != nil {
		t.Fatal(err)
	}
	out := []*corev1.ConfigMap{index}
	for _, shard := range shards {
		if shard.Name != registry.ConfigMapName {
			out = append(out, shard.ConfigMap("vision"))
		}
	}
	return out
}

// numbered returns n tasks of generation 1.
func numbered(n int) tasks {
	all := tasks{}
	for i := range n {
		all[fmt.Sprintf("task_%03d", i)] = 1
	}
	return all
}

// tasksOf returns the tasks of a snapshot, and fails where it contradicts itself.
func tasksOf(t testing.TB, s Snapshot) tasks {
	t.Helper()
	all := tasks{}
	for _, entry := range s.List() {
		all[entry.Name] = entry.Kubernetes.Generation
	}
	if names := slices.Sorted(maps.Keys(all)); !slices.Equal(names, s.Names()) || s.Len() != len(names) {
		t.Fatalf("List and Names differ: %q and %q, Len is %d", names, s.Names(), s.Len())
	}
	return all
}

// setAll adds some ConfigMaps to a fold.
func setAll(f *fold, all []*corev1.ConfigMap) {
	for _, configMap := range all {
		f.set(objectOf(configMap))
	}
}
