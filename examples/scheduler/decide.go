package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/client"
)

// seen is what the API server has told of. It may be a moment old: whatever is done because of it must do no harm then.
type seen struct {
	registry client.Snapshot
	// tasks are the MazeTasks by spec.name: of several, the registry serves one.
	tasks map[string][]v1alpha1.MazeTask
	// noTasks says that the namespace has no MazeTask at all, not even of another name.
	noTasks bool
	// pods are those of the run, by name.
	pods map[string]*corev1.Pod
	// at is when it was seen.
	at time.Time
}

// phase says how far a node is.
type phase string

const (
	waiting   phase = "waiting"   // for other nodes, or for its task
	starting  phase = "starting"  // its Pod is being created
	pending   phase = "pending"   // its Pod is on no node of the cluster yet, or cannot start there
	running   phase = "running"   // kube-scheduler has bound its Pod
	succeeded phase = "succeeded" // its Pod has
	failed    phase = "failed"    // its Pod has
	cancelled phase = "cancelled" // a node that it needs has failed
)

// progress is how far a node is, and what there is to say of it.
type progress struct {
	node  *node
	phase phase
	text  string
}

// plan is what follows from what is seen: how far each node is, and what to do.
type plan struct {
	progress []progress
	// create are Pods to create, and remove Pods to delete if they still are as they were seen.
	create, remove []*corev1.Pod
	// wake is when to decide again even if nothing changes. 0 for never.
	wake time.Duration
}

// wakeIn has the plan made anew after some time.
func (p *plan) wakeIn(after time.Duration) {
	if p.wake == 0 || after < p.wake {
		p.wake = after
	}
}

// scheduler is what decisions depend on beside what is seen.
type scheduler struct {
	workflow  *workflow
	namespace string
	settings
}

// decide makes a plan from what is seen, and from nothing else: no memory of what was done before. So it does not matter whether an event
// is missed, comes twice, or the program was restarted.
func (s *scheduler) decide(now seen) plan {
	var p plan
	phases := map[string]phase{}
	for _, n := range s.workflow.nodes {
		var next progress
		if pod, attempt := lastAttempt(s.workflow.run, n.ID, now.pods); pod != nil {
			next = s.follow(&p, n, pod, attempt, now)
		} else if next = hold(n, phases); next.phase == "" {
			next = s.start(&p, n, 0, now)
		}
		next.node = n
		phases[n.ID] = next.phase
		p.progress = append(p.progress, next)
	}
	return p
}

// hold returns what a node without a Pod waits for among the nodes that it needs. Its phase is empty if that is nothing.
func hold(n *node, phases map[string]phase) progress {
	var unfinished []string
	for _, id := range n.needs {
		switch phases[id] {
		case failed:
			return progress{phase: cancelled, text: fmt.Sprintf("cancelled: %s has failed", id)}
		case cancelled:
			return progress{phase: cancelled, text: fmt.Sprintf("cancelled: %s was", id)}
		case succeeded:
		default:
			unfinished = append(unfinished, id)
		}
	}
	if len(unfinished) == 0 {
		return progress{}
	}
	return progress{phase: waiting, text: "waits for " + strings.Join(unfinished, ", ")}
}

// start has the Pod of a node created, unless its task is in the way, or what other nodes have left is not enough.
func (s *scheduler) start(p *plan, n *node, attempt int, now seen) progress {
	entry, why := startable(now.registry, now.tasks[n.Func], n.Func)
	if now.noTasks {
		why = fmt.Sprintf("namespace %s has no MazeTask at all: is it the right one?", s.namespace)
	}
	if why == "" && entry.EntryPoint == nil {
		why = fmt.Sprintf("MazeTask %s has no entryPoint, by which an executor would get the function", entry.Kubernetes.Name)
	}
	if why == "" && s.imageOf(entry) == "" {
		why = whyNoImage(entry)
	}
	if why != "" {
		return progress{phase: waiting, text: "waits: " + why}
	}
	inputs, why := s.inputsOf(n, now.pods)
	if why != "" {
		return progress{phase: failed, text: "failed: " + why}
	}
	digest, _ := now.registry.Digest(n.Func)
	p.create = append(p.create, s.newPod(n, entry, digest, attempt, inputs))
	return progress{phase: starting, text: fmt.Sprintf("starts %s, generation %d", titleOf(entry), entry.Kubernetes.Generation)}
}

