package serving_test

import (
	"reflect"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/placement"
	"github.com/maze-agent/maregister/internal/serving"
)

func placementOf(cpu string) *v1alpha1.Placement {
	return &v1alpha1.Placement{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu)}}
}

func entryOf(generation int64) *v1alpha1.EntryReference {
	return &v1alpha1.EntryReference{ConfigMap: "maze-registry", Key: "ocr", Generation: generation, Digest: "sha256:" + strings.Repeat("a", int(generation))}
}

var (
	valid      = serving.Finding{OK: true, Reason: v1alpha1.ReasonValid, Message: "the spec is valid"}
	infeasible = placement.Verdict{Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonNoFeasibleNode, Clauses: []placement.Clause{{Class: "T4", Nodes: 3, Why: "too small"}}}
	feasible   = placement.Verdict{Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonFeasible, Summary: "a node can"}
	served     = serving.Finding{OK: true, Reason: v1alpha1.ReasonServed, Message: "ConfigMap maze-registry serves this generation"}
)

// servedOutcome is that of a task with which all is well.
func servedOutcome() *serving.Outcome {
	return &serving.Outcome{
		UID: "u", Type: v1alpha1.ResourceTypeGPU, Generation: 3, Accepted: valid, Registered: served, Placement: placementOf("1"), Placeable: feasible,
		Predictor: "llm", Entry: entryOf(3),
	}
}

// outcomeEdits are edits of an outcome. field is the field that is edited, for those that are a change.
var outcomeEdits = map[string]struct {
	field       string
	edit        func(*serving.Outcome)
	wantChanged bool
}{
	"Another object":              {field: "UID", edit: func(o *serving.Outcome) { o.UID = "other" }, wantChanged: true},
	"Another type":                {field: "Type", edit: func(o *serving.Outcome) { o.Type = "io" }, wantChanged: true},
	"Another generation":          {field: "Generation", edit: func(o *serving.Outcome) { o.Generation++ }, wantChanged: true},
	"No longer accepted":          {field: "Accepted", edit: func(o *serving.Outcome) { o.Accepted.OK = false }, wantChanged: true},
	"Another reason of accepted":  {field: "Accepted", edit: func(o *serving.Outcome) { o.Accepted.Reason = "x" }, wantChanged: true},
	"Another message of accepted": {field: "Accepted", edit: func(o *serving.Outcome) { o.Accepted.Message = "x" }, wantChanged: true},
	"No longer registered":        {field: "Registered", edit: func(o *serving.Outcome) { o.Registered.OK = false }, wantChanged: true},
	"Another reason of registered": {
		field: "Registered", edit: func(o *serving.Outcome) { o.Registered.Reason = "x" }, wantChanged: true,
	},
	"Another message of registered": {
		field: "Registered", edit: func(o *serving.Outcome) { o.Registered.Message = "x" }, wantChanged: true,
	},
	"Another placement": {field: "Placement", edit: func(o *serving.Outcome) { o.Placement = placementOf("2") }, wantChanged: true},
	"No placement":      {field: "Placement", edit: func(o *serving.Outcome) { o.Placement = nil }, wantChanged: true},
	"Another toleration": {field: "Placement", edit: func(o *serving.Outcome) {
		o.Placement = placementOf("1")
		o.Placement.Tolerations = []corev1.Toleration{{Key: "gpu"}}
	}, wantChanged: true},
	"Another generation's entry": {field: "Entry", edit: func(o *serving.Outcome) { o.Entry = entryOf(2) }, wantChanged: true},
	"Another digest of it": {field: "Entry", edit: func(o *serving.Outcome) {
		o.Entry = entryOf(3)
		o.Entry.Digest = "sha256:b"
	}, wantChanged: true},
	"No entry":                     {field: "Entry", edit: func(o *serving.Outcome) { o.Entry = nil }, wantChanged: true},
	"No longer placeable":          {field: "Placeable", edit: func(o *serving.Outcome) { o.Placeable.Status = metav1.ConditionFalse }, wantChanged: true},
	"Another reason of placeable":  {field: "Placeable", edit: func(o *serving.Outcome) { o.Placeable.Reason = "x" }, wantChanged: true},
	"Another message of placeable": {field: "Placeable", edit: func(o *serving.Outcome) { o.Placeable.Summary = "x" }, wantChanged: true},
	"Another tool type":            {field: "Predictor", edit: func(o *serving.Outcome) { o.Predictor = "x" }, wantChanged: true},
	"Another overwritten task":     {field: "Overwrote", edit: func(o *serving.Outcome) { o.Overwrote = "x" }, wantChanged: true},

	"Nothing": {edit: func(*serving.Outcome) {}},
	"The same, made anew": {edit: func(o *serving.Outcome) {
		*o = *servedOutcome()
	}},
	"A quantity written differently": {edit: func(o *serving.Outcome) { o.Placement = placementOf("1000m") }},
	"Empty and nil": {edit: func(o *serving.Outcome) {
		o.Placement = placementOf("1")
		o.Placement.NodeSelector, o.Placement.Tolerations = map[string]string{}, []corev1.Toleration{}
	}},
}

func TestOutcomeEqual(t *testing.T) {
	for name, tc := range outcomeEdits {
		t.Run(name, func(t *testing.T) {
			last, next := servedOutcome(), servedOutcome()
			tc.edit(next)
			if got := last.Equal(next); got == tc.wantChanged {
				t.Errorf("Equal(...): got %t", got)
			}
			if got := next.Equal(last); got == tc.wantChanged {
				t.Errorf("Equal(...), the other way round: got %t", got)
			}
		})
	}
}

// TestOutcomeEditsCoverTheOutcome fails when an outcome gets a field for which outcomeEdits has no edit.
func TestOutcomeEditsCoverTheOutcome(t *testing.T) {
	edited := map[string]bool{}
	for _, tc := range outcomeEdits {
		edited[tc.field] = tc.wantChanged || edited[tc.field]
	}
	for field := range reflect.TypeFor[serving.Outcome]().Fields() {
		if !edited[field.Name] {
			t.Errorf("%s: want an edit of it in outcomeEdits", field.Name)
		}
	}
}
