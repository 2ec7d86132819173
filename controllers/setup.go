// Package controllers runs MaRegister on a cluster: the registry controller decides which tasks the registry of
// a namespace serves and publishes them, then the task controller reports in each task's status what came of it.
package controllers

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	toolscache "k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/flowcontrol"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/cluster"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/registry"
)

// Options configure the controllers.
type Options struct {
	// ShardSize is the largest size of a registry ConfigMap's data, in bytes.
	ShardSize int
	// Clock gives the time; the real one as a rule.
	Clock clock.PassiveClock
}

// Scheme returns a scheme with the types that the controllers read and write.
func Scheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, fmt.Errorf("build the scheme: %w", err)
		}
	}
	return scheme, nil
}

// CacheOptions keep in the manager's cache only what the controllers need: tasks, and the shards of registries.
func CacheOptions() cache.Options {
	return cache.Options{ByObject: map[client.Object]cache.ByObject{
		&v1alpha1.MazeTask{}: {Transform: dropUnread},
		&corev1.ConfigMap{}: {
			Label:     labels.SelectorFromSet(labels.Set{registry.RoleLabel: registry.RoleShard}),
			Transform: cache.TransformStripManagedFields(),
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

// Setup adds the controllers to a manager whose cache has CacheOptions.
func Setup(ctx context.Context, mgr manager.Manager, options Options) error {
	indexes, err := addIndexCache(mgr)
	if err != nil {
		return err
	}
	view, err := viewOf(ctx, mgr.GetCache(), &v1alpha1.MazeTask{})
	if err != nil {
		return err
	}
	writer := client.WithFieldOwner(mgr.GetClient(), registry.FieldOwner)
	ledger, wake := newLedger(), make(chan event.TypedGenericEvent[types.NamespacedName])
	registries := &registryReconciler{
		client: writer, indexes: indexes, live: mgr.GetAPIReader(), clock: options.Clock, shardSize: options.ShardSize,
		view: view, ledger: ledger, wake: wake, gather: newGatherer(), memory: newMemories(),
	}
	if err := registries.setup(mgr, indexes); err != nil {
		return err
	}
	tasks := &mazeTaskReconciler{
		client: writer, recorder: mgr.GetEventRecorder("maregister"), clock: options.Clock, ledger: ledger, woken: wake,
		news: flowcontrol.NewTokenBucketPassiveRateLimiter(newsPerSecond, newsBurst),
	}
	return tasks.setup(mgr)
}

// addIndexCache adds a cache of the ConfigMaps named maze-registry, whoever made them: so an index that has lost its label
// is seen and healed, and one that belongs to someone else is seen to come and to go.
func addIndexCache(mgr manager.Manager) (cache.Cache, error) {
	indexes, err := cluster.New(mgr.GetConfig(), func(o *cluster.Options) {
		o.Scheme, o.Logger, o.HTTPClient = mgr.GetScheme(), mgr.GetLogger(), mgr.GetHTTPClient()
		o.Cache.ByObject = map[client.Object]cache.ByObject{
			&corev1.ConfigMap{}: {Field: fields.OneTermEqualSelector("metadata.name", registry.ConfigMapName)},
		}
	})
	if err != nil {
		return nil, fmt.Errorf("make the cache of registry indexes: %w", err)
	}
	if err := mgr.Add(indexes); err != nil {
		return nil, fmt.Errorf("add the cache of registry indexes: %w", err)
	}
	return indexes.GetCache(), nil
}

// viewOf returns a function that gives the resourceVersion up to which a cache has seen all objects of a type.
func viewOf(ctx context.Context, objects cache.Cache, object client.Object) (func() string, error) {
	informer, err := objects.GetInformer(ctx, object, cache.BlockUntilSynced(false))
	if err != nil {
		return nil, fmt.Errorf("get the informer: %w", err)
	}
	store, ok := informer.(interface{ GetStore() toolscache.Store })
	if !ok {
		return nil, fmt.Errorf("the informer %T does not show its store", informer)
	}
	return store.GetStore().LastStoreSyncResourceVersion, nil
}
