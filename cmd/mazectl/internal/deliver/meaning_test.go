package deliver

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/pysource"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/report"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/evolution"
	"github.com/maze-agent/maregister/internal/finding"
)

// planOf returns the steps of a plan for a cluster, and what a user is shown of them.
func planOf(t *testing.T, options *Options, s *server, found *pysource.Found) ([]step, string) {
	t.Helper()
	steps, err := options.plan(t.Context(), &clusterTasks{s, "vision", false}, found)
	if err != nil {
		t.Fatal(err)
	}
	streams, _, out, _ := genericiooptions.NewTestIOStreams()
	showPlan(terminal.New(streams), steps)
	return steps, out.String()
}

// TestPlanTellsWhatItMeans: a change and a deletion are told with what they break, and are not made if that is not wanted.
func TestPlanTellsWhatItMeans(t *testing.T) {
	found := find(t, map[string]string{"a.py": "one two"})
	s := serve(t, found, "one", "old")
	input := map[string]any{"type": "object", "properties": map[string]any{"size": map[string]any{"type": "integer"}}, "required": []any{"size"}}
	if err := unstructured.SetNestedMap(s.objects["one"].Object, input, "spec", "inputParameters"); err != nil {
		t.Fatal(err)
	}
	options := Options{SourceName: "ours", Prune: true}
	steps, shown := planOf(t, &options, s, found)
	want := `change  one  ` + steps[0].place + `  (inputParameters.additionalProperties, inputParameters.properties, inputParameters.required)
        breaking: task one: input "size" is removed: a call that passes it is refused; keep it until no workflow passes it
create  two  ` + steps[1].place + `
prune   old  a.py
        breaking: task old is removed: a workflow that runs it is refused; keep it until none does
`
	if diff := cmp.Diff(want, shown); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
	if want, got := "1 created, 1 changed, 0 unchanged, 1 pruned; 2 of the changes are breaking", countSteps(steps); got != want {
		t.Errorf("want %q, got %q", want, got)
	}
	for verdict, want := range map[evolution.Verdict]string{
		evolution.Compatible: "<nil>",
		evolution.Unknown:    "2 changes may break who uses a task, and --fail-on unknown is given, so nothing was applied",
		evolution.Breaking:   "2 changes would break who uses a task, and --fail-on breaking is given, so nothing was applied",
	} {
		options.FailOn = verdict
		if got := fmt.Sprint(options.blocked(steps)); got != want {
			t.Errorf("--fail-on %s: want %q, got %q", verdict, want, got)
		}
	}
}

// TestPlanTellsRefusals: what the API server refuses is a line of the plan, which is shown whole, and nothing of it is done.
func TestPlanTellsRefusals(t *testing.T) {
	found := find(t, map[string]string{"a.py": "one two"})
	s := serve(t, found, "old")
	s.refuses, s.guards = "two", "old"
	options := Options{SourceName: "ours", Prune: true}
	steps, shown := planOf(t, &options, s, found)
	want := `create  one  ` + steps[0].place + `
create  two  ` + steps[1].place + `
        refused: MazeTask.registry.mazeagent.net "two" is invalid
prune   old  a.py
        breaking: task old is removed: a workflow that runs it is refused; keep it until none does
        refused: mazetasks "old" is forbidden: MazeWorkflow letter runs it
`
	if diff := cmp.Diff(want, shown); diff != "" {
		t.Errorf("plan (-want +got):\n%s", diff)
	}
	if want, got := "the cluster refuses 2 tasks, so nothing was applied", fmt.Sprint(options.blocked(steps)); got != want {
		t.Errorf("want %q, got %q", want, got)
	}
}

// TestPlanHeedsWhatIsSilenced: what a flag, a comment or an annotation silences is not told, and does not count for --fail-on.
func TestPlanHeedsWhatIsSilenced(t *testing.T) {
	for name, tc := range map[string]struct {
		ignore     []string
		annotation string
		comment    bool
		want       string
	}{
		"nothing":           {want: "MZ303 one, MZ301 old"},
		"a flag":            {ignore: []string{"MZ301"}, want: "MZ303 one"},
		"flags":             {ignore: []string{"task-removed", "MZ303"}, want: ""},
		"a comment":         {comment: true, want: "MZ301 old"},
		"an annotation":     {annotation: "input-removed", want: "MZ301 old"},
		"another rule's":    {annotation: "MZ304", want: "MZ303 one, MZ301 old"},
		"a flag of another": {ignore: []string{"MZ0"}, want: "MZ303 one, MZ301 old"},
	} {
		t.Run(name, func(t *testing.T) {
			found := find(t, map[string]string{"a.py": "one two"})
			if tc.comment {
				one := found.Tasks[0]
				found.Ignores = finding.IgnoresOf(one.File, []finding.Comment{{Text: "# maze: ignore[MZ303]", Line: one.Position.Line}})
			}
			s := serve(t, found, "one", "old")
			size := map[string]any{"size": map[string]any{"type": "integer"}}
			input := map[string]any{"type": "object", "properties": size, "required": []any{"size"}}
			if err := unstructured.SetNestedMap(s.objects["one"].Object, input, "spec", "inputParameters"); err != nil {
				t.Fatal(err)
			}
			s.objects["one"].SetAnnotations(map[string]string{finding.IgnoreKey: tc.annotation})
			options := Options{SourceName: "ours", Prune: true, FailOn: evolution.Breaking}
			options.Findings = report.Options{Format: report.Formats()[0], Ignore: tc.ignore}
			if err := options.Findings.Check(); err != nil {
				t.Fatal(err)
			}
			steps, err := options.plan(t.Context(), &clusterTasks{s, "vision", false}, found)
			if err != nil {
				t.Fatal(err)
			}
			var told []string
			for _, s := range steps {
				for _, line := range s.meaning {
					told = append(told, line.Rule+" "+line.Task)
				}
			}
			if got := strings.Join(told, ", "); got != tc.want {
				t.Errorf("want %q told, got %q", tc.want, got)
			}
			if err := options.blocked(steps); (err != nil) != (tc.want != "") {
				t.Errorf("--fail-on: got %v", err)
			}
		})
	}
}

