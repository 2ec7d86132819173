package mazetask

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/flowcontrol"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/placement"
	"github.com/maze-agent/maregister/internal/serving"
)

var (
	noon       = time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	before     = metav1.NewTime(noon)
	now        = metav1.NewTime(noon.Add(time.Minute))
	infeasible = placement.Verdict{Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonNoFeasibleNode, Clauses: []placement.Clause{{Class: "T4", Nodes: 3, Why: "too small"}}}
)

// ocr is a task of generation 3 with a status.
func ocr(status v1alpha1.MazeTaskStatus) *v1alpha1.MazeTask {
	return &v1alpha1.MazeTask{
		ObjectMeta: metav1.ObjectMeta{Namespace: "docs", Name: "ocr-page", UID: "u", Generation: 3},
		Spec:       v1alpha1.MazeTaskSpec{Name: "ocr"},
		Status:     status,
	}
}

func entryOf(generation int64) *v1alpha1.EntryReference {
	return &v1alpha1.EntryReference{ConfigMap: "maze-registry", Key: "ocr", Generation: generation, Digest: "sha256:" + strings.Repeat("a", int(generation))}
}

// servedOutcome is that of a task with which all is well.
func servedOutcome() *serving.Outcome {
	return &serving.Outcome{
		Generation: 3, Accepted: serving.Finding{OK: true, Reason: v1alpha1.ReasonValid}, Registered: serving.Finding{OK: true, Reason: v1alpha1.ReasonServed},
		Placement: &v1alpha1.Placement{}, Placeable: placement.Verdict{Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonFeasible}, Entry: entryOf(3),
	}
}

func edited(edit func(*serving.Outcome)) *serving.Outcome {
	o := servedOutcome()
	edit(o)
	return o
}

func refused(reason, message string) serving.Finding {
	return serving.Finding{Reason: reason, Message: message}
}

