package controllers

import (
	"context"
	"fmt"
	"net/http"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/cluster"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/placement"
	"github.com/maze-agent/maregister/internal/registry"
)

// CacheOptions keep in the manager's cache only what the controllers need: tasks, and the shards of registries.
func CacheOptions() cache.Options {
	var placements interner[v1alpha1.Placement]
	return cache.Options{ByObject: map[client.Object]cache.ByObject{
		&v1alpha1.MazeTask{}: {Transform: func(object any) (any, error) {
			if task, ok := object.(*v1alpha1.MazeTask); ok {
				task.Status.Placement = placements.intern(task.Status.Placement)
			}
			return dropUnread(object)
		}},
		&corev1.ConfigMap{}: {
			Label:     labels.SelectorFromSet(labels.Set{registry.RoleLabel: registry.RoleShard}),
			Transform: dropContent,
		},
	}}
}

// dropUnread drops what no controller reads: the managed fields, and kubectl's copy of the object. Statuses are the only
// thing of a task that is written, and nothing but the status is sent for that.
func dropUnread(object any) (any, error) {
	accessor, err := meta.Accessor(object)
	if err != nil {
		return object, nil //nolint:nilerr // a tombstone of the watch is passed on as it is
	}
	accessor.SetManagedFields(nil)
	annotations := accessor.GetAnnotations()
	delete(annotations, corev1.LastAppliedConfigAnnotation)
	return object, nil
}

// dropContent drops the entries of a shard, which the registry controller remembers, so that they are not held twice. It may
// be given what it returned before.
func dropContent(object any) (any, error) {
	shard, ok := object.(*corev1.ConfigMap)
	if !ok || shard.Data[contentKey] != "" {
		return object, nil
	}
	shard.ManagedFields = nil
	shard.Data = map[string]string{contentKey: contentOf(registry.ContentDigest(shard.Data), len(shard.Data)+len(shard.BinaryData))}
	shard.BinaryData = nil
	return object, nil
}

// contentKey, in a cached shard, is the key of what stands for its entries. The API server lets no ConfigMap have such a key.
const contentKey = "(content)"

// contentOf is equal for shards that hold the same.
func contentOf(digest string, keys int) string { return fmt.Sprintf("%d keys, %s", keys, digest) }

// addIndexCache adds a cache of the ConfigMaps named maze-registry, whoever made them: so an index that has lost its label
// is seen and healed, and one that belongs to someone else is seen to come and to go.
func addIndexCache(mgr manager.Manager, namespaces []string) (cache.Cache, error) {
	return addCache(mgr, "registry indexes", namespaces, mgr.GetConfig(), mgr.GetHTTPClient(), map[client.Object]cache.ByObject{
		&corev1.ConfigMap{}: {Field: fields.OneTermEqualSelector("metadata.name", registry.ConfigMapName)},
	})
}

// addNodeCache adds a cache of what of nodes a placement depends on, with a connection of its own.
func addNodeCache(mgr manager.Manager, config placement.Config) (cache.Cache, error) {
	return addCache(mgr, "nodes", nil, paced(mgr.GetConfig()), nil, map[client.Object]cache.ByObject{
		&corev1.Node{}: {Transform: func(object any) (any, error) {
			if node, ok := object.(*corev1.Node); ok {
				return config.Slim(node), nil
			}
			return object, nil
		}},
	})
}

// addCache adds a cache beside the manager's, which takes one selection of a type only, and has one connection for all.
func addCache(
	mgr manager.Manager, of string, namespaces []string, config *rest.Config, transport *http.Client, objects map[client.Object]cache.ByObject,
) (cache.Cache, error) {
	beside, err := cluster.New(config, func(o *cluster.Options) {
		o.NewCache = NewCache(namespaces)
		o.Scheme, o.Logger, o.HTTPClient, o.Cache.ByObject = mgr.GetScheme(), mgr.GetLogger(), transport, objects
	})
	if err != nil {
		return nil, fmt.Errorf("make the cache of %s: %w", of, err)
	}
	if err := mgr.Add(beside); err != nil {
		return nil, fmt.Errorf("add the cache of %s: %w", of, err)
	}
	return beside.GetCache(), nil
}

// viewOf returns a function that gives the resourceVersion up to which a cache has seen all objects of a type in a namespace.
func viewOf(ctx context.Context, whole cache.Cache, object client.Object) (func(namespace string) string, error) {
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
