package main

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/client"
)

// README: begin

// startable returns the entry of the task that a DAG node names as its "func", and what keeps a Pod from being made of it now: "" if
// nothing does. registry is what a client.Registry knows, tasks are the MazeTasks with that spec.name.
func startable(registry client.Snapshot, tasks []v1alpha1.MazeTask, function string) (client.Entry, string) {
	entry, served := registry.Get(function)
	digest, _ := registry.Digest(function)
	i := slices.IndexFunc(tasks, func(task v1alpha1.MazeTask) bool { return task.UID == entry.Kubernetes.UID })
	if !served || i < 0 {
		return entry, notServed(tasks, function)
	}
	task := tasks[i]
	ready := meta.FindStatusCondition(task.Status.Conditions, v1alpha1.ConditionReady)
	placeable := meta.FindStatusCondition(task.Status.Conditions, v1alpha1.ConditionPlaceable)
	switch {
	case ready == nil || ready.ObservedGeneration != task.Generation:
		return entry, fmt.Sprintf("the operator has not judged generation %d of MazeTask %s yet", task.Generation, task.Name)
	case ready.Status != metav1.ConditionTrue: // a bad edit: the entry is that of the last good one
		return entry, fmt.Sprintf("MazeTask %s is not Ready: %s", task.Name, ready.Message)
	case task.Status.Entry == nil || task.Status.Entry.Digest != digest: // two watches: one may be ahead of the other
		return entry, fmt.Sprintf("the entry of MazeTask %s is on its way", task.Name)
	case placeable != nil && placeable.Status == metav1.ConditionFalse:
		return entry, placeable.Message // no node can host it, and why
	default: // where there is no verdict, Placeable is Unknown, and it is for kube-scheduler to find a node
		return entry, ""
	}
}

// place puts a task's placement into a Pod whose first container runs the task, as it is.
func place(pod *corev1.Pod, placement v1alpha1.Placement) {
	pod.Spec.Containers[0].Resources = corev1.ResourceRequirements{Requests: placement.Requests, Limits: placement.Limits}
	pod.Spec.NodeSelector = placement.NodeSelector
	pod.Spec.Tolerations = placement.Tolerations
	pod.Spec.SchedulerName = placement.SchedulerName
	if placement.Affinity != nil {
		pod.Spec.Affinity = &corev1.Affinity{NodeAffinity: placement.Affinity.NodeAffinity}
	}
	for key, value := range placement.Annotations {
		metav1.SetMetaDataAnnotation(&pod.ObjectMeta, key, value)
	}
}

// README: end

// notServed returns why the registry has no entry of a task's.
func notServed(tasks []v1alpha1.MazeTask, function string) string {
	if len(tasks) == 0 {
		return fmt.Sprintf("no MazeTask has spec.name %s", function)
	}
	task := tasks[0]
	ready := meta.FindStatusCondition(task.Status.Conditions, v1alpha1.ConditionReady)
	switch {
	case ready == nil || ready.ObservedGeneration != task.Generation:
		return fmt.Sprintf("the operator has not judged generation %d of MazeTask %s yet", task.Generation, task.Name)
	case ready.Status != metav1.ConditionTrue:
		return fmt.Sprintf("MazeTask %s is not Ready: %s", task.Name, ready.Message)
	default:
		return fmt.Sprintf("the entry of MazeTask %s is on its way", task.Name)
	}
}
