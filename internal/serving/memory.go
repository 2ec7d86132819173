package serving

import (
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/maze-agent/maregister/internal/placement"
	"github.com/maze-agent/maregister/internal/registry"
)

// Memory holds what is remembered of a namespace between passes. The zero Memory is that of an operator that has just started.
type Memory struct {
	// tasks holds a record of every task, by the object's name.
	tasks map[string]*record
	// names holds who has each name, by spec.name.
	names map[string]*holding
	// uses holds which tasks depend on each requirement, and what that was resolved to.
	uses map[placement.Requirement]*use
	// nodes is the NodesRevision of the last pass.
	nodes uint64

	// wanted holds the entries that the registry is to serve, and published those that it serves. published is nil until the registry
	// has been read.
	wanted, published *registry.Tree
	// trusted reports whether published is what this process has written, or found as wanted, and not what it has recovered.
	trusted bool
	// assumed holds the names under which published has the entry that counts, and the registry that was read has another one, until this
	// process has published. Nil for none.
	assumed map[string]bool

	// trouble is why nothing is served, as the last outcomes have it.
	trouble trouble
	// waiting holds the tasks that are not served although they should be, as the last outcomes have it.
	waiting map[string]struct{}
	// contested reports whether the last outcomes tell that others change the registry again and again.
	contested bool
	// missed reports whether the last pass did not decide.
	missed bool
	// floor is a resourceVersion: a view that is older than it is no ground to decide on.
	floor string

	maps configMaps
}

// holding is who has a name.
type holding struct {
	// tasks are the names of all MazeTasks with it, in no order.
	tasks []string
	// owner is the MazeTask that is served. Empty if none can be.
	owner string
	// overwrote is the MazeTask that owner took the name from. Empty if there was none.
	overwrote string
}

// use is a requirement that tasks have.
type use struct {
	resolution *placement.Resolution
	tasks      map[string]struct{}
}

// trouble is a reason for which the registry serves no task at all.
type trouble int

const (
	noTrouble trouble = iota
	// foreignIndex: a ConfigMap maze-registry is there that the operator does not own.
	foreignIndex
	// brokenIndex: the ConfigMap maze-registry is not as this process wrote it, and cannot be put right.
	brokenIndex
)

// IsBare reports whether there is nothing to remember: neither tasks nor a registry.
func (m *Memory) IsBare() bool {
	return len(m.tasks) == 0 && (m.maps.index == nil || m.maps.index.object == nil) && !m.HasGarbage()
}

// NeedsAll reports whether the next pass needs a complete observation: the first one, and one after a pass that could not decide.
func (m *Memory) NeedsAll() bool { return m.tasks == nil || m.missed }

// HasGarbage reports whether shards are left that no index names.
func (m *Memory) HasGarbage() bool { return m.maps.garbage() > 0 }

// Garbage returns the number of shards that are left and that no index names.
func (p *Pass) Garbage() int { return p.maps.garbage() }

func (c *configMaps) garbage() int {
	count := 0
	for _, d := range c.dropped {
		if !d.deleted {
			count++
		}
	}
	return count
}

// HasForeignShards reports whether ConfigMaps of others have the names of shards.
func (m *Memory) HasForeignShards() bool {
	return m.maps.hasForeign()
}

// Registry is the state of a registry.
type Registry struct {
	// Exists reports whether there is one, be it someone else's.
	Exists bool
	// Tasks is the number of entries that it serves, Bytes their size with their keys, and Shards the number of ConfigMaps that hold
	// them.
	Tasks, Bytes, Shards int
	// Conflict reports whether a ConfigMap of someone else is in the way, or others change the registry's again and again.
	Conflict bool
	// Generation is the index's.
	Generation int64
}

// Registry returns what there is of the registry.
func (m *Memory) Registry() Registry {
	state := m.maps.registry(m.published, m.trouble)
	state.Conflict = state.Conflict || m.contested
	return state
}

// Registry returns what there is of the registry at the end of the pass.
func (p *Pass) Registry() Registry { return p.maps.registry(p.nowServed(), p.trouble()) }

func (c *configMaps) registry(served *registry.Tree, trouble trouble) Registry {
	if c.index == nil || c.index.object == nil {
		return Registry{}
	}
	state := Registry{Exists: true, Conflict: trouble == foreignIndex || c.hasForeign(), Generation: c.index.decoded.Generation}
	if served != nil && trouble == noTrouble {
		state.Tasks, state.Bytes, state.Shards = served.Tasks(), served.Size(), len(c.index.decoded.Shards)
	}
	return state
}

// configMaps is what is known of a registry's ConfigMaps.
type configMaps struct {
	// index is the ConfigMap maze-registry. Nil while it is to be read.
	index *indexState
	// base is the resourceVersion that index had when it became unknown.
	base string
	// attempt is the last write of the index, if it failed and the index was not read since.
	attempt *attempt
	// last is the index of the highest generation that this process has written or seen.
	last registry.Index
	// shards holds the shards that are known to be there, by name.
	shards map[string]shardState
	// looked holds when it was read last whether anything has a shard's name. It forgets that after recheckForeign. See lookAhead.
	looked map[string]time.Time
	// dropped holds the shards that no index names any more, and others' leftovers, by UID.
	dropped map[types.UID]droppedShard
	// disturbed reports whether others have changed or deleted what this process had published, since it was last as decided.
	disturbed bool
	// epoch counts the writes of the index by this process. What was seen before a write may be deleted after it.
	epoch int
}
