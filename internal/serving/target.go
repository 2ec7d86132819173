package serving

import (
	"slices"

	"github.com/maze-agent/maregister/internal/registry"
)

// retarget finds what the registry can hold while others have the names of some shards: of each entry in such a shard, what the
// registry serves already under its name, or nothing. So these entries stay behind, and all others are served.
func (p *Pass) retarget() {
	p.target, p.heldBack, p.considered = p.wanted, map[string]string{}, []*registry.Tree{p.wanted}
	for range maxForeign {
		edits := p.stayBehind()
		if edits == nil {
			break
		}
		p.target = p.target.With(edits)
		p.considered = append(p.considered, p.target)
	}
	known := []*registry.Tree{p.served}
	if index := p.maps.index; index != nil && index.holds != nil {
		known = append(known, index.holds)
	}
	for _, tree := range known {
		if p.target != tree && slices.EqualFunc(p.target.Shards(), tree.Shards(), sameShard) {
			p.target = tree
		}
	}
}

func sameShard(a, b *registry.Shard) bool { return a == b || a.Name == b.Name && a.Digest == b.Digest }

// maxForeign is the most shards in a row that are tried and turn out to have names of others' ConfigMaps.
const maxForeign = 64

// stayBehind returns what is to stay behind of the target, because someone else's ConfigMap has a shard's name. Nil for nothing. A shard
// that holds what is served already, in whatever ConfigMap, is looked at last: its entries have to go.
func (p *Pass) stayBehind() map[string]*registry.Item {
	if !p.maps.hasForeign() {
		return nil
	}
	var gone map[string]*registry.Item
	var blocked string
	for _, shard := range p.target.Shards() {
		s := p.maps.shards[shard.Name]
		if s.state != shardForeign {
			continue
		}
		s.met = p.seen.Now
		p.maps.shards[shard.Name] = s
		edits, all := map[string]*registry.Item{}, map[string]*registry.Item{}
		for i := range shard.Items {
			item := &shard.Items[i]
			served := p.served.Get(item.Name)
			if served != nil && served.UID != item.UID {
				served = nil // its task is gone
			}
			if all[item.Name] = nil; served == nil || served.Digest != item.Digest {
				edits[item.Name] = served
			}
		}
		if len(edits) > 0 {
			p.holdBack(edits, shard.Name)
			return edits
		}
		if gone == nil {
			gone, blocked = all, shard.Name
		}
	}
	p.holdBack(gone, blocked)
	return gone
}

// holdBack notes which shard's name someone else's ConfigMap has, for entries that stay behind because of it.
func (p *Pass) holdBack(edits map[string]*registry.Item, shard string) {
	for key := range edits {
		p.heldBack[key] = shard
	}
}