// titleOf names a task as people know it: with the first line of its description, and its model.
func titleOf(entry client.Entry) string {
	var about []string
	if entry.Description != nil {
		line, _, _ := strings.Cut(*entry.Description, "\n")
		about = append(about, line)
	}
	if entry.Resources.ModelName != nil {
		about = append(about, "model "+*entry.Resources.ModelName)
	}
	if len(about) == 0 {
		return entry.Name
	}
	return fmt.Sprintf("%s (%s)", entry.Name, strings.Join(about, "; "))
}

// follow returns how far a node with a Pod is. A Pod that is on no node yet is deleted when its task is not what it was made from any more:
// the next plan then starts the node anew. One that is on a node runs on.
func (s *scheduler) follow(p *plan, n *node, pod *corev1.Pod, attempt int, now seen) progress {
	switch {
	case pod.Status.Phase == corev1.PodSucceeded:
		return progress{phase: succeeded, text: textOfSuccess(pod)}
	case pod.Status.Phase == corev1.PodFailed:
		return s.afterFailure(p, n, pod, attempt, now)
	case pod.DeletionTimestamp != nil:
		return progress{phase: waiting, text: fmt.Sprintf("waits: Pod %s is being deleted", pod.Name)}
	case pod.Spec.NodeName != "" && whyStuck(pod) != "":
		return progress{phase: pending, text: "waits: " + whyPending(pod)}
	case pod.Spec.NodeName != "":
		return progress{phase: running, text: fmt.Sprintf("runs as Pod %s on %s", pod.Name, pod.Spec.NodeName)}
	}
	if digest, _ := now.registry.Digest(n.Func); digest != pod.Annotations[entryKey] {
		p.remove = append(p.remove, pod)
		return progress{phase: waiting, text: fmt.Sprintf("starts anew: %s while Pod %s was on no node", whatChanged(n.Func, pod, now.registry), pod.Name)}
	}
	return progress{phase: pending, text: "waits: " + whyPending(pod)}
}

// whyPending returns where a Pod that does not run yet is, and what it waits for. It is empty for one that is on a node, with nothing wrong.
func whyPending(pod *corev1.Pod) string {
	if pod.Spec.NodeName != "" {
		if why := whyStuck(pod); why != "" {
			return fmt.Sprintf("Pod %s is on %s: %s", pod.Name, pod.Spec.NodeName, why)
		}
		return ""
	}
	text := fmt.Sprintf("Pod %s is on no node yet", pod.Name)
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.PodScheduled && c.Message != "" {
			text += ": " + c.Message
		}
	}
	return text
}

// whyStuck returns why the container of a Pod that is on a node does not start: its image cannot be pulled, a Secret is not there, and the
// like. It is empty while nothing is wrong.
func whyStuck(pod *corev1.Pod) string {
	for _, c := range pod.Status.ContainerStatuses {
		if w := c.State.Waiting; w != nil && w.Reason != "" && w.Reason != "ContainerCreating" && w.Reason != "PodInitializing" {
			if w.Message == "" {
				return w.Reason
			}
			return w.Reason + ": " + w.Message
		}
	}
	return ""
}

// whatChanged says in which way a Pod's task is not what it was made from. The entry of a task that nobody has edited changes with the nodes
// of the cluster, and with the operator's configuration.
func whatChanged(function string, pod *corev1.Pod, registry client.Snapshot) string {
	entry, served := registry.Get(function)
	generation := strconv.FormatInt(entry.Kubernetes.Generation, 10)
	switch {
	case !served:
		return fmt.Sprintf("task %s has left the registry", function)
	case entry.Digest.Spec == pod.Annotations[specKey] && generation == pod.Annotations[generationKey]:
		return fmt.Sprintf("what task %s is placed by has changed, not its spec,", function)
	default:
		return fmt.Sprintf("task %s has changed", function)
	}
}

// ended reports whether nothing is left to wait for.
func (p *plan) ended() bool {
	for _, s := range p.progress {
		switch s.phase {
		case succeeded, failed, cancelled:
		default:
			return false
		}
	}
	return true
}
