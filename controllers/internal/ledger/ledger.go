package controllers

import (
	"sync"

	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/placement"
)

// outcome is what the registry controller decided about one generation of a task, and what the
// task controller reports in its status.
type outcome struct {
	generation int64
	accepted   finding
	registered finding
	// placement is what a Pod needs: the one of the entry that stands for the task. Nil if there is none.
	placement *v1alpha1.Placement
	// placeable says whether some node can host it. Empty if there is no placement.
	placeable placement.Verdict
	// predictor is malearn's tool type, of the same entry. Empty if it has none.
	predictor string
	// entry is where the registry serves the task. Nil while it does not.
	entry *v1alpha1.EntryReference
	// overwrote names the MazeTask whose entry this one replaced, if any.
	overwrote string
}

// finding is the content of a condition.
type finding struct {
	ok              bool
	reason, message string
}

// ledger holds the outcome of every task. The registry controller writes it, the task controller
// reads it.
type ledger struct {
	mu         sync.RWMutex
	namespaces map[string]account
	registries map[string]registryState
}

// account holds the outcomes of a namespace. Nobody changes them.
type account struct {
	outcomes map[types.NamespacedName]tracked
	// count counts them, once and only if someone asks.
	count func() *tally
}

// tracked is an outcome together with the task that it belongs to.
type tracked struct {
	uid          types.UID
	resourceType v1alpha1.ResourceType
	outcome
}

func newLedger() *ledger {
	return &ledger{namespaces: map[string]account{}, registries: map[string]registryState{}}
}

// get returns the outcome of a task's present generation, if it is known yet.
func (l *ledger) get(task *v1alpha1.MazeTask) (outcome, bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	t, known := l.namespaces[task.Namespace].outcomes[types.NamespacedName{Namespace: task.Namespace, Name: task.Name}]
	return t.outcome, known && t.uid == task.UID && t.generation == task.Generation
}

// replace sets the outcomes of a namespace and returns the tasks for which they changed.
func (l *ledger) replace(namespace string, outcomes map[types.NamespacedName]tracked) []types.NamespacedName {
	l.mu.Lock()
	defer l.mu.Unlock()
	var changed []types.NamespacedName
	for key, next := range outcomes {
		if last, known := l.namespaces[namespace].outcomes[key]; !known || !last.equal(next) {
			changed = append(changed, key)
		}
	}
	l.namespaces[namespace] = account{outcomes, sync.OnceValue(func() *tally { return tallyOf(outcomes) })}
	if len(outcomes) == 0 {
		delete(l.namespaces, namespace)
	}
	return changed
}

func (t tracked) equal(other tracked) bool {
	return t.uid == other.uid && t.resourceType == other.resourceType && t.generation == other.generation &&
		t.accepted == other.accepted && t.registered == other.registered && t.overwrote == other.overwrote &&
		t.predictor == other.predictor &&
		apiequality.Semantic.DeepEqual(t.entry, other.entry) &&
		sameVerdict(t.placeable, other.placeable) &&
		(t.placement == other.placement || apiequality.Semantic.DeepEqual(t.placement, other.placement))
}

// sameVerdict says whether two verdicts differ in nothing that is worth a write.
func sameVerdict(a, b placement.Verdict) bool {
	return a.Status == b.Status && a.Reason == b.Reason && placement.SameButCounts(a.Message, b.Message)
}
