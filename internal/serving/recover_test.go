package serving

import (
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/registry"
)

func itemOf(t *testing.T, edit func(*registry.Entry)) *registry.Item {
	t.Helper()
	e := registry.Entry{TaskMeta: registry.TaskMeta{Name: "caption"}}
	e.Kubernetes.UID, e.Kubernetes.Generation = "u", 3
	e.Kubernetes.Placement = placementOf("2")
	edit(&e)
	item, err := e.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return &item
}

func placementOf(cpu string) v1alpha1.Placement {
	return v1alpha1.Placement{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu)}}
}

// Who writes ConfigMaps can write any entry; the status, which only the operator writes, tells which one is genuine.
func TestAuthentic(t *testing.T) {
	genuine := itemOf(t, func(*registry.Entry) {})
	noted := placementOf("2")
	statusOf := func(edit func(*v1alpha1.MazeTaskStatus)) *v1alpha1.MazeTask {
		task := &v1alpha1.MazeTask{Status: v1alpha1.MazeTaskStatus{
			ObservedGeneration: 3, Placement: &noted,
			Entry: &v1alpha1.EntryReference{Key: "caption", Generation: 3, Digest: genuine.Digest},
		}}
		edit(&task.Status)
		return task
	}
	served := statusOf(func(*v1alpha1.MazeTaskStatus) {})
	for _, tc := range []struct {
		name string
		task *v1alpha1.MazeTask
		item *registry.Item
		want *registry.Item
	}{
		{"genuine", served, genuine, genuine},
		{"moved by the nodes since", served, itemOf(t, func(e *registry.Entry) { e.Kubernetes.Placement = placementOf("8") }), genuine},
		{"other content", served, itemOf(t, func(e *registry.Entry) { e.EntryPoint = new(string) }), nil},
		{"another generation", served, itemOf(t, func(e *registry.Entry) { e.Kubernetes.Generation = 4 }), nil},
		{"another name", served, itemOf(t, func(e *registry.Entry) { e.Name = "ocr" }), nil},
		{"another UID", served, itemOf(t, func(e *registry.Entry) { e.Kubernetes.UID = "v" }), nil},
		{"no such task", nil, genuine, nil},
		{"never served", statusOf(func(s *v1alpha1.MazeTaskStatus) { s.Entry = nil }), genuine, nil},
		{"never observed", &v1alpha1.MazeTask{}, itemOf(t, func(e *registry.Entry) { e.Kubernetes.Generation = 0 }), nil},
		{"served as another generation", statusOf(func(s *v1alpha1.MazeTaskStatus) { s.Entry.Generation = 2 }), genuine, nil},
		{
			"without a placement to compare with", statusOf(func(s *v1alpha1.MazeTaskStatus) { s.Placement = nil }),
			itemOf(t, func(e *registry.Entry) { e.Kubernetes.Placement = placementOf("8") }), nil,
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			got := authentic(tc.task, tc.item)
			if (got == nil) != (tc.want == nil) || got != nil && got.Text != tc.want.Text {
				t.Errorf("got %v, want %v", got, tc.want)
			}
		})
	}
}
