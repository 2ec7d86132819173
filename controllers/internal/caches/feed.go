package caches

import (
	"context"
	"fmt"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Change is called with an object before and after a change: before is nil where it is new, after is nil where it is gone.
type Change func(before, after client.Object)

// Feed brings the changes of several kinds of objects to one controller. Complete reports whether it has brought all that there is. Unlike the
// sources of controller-runtime, it holds up nobody while one of the caches is not synced.
type Feed struct {
	mu     sync.Mutex
	synced map[string][]toolscache.InformerSynced
}

// NewFeed returns a feed of nothing.
func NewFeed() *Feed { return &Feed{synced: map[string][]toolscache.InformerSynced{}} }

// Watch brings the changes of a type from a cache, from the first state on. It returns at once.
func (f *Feed) Watch(ctx context.Context, whole cache.Cache, object client.Object, change Change) error {
	for namespace, part := range partsOf(whole) {
		informer, err := part.GetInformer(ctx, object, cache.BlockUntilSynced(false))
		if err != nil {
			return fmt.Errorf("get the informer: %w", err)
		}
		registration, err := informer.AddEventHandler(handlerOf(change))
		if err != nil {
			return fmt.Errorf("watch the cache: %w", err)
		}
		f.mu.Lock()
		f.synced[namespace] = append(f.synced[namespace], registration.HasSynced)
		f.mu.Unlock()
	}
	return nil
}

// Wait has Complete wait until something else has been brought, too.
func (f *Feed) Wait(settled func() bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.synced[metav1.NamespaceAll] = append(f.synced[metav1.NamespaceAll], settled)
}

// Complete reports whether all objects of a namespace, and those that are in none, have been brought.
func (f *Feed) Complete(namespace string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, part := range []string{metav1.NamespaceAll, namespace} {
		for _, synced := range f.synced[part] {
			if !synced() {
				return false
			}
		}
	}
	return true
}

// handlerOf returns the handler that calls change for each event of an informer.
func handlerOf(change Change) toolscache.ResourceEventHandler {
	return toolscache.ResourceEventHandlerFuncs{
		AddFunc: func(object any) {
			if after, ok := object.(client.Object); ok {
				change(nil, after)
			}
		},
		UpdateFunc: func(last, object any) {
			before, _ := last.(client.Object)
			if after, ok := object.(client.Object); ok {
				change(before, after)
			}
		},
		DeleteFunc: func(object any) {
			if tombstone, ok := object.(toolscache.DeletedFinalStateUnknown); ok {
				object = tombstone.Obj
			}
			if before, ok := object.(client.Object); ok {
				change(before, nil)
			}
		},
	}
}

// Views returns a function that returns the resourceVersion up to which a cache has seen all objects of a type in a namespace.
func Views(ctx context.Context, whole cache.Cache, object client.Object) (func(namespace string) string, error) {
	stores := map[string]toolscache.Store{}
	for namespace, part := range partsOf(whole) {
		informer, err := part.GetInformer(ctx, object, cache.BlockUntilSynced(false))
		if err != nil {
			return nil, fmt.Errorf("get the informer: %w", err)
		}
		store, ok := informer.(interface{ GetStore() toolscache.Store })
		if !ok {
			return nil, fmt.Errorf("the informer %T does not show its store", informer)
		}
		stores[namespace] = store.GetStore()
	}
	return func(namespace string) string {
		store, restricted := stores[namespace]
		if !restricted {
			store = stores[metav1.NamespaceAll]
		}
		return store.LastStoreSyncResourceVersion()
	}, nil
}
