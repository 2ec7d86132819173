package main

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/client"
)

// TestStartable: what is published, and the tasks that are seen with it.
func TestStartable(t *testing.T) {
	task := newTask(t, "image_caption")
	later := newTask(t, "image_caption", generation(t, 2))
	cases := map[string]struct {
		published []*v1alpha1.MazeTask
		tasks     []*v1alpha1.MazeTask
		want      string // what it waits for
	}{
		"Ready and Placeable": {published: []*v1alpha1.MazeTask{task}, tasks: []*v1alpha1.MazeTask{task}},
		"no verdict on the nodes": {
			published: []*v1alpha1.MazeTask{task},
			tasks:     []*v1alpha1.MazeTask{newTask(t, "image_caption", condition(v1alpha1.ConditionPlaceable, metav1.ConditionUnknown, "no nodes are known"))},
		},
		"no node can host it": {
			published: []*v1alpha1.MazeTask{task},
			tasks:     []*v1alpha1.MazeTask{newTask(t, "image_caption", condition(v1alpha1.ConditionPlaceable, metav1.ConditionFalse, "T4 (1 node): short"))},
			want:      "T4 (1 node): short",
		},
		"not Ready": {
			published: []*v1alpha1.MazeTask{task},
			tasks:     []*v1alpha1.MazeTask{newTask(t, "image_caption", condition(v1alpha1.ConditionReady, metav1.ConditionFalse, "a pattern"))},
			want:      "MazeTask image-caption is not Ready: a pattern",
		},
		"edited, and not judged yet": {
			published: []*v1alpha1.MazeTask{task},
			tasks:     []*v1alpha1.MazeTask{newTask(t, "image_caption", edited)},
			want:      "the operator has not judged generation 2 of MazeTask image-caption yet",
		},
		"never judged": {
			published: []*v1alpha1.MazeTask{task},
			tasks: []*v1alpha1.MazeTask{newTask(t, "image_caption", func(task *v1alpha1.MazeTask) {
				task.Status = v1alpha1.MazeTaskStatus{ObservedGeneration: -1}
			})},
			want: "the operator has not judged generation 1 of MazeTask image-caption yet",
		},
		"the status is ahead of the registry": {
			published: []*v1alpha1.MazeTask{task}, tasks: []*v1alpha1.MazeTask{later}, want: "the entry of MazeTask image-caption is on its way",
		},
		"the registry is ahead of the status": {
			published: []*v1alpha1.MazeTask{later}, tasks: []*v1alpha1.MazeTask{task}, want: "the entry of MazeTask image-caption is on its way",
		},
		"Ready, and the entry not seen yet": {tasks: []*v1alpha1.MazeTask{task}, want: "the entry of MazeTask image-caption is on its way"},
		"another task of that name is served": {
			published: []*v1alpha1.MazeTask{task},
			tasks: []*v1alpha1.MazeTask{
				newTask(t, "image_caption", condition(v1alpha1.ConditionReady, metav1.ConditionFalse, "conflict"), func(task *v1alpha1.MazeTask) {
					task.Name, task.UID = "older", "older"
				}),
				task,
			},
		},
		"never valid": {
			tasks: []*v1alpha1.MazeTask{newTask(t, "image_caption", condition(v1alpha1.ConditionReady, metav1.ConditionFalse, "a pattern"))},
			want:  "MazeTask image-caption is not Ready: a pattern",
		},
		"created just now": {
			tasks: []*v1alpha1.MazeTask{newTask(t, "image_caption", func(task *v1alpha1.MazeTask) {
				task.Status = v1alpha1.MazeTaskStatus{ObservedGeneration: -1}
			})},
			want: "the operator has not judged generation 1 of MazeTask image-caption yet",
		},
		"no such task":         {want: "no MazeTask has spec.name image_caption"},
		"the task was deleted": {published: []*v1alpha1.MazeTask{task}, want: "no MazeTask has spec.name image_caption"},
		"the task was created anew": {
			published: []*v1alpha1.MazeTask{task},
			tasks:     []*v1alpha1.MazeTask{newTask(t, "image_caption", func(task *v1alpha1.MazeTask) { task.UID = "another" })},
			want:      "the entry of MazeTask image-caption is on its way",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			now := see(publish(t, tc.published...), tc.tasks)
			entry, got := startable(now.registry, now.tasks["image_caption"], "image_caption")
			if got != tc.want {
				t.Errorf("want %q, got %q", tc.want, got)
			}
			if got == "" && entry.Name != "image_caption" {
				t.Errorf("want the entry, got %+v", entry)
			}
		})
	}
}

