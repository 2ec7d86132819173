package main

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// left is a Pod's end as the executor tells it.
func left(phase corev1.PodPhase, code int32, message string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Status.Phase = phase
		p.Status.ContainerStatuses = []corev1.ContainerStatus{{State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{
			ExitCode: code, Message: message, FinishedAt: metav1.NewTime(noon),
		}}}}
	}
}

// raised is the executor's message of an exception.
func raised(name, text string) string {
	return fmt.Sprintf(`{"format":1,"status":"failed","exitCode":1,"error":{"kind":"Raised","type":%q,"message":%q}}`, name, text)
}

var noon = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

// TestRetries: a node whose attempts have ended in some way, and what becomes of it some time after the last one.
func TestRetries(t *testing.T) {
	const value = "builtins.ValueError"
	retry := `{"format":1,"status":"failed","exitCode":75,"error":{"kind":"Retry","type":"maregister.Retry","message":"busy"}}`
	timeout := `{"format":1,"status":"failed","exitCode":124,"error":{"kind":"Timeout","message":"the task took longer than its timeout"}}`
	imports := `{"format":1,"status":"failed","exitCode":69,"error":{"kind":"ImportFailed","type":"builtins.ModuleNotFoundError","message":"no torch"}}`
	lost := func(p *corev1.Pod) { p.Status.Phase, p.Status.Reason = corev1.PodFailed, "Evicted" }
	disrupted := func(p *corev1.Pod) {
		left(corev1.PodFailed, 137, "")(p)
		p.Status.Conditions = []corev1.PodCondition{{Type: corev1.DisruptionTarget, Status: corev1.ConditionTrue}}
	}
	cases := map[string]struct {
		run      *v1alpha1.Run
		attempts []func(*corev1.Pod)
		after    time.Duration
		want     string // phase and text, with POD for the last Pod
		wantPod  int    // the attempt of the Pod that is created; 0 for none
		wantWake time.Duration
	}{
		"an exception, and the task says nothing": {
			attempts: []func(*corev1.Pod){left(corev1.PodFailed, 1, raised(value, "no such luck"))},
			want:     "failed: failed: Raised builtins.ValueError: no such luck (exit code 1); see Pod POD",
		},
		"an exception that the task names": {
			run:      &v1alpha1.Run{RetryOn: []string{"ValueError"}},
			attempts: []func(*corev1.Pod){left(corev1.PodFailed, 1, raised(value, "no such luck"))},
			want:     "starting: runs again, for the 2nd time, as it failed: Raised builtins.ValueError: no such luck (exit code 1); see Pod POD", wantPod: 1,
		},
		"an exception by its module, and a third time": {
			run:      &v1alpha1.Run{RetryOn: []string{value}, Retries: ptr.To[int32](2)},
			attempts: slices.Repeat([]func(*corev1.Pod){left(corev1.PodFailed, 1, raised(value, "x"))}, 2),
			want:     "starting: runs again, for the 3rd time, as it failed: Raised builtins.ValueError: x (exit code 1); see Pod POD", wantPod: 2,
		},
		"no retry is left": {
			run:      &v1alpha1.Run{RetryOn: []string{"user_code"}, Retries: ptr.To[int32](2)},
			attempts: slices.Repeat([]func(*corev1.Pod){left(corev1.PodFailed, 1, raised(value, "x"))}, 3),
			want:     "failed: failed: Raised builtins.ValueError: x (exit code 1); see Pod POD",
		},
		"an exception beside the one that the task names": {
			run:      &v1alpha1.Run{RetryOn: []string{"KeyError", "Timeout"}},
			attempts: []func(*corev1.Pod){left(corev1.PodFailed, 1, raised(value, "x"))},
			want:     "failed: failed: Raised builtins.ValueError: x (exit code 1); see Pod POD",
		},
		"the task asks for it, whatever it names": {
			run: &v1alpha1.Run{RetryOn: []string{"KeyError"}}, attempts: []func(*corev1.Pod){left(corev1.PodFailed, 75, retry)},
			want: "starting: runs again, for the 2nd time, as it failed: Retry maregister.Retry: busy (exit code 75); see Pod POD", wantPod: 1,
		},
		"the task asks for it, and none is left": {
			run: &v1alpha1.Run{Retries: ptr.To[int32](0)}, attempts: []func(*corev1.Pod){left(corev1.PodFailed, 75, retry)},
			want: "failed: failed: Retry maregister.Retry: busy (exit code 75); see Pod POD",
		},
		"too little GPU memory": {
			attempts: []func(*corev1.Pod){left(corev1.PodFailed, 1, raised("torch.OutOfMemoryError", "CUDA out of memory. Tried to allocate"))},
			want: "starting: runs again, for the 2nd time, as it failed: Raised torch.OutOfMemoryError: CUDA out of memory. Tried to allocate (exit code 1); " +
				"see Pod POD", wantPod: 1,
		},
		"it took too long": {
			attempts: []func(*corev1.Pod){left(corev1.PodFailed, 124, timeout)},
			want:     "failed: failed: Timeout: the task took longer than its timeout (exit code 124); see Pod POD",
		},
		"it took too long, which the task names as Maze does": {
			run: &v1alpha1.Run{RetryOn: []string{"timeout"}}, attempts: []func(*corev1.Pod){left(corev1.PodFailed, 124, timeout)},
			want: "starting: runs again, for the 2nd time, as it failed: Timeout: the task took longer than its timeout (exit code 124); see Pod POD", wantPod: 1,
		},
		"it cannot be imported": {
			run: &v1alpha1.Run{Retries: ptr.To[int32](5)}, attempts: []func(*corev1.Pod){left(corev1.PodFailed, 69, imports)},
			want: "failed: failed: ImportFailed builtins.ModuleNotFoundError: no torch (exit code 69); see Pod POD",
		},
		"a lost node": {
			attempts: []func(*corev1.Pod){lost}, want: "starting: runs again, for the 2nd time, as it failed: Evicted; see Pod POD", wantPod: 1,
		},
		"a drained node": {
			attempts: []func(*corev1.Pod){disrupted}, want: "starting: runs again, for the 2nd time, as it failed: exit code 137; see Pod POD", wantPod: 1,
		},
		"a container that left nothing": {
			attempts: []func(*corev1.Pod){left(corev1.PodFailed, 1, "python3: No module named maregister")},
			want:     "failed: failed: exit code 1 python3: No module named maregister; see Pod POD",
		},
		"it has to wait": {
			run: &v1alpha1.Run{Backoff: "1m30s"}, attempts: []func(*corev1.Pod){left(corev1.PodFailed, 75, retry)}, after: 30 * time.Second,
			want: "waiting: runs again 1m30s after its end, as it failed: Retry maregister.Retry: busy (exit code 75); see Pod POD", wantWake: time.Minute,
		},
		"it has waited": {
			run: &v1alpha1.Run{Backoff: "90s"}, attempts: []func(*corev1.Pod){left(corev1.PodFailed, 75, retry)}, after: 90 * time.Second,
			want: "starting: runs again, for the 2nd time, as it failed: Retry maregister.Retry: busy (exit code 75); see Pod POD", wantPod: 1,
		},
		"it succeeds in the end": {
			attempts: []func(*corev1.Pod){lost, left(corev1.PodSucceeded, 0, `{"format":1,"status":"succeeded","exitCode":0,"outputs":{"text":"hi"},"omitted":["words"]}`)},
			want:     `succeeded: succeeded: {"text":"hi"}; too large to show: words`,
		},
		"what is no message of the executor's": {
			attempts: []func(*corev1.Pod){left(corev1.PodSucceeded, 0, "[1]")}, want: "succeeded: succeeded",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			task := newTask(t, "f", func(task *v1alpha1.MazeTask) { task.Spec.Run = tc.run }, generation(t, 1))
			s := theScheduler(mustRead(t, nodes(`"a": {}`)))
			published := publish(t, task)
			entry, _ := published.Get("f")
			now := see(published, []*v1alpha1.MazeTask{task})
			now.at = noon.Add(tc.after)
			last := ""
			for attempt, end := range tc.attempts {
				pod := s.newPod(s.workflow.nodes[0], entry, "", attempt, "{}")
				end(pod)
				now.pods[pod.Name], last = pod, pod.Name
			}
			p := s.decide(now)
			got := fmt.Sprintf("%s: %s", p.progress[0].phase, p.progress[0].text)
			if diff := cmp.Diff(strings.Replace(tc.want, "POD", last, 1), got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			var want []string
			if tc.wantPod > 0 {
				want = []string{podName("demo", "a", tc.wantPod)}
			}
			if diff := cmp.Diff(want, names(p.create)); diff != "" || p.wake != tc.wantWake {
				t.Errorf("create (-want +got):\n%s\nwake in %s, want %s", diff, p.wake, tc.wantWake)
			}
		})
	}
}

func TestOrdinal(t *testing.T) {
	for n, want := range map[int]string{2: "2nd", 3: "3rd", 4: "4th", 11: "11th", 12: "12th", 21: "21st", 101: "101st", 111: "111th"} {
		if got := ordinal(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}
