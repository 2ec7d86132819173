package controllers

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/go-logr/logr/funcr"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/flowcontrol"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

func TestChangesOf(t *testing.T) {
	// after is the status of a task once an outcome is written.
	after := func(decided outcome) v1alpha1.MazeTaskStatus {
		return statusOf(ocr(v1alpha1.MazeTaskStatus{ObservedGeneration: -1}), decided, before)
	}
	fresh := v1alpha1.MazeTaskStatus{ObservedGeneration: -1}
	invalid := edited(func(o *outcome) {
		o.accepted, o.registered, o.placement, o.entry = refused("InvalidSchema", "bad"), refused("InvalidSpec", "none"), nil, nil
	})
	lastAccepted := edited(func(o *outcome) {
		o.accepted, o.registered, o.placement, o.entry = refused("InvalidSchema", "bad"), refused("ServingLastAccepted", "2"), nil, entryOf(2)
	})
	superseded := edited(func(o *outcome) {
		o.accepted, o.registered, o.entry = refused("NameConflict", "b is newer"), refused("Superseded", "b is newer"), nil
	})
	publishing := edited(func(o *outcome) { o.registered, o.entry = refused("Publishing", "again"), nil })
	terminating := edited(func(o *outcome) { o.registered, o.entry = refused("Terminating", "out"), nil })
	overwriting := edited(func(o *outcome) { o.overwrote = "ocr-old" })

	unplaceable := edited(func(o *outcome) { o.placeable = infeasible })

	registered := change{corev1.EventTypeNormal, "Registered", "Successfully registered task: ocr"}
	homeless := change{corev1.EventTypeWarning, "Unplaceable", "Task ocr: T4 (3 nodes): too small"}
	bad := change{corev1.EventTypeWarning, "Invalid", "Task ocr: bad"}
	taken := change{corev1.EventTypeWarning, "Overwritten", "b is newer"}
	overwrites := change{corev1.EventTypeWarning, "Overwritten", "Task ocr overwrites the registration of MazeTask ocr-old"}

	cases := map[string]struct {
		status  v1alpha1.MazeTaskStatus
		decided outcome
		want    []change
	}{
		"A new task":                    {status: fresh, decided: servedOutcome(), want: []change{registered}},
		"A new task overwrites another": {status: fresh, decided: overwriting, want: []change{registered, overwrites}},
		"One that overwrote is edited": {
			status: after(overwriting), decided: edited(func(o *outcome) { *o = overwriting; o.generation, o.entry = 4, entryOf(4) }), want: []change{registered},
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
			status: after(servedOutcome()), decided: edited(func(o *outcome) { o.generation, o.entry = 4, entryOf(4) }), want: []change{registered},
		},
		"Other nodes, and so another placement in the entry": {
			status: after(servedOutcome()), decided: edited(func(o *outcome) { o.entry = entryOf(3); o.entry.Digest = "sha256:b" }),
		},
		"A bad edit":              {status: after(servedOutcome()), decided: lastAccepted, want: []change{bad}},
		"Nothing new after it":    {status: after(lastAccepted), decided: lastAccepted},
		"A bad edit is corrected": {status: after(lastAccepted), decided: servedOutcome(), want: []change{registered}},
		"A bad edit is undone, to an entry of the same text": {
			status: after(edited(func(o *outcome) {
				o.accepted, o.registered = refused("InvalidSchema", "bad"), refused("ServingLastAccepted", "2")
			})),
			decided: servedOutcome(), want: []change{registered},
		},
		"Another mistake": {
			status: after(invalid), decided: edited(func(o *outcome) { *o = invalid; o.accepted.message = "worse" }),
			want: []change{{corev1.EventTypeWarning, "Invalid", "Task ocr: worse"}},
		},
		"The same words for another reason": {
			status: after(invalid), decided: edited(func(o *outcome) { *o = invalid; o.accepted.reason = "SchemaTooLarge" }), want: []change{bad},
		},
		"The name is taken":      {status: after(servedOutcome()), decided: superseded, want: []change{taken}},
		"The name is free again": {status: after(superseded), decided: servedOutcome(), want: []change{registered}},
		"The ConfigMap is taken": {
			status: after(servedOutcome()), decided: edited(func(o *outcome) { o.registered, o.entry = refused("RegistryConflict", "x"), nil }),
			want: []change{{corev1.EventTypeWarning, "RegistryConflict", "Task ocr: x"}},
		},
		"A new task fits nowhere": {status: fresh, decided: unplaceable, want: []change{registered, homeless}},
		"The last node goes":      {status: after(servedOutcome()), decided: unplaceable, want: []change{homeless}},
		"Another node goes":       {status: after(unplaceable), decided: edited(func(o *outcome) { *o = unplaceable; o.placeable.Message = "L4 (1 node): too small" })},
		"A node comes":            {status: after(unplaceable), decided: servedOutcome()},
		"A loser fits nowhere":    {status: after(superseded), decided: edited(func(o *outcome) { *o = superseded; o.placeable = infeasible })},
		"Nothing new of a loser to another winner": {
			status: after(superseded), decided: edited(func(o *outcome) { *o = superseded; o.accepted.message = "c is newer" }),
		},
		"Deleted":                   {status: after(servedOutcome()), decided: terminating},
		"An invalid one is deleted": {status: after(invalid), decided: edited(func(o *outcome) { *o = invalid; o.registered = refused("Terminating", "out") })},
		"The entry's place was unknown": {
			status: v1alpha1.MazeTaskStatus{Conditions: after(servedOutcome()).Conditions}, decided: servedOutcome(), want: []change{registered},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			task := ocr(tc.status)
			next := statusOf(task, tc.decided, now)
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
		"A long message":       {"Reads a page.", "llava", "Task ocr: " + long, "Task ocr: ää", "ä… (Reads a page.; model llava)"},
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

// TestTell: the log has every change, with what it is about under keys of its own; of good news, events leave out what is too much.
func TestTell(t *testing.T) {
	var lines []string
	logger := funcr.New(func(_, line string) { lines = append(lines, line) }, funcr.Options{})
	recorder := events.NewFakeRecorder(10)
	r := &mazeTaskReconciler{recorder: recorder, news: flowcontrol.NewFakeNeverRateLimiter()}
	task := ocr(v1alpha1.MazeTaskStatus{})
	task.Spec.Description, task.Spec.Resources.ModelName = "Reads a page.\nWell.", "llava"
	r.tell(log.IntoContext(t.Context(), logger), task, []change{
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
