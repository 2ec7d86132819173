package serving

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/maze-agent/maregister/internal/registry"
)

// writeShards returns requests that create the target's shards or put them right. more reports whether the pass has learned something
// without a request, so that it is to look again.
func (p *Pass) writeShards() (requests []*Request, more bool) {
	fence := false
	for _, shard := range p.target.Shards() {
		if shard.Name == registry.ConfigMapName || len(requests) == writesAtOnce {
			continue
		}
		s := p.maps.shards[shard.Name]
		switch s.state {
		case shardConfirmed:
		case shardAbsent:
			if uid, d := p.droppedNamed(shard.Name); uid != "" {
				p.maps.shards[shard.Name] = shardState{state: shardDoubtful, uid: uid, epoch: d.epoch}
				more = true
				continue
			}
			requests = append(requests, p.createShard(shard))
		case shardDoubtful:
			requests = append(requests, p.readShard(shard.Name))
		case shardForeign:
			more = true
		case shardOurs:
			switch kept := p.isKept(shard, s.object); {
			case kept && registry.HasRole(s.object, registry.RoleShard) && !isHeld(s.object):
				p.confirm(s.object)
				more = true
			case kept || s.epoch < p.maps.epoch:
				requests = append(requests, p.putRight(shard, s))
			default: // it is to be deleted, and the index has not been written since it was seen
				fence = true
			}
		}
	}
	if len(requests) == 0 && fence {
		return []*Request{p.fence()}, false
	}
	return requests, more && len(requests) == 0
}

// recheckForeign returns requests that read again whether others' ConfigMaps still have the names of shards.
func (p *Pass) recheckForeign() (requests []*Request) {
	for _, name := range slices.Sorted(maps.Keys(p.maps.shards)) {
		if p.maps.shards[name].recheck && len(requests) < readsAtOnce {
			requests = append(requests, p.readShard(name))
		}
	}
	return requests
}

// lookAhead returns requests that read, before anything is written, whether others' ConfigMaps have the names of shards. A process that
// has just started reads that, and one that knows of such a ConfigMap. It reads all that was considered, and not only the target: else
// what stays behind would depend on the order in which a process has learned of others' ConfigMaps, and a restart would change it.
func (p *Pass) lookAhead() (requests []*Request) {
	if p.memory.tasks != nil && !p.maps.hasForeign() || p.maps.index.object == nil {
		return nil
	}
	for _, tree := range p.considered {
		for _, shard := range tree.Shards() {
			if len(requests) == readsAtOnce {
				return requests
			}
			if p.isUnknown(shard.Name) {
				p.progress++
				p.maps.looked[shard.Name] = p.seen.Now
				requests = append(requests, p.readShard(shard.Name))
			}
		}
	}
	return requests
}

// isUnknown reports whether nobody knows whose ConfigMap has a shard's name, if there is one, and nobody has looked of late.
func (p *Pass) isUnknown(name string) bool {
	if _, looked := p.maps.looked[name]; looked || name == registry.ConfigMapName {
		return false
	}
	switch p.maps.shards[name].state {
	case shardAbsent:
		uid, _ := p.droppedNamed(name)
		return uid == ""
	case shardDoubtful:
		return true
	default:
		return false
	}
}

// droppedNamed returns a dropped shard of a name that is still there.
func (p *Pass) droppedNamed(name string) (uid types.UID, d droppedShard) {
	for candidate, found := range p.maps.dropped {
		if found.name == name && !found.deleted && candidate >= uid {
			uid, d = candidate, found
		}
	}
	return uid, d
}

func (p *Pass) createShard(shard *registry.Shard) *Request {
	return p.write(Create, shard.ConfigMap(p.namespace), func(created *corev1.ConfigMap, err error) {
		switch {
		case err == nil:
			p.confirm(created)
		case apierrors.IsAlreadyExists(err):
			p.maps.shards[shard.Name] = shardState{state: shardDoubtful, epoch: p.maps.epoch}
		default:
			p.fail(fmt.Errorf("create ConfigMap %s: %w", shard.Name, err))
		}
	})
}

