package faults

import (
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// task checks a version of a task against the one before and the registry as it is.
func (r *replay) task(e *Event) {
	t := e.Task
	past := r.tasks[t.UID]
	if past == nil {
		past = &taskPast{specs: map[int64]*v1alpha1.MazeTask{}, texts: map[int64]string{}}
		r.tasks[t.UID] = past
	}
	before := r.byName[t.Name]
	setOrDelete(r.byName, t.Name, t, e.Deleted)
	if e.Deleted {
		past.deleted, past.holds = e.Version, false
		return
	}
	known := past.specs[t.Generation] != nil
	past.specs[t.Generation] = t
	if !known && validity(t) != valid {
		past.holds = past.present && len(r.harmed) == 0 && t.DeletionTimestamp.IsZero()
	} else if validity(t) == valid || !t.DeletionTimestamp.IsZero() {
		past.holds = false
	}
	if before != nil && before.UID != t.UID {
		before = nil
	}
	if before == nil || !apiequality.Semantic.DeepEqual(before.Status, t.Status) {
		r.status(e, before)
	}
}

// status checks a status that was written.
func (r *replay) status(e *Event, before *v1alpha1.MazeTask) {
	t := e.Task
	for i := range t.Status.Conditions {
		now := &t.Status.Conditions[i]
		if before == nil {
			continue
		}
		last := meta.FindStatusCondition(before.Status.Conditions, now.Type)
		if last == nil {
			continue
		}
		if last.Status == now.Status && !last.LastTransitionTime.Equal(&now.LastTransitionTime) {
			r.violated(Transition, e.Version, "condition %s of MazeTask %s did not change, and its lastTransitionTime did", now.Type, t.Name)
		}
		if now.LastTransitionTime.Before(&last.LastTransitionTime) {
			r.violated(Transition, e.Version, "lastTransitionTime of condition %s of MazeTask %s went back", now.Type, t.Name)
		}
	}
	ready := meta.FindStatusCondition(t.Status.Conditions, v1alpha1.ConditionReady)
	if ready == nil || ready.Status != metav1.ConditionTrue {
		return
	}
	if len(r.harmed) > 0 || r.torn {
		return // a user's doing, or a violation that is told already
	}
	if served := r.serving[t.Spec.Name]; served == nil || served.Kubernetes.UID != t.UID || served.Kubernetes.Generation < ready.ObservedGeneration {
		if r.readyLandsLate(t, ready.ObservedGeneration) {
			return
		}
		r.violated(ReadyIsServed, e.Version, "MazeTask %s is Ready for generation %d, and the registry serves %s", t.Name, ready.ObservedGeneration, describe(served))
	}
}

func describe(e *entry) string {
	if e == nil {
		return "no such name"
	}
	return "generation " + formatInt(e.Kubernetes.Generation) + " of MazeTask " + e.Kubernetes.Name
}
