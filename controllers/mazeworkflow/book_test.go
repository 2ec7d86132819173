package mazeworkflow

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/internal/serving"
	"github.com/maze-agent/maregister/internal/workflow"
)

// stage is a book of the namespace "n" whose tasks are what a test says. Woken are the workflows that are to be judged.
type stage struct {
	*book
	woken map[string]bool
	// places are what Placeable says of a task. A task that is not there has no outcome yet.
	places map[string]metav1.ConditionStatus
}

func newStage() *stage {
	s := &stage{woken: map[string]bool{}, places: map[string]metav1.ConditionStatus{"a": "True", "b": "True"}}
	s.book = newBook(func(_ string, item *registry.Item) *workflow.Task {
		place, known := s.places[item.Name]
		if !known {
			return nil
		}
		return &workflow.Task{Interface: item.Text, Placeable: place}
	}, func(key types.NamespacedName) { s.woken[key.Namespace+"/"+key.Name] = true })
	return s
}

// uses makes a workflow use some tasks, none for one that is gone.
func (s *stage) uses(name string, generation int64, tasks ...string) {
	w := &v1alpha1.MazeWorkflow{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: name, Generation: generation}}
	for _, task := range tasks {
		w.Spec.Nodes = append(w.Spec.Nodes, v1alpha1.WorkflowNode{ID: "of-" + task, Func: task})
	}
	if len(tasks) == 0 {
		w = nil
	}
	s.replace(types.NamespacedName{Namespace: "n", Name: name}, w)
}

// servingOf returns what a registry serves: "a=1 b=1" are two tasks whose interfaces are 1.
func servingOf(tasks string) serving.Served {
	edits := map[string]*registry.Item{}
	for _, task := range strings.Fields(tasks) {
		name, text, _ := strings.Cut(task, "=")
		edits[name] = &registry.Item{Name: name, Text: text, Digest: text}
	}
	return serving.Served{Tree: registry.NewTree(registry.DefaultShardSize).With(edits)}
}

// awakened returns who was woken since it was last asked.
func (s *stage) awakened() string {
	var names []string
	for name := range s.woken {
		names = append(names, strings.TrimPrefix(name, "n/"))
	}
	clear(s.woken)
	slices.Sort(names)
	return strings.Join(names, " ")
}

func TestBookWakesWhomAChangeConcerns(t *testing.T) {
	s := newStage()
	s.uses("one", 1, "a")
	s.uses("two", 1, "b")
	s.uses("both", 1, "a", "b")
	for _, step := range []struct {
		name     string
		do       func()
		served   serving.Served
		outcomes []string
		want     string
	}{
		{name: "the registry is known", served: servingOf("a=1 b=1 c=1"), want: "both one two"},
		{name: "the same again", served: servingOf("a=1 b=1 c=1")},
		{name: "a task that nobody uses", served: servingOf("a=1 b=1 c=2")},
		{name: "nothing is known", served: serving.Served{}},
		{name: "an edit", served: servingOf("a=2 b=1"), want: "both one"},
		{name: "an outcome that says the same", served: servingOf("a=2 b=1"), outcomes: []string{"a", "b", "c"}},
		{
			name: "another place", do: func() { s.places["b"] = "False" }, served: servingOf("a=2 b=1"), outcomes: []string{"b"},
			want: "both two",
		},
		{name: "a task goes", served: servingOf("b=1"), want: "both one"},
		{name: "its outcome is not known when it comes back", do: func() { delete(s.places, "a") }, served: servingOf("a=2 b=1"), want: "both one"},
		{name: "then it is", do: func() { s.places["a"] = "True" }, served: servingOf("a=2 b=1"), outcomes: []string{"a"}, want: "both one"},
		{name: "someone else's ConfigMap", served: serving.Served{Conflict: "foreign"}, want: "both one two"},
		{name: "it stays", served: serving.Served{Conflict: "foreign"}},
		{name: "another one comes in its place", served: serving.Served{Conflict: "contested"}, want: "both one two"},
		{name: "it goes", served: servingOf("a=2 b=1"), want: "both one two"},
		{name: "a workflow uses another task", do: func() { s.uses("both", 2, "b") }, served: servingOf("a=3 b=1"), want: "one"},
		{name: "a workflow goes", do: func() { s.uses("one", 1) }, served: servingOf("a=4 b=1")},
		{name: "another workflow comes", do: func() { s.uses("three", 1, "a") }, served: servingOf("a=4 b=1")},
		{name: "and its task changes", served: servingOf("a=5 b=1"), want: "three"},
	} {
		if step.do != nil {
			step.do()
		}
		s.announced("n", step.served, step.outcomes)
		if diff := cmp.Diff(step.want, s.awakened()); diff != "" {
			t.Errorf("%s: who is woken: -want, +got:\n%s", step.name, diff)
		}
	}
}

// TestBookForgets: a namespace without workflows is not there, and nothing is compared for it.
func TestBookForgets(t *testing.T) {
	s := newStage()
	s.announced("n", servingOf("a=1"), nil)
	if len(s.namespaces) != 0 {
		t.Error("a namespace without workflows is remembered")
	}
	s.uses("one", 1, "a")
	s.announced("n", servingOf("a=1"), nil)
	s.uses("one", 1)
	if len(s.namespaces) != 0 {
		t.Error("a namespace is remembered after its last workflow")
	}
	s.uses("one", 1, "a")
	if _, served := s.get(types.NamespacedName{Namespace: "n", Name: "one"}); served.IsKnown() {
		t.Error("what the registry served before is taken for what it serves")
	}
	s.clear("n")
	s.uses("one", 1, "a")
	s.clear("")
	if len(s.namespaces) != 0 {
		t.Error("what can be read no more is remembered")
	}
}

// TestSectionKeepsNoUsers: after any edits, the users are those of the workflows that there are.
func TestSectionKeepsNoUsers(t *testing.T) {
	s := newStage()
	s.uses("one", 1, "a", "b")
	s.uses("two", 1, "b")
	s.uses("one", 2, "b", "c")
	s.uses("two", 2, "c")
	s.uses("one", 3, "c")
	got := map[string][]string{}
	for task, users := range s.namespaces["n"].users {
		for user := range users {
			got[task] = append(got[task], user)
		}
		slices.Sort(got[task])
	}
	if diff := cmp.Diff(map[string][]string{"c": {"one", "two"}}, got); diff != "" {
		t.Errorf("-want, +got:\n%s", diff)
	}
}
