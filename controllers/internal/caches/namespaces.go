package controllers

import (
	"context"
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/source"
)

// NewCache returns what makes a cache of some namespaces, or of all where none is given.
func NewCache(namespaces []string) cache.NewCacheFunc {
	if len(namespaces) == 0 {
		return cache.New
	}
	return func(config *rest.Config, options cache.Options) (cache.Cache, error) {
		parts := namespacedCache{}
		for _, namespace := range namespaces {
			part, err := cache.New(config, within(options, namespace))
			if err != nil {
				return nil, fmt.Errorf("namespace %s: %w", namespace, err)
			}
			parts[namespace] = part
		}
		return parts, nil
	}
}

// within restricts what is cached to a namespace. controller-runtime asks for no other then, which takes rights only there.
func within(options cache.Options, namespace string) cache.Options {
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
	return options
}

// namespacedCache is a cache for each of some namespaces. That of controller-runtime does not tell how far each of them has
// seen, which the registry controller needs.
type namespacedCache map[string]cache.Cache

// partsOf gives what a cache is made of, by namespace. One of all namespaces is its only part.
func partsOf(whole cache.Cache) map[string]cache.Cache {
	if parts, ok := whole.(namespacedCache); ok {
		return parts
	}
	return map[string]cache.Cache{metav1.NamespaceAll: whole}
}

// watchParts makes a controller see the events of a type from each part of a cache.
func watchParts(
	b *builder.Builder, whole cache.Cache, object client.Object, handle handler.EventHandler, predicates ...predicate.Predicate,
) *builder.Builder {
	for _, part := range partsOf(whole) {
		b = b.WatchesRawSource(source.Kind(part, object, handle, predicates...))
	}
	return b
}

func (c namespacedCache) of(namespace string) (cache.Cache, error) {
	if part, watched := c[namespace]; watched {
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
	ended := make(chan error, len(c))
	for _, part := range c {
		go func() { ended <- part.Start(ctx) }()
	}
	var failures []error
	for range c {
		failures = append(failures, <-ended)
	}
	return errors.Join(failures...)
}

// WaitForCacheSync implements cache.Informers.
func (c namespacedCache) WaitForCacheSync(ctx context.Context) bool {
	for _, part := range c {
		if !part.WaitForCacheSync(ctx) {
			return false
		}
	}
	return true
}

// IndexField implements client.FieldIndexer.
func (c namespacedCache) IndexField(ctx context.Context, object client.Object, field string, extract client.IndexerFunc) error {
	for _, part := range c {
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
	for _, part := range c {
		if err := part.RemoveInformer(ctx, object); err != nil {
			return err
		}
	}
	return nil
}
