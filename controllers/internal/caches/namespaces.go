package caches

import (
	"context"
	"errors"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// NewCache returns a function that makes a cache of some namespaces, or of all where none is given. The parts of a cache of some do not wait for
// each other, and a namespace that is not there or may not be read, which refusals notes, holds up none.
func NewCache(namespaces []string, refusals *Refusals) cache.NewCacheFunc {
	if len(namespaces) == 0 {
		return cache.New
	}
	return func(config *rest.Config, options cache.Options) (cache.Cache, error) {
		whole := namespacedCache{parts: map[string]cache.Cache{}, refusals: refusals}
		for _, namespace := range namespaces {
			part, err := cache.New(config, within(options, namespace, refusals))
			if err != nil {
				return nil, fmt.Errorf("namespace %s: %w", namespace, err)
			}
			whole.parts[namespace] = part
		}
		return whole, nil
	}
}

// within restricts what is cached to a namespace. controller-runtime asks for no other then, which takes rights only there.
func within(options cache.Options, namespace string, refusals *Refusals) cache.Options {
	all := options.ByObject
	options.ByObject = make(map[client.Object]cache.ByObject, len(all))
	for object, selection := range all {
		inside := fields.OneTermEqualSelector("metadata.namespace", namespace)
		if selection.Field != nil {
			inside = fields.AndSelectors(inside, selection.Field)
		}
		selection.Field = inside
		options.ByObject[object] = selection
	}
	options.DefaultWatchErrorHandler = refusals.handler(namespace)
	return options
}

// namespacedCache is a cache for each of some namespaces. That of controller-runtime does not tell how far each of them has
// seen, which the publisher needs, and waits for all of them.
type namespacedCache struct {
	parts    map[string]cache.Cache
	refusals *Refusals
}

// partsOf returns what a cache is made of, by namespace. One of all namespaces is its only part.
func partsOf(whole cache.Cache) map[string]cache.Cache {
	if namespaced, ok := whole.(namespacedCache); ok {
		return namespaced.parts
	}
	return map[string]cache.Cache{metav1.NamespaceAll: whole}
}

func (c namespacedCache) of(namespace string) (cache.Cache, error) {
	if part, watched := c.parts[namespace]; watched {
		return part, nil
	}
	return nil, fmt.Errorf("the namespace %q is not watched", namespace)
}

// Get implements client.Reader.
func (c namespacedCache) Get(ctx context.Context, key client.ObjectKey, object client.Object, options ...client.GetOption) error {
	part, err := c.of(key.Namespace)
	if err != nil {
		return err
	}
	return part.Get(ctx, key, object, options...)
}

// List implements client.Reader, for lists of one namespace.
func (c namespacedCache) List(ctx context.Context, list client.ObjectList, options ...client.ListOption) error {
	part, err := c.of((&client.ListOptions{}).ApplyOptions(options).Namespace)
	if err != nil {
		return err
	}
	return part.List(ctx, list, options...)
}

// Start implements cache.Informers.
func (c namespacedCache) Start(ctx context.Context) error {
	ended := make(chan error, len(c.parts))
	for _, part := range c.parts {
		go func() { ended <- part.Start(ctx) }()
	}
	var failures []error
	for range c.parts {
		failures = append(failures, <-ended)
	}
	return errors.Join(failures...)
}

// syncPoll is the time between two looks whether the parts of a cache are synced.
const syncPoll = 20 * time.Millisecond

// WaitForCacheSync implements cache.Informers. It does not wait for namespaces that the API server refuses.
func (c namespacedCache) WaitForCacheSync(ctx context.Context) bool {
	for namespace, part := range c.parts {
		err := wait.PollUntilContextCancel(ctx, syncPoll, true, func(ctx context.Context) (bool, error) {
			looking, cancel := context.WithTimeout(ctx, syncPoll)
			defer cancel()
			return part.WaitForCacheSync(looking) || c.refusals.Of(namespace) != nil, nil
		})
		if err != nil {
			return false
		}
	}
	return true
}

// IndexField implements client.FieldIndexer.
func (c namespacedCache) IndexField(ctx context.Context, object client.Object, field string, extract client.IndexerFunc) error {
	for _, part := range c.parts {
		if err := part.IndexField(ctx, object, field, extract); err != nil {
			return err
		}
	}
	return nil
}

// errNoInformer says that there is an informer for each namespace, and none for all of them.
var errNoInformer = errors.New("ask the part of each namespace for its informer")

// GetInformer implements cache.Informers.
func (namespacedCache) GetInformer(context.Context, client.Object, ...cache.InformerGetOption) (cache.Informer, error) {
	return nil, errNoInformer
}

// GetInformerForKind implements cache.Informers.
func (namespacedCache) GetInformerForKind(context.Context, schema.GroupVersionKind, ...cache.InformerGetOption) (cache.Informer, error) {
	return nil, errNoInformer
}

// RemoveInformer implements cache.Informers.
func (c namespacedCache) RemoveInformer(ctx context.Context, object client.Object) error {
	for _, part := range c.parts {
		if err := part.RemoveInformer(ctx, object); err != nil {
			return err
		}
	}
	return nil
}
