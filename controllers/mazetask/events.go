package controllers

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/placement"
)

// waitsForPerson are the reasons, of a condition that is False, which only a person can change. They
// make Stalled True, so that kstatus says Failed and not InProgress.
var waitsForPerson = []string{v1alpha1.ReasonTaskTooLarge, v1alpha1.ReasonRegistryConflict}

// statusOf gives the status of a task from the outcome of its present generation. Times of
// conditions that do not change are kept.
func statusOf(task *v1alpha1.MazeTask, decided outcome, now metav1.Time) v1alpha1.MazeTaskStatus {
	status := v1alpha1.MazeTaskStatus{
		ObservedGeneration: decided.generation,
		Conditions:         slices.Clone(task.Status.Conditions),
		Entry:              decided.entry,
		Placement:          decided.placement,
		Predictor:          decided.predictor,
	}
	for _, c := range conditionsOf(task.Status.Conditions, decided) {
		c.ObservedGeneration, c.LastTransitionTime = decided.generation, now
		meta.SetStatusCondition(&status.Conditions, c)
	}
	return status
}

// conditionsOf gives what each condition says of an outcome, where last are the conditions so far.
func conditionsOf(last []metav1.Condition, decided outcome) [5]metav1.Condition {
	verdict := placeable(last, decided)
	accepted, registered := decided.accepted.condition(v1alpha1.ConditionAccepted), decided.registered.condition(v1alpha1.ConditionRegistered)
	return [...]metav1.Condition{
		accepted,
		registered,
		{Type: v1alpha1.ConditionPlaceable, Status: verdict.Status, Reason: verdict.Reason, Message: verdict.Message},
		readyOf(accepted, registered),
		stalledOf(accepted, registered),
	}
}

func (f finding) condition(conditionType string) metav1.Condition {
	return metav1.Condition{Type: conditionType, Status: boolStatus(f.ok), Reason: f.reason, Message: f.message}
}

// readyOf derives Ready: True, or what the first of the conditions says that hold it back.
func readyOf(conditions ...metav1.Condition) metav1.Condition {
	for i := range conditions {
		if c := &conditions[i]; c.Status != metav1.ConditionTrue {
			return metav1.Condition{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: c.Reason, Message: c.Message}
		}
	}
	return metav1.Condition{
		Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonReady, Message: "the registry serves this generation",
	}
}

// stalledOf derives Stalled: True with the first reason that waits for a person, unless the task goes anyway.
func stalledOf(accepted, registered metav1.Condition) metav1.Condition {
	goes := registered.Reason == v1alpha1.ReasonTerminating
	for _, c := range []metav1.Condition{accepted, registered} {
		if !goes && c.Status == metav1.ConditionFalse && (c.Type == v1alpha1.ConditionAccepted || slices.Contains(waitsForPerson, c.Reason)) {
			return metav1.Condition{Type: v1alpha1.ConditionStalled, Status: metav1.ConditionTrue, Reason: c.Reason, Message: c.Message}
		}
	}
	return metav1.Condition{
		Type: v1alpha1.ConditionStalled, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonNotStalled, Message: "nothing waits for a person",
	}
}

// placeable gives the content of Placeable: as it is, if it differs in nothing but numbers of nodes.
func placeable(conditions []metav1.Condition, decided outcome) placement.Verdict {
	if decided.placement == nil {
		return placement.Verdict{
			Status: metav1.ConditionUnknown, Reason: v1alpha1.ReasonNotJudged, Message: "there is nothing to place: see the condition Registered",
		}
	}
	if last := lastVerdict(conditions); sameVerdict(last, decided.placeable) {
		return last
	}
	return decided.placeable
}

// lastVerdict reads Placeable. Empty if it is not set yet.
func lastVerdict(conditions []metav1.Condition) placement.Verdict {
	c := meta.FindStatusCondition(conditions, v1alpha1.ConditionPlaceable)
	if c == nil {
		return placement.Verdict{}
	}
	return placement.Verdict{Status: c.Status, Reason: c.Reason, Message: c.Message}
}

func boolStatus(ok bool) metav1.ConditionStatus {
	if ok {
		return metav1.ConditionTrue
	}
	return metav1.ConditionFalse
}

// change is something to tell about a task once its status is written.
type change struct {
	eventType string
	reason    string
	message   string
}

// changesOf compares a task's status with the next one.
func changesOf(task *v1alpha1.MazeTask, next *v1alpha1.MazeTaskStatus, decided outcome) []change {
	var changes []change
	if decided.registered.ok && !alreadyRegistered(&task.Status, next.Entry) {
		changes = append(changes, change{corev1.EventTypeNormal, eventRegistered, "Successfully registered task: " + task.Spec.Name})
		if decided.overwrote != "" && task.Status.Entry == nil { // an entry of its own is nothing new
			changes = append(changes, change{corev1.EventTypeWarning, eventOverwritten, fmt.Sprintf(
				"Task %s overwrites the registration of MazeTask %s", task.Spec.Name, decided.overwrote)})
		}
	}
	if !decided.accepted.ok && !alreadySaid(&task.Status, v1alpha1.ConditionAccepted, decided.accepted) {
		reason, message := eventInvalid, named(task, decided.accepted.message)
		if decided.accepted.reason == v1alpha1.ReasonNameConflict {
			reason, message = eventOverwritten, decided.accepted.message // it has the name
		}
		changes = append(changes, change{corev1.EventTypeWarning, reason, message})
	}
	if waits(decided.registered) && !alreadySaid(&task.Status, v1alpha1.ConditionRegistered, decided.registered) {
		changes = append(changes, change{corev1.EventTypeWarning, decided.registered.reason, named(task, decided.registered.message)})
	}
	if now := decided.placeable; decided.entry != nil && now.Status == metav1.ConditionFalse && lastVerdict(task.Status.Conditions).Reason != now.Reason {
		changes = append(changes, change{corev1.EventTypeWarning, eventUnplaceable, named(task, now.Message)})
	}
	return changes
}

// named begins a message with the task that it is about: where events and log lines of many tasks are read, nothing else does.
func named(task *v1alpha1.MazeTask, message string) string {
	return fmt.Sprintf("Task %s: %s", task.Spec.Name, message)
}

// waits says whether the entry waits for a person, while the spec is as it should be.
func waits(registered finding) bool {
	return !registered.ok && slices.Contains(waitsForPerson, registered.reason)
}

// alreadyRegistered says whether this generation's entry is no news. Nodes may change its placement at any time.
func alreadyRegistered(status *v1alpha1.MazeTaskStatus, entry *v1alpha1.EntryReference) bool {
	return status.Entry != nil && status.Entry.Key == entry.Key && status.Entry.Generation == entry.Generation &&
		meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionRegistered)
}

// alreadySaid says whether a condition says so. Which task has the name is no news for one that has lost it.
func alreadySaid(status *v1alpha1.MazeTaskStatus, conditionType string, now finding) bool {
	c := meta.FindStatusCondition(status.Conditions, conditionType)
	return c != nil && c.Reason == now.reason && (c.Message == now.message || now.reason == v1alpha1.ReasonNameConflict)
}

// Reasons of events.
const (
	// eventRegistered: the registry serves the task's present generation.
	eventRegistered = "Registered"
	// eventOverwritten: of two tasks with one name, the newer one replaced the older one. Both get it.
	eventOverwritten = "Overwritten"
	// eventInvalid: the spec is not valid.
	eventInvalid = "Invalid"
	// eventUnplaceable: no node can host the task any more, even when empty.
	eventUnplaceable = "Unplaceable"
	// The reasons in waitsForPerson are reasons of events too.
)
