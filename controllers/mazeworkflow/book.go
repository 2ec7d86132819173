package mazeworkflow

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/internal/serving"
	"github.com/maze-agent/maregister/internal/workflow"
)

// book holds the workflows that there are, and what the registries of their namespaces serve. A namespace without workflows is not in it
// and costs nothing.
type book struct {
	mu         sync.Mutex
	namespaces map[string]*section
	// task returns what is known of a task by its entry. Nil if the entry cannot be read, or what became of its MazeTask is not known yet.
	task func(namespace string, item *registry.Item) *workflow.Task
	// wake is called with workflows that are to be judged. It must not wait.
	wake func(types.NamespacedName)
}

// section holds the workflows of a namespace.
type section struct {
	workflows map[string]*v1alpha1.MazeWorkflow
	// users holds the names of the workflows that use a task, by its spec.name.
	users map[string]map[string]struct{}
	// served is what the registry serves, as far as it is known.
	served serving.Served
	// facts holds what the last verdicts on a task's users depend on, by its spec.name. What is absent is not known.
	facts map[string]fact
}

// fact is what a verdict depends on of a task. The zero fact is that of a task which the registry does not serve.
type fact struct{ judged, placeable, reason string }

func newBook(task func(string, *registry.Item) *workflow.Task, wake func(types.NamespacedName)) *book {
	return &book{namespaces: map[string]*section{}, task: task, wake: wake}
}

// replace puts a workflow in the place of the one of its name: nil for one that is gone.
func (b *book) replace(key types.NamespacedName, next *v1alpha1.MazeWorkflow) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.namespaces[key.Namespace]
	if s == nil {
		s = &section{workflows: map[string]*v1alpha1.MazeWorkflow{}, users: map[string]map[string]struct{}{}, facts: map[string]fact{}}
		b.namespaces[key.Namespace] = s
	}
	last := s.workflows[key.Name]
	if last != nil && next != nil && last.UID == next.UID && last.Generation == next.Generation { // what it uses is the same
		s.workflows[key.Name] = next
		return
	}
	if last != nil {
		delete(s.workflows, key.Name)
	}
	if next != nil {
		s.workflows[key.Name] = next
		for _, name := range workflow.Uses(&next.Spec) {
			if s.users[name] == nil {
				s.users[name] = map[string]struct{}{}
			}
			s.users[name][key.Name] = struct{}{}
		}
	}
	if last != nil {
		s.drop(key.Name, last, next)
	}
	if len(s.workflows) == 0 {
		delete(b.namespaces, key.Namespace)
	}
}

// drop removes a workflow from the users of the tasks that it uses no more.
func (s *section) drop(name string, last, next *v1alpha1.MazeWorkflow) {
	kept := map[string]bool{}
	if next != nil {
		for _, task := range workflow.Uses(&next.Spec) {
			kept[task] = true
		}
	}
	for _, task := range workflow.Uses(&last.Spec) {
		if kept[task] {
			continue
		}
		delete(s.users[task], name)
		if len(s.users[task]) == 0 {
			delete(s.users, task)
			delete(s.facts, task)
		}
	}
}

// clear forgets all workflows of a namespace, or of all where it is empty, because they can be read no more.
func (b *book) clear(namespace string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if namespace == "" {
		clear(b.namespaces)
	} else {
		delete(b.namespaces, namespace)
	}
}

// all returns the workflows that there are.
func (b *book) all() []types.NamespacedName {
	b.mu.Lock()
	defer b.mu.Unlock()
	var keys []types.NamespacedName
	for namespace, s := range b.namespaces {
		for name := range s.workflows {
			keys = append(keys, types.NamespacedName{Namespace: namespace, Name: name})
		}
	}
	return keys
}

// has reports whether a namespace has workflows.
func (b *book) has(namespace string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.namespaces[namespace] != nil
}

// get returns a workflow, nil if it is gone, and what the registry of its namespace serves.
func (b *book) get(key types.NamespacedName) (*v1alpha1.MazeWorkflow, serving.Served) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.namespaces[key.Namespace]
	if s == nil {
		return nil, serving.Served{}
	}
	return s.workflows[key.Name], s.served
}

// announced takes over what the registry of a namespace serves, and wakes the workflows that use a task of which something has changed
// that a verdict depends on. outcomes are the names of the tasks whose outcome changed.
func (b *book) announced(namespace string, served serving.Served, outcomes []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.namespaces[namespace]
	if s == nil || !served.IsKnown() {
		return
	}
	last := s.served
	s.served = served
	if served.Tree == nil || last.Tree == nil {
		if served.Tree != nil || served.Conflict != last.Conflict {
			b.wakeAll(namespace, s)
		}
		return
	}
	names := map[string]bool{}
	note := func(name string) {
		if s.users[name] != nil {
			names[name] = true
		}
	}
	registry.Diff(last.Tree, served.Tree, note)
	for _, name := range outcomes {
		note(name)
	}
	for name := range names {
		now, known := b.factOf(namespace, served, name)
		if before, judged := s.facts[name]; known && judged && before == now {
			continue
		}
		if delete(s.facts, name); known {
			s.facts[name] = now
		}
		for user := range s.users[name] {
			b.wake(types.NamespacedName{Namespace: namespace, Name: user})
		}
	}
}

// wakeAll has all workflows of a namespace judged.
func (b *book) wakeAll(namespace string, s *section) {
	clear(s.facts)
	for name := range s.users {
		if now, known := b.factOf(namespace, s.served, name); known {
			s.facts[name] = now
		}
	}
	for name := range s.workflows {
		b.wake(types.NamespacedName{Namespace: namespace, Name: name})
	}
}

// factOf returns what verdicts depend on of a task. It reports false while that is not known.
func (b *book) factOf(namespace string, served serving.Served, name string) (fact, bool) {
	if served.Tree == nil {
		return fact{}, false
	}
	item := served.Tree.Get(name)
	if item == nil {
		return fact{}, true
	}
	t := b.task(namespace, item)
	if t == nil {
		return fact{}, false
	}
	return fact{judged: t.Judged(), placeable: string(t.Placeable), reason: t.Reason}, true
}
