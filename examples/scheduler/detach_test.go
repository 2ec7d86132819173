package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/rest"
)

// newDetached returns the Job that a command line with --detach would create for a workflow.
func newDetached(t *testing.T, workflow string, args ...string) *batchv1.Job {
	t.Helper()
	o, err := readOptions(append([]string{"--detach"}, args...), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	w, err := o.readWorkflow([]byte(workflow))
	if err != nil {
		t.Fatal(err)
	}
	return newJob(o, w, "vision", []byte(workflow))
}

// TestTheManifestIsWhatDetachCreates: job.yaml, for those who apply manifests.
func TestTheManifestIsWhatDetachCreates(t *testing.T) {
	workflow, err := os.ReadFile("workflow.json")
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile("job.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := &batchv1.Job{}
	if err := yaml.UnmarshalStrict(content, want); err != nil {
		t.Fatal(err)
	}
	want.TypeMeta = metav1.TypeMeta{} // the client adds it
	if diff := cmp.Diff(want, newDetached(t, string(workflow), "--run", "night-1", "--volume", "shared", "workflow.json")); diff != "" {
		t.Errorf("(-job.yaml +created):\n%s", diff)
	}
}

// TestADetachedRunIsTheSame: the scheduler in the cluster, and whoever watches it, have the workflow, the nodes and the settings as given.
func TestADetachedRunIsTheSame(t *testing.T) {
	flags := []string{"--image", "tools:v1", "--env", "PRICE=$5 $$(HOME)=a", "--env-from=secret/keys", "-env-from", "configmap/more", "--pull-secret", "registry", "--env", "B=2"}
	content := nodes(`"a": {"x": "$(HOME) 字"}`, `"-b": {"x": "a.output.k"}`, `"c": {}`)
	job := newDetached(t, content, append(flags, "-", "-b")...)
	o, err := readOptions(append(flags, "-", "-b"), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	w, err := o.readWorkflow([]byte(content))
	if err != nil {
		t.Fatal(err)
	}
	got, err := schedulerOf(job)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(w, got.workflow, cmp.AllowUnexported(workflow{}, node{}, use{})); diff != "" {
		t.Errorf("workflow (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(o.settings, got.settings, cmp.AllowUnexported(settings{})); diff != "" {
		t.Errorf("settings (-want +got):\n%s", diff)
	}
	if job.Labels[runKey] != w.run || got.namespace != "vision" {
		t.Errorf("want run %s in namespace vision, got %s in %s", w.run, job.Labels[runKey], got.namespace)
	}
	if !strings.Contains(strings.Join(job.Spec.Template.Spec.Containers[0].Args, " "), "PRICE=$$5 $$$$(HOME)=a") {
		t.Errorf("want Kubernetes to pass the arguments as they are, got %q", job.Spec.Template.Spec.Containers[0].Args)
	}
}

// TestWrongOptions: a command line that means two things is refused.
func TestWrongOptions(t *testing.T) {
	for arguments, want := range map[string]string{
		"":                         "name the file of a workflow, or - for stdin",
		"--detach":                 "name the file of a workflow, or - for stdin",
		"--watch=a b.json":         "--watch takes a run's name, and no workflow",
		"--watch=a --detach":       "--watch takes a run's name, and no workflow",
		"--watch=a --run=b":        "--watch takes a run's name, and no workflow",
		"--watch=a --image=b":      "--watch takes a run's name, and no workflow",
		"--no-such-flag file.json": "flag provided but not defined",
	} {
		if _, err := readOptions(strings.Fields(arguments), io.Discard); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: want %q, got %v", arguments, want, err)
		}
	}
}

// TestDetachRun: what is said where a Job cannot be created.
func TestDetachRun(t *testing.T) {
	for name, tc := range map[string]struct {
		workflow string
		answer   metav1.Status
		want     string
	}{
		"created":       {answer: metav1.Status{Code: http.StatusCreated}},
		"there already": {answer: metav1.Status{Code: http.StatusConflict, Reason: metav1.StatusReasonAlreadyExists}, want: "run demo has Job demo-"},
		"not allowed": {
			answer: metav1.Status{Code: http.StatusForbidden, Reason: metav1.StatusReasonForbidden, Message: "may not"}, want: "create Job demo-efd47ec660: may not",
		},
		"too large": {workflow: nodes(`"a": {"x": "` + strings.Repeat("a", maxWorkflow) + `"}`), want: "and a detached one may have 204800"},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/json")
				if r.Method == http.MethodGet {
					_ = json.NewEncoder(w).Encode(metav1.APIResourceList{ // what the client discovers
						GroupVersion: "batch/v1", APIResources: []metav1.APIResource{{Name: "jobs", Kind: "Job", Namespaced: true, Verbs: []string{"create"}}},
					})
					return
				}
				w.WriteHeader(int(tc.answer.Code))
				if tc.answer.Reason == "" {
					_, _ = io.WriteString(w, `{"apiVersion": "batch/v1", "kind": "Job", "metadata": {"namespace": "vision", "name": "demo-efd47ec660"}}`)
					return
				}
				tc.answer.TypeMeta, tc.answer.Status = metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, metav1.StatusFailure
				_ = json.NewEncoder(w).Encode(tc.answer)
			}))
			defer server.Close()
			config := &rest.Config{Host: server.URL, ContentConfig: rest.ContentConfig{ContentType: "application/json"}}
			if tc.workflow == "" {
				tc.workflow = twoNodes
			}
			var out strings.Builder
			status, err := detachRun(t.Context(), config, newDetached(t, tc.workflow, "--run=demo", "-"), &out)
			if tc.want == "" {
				if err != nil || status != statusSucceeded || out.String() != "demo\n" {
					t.Errorf("want the run's name, got %d, %v and %q", status, err, out.String())
				}
				return
			}
			if err == nil || status != statusCouldNot || !strings.Contains(err.Error(), tc.want) || out.Len() > 0 {
				t.Errorf("want %q, got %d, %v and %q", tc.want, status, err, out.String())
			}
		})
	}
}

