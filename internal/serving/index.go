package serving

import (
	"fmt"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/utils/ptr"

	"github.com/maze-agent/maregister/internal/registry"
)

// readIndex returns the request that reads the live index.
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
	if p.maps.attempt = nil; resourceVersion == p.maps.base {
		return
	}
	for name, s := range p.maps.shards { // someone else may have written, even where it is what this process has tried to write
		if s.state == shardConfirmed && !p.maps.names(name) {
			s.state = shardDoubtful
			p.maps.shards[name] = s
		}
	}
	switch {
	case last != nil && last.isIn(found, index.decoded):
		p.nowServes(last.publishes)
		p.decided, index.checked = false, true
		p.drop()
	default: // someone else has written: the tasks that this pass has seen may be older than what it was made from
		index.byOthers = found != nil
		p.maps.disturbed = p.memory.tasks != nil
		p.behind = !p.seen.Complete && p.memory.tasks != nil && p.served != nil
	}
}

// nowServes notes that the registry serves what this process has written: nil for what it has served before.
func (p *Pass) nowServes(written *registry.Tree) {
	if written == nil {
		return
	}
	if p.served != nil {
		p.earlier = append(p.earlier, p.served)
	}
	p.served, p.trusted, p.assumed = written, true, nil
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
	next.Annotations = labels.Merge(next.Annotations, map[string]string{registry.FenceAnnotation: index.object.ResourceVersion})
	return p.sendIndex(Update, next, index.decoded, index.holds)
}

// writeIndex returns the request that brings the index to what the target says. Nil if it says so already.
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
	_, known := sourceOf(live)
	return known && err == nil && maps.Equal(live.Data, want.Data) && len(live.BinaryData) == 0 &&
		labels.SelectorFromSet(want.Labels).Matches(labels.Set(live.Labels)) && !isHeld(live)
}

// render returns the ConfigMap maze-registry for some entries, and its index.
func (p *Pass) render(tree *registry.Tree) (*corev1.ConfigMap, registry.Index, error) {
	index := p.maps.index
	source := p.seen.Source
	if index.object != nil {
		if last, known := sourceOf(index.object); known {
			source = newest(source, last)
		}
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
	publishes := holds
	if holds != p.target { // it is a fence, which may serve nothing for a moment
		publishes = nil
	}
	return p.write(verb, next, func(written *corev1.ConfigMap, err error) {
		if err == nil {
			p.maps.index = &indexState{object: written, decoded: decoded, holds: holds, checked: true}
			p.maps.last = decoded
			p.nowServes(publishes)
			p.maps.keepNamed()
			p.maps.epoch++
			p.drop()
			return
		}
		p.maps.forgetIndex()
		p.mayBeNamed(decoded)
		if holds != nil { // whatever the error says: a proxy that has sent it twice answers with a conflict
			p.maps.attempt = &attempt{decoded, next.Annotations[registry.SourceAnnotation], publishes}
		}
		if !apierrors.IsConflict(err) && !apierrors.IsAlreadyExists(err) && !apierrors.IsNotFound(err) {
			p.fail(fmt.Errorf("%s ConfigMap %s: %w", verb, registry.ConfigMapName, err))
		}
	})
}

// isIn reports whether the live index is as the write would have made it: it was carried out, or another process has written the same
// from the same view of the tasks.
func (a *attempt) isIn(live *corev1.ConfigMap, index registry.Index) bool {
	return live != nil && a.index.Generation == index.Generation && slices.Equal(a.index.Shards, index.Shards) &&
		a.source == live.Annotations[registry.SourceAnnotation]
}

// mayBeNamed notes that a write of the index which failed may still be carried out: the shards that it names may be deleted only after
// the next write, which keeps it out.
func (p *Pass) mayBeNamed(index registry.Index) {
	for _, ref := range index.Shards {
		if s, known := p.maps.shards[ref.Name]; known {
			s.epoch = p.maps.epoch
			p.maps.shards[ref.Name] = s
		}
	}
}
