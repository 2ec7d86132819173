package serving

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/maze-agent/maregister/internal/registry"
)

// sweep returns requests that delete shards which no index names. Nobody waits for that.
func (p *Pass) sweep() []*Request {
	if !p.seen.Sweep || p.failure != nil {
		return nil
	}
	var requests []*Request
	fence := false
	for _, uid := range slices.Sorted(maps.Keys(p.maps.dropped)) {
		d := p.maps.dropped[uid]
		switch {
		case d.deleted || len(requests) == writesAtOnce:
		case d.epoch >= p.maps.epoch && p.seen.Now.Sub(d.since) < orphanAge:
		case d.epoch >= p.maps.epoch && d.noticed && !d.looked:
			requests = append(requests, p.lookFor(uid, d))
		case d.epoch >= p.maps.epoch:
			fence = true
		default:
			requests = append(requests, p.sweepShard(uid, d))
		}
	}
	if len(requests) == 0 && fence {
		requests = append(requests, p.fence())
	}
	return requests
}

// lookFor returns the request that reads a shard which only a cache has shown: the cache may be behind, and then there is nothing to do.
func (p *Pass) lookFor(uid types.UID, d droppedShard) *Request {
	return p.readDropped(uid, d, func(*corev1.ConfigMap) {
		p.progress++
		d.looked = true
		p.maps.dropped[uid] = d
	})
}

// readDropped returns the request that reads a shard on its way to deletion, and calls there if it is still the operator's.
func (p *Pass) readDropped(uid types.UID, d droppedShard, there func(found *corev1.ConfigMap)) *Request {
	return &Request{Verb: Get, ConfigMap: p.named(d.name), take: func(found *corev1.ConfigMap, err error) {
		switch {
		case apierrors.IsNotFound(err), err == nil && found.UID != uid:
			p.gone(uid, d)
		case err != nil:
			p.fail(fmt.Errorf("read ConfigMap %s: %w", d.name, err))
		case !registry.Owned(found): // someone has taken the operator's marks off, and keeps it
			p.progress++
			delete(p.maps.dropped, uid)
		default:
			there(found)
		}
	}}
}

// gone notes that a shard is deleted.
func (p *Pass) gone(uid types.UID, d droppedShard) {
	p.progress++
	d.deleted, d.object, d.since = true, nil, p.seen.Now
	p.maps.dropped[uid] = d
}

// maxDoubts is the number of times that a shard is read again which is said to be gone, or another one, and is not.
const maxDoubts = 3

// sweepShard returns the next request on the way to a shard's deletion: others' finalizers are taken off before.
func (p *Pass) sweepShard(uid types.UID, d droppedShard) *Request {
	doubt := func(err error) { // is it gone, or another one?
		d.held, d.object = true, nil
		if d.doubts++; d.doubts > maxDoubts {
			p.fail(fmt.Errorf("delete ConfigMap %s: %w", d.name, err))
		}
		p.maps.dropped[uid] = d
	}
	switch {
	case (d.held || d.resourceVersion == "") && d.object == nil:
		return p.readDropped(uid, d, func(found *corev1.ConfigMap) {
			d.object = found
			p.maps.dropped[uid] = d
		})
	case d.object != nil && isHeld(d.object):
		return p.write(Update, released(d.object), func(updated *corev1.ConfigMap, err error) {
			switch {
			case apierrors.IsNotFound(err), apierrors.IsConflict(err):
				doubt(err)
			case err != nil:
				p.fail(fmt.Errorf("update ConfigMap %s: %w", d.name, err))
			default:
				d.object, d.held = updated, false
				p.maps.dropped[uid] = d
			}
		})
	}
	object := p.named(d.name)
	object.UID, object.ResourceVersion = uid, d.resourceVersion
	if d.object != nil {
		object.ResourceVersion = d.object.ResourceVersion
	}
	return p.write(Delete, object, func(_ *corev1.ConfigMap, err error) {
		switch {
		case err == nil:
			p.gone(uid, d)
		case apierrors.IsNotFound(err), apierrors.IsConflict(err):
			doubt(err)
		default:
			p.fail(fmt.Errorf("delete ConfigMap %s: %w", d.name, err))
		}
	})
}
