package controllers

import (
	"context"
	"maps"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"

	"github.com/maze-agent/maregister/internal/placement"
)

// +kubebuilder:rbac:groups="",resources=nodes,verbs=list;watch

// inventory follows the cluster's nodes, as classes.
type inventory struct {
	mu      sync.Mutex
	builder *placement.Builder
	last    *survey
}

func newInventory(config placement.Config) *inventory {
	return &inventory{builder: placement.NewBuilder(config)}
}

// survey is the inventory at one moment, and what follows from it.
type survey struct {
	nodes    *placement.Inventory
	revision uint64
	// before holds what the last survey resolved.
	before map[placement.Requirement]*placement.Resolution

	mu       sync.Mutex
	resolved map[placement.Requirement]*placement.Resolution
}

// maxResolved bounds how many resolutions are kept: those of tasks that are long gone would pile up.
const maxResolved = 1 << 14

// resolve gives what a requirement comes to: the same pointer as long as that does not change. Tasks that require the same are
// resolved once.
func (s *survey) resolve(requirement placement.Requirement) *placement.Resolution {
	s.mu.Lock()
	defer s.mu.Unlock()
	if known := s.resolved[requirement]; known != nil {
		return known
	}
	next := placement.Resolve(requirement, s.nodes)
	found := &next
	if last := s.before[requirement]; last != nil && last.Verdict == next.Verdict && apiequality.Semantic.DeepEqual(last.Placement, next.Placement) {
		found = last
	}
	if s.resolved == nil || len(s.resolved) >= maxResolved {
		s.resolved = map[placement.Requirement]*placement.Resolution{}
	}
	s.resolved[requirement] = found
	return found
}

// known gives what is resolved so far.
func (s *survey) known() map[placement.Requirement]*placement.Resolution {
	if s == nil {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.resolved)
}

// survey gives the present one.
func (i *inventory) survey() *survey {
	i.mu.Lock()
	defer i.mu.Unlock()
	if revision := i.builder.Revision(); i.last == nil || i.last.revision != revision {
		i.last = &survey{nodes: i.builder.Inventory(), revision: revision, before: i.last.known()}
	}
	return i.last
}

// handler keeps the inventory, and calls changed when that can change a placement or a verdict. A heartbeat cannot, nor can
// one more node of a class.
func (i *inventory) handler(changed func(requestQueue)) handler.EventHandler {
	set := func(object client.Object, queue requestQueue) {
		if node, ok := object.(*corev1.Node); ok && i.set(node) {
			changed(queue)
		}
	}
	return handler.Funcs{
		CreateFunc: func(_ context.Context, e event.CreateEvent, queue requestQueue) { set(e.Object, queue) },
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, queue requestQueue) {
			if !isHeartbeat(e.ObjectOld, e.ObjectNew) {
				set(e.ObjectNew, queue)
			}
		},
		DeleteFunc: func(_ context.Context, e event.DeleteEvent, queue requestQueue) {
			if i.remove(e.Object.GetName()) {
				changed(queue)
			}
		},
	}
}

// isHeartbeat says whether two states of a cached node differ in nothing that the inventory reads.
func isHeartbeat(before, after client.Object) bool {
	was, ok := before.(*corev1.Node)
	is, also := after.(*corev1.Node)
	return ok && also && placement.Alike(was, is)
}

func (i *inventory) set(node *corev1.Node) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.builder.Set(node)
}

func (i *inventory) remove(name string) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.builder.Remove(name)
}
