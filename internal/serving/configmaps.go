package serving

import (
	"maps"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/maze-agent/maregister/internal/registry"
)

// indexState is the ConfigMap maze-registry as it was last read or written.
type indexState struct {
	// object is the ConfigMap. Nil if there is none. Its data is dropped once holds is known.
	object *corev1.ConfigMap
	// decoded is its index; the zero Index where it has none that can be read.
	decoded registry.Index
	// foreign reports whether it is someone else's.
	foreign bool
	// holds is what it serves, and nothing else is in it. Nil while that is not known.
	holds *registry.Tree
	// checked reports whether this process has written it, after it had seen that its view of the tasks was late enough.
	checked bool
	// byOthers reports whether someone else has written it, and what it serves was not read since.
	byOthers bool
}

// attempt is a write of the index that failed, and may have been carried out all the same.
type attempt struct {
	index registry.Index
	// source is the resourceVersion of the tasks that it was made from, and publishes what is served since: nil if it was a fence.
	source    string
	publishes *registry.Tree
}

// shardState is what is known of a ConfigMap that has a shard's name.
type shardState struct {
	state shardKnowledge
	// uid and resourceVersion are those that it had when it was created, or read.
	uid             types.UID
	resourceVersion string
	// object is as read: with shardOurs alone.
	object *corev1.ConfigMap
	// epoch is the one in which it was seen, and since the time. See configMaps.epoch.
	epoch int
	since time.Time
	// recheck asks for it to be read again, and met is when it was in the way last: with shardForeign alone.
	recheck bool
	met     time.Time
}

// shardKnowledge is what is known of a shard.
type shardKnowledge int

const (
	// shardAbsent: it is not known to be there.
	shardAbsent shardKnowledge = iota
	// shardConfirmed: an index may name it.
	shardConfirmed
	// shardDoubtful: something of its name is there, and has to be read.
	shardDoubtful
	// shardOurs: it was read, and is the operator's. An index may not name it unless the live one does.
	shardOurs
	// shardForeign: it was read, and is someone else's.
	shardForeign
)

// droppedShard is a shard that is to be deleted.
type droppedShard struct {
	name string
	// epoch is the one in which it was seen, and since the time; with deleted, that of the deletion.
	epoch int
	since time.Time
	// held reports whether it has to be read before it can be deleted: a finalizer may hold it, or it may be gone.
	held bool
	// object is as read, to take finalizers off. Nil if it was not read.
	object *corev1.ConfigMap
	// doubts counts the deletions that failed as if it was gone.
	doubts int
	// resourceVersion is the one in which it was seen. It is deleted only as it was seen, as its marks may be gone since. Where it is
	// empty, the shard has to be read before.
	resourceVersion string
	// noticed reports whether a cache showed it, and this process did not drop it itself.
	noticed bool
	// looked reports whether it was read since, and was there.
	looked bool
	// deleted reports whether it is deleted, and the cache does not show that yet.
	deleted bool
}

// takenOver returns what the memory knows, for a pass that goes on with it. Nothing is copied: whatever comes of the pass, what it has
// learned of the ConfigMaps stays true.
func (m *Memory) takenOver() configMaps {
	if m.maps.shards == nil {
		m.maps.shards, m.maps.dropped, m.maps.looked = map[string]shardState{}, map[types.UID]droppedShard{}, map[string]time.Time{}
	}
	return m.maps
}

func (c *configMaps) hasForeign() bool {
	for _, s := range c.shards {
		if s.state == shardForeign {
			return true
		}
	}
	return false
}

// names reports whether the live index names a shard.
func (c *configMaps) names(shard string) bool {
	return c.index != nil && slices.ContainsFunc(c.index.decoded.Shards, func(ref registry.ShardRef) bool { return ref.Name == shard })
}

// saw notes an index that was written or read.
func (c *configMaps) saw(index registry.Index) {
	if index.Generation >= c.last.Generation { // of two with one generation, the later one
		c.last = index
	}
}

// keepNamed takes what the live index names out of what is to be deleted.
func (c *configMaps) keepNamed() {
	for uid, d := range c.dropped {
		if !d.deleted && c.names(d.name) {
			delete(c.dropped, uid)
		}
	}
}

// forgetIndex forgets the index, so that it is read again.
func (c *configMaps) forgetIndex() {
	if c.index != nil && c.index.object != nil {
		c.base = c.index.object.ResourceVersion
	} else if c.index != nil {
		c.base = ""
	}
	c.index = nil
}

// recheckForeign is the time until the next look at someone else's ConfigMap that has a shard's name: no event reports that it
// is gone.
const recheckForeign = 5 * time.Second

// rememberForeign is the time for which someone else's ConfigMap is remembered after it is no longer in the way.
const rememberForeign = time.Minute

// rememberDeleted is the time for which a deleted shard is remembered: a cache that is behind may show it only now.
const rememberDeleted = time.Minute

// orphanAge is the age from which a shard that no index names is taken for a leftover.
const orphanAge = time.Second

