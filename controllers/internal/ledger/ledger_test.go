package controllers

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/placement"
)

func placementOf(cpu string) *v1alpha1.Placement {
	return &v1alpha1.Placement{Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu)}}
}

func entryOf(generation int64) *v1alpha1.EntryReference {
	return &v1alpha1.EntryReference{ConfigMap: "maze-registry", Key: "ocr", Generation: generation, Digest: "sha256:" + strings.Repeat("a", int(generation))}
}

var (
	valid      = finding{ok: true, reason: v1alpha1.ReasonValid, message: "the spec is valid"}
	infeasible = placement.Verdict{Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonNoFeasibleNode, Message: "T4 (3 nodes): too small"}
	feasible   = placement.Verdict{Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonFeasible, Message: "a node can"}
	served     = finding{ok: true, reason: v1alpha1.ReasonServed, message: "ConfigMap maze-registry serves this generation"}
)

// servedOutcome is that of a task with which all is well.
func servedOutcome() outcome {
	return outcome{generation: 3, accepted: valid, registered: served, placement: placementOf("1"), placeable: feasible, predictor: "llm", entry: entryOf(3)}
}

func key(namespace, name string) types.NamespacedName {
	return types.NamespacedName{Namespace: namespace, Name: name}
}

// outcomeEdits are edits of an outcome. field is the field of tracked or outcome that is edited, for those that are a change.
var outcomeEdits = map[string]struct {
	field       string
	edit        func(*tracked)
	wantChanged bool
}{
	"Another object":              {field: "uid", edit: func(o *tracked) { o.uid = "other" }, wantChanged: true},
	"Another type":                {field: "resourceType", edit: func(o *tracked) { o.resourceType = "io" }, wantChanged: true},
	"Another generation":          {field: "generation", edit: func(o *tracked) { o.generation++ }, wantChanged: true},
	"No longer accepted":          {field: "accepted", edit: func(o *tracked) { o.accepted.ok = false }, wantChanged: true},
	"Another reason of accepted":  {field: "accepted", edit: func(o *tracked) { o.accepted.reason = "x" }, wantChanged: true},
	"Another message of accepted": {field: "accepted", edit: func(o *tracked) { o.accepted.message = "x" }, wantChanged: true},
	"No longer registered":        {field: "registered", edit: func(o *tracked) { o.registered.ok = false }, wantChanged: true},
	"Another reason of registered": {
		field: "registered", edit: func(o *tracked) { o.registered.reason = "x" }, wantChanged: true,
	},
	"Another message of registered": {
		field: "registered", edit: func(o *tracked) { o.registered.message = "x" }, wantChanged: true,
	},
	"Another placement": {field: "placement", edit: func(o *tracked) { o.placement = placementOf("2") }, wantChanged: true},
	"No placement":      {field: "placement", edit: func(o *tracked) { o.placement = nil }, wantChanged: true},
	"Another toleration": {field: "placement", edit: func(o *tracked) {
		o.placement = placementOf("1")
		o.placement.Tolerations = []corev1.Toleration{{Key: "gpu"}}
	}, wantChanged: true},
	"Another generation's entry": {field: "entry", edit: func(o *tracked) { o.entry = entryOf(2) }, wantChanged: true},
	"Another digest of it": {field: "entry", edit: func(o *tracked) {
		o.entry = entryOf(3)
		o.entry.Digest = "sha256:b"
	}, wantChanged: true},
	"No entry":                     {field: "entry", edit: func(o *tracked) { o.entry = nil }, wantChanged: true},
	"No longer placeable":          {field: "placeable", edit: func(o *tracked) { o.placeable.Status = metav1.ConditionFalse }, wantChanged: true},
	"Another reason of placeable":  {field: "placeable", edit: func(o *tracked) { o.placeable.Reason = "x" }, wantChanged: true},
	"Another message of placeable": {field: "placeable", edit: func(o *tracked) { o.placeable.Message = "x" }, wantChanged: true},
	"Another tool type":            {field: "predictor", edit: func(o *tracked) { o.predictor = "x" }, wantChanged: true},
	"Another overwritten task":     {field: "overwrote", edit: func(o *tracked) { o.overwrote = "x" }, wantChanged: true},

	"Nothing": {edit: func(*tracked) {}},
	"The same, made anew": {edit: func(o *tracked) {
		o.outcome = servedOutcome()
	}},
	"A quantity written differently": {edit: func(o *tracked) { o.placement = placementOf("1000m") }},
	"Empty and nil": {edit: func(o *tracked) {
		o.placement = placementOf("1")
		o.placement.NodeSelector, o.placement.Tolerations = map[string]string{}, []corev1.Toleration{}
	}},
}

