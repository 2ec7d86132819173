package workflow

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/dag"
	"github.com/maze-agent/maregister/internal/finding"
)

// servedOf returns the spec of a manifest as the operator gets it: kubectl makes JSON of YAML, and the API server reads, stores and reads that.
func servedOf(t testing.TB, manifest string) *v1alpha1.MazeWorkflowSpec {
	t.Helper()
	content, err := yaml.YAMLToJSON([]byte(manifest))
	if err != nil {
		t.Fatal(err)
	}
	var object unstructured.Unstructured
	for range 2 {
		if err := object.UnmarshalJSON(content); err != nil {
			t.Fatal(err)
		}
		if content, err = object.MarshalJSON(); err != nil {
			t.Fatal(err)
		}
	}
	var w v1alpha1.MazeWorkflow
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &w); err != nil {
		t.Fatal(err)
	}
	return &w.Spec
}

// placesOf returns the rule and the pointer of each error, sorted.
func placesOf(found []finding.Finding) []string {
	places := []string{}
	for _, f := range found {
		if f.Severity == finding.SeverityError {
			places = append(places, f.Rule+" "+f.Pointer)
		}
	}
	slices.Sort(places)
	return places
}

// bothVerdicts returns the errors that "mazectl dag check" finds in a manifest, and those of the operator.
func bothVerdicts(t testing.TB, file, manifest string, tasks map[string]*Task) (ofText, ofServed []string) {
	t.Helper()
	all := map[string]dag.Task{}
	for name, task := range tasks {
		all[name] = task.Task
	}
	_, found := dag.Check(file, []byte(manifest), dag.NewTasks(all), dag.Options{})
	verdict, err := Judge(servedOf(t, manifest), func(name string) *Task { return tasks[name] })
	if err != nil {
		t.Fatal(err)
	}
	return placesOf(found), placesOf(verdict.Errors)
}

// TestNumbersAreThoseThatAreServed: a number of a manifest is judged as the API server makes it, wherever it is.
func TestNumbersAreThoseThatAreServed(t *testing.T) {
	const bad = true
	tasks := map[string]*Task{"count": taskOf("count", `{"type":"object","properties":{`+
		`"number":{"type":"number"},"integer":{"type":"integer"},"list":{"type":"array","items":{"type":"number"}},`+
		`"object":{"type":"object","additionalProperties":{"type":"number"}}}}`, `{"type":"object","properties":{"n":{"type":"number"}}}`)}
	for number, want := range map[string]struct{ number, integer bool }{
		"0": {}, "-0": {}, "-0.0": {}, "3.0": {}, "3e2": {}, "9007199254740991": {}, "1e-400": {},
		"0.10000000000000000000000000001": {integer: bad}, "1.5": {integer: bad},
		"9007199254740993": {bad, bad}, "1e16": {bad, bad}, "1.0e16": {bad, bad}, "1e20": {bad, bad},
		"9223372036854775808": {bad, bad}, "-9223372036854775809": {bad, bad},
		"1180591620717411303424": {}, "1e21": {}, "1e300": {},
	} {
		for place, tc := range map[string]struct {
			args string
			want bool
		}{
			"number":    {`{"number": %s}`, want.number},
			"integer":   {`{"integer": %s}`, want.integer},
			"list":      {`{"list": [%s]}`, want.number},
			"object":    {`{"object": {"a": %s}}`, want.number},
			"reference": {`{"list": ["n0.output.n", %s]}`, want.number},
		} {
			t.Run(number+"/"+place, func(t *testing.T) {
				manifest := fmt.Sprintf(`{"apiVersion": "registry.mazeagent.net/v1alpha1", "kind": "MazeWorkflow", "metadata": {"name": "w"}, "spec": {"nodes": [`+
					`{"id": "n0", "func": "count"}, {"id": "n1", "func": "count", "args": %s}]}}`, fmt.Sprintf(tc.args, number))
				for _, file := range []string{"w.json", "w.yaml"} {
					ofText, ofServed := bothVerdicts(t, file, manifest, tasks)
					if diff := cmp.Diff(ofText, ofServed); diff != "" {
						t.Errorf("%s: -dag check, +the operator:\n%s", file, diff)
					}
					if got := len(ofServed) > 0; got != tc.want {
						t.Errorf("%s: want it refused: %t, got %v", file, tc.want, ofServed)
					}
				}
			})
		}
	}
}
