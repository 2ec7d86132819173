package main

import (
	"flag"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// TestSettings: what the flags and the task say of a Pod, together.
func TestSettings(t *testing.T) {
	flags := flag.NewFlagSet("", flag.ContinueOnError)
	s := theScheduler(mustRead(t, nodes(`"a": {}`)))
	s.addFlags(flags)
	err := flags.Parse([]string{
		"--image", "executor:1", "--volume", "files", "--env", "MAZE_PACKAGES=tools", "--env", "MAZE_TASK=other", "--env", "PRICE=$5=a", "--env-from", "secret/keys",
		"--env-from", "configmap/settings", "--pull-secret", "registry", "--pull-secret", "other", "--service-account", "reader",
	})
	if err != nil {
		t.Fatal(err)
	}
	task := newTask(t, "f", withRun(v1alpha1.Run{
		Image: "tools:v1", Timeout: "90.5s",
		EnvFrom: []v1alpha1.EnvFromSource{
			{Prefix: "A_", SecretRef: &v1alpha1.EnvFromReference{Name: "own", Optional: ptr.To(true)}}, {ConfigMapRef: &v1alpha1.EnvFromReference{Name: "more"}},
		},
	}), func(task *v1alpha1.MazeTask) {
		task.Status.Placement.GPU = &v1alpha1.GPUPlacement{TensorParallelSize: 4}
		task.Spec.Resources.Backend = "vllm"
	}, generation(t, 1))
	entry, _ := publish(t, task).Get("f")
	spec := s.newPod(s.workflow.nodes[0], entry, "", 0, "{}").Spec
	c := spec.Containers[0]
	want := []corev1.EnvVar{
		{Name: "MAZE_PACKAGES", Value: "tools"}, {Name: "MAZE_TASK", Value: "other"}, {Name: "PRICE", Value: "$$5=a"},
		{Name: "MAZE_RUN", Value: "demo"}, {Name: "MAZE_NODE", Value: "a"}, {Name: "MAZE_ARGS", Value: "{}"}, {Name: "MAZE_INPUTS", Value: "{}"},
		{Name: "MAZE_MODEL_NAME", Value: "llava-v1.6"}, {Name: "MAZE_BACKEND", Value: "vllm"}, {Name: "MAZE_TENSOR_PARALLEL_SIZE", Value: "4"},
		{Name: "MAZE_REGISTRY", Value: "/etc/maze-task/registry.json"}, {Name: "MAZE_TASK", Value: "f"}, // the last one counts
		{Name: "MAZE_TIMEOUT", Value: "90.5"}, {Name: "MAZE_SHARED", Value: "/shared"},
	}
	if diff := cmp.Diff(want, c.Env); diff != "" {
		t.Errorf("variables (-want +got):\n%s", diff)
	}
	reference := func(name string) corev1.LocalObjectReference { return corev1.LocalObjectReference{Name: name} }
	wantFrom := []corev1.EnvFromSource{
		{SecretRef: &corev1.SecretEnvSource{LocalObjectReference: reference("keys")}},
		{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: reference("settings")}},
		{Prefix: "A_", SecretRef: &corev1.SecretEnvSource{LocalObjectReference: reference("own"), Optional: ptr.To(true)}},
		{ConfigMapRef: &corev1.ConfigMapEnvSource{LocalObjectReference: reference("more")}},
	}
	if diff := cmp.Diff(wantFrom, c.EnvFrom); diff != "" {
		t.Errorf("envFrom (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]corev1.LocalObjectReference{reference("registry"), reference("other")}, spec.ImagePullSecrets); diff != "" {
		t.Errorf("pull Secrets (-want +got):\n%s", diff)
	}
	if c.Image != "tools:v1" || spec.ServiceAccountName != "reader" || spec.AutomountServiceAccountToken != nil || *spec.ActiveDeadlineSeconds != 91+10+1800 ||
		*spec.SecurityContext.FSGroup != 65532 || spec.Volumes[1].PersistentVolumeClaim.ClaimName != "files" || c.VolumeMounts[1].MountPath != "/shared" {
		t.Errorf("want the task's image, the account, the deadline, the group and the volume, got %+v", spec)
	}
}

func TestWrongSettings(t *testing.T) {
	for argument, want := range map[string]string{
		"--env=MAZE": "write NAME=VALUE", "--env==a": "write NAME=VALUE", "--env-from=keys": "write secret/NAME or configmap/NAME",
		"--env-from=secret/": "write secret/NAME", "--env-from=pod/a": "write secret/NAME",
	} {
		flags := flag.NewFlagSet("", flag.ContinueOnError)
		flags.SetOutput(io.Discard)
		(&settings{}).addFlags(flags)
		if err := flags.Parse([]string{argument}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: want %q, got %v", argument, want, err)
		}
	}
}

// TestInputs: a node gets what the nodes that it needs have left in their messages.
func TestInputs(t *testing.T) {
	task := newTask(t, "f")
	w := mustRead(t, nodes(`"a": {}`, `"b": {"x": "a.output.text", "y": ["a.output.list[0]"]}`))
	entry, _ := publish(t, task).Get("f")
	large := `"` + strings.Repeat("x", 140<<10) + `"`
	for name, tc := range map[string]struct {
		message, claim, args string
		want                 string
		wantWhy              string
	}{
		"small":                {message: `{"outputs":{"text":"hi","list":[1],"n":9007199254740993}}`, want: `{"a":{"list":[1],"n":9007199254740993,"text":"hi"}}`},
		"another is too large": {message: `{"outputs":{"text":"hi"},"omitted":["image"]}`, want: `{"a":{"text":"hi"}}`},
		"nothing":              {message: ``, want: `{}`},
		"too large": {
			message: `{"outputs":{"text":"hi"},"omitted":["list"]}`,
			wantWhy: "the output list of a has no room in a termination message: give a --volume that all Pods share",
		},
		"too large, with a volume": {message: `{"outputs":{"text":"hi"},"omitted":["list"]}`, claim: "files", want: `{}`},
		"more than Linux takes":    {message: `{"outputs":{"text":` + large + `}}`, wantWhy: "its arguments have 143377 bytes, and a variable holds 131008"},
	} {
		t.Run(name, func(t *testing.T) {
			s := theScheduler(w)
			s.claim = tc.claim
			first := s.newPod(w.nodes[0], entry, "", 0, "{}")
			left(corev1.PodSucceeded, 0, tc.message)(first)
			p := s.decide(see(publish(t, task), []*v1alpha1.MazeTask{task}, first))
			if tc.wantWhy != "" {
				if got := p.progress[1]; got.phase != failed || !strings.Contains(got.text, tc.wantWhy) || len(p.create) > 0 {
					t.Errorf("want it to fail, as %s, got %s: %s", tc.wantWhy, got.phase, got.text)
				}
				return
			}
			for _, variable := range p.create[0].Spec.Containers[0].Env {
				if variable.Name == "MAZE_INPUTS" && variable.Value != tc.want {
					t.Errorf("inputs %s, want %s", variable.Value, tc.want)
				}
			}
		})
	}
}

// TestDecideWithoutAnImage: the task names none, and neither does the user.
func TestDecideWithoutAnImage(t *testing.T) {
	task, of := newTask(t, "f"), newTask(t, "f", withRun(v1alpha1.Run{Image: "tools:v1"}), generation(t, 1))
	for want, task := range map[string]*v1alpha1.MazeTask{
		"waits: MazeTask f names no image: set its run.image, or give --image": task,
		"starts f (Does it.; model llava-v1.6), generation 1":                  of,
	} {
		s := &scheduler{workflow: mustRead(t, nodes(`"a": {}`)), namespace: "vision"}
		if got := s.decide(see(publish(t, task), []*v1alpha1.MazeTask{task})).progress[0].text; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

// TestDecideTellsWhyAPodIsStuck: on its node, it does not start.
func TestDecideTellsWhyAPodIsStuck(t *testing.T) {
	task := newTask(t, "f")
	s := theScheduler(mustRead(t, nodes(`"a": {}`)))
	entry, _ := publish(t, task).Get("f")
	name := podName("demo", "a", 0)
	for _, tc := range []struct{ reason, message, want string }{
		{"ErrImagePull", "not found", "waits: Pod " + name + " is on gpu-1: ErrImagePull: not found"},
		{"CreateContainerConfigError", `secret "keys" not found`, "waits: Pod " + name + ` is on gpu-1: CreateContainerConfigError: secret "keys" not found`},
		{"InvalidImageName", "", "waits: Pod " + name + " is on gpu-1: InvalidImageName"},
		{"ContainerCreating", "", "runs as Pod " + name + " on gpu-1"},
		{"PodInitializing", "", "runs as Pod " + name + " on gpu-1"},
	} {
		pod := s.newPod(s.workflow.nodes[0], entry, "", 0, "{}")
		pod.Spec.NodeName = "gpu-1"
		pod.Status.ContainerStatuses = []corev1.ContainerStatus{{State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: tc.reason, Message: tc.message}}}}
		if got := s.decide(see(publish(t, task), []*v1alpha1.MazeTask{task}, pod)).progress[0].text; got != tc.want {
			t.Errorf("%s: got %s, want %s", tc.reason, got, tc.want)
		}
	}
}