// notice compares what is known with what the caches show. They may be behind, and show what this process has changed since.
func (p *Pass) notice() {
	p.noticeIndex()
	maps.DeleteFunc(p.maps.looked, func(_ string, last time.Time) bool { return p.seen.Now.Sub(last) >= recheckForeign })
	p.shown = make(map[string]*metav1.PartialObjectMetadata, len(p.seen.Shards))
	for _, shard := range p.seen.Shards {
		p.shown[shard.Name] = shard
	}
	for name, s := range p.maps.shards {
		shown := p.shown[name]
		switch {
		case s.state == shardForeign && p.seen.Now.Sub(s.since) >= recheckForeign:
			s.recheck = true
		case s.state != shardConfirmed:
			continue
		case shown == nil && !older(p.seen.ShardView, s.resourceVersion):
			s.state = shardDoubtful // it is gone, or has lost its label
		case shown == nil:
			continue
		case shown.UID == s.uid && shown.DeletionTimestamp.IsZero() && (!isHeld(shown) || !older(s.resourceVersion, shown.ResourceVersion)):
			continue
		case shown.UID == s.uid || older(s.resourceVersion, shown.ResourceVersion):
			s.state = shardDoubtful
		default:
			continue
		}
		p.maps.disturbed = p.maps.disturbed || s.state == shardDoubtful
		p.maps.shards[name] = s
	}
}

func (p *Pass) noticeIndex() {
	index := p.maps.index
	switch shown := p.seen.Index; {
	case index == nil:
	case index.object == nil && shown == nil:
	case index.object == nil, shown != nil && older(index.object.ResourceVersion, shown.ResourceVersion),
		shown == nil && !older(p.seen.IndexView, index.object.ResourceVersion):
		p.maps.forgetIndex()
	}
}

// noticeOrphans notes shards that no index names: a process has died between two writes. By the label and such a name, they are the
// operator's, whoever made them.
func (p *Pass) noticeOrphans() {
	if p.noticed { // what the caches show is the same all through the pass
		return
	}
	p.noticed = true
	var last map[string]string // seldom needed
	for _, shard := range p.seen.Shards {
		d, known := p.maps.dropped[shard.UID]
		switch s := p.maps.shards[shard.Name]; {
		case known:
			d.held = d.held || isHeld(shard)
			if d.deleted && !shard.DeletionTimestamp.IsZero() { // a finalizer holds it
				d.deleted, d.object = false, nil
			}
			p.maps.dropped[shard.UID] = d
		case !registry.IsShardName(shard.Name):
		case s.uid == shard.UID && s.state != shardAbsent, p.maps.names(shard.Name):
		default:
			if last == nil {
				last = p.lastOfNames()
			}
			if older(shard.ResourceVersion, last[shard.Name]) { // another one had its name since: it is gone, and the cache is behind
				continue
			}
			p.maps.dropped[shard.UID] = droppedShard{
				name: shard.Name, epoch: p.maps.epoch, since: p.seen.Now, held: isHeld(shard), resourceVersion: shard.ResourceVersion, noticed: true,
			}
		}
	}
	for uid, d := range p.maps.dropped {
		if shown := p.shown[d.name]; (shown == nil || shown.UID != uid) && (d.noticed && !d.deleted || d.deleted && p.seen.Now.Sub(d.since) >= rememberDeleted) {
			delete(p.maps.dropped, uid)
		}
	}
}

// lastOfNames returns the latest resourceVersion at which a shard of a name is known to have been there, deleted ones among them.
func (p *Pass) lastOfNames() map[string]string {
	last := make(map[string]string, len(p.maps.shards)+len(p.maps.dropped))
	for name, s := range p.maps.shards {
		last[name] = s.resourceVersion
	}
	for _, d := range p.maps.dropped {
		last[d.name] = newest(last[d.name], d.resourceVersion)
	}
	return last
}

// drop notes as garbage the shards that neither the live index names nor the target has. Of others' ConfigMaps it forgets those that
// are in the way no more.
func (p *Pass) drop() {
	refs := p.maps.index.decoded.Shards
	named := make(map[string]bool, len(refs))
	for _, ref := range refs {
		named[ref.Name] = true
	}
	for name, s := range p.maps.shards {
		switch d, known := p.maps.dropped[s.uid]; {
		case named[name], p.target != nil && p.target.HasShard(name), s.state == shardForeign && p.seen.Now.Sub(s.met) < rememberForeign:
			continue
		case s.uid != "" && s.state != shardForeign && (!known || !d.deleted):
			p.maps.dropped[s.uid] = droppedShard{name: name, epoch: s.epoch, since: p.seen.Now, resourceVersion: s.resourceVersion}
		}
		delete(p.maps.shards, name)
	}
}

// isIntact reports whether a ConfigMap is a shard as it has to be.
func isIntact(found *corev1.ConfigMap, digest string, tasks int) bool {
	return ptr.Deref(found.Immutable, false) && found.DeletionTimestamp.IsZero() && len(found.Data) == tasks && len(found.BinaryData) == 0 &&
		registry.ContentDigest(found.Data) == digest
}

// isHeld reports whether others can keep an object from being deleted, or have it deleted.
func isHeld(object metav1.Object) bool {
	return len(object.GetFinalizers()) > 0 || len(object.GetOwnerReferences()) > 0
}
