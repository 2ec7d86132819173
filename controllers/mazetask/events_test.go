package controllers

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

var (
	before = metav1.NewTime(noon)
	now    = metav1.NewTime(noon.Add(time.Minute))
)

// ocr is a task of generation 3 with a status.
func ocr(status v1alpha1.MazeTaskStatus) *v1alpha1.MazeTask {
	return &v1alpha1.MazeTask{
		ObjectMeta: metav1.ObjectMeta{Namespace: "docs", Name: "ocr-page", UID: "u", Generation: 3},
		Spec:       v1alpha1.MazeTaskSpec{Name: "ocr"},
		Status:     status,
	}
}

func edited(edit func(*outcome)) outcome {
	o := servedOutcome()
	edit(&o)
	return o
}

func refused(reason, message string) finding { return finding{reason: reason, message: message} }

const (
	serves       = "the registry serves this generation"
	nobodyNeeded = "nothing waits for a person"
	notValid     = "there is nothing to place: see the condition Registered"
)

// told is a condition but for its times.
type told struct {
	Status          metav1.ConditionStatus
	Reason, Message string
}

func TestStatusOf(t *testing.T) {
	accepted := told{metav1.ConditionTrue, "Valid", "the spec is valid"}
	registered := told{metav1.ConditionTrue, "Served", "ConfigMap maze-registry serves this generation"}
	placeable := told{metav1.ConditionTrue, "Feasible", "a node can"}
	moving := told{metav1.ConditionFalse, "NotStalled", nobodyNeeded}
	no := func(reason, message string) told { return told{metav1.ConditionFalse, reason, message} }
	stalled := func(reason, message string) told { return told{metav1.ConditionTrue, reason, message} }

	cases := map[string]struct {
		decided outcome
		// want are the conditions Accepted, Registered, Placeable, Ready and Stalled.
		want [5]told
	}{
		"All is well": {
			decided: servedOutcome(),
			want:    [5]told{accepted, registered, placeable, {metav1.ConditionTrue, "Ready", serves}, moving},
		},
		"Accepted with a warning": {
			decided: edited(func(o *outcome) { o.accepted.message = "the spec is valid; warning: x" }),
			want: [5]told{
				{metav1.ConditionTrue, "Valid", "the spec is valid; warning: x"}, registered, placeable, {metav1.ConditionTrue, "Ready", serves}, moving,
			},
		},
		"Never valid": {
			decided: outcome{generation: 3, accepted: refused("InvalidSchema", "bad"), registered: refused("InvalidSpec", "no entry")},
			want: [5]told{
				no("InvalidSchema", "bad"), no("InvalidSpec", "no entry"), {metav1.ConditionUnknown, "NotJudged", notValid},
				no("InvalidSchema", "bad"), stalled("InvalidSchema", "bad"),
			},
		},
		"A bad edit": {
			decided: outcome{
				generation: 3, accepted: refused("SchemaTooLarge", "bad"), registered: refused("ServingLastAccepted", "generation 2"), entry: entryOf(2),
			},
			want: [5]told{
				no("SchemaTooLarge", "bad"), no("ServingLastAccepted", "generation 2"), {metav1.ConditionUnknown, "NotJudged", notValid},
				no("SchemaTooLarge", "bad"), stalled("SchemaTooLarge", "bad"),
			},
		},
		"The name is taken": {
			decided: edited(func(o *outcome) {
				o.accepted, o.registered, o.entry = refused("NameConflict", "newer"), refused("Superseded", "newer"), nil
			}),
			want: [5]told{no("NameConflict", "newer"), no("Superseded", "newer"), placeable, no("NameConflict", "newer"), stalled("NameConflict", "newer")},
		},
		"Too large": {
			decided: edited(func(o *outcome) { o.registered, o.entry = refused("TaskTooLarge", "shorten"), nil }),
			want:    [5]told{accepted, no("TaskTooLarge", "shorten"), placeable, no("TaskTooLarge", "shorten"), stalled("TaskTooLarge", "shorten")},
		},
		"The ConfigMap is someone else's": {
			decided: edited(func(o *outcome) { o.registered, o.entry = refused("RegistryConflict", "rename"), nil }),
			want:    [5]told{accepted, no("RegistryConflict", "rename"), placeable, no("RegistryConflict", "rename"), stalled("RegistryConflict", "rename")},
		},
		"Not written yet": {
			decided: edited(func(o *outcome) { o.registered, o.entry = refused("Publishing", "again"), nil }),
			want:    [5]told{accepted, no("Publishing", "again"), placeable, no("Publishing", "again"), moving},
		},
		"On its way out": {
			decided: edited(func(o *outcome) { o.registered, o.entry = refused("Terminating", "out"), nil }),
			want:    [5]told{accepted, no("Terminating", "out"), placeable, no("Terminating", "out"), moving},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			want := v1alpha1.MazeTaskStatus{ObservedGeneration: 3, Entry: tc.decided.entry, Placement: tc.decided.placement, Predictor: tc.decided.predictor}
			for i, conditionType := range []string{"Accepted", "Registered", "Placeable", "Ready", "Stalled"} {
				want.Conditions = append(want.Conditions, metav1.Condition{
					Type: conditionType, Status: tc.want[i].Status, Reason: tc.want[i].Reason, Message: tc.want[i].Message,
					ObservedGeneration: 3, LastTransitionTime: now,
				})
			}
			if diff := cmp.Diff(want, statusOf(ocr(v1alpha1.MazeTaskStatus{ObservedGeneration: -1}), tc.decided, now)); diff != "" {
				t.Errorf("statusOf(...) a new task: -want, +got:\n%s", diff)
			}
			earlier := statusOf(ocr(v1alpha1.MazeTaskStatus{}), edited(func(o *outcome) { o.generation, o.entry = 2, entryOf(2) }), now)
			if diff := cmp.Diff(want, statusOf(ocr(earlier), tc.decided, now)); diff != "" {
				t.Errorf("statusOf(...) after an edit: -want, +got:\n%s", diff)
			}
		})
	}
}

