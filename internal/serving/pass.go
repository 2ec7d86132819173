package serving

import (
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/maze-agent/maregister/internal/placement"
	"github.com/maze-agent/maregister/internal/registry"
)

// Pass is one decision on a namespace. It is not safe for concurrent use.
type Pass struct {
	namespace string
	options   Options
	memory    *Memory
	seen      Observation

	// What is decided. records and holdings have what differs from the memory: nil for what is gone.
	records  map[string]*record
	holdings map[string]*holding
	resolved map[placement.Requirement]*placement.Resolution
	decided  bool
	// wanted is what the registry is to hold, and target what it can hold while others have the names of some shards.
	wanted, target *registry.Tree
	// considered holds all that was tried on the way from wanted to target, both included.
	considered []*registry.Tree
	// heldBack has, for each entry that stays behind of the target, the name of the shard that someone else's ConfigMap has.
	heldBack map[string]string
	// reelected holds the names whose owner has changed.
	reelected map[string]bool

	// What is done.
	maps configMaps
	// served is what the registry serves, as far as it is the operator's; nil until it is read. earlier is what it served before, in this
	// pass. trusted is as in Memory.
	served  *registry.Tree
	earlier []*registry.Tree
	trusted bool
	// assumed is as in Memory. A recovery replaces it.
	assumed   map[string]bool
	recovery  *recovery
	published bool
	behind    bool
	wrote     bool
	failure   error
	rounds    int
	// progress counts what was read, made or deleted.
	progress int
	// waiting holds the tasks whose outcome is to be found again by the next pass.
	waiting map[string]struct{}
	// contested reports whether the outcomes are to report that others change the registry again and again.
	contested bool
	// shown holds what the caches show of the shards, by name.
	shown map[string]*metav1.PartialObjectMetadata
	// noticed reports whether noticeOrphans has run.
	noticed bool
}

// Begin starts a pass. An error means that a task's entry cannot be encoded.
func Begin(namespace string, options Options, memory *Memory, seen Observation) (*Pass, error) {
	p := &Pass{
		namespace: namespace, options: options, memory: memory, seen: seen,
		records: map[string]*record{}, holdings: map[string]*holding{}, reelected: map[string]bool{},
		resolved: map[placement.Requirement]*placement.Resolution{},
		maps:     memory.takenOver(), served: memory.published, trusted: memory.trusted, assumed: memory.assumed,
	}
	if p.behind = older(seen.View, memory.floor); p.behind {
		return p, nil
	}
	if err := p.judge(); err != nil {
		return nil, fmt.Errorf("judge the tasks: %w", err)
	}
	if err := p.place(); err != nil {
		return nil, fmt.Errorf("place the tasks: %w", err)
	}
	p.notice()
	return p, nil
}

// judge records the verdict on each task that may have changed.
func (p *Pass) judge() error {
	for name, t := range p.seen.Tasks {
		last := p.memory.tasks[name]
		if t == nil {
			if last != nil {
				p.records[name] = nil
			}
			continue
		}
		next, err := p.recordOf(t, last)
		if err != nil {
			return err
		}
		if next != last {
			p.records[name] = next
		}
	}
	if p.seen.Complete {
		for name := range p.memory.tasks {
			if p.seen.Tasks[name] == nil {
				p.records[name] = nil
			}
		}
	}
	return nil
}

// place resolves each placement anew after a change of the nodes. It looks at each requirement once, and only at the tasks of those
// requirements whose placement has changed.
func (p *Pass) place() error {
	if p.memory.nodes == p.seen.NodesRevision {
		return nil
	}
	for requirement, u := range p.memory.uses {
		resolution := p.resolve(requirement)
		if resolution == u.resolution {
			continue
		}
		for name := range u.tasks {
			r := p.record(name)
			if r == nil {
				continue
			}
			next, err := p.placeRecord(r, requirement, resolution)
			if err != nil {
				return err
			}
			if next != r {
				p.records[name] = next
			}
		}
	}
	return nil
}

// record returns the record of a task as of this pass. Nil if there is no such task.
func (p *Pass) record(name string) *record {
	if next, changed := p.records[name]; changed {
		return next
	}
	return p.memory.tasks[name]
}

// holding returns who has a name as of this pass. Nil if no task has it.
func (p *Pass) holding(key string) *holding {
	if next, changed := p.holdings[key]; changed {
		return next
	}
	return p.memory.names[key]
}

// decide finds the owner of each name that a change concerns, and with it what the registry is to hold.
func (p *Pass) decide() error {
	joined, left := map[string][]string{}, map[string][]string{}
	for name, next := range p.records {
		if last := p.memory.tasks[name]; last != nil {
			left[last.key] = append(left[last.key], name)
		}
		if next != nil {
			joined[next.key] = append(joined[next.key], name)
		}
	}
	edits := map[string]*registry.Item{}
	keys := union(joined, left)
	if published := p.memory.published; published != nil { // what others have published since counts for the last accepted entries
		registry.Diff(published, p.served, func(key string) { keys[key] = true })
	}
	if p.memory.wanted != nil { // nor is one served that had to stay behind
		registry.Diff(p.memory.wanted, p.served, func(key string) {
			if h := p.holding(key); h != nil && h.owner != "" && p.isRefused(h.owner) {
				keys[key] = true
			}
		})
	}
	for key := range keys {
		item, err := p.elect(key, joined[key], left[key])
		if err != nil {
			return err
		}
		edits[key] = item
	}
	wanted := p.memory.wanted
	if wanted == nil { // beginning with what is served, so that shards that stay the same are shared
		wanted = p.served
		registry.Diff(registry.NewTree(p.options.ShardSize), wanted, func(name string) {
			if p.holding(name) == nil {
				edits[name] = nil
			}
		})
	}
	p.wanted, p.decided = wanted.With(edits), true
	return nil
}

