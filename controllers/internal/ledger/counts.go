package controllers

import (
	"errors"
	"maps"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// tally is how many tasks of a namespace are how.
type tally struct {
	types      map[v1alpha1.ResourceType]int
	conditions map[conditionState]int
	// rejected counts the specs that are refused for themselves, by reason.
	rejected map[string]int
	// superseded counts the tasks whose name another one has.
	superseded int
}

// conditionState is what a condition says, without why.
type conditionState struct {
	conditionType string
	status        metav1.ConditionStatus
}

func tallyOf(outcomes map[types.NamespacedName]tracked) *tally {
	t := &tally{types: map[v1alpha1.ResourceType]int{}, conditions: map[conditionState]int{}, rejected: map[string]int{}}
	for _, one := range outcomes {
		t.types[one.resourceType]++
		conditions := conditionsOf(nil, one.outcome)
		for i := range conditions {
			t.conditions[conditionState{conditions[i].Type, conditions[i].Status}]++
		}
		if reason := one.rejection(); reason != "" {
			t.rejected[reason]++
		}
		if one.registered.reason == v1alpha1.ReasonSuperseded {
			t.superseded++
		}
	}
	return t
}

// rejection is the reason for which a spec is refused. Empty if it is not, or only for the sake of another task.
func (o *outcome) rejection() string {
	switch {
	case !o.accepted.ok && o.accepted.reason != v1alpha1.ReasonNameConflict:
		return o.accepted.reason
	case o.registered.reason == v1alpha1.ReasonTaskTooLarge:
		return v1alpha1.ReasonTaskTooLarge
	default:
		return ""
	}
}

// registryState is what there is of a namespace's registry.
type registryState struct {
	exists bool
	// tasks, bytes and shards are the entries that it serves, their size with their keys, and how many ConfigMaps hold them.
	tasks, bytes, shards int
	// conflict says that a ConfigMap of someone else is in the way.
	conflict bool
}

// state gives the registry as a reconciliation left it, and nil where that did not get so far.
func (s *scope) state() *registryState {
	switch {
	case s.isBare():
		return &registryState{}
	case errors.Is(s.publishing, errForeign):
		return &registryState{exists: true, conflict: true}
	case !s.published:
		return nil
	}
	state := &registryState{exists: true, shards: len(s.wanted)}
	for i := range s.wanted {
		state.tasks += len(s.wanted[i].Items)
		for _, item := range s.wanted[i].Items {
			state.bytes += len(item.Name) + len(item.Text)
		}
	}
	return state
}

// setRegistry notes the state of a namespace's registry. Nil leaves it as it was.
func (l *ledger) setRegistry(namespace string, state *registryState) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case state == nil:
	case state.exists:
		l.registries[namespace] = *state
	default:
		delete(l.registries, namespace)
	}
}

// report gives the counts of every namespace that has tasks, and the state of every registry.
func (l *ledger) report() (map[string]*tally, map[string]registryState) {
	l.mu.RLock()
	count, registries := make(map[string]func() *tally, len(l.namespaces)), maps.Clone(l.registries)
	for namespace, account := range l.namespaces {
		count[namespace] = account.count
	}
	l.mu.RUnlock()
	tallies := make(map[string]*tally, len(count)) // outside of the lock, for which the status writers wait
	for namespace, of := range count {
		tallies[namespace] = of()
	}
	return tallies, registries
}

// rejections are the reasons for which a spec is refused.
var rejections = []string{
	v1alpha1.ReasonInvalidName, v1alpha1.ReasonInvalidSchema, v1alpha1.ReasonNumberOutOfRange, v1alpha1.ReasonRefCycle,
	v1alpha1.ReasonRemoteRefForbidden, v1alpha1.ReasonSchemaTooLarge, v1alpha1.ReasonTaskTooLarge, v1alpha1.ReasonUnsupportedPattern,
}

// rejectedIn adds up the rejections of all namespaces. A reason without any is 0.
func rejectedIn(tallies map[string]*tally) map[string]int {
	sum := make(map[string]int, len(rejections))
	for _, reason := range rejections {
		sum[reason] = 0
	}
	for _, t := range tallies {
		for reason, n := range t.rejected {
			sum[reason] += n
		}
	}
	return sum
}
