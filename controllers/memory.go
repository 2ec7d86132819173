package controllers

import (
	"maps"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"github.com/maze-agent/maregister/internal/registry"
)

// memory is what the registry controller remembers of a namespace between reconciliations. Nothing in it is
// needed to be right: after a restart it is made anew from the objects.
type memory struct {
	// judged holds the judgement of each task's present generation.
	judged map[types.UID]*judgement
	// published holds the digest of every entry that the registry serves, by name.
	published map[string]string
	// owned says who has each name.
	owned map[string]ownership
	// index is the last index that was written, and written is the ConfigMap's resourceVersion after that.
	index   registry.Index
	written string
}

// ownership is the hold of a task on a name.
type ownership struct {
	// owner is the name of the MazeTask, and overwrote of the one that it took the name from. Empty if there was none.
	owner, overwrote string
}

// memories holds the memory of every namespace that has tasks or a registry. One namespace is never reconciled twice at a time.
type memories struct {
	mu         sync.Mutex
	namespaces map[string]*memory
}

func newMemories() *memories {
	return &memories{namespaces: map[string]*memory{}}
}

func (m *memories) of(namespace string) *memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.namespaces[namespace] == nil {
		m.namespaces[namespace] = &memory{}
	}
	return m.namespaces[namespace]
}

// known gives the namespaces.
func (m *memories) known() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Collect(maps.Keys(m.namespaces))
}

func (m *memories) forget(namespace string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.namespaces, namespace)
}
