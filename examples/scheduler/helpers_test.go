package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/client"
	"github.com/maze-agent/maregister/internal/registry"
)

// change makes a task differ from the one that newTask gives.
type change func(*v1alpha1.MazeTask)

// newTask returns a task of the first generation that is Ready, is served, and needs a GPU of 4Gi. Its object is vision/speech-to-text where
// its name is speech_to_text. What is served is the task as it is before the changes.
func newTask(t *testing.T, name string, changes ...change) *v1alpha1.MazeTask {
	t.Helper()
	objectName := strings.ReplaceAll(name, "_", "-")
	task := &v1alpha1.MazeTask{
		ObjectMeta: metav1.ObjectMeta{Namespace: "vision", Name: objectName, UID: types.UID("uid of " + objectName), Generation: 1},
		Spec: v1alpha1.MazeTaskSpec{
			Name: name, Description: "Does it.\nWell.", EntryPoint: "tools:" + name,
			Resources: v1alpha1.Resources{Type: v1alpha1.ResourceTypeGPU, ModelName: "llava-v1.6"},
		},
		Status: v1alpha1.MazeTaskStatus{
			ObservedGeneration: 1,
			Conditions: []metav1.Condition{
				{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, ObservedGeneration: 1},
				{Type: v1alpha1.ConditionPlaceable, Status: metav1.ConditionTrue, ObservedGeneration: 1},
			},
			Placement: &v1alpha1.Placement{
				Requests:     corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1"), "nvidia.com/gpu": resource.MustParse("1")},
				Limits:       corev1.ResourceList{"nvidia.com/gpu": resource.MustParse("1")},
				NodeSelector: map[string]string{"pool": "gpus"},
				Affinity: &v1alpha1.Affinity{NodeAffinity: &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{
					NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{
						{Key: "nvidia.com/gpu.memory", Operator: corev1.NodeSelectorOpGt, Values: []string{"4095"}},
					}}},
				}}},
				Tolerations: []corev1.Toleration{{Key: "nvidia.com/gpu", Operator: corev1.TolerationOpExists}},
			},
		},
	}
	task.Status.Entry = &v1alpha1.EntryReference{Digest: itemOf(t, task).Digest}
	for _, c := range changes {
		c(task)
	}
	return task
}

// itemOf returns the entry that the operator would publish for a task.
func itemOf(t *testing.T, task *v1alpha1.MazeTask) registry.Item {
	t.Helper()
	schema := json.RawMessage(`{"type":"object"}`)
	entry, err := registry.NewEntry(task, registry.Interface{Input: schema, Output: schema}, *task.Status.Placement, nil)
	if err != nil {
		t.Fatal(err)
	}
	item, err := entry.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return item
}

// publish returns the registry of tasks, as the client reads it.
func publish(t *testing.T, tasks ...*v1alpha1.MazeTask) client.Snapshot {
	t.Helper()
	items := make([]registry.Item, len(tasks))
	for i, task := range tasks {
		items[i] = itemOf(t, task)
	}
	shards := registry.Split(items, registry.DefaultShardSize)
	index, err := registry.Render("vision", shards, registry.NewIndex(shards, registry.Index{}), nil, "1")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	for key, text := range index.Data {
		if err := os.WriteFile(filepath.Join(folder, key), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	snapshot, err := client.ReadFolder(folder)
	if err != nil {
		t.Fatal(err)
	}
	return snapshot
}

// see returns what is seen of a registry, tasks and Pods.
func see(published client.Snapshot, tasks []*v1alpha1.MazeTask, pods ...*corev1.Pod) seen {
	now := seen{registry: published, tasks: map[string][]v1alpha1.MazeTask{}, pods: map[string]*corev1.Pod{}}
	for _, task := range tasks {
		now.tasks[task.Spec.Name] = append(now.tasks[task.Spec.Name], *task)
	}
	for _, pod := range pods {
		now.pods[pod.Name] = pod
	}
	return now
}

// condition changes a condition's status and message.
func condition(conditionType string, status metav1.ConditionStatus, message string) change {
	return func(task *v1alpha1.MazeTask) {
		for i := range task.Status.Conditions {
			if c := &task.Status.Conditions[i]; c.Type == conditionType {
				c.Status, c.Message = status, message
			}
		}
	}
}

// withRun has a task say how a Pod runs it.
func withRun(declared v1alpha1.Run) change {
	return func(task *v1alpha1.MazeTask) { task.Spec.Run = &declared }
}

// edited makes a task be of a generation that the operator has not judged.
func edited(task *v1alpha1.MazeTask) { task.Generation++ }

// generation makes a task be of a generation that the operator has judged and published.
func generation(t *testing.T, number int64) change {
	return func(task *v1alpha1.MazeTask) {
		task.Generation, task.Status.ObservedGeneration = number, number
		for i := range task.Status.Conditions {
			task.Status.Conditions[i].ObservedGeneration = number
		}
		task.Status.Entry = &v1alpha1.EntryReference{Digest: itemOf(t, task).Digest}
	}
}

// lines returns what is said of each node, a line each.
func lines(all []progress) string {
	var text strings.Builder
	for _, p := range all {
		fmt.Fprintf(&text, "%s %s: %s\n", p.node.ID, p.phase, p.text)
	}
	return text.String()
}

// theScheduler returns one that runs a workflow in the namespace vision.
func theScheduler(w *workflow) *scheduler {
	return &scheduler{workflow: w, namespace: "vision", settings: settings{image: "executor:1"}}
}

// mustRead reads a workflow.
func mustRead(t *testing.T, content string) *workflow {
	t.Helper()
	w, err := readWorkflow([]byte(content), "demo")
	if err != nil {
		t.Fatal(err)
	}
	return w
}