func (p *Pass) confirm(shard *corev1.ConfigMap) {
	p.progress++
	delete(p.maps.dropped, shard.UID)
	p.maps.shards[shard.Name] = shardState{
		state: shardConfirmed, uid: shard.UID, resourceVersion: shard.ResourceVersion, epoch: p.maps.epoch,
	}
}

// readShard reads what has a shard's name.
func (p *Pass) readShard(name string) *Request {
	return &Request{Verb: Get, ConfigMap: p.named(name), take: func(found *corev1.ConfigMap, err error) {
		switch {
		case err == nil:
			s := shardState{state: shardOurs, uid: found.UID, resourceVersion: found.ResourceVersion, object: found, epoch: p.maps.epoch, since: p.seen.Now}
			if last := p.maps.shards[name]; last.uid == found.UID {
				s.epoch = last.epoch
			}
			if !registry.Owned(found) {
				s.state, s.object, s.met = shardForeign, nil, p.seen.Now
			}
			p.maps.shards[name] = s
			delete(p.maps.dropped, found.UID) // from now on it is in the way, and not garbage
		case apierrors.IsNotFound(err):
			delete(p.maps.shards, name)
			p.forgetDropped(name)
		default:
			p.fail(fmt.Errorf("read ConfigMap %s: %w", name, err))
		}
	}}
}

// forgetDropped notes that nothing of a name is there.
func (p *Pass) forgetDropped(name string) {
	for uid, d := range p.maps.dropped {
		if d.name == name {
			d.deleted, d.since = true, p.seen.Now
			p.maps.dropped[uid] = d
		}
	}
}

// isKept reports whether an object of the operator that has a shard's name is that shard, and the live index names it.
func (p *Pass) isKept(shard *registry.Shard, found *corev1.ConfigMap) bool {
	return p.maps.names(shard.Name) && isIntact(found, shard.Digest, len(shard.Items))
}

// putRight returns the request that brings a shard to the place of what has its name, an object of the operator: it updates that,
// releases it, or deletes it.
func (p *Pass) putRight(shard *registry.Shard, s shardState) *Request {
	switch found := s.object; {
	case p.isKept(shard, found):
		next := released(found)
		next.Labels = labels.Merge(next.Labels, registry.Labels(registry.RoleShard))
		return p.updateShard(next, true)
	case isHeld(found):
		return p.updateShard(released(found), false)
	default:
		return p.removeShard(shard.Name, s)
	}
}

// removeShard deletes what has a shard's name.
func (p *Pass) removeShard(name string, s shardState) *Request {
	return p.write(Delete, s.object, func(_ *corev1.ConfigMap, err error) {
		switch {
		case err == nil:
			p.maps.dropped[s.uid] = droppedShard{name: name, epoch: s.epoch, since: p.seen.Now, deleted: true}
			delete(p.maps.shards, name)
		case apierrors.IsNotFound(err), apierrors.IsConflict(err):
			p.maps.shards[name] = shardState{state: shardDoubtful, uid: s.uid, epoch: s.epoch}
		default:
			p.fail(fmt.Errorf("delete ConfigMap %s: %w", name, err))
		}
	})
}

// updateShard updates a shard's metadata. Its data, which cannot change, is sent as it is.
func (p *Pass) updateShard(next *corev1.ConfigMap, confirm bool) *Request {
	return p.write(Update, next, func(updated *corev1.ConfigMap, err error) {
		s := p.maps.shards[next.Name]
		switch {
		case err == nil && confirm:
			p.confirm(updated)
			return
		case err == nil:
			s.object = updated
		case apierrors.IsNotFound(err), apierrors.IsConflict(err):
			s.state, s.object = shardDoubtful, nil
		default:
			p.fail(fmt.Errorf("update ConfigMap %s: %w", next.Name, err))
			return
		}
		p.maps.shards[next.Name] = s
	})
}
