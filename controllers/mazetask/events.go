package mazetask

import (
	"context"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/serving"
	"github.com/maze-agent/maregister/internal/text"
)

// Registrations make this many events at once, and then so many a second: an event is a write like any other, and
// thousands of them would slow down the very burst that they report. The log has all; warnings are never left out.
const (
	eventsBurst     = 50
	eventsPerSecond = 5
)

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
	// The reasons of serving.Finding.WaitsForPerson are reasons of events too.
)

// change is something to tell about a task once its status is written.
type change struct {
	eventType string
	reason    string
	message   string
}

// changesOf compares a task's status with the next one.
func changesOf(task *v1alpha1.MazeTask, next *v1alpha1.MazeTaskStatus, outcome *serving.Outcome) []change {
	var changes []change
	if outcome.Registered.OK && !alreadyRegistered(&task.Status, next.Entry) {
		changes = append(changes, change{corev1.EventTypeNormal, eventRegistered, "Successfully registered task: " + task.Spec.Name})
		if outcome.Overwrote != "" && task.Status.Entry == nil { // an entry of its own is nothing new
			changes = append(changes, change{corev1.EventTypeWarning, eventOverwritten, fmt.Sprintf(
				"Task %s overwrites the registration of MazeTask %s", task.Spec.Name, outcome.Overwrote)})
		}
	}
	if !outcome.Accepted.OK && !alreadySaid(&task.Status, v1alpha1.ConditionAccepted, outcome.Accepted) {
		reason, message := eventInvalid, named(task, outcome.Accepted.Message)
		if outcome.Accepted.Reason == v1alpha1.ReasonNameConflict {
			reason, message = eventOverwritten, outcome.Accepted.Message // it has the name
		}
		changes = append(changes, change{corev1.EventTypeWarning, reason, message})
	}
	if outcome.Registered.WaitsForPerson() && !alreadySaid(&task.Status, v1alpha1.ConditionRegistered, outcome.Registered) {
		changes = append(changes, change{corev1.EventTypeWarning, outcome.Registered.Reason, named(task, outcome.Registered.Message)})
	}
	last := serving.LastVerdict(task.Status.Conditions)
	if now := outcome.Placeable; outcome.Entry != nil && now.Status == metav1.ConditionFalse && last.Reason != now.Reason {
		changes = append(changes, change{corev1.EventTypeWarning, eventUnplaceable, named(task, now.Message())})
	}
	return changes
}

// named begins a message with the task that it is about: where events and log lines of many tasks are read, nothing else does.
func named(task *v1alpha1.MazeTask, message string) string {
	return fmt.Sprintf("Task %s: %s", task.Spec.Name, message)
}

// alreadyRegistered reports whether this generation's entry was reported before. Nodes may change its placement at any time.
func alreadyRegistered(status *v1alpha1.MazeTaskStatus, entry *v1alpha1.EntryReference) bool {
	return status.Entry != nil && status.Entry.Key == entry.Key && status.Entry.Generation == entry.Generation &&
		meta.IsStatusConditionTrue(status.Conditions, v1alpha1.ConditionRegistered)
}

// alreadySaid reports whether a condition says so. It need not be said again to a task that has lost its name which task has it.
func alreadySaid(status *v1alpha1.MazeTaskStatus, conditionType string, now serving.Finding) bool {
	c := meta.FindStatusCondition(status.Conditions, conditionType)
	return c != nil && c.Reason == now.Reason && (c.Message == text.Visible(now.Message) || now.Reason == v1alpha1.ReasonNameConflict)
}

// announce makes events and log lines of changes that are written.
func (r *reconciler) announce(ctx context.Context, task *v1alpha1.MazeTask, changes []change) {
	logger := log.FromContext(ctx)
	for _, c := range changes {
		logger.Info(text.ClipMiddleBytes(text.Visible(c.message), maxEventNote), "reason", c.reason, "task", task.Spec.Name,
			"description", descriptionOf(task), "model", modelOf(task))
		if c.eventType != corev1.EventTypeWarning && !r.limiter.TryAccept() {
			continue
		}
		r.Recorder.Eventf(task, nil, c.eventType, c.reason, "Register", "%s", noteOf(task, c.message))
	}
}

const (
	// maxEventNote is the API server's limit on an event's note, in bytes.
	maxEventNote = 1024
	// maxAbout bounds what an event or a log line says of a description or a model, in bytes.
	maxAbout = 200
)

// noteOf returns the note of an event: a message, of which the end is advice, and what names the task, for which there always is room.
func noteOf(task *v1alpha1.MazeTask, message string) string {
	end := about(task)
	return text.ClipMiddleBytes(text.Visible(message), maxEventNote-len(end)) + end
}

// about names a task for a person: the first line of its description and its model.
func about(task *v1alpha1.MazeTask) string {
	var parts []string
	if line := descriptionOf(task); line != "" {
		parts = append(parts, line)
	}
	if model := modelOf(task); model != "" {
		parts = append(parts, "model "+model)
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, "; ") + ")"
}

// descriptionOf returns the first line of a task's description, clipped.
func descriptionOf(task *v1alpha1.MazeTask) string {
	return text.Clip(text.Visible(text.FirstLine(task.Spec.Description)), maxAbout)
}

// modelOf returns the name of a task's model, clipped.
func modelOf(task *v1alpha1.MazeTask) string {
	return text.Clip(text.Visible(task.Spec.Resources.ModelName), maxAbout)
}
