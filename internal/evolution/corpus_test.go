package evolution

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/internal/schema"
)

// revision is a version of a task in testdata/corpus, and what a person says of the step to it from the one before.
type revision struct {
	What string `json:"what"`
	// Want is the verdict.
	Want string `json:"want"`
	// Changes are "verdict side kind parameter" each, in any order.
	Changes []string        `json:"changes"`
	Input   json.RawMessage `json:"input"`
	Output  json.RawMessage `json:"output"`
}

// TestCorpus judges each pair of consecutive revisions of the tasks in testdata/corpus as a person does.
func TestCorpus(t *testing.T) {
	files, err := filepath.Glob("testdata/corpus/*.yaml")
	if err != nil {
		t.Fatal(err)
	}
	pairs := 0
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var before *registry.Entry
		for number, document := range strings.Split(string(content), "\n---\n") {
			var r revision
			if err := yaml.UnmarshalStrict([]byte(document), &r); err != nil {
				t.Fatalf("%s: revision %d: %v", file, number+1, err)
			}
			after := &registry.Entry{Schema: registry.Interface{Input: normalised(t, r.Input), Output: normalised(t, r.Output)}}
			if before != nil {
				pairs++
				name := filepath.Base(file) + ": " + r.What
				t.Run(name, func(t *testing.T) { judgeAsPerson(t, r, before, after) })
			}
			before = after
		}
	}
	if pairs < 40 {
		t.Errorf("want 40 pairs at least, got %d", pairs)
	}
}

func normalised(t *testing.T, declared json.RawMessage) json.RawMessage {
	t.Helper()
	if declared == nil {
		return json.RawMessage(`{"type":"object"}`)
	}
	s, _, refusal := schema.Parse(declared)
	if refusal != nil {
		t.Fatalf("%s: %v", declared, refusal)
	}
	return s.JSON()
}

// judgeAsPerson compares a report with what a person says of it.
func judgeAsPerson(t *testing.T, want revision, before, after *registry.Entry) {
	t.Helper()
	report, err := Compare(before, after)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, change := range report.Changes {
		got[strings.TrimSpace(strings.Join([]string{change.Verdict.String(), string(change.Side), string(change.Kind), change.Parameter}, " "))] = true
		if rule, ok := finding.Lookup(change.Rule()); !ok || rule.Severity != change.Verdict.Severity() {
			t.Errorf("%s: want a rule of severity %s, got %s", change, change.Verdict.Severity(), change.Rule())
		}
	}
	wanted := map[string]bool{}
	for _, one := range want.Changes {
		wanted[one] = true
	}
	if diff := cmp.Diff(wanted, got); diff != "" || report.Verdict.String() != want.Want {
		t.Errorf("want %s, got %s (-want +got):\n%s", want.Want, report.Verdict, diff)
	}
}