// TestWhyIdle: why nothing goes on in a detached run.
func TestWhyIdle(t *testing.T) {
	job := func(conditions ...batchv1.JobCondition) *batchv1.Job {
		return &batchv1.Job{ObjectMeta: metav1.ObjectMeta{Name: "night-1"}, Status: batchv1.JobStatus{Conditions: conditions}}
	}
	pod := func(node string, status corev1.PodStatus) *corev1.Pod {
		return &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "night-1-x"}, Spec: corev1.PodSpec{NodeName: node}, Status: status}
	}
	waits := corev1.PodStatus{ContainerStatuses: []corev1.ContainerStatus{
		{State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: "ErrImagePull", Message: "not found"}}},
	}}
	failed := corev1.PodStatus{Phase: corev1.PodFailed, ContainerStatuses: []corev1.ContainerStatus{
		{State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{ExitCode: 2, Reason: "Error", Message: "scheduler: no route\n"}}},
	}}
	for name, tc := range map[string]struct {
		job      *batchv1.Job
		pod      *corev1.Pod
		wantOver bool
		want     string
	}{
		"it runs":       {job: job(), pod: pod("n1", corev1.PodStatus{Phase: corev1.PodRunning})},
		"it was bound":  {job: job(), pod: pod("n1", corev1.PodStatus{})},
		"no Pod":        {job: job(), want: "the run's scheduler waits: Job night-1 has no Pod yet"},
		"no node":       {job: job(), pod: pod("", corev1.PodStatus{}), want: "the run's scheduler waits: Pod night-1-x is on no node yet"},
		"no image":      {job: job(), pod: pod("n1", waits), want: "the run's scheduler waits: Pod night-1-x is on n1: ErrImagePull: not found"},
		"between tries": {job: job(), pod: pod("n1", failed), want: "the run's scheduler is started again, as it failed: exit code 2 Error scheduler: no route; see Pod night-1-x"},
		"stopped":       {wantOver: true, want: "its Job was deleted; the same command with --detach goes on from here"},
		"ended": {
			job: job(batchv1.JobCondition{Type: batchv1.JobComplete, Status: corev1.ConditionTrue, Reason: "CompletionsReached", Message: "all Pods have"}), wantOver: true,
			want: "Job night-1 has ended (CompletionsReached): all Pods have",
		},
		"given up": {
			job: job(batchv1.JobCondition{Type: batchv1.JobFailed, Status: corev1.ConditionTrue, Reason: "BackoffLimitExceeded"}), pod: pod("n1", failed), wantOver: true,
			want: "Job night-1 has ended (BackoffLimitExceeded): no message; its Pod failed: exit code 2 Error scheduler: no route; see Pod night-1-x",
		},
		"about to fail": {job: job(batchv1.JobCondition{Type: batchv1.JobFailureTarget, Status: corev1.ConditionTrue}), pod: pod("n1", corev1.PodStatus{})},
	} {
		t.Run(name, func(t *testing.T) {
			if over, why := whyIdle(tc.job, tc.pod); over != tc.wantOver || why != tc.want {
				t.Errorf("want %t and %q, got %t and %q", tc.wantOver, tc.want, over, why)
			}
		})
	}
}
