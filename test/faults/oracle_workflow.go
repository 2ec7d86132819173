package faults

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// workflowConditions are the four that docs/workflow.md says are always set.
var workflowConditions = []string{v1alpha1.ConditionValid, v1alpha1.ConditionPlaceable, v1alpha1.ConditionReady, v1alpha1.ConditionStalled}

// judgeWorkflows checks what the statuses of workflows say, by docs/workflow.md and the entries that the registry serves.
func (w *world) judgeWorkflows(v *verdict, entries map[string]*entry) {
	for _, name := range slices.Sorted(maps.Keys(w.workflows)) {
		flow := w.workflows[name]
		valid := w.wantedValid(flow, entries)
		ready, stalled := "True/"+v1alpha1.ReasonReady, "False/"+v1alpha1.ReasonNotStalled
		if reason, invalid := strings.CutPrefix(valid, "False/"); invalid {
			ready = valid
			if reason == v1alpha1.ReasonInvalidGraph {
				stalled = "True/" + reason
			}
		}
		if flow.DeletionTimestamp != nil {
			ready, stalled = "False/"+v1alpha1.ReasonTerminating, "False/"+v1alpha1.ReasonNotStalled
		}
		want := []string{valid, w.wantedPlaces(flow, entries), ready, stalled}
		for i, of := range workflowConditions {
			c := meta.FindStatusCondition(flow.Status.Conditions, of)
			switch {
			case c == nil || c.ObservedGeneration != flow.Generation || flow.Status.ObservedGeneration != flow.Generation:
				v.differ("MazeWorkflow %s: condition %s does not speak of generation %d", name, of, flow.Generation)
			case string(c.Status)+"/"+c.Reason != want[i]:
				v.differ("MazeWorkflow %s: %s is %s/%s, and should be %s", name, of, c.Status, c.Reason, want[i])
			}
		}
		if valid == "True/"+v1alpha1.ReasonValid {
			judgeLastValid(v, flow, entries)
		}
	}
}

// wantedValid returns what Valid should be: the scenario says what is wrong with the workflow itself, and every node passes one argument.
func (*world) wantedValid(flow *v1alpha1.MazeWorkflow, entries map[string]*entry) string {
	reason := ""
	for i := range flow.Spec.Nodes {
		e := entries[flow.Spec.Nodes[i].Func]
		switch {
		case e == nil:
			reason = v1alpha1.ReasonUnknownTask
		case !takesImage(e) && reason == "":
			reason = v1alpha1.ReasonInterfaceMismatch
		}
	}
	if flow.Spec.Description == unsound {
		reason = v1alpha1.ReasonInvalidGraph
	}
	if reason == "" {
		return "True/" + v1alpha1.ReasonValid
	}
	return "False/" + reason
}

// takesImage reports whether a task has the input that workflows pass.
func takesImage(e *entry) bool {
	var input struct {
		Properties map[string]json.RawMessage `json:"properties"`
	}
	return json.Unmarshal(e.Schema["input"], &input) == nil && input.Properties["image"] != nil
}

// wantedPlaces returns what Placeable should be, by the conditions of the tasks.
func (w *world) wantedPlaces(flow *v1alpha1.MazeWorkflow, entries map[string]*entry) string {
	byUID := map[types.UID]*v1alpha1.MazeTask{}
	for _, t := range w.tasks {
		byUID[t.UID] = t
	}
	first := map[metav1.ConditionStatus]string{}
	for i := range flow.Spec.Nodes {
		status, reason := metav1.ConditionUnknown, v1alpha1.ReasonNotJudged
		if e := entries[flow.Spec.Nodes[i].Func]; e != nil && byUID[e.Kubernetes.UID] != nil {
			if c := meta.FindStatusCondition(byUID[e.Kubernetes.UID].Status.Conditions, v1alpha1.ConditionPlaceable); c != nil {
				status, reason = c.Status, c.Reason
			}
		}
		if first[status] == "" {
			first[status] = reason
		}
	}
	for _, status := range []metav1.ConditionStatus{metav1.ConditionFalse, metav1.ConditionUnknown} {
		if first[status] != "" {
			return fmt.Sprintf("%s/%s", status, first[status])
		}
	}
	return "True/" + v1alpha1.ReasonFeasible
}

// judgeLastValid checks status.tasks of a valid workflow: the interfaces that the registry serves.
func judgeLastValid(v *verdict, flow *v1alpha1.MazeWorkflow, entries map[string]*entry) {
	want := map[string]string{}
	for i := range flow.Spec.Nodes {
		name := flow.Spec.Nodes[i].Func
		want[name] = entries[name].Digest["interface"]
	}
	got := map[string]string{}
	for _, t := range flow.Status.Tasks {
		got[t.Name] = t.Interface
	}
	if !maps.Equal(want, got) {
		v.differ("MazeWorkflow %s: status.tasks is %v, and should be %v", flow.Name, got, want)
	}
}

// workflow checks a version of a workflow against the one before, and that it was judged by what was published.
func (r *replay) workflow(e *Event) {
	flow := e.Workflow
	before := r.workflows[flow.Name]
	setOrDelete(r.workflows, flow.Name, flow, e.Deleted)
	if e.Deleted {
		return
	}
	for _, t := range flow.Status.Tasks {
		if !r.interfaces[t.Name+" "+t.Interface] {
			r.violated(JudgedByServed, e.Version, "MazeWorkflow %s was valid against %s of task %s, which was never served", flow.Name, t.Interface, t.Name)
		}
	}
	if before == nil || before.UID != flow.UID {
		return
	}
	if flow.Status.ObservedGeneration < before.Status.ObservedGeneration {
		r.violated(StatusForward, e.Version, "observedGeneration of MazeWorkflow %s went from %d to %d",
			flow.Name, before.Status.ObservedGeneration, flow.Status.ObservedGeneration)
	}
	wasSpoilt := len(flow.Status.Conditions) == 0 // by hand
	if !wasSpoilt && !meta.IsStatusConditionTrue(flow.Status.Conditions, v1alpha1.ConditionValid) && !slices.Equal(before.Status.Tasks, flow.Status.Tasks) {
		r.violated(LastValidStays, e.Version, "MazeWorkflow %s is not valid, and its status.tasks went from %v to %v",
			flow.Name, before.Status.Tasks, flow.Status.Tasks)
	}
	for i := range flow.Status.Conditions {
		now := &flow.Status.Conditions[i]
		last := meta.FindStatusCondition(before.Status.Conditions, now.Type)
		if last == nil {
			continue
		}
		if last.Status == now.Status && !last.LastTransitionTime.Equal(&now.LastTransitionTime) || now.LastTransitionTime.Before(&last.LastTransitionTime) {
			r.violated(Transition, e.Version, "lastTransitionTime of condition %s of MazeWorkflow %s changed, and its status did not, or went back", now.Type, flow.Name)
		}
	}
}