// TestStatusOfMovesTransitionTimes: a condition's time moves exactly when its status does.
func TestStatusOfMovesTransitionTimes(t *testing.T) {
	cases := map[string]struct {
		before, after outcome
		wantMoved     []string
	}{
		"Nothing changes": {before: servedOutcome(), after: servedOutcome()},
		"Another generation, as good": {
			before: servedOutcome(),
			after:  edited(func(o *outcome) { o.generation, o.entry = 4, entryOf(4) }),
		},
		"Another message": {
			before: edited(func(o *outcome) { o.accepted = refused("InvalidSchema", "a") }),
			after:  edited(func(o *outcome) { o.accepted = refused("InvalidSchema", "b") }),
		},
		"Another reason": {
			before: edited(func(o *outcome) { o.registered = refused("Publishing", "a") }),
			after:  edited(func(o *outcome) { o.registered = refused("Terminating", "a") }),
		},
		"A bad edit": {
			before: servedOutcome(),
			after: edited(func(o *outcome) {
				o.accepted, o.registered, o.placement = refused("InvalidSchema", "a"), refused("ServingLastAccepted", "a"), nil
			}),
			wantMoved: []string{"Accepted", "Registered", "Placeable", "Ready", "Stalled"},
		},
		"It is corrected": {
			before: edited(func(o *outcome) {
				o.accepted, o.registered = refused("InvalidSchema", "a"), refused("ServingLastAccepted", "a")
			}),
			after:     servedOutcome(),
			wantMoved: []string{"Accepted", "Registered", "Ready", "Stalled"},
		},
		"Published after a failure": {
			before:    edited(func(o *outcome) { o.registered = refused("Publishing", "a") }),
			after:     servedOutcome(),
			wantMoved: []string{"Registered", "Ready"},
		},
		"The last node goes": {
			before:    servedOutcome(),
			after:     edited(func(o *outcome) { o.placeable = infeasible }),
			wantMoved: []string{"Placeable"},
		},
		"A failure becomes someone's": {
			before:    edited(func(o *outcome) { o.registered = refused("Publishing", "a") }),
			after:     edited(func(o *outcome) { o.registered = refused("RegistryConflict", "a") }),
			wantMoved: []string{"Stalled"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			task := ocr(statusOf(ocr(v1alpha1.MazeTaskStatus{}), tc.before, before))
			unchanged := task.DeepCopy()
			next := statusOf(task, tc.after, now)
			if diff := cmp.Diff(unchanged, task); diff != "" {
				t.Errorf("statusOf(...) changed the task: -before, +after:\n%s", diff)
			}
			var moved []string
			for _, condition := range next.Conditions {
				if condition.ObservedGeneration != tc.after.generation {
					t.Errorf("%s: want observedGeneration %d, got %d", condition.Type, tc.after.generation, condition.ObservedGeneration)
				}
				switch condition.LastTransitionTime {
				case now:
					moved = append(moved, condition.Type)
				case before:
				default:
					t.Errorf("%s: lastTransitionTime %s is neither the old nor the new time", condition.Type, condition.LastTransitionTime)
				}
			}
			if diff := cmp.Diff(tc.wantMoved, moved); diff != "" {
				t.Errorf("conditions whose time moved: -want, +got:\n%s", diff)
			}
			if diff := cmp.Diff(next, statusOf(ocr(next), tc.after, metav1.NewTime(noon.Add(time.Hour)))); diff != "" {
				t.Errorf("statusOf(...) of its own result: -first, +second:\n%s", diff)
			}
		})
	}
}