func TestChangesOf(t *testing.T) {
	// after is the status of a task once an outcome is written.
	after := func(decided *serving.Outcome) v1alpha1.MazeTaskStatus {
		return decided.Status(&v1alpha1.MazeTaskStatus{ObservedGeneration: -1}, before)
	}
	fresh := v1alpha1.MazeTaskStatus{ObservedGeneration: -1}
	invalid := edited(func(o *serving.Outcome) {
		o.Accepted, o.Registered, o.Placement, o.Entry = refused("InvalidSchema", "bad"), refused("InvalidSpec", "none"), nil, nil
	})
	lastAccepted := edited(func(o *serving.Outcome) {
		o.Accepted, o.Registered, o.Placement, o.Entry = refused("InvalidSchema", "bad"), refused("ServingLastAccepted", "2"), nil, entryOf(2)
	})
	superseded := edited(func(o *serving.Outcome) {
		o.Accepted, o.Registered, o.Entry = refused("NameConflict", "b is newer"), refused("Superseded", "b is newer"), nil
	})
	publishing := edited(func(o *serving.Outcome) { o.Registered, o.Entry = refused("Publishing", "again"), nil })
	terminating := edited(func(o *serving.Outcome) { o.Registered, o.Entry = refused("Terminating", "out"), nil })
	overwriting := edited(func(o *serving.Outcome) { o.Overwrote = "ocr-old" })

	unplaceable := edited(func(o *serving.Outcome) { o.Placeable = infeasible })

	registered := change{corev1.EventTypeNormal, "Registered", "Successfully registered task: ocr"}
	homeless := change{corev1.EventTypeWarning, "Unplaceable", "Task ocr: T4 (3 nodes): too small"}
	bad := change{corev1.EventTypeWarning, "Invalid", "Task ocr: bad"}
	taken := change{corev1.EventTypeWarning, "Overwritten", "b is newer"}
	overwrites := change{corev1.EventTypeWarning, "Overwritten", "Task ocr overwrites the registration of MazeTask ocr-old"}

	cases := map[string]struct {
		status  v1alpha1.MazeTaskStatus
		decided *serving.Outcome
		want    []change
	}{
		"A new task":                    {status: fresh, decided: servedOutcome(), want: []change{registered}},
		"A new task overwrites another": {status: fresh, decided: overwriting, want: []change{registered, overwrites}},
		"One that overwrote is edited": {
			status: after(overwriting), decided: edited(func(o *serving.Outcome) { *o = *overwriting; o.Generation, o.Entry = 4, entryOf(4) }), want: []change{registered},
		},
		"A new task is invalid":              {status: fresh, decided: invalid, want: []change{bad}},
		"A new task loses its name":          {status: fresh, decided: superseded, want: []change{taken}},
		"A new task is not written yet":      {status: fresh, decided: publishing},
		"Written after all":                  {status: after(publishing), decided: servedOutcome(), want: []change{registered}},
		"Nothing new":                        {status: after(servedOutcome()), decided: servedOutcome()},
		"Nothing new of one that overwrites": {status: after(overwriting), decided: overwriting},
		"Nothing new of an invalid one":      {status: after(invalid), decided: invalid},
		"Nothing new of a loser":             {status: after(superseded), decided: superseded},
		"An edit": {
			status: after(servedOutcome()), decided: edited(func(o *serving.Outcome) { o.Generation, o.Entry = 4, entryOf(4) }), want: []change{registered},
		},
		"Other nodes, and so another placement in the entry": {
			status: after(servedOutcome()), decided: edited(func(o *serving.Outcome) { o.Entry = entryOf(3); o.Entry.Digest = "sha256:b" }),
		},
		"A bad edit":              {status: after(servedOutcome()), decided: lastAccepted, want: []change{bad}},
		"Nothing new after it":    {status: after(lastAccepted), decided: lastAccepted},
		"A bad edit is corrected": {status: after(lastAccepted), decided: servedOutcome(), want: []change{registered}},
		"A bad edit is undone, to an entry of the same text": {
			status: after(edited(func(o *serving.Outcome) {
				o.Accepted, o.Registered = refused("InvalidSchema", "bad"), refused("ServingLastAccepted", "2")
			})),
			decided: servedOutcome(), want: []change{registered},
		},
		"Another mistake": {
			status: after(invalid), decided: edited(func(o *serving.Outcome) { *o = *invalid; o.Accepted.Message = "worse" }),
			want: []change{{corev1.EventTypeWarning, "Invalid", "Task ocr: worse"}},
		},
		"The same words for another reason": {
			status: after(invalid), decided: edited(func(o *serving.Outcome) { *o = *invalid; o.Accepted.Reason = "SchemaTooLarge" }), want: []change{bad},
		},
		"The name is taken":      {status: after(servedOutcome()), decided: superseded, want: []change{taken}},
		"The name is free again": {status: after(superseded), decided: servedOutcome(), want: []change{registered}},
		"The ConfigMap is taken": {
			status: after(servedOutcome()), decided: edited(func(o *serving.Outcome) { o.Registered, o.Entry = refused("RegistryConflict", "x"), nil }),
			want: []change{{corev1.EventTypeWarning, "RegistryConflict", "Task ocr: x"}},
		},
		"A new task fits nowhere": {status: fresh, decided: unplaceable, want: []change{registered, homeless}},
		"The last node goes":      {status: after(servedOutcome()), decided: unplaceable, want: []change{homeless}},
		"Another node goes": {status: after(unplaceable), decided: edited(func(o *serving.Outcome) {
			*o = *unplaceable
			o.Placeable.Clauses = []placement.Clause{{Class: "L4", Nodes: 1, Why: "too small"}}
		})},
		"A node comes":         {status: after(unplaceable), decided: servedOutcome()},
		"A loser fits nowhere": {status: after(superseded), decided: edited(func(o *serving.Outcome) { *o = *superseded; o.Placeable = infeasible })},
		"Nothing new of a loser to another winner": {
			status: after(superseded), decided: edited(func(o *serving.Outcome) { *o = *superseded; o.Accepted.Message = "c is newer" }),
		},
		"Deleted":                   {status: after(servedOutcome()), decided: terminating},
		"An invalid one is deleted": {status: after(invalid), decided: edited(func(o *serving.Outcome) { *o = *invalid; o.Registered = refused("Terminating", "out") })},
		"The entry's place was unknown": {
			status: v1alpha1.MazeTaskStatus{Conditions: after(servedOutcome()).Conditions}, decided: servedOutcome(), want: []change{registered},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			task := ocr(tc.status)
			next := tc.decided.Status(&task.Status, now)
			if diff := cmp.Diff(tc.want, changesOf(task, &next, tc.decided), cmp.AllowUnexported(change{})); diff != "" {
				t.Errorf("changesOf(...): -want, +got:\n%s", diff)
			}
		})
	}
}

