package serving

import (
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/resourceversion"

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
	// ConfigMap is the object. Get and Delete need its namespace and name. Delete has its UID and its resourceVersion as
	// preconditions, Update its resourceVersion.
	ConfigMap *corev1.ConfigMap
	take      func(*corev1.ConfigMap, error)
}

// Answer hands over what came of the request: the object as the API server has it, or an error. A request that was not sent needs none.
func (r *Request) Answer(object *corev1.ConfigMap, err error) { r.take(object, err) }

const (
	// maxRounds bounds a pass in which others are quicker each time: it is the number of rounds that may bring no progress.
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
// before is not asked for. Where the index does not say, all that is known is that it was made from no later view than of when it was
// written.
func (p *Pass) isStale() bool {
	index := p.maps.index
	if index.object == nil || index.holds != nil || index.checked {
		return false
	}
	source, known := sourceOf(index.object)
	if !known {
		if p.maps.epoch > 0 { // what this process has seen before it wrote the index was no older
			return false
		}
		source = index.object.ResourceVersion
	}
	return older(p.seen.View, source)
}

// sourceOf returns the resourceVersion of the tasks that an index was made from. It is not known where a hand has taken it away, and where
// it is none that the API server can have reached when the index was written: that is another cluster's, or a hand's.
func sourceOf(index *corev1.ConfigMap) (source string, known bool) {
	source = index.Annotations[registry.SourceAnnotation]
	order, err := resourceversion.CompareResourceVersion(source, index.ResourceVersion)
	return source, err == nil && order <= 0
}

func (p *Pass) fail(err error) {
	if p.failure == nil {
		p.failure = err
	}
}

func (p *Pass) named(name string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: p.namespace, Name: name}}
}

// write returns a request that changes something.
func (p *Pass) write(verb Verb, object *corev1.ConfigMap, take func(*corev1.ConfigMap, error)) *Request {
	return &Request{Verb: verb, ConfigMap: object, take: func(object *corev1.ConfigMap, err error) {
		p.wrote = true
		take(object, err)
	}}
}

// released returns the object without what of others can keep it from being written or deleted, or have it deleted: finalizers, owners,
// and metadata that is too large.
func released(found *corev1.ConfigMap) *corev1.ConfigMap {
	next := found.DeepCopy()
	next.Finalizers, next.OwnerReferences = nil, nil
	registry.LimitMetadata(next)
	return next
}
