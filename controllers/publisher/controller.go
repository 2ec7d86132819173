package controllers

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/registry"
)

// requestQueue is the queue of a controller.
type requestQueue = workqueue.TypedRateLimitingInterface[reconcile.Request]

// retrySoon is when to look again where the cache is behind the API server, by milliseconds as a rule.
const retrySoon = 100 * time.Millisecond

// registryWriters is how many namespaces' registries are written at a time.
const registryWriters = 4

var (
	// errBehind says that the cache does not show yet what the registry was made from, or what was written last.
	errBehind = errors.New("the cache is behind")
	// errForeign says that a ConfigMap which the operator does not own has a name that the registry needs.
	errForeign = errors.New("belongs to someone else")
)

// registryReconciler decides, for each namespace, which tasks its registry serves, and publishes them.
// The object of its requests is the ConfigMap maze-registry.
type registryReconciler struct {
	// client reads tasks and shards from a cache. indexes reads the ConfigMaps maze-registry, whoever made them, from
	// another one. live reads from the API server.
	client  client.Client
	indexes client.Reader
	live    client.Reader
	clock   clock.PassiveClock
	// shardSize is the largest size of a ConfigMap's data, in bytes.
	shardSize int
	// predictors tell malearn's tool type where a spec does not.
	predictors registry.PredictorRules
	// view gives the resourceVersion up to which the cache has seen the tasks of a namespace.
	view   func(namespace string) string
	ledger *ledger
	// wake tells the task controller of tasks whose outcome changed.
	wake chan<- event.TypedGenericEvent[types.NamespacedName]

	latency   prometheus.Histogram
	inventory *inventory
	gather    *gatherer
	memory    *memories
}

// +kubebuilder:rbac:groups="",resources=configmaps,verbs=get;list;watch;create;update;delete

// scope is what the phases of one reconciliation gather, decide and do.
type scope struct {
	namespace string
	memory    *memory
	salvage   *salvage

	// gathered
	tasks  []v1alpha1.MazeTask
	source string
	index  *corev1.ConfigMap
	shards map[string]*corev1.ConfigMap

	// decided
	survey *survey
	judged map[types.UID]*judgement
	owners map[string]registry.Claim
	owned  map[string]ownership
	wanted []registry.Shard

	// done
	started    time.Time
	wrote      bool
	published  bool
	publishing error // why not
}

// isBare says whether the namespace has neither tasks nor a registry.
func (s *scope) isBare() bool { return s.index == nil && len(s.tasks) == 0 }

// Reconcile implements reconcile.Reconciler.
func (r *registryReconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	if wait := r.gather.take(req.Namespace, r.clock.Now()); wait > 0 {
		return reconcile.Result{RequeueAfter: wait}, nil
	}
	s := &scope{namespace: req.Namespace, memory: r.memory.of(req.Namespace), salvage: &salvage{live: r.live, namespace: req.Namespace}}
	phases := []struct {
		name string
		run  func(context.Context, *scope) error
	}{
		{"observe the tasks and the registry", r.observe},
		{"judge the tasks", r.judge},
		{"place the tasks on the nodes", r.place},
		{"elect an owner for each name", r.elect},
		{"publish the registry", r.publish},
		{"announce the outcomes", r.announce},
		{"delete what the registry was before", r.collectGarbage},
	}
	for _, phase := range phases {
		if err := phase.run(ctx, s); err != nil {
			return conclude(fmt.Errorf("%s: %w", phase.name, err))
		}
	}
	if s.wrote {
		r.gather.spent(s.namespace, r.clock.Since(s.started))
	}
	if s.isBare() {
		r.memory.forget(s.namespace)
		r.gather.forget(s.namespace)
	}
	return conclude(s.publishing)
}

// conclude decides which error leads to which retry.
func conclude(err error) (reconcile.Result, error) {
	switch {
	case isTransient(err):
		return reconcile.Result{RequeueAfter: retrySoon}, nil
	case errors.Is(err, errForeign), apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return reconcile.Result{}, nil // an event brings us back
	default:
		return reconcile.Result{}, err
	}
}

// isTransient says whether an error only means that someone else was quicker.
func isTransient(err error) bool {
	return errors.Is(err, errBehind) || apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) || apierrors.IsNotFound(err)
}

// setup adds the controller to a manager. Without a cache of nodes, it knows of none.
func (r *registryReconciler) setup(mgr manager.Manager, indexes, nodes cache.Cache) error {
	registries := builder.ControllerManagedBy(mgr).
		Named("registry").
		WithOptions(controller.Options{MaxConcurrentReconciles: registryWriters})
	registries = watchParts(registries, mgr.GetCache(), &v1alpha1.MazeTask{}, r.enqueueNamespace(), specChanged)
	registries = watchParts(registries, mgr.GetCache(), &corev1.ConfigMap{}, r.enqueueNamespace())
	registries = watchParts(registries, indexes, &corev1.ConfigMap{}, r.enqueueNamespace())
	if nodes != nil {
		// No registry is written before the inventory has all nodes: the controller waits for this handler's first events.
		registries = watchParts(registries, nodes, &corev1.Node{}, r.inventory.handler(r.enqueueAll))
	}
	if err := registries.Complete(r); err != nil {
		return fmt.Errorf("set up the registry controller: %w", err)
	}
	return nil
}

// specChanged lets through what can change a registry: not the statuses, which the operator writes itself.
var specChanged = predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
	return e.ObjectOld.GetGeneration() != e.ObjectNew.GetGeneration() || e.ObjectOld.GetUID() != e.ObjectNew.GetUID()
}}

// enqueueNamespace maps every event to its namespace's registry.
func (r *registryReconciler) enqueueNamespace() handler.EventHandler {
	return handler.Funcs{
		CreateFunc: func(_ context.Context, e event.CreateEvent, queue requestQueue) {
			r.enqueue(e.Object.GetNamespace(), queue, 1)
		},
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, queue requestQueue) {
			r.enqueue(e.ObjectNew.GetNamespace(), queue, 1)
		},
		DeleteFunc: func(_ context.Context, e event.DeleteEvent, queue requestQueue) {
			r.enqueue(e.Object.GetNamespace(), queue, 1)
		},
	}
}

// nodeChanges is as how many changes one of the nodes counts: a node comes by several updates, and the next is read a pace later.
const nodeChanges = int(maxQuietPeriod / quietPeriod)

// enqueueAll is for what concerns every registry.
func (r *registryReconciler) enqueueAll(queue requestQueue) {
	for _, namespace := range r.memory.known() {
		r.enqueue(namespace, queue, nodeChanges)
	}
}

// enqueue asks for a reconciliation, once for all events of a burst.
func (r *registryReconciler) enqueue(namespace string, queue requestQueue, changes int) {
	r.gather.note(namespace, r.clock.Now(), changes)
	queue.AddAfter(reconcile.Request{NamespacedName: types.NamespacedName{Namespace: namespace, Name: registry.ConfigMapName}}, quietPeriod)
}