// TestWatchAppliesNothingUnwanted: a watch with --fail-on leaves the cluster as it is, tells once why, and applies what breaks nobody.
func TestWatchAppliesNothingUnwanted(t *testing.T) {
	found := find(t, map[string]string{"a.py": "one two"})
	s := serve(t, found, "one", "old")
	folders, err := pysource.NewWatch()
	if err != nil {
		t.Fatal(err)
	}
	defer folders.Stop()
	streams, _, out, errOut := genericiooptions.NewTestIOStreams()
	w := &taskWatch{
		Options:  &Options{SourceName: "ours", Prune: true, FailOn: evolution.Breaking},
		find:     func(context.Context) (*pysource.Found, error) { return found, nil },
		tell:     func(*pysource.Found) error { return nil },
		terminal: terminal.New(streams), cluster: &clusterTasks{s, "vision", false}, folders: folders,
	}
	for range 2 {
		w.tellTrouble(t.Context(), w.sync(t.Context()))
	}
	want := "error: a.py: MazeTask old: breaking: task old is removed: a workflow that runs it is refused; keep it until none does\n" +
		"error: 1 change would break who uses a task, and --fail-on breaking is given, so nothing was applied\n"
	if diff := cmp.Diff(want, errOut.String()); diff != "" || out.Len() > 0 || len(s.requests) > 0 {
		t.Errorf("requests %q, plan %q (-want +got):\n%s", s.requests, out, diff)
	}
	delete(s.objects, "old")
	if err := w.sync(t.Context()); err != nil || !slices.Equal(s.requests, []string{"apply two"}) {
		t.Errorf("want what breaks nobody applied, got %q and the error %v", s.requests, err)
	}
}

// TestMeaningOfFiles: a task that is in another file then is not gone, and what is no task means nothing.
func TestMeaningOfFiles(t *testing.T) {
	task := func(input string) []byte {
		return []byte("apiVersion: registry.mazeagent.net/v1alpha1\nkind: MazeTask\nmetadata: {name: a}\n" +
			"spec: {name: a, resources: {type: cpu}, inputParameters: " + input + "}\n")
	}
	for name, tc := range map[string]struct {
		changes []fileChange
		want    evolution.Verdict
		said    string
	}{
		"moved": {[]fileChange{{"a.yaml", task("{x: int}"), nil}, {"b.yaml", nil, task("{x: int}")}}, evolution.Compatible, ""},
		"gone": {[]fileChange{{"a.yaml", task("{x: int}"), nil}}, evolution.Breaking,
			"plan: breaking: task a is removed: a workflow that runs it is refused; keep it until none does\n"},
		"new":           {[]fileChange{{"a.yaml", nil, task("{x: int}")}}, evolution.Compatible, ""},
		"kustomization": {[]fileChange{{"kustomization.yaml", []byte("resources: []\n"), nil}}, evolution.Compatible, ""},
		"narrowed": {[]fileChange{{"a.yaml", task("{x: int}"), task("{x: str}")}}, evolution.Breaking,
			"plan: breaking: task a: input \"x\" allows other values: refuses 0 (got number, want string); accept it still, or publish a new task\n"},
		"refused": {[]fileChange{{"a.yaml", task("{x: int}"), task("{x: {type: nothing}}")}}, evolution.Unknown, "plan: unknown: task a cannot be " +
			"compared: the new version cannot be used: spec.inputParameters/x/type: unknown type \"nothing\" (accepted: array, boolean, filepath, folderpath, integer, null, number, " +
			"object, string and Python's Any, None, NoneType, any, bool, dict, float, int, list, str, tuple)\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var said bytes.Buffer
			got := (&Options{}).tellMeaning(terminal.New(genericiooptions.IOStreams{ErrOut: &said}), &pysource.Found{}, tc.changes)
			if diff := cmp.Diff(tc.said, said.String()); got != tc.want || diff != "" {
				t.Errorf("want %s, got %s (-want +got):\n%s", tc.want, got, diff)
			}
		})
	}
}
