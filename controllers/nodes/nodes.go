// Package nodes follows the cluster's nodes, as classes, and resolves on them what tasks require.
package nodes

import (
	"maps"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/internal/placement"
)

// +kubebuilder:rbac:groups="",resources=nodes,verbs=list;watch

// Inventory follows the cluster's nodes, and what Dynamic Resource Allocation publishes for them.
type Inventory struct {
	mu         sync.Mutex
	builder    *placement.Builder
	published  published
	daemonSets daemonSets
	notify     func()
	last       *Snapshot
}

// NewInventory returns an inventory without nodes.
func NewInventory(config placement.Config) *Inventory {
	return &Inventory{
		builder:   placement.NewBuilder(config),
		published: newPublished(), daemonSets: daemonSets{known: map[types.NamespacedName]*appsv1.DaemonSet{}},
	}
}

// Notify has changed called for each change that can change a placement or a verdict.
func (i *Inventory) Notify(changed func()) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.notify = changed
}

// Snapshot is the inventory at one moment, and what follows from it.
type Snapshot struct {
	nodes    *placement.Inventory
	revision uint64
	// before holds what the last snapshot resolved.
	before map[placement.Requirement]*placement.Resolution

	mu       sync.Mutex
	resolved map[placement.Requirement]*placement.Resolution
}

// maxResolved bounds how many resolutions are kept: those of tasks that are long gone would pile up.
const maxResolved = 1 << 14

// Revision is another one for every snapshot that can resolve something differently. It is never 0.
func (s *Snapshot) Revision() uint64 { return s.revision + 1 }

// Resolve returns the placement for a requirement, as the same pointer until it changes. Tasks that require the same are resolved once.
func (s *Snapshot) Resolve(requirement placement.Requirement) *placement.Resolution {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.resolved[requirement]; known != nil {
		return known
	}
	next := placement.Resolve(requirement, s.nodes)
	found := &next
	if last := s.before[requirement]; last != nil && last.Verdict.Equal(next.Verdict) && apiequality.Semantic.DeepEqual(last.Placement, next.Placement) {
		found = last
	}
	if s.resolved == nil || len(s.resolved) >= maxResolved {
		s.resolved = map[placement.Requirement]*placement.Resolution{}
	}
	s.resolved[requirement] = found
	return found
}

// known returns what is resolved so far.
func (s *Snapshot) known() map[placement.Requirement]*placement.Resolution {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.resolved)
}

// Snapshot returns the present one.
func (i *Inventory) Snapshot() *Snapshot {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.readDevices()
	i.readDaemonSets()
	if revision := i.builder.Revision(); i.last == nil || i.last.revision != revision {
		i.last = &Snapshot{nodes: i.builder.Inventory(), revision: revision, before: i.last.known()}
	}
	return i.last
}

// NodeChanged takes over a change of a node. A heartbeat changes nothing, nor does one more node of a class.
func (i *Inventory) NodeChanged(before, after client.Object) {
	if changed, notify := i.take(before, after); changed {
		notify()
	}
}

// take takes over a change of a cached node, and reports whether that can change a placement or a verdict. It returns whom to notify.
func (i *Inventory) take(before, after client.Object) (bool, func()) {
	was, _ := before.(*corev1.Node)
	is, _ := after.(*corev1.Node)
	if was != nil && is != nil && placement.Alike(was, is) {
		return false, nil
	}
	i.mu.Lock()
	defer i.mu.Unlock()
	if is == nil {
		return was != nil && i.builder.Remove(was.Name), i.notify
	}
	return i.builder.Set(is), i.notify
}
