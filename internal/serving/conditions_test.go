package serving_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/placement"
	"github.com/maze-agent/maregister/internal/serving"
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

// status is the status that follows another.
func status(o *serving.Outcome, last *v1alpha1.MazeTaskStatus, at metav1.Time) v1alpha1.MazeTaskStatus {
	return o.Status(last, at)
}

func edited(edit func(*serving.Outcome)) *serving.Outcome {
	o := servedOutcome()
	edit(o)
	return o
}

func refused(reason, message string) serving.Finding {
	return serving.Finding{Reason: reason, Message: message}
}

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

func TestOutcomeStatus(t *testing.T) {
	accepted := told{metav1.ConditionTrue, "Valid", "the spec is valid"}
	registered := told{metav1.ConditionTrue, "Served", "ConfigMap maze-registry serves this generation"}
	placeable := told{metav1.ConditionTrue, "Feasible", "a node can"}
	moving := told{metav1.ConditionFalse, "NotStalled", nobodyNeeded}
	no := func(reason, message string) told { return told{metav1.ConditionFalse, reason, message} }
	stalled := func(reason, message string) told { return told{metav1.ConditionTrue, reason, message} }

	cases := map[string]struct {
		decided *serving.Outcome
		// want are the conditions Accepted, Registered, Placeable, Ready and Stalled.
		want [5]told
	}{
		"All is well": {
			decided: servedOutcome(),
			want:    [5]told{accepted, registered, placeable, {metav1.ConditionTrue, "Ready", serves}, moving},
		},
		"Accepted with a warning": {
			decided: edited(func(o *serving.Outcome) { o.Accepted.Message = "the spec is valid; warning: x" }),
			want: [5]told{
				{metav1.ConditionTrue, "Valid", "the spec is valid; warning: x"}, registered, placeable, {metav1.ConditionTrue, "Ready", serves}, moving,
			},
		},
		"Never valid": {
			decided: &serving.Outcome{Generation: 3, Accepted: refused("InvalidSchema", "bad"), Registered: refused("InvalidSpec", "no entry")},
			want: [5]told{
				no("InvalidSchema", "bad"), no("InvalidSpec", "no entry"), {metav1.ConditionUnknown, "NotJudged", notValid},
				no("InvalidSchema", "bad"), stalled("InvalidSchema", "bad"),
			},
		},
		"A bad edit": {
			decided: &serving.Outcome{
				Generation: 3, Accepted: refused("SchemaTooLarge", "bad"), Registered: refused("ServingLastAccepted", "generation 2"), Entry: entryOf(2),
			},
			want: [5]told{
				no("SchemaTooLarge", "bad"), no("ServingLastAccepted", "generation 2"), {metav1.ConditionUnknown, "NotJudged", notValid},
				no("SchemaTooLarge", "bad"), stalled("SchemaTooLarge", "bad"),
			},
		},
		"The name is taken": {
			decided: edited(func(o *serving.Outcome) {
				o.Accepted, o.Registered, o.Entry = refused("NameConflict", "newer"), refused("Superseded", "newer"), nil
			}),
			want: [5]told{no("NameConflict", "newer"), no("Superseded", "newer"), placeable, no("NameConflict", "newer"), stalled("NameConflict", "newer")},
		},
		"Too large": {
			decided: edited(func(o *serving.Outcome) { o.Registered, o.Entry = refused("TaskTooLarge", "shorten"), nil }),
			want:    [5]told{accepted, no("TaskTooLarge", "shorten"), placeable, no("TaskTooLarge", "shorten"), stalled("TaskTooLarge", "shorten")},
		},
		"The ConfigMap is someone else's": {
			decided: edited(func(o *serving.Outcome) { o.Registered, o.Entry = refused("RegistryConflict", "rename"), nil }),
			want:    [5]told{accepted, no("RegistryConflict", "rename"), placeable, no("RegistryConflict", "rename"), stalled("RegistryConflict", "rename")},
		},
		"Not written yet": {
			decided: edited(func(o *serving.Outcome) { o.Registered, o.Entry = refused("Publishing", "again"), nil }),
			want:    [5]told{accepted, no("Publishing", "again"), placeable, no("Publishing", "again"), moving},
		},
		"On its way out": {
			decided: edited(func(o *serving.Outcome) { o.Registered, o.Entry = refused("Terminating", "out"), nil }),
			want:    [5]told{accepted, no("Terminating", "out"), placeable, no("Terminating", "out"), moving},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			want := v1alpha1.MazeTaskStatus{ObservedGeneration: 3, Entry: tc.decided.Entry, Placement: tc.decided.Placement, Predictor: tc.decided.Predictor}
			for i, conditionType := range []string{"Accepted", "Registered", "Placeable", "Ready", "Stalled"} {
				want.Conditions = append(want.Conditions, metav1.Condition{
					Type: conditionType, Status: tc.want[i].Status, Reason: tc.want[i].Reason, Message: tc.want[i].Message,
					ObservedGeneration: 3, LastTransitionTime: now,
				})
			}
			if diff := cmp.Diff(want, status(tc.decided, &v1alpha1.MazeTaskStatus{ObservedGeneration: -1}, now)); diff != "" {
				t.Errorf("Status(...) a new task: -want, +got:\n%s", diff)
			}
			earlier := status(edited(func(o *serving.Outcome) { o.Generation, o.Entry = 2, entryOf(2) }), &v1alpha1.MazeTaskStatus{}, now)
			if diff := cmp.Diff(want, status(tc.decided, &earlier, now)); diff != "" {
				t.Errorf("Status(...) after an edit: -want, +got:\n%s", diff)
			}
		})
	}
}

