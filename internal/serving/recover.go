package serving

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/registry"
)

// recovery reads the published registry, of which a process that has just started remembers nothing.
type recovery struct {
	// refs are the shards that are still to be read.
	refs []registry.ShardRef
	// items are the entries that were read and are the operator's, by name.
	items map[string]*registry.Item
	// own holds the entries of the tasks' present generations, by name. Of several tasks with one name, it holds any one.
	own map[string]*registry.Item
	// tasks are those that there are.
	tasks map[types.UID]*v1alpha1.MazeTask
	// unreported holds the entries of generations that no status has told of yet. They count if the registry is whole, which is as its
	// index says.
	unreported map[string]*registry.Item
	whole      bool
	// known are the shards that this process has published itself.
	known []*registry.Shard
}

// maxRecovered is the most shards of an index that are read, which a hand can have written: 1 GiB of entries at the default size.
const maxRecovered = 4096

// recover returns requests that read what the registry serves: by a process that has just started, and once another one has written the
// index. It confirms the shards on the way. Who may write ConfigMaps can have written any of it, so an entry counts only if it is one of
// the operator's: see authentic. Of the others nothing is kept, however many and large they are. What this process remembers counts
// more than what it reads.
func (p *Pass) recover() []*Request {
	index := p.maps.index
	if p.served != nil && !index.byOthers {
		return nil
	}
	if p.recovery == nil {
		p.recovery = p.newRecovery()
		refs := index.decoded.Shards[:min(len(index.decoded.Shards), maxRecovered)]
		p.recovery.whole = len(refs) == len(index.decoded.Shards)
		p.recovery.refs = slices.DeleteFunc(slices.Clone(refs), p.isKnown)
	}
	var requests []*Request
	for len(p.recovery.refs) > 0 && len(requests) < readsAtOnce {
		ref := p.recovery.refs[0]
		p.recovery.refs = p.recovery.refs[1:]
		switch {
		case ref.Name == registry.ConfigMapName:
			data := maps.Clone(index.object.Data)
			delete(data, registry.IndexKey)
			p.recoverEntries(data)
			p.recovery.whole = p.recovery.whole && registry.ContentDigest(data) == ref.Digest && len(data) == ref.Tasks
		case registry.IsShardName(ref.Name):
			requests = append(requests, p.recoverShard(ref))
		default:
			p.recovery.whole = false
		}
	}
	if len(requests) > 0 {
		return requests
	}
	if p.recovery.whole {
		for _, item := range p.recovery.unreported {
			p.recoverItem(item, item.Text)
		}
	}
	switch {
	case p.served != nil && p.recovery.whole && registry.WroteLast(index.object): // another process of the operator: what it left out is gone
		for _, shard := range p.recovery.known {
			for i := range shard.Items {
				p.recovery.items[shard.Items[i].Name] = &shard.Items[i]
			}
		}
		p.served, p.trusted, p.decided = registry.NewTree(p.options.ShardSize).With(p.recovery.items), false, false
	case p.served == nil:
		p.served, p.trusted, p.decided = registry.NewTree(p.options.ShardSize).With(p.recovery.items), false, false
	case len(p.recovery.items) > 0:
		p.served, p.decided = p.served.With(p.recovery.items), false
	}
	p.recovery, index.byOthers = nil, false
	return nil
}

// newRecovery returns a recovery that has read nothing, with what is known of the tasks.
func (p *Pass) newRecovery() *recovery {
	if p.assumed = maps.Clone(p.assumed); p.assumed == nil {
		p.assumed = map[string]bool{}
	}
	r := &recovery{
		items: map[string]*registry.Item{}, own: map[string]*registry.Item{}, unreported: map[string]*registry.Item{},
		tasks: map[types.UID]*v1alpha1.MazeTask{},
	}
	for _, task := range p.records {
		if task != nil && task.own != nil {
			r.own[task.key] = task.own.item
		}
	}
	for _, t := range p.seen.Tasks {
		if t != nil {
			r.tasks[t.UID] = t
		}
	}
	return r
}

