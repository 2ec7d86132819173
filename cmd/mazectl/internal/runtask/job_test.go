package runtask

import (
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/registry"
)

var update = flag.Bool("update", false, "write the Job to testdata/job.yaml instead of comparing it")

// entryOf returns the entry of a task, with changes.
func entryOf(t *testing.T, changes ...func(*v1alpha1.MazeTask)) *registry.Entry {
	t.Helper()
	task := &v1alpha1.MazeTask{
		ObjectMeta: metav1.ObjectMeta{Namespace: "vision", Name: "image-caption", UID: "7d3e", Generation: 3},
		Spec: v1alpha1.MazeTaskSpec{
			Name: "image_caption", EntryPoint: "tools.image:caption",
			Resources: v1alpha1.Resources{Type: v1alpha1.ResourceTypeGPU, ModelName: "llava $(HOME)", Backend: "vllm"},
			Run: &v1alpha1.Run{
				Image: "registry.example.com/tools:v1", Timeout: "90.5s", Retries: ptr.To[int32](2),
				EnvFrom: []v1alpha1.EnvFromSource{{Prefix: "A_", SecretRef: &v1alpha1.EnvFromReference{Name: "keys", Optional: ptr.To(true)}}},
			},
		},
	}
	for _, change := range changes {
		change(task)
	}
	placement := v1alpha1.Placement{
		Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1")}, Limits: corev1.ResourceList{"nvidia.com/gpu": resource.MustParse("2")},
		NodeSelector: map[string]string{"pool": "gpus"}, SchedulerName: "kai-scheduler", Annotations: map[string]string{"gpu-memory": "4096"},
		Affinity: &v1alpha1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
			NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{
				{Key: "nvidia.com/gpu.memory", Operator: corev1.NodeSelectorOpGt, Values: []string{"4095"}},
			}}},
		}}},
		Tolerations: []corev1.Toleration{{Key: "nvidia.com/gpu", Operator: corev1.TolerationOpExists}},
		GPU:         &v1alpha1.GPUPlacement{Count: 2, TensorParallelSize: 2},
	}
	entry, err := registry.NewEntry(task, registry.Interface{Input: []byte(`{"type":"object"}`), Output: []byte(`{"type":"object"}`)}, placement, nil)
	if err != nil {
		t.Fatal(err)
	}
	return &entry
}

func TestNewJob(t *testing.T) {
	variable, err := ParseEnv("PRICE=$5")
	if err != nil {
		t.Fatal(err)
	}
	source, err := ParseEnvFrom("configmap/settings")
	if err != nil {
		t.Fatal(err)
	}
	job, err := NewJob(entryOf(t), []byte(`{"image":"$(HOME)"}`), &JobOptions{
		Namespace: "vision", Claim: "files", Env: []corev1.EnvVar{variable}, EnvFrom: []corev1.EnvFromSource{source}, PullSecrets: []string{"registry"},
		ServiceAccount: "reader",
	})
	if err != nil {
		t.Fatal(err)
	}
	got, err := yaml.Marshal(job)
	if err != nil {
		t.Fatal(err)
	}
	const file = "testdata/job.yaml"
	if *update {
		if err := os.WriteFile(file, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("-want +got, -update writes it:\n%s", diff)
	}
}

func TestNewJobRefuses(t *testing.T) {
	for name, tc := range map[string]struct {
		change    func(*v1alpha1.MazeTask)
		image     string
		arguments string
		want      string
	}{
		"no entry point":  {change: func(t *v1alpha1.MazeTask) { t.Spec.EntryPoint = "" }, want: "MazeTask image-caption has no entryPoint"},
		"no image":        {change: func(t *v1alpha1.MazeTask) { t.Spec.Run = nil }, want: "MazeTask image-caption names no image: set its run.image, or give --image"},
		"the user's":      {change: func(t *v1alpha1.MazeTask) { t.Spec.Run = nil }, image: "tools:v2"},
		"large arguments": {arguments: `{"a":"` + strings.Repeat("x", 130<<10) + `"}`, want: "the arguments have 133128 bytes, and a variable holds 131008"},
		"a large entry":   {change: func(t *v1alpha1.MazeTask) { t.Spec.Description = strings.Repeat("x", 210<<10) }, want: "an annotation holds 204800"},
	} {
		t.Run(name, func(t *testing.T) {
			if tc.change == nil {
				tc.change = func(*v1alpha1.MazeTask) {}
			}
			job, err := NewJob(entryOf(t, tc.change), []byte(tc.arguments), &JobOptions{Image: tc.image})
			if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
			if err == nil && job.Spec.Template.Spec.Containers[0].Image != tc.image {
				t.Errorf("image %s, want %s", job.Spec.Template.Spec.Containers[0].Image, tc.image)
			}
		})
	}
}

// TestGeneratedFrom: any name of a task makes the beginning of a Job's.
func TestGeneratedFrom(t *testing.T) {
	for name, want := range map[string]string{
		"image_caption": "image-caption-", "A.b": "a-b-", "x": "x-", strings.Repeat("a", 253): strings.Repeat("a", 40) + "-",
		strings.Repeat("a", 39) + "._b": strings.Repeat("a", 39) + "-",
	} {
		if got := generatedFrom(name); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
}
