package ledger

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/serving"
)

// servedOutcome is that of a task with which all is well.
func servedOutcome(uid types.UID) *serving.Outcome {
	return &serving.Outcome{
		UID: uid, Generation: 3, Type: v1alpha1.ResourceTypeCPU,
		Accepted: serving.Finding{OK: true, Reason: v1alpha1.ReasonValid}, Registered: serving.Finding{OK: true, Reason: v1alpha1.ReasonServed},
	}
}

func key(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: "a", Name: name}
}

func TestApply(t *testing.T) {
	one, other := servedOutcome("u"), servedOutcome("v")
	cases := map[string]struct {
		before, after map[string]*serving.Outcome
		want          []types.NamespacedName
	}{
		"Nothing to nothing": {},
		"The first tasks": {
			after: map[string]*serving.Outcome{"x": one, "y": one},
			want:  []types.NamespacedName{key("x"), key("y")},
		},
		"One more": {
			before: map[string]*serving.Outcome{"x": one},
			after:  map[string]*serving.Outcome{"x": one, "y": one},
			want:   []types.NamespacedName{key("y")},
		},
		"One less": {
			before: map[string]*serving.Outcome{"x": one, "y": one},
			after:  map[string]*serving.Outcome{"x": one},
		},
		"The last goes": {before: map[string]*serving.Outcome{"x": one}},
		"One changes, one comes, one goes, one stays": {
			before: map[string]*serving.Outcome{"x": one, "y": one, "z": one},
			after:  map[string]*serving.Outcome{"x": other, "y": one, "w": one},
			want:   []types.NamespacedName{key("w"), key("x")},
		},
		"A task of the same name and content, made anew": {
			before: map[string]*serving.Outcome{"x": one},
			after:  map[string]*serving.Outcome{"x": other},
			want:   []types.NamespacedName{key("x")},
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			l := New()
			l.Apply("b", map[string]*serving.Outcome{"x": one})
			l.Apply("a", tc.before)
			step := maps.Clone(tc.after)
			for name := range tc.before {
				if step[name] == nil {
					step = merged(step, name)
				}
			}
			got := l.Apply("a", step)
			slices.SortFunc(got, func(a, b types.NamespacedName) int { return strings.Compare(a.Name, b.Name) })
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("Apply(...): -want, +got:\n%s", diff)
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

// merged adds to outcomes that a task is gone.
func merged(outcomes map[string]*serving.Outcome, gone string) map[string]*serving.Outcome {
	if outcomes == nil {
		outcomes = map[string]*serving.Outcome{}
	}
	outcomes[gone] = nil
	return outcomes
}

// TestApplyLeavesTheRest: what is not named stays, and counts are those of all.
func TestApplyLeavesTheRest(t *testing.T) {
	l := New()
	l.Apply("a", map[string]*serving.Outcome{"x": servedOutcome("u"), "y": servedOutcome("v")})
	l.Apply("a", map[string]*serving.Outcome{"y": nil, "z": nil})
	again := servedOutcome("u")
	if changed := l.Apply("a", map[string]*serving.Outcome{"x": again}); len(changed) > 0 {
		t.Errorf("Apply(...) of the same: want nothing, got %v", changed)
	}
	again = servedOutcome("u")
	again.Type = v1alpha1.ResourceTypeIO
	l.Apply("a", map[string]*serving.Outcome{"x": again})
	counts, _ := l.Report()
	want := map[v1alpha1.ResourceType]int{v1alpha1.ResourceTypeIO: 1}
	if diff := cmp.Diff(want, counts["a"].Types); diff != "" {
		t.Errorf("types: -want, +got:\n%s", diff)
	}
	if got := counts["a"].Conditions[ConditionState{Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue}]; got != 1 {
		t.Errorf("tasks that are Ready: want 1, got %d", got)
	}
}

func TestGet(t *testing.T) {
	l := New()
	l.Apply("a", map[string]*serving.Outcome{"x": servedOutcome("u")})
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
			if got := l.Get(&v1alpha1.MazeTask{ObjectMeta: tc.task}); (got != nil) != tc.want {
				t.Errorf("Get(...): want known: %t, got %v", tc.want, got)
			}
		})
	}
}
