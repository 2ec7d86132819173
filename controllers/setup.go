// Package controllers runs MaRegister on a cluster: the registry controller decides which tasks the registry of
// a namespace serves and publishes them, then the task controller reports in each task's status what came of it.
package controllers

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/util/flowcontrol"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/placement"
	"github.com/maze-agent/maregister/internal/registry"
)

// Options configure the controllers.
type Options struct {
	// Namespaces are those whose tasks are served; all where there is none. The manager's cache is made by NewCache of the same.
	Namespaces []string
	// ShardSize is the largest size of a registry ConfigMap's data, in bytes.
	ShardSize int
	// Placement says how GPU memory is mapped to GPUs.
	Placement placement.Config
	// Predictors tell malearn's tool type of a task whose spec does not.
	Predictors registry.PredictorRules
	// IgnoreNodes leaves the cluster's nodes unread: then Placeable is Unknown.
	IgnoreNodes bool
	// Clock gives the time; the real one as a rule.
	Clock clock.PassiveClock
	// Metrics is where Prometheus finds the metrics.
	Metrics prometheus.Registerer
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

// Setup adds the controllers to a manager whose cache has CacheOptions.
func Setup(ctx context.Context, mgr manager.Manager, options Options) error {
	indexes, err := addIndexCache(mgr, options.Namespaces)
	if err != nil {
		return err
	}
	var nodes cache.Cache
	if !options.IgnoreNodes {
		if nodes, err = addNodeCache(mgr, options.Placement); err != nil {
			return err
		}
	}
	view, err := viewOf(ctx, mgr.GetCache(), &v1alpha1.MazeTask{})
	if err != nil {
		return err
	}
	writer := client.WithFieldOwner(mgr.GetClient(), registry.FieldOwner)
	ledger, wake := newLedger(), make(chan event.TypedGenericEvent[types.NamespacedName])
	registries := &registryReconciler{
		client: writer, indexes: indexes, live: mgr.GetAPIReader(), clock: options.Clock, shardSize: options.ShardSize,
		view: view, ledger: ledger, wake: wake, latency: newPublishLatency(),
		predictors: options.Predictors, inventory: newInventory(options.Placement), gather: newGatherer(), memory: newMemories(),
	}
	if err := registerMetrics(options.Metrics, registries.latency, &collector{ledger, registries.gather, options.Clock}); err != nil {
		return err
	}
	if err := registries.setup(mgr, indexes, nodes); err != nil {
		return err
	}
	tasks := &mazeTaskReconciler{
		client: writer, recorder: mgr.GetEventRecorder("maregister"), clock: options.Clock, ledger: ledger, woken: wake,
		news: flowcontrol.NewTokenBucketPassiveRateLimiter(newsPerSecond, newsBurst),
	}
	return tasks.setup(mgr)
}
