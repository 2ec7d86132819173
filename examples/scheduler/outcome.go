package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// outcome is what the executor says of how a run ended: the termination message. docs/run.md has its form.
type outcome struct {
	Outputs map[string]json.RawMessage
	// Omitted are outputs for which the message has no room.
	Omitted []string
	Error   *struct{ Kind, Type, Message string }
}

// outcomeOf returns what the executor in a Pod has left. It is empty where it left nothing.
func outcomeOf(pod *corev1.Pod) outcome {
	var o outcome
	if ended := endOf(pod); ended != nil && json.Unmarshal([]byte(ended.Message), &o) != nil {
		return outcome{}
	}
	return o
}

// endOf returns how the container of a Pod ended, or nil if it has not.
func endOf(pod *corev1.Pod) *corev1.ContainerStateTerminated {
	for _, c := range pod.Status.ContainerStatuses {
		if c.State.Terminated != nil {
			return c.State.Terminated
		}
	}
	return nil
}

// said returns a value in at most some characters.
func said(value any) string {
	const most = 200
	text, _ := json.Marshal(value) // cannot fail: it was JSON
	if short := []rune(string(text)); len(short) > most {
		return string(short[:most]) + "…"
	}
	return string(text)
}

// textOfSuccess says that a node has succeeded, and with which outputs.
func textOfSuccess(pod *corev1.Pod) string {
	text, o := "succeeded", outcomeOf(pod)
	if len(o.Outputs) > 0 {
		text += ": " + said(o.Outputs)
	}
	if len(o.Omitted) > 0 {
		text += "; too large to show: " + strings.Join(o.Omitted, ", ")
	}
	return text
}

// whyFailed returns the executor's error, or the kubelet's reason where it left none.
func whyFailed(pod *corev1.Pod) string {
	var told []string
	ended := endOf(pod)
	switch o := outcomeOf(pod); {
	case o.Error != nil:
		kind := strings.TrimSpace(o.Error.Kind + " " + o.Error.Type)
		told = append(told, fmt.Sprintf("%s: %s (exit code %d)", kind, o.Error.Message, ended.ExitCode))
	case ended != nil:
		words := []string{fmt.Sprintf("exit code %d", ended.ExitCode), ended.Reason, strings.TrimSpace(ended.Message)}
		told = append(told, strings.Join(slices.DeleteFunc(words, func(word string) bool { return word == "" }), " "))
	}
	for _, text := range []string{pod.Status.Reason, pod.Status.Message} {
		if text != "" {
			told = append(told, text)
		}
	}
	return strings.Join(append(told, "see Pod "+pod.Name), "; ")
}

// Maze's codes of failures.
const (
	nodeLost     = "node_lost"
	unavailable  = "resource_unavailable"
	insufficient = "resource_insufficient"
)

// codes are Maze's names for kinds of failures of the executor's.
var codes = map[string]string{
	"Raised": "user_code", "Timeout": "timeout", "Terminated": nodeLost, "InvalidArguments": "invocation_error", "InvalidResult": "serialization_error",
	"MissingInput": "artifact_error", "WriteFailed": "artifact_error",
}

// outOfMemory are texts of exceptions that mean that memory was not enough, in lower case, as Maze takes them.
var outOfMemory = []string{"cuda out of memory", "outofmemoryerror", "cublas_status_alloc_failed", "hip out of memory", "memory allocation failed"}

// failureOf returns the names of a Pod's failure, for run.retryOn: the executor's kind, the exception's name, and Maze's code.
func failureOf(pod *corev1.Pod) []string {
	var names []string
	if e := outcomeOf(pod).Error; e != nil {
		code, text := codes[e.Kind], strings.ToLower(e.Type+": "+e.Message)
		lacksMemory := func(mark string) bool { return strings.Contains(text, mark) }
		if e.Kind == "Raised" && (e.Type == "builtins.MemoryError" || slices.ContainsFunc(outOfMemory, lacksMemory)) {
			code = insufficient
		}
		names = append(names, e.Kind, e.Type, e.Type[strings.LastIndexByte(e.Type, '.')+1:], code)
	}
	if ended := endOf(pod); ended != nil && ended.Reason == "OOMKilled" {
		names = append(names, insufficient)
	}
	switch reason := pod.Status.Reason; {
	case reason == "DeadlineExceeded":
		names = append(names, "Timeout", "timeout")
	case reason == "Evicted", reason == "NodeLost", reason == "NodeShutdown", reason == "Terminated", reason == "Shutdown", reason == "Preempting":
		names = append(names, nodeLost)
	case strings.HasPrefix(reason, "OutOf"), reason == "UnexpectedAdmissionError", reason == "NodeAffinity":
		names = append(names, unavailable)
	}
	for _, c := range pod.Status.Conditions {
		if c.Type == corev1.DisruptionTarget && c.Status == corev1.ConditionTrue {
			names = append(names, nodeLost)
		}
	}
	return slices.DeleteFunc(names, func(name string) bool { return name == "" })
}

// endedAt returns when a Pod ended, as far as anybody has noted it.
func endedAt(pod *corev1.Pod) time.Time {
	if ended := endOf(pod); ended != nil {
		return ended.FinishedAt.Time
	}
	var latest time.Time
	for _, c := range pod.Status.Conditions {
		if c.LastTransitionTime.After(latest) {
			latest = c.LastTransitionTime.Time
		}
	}
	return cmp.Or(latest, pod.CreationTimestamp.Time)
}