// TestOutcomeStatusMovesTransitionTimes: a condition's time moves exactly when its status does.
func TestOutcomeStatusMovesTransitionTimes(t *testing.T) {
	cases := map[string]struct {
		before, after *serving.Outcome
		wantMoved     []string
	}{
		"Nothing changes": {before: servedOutcome(), after: servedOutcome()},
		"Another generation, as good": {
			before: servedOutcome(),
			after:  edited(func(o *serving.Outcome) { o.Generation, o.Entry = 4, entryOf(4) }),
		},
		"Another message": {
			before: edited(func(o *serving.Outcome) { o.Accepted = refused("InvalidSchema", "a") }),
			after:  edited(func(o *serving.Outcome) { o.Accepted = refused("InvalidSchema", "b") }),
		},
		"Another reason": {
			before: edited(func(o *serving.Outcome) { o.Registered = refused("Publishing", "a") }),
			after:  edited(func(o *serving.Outcome) { o.Registered = refused("Terminating", "a") }),
		},
		"A bad edit": {
			before: servedOutcome(),
			after: edited(func(o *serving.Outcome) {
				o.Accepted, o.Registered, o.Placement = refused("InvalidSchema", "a"), refused("ServingLastAccepted", "a"), nil
			}),
			wantMoved: []string{"Accepted", "Registered", "Placeable", "Ready", "Stalled"},
		},
		"It is corrected": {
			before: edited(func(o *serving.Outcome) {
				o.Accepted, o.Registered = refused("InvalidSchema", "a"), refused("ServingLastAccepted", "a")
			}),
			after:     servedOutcome(),
			wantMoved: []string{"Accepted", "Registered", "Ready", "Stalled"},
		},
		"Published after a failure": {
			before:    edited(func(o *serving.Outcome) { o.Registered = refused("Publishing", "a") }),
			after:     servedOutcome(),
			wantMoved: []string{"Registered", "Ready"},
		},
		"The last node goes": {
			before:    servedOutcome(),
			after:     edited(func(o *serving.Outcome) { o.Placeable = infeasible }),
			wantMoved: []string{"Placeable"},
		},
		"A failure becomes someone's": {
			before:    edited(func(o *serving.Outcome) { o.Registered = refused("Publishing", "a") }),
			after:     edited(func(o *serving.Outcome) { o.Registered = refused("RegistryConflict", "a") }),
			wantMoved: []string{"Stalled"},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			task := ocr(status(tc.before, &v1alpha1.MazeTaskStatus{}, before))
			unchanged := task.DeepCopy()
			next := status(tc.after, &task.Status, now)
			if diff := cmp.Diff(unchanged, task); diff != "" {
				t.Errorf("Status(...) changed the task: -before, +after:\n%s", diff)
			}
			var moved []string
			for _, condition := range next.Conditions {
				if condition.ObservedGeneration != tc.after.Generation {
					t.Errorf("%s: want observedGeneration %d, got %d", condition.Type, tc.after.Generation, condition.ObservedGeneration)
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
			if diff := cmp.Diff(next, status(tc.after, &next, metav1.NewTime(noon.Add(time.Hour)))); diff != "" {
				t.Errorf("Status(...) of its own result: -first, +second:\n%s", diff)
			}
		})
	}
}

// TestOutcomeStatusHealsConditions: all five are set whatever was there, and others' stay.
func TestOutcomeStatusHealsConditions(t *testing.T) {
	whole := status(servedOutcome(), &v1alpha1.MazeTaskStatus{}, before).Conditions
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
			next := status(servedOutcome(), &v1alpha1.MazeTaskStatus{Conditions: tc.conditions}, now)
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

// TestOutcomeStatusKeepsCounts: how many nodes there are of a class is no reason to write a status.
func TestOutcomeStatusKeepsCounts(t *testing.T) {
	task := ocr(status(edited(func(o *serving.Outcome) { o.Placeable = infeasible }), &v1alpha1.MazeTaskStatus{}, before))
	more := edited(func(o *serving.Outcome) {
		o.Placeable = infeasible
		o.Placeable.Clauses = []placement.Clause{{Class: "T4", Nodes: 40, Why: "too small"}}
	})
	if diff := cmp.Diff(task.Status, status(more, &task.Status, now)); diff != "" {
		t.Errorf("Status(...) with more nodes: -want, +got:\n%s", diff)
	}
	other := edited(func(o *serving.Outcome) {
		o.Placeable = infeasible
		o.Placeable.Clauses = []placement.Clause{{Class: "L4", Nodes: 3, Why: "too small"}}
	})
	if got := meta.FindStatusCondition(status(other, &task.Status, now).Conditions, v1alpha1.ConditionPlaceable).Message; got != "L4 (3 nodes): too small" {
		t.Errorf("Status(...) with another class: got the message %q", got)
	}
}
