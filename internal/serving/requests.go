package serving

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/maze-agent/maregister/internal/registry"
)

// Verb is what a request does.
type Verb string

// The verbs of requests. Get reads from the API server, never from a cache.
const (
	Get    Verb = "get"
	Create Verb = "create"
	Update Verb = "update"
	Delete Verb = "delete"
)

// Request is a request about a ConfigMap. The requests of one call of Next may be sent in any order, or all at once; each that is
// sent has to be answered before Next is called again.
type Request struct {
	Verb Verb
	// ConfigMap is the object. Get and Delete need its namespace and name; Delete has its UID as a precondition, Update its
	// resourceVersion.
	ConfigMap *corev1.ConfigMap
	take      func(*corev1.ConfigMap, error)
}

// Answer gives the request what came of it: the object as the API server has it, or an error. A request that was not sent needs none.
func (r *Request) Answer(object *corev1.ConfigMap, err error) { r.take(object, err) }

const (
	// maxRounds bounds a pass in which others always are quicker: so many rounds may bring it no further.
	maxRounds = 40
	// readsAtOnce and writesAtOnce bound the requests of one call of Next.
	readsAtOnce, writesAtOnce = 8, 8
)

// ErrContended is the failure of a pass in which others were quicker again and again.
var ErrContended = errors.New("others change the registry's ConfigMaps all the time")

// Next returns the next requests. None means that the pass has come to its end: the registry is as decided, or a request has failed.
// Once Published reports true, nobody waits for what is left: it deletes shards, and may be left to a later pass.
func (p *Pass) Next() []*Request {
	for p.rounds < maxRounds+p.progress {
		p.rounds++
		requests, more := p.next()
		if len(requests) > 0 || !more {
			return requests
		}
	}
	if !p.published {
		p.fail(ErrContended)
	}
	return nil
}

// next returns requests, or reports whether it is to be called again, as it has learned something without one.
func (p *Pass) next() (requests []*Request, more bool) {
	if p.failure != nil || p.behind {
		return nil, false
	}
	p.published = false // a write of the index, to delete shards, may have shown that it is not any more
	switch {
	case p.isBare():
		p.settle()
		p.published = p.failure == nil
		return nil, false
	case p.maps.index == nil:
		return []*Request{p.readIndex()}, false
	case p.maps.index.foreign:
		p.settle()
		return nil, false
	case p.isStale():
		p.behind = true
		return nil, false
	}
	if requests := p.recover(); len(requests) > 0 || p.failure != nil {
		return requests, false
	}
	if requests := p.recheckForeign(); len(requests) > 0 {
		return requests, false
	}
	if p.settle(); p.failure != nil {
		return nil, false
	}
	if requests := p.lookAhead(); len(requests) > 0 {
		return requests, false
	}
	if requests, more := p.writeShards(); len(requests) > 0 || more {
		return requests, more
	}
	if request := p.writeIndex(); request != nil {
		return []*Request{request}, false
	}
	if !p.published {
		p.published = true
		p.noticeOrphans()
		p.drop() // what is left of earlier passes that failed
	}
	return p.sweep(), false
}

// isBare reports whether the namespace has neither tasks nor a registry: it gets one with its first task.
func (p *Pass) isBare() bool {
	index := p.maps.index
	if index == nil && p.seen.Index != nil || index != nil && index.object != nil {
		return false
	}
	gone := 0
	for name, next := range p.records {
		if next != nil {
			return false
		}
		if p.memory.tasks[name] != nil {
			gone++
		}
	}
	return gone == len(p.memory.tasks)
}

// settle decides, once, and finds what of that the registry can hold.
func (p *Pass) settle() {
	if p.served == nil {
		p.served = registry.NewTree(p.options.ShardSize)
	}
	if !p.decided {
		if err := p.decide(); err != nil {
			p.fail(fmt.Errorf("decide: %w", err))
			return
		}
	}
	p.retarget()
}

// isStale reports whether the index was made from a later view of the tasks than this pass has. A view that this process has written
// before is not asked for. One that the API server cannot have reached when the index was written is another cluster's, or a hand's: then
// all that is known is that the index was made from no later view than of when it was written.
func (p *Pass) isStale() bool {
	index := p.maps.index
	if index.object == nil || index.holds != nil {
		return false
	}
	source := index.object.Annotations[registry.SourceAnnotation]
	if isOfTheFuture(index.object) {
		if p.memory.tasks != nil { // what this process has seen before was no older
			return false
		}
		source = index.object.ResourceVersion
	}
	return older(p.seen.View, source)
}

