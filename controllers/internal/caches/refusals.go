package caches

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/util/wait"
	toolscache "k8s.io/client-go/tools/cache"
)

// Refusals notes which of the watched namespaces the API server does not let the operator read: they are not there, or the operator has
// no rights in them. It logs once when that begins, and once when it ends. The caches go on trying.
type Refusals struct {
	log     logr.Logger
	watched []string

	mu  sync.Mutex
	all map[string]*refusal
}

// refusal is why a namespace cannot be read.
type refusal struct {
	err error
	// readers are what has been refused, each with what it had read up to then.
	readers map[reader]string
}

// reader reads a namespace, and returns the resourceVersion up to which it has: a reflector.
type reader interface{ LastSyncResourceVersion() string }

// NewRefusals returns Refusals of the watched namespaces. Where all namespaces are watched, it notes nothing.
func NewRefusals(log logr.Logger, watched []string) *Refusals {
	return &Refusals{log: log, watched: watched, all: map[string]*refusal{}}
}

// Of returns why a namespace cannot be read. Nil if it can, as far as is known.
func (r *Refusals) Of(namespace string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if found := r.all[namespace]; found != nil {
		return found.err
	}
	return nil
}

// All returns why namespaces cannot be read, by namespace.
func (r *Refusals) All() map[string]error {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := make(map[string]error, len(r.all))
	for namespace, found := range r.all {
		all[namespace] = found.err
	}
	return all
}

// Note notes that a request to read a namespace was refused.
func (r *Refusals) Note(namespace string, err error) {
	if slices.Contains(r.watched, namespace) {
		r.note(namespace, err, nil)
	}
}

// Lift notes that the requests of Note are granted again.
func (r *Refusals) Lift(namespace string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if found := r.all[namespace]; found != nil {
		delete(found.readers, nil)
		r.lift(namespace, found)
	}
}

// note notes that a reader was refused; nil stands for the requests of Note. It logs the first refusal of a namespace.
func (r *Refusals) note(namespace string, err error, by reader) {
	version := ""
	if by != nil {
		version = by.LastSyncResourceVersion()
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	found := r.all[namespace]
	if found == nil {
		found = &refusal{readers: map[reader]string{}}
		r.all[namespace] = found
		r.log.Error(err, "A namespace cannot be read, and its tasks are not served; all others are. "+
			"If it is to be served, create it and grant the operator its Role there; else take it out of watchNamespaces", "namespace", namespace)
	}
	found.err, found.readers[by] = err, version
}

// lift forgets a refusal that concerns nothing any more. The lock is held.
func (r *Refusals) lift(namespace string, found *refusal) {
	if len(found.readers) == 0 {
		delete(r.all, namespace)
		r.log.Info("The namespace can be read again", "namespace", namespace)
	}
}

// liftPoll is the time between two looks whether a namespace has been read since it was refused.
const liftPoll = 200 * time.Millisecond

// Start implements manager.Runnable: it checks, again and again, whether what was refused has been read since. No event reports that.
func (r *Refusals) Start(ctx context.Context) error {
	_ = wait.PollUntilContextCancel(ctx, liftPoll, true, func(context.Context) (bool, error) {
		r.look()
		return false, nil
	}) // it ends with the context
	return nil
}

// NeedLeaderElection implements manager.LeaderElectionRunnable: a replica that waits for the lease keeps caches, too.
func (*Refusals) NeedLeaderElection() bool { return false }

// look lifts the refusals of readers that have read something since.
func (r *Refusals) look() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for namespace, found := range r.all {
		maps.DeleteFunc(found.readers, func(by reader, version string) bool {
			return by != nil && by.LastSyncResourceVersion() != version
		})
		r.lift(namespace, found)
	}
}

// handler returns what a cache of a namespace calls when a list or a watch fails.
func (r *Refusals) handler(namespace string) toolscache.WatchErrorHandlerWithContext {
	return func(ctx context.Context, reflector *toolscache.Reflector, err error) {
		if apierrors.IsForbidden(err) || apierrors.IsNotFound(err) {
			r.note(namespace, err, reflector)
			return
		}
		toolscache.DefaultWatchErrorHandler(ctx, reflector, err)
	}
}
