// Package controllers runs MaRegister on a cluster: the publisher decides which tasks the registry of a namespace serves and publishes
// them, then the task controller reports in each task's status what came of it.
package controllers

import (
	"context"
	"fmt"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/controllers/internal/caches"
	"github.com/maze-agent/maregister/controllers/internal/ledger"
	"github.com/maze-agent/maregister/controllers/mazetask"
	"github.com/maze-agent/maregister/controllers/mazeworkflow"
	"github.com/maze-agent/maregister/controllers/nodes"
	"github.com/maze-agent/maregister/controllers/publisher"
	"github.com/maze-agent/maregister/internal/placement"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/internal/serving"
)

// Options configure the controllers.
type Options struct {
	// Namespaces are those whose tasks are served; all where there is none.
	Namespaces []string
	// ShardSize is the largest size of a registry ConfigMap's data, in bytes.
	ShardSize int
	// Placement configures how GPU memory is mapped to GPUs.
	Placement placement.Config
	// Predictors find malearn's tool type of a task whose spec names none.
	Predictors registry.PredictorRules
	// IgnoreNodes leaves the cluster's nodes unread: then Placeable is Unknown.
	IgnoreNodes bool
	// Clock is the real one, except in tests.
	Clock clock.PassiveClock
	// Metrics takes the metrics for Prometheus.
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

// Caches make the cache of a manager, and note what it may not read.
type Caches struct {
	namespaces []string
	refusals   *caches.Refusals
}

// NewCaches returns the caches for some namespaces, for all where there is none.
func NewCaches(namespaces []string) *Caches {
	return &Caches{namespaces, caches.NewRefusals(log.Log.WithName("namespaces"), namespaces)}
}

// Options are the manager's for its cache.
func (*Caches) Options() cache.Options { return caches.Options() }

// New returns the manager's cache.
func (c *Caches) New() cache.NewCacheFunc { return caches.NewCache(c.namespaces, c.refusals) }

// both reports whether two things are so. The first may be nil, which is so.
func both(first, second func() bool) func() bool {
	return func() bool { return (first == nil || first()) && second() }
}

// Setup adds the controllers to a manager whose cache is made by caches.
func Setup(ctx context.Context, mgr manager.Manager, made *Caches, options Options) error {
	if err := mgr.Add(made.refusals); err != nil {
		return fmt.Errorf("watch over what is refused: %w", err)
	}
	indexes, err := caches.AddIndexes(mgr, options.Namespaces, made.refusals)
	if err != nil {
		return err
	}
	inventory := nodes.NewInventory(options.Placement)
	var nodeCache cache.Cache
	var devices func() bool
	if !options.IgnoreNodes {
		if nodeCache, err = caches.AddNodes(mgr, options.Placement.Slim); err != nil {
			return err
		}
	}
	if !options.IgnoreNodes && !options.Placement.IgnoreDevices {
		if devices, err = nodes.AddDevices(mgr, inventory); err != nil {
			return err
		}
	}
	if !options.IgnoreNodes && options.Placement.DaemonSets {
		settled, err := nodes.AddDaemonSets(mgr, inventory)
		if err != nil {
			return err
		}
		devices = both(devices, settled)
	}
	writer := client.WithFieldOwner(mgr.GetClient(), registry.FieldOwner)
	outcomes, wake := ledger.New(), make(chan event.TypedGenericEvent[types.NamespacedName])
	workflows := mazeworkflow.New(outcomes)
	published, err := publisher.Setup(ctx, mgr, publisher.Config{
		Options: serving.Options{ShardSize: options.ShardSize, Predictors: options.Predictors},
		Client:  writer, Live: mgr.GetAPIReader(), Clock: options.Clock,
		Cache: mgr.GetCache(), Indexes: indexes, Nodes: nodeCache, Inventory: inventory, Devices: devices,
		Refusals: made.refusals, Ledger: outcomes, Wake: wake, Announce: workflows.Announced,
	})
	if err != nil {
		return err
	}
	for _, collector := range append(published.Collectors(), workflows) {
		if err := options.Metrics.Register(collector); err != nil {
			return fmt.Errorf("register the metrics: %w", err)
		}
	}
	recorder := mgr.GetEventRecorder("maregister")
	err = mazetask.Setup(mgr, mazetask.Config{
		Client: writer, Cache: mgr.GetCache(), Recorder: recorder, Clock: options.Clock, Ledger: outcomes, Woken: wake,
	})
	if err != nil {
		return err
	}
	return workflows.Setup(mgr, mazeworkflow.Config{
		Client: writer, Recorder: recorder, Clock: options.Clock, Namespaces: options.Namespaces, Look: published.Look,
	})
}
