package serving

import (
	"slices"

	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/placement"
	"github.com/maze-agent/maregister/internal/text"
)

// waitsForPerson are the reasons, of a condition that is False, which only a person can change. They
// make Stalled True, so that kstatus says Failed and not InProgress.
var waitsForPerson = []string{v1alpha1.ReasonTaskTooLarge, v1alpha1.ReasonRegistryConflict}

// Status returns the status of a task from the outcome of its present generation. Times of conditions that do not change are kept.
func (o *Outcome) Status(last *v1alpha1.MazeTaskStatus, now metav1.Time) v1alpha1.MazeTaskStatus {
	status := v1alpha1.MazeTaskStatus{
		ObservedGeneration: o.Generation,
		Conditions:         slices.Clone(last.Conditions),
		Entry:              o.Entry,
		Placement:          o.Placement,
		Predictor:          o.Predictor,
	}
	for _, c := range o.Conditions(last.Conditions) {
		c.ObservedGeneration, c.LastTransitionTime = o.Generation, now
		meta.SetStatusCondition(&status.Conditions, c)
	}
	return status
}

// Conditions returns what each condition says of an outcome, where last are the conditions so far. All that is owned is set; Ready and
// Stalled are derived from the others.
func (o *Outcome) Conditions(last []metav1.Condition) [5]metav1.Condition {
	verdict := o.placeable(last)
	accepted, registered := o.Accepted.condition(v1alpha1.ConditionAccepted), o.Registered.condition(v1alpha1.ConditionRegistered)
	return [...]metav1.Condition{
		accepted,
		registered,
		{Type: v1alpha1.ConditionPlaceable, Status: verdict.Status, Reason: verdict.Reason, Message: text.Visible(verdict.Message())},
		readyOf(accepted, registered),
		stalledOf(accepted, registered),
	}
}

func (f Finding) condition(conditionType string) metav1.Condition {
	return metav1.Condition{Type: conditionType, Status: statusOf(f.OK), Reason: f.Reason, Message: text.Visible(f.Message)}
}

func statusOf(ok bool) metav1.ConditionStatus {
	if ok {
		return metav1.ConditionTrue
	}
	return metav1.ConditionFalse
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

// placeable returns the content of Placeable: as it is, if it differs in nothing but numbers of nodes.
func (o *Outcome) placeable(conditions []metav1.Condition) placement.Verdict {
	if o.Placement == nil {
		return placement.Verdict{
			Status: metav1.ConditionUnknown, Reason: v1alpha1.ReasonNotJudged, Summary: "there is nothing to place: see the condition Registered",
		}
	}
	if last := LastVerdict(conditions); last.SameButCounts(o.Placeable) {
		return last
	}
	return o.Placeable
}

// LastVerdict reads Placeable. It is empty if that is not set yet.
func LastVerdict(conditions []metav1.Condition) placement.Verdict {
	c := meta.FindStatusCondition(conditions, v1alpha1.ConditionPlaceable)
	if c == nil {
		return placement.Verdict{}
	}
	return placement.Verdict{Status: c.Status, Reason: c.Reason, Told: c.Message}
}

func samePlacement(a, b *v1alpha1.Placement) bool {
	return a == b || apiequality.Semantic.DeepEqual(a, b)
}

// WaitsForPerson reports whether the entry waits for a person, while the spec is as it should be.
func (f Finding) WaitsForPerson() bool { return !f.OK && slices.Contains(waitsForPerson, f.Reason) }

// Rejection returns the reason for which a spec is refused. It is empty if it is not, or only for the sake of another task.
func (o *Outcome) Rejection() string {
	switch {
	case !o.Accepted.OK && o.Accepted.Reason != v1alpha1.ReasonNameConflict:
		return o.Accepted.Reason
	case o.Registered.Reason == v1alpha1.ReasonTaskTooLarge:
		return v1alpha1.ReasonTaskTooLarge
	default:
		return ""
	}
}