// twoNodes is the description's node, and one that needs it.
const twoNodes = `{"nodes": [{"id": "t1", "func": "speech_to_text"}, {"id": "t2", "func": "image_caption", "args": {"image": "t1.output.text"}}]}`

func TestDecide(t *testing.T) {
	speech, caption := newTask(t, "speech_to_text"), newTask(t, "image_caption")
	captionLater := newTask(t, "image_caption", generation(t, 2))
	captionMoved := newTask(t, "image_caption", func(task *v1alpha1.MazeTask) { task.Status.Placement.NodeSelector = nil }, generation(t, 1))
	captionAnew := newTask(t, "image_caption", func(task *v1alpha1.MazeTask) { task.Spec.Resources.ModelName = "larger" }, generation(t, 1))
	both := []*v1alpha1.MazeTask{speech, caption}
	never := newTask(t, "speech_to_text", withRun(v1alpha1.Run{Retries: ptr.To[int32](0)}), generation(t, 1)) // never again
	w := mustRead(t, twoNodes)
	s := &scheduler{workflow: w, namespace: "vision", settings: settings{image: "executor:1"}}
	// pod returns the Pod of a node, made of a task, with changes.
	pod := func(node int, task *v1alpha1.MazeTask, changes ...func(*corev1.Pod)) *corev1.Pod {
		published := publish(t, task)
		entry, _ := published.Get(task.Spec.Name)
		digest, _ := published.Digest(task.Spec.Name)
		made := s.newPod(w.nodes[node], entry, digest, 0, "{}")
		for _, c := range changes {
			c(made)
		}
		return made
	}
	t1, t2 := podName("demo", "t1", 0), podName("demo", "t2", 0)
	cases := map[string]struct {
		published client.Snapshot
		tasks     []*v1alpha1.MazeTask
		pods      []*corev1.Pod
		want      string
		// wantCreate and wantRemove are names of Pods.
		wantCreate, wantRemove []string
		wantEnded              bool
	}{
		"at first": {
			published: publish(t, both...), tasks: both,
			want: "t1 starting: starts speech_to_text (Does it.; model llava-v1.6), generation 1\n" +
				"t2 waiting: waits for t1\n",
			wantCreate: []string{t1},
		},
		"a task that has to wait": {
			published: publish(t, both...),
			tasks:     []*v1alpha1.MazeTask{newTask(t, "speech_to_text", condition(v1alpha1.ConditionPlaceable, metav1.ConditionFalse, "T4: short")), caption},
			want: "t1 waiting: waits: T4: short\n" +
				"t2 waiting: waits for t1\n",
		},
		"a task that no executor can get": {
			published: publish(t, newTask(t, "speech_to_text", func(task *v1alpha1.MazeTask) { task.Spec.EntryPoint = "" }, generation(t, 1))),
			tasks:     []*v1alpha1.MazeTask{newTask(t, "speech_to_text", func(task *v1alpha1.MazeTask) { task.Spec.EntryPoint = "" }, generation(t, 1))},
			want: "t1 waiting: waits: MazeTask speech-to-text has no entryPoint, by which an executor would get the function\n" +
				"t2 waiting: waits for t1\n",
		},
		"no node yet": {
			published: publish(t, both...), tasks: both, pods: []*corev1.Pod{pod(0, speech)},
			want: "t1 pending: waits: Pod " + t1 + " is on no node yet\n" +
				"t2 waiting: waits for t1\n",
		},
		"no node, and why": {
			published: publish(t, both...), tasks: both, pods: []*corev1.Pod{pod(0, speech, unschedulable("0/2 nodes are available"))},
			want: "t1 pending: waits: Pod " + t1 + " is on no node yet: 0/2 nodes are available\n" +
				"t2 waiting: waits for t1\n",
		},
		"no node, and the task cannot be placed any more": {
			published: publish(t, both...),
			tasks:     []*v1alpha1.MazeTask{newTask(t, "speech_to_text", condition(v1alpha1.ConditionPlaceable, metav1.ConditionFalse, "T4: short")), caption},
			pods:      []*corev1.Pod{pod(0, speech)},
			want: "t1 pending: waits: Pod " + t1 + " is on no node yet\n" +
				"t2 waiting: waits for t1\n",
		},
		"bound": {
			published: publish(t, both...), tasks: both, pods: []*corev1.Pod{pod(0, speech, on("gpu-t4"))},
			want: "t1 running: runs as Pod " + t1 + " on gpu-t4\n" +
				"t2 waiting: waits for t1\n",
		},
		"the first is done": {
			published: publish(t, both...), tasks: both, pods: []*corev1.Pod{pod(0, speech, on("gpu-t4"), ended(corev1.PodSucceeded))},
			want: "t1 succeeded: succeeded\n" +
				"t2 starting: starts image_caption (Does it.; model llava-v1.6), generation 1\n",
			wantCreate: []string{t2},
		},
		"edited meanwhile": {
			published: publish(t, speech, captionLater), tasks: []*v1alpha1.MazeTask{speech, captionLater},
			pods: []*corev1.Pod{pod(0, speech, on("gpu-t4"), ended(corev1.PodSucceeded))},
			want: "t1 succeeded: succeeded\n" +
				"t2 starting: starts image_caption (Does it.; model llava-v1.6), generation 2\n",
			wantCreate: []string{t2},
		},
		"edited, and its Pod is on no node": {
			published: publish(t, speech, captionLater), tasks: []*v1alpha1.MazeTask{speech, captionLater},
			pods: []*corev1.Pod{pod(0, speech, on("gpu-t4"), ended(corev1.PodSucceeded)), pod(1, caption, unschedulable("0/2 nodes"))},
			want: "t1 succeeded: succeeded\n" +
				"t2 waiting: starts anew: task image_caption has changed while Pod " + t2 + " was on no node\n",
			wantRemove: []string{t2},
		},
		"edited, and not published yet": {
			published: publish(t, both...), tasks: []*v1alpha1.MazeTask{speech, newTask(t, "image_caption", edited)},
			pods: []*corev1.Pod{pod(0, speech, on("gpu-t4"), ended(corev1.PodSucceeded)), pod(1, caption)},
			want: "t1 succeeded: succeeded\n" +
				"t2 pending: waits: Pod " + t2 + " is on no node yet\n",
		},
		"edited, and its Pod runs": {
			published: publish(t, speech, captionLater), tasks: []*v1alpha1.MazeTask{speech, captionLater},
			pods: []*corev1.Pod{pod(0, speech, on("gpu-t4"), ended(corev1.PodSucceeded)), pod(1, caption, on("gpu-h100"))},
			want: "t1 succeeded: succeeded\n" +
				"t2 running: runs as Pod " + t2 + " on gpu-h100\n",
		},
		"placed elsewhere, and its Pod is on no node": {
			published: publish(t, speech, captionMoved), tasks: []*v1alpha1.MazeTask{speech, captionMoved},
			pods: []*corev1.Pod{pod(0, speech, on("gpu-t4"), ended(corev1.PodSucceeded)), pod(1, caption)},
			want: "t1 succeeded: succeeded\n" +
				"t2 waiting: starts anew: what task image_caption is placed by has changed, not its spec, while Pod " + t2 + " was on no node\n",
			wantRemove: []string{t2},
		},
		"created anew otherwise, and its Pod is on no node": {
			published: publish(t, speech, captionAnew), tasks: []*v1alpha1.MazeTask{speech, captionAnew},
			pods: []*corev1.Pod{pod(0, speech, on("gpu-t4"), ended(corev1.PodSucceeded)), pod(1, caption)},
			want: "t1 succeeded: succeeded\n" +
				"t2 waiting: starts anew: task image_caption has changed while Pod " + t2 + " was on no node\n",
			wantRemove: []string{t2},
		},
		"the task is gone, and its Pod is on no node": {
			published: publish(t, speech), tasks: []*v1alpha1.MazeTask{speech},
			pods: []*corev1.Pod{pod(0, speech, on("gpu-t4"), ended(corev1.PodSucceeded)), pod(1, caption)},
			want: "t1 succeeded: succeeded\n" +
				"t2 waiting: starts anew: task image_caption has left the registry while Pod " + t2 + " was on no node\n",
			wantRemove: []string{t2},
		},
		"a Pod that is being deleted": {
			published: publish(t, both...), tasks: both,
			pods: []*corev1.Pod{pod(0, speech, on("gpu-t4"), func(p *corev1.Pod) { p.DeletionTimestamp = &metav1.Time{} })},
			want: "t1 waiting: waits: Pod " + t1 + " is being deleted\n" +
				"t2 waiting: waits for t1\n",
		},
		"all done": {
			published: publish(t, both...), tasks: both,
			pods:      []*corev1.Pod{pod(0, speech, on("gpu-t4"), ended(corev1.PodSucceeded)), pod(1, caption, on("gpu-t4"), ended(corev1.PodSucceeded))},
			want:      "t1 succeeded: succeeded\nt2 succeeded: succeeded\n",
			wantEnded: true,
		},
		"failed": {
			published: publish(t, never, caption), tasks: []*v1alpha1.MazeTask{never, caption}, pods: []*corev1.Pod{pod(0, speech, on("gpu-t4"), exited(137, "OOMKilled"))},
			want: "t1 failed: failed: exit code 137 OOMKilled; see Pod " + t1 + "\n" +
				"t2 cancelled: cancelled: t1 has failed\n",
			wantEnded: true,
		},
		"evicted": {
			published: publish(t, never, caption), tasks: []*v1alpha1.MazeTask{never, caption},
			pods: []*corev1.Pod{pod(0, speech, ended(corev1.PodFailed), func(p *corev1.Pod) { p.Status.Reason, p.Status.Message = "Evicted", "disk pressure" })},
			want: "t1 failed: failed: Evicted; disk pressure; see Pod " + t1 + "\n" +
				"t2 cancelled: cancelled: t1 has failed\n",
			wantEnded: true,
		},
		"another run's Pods": {
			published: publish(t, both...), tasks: both,
			pods: []*corev1.Pod{{ObjectMeta: metav1.ObjectMeta{Name: podName("other", "t1", 0)}, Status: corev1.PodStatus{Phase: corev1.PodFailed}}},
			want: "t1 starting: starts speech_to_text (Does it.; model llava-v1.6), generation 1\n" +
				"t2 waiting: waits for t1\n",
			wantCreate: []string{t1},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			now := see(tc.published, tc.tasks, tc.pods...)
			before := maps.Clone(now.pods)
			p := s.decide(now)
			if diff := cmp.Diff(tc.want, lines(p.progress)); diff != "" {
				t.Errorf("progress (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.wantCreate, names(p.create)); diff != "" {
				t.Errorf("create (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.wantRemove, names(p.remove)); diff != "" {
				t.Errorf("remove (-want +got):\n%s", diff)
			}
			if p.ended() != tc.wantEnded {
				t.Errorf("want ended %t, got %t", tc.wantEnded, p.ended())
			}
			if again := s.decide(now); lines(again.progress) != lines(p.progress) || !maps.Equal(before, now.pods) {
				t.Error("want the same plan of what is seen, whenever it is made")
			}
		})
	}
}

// TestDecideTellsOfANamespaceWithoutTasks: its name may be a wrong one, and nothing else would say so.
func TestDecideTellsOfANamespaceWithoutTasks(t *testing.T) {
	s := &scheduler{workflow: mustRead(t, twoNodes), namespace: "visoin"}
	now := see(publish(t), nil)
	now.noTasks = true
	want := "t1 waiting: waits: namespace visoin has no MazeTask at all: is it the right one?\nt2 waiting: waits for t1\n"
	if diff := cmp.Diff(want, lines(s.decide(now).progress)); diff != "" {
		t.Error(diff)
	}
}

// TestDecideCancelsAllBehind: d needs what failed by way of b; e needs nothing of it and goes on.
func TestDecideCancelsAllBehind(t *testing.T) {
	task := newTask(t, "f")
	w := mustRead(t, nodes(`"a": {}`, `"e": {}`, `"b": {"x": "a.output.k"}`, `"c": {"x": ["b.output.k", "e.output.k"]}`, `"d": {"x": "c.output.k"}`))
	s := &scheduler{workflow: w, namespace: "vision", settings: settings{image: "executor:1"}}
	failure := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: podName("demo", "a", 0)}, Status: corev1.PodStatus{Phase: corev1.PodFailed}}
	p := s.decide(see(publish(t, task), []*v1alpha1.MazeTask{task}, failure))
	want := "a failed: failed: see Pod " + failure.Name + "\n" +
		"e starting: starts f (Does it.; model llava-v1.6), generation 1\n" +
		"b cancelled: cancelled: a has failed\n" +
		"c cancelled: cancelled: b was\n" +
		"d cancelled: cancelled: c was\n"
	if diff := cmp.Diff(want, lines(p.progress)); diff != "" {
		t.Error(diff)
	}
	if got := summary(p.progress); got != "5 nodes: 1 failed, 3 cancelled, 1 starting" {
		t.Error(got)
	}
	if p.ended() || statusOf(p.progress) != statusFailed {
		t.Error("want it to go on with e, and to fail in the end")
	}
}

func on(node string) func(*corev1.Pod) { return func(p *corev1.Pod) { p.Spec.NodeName = node } }

func ended(phase corev1.PodPhase) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Status.Phase = phase }
}

func exited(code int32, reason string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.Phase = corev1.PodFailed
		p.Status.ContainerStatuses = []corev1.ContainerStatus{
			{State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: code, Reason: reason}}},
		}
	}
}

func unschedulable(message string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodScheduled, Status: corev1.ConditionFalse, Message: message}}
	}
}

func names(pods []*corev1.Pod) []string {
	var all []string
	for _, pod := range pods {
		all = append(all, pod.Name)
	}
	slices.SortFunc(all, strings.Compare)
	return all
}
