package mazeworkflow

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/text"
)

// Events that are not warnings: this many at once, and then so many a second, as for tasks.
const (
	eventsBurst     = 50
	eventsPerSecond = 5
)

// Reasons of events.
const (
	// eventValid: the tasks take what the workflow passes, for the first time or again.
	eventValid = "Valid"
	// eventWaiting: a task that the workflow uses is not served, and the workflow never was valid: it may have come before its tasks.
	eventWaiting = "Waiting"
	// eventInvalid: something is wrong with the workflow, for the first time, for another reason, or since a task or the workflow changed.
	eventInvalid = "Invalid"
	// eventUnplaceable: no node of the cluster can host a task of the workflow any more.
	eventUnplaceable = "Unplaceable"
)

// change is something to tell about a workflow once its status is written.
type change struct {
	eventType, reason, message string
}

// changesOf compares a status with the next one. That others change the registry is told for tasks. A workflow that stays invalid is told
// again for another reason, and not for another message: that may change with each edit of its tasks.
func changesOf(last, next *v1alpha1.MazeWorkflowStatus) []change {
	var changes []change
	if now := moved(last, next, v1alpha1.ConditionValid); now != nil && now.Status != metav1.ConditionUnknown {
		changes = append(changes, validity(now, len(next.Tasks) > 0))
	}
	if now := moved(last, next, v1alpha1.ConditionPlaceable); now != nil && now.Status == metav1.ConditionFalse {
		changes = append(changes, change{corev1.EventTypeWarning, eventUnplaceable, now.Message})
	}
	return changes
}

// validity returns what there is to tell about the condition Valid. wasValid reports whether the workflow ever was valid.
func validity(valid *metav1.Condition, wasValid bool) change {
	switch {
	case valid.Status == metav1.ConditionTrue:
		return change{corev1.EventTypeNormal, eventValid, valid.Message}
	case valid.Reason == v1alpha1.ReasonUnknownTask && !wasValid:
		return change{corev1.EventTypeNormal, eventWaiting, valid.Message}
	default:
		return change{corev1.EventTypeWarning, eventInvalid, valid.Message}
	}
}

// moved returns a condition whose reason, and so its status, is not what it was. Nil if it is.
func moved(last, next *v1alpha1.MazeWorkflowStatus, conditionType string) *metav1.Condition {
	now := meta.FindStatusCondition(next.Conditions, conditionType)
	if before := meta.FindStatusCondition(last.Conditions, conditionType); before != nil && now != nil && before.Reason == now.Reason {
		return nil
	}
	return now
}

// maxEventNote is the API server's limit on an event's note, in bytes.
const maxEventNote = 1024

// announce makes events and log lines of changes that are written.
func (c *Controller) announce(ctx context.Context, w *v1alpha1.MazeWorkflow, changes []change) {
	logger := log.FromContext(ctx)
	for _, change := range changes {
		note := text.ClipMiddleBytes(change.message, maxEventNote) // of a finding that is longer, the advice is at the end
		logger.Info(note, "reason", change.reason, "description", text.Visible(text.FirstLine(w.Spec.Description)))
		if change.eventType == corev1.EventTypeWarning || c.limiter.TryAccept() {
			c.Recorder.Eventf(w, nil, change.eventType, change.reason, "Judge", "%s", note)
		}
	}
}
