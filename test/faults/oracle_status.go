package faults

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// conditionTypes are the five that README.md says are always set.
var conditionTypes = []string{
	v1alpha1.ConditionAccepted, v1alpha1.ConditionRegistered, v1alpha1.ConditionPlaceable, v1alpha1.ConditionReady, v1alpha1.ConditionStalled,
}

// conditionOf returns status and reason of a condition.
func conditionOf(t *v1alpha1.MazeTask, of string) string {
	c := meta.FindStatusCondition(t.Status.Conditions, of)
	if c == nil {
		return "absent"
	}
	return string(c.Status) + "/" + c.Reason
}

// judgeStatus checks what the status says of a task, by the table of conditions in README.md.
func (w *world) judgeStatus(v *verdict, t *v1alpha1.MazeTask, entries map[string]*entry) {
	for _, of := range conditionTypes {
		if c := meta.FindStatusCondition(t.Status.Conditions, of); c == nil || c.ObservedGeneration != t.Generation {
			v.differ("MazeTask %s: condition %s does not speak of generation %d", t.Name, of, t.Generation)
			return
		}
	}
	if t.Status.ObservedGeneration != t.Generation {
		v.differ("MazeTask %s: observedGeneration is %d, and should be %d", t.Name, t.Status.ObservedGeneration, t.Generation)
	}
	served := entries[t.Spec.Name]
	owner := served
	if served != nil && served.Kubernetes.UID != t.UID {
		served = nil
	}
	for _, c := range w.wantedConditions(t, served, owner) {
		if got := conditionOf(t, c.of); !slices.Contains(c.want, got) {
			v.differ("MazeTask %s: %s is %s, and should be %s", t.Name, c.of, got, strings.Join(c.want, " or "))
		}
	}
	c := meta.FindStatusCondition(t.Status.Conditions, v1alpha1.ConditionAccepted)
	if c.Reason == v1alpha1.ReasonNameConflict && owner != nil && !strings.Contains(c.Message, "MazeTask "+owner.Kubernetes.Name+" ") {
		v.differ("MazeTask %s: Accepted does not name the winner %s: %s", t.Name, owner.Kubernetes.Name, c.Message)
	}
	judgeReference(v, t, served)
}

// wantedCondition is what a condition may be.
type wantedCondition struct {
	of   string
	want []string
}

// wantedConditions returns what the conditions should be, of a task whose entry is served, nil if none is, and whose name has an owner,
// nil if none.
func (w *world) wantedConditions(t *v1alpha1.MazeTask, served, owner *entry) []wantedCondition {
	accepted, registered := "True/"+v1alpha1.ReasonValid, []string{"True/" + v1alpha1.ReasonServed}
	bad := validity(t)
	if bad != valid && bad != tooLarge {
		accepted = "False/" + bad
	}
	switch {
	case !t.DeletionTimestamp.IsZero():
		registered = []string{"False/" + v1alpha1.ReasonTerminating}
	case served == nil && bad == valid:
		accepted, registered = "False/"+v1alpha1.ReasonNameConflict, []string{"False/" + v1alpha1.ReasonSuperseded}
	case bad == tooLarge:
		registered = []string{"False/" + v1alpha1.ReasonTaskTooLarge}
	case served != nil && bad != valid:
		registered = []string{"False/" + v1alpha1.ReasonServingLastAccepted}
	case bad != valid:
		// Docs do not say which of the two it is for one that lost its name before a bad edit; a restart must not change it.
		registered = []string{"False/" + v1alpha1.ReasonInvalidSpec}
		if owner != nil {
			registered = append(registered, "False/"+v1alpha1.ReasonSuperseded)
		}
	}
	out := []wantedCondition{{v1alpha1.ConditionAccepted, []string{accepted}}, {v1alpha1.ConditionRegistered, registered}}
	actual := conditionOf(t, v1alpha1.ConditionRegistered)
	ready, stalled := "True/"+v1alpha1.ReasonReady, "False/"+v1alpha1.ReasonNotStalled
	switch {
	case strings.HasPrefix(accepted, "False"):
		ready, stalled = accepted, "True"+strings.TrimPrefix(accepted, "False")
	case strings.HasPrefix(actual, "False"):
		ready = actual
		if bad == tooLarge {
			stalled = "True/" + tooLarge
		}
	}
	if !t.DeletionTimestamp.IsZero() {
		stalled = "False/" + v1alpha1.ReasonNotStalled
	}
	return append(out, wantedCondition{v1alpha1.ConditionReady, []string{ready}}, wantedCondition{v1alpha1.ConditionStalled, []string{stalled}},
		wantedCondition{v1alpha1.ConditionPlaceable, w.wantedPlaceable(t, served, actual)})
}

// wantedPlaceable returns what Placeable may be, by docs/placement.md.
func (w *world) wantedPlaceable(t *v1alpha1.MazeTask, served *entry, registered string) []string {
	notJudged := "Unknown/" + v1alpha1.ReasonNotJudged
	if registered == "False/"+v1alpha1.ReasonInvalidSpec || !t.DeletionTimestamp.IsZero() || served == nil && validity(t) == tooLarge {
		return []string{notJudged}
	}
	of := t
	if past := w.past[t.UID]; validity(t) != valid && past != nil && served != nil {
		of = past.specs[served.Kubernetes.Generation]
	}
	feasible, infeasible, unknown := "True/"+v1alpha1.ReasonFeasible, "False/"+v1alpha1.ReasonNoFeasibleNode, "Unknown/"+v1alpha1.ReasonNoInventory
	gpu := of.Spec.Resources.Type == v1alpha1.ResourceTypeGPU
	switch count, _ := w.choice(of); {
	case validity(t) != valid && served == nil:
		return []string{feasible, infeasible, unknown, notJudged} // a task that lost its name before a bad edit
	case w.config.ignoreNodes || len(w.nodes) == 0 || gpu && !w.hasGPUs():
		return []string{unknown}
	case gpu && count == 0:
		return []string{infeasible}
	default:
		return []string{feasible}
	}
}

// judgeReference checks status.entry, status.placement and status.predictor against the registry.
func judgeReference(v *verdict, t *v1alpha1.MazeTask, served *entry) {
	reference := t.Status.Entry
	if served == nil {
		if reference != nil {
			v.differ("MazeTask %s: status.entry is set, and the registry does not serve it", t.Name)
		}
		return
	}
	if reference == nil || reference.ConfigMap != indexName || reference.Key != served.Name ||
		reference.Generation != served.Kubernetes.Generation || reference.Digest != textDigest(served.text) {
		v.differ("MazeTask %s: status.entry is %+v, and is not the entry of generation %d", t.Name, reference, served.Kubernetes.Generation)
	}
	encoded, err := json.Marshal(t.Status.Placement)
	if err != nil || !reflect.DeepEqual(value(encoded), value(served.Kubernetes.Placement)) {
		v.differ("MazeTask %s: status.placement is %s, and the entry's is %s", t.Name, encoded, served.Kubernetes.Placement)
	}
	if served.Predictor == nil && t.Status.Predictor != "" || served.Predictor != nil && *served.Predictor != t.Status.Predictor {
		v.differ("MazeTask %s: status.predictor is %q, and is not the entry's", t.Name, t.Status.Predictor)
	}
}