func isOfTheFuture(index *corev1.ConfigMap) bool {
	return older(index.ResourceVersion, index.Annotations[registry.SourceAnnotation])
}

func (p *Pass) fail(err error) {
	if p.failure == nil {
		p.failure = err
	}
}

func (p *Pass) named(name string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: p.namespace, Name: name}}
}

func (p *Pass) readIndex() *Request {
	return &Request{Verb: Get, ConfigMap: p.named(registry.ConfigMapName), take: func(found *corev1.ConfigMap, err error) {
		switch {
		case err == nil:
			p.tookIndex(found)
		case apierrors.IsNotFound(err):
			p.tookIndex(nil)
		default:
			p.fail(fmt.Errorf("read ConfigMap %s: %w", registry.ConfigMapName, err))
		}
	}}
}

// tookIndex notes the live index: nil if there is none.
func (p *Pass) tookIndex(found *corev1.ConfigMap) {
	index := &indexState{object: found}
	resourceVersion := ""
	if found != nil {
		resourceVersion = found.ResourceVersion
		if index.foreign = !registry.Owned(found); index.foreign {
			index.object = &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: found.Name, UID: found.UID, ResourceVersion: found.ResourceVersion}}
		} else {
			index.decoded, _ = registry.DecodeIndex(found) // one that cannot be read is replaced
			p.maps.saw(index.decoded)
		}
	}
	p.maps.index = index
	p.maps.keepNamed()
	last := p.maps.attempt
	switch p.maps.attempt = nil; {
	case resourceVersion == p.maps.base:
	case last != nil && last.index.Generation == index.decoded.Generation && slices.Equal(last.index.Shards, index.decoded.Shards):
		p.maps.epoch++ // the write of which no answer came
		p.served, p.trusted, p.decided = last.holds, true, false
		p.drop()
	default: // someone else has written: the tasks that this pass has seen may be older than what it was made from
		index.byOthers = found != nil
		p.maps.disturbed = p.memory.tasks != nil
		p.behind = !p.seen.Complete && p.memory.tasks != nil && p.served != nil
		for name, s := range p.maps.shards {
			if s.state == shardConfirmed && !p.maps.names(name) {
				s.state = shardDoubtful
				p.maps.shards[name] = s
			}
		}
	}
}

// writeShards returns requests that make the target's shards be there, or reports whether it has learned that one cannot be.
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

