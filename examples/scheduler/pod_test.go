package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/utils/ptr"
)

func TestNewPod(t *testing.T) {
	task := newTask(t, "image_caption", generation(t, 3))
	published := publish(t, task)
	entry, _ := published.Get("image_caption")
	digest, _ := published.Digest("image_caption")
	w := mustRead(t, `{"nodes": [{"id": "t2", "func": "image_caption", "args": {"image": "/data/img.jpg", "price": "$$5 or $(HOME)"}}]}`)

	got := theScheduler(w).newPod(w.nodes[0], entry, digest, 0, `{"t1":{"a":1}}`)

	placement := task.Status.Placement
	want := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Namespace: "vision",
			Name:      "demo-t2-" + shortHash("demo\x00t2"),
			Labels: map[string]string{
				"scheduler.mazeagent.net/run": "demo", "scheduler.mazeagent.net/node": "t2", "scheduler.mazeagent.net/task": "image_caption",
			},
			Annotations: map[string]string{
				"scheduler.mazeagent.net/node": "t2", "scheduler.mazeagent.net/task": "image_caption", "scheduler.mazeagent.net/generation": "3",
				"scheduler.mazeagent.net/spec": entry.Digest.Spec, "scheduler.mazeagent.net/interface": entry.Digest.Interface,
				"scheduler.mazeagent.net/entry":    task.Status.Entry.Digest,
				"scheduler.mazeagent.net/registry": `{"image_caption":` + itemOf(t, task).Text + `}`,
			},
		},
		Spec: corev1.PodSpec{
			RestartPolicy:                corev1.RestartPolicyNever,
			AutomountServiceAccountToken: ptr.To(false),
			EnableServiceLinks:           ptr.To(false),
			SecurityContext: &corev1.PodSecurityContext{
				RunAsNonRoot: ptr.To(true), SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault},
			},
			NodeSelector: placement.NodeSelector,
			Affinity:     &corev1.Affinity{NodeAffinity: placement.Affinity.NodeAffinity},
			Tolerations:  placement.Tolerations,
			Volumes: []corev1.Volume{{Name: "registry", VolumeSource: corev1.VolumeSource{DownwardAPI: &corev1.DownwardAPIVolumeSource{
				Items: []corev1.DownwardAPIVolumeFile{
					{Path: "registry.json", FieldRef: &corev1.ObjectFieldSelector{FieldPath: "metadata.annotations['scheduler.mazeagent.net/registry']"}},
				},
			}}}},
			Containers: []corev1.Container{{
				Name: "task", Image: "executor:1", Command: []string{"python3", "-m", "maregister", "run"}, Args: []string{"tools:image_caption"},
				Env: []corev1.EnvVar{
					{Name: "MAZE_RUN", Value: "demo"},
					{Name: "MAZE_NODE", Value: "t2"},
					{Name: "MAZE_ARGS", Value: `{"image":"/data/img.jpg","price":"$$$$5 or $$(HOME)"}`},
					{Name: "MAZE_INPUTS", Value: `{"t1":{"a":1}}`},
					{Name: "MAZE_MODEL_NAME", Value: "llava-v1.6"},
					{Name: "MAZE_REGISTRY", Value: "/etc/maze-task/registry.json"},
					{Name: "MAZE_TASK", Value: "image_caption"},
				},
				TerminationMessagePolicy: corev1.TerminationMessageFallbackToLogsOnError,
				VolumeMounts:             []corev1.VolumeMount{{Name: "registry", ReadOnly: true, MountPath: "/etc/maze-task"}},
				Resources:                corev1.ResourceRequirements{Requests: placement.Requests, Limits: placement.Limits},
				SecurityContext: &corev1.SecurityContext{
					AllowPrivilegeEscalation: ptr.To(false), Capabilities: &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
				},
			}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAPodOfATaskWithoutGPUs(t *testing.T) {
	task := newTask(t, "split_pdf")
	task.Status.Placement.Affinity, task.Status.Placement.Tolerations = nil, nil
	published := publish(t, task)
	entry, _ := published.Get("split_pdf")
	w := mustRead(t, nodes(`"a": {}`))
	if pod := theScheduler(w).newPod(w.nodes[0], entry, "", 0, "{}"); pod.Spec.Affinity != nil || pod.Spec.Tolerations != nil {
		t.Errorf("want no affinity and no tolerations, got %+v", pod.Spec)
	}
}

// TestAPodOfAShare: what a scheduler that gives shares of GPUs needs goes into the Pod beside its own annotations.
func TestAPodOfAShare(t *testing.T) {
	task := newTask(t, "split_pdf")
	task.Status.Placement.SchedulerName, task.Status.Placement.Annotations = "kai-scheduler", map[string]string{"gpu-memory": "4096"}
	published := publish(t, task)
	entry, _ := published.Get("split_pdf")
	w := mustRead(t, nodes(`"a": {}`))
	pod := theScheduler(w).newPod(w.nodes[0], entry, "digest", 0, "{}")
	if pod.Spec.SchedulerName != "kai-scheduler" || pod.Annotations["gpu-memory"] != "4096" || pod.Annotations["scheduler.mazeagent.net/entry"] != "digest" {
		t.Errorf("want the scheduler and both annotations, got %q and %v", pod.Spec.SchedulerName, pod.Annotations)
	}
}

func TestNames(t *testing.T) {
	long := strings.Repeat("x", 300)
	seenNames := map[string]string{}
	for _, run := range []string{"demo", "demo-t", "Demo", "演示", long, long + "y"} {
		for _, id := range []string{"t1", "t-1", "1", "T1", "_", "节点", long, long + "y"} {
			name := podName(run, id, 0)
			if wrong := validation.IsDNS1123Label(name); len(wrong) > 0 {
				t.Errorf("%q of run %q: Pod %q: %q", id, run, name, wrong)
			}
			if other, taken := seenNames[name]; taken {
				t.Errorf("%q of run %q has the same Pod as %s", id, run, other)
			}
			seenNames[name] = run + " " + id
		}
	}
	labels := map[string]bool{}
	for _, text := range []string{"image_caption", "a.b-c", "", "-", "节点", "image caption", "image-caption", long, long + "y"} {
		value := labelValue(text)
		if wrong := validation.IsValidLabelValue(value); len(wrong) > 0 || value == "" || labels[value] {
			t.Errorf("%q has the label's value %q: %q", text, value, wrong)
		}
		labels[value] = true
	}
	if got := labelValue("image_caption"); got != "image_caption" {
		t.Errorf("want what can be a label's value to stay, got %q", got)
	}
}
