package runtask

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	batchv1client "k8s.io/client-go/kubernetes/typed/batch/v1"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
)

// Outcome is how a run ended.
type Outcome struct {
	// Code is the exit code: the executor's, or 1 where there is none.
	Code int
	// Outputs are JSON. Nil if it failed.
	Outputs json.RawMessage
	// Omitted are outputs that are not among these, as a termination message has no room for them.
	Omitted []string
}

const (
	// interval is how often the Job is looked at.
	interval = 500 * time.Millisecond
	// cleanup is how long it may take to delete it.
	cleanup = 10 * time.Second
)

// follower follows one Job.
type follower struct {
	jobs batchv1client.JobInterface
	pods corev1client.PodInterface
	t    terminal.Terminal
	// name is the Job's.
	name string
	// read are the Pods whose log was read.
	read map[string]bool
	// told is what was told last of why a Pod waits.
	told string
}

// Run creates a Job and follows it to its end: why its Pod waits, what it logs, and how it ends. If ctx ends before, the Job is deleted.
func Run(ctx context.Context, config *rest.Config, job *batchv1.Job, t terminal.Terminal) (Outcome, error) {
	batch, err := batchv1client.NewForConfig(config)
	if err != nil {
		return Outcome{}, err
	}
	core, err := corev1client.NewForConfig(config)
	if err != nil {
		return Outcome{}, err
	}
	f := &follower{jobs: batch.Jobs(job.Namespace), pods: core.Pods(job.Namespace), t: t, read: map[string]bool{}}
	created, err := f.jobs.Create(ctx, job, metav1.CreateOptions{FieldManager: "mazectl"})
	if err != nil {
		return Outcome{}, fmt.Errorf("create the Job: %w", err)
	}
	f.name = created.Name
	t.Say("note:", fmt.Sprintf("Job %s in namespace %s", f.name, job.Namespace))
	outcome, err := f.follow(ctx)
	if ctx.Err() != nil {
		return Outcome{}, f.delete(ctx)
	}
	return outcome, err
}

// delete deletes the Job with its Pod, as nobody waits for it any more.
func (f *follower) delete(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), cleanup)
	defer cancel()
	background := metav1.DeletePropagationBackground
	if err := f.jobs.Delete(ctx, f.name, metav1.DeleteOptions{PropagationPolicy: &background}); err != nil {
		return fmt.Errorf("stopped; Job %s goes on, as it could not be deleted: %w", f.name, err)
	}
	return fmt.Errorf("stopped; Job %s was deleted", f.name)
}

func (f *follower) follow(ctx context.Context) (outcome Outcome, err error) {
	err = wait.PollUntilContextCancel(ctx, interval, true, func(ctx context.Context) (ended bool, err error) {
		job, err := f.jobs.Get(ctx, f.name, metav1.GetOptions{})
		if err != nil {
			return false, fmt.Errorf("look at the Job: %w", err)
		}
		list, err := f.pods.List(ctx, metav1.ListOptions{LabelSelector: batchv1.JobNameLabel + "=" + f.name})
		if err != nil {
			return false, fmt.Errorf("look at its Pods: %w", err)
		}
		slices.SortFunc(list.Items, func(a, b corev1.Pod) int { return a.CreationTimestamp.Compare(b.CreationTimestamp.Time) })
		for i := range list.Items {
			f.tell(&list.Items[i])
			f.readLog(ctx, &list.Items[i])
		}
		for _, c := range job.Status.Conditions {
			if isEnd := c.Type == batchv1.JobComplete || c.Type == batchv1.JobFailed; isEnd && c.Status == corev1.ConditionTrue {
				outcome = f.outcomeOf(list.Items, c)
				return true, nil
			}
		}
		return false, nil
	})
	return outcome, err
}

// tell says why a Pod waits, once.
func (f *follower) tell(pod *corev1.Pod) {
	why := ""
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse {
			why = fmt.Sprintf("Pod %s is on no node yet: %s", pod.Name, c.Message)
		}
	}
	for _, c := range pod.Status.ContainerStatuses {
		if w := c.State.Waiting; w != nil && w.Reason != "" && w.Reason != "ContainerCreating" && w.Reason != "PodInitializing" {
			why = fmt.Sprintf("Pod %s waits on node %s: %s", pod.Name, pod.Spec.NodeName, w.Reason)
			if w.Message != "" {
				why += ": " + w.Message
			}
		}
	}
	if why != "" && why != f.told {
		f.told = why
		f.t.Say("note:", why)
	}
}

// readLog copies the log of a Pod's container, once it has begun, until it ends.
func (f *follower) readLog(ctx context.Context, pod *corev1.Pod) {
	begun := slices.ContainsFunc(pod.Status.ContainerStatuses, func(c corev1.ContainerStatus) bool {
		return c.State.Running != nil || c.State.Terminated != nil
	})
	if f.read[pod.Name] || !begun {
		return
	}
	f.read[pod.Name] = true
	log, err := f.pods.GetLogs(pod.Name, &corev1.PodLogOptions{Container: container, Follow: true}).Stream(ctx)
	if err == nil {
		_, err = io.Copy(f.t.ErrOut, log)
		err = errors.Join(err, log.Close())
	}
	if err != nil && ctx.Err() == nil { // how it ends is in the status
		f.t.Say("note:", fmt.Sprintf("the log of Pod %s cannot be followed: %v", pod.Name, err))
	}
}

// outcomeOf returns how a Job ended: by its last Pod, and by its own condition where that says nothing.
func (f *follower) outcomeOf(pods []corev1.Pod, end batchv1.JobCondition) Outcome {
	var ended *corev1.ContainerStateTerminated
	for i := range pods {
		for _, c := range pods[i].Status.ContainerStatuses {
			if c.State.Terminated != nil {
				ended = c.State.Terminated
			}
		}
	}
	outcome := Outcome{}
	if end.Type == batchv1.JobFailed {
		outcome.Code = 1
	}
	if ended == nil {
		f.t.Say("error:", fmt.Sprintf("the Job ended without a container that ran: %s: %s", end.Reason, end.Message))
		outcome.Code = 1
		return outcome
	}
	if ended.ExitCode != 0 {
		outcome.Code = int(ended.ExitCode)
	}
	var message struct {
		Outputs json.RawMessage
		Omitted []string
		Error   *struct{ Kind string }
	}
	isExecutors := json.Unmarshal([]byte(ended.Message), &message) == nil
	switch {
	case outcome.Code == 0:
		outcome.Outputs, outcome.Omitted = message.Outputs, message.Omitted
	case !isExecutors || message.Error == nil: // the executor's own words are in the log
		f.t.Say("error:", strings.TrimSpace(fmt.Sprintf("the container ended with exit code %d %s %s", ended.ExitCode, ended.Reason, ended.Message)))
	}
	return outcome
}
