// Package ledger holds what became of every task: the publisher writes it, the task controller and the metrics read it.
package ledger

import (
	"maps"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/serving"
)

// Ledger holds the outcome of every task, and the state of every registry.
type Ledger struct {
	mu         sync.RWMutex
	namespaces map[string]*account
	registries map[string]serving.Registry
}

// account holds the outcomes of a namespace's tasks, by name, and counts them.
type account struct {
	outcomes map[string]*serving.Outcome
	counts   Counts
}

// New returns an empty ledger.
func New() *Ledger {
	return &Ledger{namespaces: map[string]*account{}, registries: map[string]serving.Registry{}}
}

// Get returns the outcome of a task's present generation. Nil if it is not known yet.
func (l *Ledger) Get(task *v1alpha1.MazeTask) *serving.Outcome {
	l.mu.RLock()
	defer l.mu.RUnlock()
	a := l.namespaces[task.Namespace]
	if a == nil {
		return nil
	}
	if o := a.outcomes[task.Name]; o != nil && o.UID == task.UID && o.Generation == task.Generation {
		return o
	}
	return nil
}

// Find returns the outcome of the generation of a task that was decided last. Nil if there is none.
func (l *Ledger) Find(namespace, name string) *serving.Outcome {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if a := l.namespaces[namespace]; a != nil {
		return a.outcomes[name]
	}
	return nil
}

// Apply takes over the outcomes of some tasks, nil for those that are gone, and returns the tasks for which they have changed. The other
// tasks of the namespace are not looked at.
func (l *Ledger) Apply(namespace string, outcomes map[string]*serving.Outcome) []types.NamespacedName {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := l.namespaces[namespace]
	if a == nil {
		a = &account{outcomes: map[string]*serving.Outcome{}, counts: newCounts()}
		l.namespaces[namespace] = a
	}
	var changed []types.NamespacedName
	for name, next := range outcomes {
		last := a.outcomes[name]
		if last != nil && next != nil && last.Equal(next) {
			continue
		}
		if last != nil {
			a.counts.add(last, -1)
			delete(a.outcomes, name)
		}
		if next != nil {
			a.counts.add(next, 1)
			a.outcomes[name] = next
			changed = append(changed, types.NamespacedName{Namespace: namespace, Name: name})
		}
	}
	if len(a.outcomes) == 0 {
		delete(l.namespaces, namespace)
	}
	return changed
}

// SetRegistry notes the state of a namespace's registry.
func (l *Ledger) SetRegistry(namespace string, state serving.Registry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if state.Exists {
		l.registries[namespace] = state
	} else {
		delete(l.registries, namespace)
	}
}

// Report returns the counts of every namespace that has tasks, and the state of every registry.
func (l *Ledger) Report() (map[string]Counts, map[string]serving.Registry) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	counts := make(map[string]Counts, len(l.namespaces))
	for namespace, a := range l.namespaces {
		counts[namespace] = a.counts.clone()
	}
	return counts, maps.Clone(l.registries)
}

// Counts holds the number of a namespace's tasks by type, condition and reason.
type Counts struct {
	Types      map[v1alpha1.ResourceType]int
	Conditions map[ConditionState]int
	// Rejected counts the specs that are refused for themselves, by reason.
	Rejected map[string]int
	// Superseded counts the tasks whose name another one has.
	Superseded int
}

// ConditionState is what a condition says, without why.
type ConditionState struct {
	Type   string
	Status metav1.ConditionStatus
}

func newCounts() Counts {
	return Counts{Types: map[v1alpha1.ResourceType]int{}, Conditions: map[ConditionState]int{}, Rejected: map[string]int{}}
}

func (c *Counts) clone() Counts {
	return Counts{maps.Clone(c.Types), maps.Clone(c.Conditions), maps.Clone(c.Rejected), c.Superseded}
}

// add counts an outcome n times.
func (c *Counts) add(o *serving.Outcome, n int) {
	addTo(c.Types, o.Type, n)
	conditions := o.Conditions(nil)
	for i := range conditions {
		addTo(c.Conditions, ConditionState{conditions[i].Type, conditions[i].Status}, n)
	}
	if reason := o.Rejection(); reason != "" {
		addTo(c.Rejected, reason, n)
	}
	if o.Registered.Reason == v1alpha1.ReasonSuperseded {
		c.Superseded += n
	}
}

func addTo[K comparable](counts map[K]int, key K, n int) {
	if counts[key] += n; counts[key] == 0 {
		delete(counts, key)
	}
}
