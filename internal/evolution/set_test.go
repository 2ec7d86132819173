package evolution

import (
	"encoding/json"
	"fmt"
	"math/rand"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/registry"
)

// version returns a task: "namespace/name", its inputs in the shorthand, and its entry point. Without inputs, it cannot be used.
func version(t *testing.T, name, input, entryPoint string) Version {
	t.Helper()
	namespace, name, _ := strings.Cut(name, "/")
	v := Version{Namespace: namespace, Name: name, Refused: "it is wrong"}
	if input == "" {
		return v
	}
	v.Entry = &registry.Entry{Schema: registry.Interface{Input: normalised(t, json.RawMessage(input)), Output: json.RawMessage(`{"type":"object"}`)}}
	v.Entry.Name, v.Entry.Digest = name, registry.Digests{Interface: string(v.Entry.Schema.Input), Spec: "sha256:0"}
	if entryPoint != "" {
		v.Entry.EntryPoint = &entryPoint
	}
	v.Refused = ""
	return v
}

// TestMatch: what became of each task.
func TestMatch(t *testing.T) {
	const takesX, takesText = `{"x": "int"}`, `{"x": "str"}`
	for name, tc := range map[string]struct {
		old, new [][3]string
		want     []string
	}{
		"nothing":           {[][3]string{{"a/t", takesX}}, [][3]string{{"a/t", takesX}}, []string{"compatible unchanged a/t -> a/t"}},
		"added":             {nil, [][3]string{{"a/t", takesX}}, []string{"compatible added -> a/t"}},
		"removed":           {[][3]string{{"a/t", takesX}}, nil, []string{"breaking removed a/t ->"}},
		"edited":            {[][3]string{{"a/t", takesX}}, [][3]string{{"a/t", takesText}}, []string{"breaking edited a/t -> a/t"}},
		"without namespace": {[][3]string{{"/t", takesX}}, [][3]string{{"a/t", takesText}}, []string{"breaking edited /t -> a/t"}},
		"in two namespaces": {
			[][3]string{{"/t", takesX}}, [][3]string{{"a/t", takesX}, {"b/t", takesX}},
			[]string{"compatible unchanged /t -> a/t", "compatible unchanged /t -> b/t"},
		},
		"from two namespaces": {
			[][3]string{{"a/t", takesX}, {"b/t", takesText}}, [][3]string{{"/t", takesX}},
			[]string{"compatible unchanged a/t -> /t", "breaking edited b/t -> /t"},
		},
		"moved to another namespace": {
			[][3]string{{"a/t", takesX}}, [][3]string{{"b/t", takesX}},
			[]string{"breaking removed a/t ->", "compatible added -> b/t"},
		},
		"renamed, by its entry point": {
			[][3]string{{"a/t", takesX, "m:f"}}, [][3]string{{"a/other", takesX, "m:f"}}, []string{"breaking renamed a/t -> a/other"},
		},
		"renamed, by its name": {[][3]string{{"a/split", takesX, ""}}, [][3]string{{"a/spilt", takesX, ""}}, []string{"breaking renamed a/split -> a/spilt"}},
		"other parameters": {
			[][3]string{{"a/t", takesX, "m:f"}}, [][3]string{{"a/other", takesText, "m:f"}},
			[]string{"compatible added -> a/other", "breaking removed a/t ->"},
		},
		"nothing in common": {
			[][3]string{{"a/split", takesX, "m:f"}}, [][3]string{{"a/join", takesX, "m:g"}},
			[]string{"compatible added -> a/join", "breaking removed a/split ->"},
		},
		"one of two renamed": {
			[][3]string{{"a/t1", takesX, "m:f"}, {"a/t2", takesX, "m:f"}}, [][3]string{{"a/other", takesX, "m:f"}},
			[]string{"breaking renamed a/t1 -> a/other", "breaking removed a/t2 ->"},
		},
		"refused now":    {[][3]string{{"a/t", takesX}}, [][3]string{{"/t", ""}}, []string{"unknown incomparable a/t -> /t"}},
		"refused before": {[][3]string{{"a/t", ""}}, [][3]string{{"a/t", takesX}}, []string{"unknown incomparable a/t -> a/t"}},
		"refused, new":   {nil, [][3]string{{"a/t", ""}}, []string{"unknown incomparable -> a/t"}},
		"refused, gone":  {[][3]string{{"a/t", ""}}, nil, []string{"unknown incomparable a/t ->"}},
		"twice":          {[][3]string{{"a/t", takesText}, {"a/t", takesX}}, [][3]string{{"a/t", takesX}}, []string{"compatible unchanged a/t -> a/t"}},
	} {
		t.Run(name, func(t *testing.T) {
			var old, now []Version
			for _, one := range tc.old {
				old = append(old, version(t, one[0], one[1], one[2]))
			}
			for _, one := range tc.new {
				now = append(now, version(t, one[0], one[1], one[2]))
			}
			if diff := cmp.Diff(tc.want, fates(Match(old, now))); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestDeprecated: that a task is deprecated, in other words, or no longer is told by a rule of its own, and is never breaking.
func TestDeprecated(t *testing.T) {
	first := &registry.Deprecation{Message: "Use\nb.", Replacement: "b"}
	for name, tc := range map[string]struct {
		old, new *registry.Deprecation
		want     []string
	}{
		"never":          {nil, nil, nil},
		"as before":      {first, first.DeepCopy(), nil},
		"now":            {nil, first, []string{"it is deprecated now: Use b; replacement: b"}},
		"in other words": {first, &registry.Deprecation{Message: "Goes in May."}, []string{"it is deprecated in other words now: Goes in May"}},
		"no longer":      {first, nil, []string{"it is no longer deprecated"}},
	} {
		t.Run(name, func(t *testing.T) {
			before, after := version(t, "a/t", `{}`, "m:f").Entry, version(t, "a/t", `{}`, "m:f").Entry
			before.Deprecated, after.Deprecated, after.Digest.Spec = tc.old, tc.new, "sha256:1"
			report, err := Compare(before, after)
			if err != nil || report.Verdict != Compatible {
				t.Fatalf("want compatible, got %s and the error %v", report.Verdict, err)
			}
			var got []string
			for _, change := range report.Changes {
				if change.Rule() != finding.TaskDeprecated {
					t.Errorf("%s: got the rule %s", change, change.Rule())
				}
				got = append(got, change.String())
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			before.Digest = registry.Digests{} // the original's form does not know it
			if report, err := Compare(before, after); err != nil || len(report.Changes) > 0 {
				t.Errorf("want no change from the original's form, got %v and the error %v", report.Changes, err)
			}
		})
	}
}

// fates returns what became of the tasks, a line each.
func fates(edits []Edit) []string {
	var out []string
	for _, edit := range edits {
		line := fmt.Sprint(edit.Verdict, " ", edit.Fate)
		if edit.Old != nil {
			line += " " + edit.Old.Namespace + "/" + edit.Old.Name
		}
		line += " ->"
		if edit.New != nil {
			line += " " + edit.New.Namespace + "/" + edit.New.Name
		}
		out = append(out, line)
	}
	return out
}

// TestRenamedIsAGuess: nothing is said of a task that came by one that is gone, as it may be another one. The verdict is that of a removal.
func TestRenamedIsAGuess(t *testing.T) {
	old, now := version(t, "a/ping", `{"x": "int"}`, "m:f"), version(t, "a/pong", `{"x": "int"}`, "m:g")
	now.Entry.Resources.Mem, now.Entry.Digest.Spec = 2048, "sha256:1"
	edits := Match([]Version{old}, []Version{now})
	if len(edits) != 1 || edits[0].Fate != TaskRenamed || edits[0].Verdict != Breaking || len(edits[0].Changes) > 0 {
		t.Errorf("want a breaking edit without changes, got %+v", edits)
	}
}

// TestMatchIsDeterministic: the order of the tasks does not matter.
func TestMatchIsDeterministic(t *testing.T) {
	var old, now []Version
	for i := range 30 {
		old = append(old, version(t, fmt.Sprintf("a/task_%d", i), `{"x": "int"}`, fmt.Sprintf("m:f%d", i%7)))
		now = append(now, version(t, fmt.Sprintf("a/tusk_%d", i), `{"x": "int"}`, fmt.Sprintf("m:f%d", i%5)))
	}
	want := fates(Match(old, now))
	dice := rand.New(rand.NewSource(1)) //nolint:gosec // the same orders each time
	for range 50 {
		dice.Shuffle(len(old), func(i, j int) { old[i], old[j] = old[j], old[i] })
		dice.Shuffle(len(now), func(i, j int) { now[i], now[j] = now[j], now[i] })
		if got := fates(Match(old, now)); !slices.Equal(got, want) {
			t.Fatalf("another order gives something else (-want +got):\n%s", cmp.Diff(want, got))
		}
	}
}

// TestTold: what is no parameter is told by its field, is never breaking, and is not told where a version does not know it.
func TestTold(t *testing.T) {
	before, after := version(t, "a/t", `{}`, "m:f").Entry, version(t, "a/t", `{}`, "m:g").Entry
	after.Digest.Spec = "sha256:1"
	before.Resources.Mem, after.Resources.Mem = 1024, 2048
	rule := "vlm"
	after.Predictor, after.Kubernetes.PredictorRule = &rule, "caption"
	after.Kubernetes.Placement.SchedulerName = "hami-scheduler"
	tell := func() []string {
		report, err := Compare(before, after)
		if err != nil || report.Verdict != Compatible {
			t.Fatalf("want compatible, got %s and the error %v", report.Verdict, err)
		}
		var out []string
		for _, change := range report.Changes {
			if change.Rule() != finding.SettingChanged {
				t.Errorf("%s: got the rule %s", change, change.Rule())
			}
			out = append(out, change.String())
		}
		return out
	}
	manifests := []string{`entryPoint is now "m:g"; it was "m:f"`, `resources.memory is now "2Gi"; it was "1Gi"`}
	if diff := cmp.Diff(manifests, tell()); diff != "" {
		t.Errorf("of manifests (-want +got):\n%s", diff)
	}
	before.Kubernetes.UID, after.Kubernetes.UID = "1", "2"
	published := []string{
		manifests[0], `placement.schedulerName is now "hami-scheduler"`, `predictor is now "vlm"`, manifests[1],
	}
	if diff := cmp.Diff(published, tell()); diff != "" {
		t.Errorf("of registries (-want +got):\n%s", diff)
	}
	before.Digest = registry.Digests{}
	if diff := cmp.Diff(manifests[1:], tell()); diff != "" {
		t.Errorf("of the original's form (-want +got):\n%s", diff)
	}
}

// TestTellsWhatDiffers: of a long field, the parts that differ are told, and not the ends that are the same.
func TestTellsWhatDiffers(t *testing.T) {
	valueOf := func(text string) json.RawMessage {
		if text == "" {
			return nil
		}
		return json.RawMessage(text)
	}
	for _, tc := range []struct{ old, now, want string }{
		{`{"a":1,"b":{"c":2,"d":3}}`, `{"a":1,"b":{"c":4,"d":3}}`, `run.b.c is now 4; it was 2`},
		{`{"env":[{"name":"A","value":"x"},{"name":"B","value":"y"}]}`, `{"env":[{"name":"A","value":"x"},{"name":"B","value":"z"}]}`,
			`run.env[1].value is now "z"; it was "y"`},
		{`{"env":[1]}`, `{"env":[1,2]}`, `run.env is now [1,2]; it was [1]`},
		{`{"a":1,"z":2}`, `{"b":3,"z":{"y":1}}`, "run.a is gone; it was 1\nrun.b is now 3\nrun.z is now {\"y\":1}; it was 2"},
		{``, `{"a":1,"b":2}`, `run is now {"a":1,"b":2}`},
		{`{"a":1,"b":2}`, ``, `run is gone; it was {"a":1,"b":2}`},
		{`{"a":1}`, `{"a":1}`, ``},
	} {
		var got []string
		for _, change := range differences("run", valueOf(tc.old), valueOf(tc.now)) {
			got = append(got, change.String())
		}
		if diff := cmp.Diff(tc.want, strings.Join(got, "\n")); diff != "" {
			t.Errorf("%s to %s, -want +got:\n%s", tc.old, tc.now, diff)
		}
	}
}

// TestEveryChangeHasARule: for each side, kind and verdict that there can be.
func TestEveryChangeHasARule(t *testing.T) {
	for side, kinds := range broken {
		for kind := range kinds {
			for verdict := Compatible; verdict <= Breaking; verdict++ {
				c := Change{Side: side, Kind: kind, Verdict: verdict}
				if rule, ok := finding.Lookup(c.Rule()); !ok || rule.Severity != verdict.Severity() {
					t.Errorf("%s %s %s: want a rule of severity %s, got %q", verdict, side, kind, verdict.Severity(), c.Rule())
				}
			}
		}
	}
}
