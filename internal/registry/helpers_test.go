package registry

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// sha is the digest of a text, computed apart from the code that is tested.
func sha(text string) string { return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(text))) }

func quantity(text string) *resource.Quantity { return ptr.To(resource.MustParse(text)) }

func declaration(text string) *apiextensionsv1.JSON { return &apiextensionsv1.JSON{Raw: []byte(text)} }

// fullTask has every field of a spec.
func fullTask() *v1alpha1.MazeTask {
	return &v1alpha1.MazeTask{
		ObjectMeta: metav1.ObjectMeta{Namespace: "vision", Name: "image-caption", UID: "7d3e", Generation: 3},
		Spec: v1alpha1.MazeTaskSpec{
			Name:             "image_caption",
			Description:      "Writes a <caption> & \"more\".\n为图像写说明 😀",
			InputParameters:  declaration(`{"image": {"type": "filepath"}, "count": {"type": "integer", "maximum": 12345678901234567890, "minimum": 1.50}}`),
			OutputParameters: declaration(`{ "说明": {"type":"string", "pattern":"<b>&"} }`),
			Resources: v1alpha1.Resources{
				Type: v1alpha1.ResourceTypeGPU, CPU: quantity("1500m"), Memory: quantity("1Gi"), GPUMemory: quantity("4Gi"),
				ModelName: "llava-v1.6", Backend: "vllm",
			},
			EntryPoint: "tools.image:image_caption",
			Predictor:  "vlm_process",
			Source:     &v1alpha1.Source{Path: "tools/image.py", Line: 12, Digest: "sha256:" + strings.Repeat("0", 64)},
		},
	}
}

// fullInterface is what fullTask's parameters are once normalised, with white space and in an order that is not canonical.
func fullInterface() Interface {
	return Interface{
		Input: json.RawMessage(`{"type":"object", "properties":{"image":{"type":"string","format":"filepath"},` +
			`"count":{"type":"integer","maximum":12345678901234567890,"minimum":1.50}}}`),
		Output: json.RawMessage(`{"properties":{"说明":{"pattern":"<b>&","type":"string"}},"type":"object"}`),
	}
}

func gpuPlacement() v1alpha1.Placement {
	return v1alpha1.Placement{
		Requests: corev1.ResourceList{
			corev1.ResourceMemory: *quantity("1Gi"), corev1.ResourceCPU: *quantity("1500m"), "nvidia.com/gpu": *quantity("1"),
		},
		Limits:       corev1.ResourceList{"nvidia.com/gpu": *quantity("1")},
		NodeSelector: map[string]string{"zone": "b", "disk": "ssd"},
		Tolerations:  []corev1.Toleration{{Key: "nvidia.com/gpu", Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoSchedule}},
		GPU:          &v1alpha1.GPUPlacement{Count: 1, MemoryPerGPU: 4096, ResourceName: "nvidia.com/gpu", TensorParallelSize: 1},
	}
}

// encode makes a task's entry and its text.
func encode(t *testing.T, task *v1alpha1.MazeTask, parameters Interface, placement v1alpha1.Placement) Item {
	t.Helper()
	entry, err := NewEntry(task, parameters, placement, DefaultPredictorRules())
	if err != nil {
		t.Fatalf("NewEntry(...): %v", err)
	}
	item, err := entry.Encode()
	if err != nil {
		t.Fatalf("Encode(): %v", err)
	}
	return item
}

// itemOf is an item of a given size in bytes, key included.
func itemOf(name string, size int) Item {
	text := strings.Repeat("x", size-len(name))
	return Item{Name: name, Text: text, Digest: sha(text)}
}

// itemsOf are n items of a given size: task-0, task-1, ….
func itemsOf(n, size int) []Item {
	items := make([]Item, n)
	for i := range items {
		items[i] = itemOf(fmt.Sprintf("task-%d", i), size)
	}
	return items
}

// published are the ConfigMaps of a registry.
type published struct {
	index  *corev1.ConfigMap
	shards map[string]*corev1.ConfigMap
}

func (p published) get(name string) *corev1.ConfigMap { return p.shards[name] }

func publish(t testing.TB, shards []*Shard) published {
	t.Helper()
	index, err := Render("vision", shards, NewIndex(shards, Index{}), nil, "42")
	if err != nil {
		t.Fatalf("Render(...): %v", err)
	}
	p := published{index: index, shards: map[string]*corev1.ConfigMap{}}
	for _, shard := range shards {
		if shard.Name != ConfigMapName {
			p.shards[shard.Name] = shard.ConfigMap("vision")
		}
	}
	return p
}

// texts are the entries of items, by name.
func texts(items []Item) map[string]string {
	out := map[string]string{}
	for _, item := range items {
		out[item.Name] = item.Text
	}
	return out
}
