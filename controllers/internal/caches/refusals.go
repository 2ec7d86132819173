package caches

import (
	"context"
	"maps"
	"sync"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	toolscache "k8s.io/client-go/tools/cache"
)

// Refusals notes which of the watched namespaces the API server does not let the operator read: they are not there, or the operator has
// no rights in them. It logs once when that begins. The caches go on trying.
type Refusals struct {
	log logr.Logger

	mu  sync.Mutex
	all map[string]error
}

// NewRefusals returns what notes refusals and logs them.
func NewRefusals(log logr.Logger) *Refusals { return &Refusals{log: log, all: map[string]error{}} }

// Of returns why a namespace cannot be read. Nil if it can, as far as is known.
func (r *Refusals) Of(namespace string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.all[namespace]
}

// All returns why namespaces cannot be read, by namespace.
func (r *Refusals) All() map[string]error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.all)
}

// handler returns what a cache of a namespace calls when a list or a watch fails.
func (r *Refusals) handler(namespace string) toolscache.WatchErrorHandlerWithContext {
	return func(ctx context.Context, reflector *toolscache.Reflector, err error) {
		if !apierrors.IsForbidden(err) && !apierrors.IsNotFound(err) {
			toolscache.DefaultWatchErrorHandler(ctx, reflector, err)
			return
		}
		r.mu.Lock()
		last := r.all[namespace]
		r.all[namespace] = err
		r.mu.Unlock()
		if last == nil {
			r.log.Error(err, "A namespace cannot be read, and its tasks are not served; all others are. "+
				"If it is to be served, create it and grant the operator its Role there; else take it out of watchNamespaces", "namespace", namespace)
		}
	}
}

// lift notes that a namespace has been read.
func (r *Refusals) lift(namespace string) {
	r.mu.Lock()
	last := r.all[namespace]
	delete(r.all, namespace)
	r.mu.Unlock()
	if last != nil {
		r.log.Info("The namespace can be read again", "namespace", namespace)
	}
}