func TestLedgerReplaceTellsAChange(t *testing.T) {
	for name, tc := range outcomeEdits {
		t.Run(name, func(t *testing.T) {
			l := newLedger()
			before := tracked{uid: "u", outcome: servedOutcome()}
			l.replace("a", map[types.NamespacedName]tracked{key("a", "x"): before, key("a", "y"): before})
			after := before
			tc.edit(&after)
			var want []types.NamespacedName
			if tc.wantChanged {
				want = append(want, key("a", "x"))
			}
			got := l.replace("a", map[types.NamespacedName]tracked{key("a", "x"): after, key("a", "y"): before})
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("replace(...): -want, +got:\n%s", diff)
			}
			if again := l.replace("a", map[types.NamespacedName]tracked{key("a", "x"): after, key("a", "y"): before}); len(again) > 0 {
				t.Errorf("replace(...) by the same: want nothing, got %v", again)
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
	for _, of := range []reflect.Type{reflect.TypeFor[tracked](), reflect.TypeFor[outcome]()} {
		for field := range of.Fields() {
			if !field.Anonymous && !edited[field.Name] {
				t.Errorf("%s.%s: want an edit of it in outcomeEdits", of.Name(), field.Name)
			}
		}
	}
}

func TestLedgerReplace(t *testing.T) {
	one := tracked{uid: "u", outcome: servedOutcome()}
	other := tracked{uid: "v", outcome: servedOutcome()}
	cases := map[string]struct {
		before, after map[types.NamespacedName]tracked
		want          []types.NamespacedName
	}{
		"Nothing to nothing": {},
		"The first tasks": {
			after: map[types.NamespacedName]tracked{key("a", "x"): one, key("a", "y"): one},
			want:  []types.NamespacedName{key("a", "x"), key("a", "y")},
		},
		"One more": {
			before: map[types.NamespacedName]tracked{key("a", "x"): one},
			after:  map[types.NamespacedName]tracked{key("a", "x"): one, key("a", "y"): one},
			want:   []types.NamespacedName{key("a", "y")},
		},
		"One less": {
			before: map[types.NamespacedName]tracked{key("a", "x"): one, key("a", "y"): one},
			after:  map[types.NamespacedName]tracked{key("a", "x"): one},
		},
		"The last goes": {before: map[types.NamespacedName]tracked{key("a", "x"): one}},
		"One changes, one comes, one goes, one stays": {
			before: map[types.NamespacedName]tracked{key("a", "x"): one, key("a", "y"): one, key("a", "z"): one},
			after:  map[types.NamespacedName]tracked{key("a", "x"): other, key("a", "y"): one, key("a", "w"): one},
			want:   []types.NamespacedName{key("a", "w"), key("a", "x")},
		},
		"A task of the same name and content, made anew": {
			before: map[types.NamespacedName]tracked{key("a", "x"): one},
			after:  map[types.NamespacedName]tracked{key("a", "x"): other},
			want:   []types.NamespacedName{key("a", "x")},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			l := newLedger()
			l.replace("b", map[types.NamespacedName]tracked{key("b", "x"): one})
			l.replace("a", tc.before)
			got := l.replace("a", tc.after)
			slices.SortFunc(got, func(a, b types.NamespacedName) int { return strings.Compare(a.Name, b.Name) })
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("replace(...): -want, +got:\n%s", diff)
			}
			wantNamespaces := 1
			if len(tc.after) > 0 {
				wantNamespaces = 2
			}
			if len(l.namespaces) != wantNamespaces {
				t.Errorf("want %d namespaces remembered, got %d", wantNamespaces, len(l.namespaces))
			}
		})
	}
}

func TestLedgerGet(t *testing.T) {
	l := newLedger()
	l.replace("a", map[types.NamespacedName]tracked{key("a", "x"): {uid: "u", outcome: servedOutcome()}})
	cases := map[string]struct {
		task metav1.ObjectMeta
		want bool
	}{
		"The task":              {task: metav1.ObjectMeta{Namespace: "a", Name: "x", UID: "u", Generation: 3}, want: true},
		"A later generation":    {task: metav1.ObjectMeta{Namespace: "a", Name: "x", UID: "u", Generation: 4}},
		"An earlier generation": {task: metav1.ObjectMeta{Namespace: "a", Name: "x", UID: "u", Generation: 2}},
		"Made anew":             {task: metav1.ObjectMeta{Namespace: "a", Name: "x", UID: "v", Generation: 3}},
		"Another name":          {task: metav1.ObjectMeta{Namespace: "a", Name: "y", UID: "u", Generation: 3}},
		"Another namespace":     {task: metav1.ObjectMeta{Namespace: "b", Name: "x", UID: "u", Generation: 3}},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got, known := l.get(&v1alpha1.MazeTask{ObjectMeta: tc.task})
			if known != tc.want {
				t.Fatalf("get(...): want known: %t, got %t", tc.want, known)
			}
			if diff := cmp.Diff(servedOutcome(), got, cmp.AllowUnexported(outcome{}, finding{})); known && diff != "" {
				t.Errorf("get(...): -want, +got:\n%s", diff)
			}
		})
	}
}
