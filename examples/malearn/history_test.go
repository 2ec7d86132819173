// Package malearn tests what docs/malearn.md shows.
package malearn

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/internal/task"
)

// entryOf is the entry of a task after an edit, by the default rules.
func entryOf(t *testing.T, edits ...func(*v1alpha1.MazeTask)) json.RawMessage {
	t.Helper()
	return entryBy(t, registry.DefaultPredictorRules(), edits...)
}

func entryBy(t *testing.T, rules registry.PredictorRules, edits ...func(*v1alpha1.MazeTask)) json.RawMessage {
	t.Helper()
	mazeTask := &v1alpha1.MazeTask{
		ObjectMeta: metav1.ObjectMeta{Namespace: "docs", Name: "summarise", UID: "u", Generation: 1},
		Spec:       v1alpha1.MazeTaskSpec{Name: "summarise_llm_process", InputParameters: parameters(`{"text": {"type": "string"}}`)},
	}
	for _, edit := range edits {
		edit(mazeTask)
		mazeTask.Generation++
	}
	verdict := task.Judge(&mazeTask.Spec)
	if !verdict.Accepted {
		t.Fatal(verdict.Message())
	}
	entry, err := registry.NewEntry(mazeTask, registry.Interface{Input: verdict.Input.JSON(), Output: verdict.Output.JSON()}, v1alpha1.Placement{}, rules)
	if err != nil {
		t.Fatal(err)
	}
	item, err := entry.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return json.RawMessage(item.Text)
}

func parameters(text string) *apiextensionsv1.JSON { return &apiextensionsv1.JSON{Raw: []byte(text)} }

type step []any

func TestHistory(t *testing.T) {
	first := entryOf(t)
	sameSpec := entryOf(t, func(t *v1alpha1.MazeTask) { t.Labels = map[string]string{"a": "b"} })
	model := entryOf(t, func(t *v1alpha1.MazeTask) { t.Spec.Resources.ModelName = "larger" })
	sameMeaning := entryOf(t, func(t *v1alpha1.MazeTask) { t.Spec.InputParameters = parameters(`{"text": {"type": "str"}}`) })
	interfaceOf := entryOf(t, func(t *v1alpha1.MazeTask) {
		t.Spec.InputParameters = parameters(`{"text": {"type": "string"}, "words": {"type": "integer"}}`)
	})
	otherRules := entryBy(t, registry.PredictorRules{{Contains: "summarise", ToolType: "summary"}})

	for name, tc := range map[string]struct {
		steps []step
		want  string // the answer to the last step
	}{
		"Nothing yet":          {[]step{{"runs", first}}, `[]`},
		"Runs are kept":        {[]step{{"add", first, first, 1}, {"add", first, first, 2}, {"runs", first}}, `[1, 2]`},
		"The same spec":        {[]step{{"add", first, first, 1}, {"runs", sameSpec}}, `[1]`},
		"Another spec":         {[]step{{"add", first, first, 1}, {"runs", model}}, `[]`},
		"Written otherwise":    {[]step{{"add", first, first, 1}, {"runs", sameMeaning}}, `[]`},
		"There and back":       {[]step{{"add", first, first, 1}, {"runs", model}, {"runs", first}}, `[]`},
		"Other arguments":      {[]step{{"add", first, first, 1}, {"runs", interfaceOf}}, `[]`},
		"And back":             {[]step{{"add", first, first, 1}, {"runs", interfaceOf}, {"runs", first}}, `[1]`},
		"Another tool type":    {[]step{{"add", first, first, 1}, {"runs", otherRules}}, `[]`},
		"Edited on the way":    {[]step{{"add", first, model, 1}}, `false`},
		"And not kept":         {[]step{{"add", first, model, 1}, {"runs", model}}, `[]`},
		"Labelled meanwhile":   {[]step{{"add", first, sameSpec, 1}}, `true`},
		"Gone, and again":      {[]step{{"add", first, first, 1}, {"prune", []any{}}, {"runs", first}}, `[]`},
		"Still there":          {[]step{{"add", first, first, 1}, {"prune", []any{first}}, {"runs", first}}, `[1]`},
		"The model's key":      {[]step{{"key", first}}, `["llm_process", "summarise_llm_process", "` + digestOf(t, first) + `"]`},
		"Is not the spec's":    {[]step{{"key", model}}, `["llm_process", "summarise_llm_process", "` + digestOf(t, first) + `"]`},
		"Nor how it's written": {[]step{{"key", sameMeaning}}, `["llm_process", "summarise_llm_process", "` + digestOf(t, first) + `"]`},
	} {
		t.Run(name, func(t *testing.T) {
			answers := run(t, tc.steps)
			if diff := cmp.Diff(tc.want, answers[len(answers)-1]); diff != "" {
				t.Errorf("-want, +got:\n%s", diff)
			}
		})
	}
}

func digestOf(t *testing.T, text json.RawMessage) string {
	t.Helper()
	var entry registry.Entry
	if err := json.Unmarshal(text, &entry); err != nil {
		t.Fatal(err)
	}
	return entry.Digest.Interface
}

// python3 returns the path of the interpreter itself, which starts faster than the wrappers that some machines have.
var python3 = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("python3", "-c", "import sys; print(sys.executable)").Output()
	return strings.TrimSpace(string(out)), err
})

// player takes one step a line, as JSON, and answers each on a line.
const player = `
import json, sys
from history import History
history = History()
for line in sys.stdin:
    step, *given = json.loads(line)
    print(json.dumps(getattr(history, step)(*given)))
`

// TestTheProgram: what history.py prints of a registry as kubectl does.
func TestTheProgram(t *testing.T) {
	interpreter, err := python3()
	if err != nil {
		t.Skipf("python3 does not run here (%v), so history.py is not tested", err)
	}
	entry := entryOf(t)
	var decoded registry.Entry
	if err := json.Unmarshal(entry, &decoded); err != nil {
		t.Fatal(err)
	}
	item, err := decoded.Encode()
	if err != nil {
		t.Fatal(err)
	}
	shards := registry.Split([]registry.Item{item}, registry.DefaultShardSize)
	index, err := registry.Render("docs", shards, registry.NewIndex(shards, registry.Index{}), nil, "1")
	if err != nil {
		t.Fatal(err)
	}
	stdin, err := json.Marshal(map[string]any{"items": []any{index}})
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(interpreter, "-B", "history.py")
	var stderr bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(stdin), &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, &stderr)
	}
	want := "llm_process summarise_llm_process " + digestOf(t, entry) + " [12.5]\n"
	if diff := cmp.Diff(want, string(out)); diff != "" {
		t.Errorf("-want, +got:\n%s", diff)
	}
}

// run has Python take the steps, and returns the answers.
func run(t *testing.T, steps []step) []string {
	t.Helper()
	interpreter, err := python3()
	if err != nil {
		t.Skipf("python3 does not run here (%v), so history.py is not tested", err)
	}
	var stdin, stderr bytes.Buffer
	for _, one := range steps {
		line, err := json.Marshal(one)
		if err != nil {
			t.Fatal(err)
		}
		stdin.Write(append(line, '\n'))
	}
	cmd := exec.Command(interpreter, "-B", "-c", player)
	cmd.Stdin, cmd.Stderr = &stdin, &stderr
	out, err := cmd.Output()
	answers := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if err != nil || len(answers) != len(steps) {
		t.Fatalf("want %d answers, got %q, %v: %s", len(steps), answers, err, &stderr)
	}
	return answers
}
