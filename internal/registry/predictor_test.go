package registry

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/utils/ptr"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// toolTypes are what an entry says of malearn's tool type.
type toolTypes struct {
	Predictor *string
	Rule      string
}

func toolTypesOf(t *testing.T, item Item) toolTypes {
	t.Helper()
	entry, err := item.Entry()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := item.Predictor, ptr.Deref(entry.Predictor, ""); got != want {
		t.Errorf("the item has %q, its entry %q", got, want)
	}
	return toolTypes{entry.Predictor, entry.Kubernetes.PredictorRule}
}

// encodeBy makes the entry of a task by rules.
func encodeBy(t *testing.T, rules PredictorRules, name, declared string) Item {
	t.Helper()
	task := fullTask()
	task.Spec.Name, task.Spec.Predictor = name, declared
	entry, err := NewEntry(task, fullInterface(), gpuPlacement(), rules)
	if err != nil {
		t.Fatal(err)
	}
	item, err := entry.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return item
}

func TestPredictor(t *testing.T) {
	own := PredictorRules{{Contains: "ocr", ToolType: "vlm_process"}, {Contains: "vlm_process", ToolType: "b"}, {Contains: "o", ToolType: "c"}}
	cases := map[string]struct {
		rules          PredictorRules // the default ones where nil
		name, declared string
		want           toolTypes
	}{
		"llm_process":               {name: "llm_process", want: toolTypes{ptr.To("llm_process"), "llm_process"}},
		"llm_fuse":                  {name: "llm_fuse", want: toolTypes{ptr.To("llm_fuse2In1"), "llm_fuse"}},
		"vlm_process":               {name: "vlm_process", want: toolTypes{ptr.To("vlm_process"), "vlm_process"}},
		"speech_process":            {name: "speech_process", want: toolTypes{ptr.To("speech_process"), "speech_process"}},
		"The original's task":       {name: "task1_llm_process2", want: toolTypes{ptr.To("llm_process"), "llm_process"}},
		"The original's fused task": {name: "task4b_llm_fuse3", want: toolTypes{ptr.To("llm_fuse2In1"), "llm_fuse"}},
		"In the middle":             {name: "my-speech_process.v2", want: toolTypes{ptr.To("speech_process"), "speech_process"}},
		"The first rule, not the first place": {
			name: "speech_process_then_vlm_process_then_llm_fuse", want: toolTypes{ptr.To("llm_fuse2In1"), "llm_fuse"},
		},
		"No rule applies":              {name: "image_caption"},
		"Case counts":                  {name: "LLM_process"},
		"Only a part of a rule's text": {name: "llm_proc"},
		"Declared":                     {name: "image_caption", declared: "vlm_process", want: toolTypes{ptr.To("vlm_process"), ""}},
		"Declared against a rule":      {name: "llm_process", declared: "vlm_process", want: toolTypes{ptr.To("vlm_process"), ""}},
		"Declared as a rule would":     {name: "llm_process", declared: "llm_process", want: toolTypes{ptr.To("llm_process"), ""}},
		"Own rules":                    {rules: own, name: "ocr_vlm_process", want: toolTypes{ptr.To("vlm_process"), "ocr"}},
		"Own rules, the second":        {rules: own, name: "vlm_process", want: toolTypes{ptr.To("b"), "vlm_process"}},
		"Own rules, the last":          {rules: own, name: "oCR", want: toolTypes{ptr.To("c"), "o"}},
		"Own rules, none":              {rules: own, name: "llm_fuse"},
		"No rules":                     {rules: PredictorRules{}, name: "llm_process"},
		"No rules, declared":           {rules: PredictorRules{}, name: "llm_process", declared: "x", want: toolTypes{ptr.To("x"), ""}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			rules := tc.rules
			if rules == nil {
				rules = DefaultPredictorRules()
			}
			if diff := cmp.Diff(tc.want, toolTypesOf(t, encodeBy(t, rules, tc.name, tc.declared))); diff != "" {
				t.Errorf("-want, +got:\n%s", diff)
			}
		})
	}
}

