package serving

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/registry"
)

// recovery reads the published registry, of which a process that has just started remembers nothing.
type recovery struct {
	// refs are the shards that are still to be read.
	refs []registry.ShardRef
	// items are the entries that were read, by name.
	items map[string]*registry.Item
}

// maxRecovered bounds how many shards of an index are read, which a hand can have written: 1 GiB of entries at the default size.
const maxRecovered = 4096

// recover returns requests that read what the registry serves: by a process that has just started, and once another one has written the
// index. It confirms the shards on the way. A registry that is someone else's, or torn, does no harm: what can be read of it counts only
// where the task's status vouches for it, and what this process remembers counts more.
func (p *Pass) recover() []*Request {
	index := p.maps.index
	if p.served != nil && !index.byOthers {
		return nil
	}
	if p.recovery == nil {
		refs := index.decoded.Shards[:min(len(index.decoded.Shards), maxRecovered)]
		p.recovery, p.whole = &recovery{items: map[string]*registry.Item{}}, len(refs) == len(index.decoded.Shards) && len(refs) > 0
		p.recovery.refs = slices.DeleteFunc(slices.Clone(refs), p.recoverKnown)
	}
	var requests []*Request
	for len(p.recovery.refs) > 0 && len(requests) < readsAtOnce {
		ref := p.recovery.refs[0]
		p.recovery.refs = p.recovery.refs[1:]
		switch {
		case ref.Name == registry.ConfigMapName:
			data := maps.Clone(index.object.Data)
			delete(data, registry.IndexKey)
			p.whole = p.whole && registry.ContentDigest(data) == ref.Digest && len(data) == ref.Tasks
			p.recoverEntries(data)
		case registry.IsShardName(ref.Name):
			requests = append(requests, p.recoverShard(ref))
		default:
			p.whole = false
		}
	}
	if len(requests) > 0 {
		return requests
	}
	if p.served == nil || p.whole {
		p.served, p.trusted, p.decided = registry.NewTree(p.options.ShardSize).With(p.recovery.items), false, false
	}
	p.recovery, index.byOthers = nil, false
	return nil
}

// recoverKnown reports whether a shard is one that this process has published and knows to be there. Then its entries are known, too.
func (p *Pass) recoverKnown(ref registry.ShardRef) bool {
	if p.memory.published == nil || p.maps.shards[ref.Name].state != shardConfirmed {
		return false
	}
	for _, shard := range p.memory.published.Shards() {
		if shard.Name == ref.Name && shard.Digest == ref.Digest {
			for i := range shard.Items {
				p.recovery.items[shard.Items[i].Name] = &shard.Items[i]
			}
			return true
		}
	}
	return false
}

// recoverShard reads a shard that the index names.
func (p *Pass) recoverShard(ref registry.ShardRef) *Request {
	return &Request{Verb: Get, ConfigMap: p.named(ref.Name), take: func(found *corev1.ConfigMap, err error) {
		p.progress++
		switch {
		case apierrors.IsNotFound(err):
			p.whole = false
			return
		case err != nil:
			p.fail(fmt.Errorf("read ConfigMap %s: %w", ref.Name, err))
			return
		case !registry.Owned(found):
			p.whole = false
			p.maps.shards[ref.Name] = shardState{state: shardForeign, uid: found.UID, since: p.seen.Now, met: p.seen.Now}
			return
		}
		p.recoverEntries(found.Data)
		if isIntact(found, ref.Digest, ref.Tasks) && registry.HasRole(found, registry.RoleShard) {
			p.confirm(found)
			return
		}
		p.whole = p.whole && isIntact(found, ref.Digest, ref.Tasks)
		p.maps.shards[ref.Name] = shardState{
			state: shardOurs, uid: found.UID, resourceVersion: found.ResourceVersion, object: found, epoch: p.maps.epoch, since: p.seen.Now,
		}
	}}
}

// recoverEntries notes entries, which anyone who may edit ConfigMaps can have written. One that a task of this pass has just the same
// is not kept twice.
func (p *Pass) recoverEntries(data map[string]string) {
	own := p.ownItems()
	for name, text := range data {
		if item := own[name]; item != nil && item.Text == text {
			p.recovery.items[name] = item
			continue
		}
		item, err := registry.Decode(text)
		if err != nil || item.Name != name || !registry.Fits(item, p.options.ShardSize) {
			p.whole = false
			continue
		}
		p.recovery.items[name] = &item
	}
}

// ownItems returns the entries of the present generations of the tasks, by name. Of several tasks with one name, it has any.
func (p *Pass) ownItems() map[string]*registry.Item {
	if p.own == nil {
		p.own = make(map[string]*registry.Item, len(p.records))
		for _, r := range p.records {
			if r != nil && r.own != nil {
				p.own[r.key] = r.own.item
			}
		}
	}
	return p.own
}

// isAuthentic reports whether an entry that was found in the registry may be served on for a task whose present generation is not
// accepted. Who writes ConfigMaps can forge a registry that is whole; what its entry must match is the task's status, which only the
// operator writes. An entry of a generation that no status has told of yet is believed if the registry is whole and the generation can
// have had one: a process has died between the registry and the status.
func (p *Pass) isAuthentic(t *v1alpha1.MazeTask, r *record, item *registry.Item) bool {
	switch {
	case t == nil:
		return false
	case item.Generation > t.Status.ObservedGeneration:
		return p.whole && (item.Generation < t.Generation || item.Generation == t.Generation && r.accepted.OK)
	}
	entry := t.Status.Entry
	if entry == nil || entry.Key != item.Name || entry.Generation != item.Generation {
		return false
	}
	if entry.Digest == item.Digest {
		return true
	}
	if t.Status.Placement == nil {
		return false
	}
	// The nodes may have changed its placement after the status was written.
	before, err := item.WithPlacement(*t.Status.Placement)
	return err == nil && before.Digest == entry.Digest
}