// lookAhead returns requests by which a process that has just started learns, before it writes anything, whether others' ConfigMaps have
// the names of shards that the published registry does not have.
func (p *Pass) lookAhead() (requests []*Request) {
	if p.memory.tasks != nil || p.maps.index.object == nil {
		return nil
	}
	for _, shard := range p.target.Shards() {
		if shard.Name != registry.ConfigMapName && p.maps.shards[shard.Name].state == shardAbsent && !p.looked[shard.Name] && len(requests) < readsAtOnce {
			p.looked[shard.Name] = true
			requests = append(requests, p.readShard(shard.Name))
		}
	}
	return requests
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

// putRight returns the request that makes a shard be there in place of what has its name, an object of the operator.
func (p *Pass) putRight(shard *registry.Shard, s shardState) *Request {
	switch found := s.object; {
	case p.isKept(shard, found):
		next := released(found)
		next.Labels = merged(next.Labels, registry.Labels(registry.RoleShard))
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

// write returns a request that changes something.
func (p *Pass) write(verb Verb, object *corev1.ConfigMap, take func(*corev1.ConfigMap, error)) *Request {
	return &Request{Verb: verb, ConfigMap: object, take: func(object *corev1.ConfigMap, err error) {
		p.wrote = true
		take(object, err)
	}}
}

// released returns the object without the finalizers and owners by which others can hold it, or have it deleted.
func released(found *corev1.ConfigMap) *corev1.ConfigMap {
	next := found.DeepCopy()
	next.Finalizers, next.OwnerReferences = nil, nil
	return next
}

func merged(all, more map[string]string) map[string]string {
	out := maps.Clone(all)
	if out == nil {
		out = map[string]string{}
	}
	maps.Copy(out, more)
	return out
}

// fence returns the write of the index that keeps its content, and makes the API server refuse whatever another process has prepared
// with the index from before.
func (p *Pass) fence() *Request {
	index := p.maps.index
	if index.object == nil {
		return p.putIndex(Create, registry.NewTree(p.options.ShardSize))
	}
	next := released(index.object)
	if index.holds != nil && next.Data == nil {
		whole, _, err := p.render(index.holds)
		if err != nil {
			p.fail(err)
			return nil
		}
		next.Data = whole.Data
	}
	next.Annotations = merged(next.Annotations, map[string]string{registry.FenceAnnotation: index.object.ResourceVersion})
	return p.sendIndex(Update, next, index.decoded, index.holds)
}

// writeIndex returns the request that makes the index be as the target says. Nil if it is.
func (p *Pass) writeIndex() *Request {
	index := p.maps.index
	switch {
	case index.object == nil:
		return p.putIndex(Create, p.target)
	case index.holds == p.target:
		return nil
	case ptr.Deref(index.object.Immutable, false) && isHeld(index.object):
		return p.sendIndex(Update, released(index.object), index.decoded, nil)
	case ptr.Deref(index.object.Immutable, false): // it cannot be corrected, only made anew
		return p.write(Delete, index.object, func(_ *corev1.ConfigMap, err error) {
			p.maps.forgetIndex()
			if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
				p.fail(fmt.Errorf("delete ConfigMap %s: %w", registry.ConfigMapName, err))
			}
		})
	}
	if index.holds == nil && p.isAsRendered(index.object) {
		index.holds = p.target
		return nil
	}
	return p.putIndex(Update, p.target)
}

// isAsRendered reports whether the live index holds exactly what the target says.
func (p *Pass) isAsRendered(live *corev1.ConfigMap) bool {
	want, _, err := p.render(p.target)
	return err == nil && maps.Equal(live.Data, want.Data) && len(live.BinaryData) == 0 && includes(live.Labels, want.Labels) && !isHeld(live) &&
		live.Annotations[registry.SourceAnnotation] != "" && !isOfTheFuture(live)
}

func includes(all, some map[string]string) bool {
	for key, value := range some {
		if all[key] != value {
			return false
		}
	}
	return true
}

// render returns the ConfigMap maze-registry for some entries, and its index.
func (p *Pass) render(tree *registry.Tree) (*corev1.ConfigMap, registry.Index, error) {
	index := p.maps.index
	source := p.seen.Source
	if index.object != nil && !isOfTheFuture(index.object) {
		source = newest(source, index.object.Annotations[registry.SourceAnnotation])
	}
	shards := tree.Shards()
	decoded := registry.NewIndex(shards, p.maps.last)
	rendered, err := registry.Render(p.namespace, shards, decoded, index.object, source)
	return rendered, decoded, err
}

// putIndex returns the write of the index for some entries.
func (p *Pass) putIndex(verb Verb, tree *registry.Tree) *Request {
	next, decoded, err := p.render(tree)
	if err != nil {
		p.fail(err)
		return nil
	}
	return p.sendIndex(verb, next, decoded, tree)
}

// sendIndex returns a write of the index.
func (p *Pass) sendIndex(verb Verb, next *corev1.ConfigMap, decoded registry.Index, holds *registry.Tree) *Request {
	return p.write(verb, next, func(written *corev1.ConfigMap, err error) {
		if err == nil {
			p.maps.index = &indexState{object: written, decoded: decoded, holds: holds}
			p.maps.last = decoded
			p.maps.keepNamed()
			p.maps.epoch++
			p.drop()
			return
		}
		p.maps.forgetIndex()
		if isLostAnswer(err) && holds != nil {
			p.maps.attempt = &attempt{decoded, holds}
		}
		if !apierrors.IsConflict(err) && !apierrors.IsAlreadyExists(err) && !apierrors.IsNotFound(err) {
			p.fail(fmt.Errorf("%s ConfigMap %s: %w", verb, registry.ConfigMapName, err))
		}
	})
}

// isLostAnswer reports whether a request may have been carried out although it failed.
func isLostAnswer(err error) bool {
	switch apierrors.ReasonForError(err) {
	case metav1.StatusReasonUnknown, metav1.StatusReasonInternalError, metav1.StatusReasonServerTimeout,
		metav1.StatusReasonTimeout, metav1.StatusReasonServiceUnavailable:
		return true
	default:
		return false
	}
}
