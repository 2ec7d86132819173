package main

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/placement"
)

// newTask returns a task of the first generation that needs 4Gi of GPU memory and is Ready, before options change it. The
// object image-caption has the task image_caption.
func newTask(name string, options ...func(*v1alpha1.MazeTask)) *v1alpha1.MazeTask {
	gpuMemory, cpu, memory := resource.MustParse("4Gi"), resource.MustParse("1"), resource.MustParse("1Gi")
	task := &v1alpha1.MazeTask{
		ObjectMeta: metav1.ObjectMeta{Namespace: "vision", Name: strings.ReplaceAll(name, "_", "-"), UID: "1", Generation: 1},
		Spec: v1alpha1.MazeTaskSpec{
			Name:        name,
			Description: "为输入图像生成描述性文本 & <more>",
			Resources:   v1alpha1.Resources{Type: v1alpha1.ResourceTypeGPU, CPU: &cpu, Memory: &memory, GPUMemory: &gpuMemory},
			EntryPoint:  "tools.image:image_caption",
		},
	}
	task.Status = v1alpha1.MazeTaskStatus{
		ObservedGeneration: 1,
		Conditions: []metav1.Condition{
			{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue},
			{Type: v1alpha1.ConditionPlaceable, Status: metav1.ConditionUnknown},
		},
	}
	placed := placement.Resolve(placement.RequirementOf(&task.Spec.Resources), placement.NewBuilder(placement.DefaultConfig()).Inventory()).Placement
	task.Status.Placement = &placed
	for _, option := range options {
		option(task)
	}
	return task
}

func withCondition(conditionType string, status metav1.ConditionStatus) func(*v1alpha1.MazeTask) {
	return func(task *v1alpha1.MazeTask) {
		for i := range task.Status.Conditions {
			if task.Status.Conditions[i].Type == conditionType {
				task.Status.Conditions[i].Status = status
			}
		}
	}
}

func withName(name string) func(*v1alpha1.MazeTask) {
	return func(task *v1alpha1.MazeTask) { task.Spec.Name = name }
}

func TestPodFor(t *testing.T) {
	cases := map[string]struct {
		tasks []*v1alpha1.MazeTask
		// want is the GenerateName of the Pod.
		want    string
		wantErr string
	}{
		"ready, nodes unknown": {
			tasks: []*v1alpha1.MazeTask{newTask("image_caption"), newTask("other")},
			want:  "image-caption-",
		},
		"ready and placeable": {
			tasks: []*v1alpha1.MazeTask{newTask("image_caption", withCondition(v1alpha1.ConditionPlaceable, metav1.ConditionTrue))},
			want:  "image-caption-",
		},
		"no node for it": {
			tasks:   []*v1alpha1.MazeTask{newTask("image_caption", withCondition(v1alpha1.ConditionPlaceable, metav1.ConditionFalse))},
			wantErr: "cannot be scheduled now: kubectl -n vision describe mazetask image-caption",
		},
		"not ready": {
			tasks:   []*v1alpha1.MazeTask{newTask("image_caption", withCondition(v1alpha1.ConditionReady, metav1.ConditionFalse))},
			wantErr: "cannot be scheduled now: kubectl -n vision describe mazetask image-caption",
		},
		"never seen by the operator": {
			tasks: []*v1alpha1.MazeTask{newTask("image_caption", func(task *v1alpha1.MazeTask) {
				task.Status = v1alpha1.MazeTaskStatus{ObservedGeneration: -1}
			})},
			wantErr: "cannot be scheduled now: kubectl -n vision describe mazetask image-caption",
		},
		"edited, and the edit not judged yet": {
			tasks:   []*v1alpha1.MazeTask{newTask("image_caption", func(task *v1alpha1.MazeTask) { task.Generation = 2 })},
			wantErr: "cannot be scheduled now: kubectl -n vision describe mazetask image-caption",
		},
		"two with the name": {
			tasks: []*v1alpha1.MazeTask{
				newTask("caption-v1", withName("image_caption"), withCondition(v1alpha1.ConditionReady, metav1.ConditionFalse)),
				newTask("caption-v2", withName("image_caption")),
			},
			want: "caption-v2-",
		},
		"another namespace": {
			tasks:   []*v1alpha1.MazeTask{newTask("image_caption", func(task *v1alpha1.MazeTask) { task.Namespace = "speech" })},
			wantErr: "no MazeTask in namespace vision has spec.name image_caption",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			pod, err := podFor(context.Background(), readerOf(t, tc.tasks), "vision", "image_caption", "executor:1")
			switch {
			case tc.wantErr != "":
				if err == nil || !strings.Contains(err.Error(), tc.wantErr) {
					t.Fatalf("want an error with %q, got %v", tc.wantErr, err)
				}
			case err != nil:
				t.Fatal(err)
			case pod.GenerateName != tc.want:
				t.Errorf("want a Pod %s…, got %s…", tc.want, pod.GenerateName)
			}
		})
	}
}

func TestNewPodHasThePlacementAsItIs(t *testing.T) {
	task := newTask("image_caption", func(task *v1alpha1.MazeTask) {
		task.Status.Placement.NodeSelector = map[string]string{"nvidia.com/mig.capable": "true"}
	})
	placed := task.Status.Placement
	pod := newPod(task, "executor:1")
	got := v1alpha1.Placement{
		Requests:     pod.Spec.Containers[0].Resources.Requests,
		Limits:       pod.Spec.Containers[0].Resources.Limits,
		NodeSelector: pod.Spec.NodeSelector,
		Affinity:     &v1alpha1.Affinity{NodeAffinity: pod.Spec.Affinity.NodeAffinity},
		Tolerations:  pod.Spec.Tolerations,
		GPU:          placed.GPU, // tells of the request; a Pod has no such field
	}
	if diff := cmp.Diff(*placed, got); diff != "" {
		t.Errorf("the placement in the Pod differs (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"tools.image:image_caption"}, pod.Spec.Containers[0].Args); diff != "" {
		t.Error(diff)
	}
	cpuTask := newTask("split_pdf", func(task *v1alpha1.MazeTask) {
		task.Status.Placement = &v1alpha1.Placement{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("1")}}
	})
	if pod := newPod(cpuTask, "executor:1"); pod.Spec.Affinity != nil || pod.Spec.Tolerations != nil {
		t.Errorf("want no constraints for a cpu task, got %+v", pod.Spec)
	}
}

// readerOf returns a client that finds the tasks as the API server and watchTasks do.
func readerOf(t *testing.T, tasks []*v1alpha1.MazeTask) client.Reader {
	t.Helper()
	scheme := runtime.NewScheme()
	if err := v1alpha1.AddToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	builder := fake.NewClientBuilder().WithScheme(scheme).WithIndex(&v1alpha1.MazeTask{}, "spec.name", specName)
	for _, task := range tasks {
		builder.WithObjects(task)
	}
	return builder.Build()
}