// TestNoteOf: an event names the description's first line and the model, however long the rest is.
func TestNoteOf(t *testing.T) {
	long := strings.Repeat("ä", 2*maxEventNote)
	cases := map[string]struct {
		description, model, message string
		wantBegin, wantEnd          string
	}{
		"Short":                {"Reads a page.\nWell.", "llava", "Task ocr: bad", "Task ocr: bad (Reads a page.; model llava)", ""},
		"Nothing to add":       {"\n \n", "", "Task ocr: bad", "Task ocr: bad", ""},
		"No description":       {"", "llava", "Task ocr: bad", "Task ocr: bad (model llava)", ""},
		"A long message":       {"Reads a page.", "llava", "Task ocr: " + long + "; leave it out", "Task ocr: ää", "ä; leave it out (Reads a page.; model llava)"},
		"Everything very long": {long, long, "Task ocr: " + long, "Task ocr: ää", "ä…)"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			task := ocr(v1alpha1.MazeTaskStatus{})
			task.Spec.Description, task.Spec.Resources.ModelName = tc.description, tc.model
			got := noteOf(task, tc.message)
			if !strings.HasPrefix(got, tc.wantBegin) || !strings.HasSuffix(got, tc.wantEnd) || len(got) > maxEventNote || !utf8.ValidString(got) {
				t.Errorf("noteOf(...): want at most %d bytes, %q … %q, got %d bytes, %q", maxEventNote, tc.wantBegin, tc.wantEnd, len(got), got)
			}
		})
	}
}

// TestAnnounce: the log has every change, with what it is about under keys of its own; events leave out registrations where there are too many.
func TestAnnounce(t *testing.T) {
	var lines []string
	logger := funcr.New(func(_, line string) { lines = append(lines, line) }, funcr.Options{})
	recorder := events.NewFakeRecorder(10)
	r := &reconciler{Config: Config{Recorder: recorder}, limiter: flowcontrol.NewFakeNeverRateLimiter()}
	task := ocr(v1alpha1.MazeTaskStatus{})
	task.Spec.Description, task.Spec.Resources.ModelName = "Reads a page.\nWell.", "llava"
	r.announce(log.IntoContext(t.Context(), logger), task, []change{
		{corev1.EventTypeNormal, "Registered", "Successfully registered task: ocr"}, {corev1.EventTypeWarning, "Invalid", "Task ocr: bad"},
	})
	const about = ` "task"="ocr" "description"="Reads a page." "model"="llava"`
	want := []string{
		`"level"=0 "msg"="Successfully registered task: ocr" "reason"="Registered"` + about,
		`"level"=0 "msg"="Task ocr: bad" "reason"="Invalid"` + about,
	}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Errorf("log: -want, +got:\n%s", diff)
	}
	close(recorder.Events)
	var told []string
	for event := range recorder.Events {
		told = append(told, event)
	}
	if diff := cmp.Diff([]string{"Warning Invalid Task ocr: bad (Reads a page.; model llava)"}, told); diff != "" {
		t.Errorf("events: -want, +got:\n%s", diff)
	}
}