// isRefused reports whether a task's present generation has no entry.
func (p *Pass) isRefused(name string) bool {
	r := p.record(name)
	return r == nil || r.own == nil
}

func union(a, b map[string][]string) map[string]bool {
	all := make(map[string]bool, len(a))
	for key := range a {
		all[key] = true
	}
	for key := range b {
		all[key] = true
	}
	return all
}

// elect finds the owner of a name among the tasks that had it, less those that left and with those that joined. It returns the entry
// that is to be served, nil for none.
func (p *Pass) elect(key string, joined, left []string) (*registry.Item, error) {
	last := p.memory.names[key]
	next := &holding{tasks: joined}
	if last != nil {
		stay := slices.Clone(last.tasks)
		next.tasks = append(slices.DeleteFunc(stay, func(name string) bool { return slices.Contains(left, name) }), joined...)
	}
	if len(next.tasks) == 0 {
		p.holdings[key] = nil
		return nil, nil
	}
	var best registry.Claim
	var entry *placed
	var claims []string
	for _, name := range next.tasks {
		candidate, err := p.entryOf(name)
		if err != nil {
			return nil, err
		}
		if candidate == nil {
			continue
		}
		claims = append(claims, name)
		claim := registry.Claim{Key: key, Task: name, Created: p.record(name).created}
		if entry == nil || claim.Beats(best) {
			best, entry = claim, candidate
		}
	}
	next.owner = best.Task
	next.overwrote = overwroteBy(last, next.owner, claims)
	p.holdings[key] = next
	p.reelected[key] = last == nil || last.owner != next.owner
	if entry == nil {
		return nil, nil
	}
	return entry.item, nil
}

// overwroteBy returns the task that an owner took a name from: the owner before, if it still claims the name, or, where nobody knows who
// that was, the last of those that claim it in vain. Empty if there is none.
func overwroteBy(last *holding, owner string, claims []string) string {
	if last != nil && last.owner == owner {
		return last.overwrote
	}
	overwrote := ""
	for _, name := range claims {
		if name != owner && (last == nil || last.owner == "" || last.owner == name) {
			overwrote = max(overwrote, name)
		}
	}
	return overwrote
}

// entryOf returns the entry by which a task claims its name. Nil if it has none.
func (p *Pass) entryOf(name string) (*placed, error) {
	r := p.record(name)
	switch {
	case r.terminating:
		return nil, nil
	case r.own != nil:
		return r.own, nil
	}
	last, err := p.lastAccepted(r)
	if err != nil || last == r.last {
		return last, err
	}
	next := *r
	next.last = last
	p.records[name] = &next
	return last, nil
}

// entry returns the entry that the record stands for: its own or the last accepted one.
func (r *record) entry() *placed {
	if r.own != nil {
		return r.own
	}
	return r.last
}

// Published reports whether the registry is as decided.
func (p *Pass) Published() bool { return p.published }

// Behind reports whether nothing was decided, because the tasks that were seen are older than those that the registry was made from.
func (p *Pass) Behind() bool { return p.behind }

// Wrote reports whether a write was sent.
func (p *Pass) Wrote() bool { return p.wrote }

// Disturbed reports whether others have changed or deleted what this process had published, since it was last as decided.
func (p *Pass) Disturbed() bool { return p.maps.disturbed }

// Contest notes that others change the registry's ConfigMaps again and again, so that what is put right does not last. The outcomes
// then report so for every task that has an entry. It is called before Outcomes.
func (p *Pass) Contest() { p.contested = true }

// Failure returns why the registry is not as decided: the error of a request. Nil if it is, and where someone else's
// ConfigMap has the index's name.
func (p *Pass) Failure() error { return p.failure }

// trouble returns why the registry serves no task at all.
func (p *Pass) trouble() trouble {
	switch index := p.maps.index; {
	case index == nil || p.published:
		return noTrouble
	case index.foreign:
		return foreignIndex
	case p.failure != nil && (p.trusted || index.byOthers) && index.holds == nil:
		return brokenIndex
	default:
		return noTrouble
	}
}

// taskNames returns the tasks that the memory and the pass know.
func (p *Pass) taskNames() []string {
	names := make([]string, 0, len(p.memory.tasks)+len(p.records))
	for name := range p.memory.tasks {
		names = append(names, name)
	}
	for name := range p.records {
		if p.memory.tasks[name] == nil {
			names = append(names, name)
		}
	}
	return names
}