// TestWithPredictorRules: from whichever rules an entry comes, by others it is what they would have made of the same spec.
func TestWithPredictorRules(t *testing.T) {
	all := map[string]PredictorRules{
		"the default rules":        DefaultPredictorRules(),
		"no rules":                 {},
		"others":                   {{Contains: "caption", ToolType: "vlm_process"}, {Contains: "llm", ToolType: "llm"}},
		"the same by another rule": {{Contains: "process", ToolType: "llm_process"}},
	}
	specs := map[string]struct{ name, declared string }{
		"by the name":                {name: "llm_process"},
		"by another name":            {name: "image_caption"},
		"by no rule":                 {name: "split_pdf"},
		"declared":                   {name: "image_caption", declared: "speech_process"},
		"declared, and by the name":  {name: "llm_process", declared: "llm_process"},
		"declared, against the name": {name: "llm_process", declared: "vlm_process"},
	}
	for name, spec := range specs {
		for from, before := range all {
			for to, after := range all {
				t.Run(name+", from "+from+" to "+to, func(t *testing.T) {
					item, want := encodeBy(t, before, spec.name, spec.declared), encodeBy(t, after, spec.name, spec.declared)
					got, err := decodeItem(t, item.Text).WithPredictorRules(after)
					if err != nil {
						t.Fatal(err)
					}
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("-want, +got:\n%s", diff)
					}
				})
			}
		}
	}
}

// TestWithPredictorRulesReadsOlderEntries: before there were rules, an entry had what the spec named, or null.
func TestWithPredictorRulesReadsOlderEntries(t *testing.T) {
	for name, tc := range map[string]struct {
		older Item
		want  toolTypes
	}{
		"named":     {encodeBy(t, PredictorRules{}, "llm_process", "vlm_process"), toolTypes{ptr.To("vlm_process"), ""}},
		"not named": {encodeBy(t, PredictorRules{}, "llm_process", ""), toolTypes{ptr.To("llm_process"), "llm_process"}},
	} {
		t.Run(name, func(t *testing.T) {
			if strings.Contains(tc.older.Text, "predictorRule") {
				t.Fatalf("want an entry as it was before there were rules, got %s", tc.older.Text)
			}
			got, err := tc.older.WithPredictorRules(DefaultPredictorRules())
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, toolTypesOf(t, got)); diff != "" {
				t.Errorf("-want, +got:\n%s", diff)
			}
		})
	}
	if _, err := (Item{Name: "x", Text: "{"}).WithPredictorRules(nil); err == nil {
		t.Error("WithPredictorRules(...) of what is no entry: want an error")
	}
}

// TestDigestsAreOfTheTaskAlone: nodes and rules change an entry and its digest, and neither of the digests in it.
func TestDigestsAreOfTheTaskAlone(t *testing.T) {
	task := fullTask()
	task.Spec.Predictor = ""
	digestsOf := func(placement v1alpha1.Placement, rules PredictorRules) (Digests, string) {
		entry, err := NewEntry(task, fullInterface(), placement, rules)
		if err != nil {
			t.Fatal(err)
		}
		item, err := entry.Encode()
		if err != nil {
			t.Fatal(err)
		}
		return entry.Digest, item.Digest
	}
	want, whole := digestsOf(gpuPlacement(), DefaultPredictorRules())
	for name, tc := range map[string]struct {
		placement v1alpha1.Placement
		rules     PredictorRules
	}{
		"Another placement": {v1alpha1.Placement{}, DefaultPredictorRules()},
		"Another tool type": {gpuPlacement(), PredictorRules{{Contains: "caption", ToolType: "vlm_process"}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, now := digestsOf(tc.placement, tc.rules)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("Digest: -want, +got:\n%s", diff)
			}
			if now == whole {
				t.Error("the digest of the entry: want it changed")
			}
		})
	}
}