// isKnown reports whether a shard is one that this process has published and knows to be there, and notes it.
func (p *Pass) isKnown(ref registry.ShardRef) bool {
	if p.memory.published == nil || p.maps.shards[ref.Name].state != shardConfirmed {
		return false
	}
	shards := p.memory.published.Shards()
	i := slices.IndexFunc(shards, func(shard *registry.Shard) bool { return shard.Name == ref.Name && shard.Digest == ref.Digest })
	if i >= 0 {
		p.recovery.known = append(p.recovery.known, shards[i])
	}
	return i >= 0
}

// recoverShard reads a shard that the index names.
func (p *Pass) recoverShard(ref registry.ShardRef) *Request {
	return &Request{Verb: Get, ConfigMap: p.named(ref.Name), take: func(found *corev1.ConfigMap, err error) {
		p.progress++
		switch {
		case apierrors.IsNotFound(err):
			p.recovery.whole = false
			return
		case err != nil:
			p.fail(fmt.Errorf("read ConfigMap %s: %w", ref.Name, err))
			return
		case !registry.Owned(found):
			p.recovery.whole = false
			p.maps.shards[ref.Name] = shardState{state: shardForeign, uid: found.UID, since: p.seen.Now, met: p.seen.Now}
			return
		}
		p.recoverEntries(found.Data)
		intact := isIntact(found, ref.Digest, ref.Tasks)
		p.recovery.whole = p.recovery.whole && intact
		if intact && registry.HasRole(found, registry.RoleShard) && !isHeld(found) {
			p.confirm(found)
			return
		}
		p.maps.shards[ref.Name] = shardState{ // it is read again if it is needed, for its data may be large, and there may be many
			state: shardDoubtful, uid: found.UID, resourceVersion: found.ResourceVersion, epoch: p.maps.epoch, since: p.seen.Now,
		}
	}}
}

// recoverEntries notes those of some entries that are the operator's. One that a task of this pass has just the same is not kept twice,
// and one that this process remembers counts only if it is of a later generation.
func (p *Pass) recoverEntries(data map[string]string) {
	for name, text := range data {
		if own := p.recovery.own[name]; own != nil && own.Text == text {
			p.recoverItem(own, text)
			continue
		}
		item, err := registry.Decode(text)
		if err != nil || item.Name != name || !registry.Fits(item, p.options.ShardSize) {
			continue
		}
		if p.served != nil {
			if known := p.served.Get(name); known != nil && known.UID == item.UID && known.Generation >= item.Generation {
				p.recoverItem(known, text) // what this process remembers counts more
				continue
			}
		}
		t := p.recovery.tasks[item.UID]
		if found := authentic(t, &item); found != nil {
			p.recoverItem(found, text)
		} else if isUnreported(t, &item) {
			p.recovery.unreported[name] = &item
		}
	}
}

// recoverItem notes what counts under a name where the registry has a text.
func (p *Pass) recoverItem(item *registry.Item, text string) {
	p.recovery.items[item.Name] = item
	if delete(p.assumed, item.Name); item.Text != text {
		p.assumed[item.Name] = true
	}
}

// authentic returns an entry that was found in the registry if the operator has made it. Nil if nobody can tell, or t is nil. Who writes
// ConfigMaps can forge a registry that is whole, but not a task's status, in which the operator has noted the digest of the entry that it
// served last. The nodes may have changed the entry's placement since: then the one of the status counts, which the digest covers.
func authentic(t *v1alpha1.MazeTask, item *registry.Item) *registry.Item {
	if t == nil || t.Status.Entry == nil {
		return nil
	}
	switch entry := t.Status.Entry; {
	case entry.Key != item.Name || entry.Generation != item.Generation:
		return nil
	case entry.Digest == item.Digest:
		return item
	case t.Status.Placement == nil:
		return nil
	default:
		noted, err := item.WithPlacement(*t.Status.Placement)
		if err != nil || noted.Digest != entry.Digest {
			return nil
		}
		return &noted
	}
}

// isUnreported reports whether an entry is of a generation that the task had, and that no status has told of yet: a process has died
// between the registry and the status, and the task was edited before another one started. Nobody can tell whether such an entry is the
// operator's. It is believed if the registry is whole, as a bad edit must not take a working task out; docs/security.md says so. The
// API server counts generations from 1, and a status that nobody has written has the observed generation -1.
func isUnreported(t *v1alpha1.MazeTask, item *registry.Item) bool {
	return t != nil && item.Name == t.Spec.Name && item.Generation > max(t.Status.ObservedGeneration, 0) && item.Generation < t.Generation
}