// TestStatusOfHealsConditions: all five are set whatever was there, and others' stay.
func TestStatusOfHealsConditions(t *testing.T) {
	whole := statusOf(ocr(v1alpha1.MazeTaskStatus{}), servedOutcome(), before).Conditions
	audited := metav1.Condition{Type: "example.com/Audited", Status: metav1.ConditionTrue, Reason: "Yes", LastTransitionTime: before, ObservedGeneration: 1}
	cases := map[string]struct {
		conditions []metav1.Condition
		want       []string
	}{
		"None":          {want: []string{"Accepted", "Registered", "Placeable", "Ready", "Stalled"}},
		"All":           {conditions: whole, want: []string{"Accepted", "Registered", "Placeable", "Ready", "Stalled"}},
		"One is gone":   {conditions: whole[1:], want: []string{"Registered", "Placeable", "Ready", "Stalled", "Accepted"}},
		"Someone's own": {conditions: []metav1.Condition{audited}, want: []string{"example.com/Audited", "Accepted", "Registered", "Placeable", "Ready", "Stalled"}},
		"A Ready that is not ours": {
			conditions: []metav1.Condition{{Type: "Ready", Status: metav1.ConditionFalse, Reason: "X", ObservedGeneration: 99, LastTransitionTime: before}},
			want:       []string{"Ready", "Accepted", "Registered", "Placeable", "Stalled"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			next := statusOf(ocr(v1alpha1.MazeTaskStatus{Conditions: tc.conditions}), servedOutcome(), now)
			var got []string
			for _, condition := range next.Conditions {
				got = append(got, condition.Type)
				if condition.Type == audited.Type {
					if diff := cmp.Diff(audited, condition); diff != "" {
						t.Errorf("another's condition: -want, +got:\n%s", diff)
					}
				} else if condition.ObservedGeneration != 3 {
					t.Errorf("%s: want observedGeneration 3, got %d", condition.Type, condition.ObservedGeneration)
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("conditions: -want, +got:\n%s", diff)
			}
			if !meta.IsStatusConditionTrue(next.Conditions, "Ready") {
				t.Error("want Ready")
			}
		})
	}
}

// TestStatusOfKeepsCounts: how many nodes there are of a class is no reason to write a status.
func TestStatusOfKeepsCounts(t *testing.T) {
	task := ocr(statusOf(ocr(v1alpha1.MazeTaskStatus{}), edited(func(o *outcome) { o.placeable = infeasible }), before))
	more := edited(func(o *outcome) { o.placeable = infeasible; o.placeable.Message = "T4 (40 nodes): too small" })
	if diff := cmp.Diff(task.Status, statusOf(task, more, now)); diff != "" {
		t.Errorf("statusOf(...) with more nodes: -want, +got:\n%s", diff)
	}
	other := edited(func(o *outcome) { o.placeable = infeasible; o.placeable.Message = "L4 (3 nodes): too small" })
	if got := meta.FindStatusCondition(statusOf(task, other, now).Conditions, v1alpha1.ConditionPlaceable).Message; got != other.placeable.Message {
		t.Errorf("statusOf(...) with another class: got the message %q", got)
	}
}
