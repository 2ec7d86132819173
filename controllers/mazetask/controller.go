// Package mazetask reports in each task's status what the publisher decided. Registry first, then status: it has nothing to say about a
// generation until the publisher has acted on it.
package mazetask

import (
	"context"
	"fmt"

	apiequality "k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/flowcontrol"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/controllers/internal/caches"
	"github.com/maze-agent/maregister/controllers/internal/ledger"
	"github.com/maze-agent/maregister/controllers/internal/statuses"
)

// +kubebuilder:rbac:groups=registry.mazeagent.net,resources=mazetasks,verbs=list;watch
// +kubebuilder:rbac:groups=registry.mazeagent.net,resources=mazetasks/status,verbs=update
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create

// Config holds what the controller works with.
type Config struct {
	// Client reads from the manager's cache, and writes.
	Client   client.Client
	Cache    cache.Cache
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
	Ledger   *ledger.Ledger
	// Woken brings the tasks whose outcome changed.
	Woken <-chan event.TypedGenericEvent[types.NamespacedName]
}

type reconciler struct {
	Config
	// limiter limits the events that are not warnings.
	limiter  flowcontrol.PassiveRateLimiter
	statuses *statuses.Writer
}

// Setup adds the controller to a manager.
func Setup(mgr manager.Manager, config Config) error {
	r := &reconciler{
		Config:   config,
		limiter:  flowcontrol.NewTokenBucketPassiveRateLimiter(eventsPerSecond, eventsBurst),
		statuses: statuses.NewWriter(config.Client),
	}
	c, err := controller.New("mazetask", mgr, controller.Options{
		Reconciler: r, MaxConcurrentReconciles: statuses.Workers, RateLimiter: statuses.NewRetries[reconcile.Request](),
	})
	if err != nil {
		return fmt.Errorf("make the task controller: %w", err)
	}
	enqueue := handler.TypedFuncs[types.NamespacedName, reconcile.Request]{
		GenericFunc: func(_ context.Context, e event.TypedGenericEvent[types.NamespacedName], queue workqueue.TypedRateLimitingInterface[reconcile.Request]) {
			queue.Add(reconcile.Request{NamespacedName: e.Object})
		},
	}
	if err := c.Watch(source.Channel(r.Woken, enqueue)); err != nil {
		return fmt.Errorf("set up the task controller: %w", err)
	}
	if err := c.Watch(source.Func(r.watch)); err != nil {
		return fmt.Errorf("set up the task controller: %w", err)
	}
	return nil
}

// watch brings every change of a task, be it of a status that somebody has edited.
func (r *reconciler) watch(ctx context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	return caches.NewFeed().Watch(ctx, r.Cache, &v1alpha1.MazeTask{}, func(before, after client.Object) {
		object := after
		if after == nil {
			object = before
		}
		queue.Add(reconcile.Request{NamespacedName: client.ObjectKeyFromObject(object)})
	})
}

// Reconcile implements reconcile.Reconciler.
func (r *reconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	task := &v1alpha1.MazeTask{}
	if err := r.Client.Get(ctx, req.NamespacedName, task); err != nil {
		r.statuses.Forget(req.NamespacedName)
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	outcome := r.Ledger.Get(task)
	if outcome == nil || r.statuses.IsBehind(task) {
		return reconcile.Result{}, nil // the publisher, or the watch, wakes us
	}
	next := outcome.Status(&task.Status, metav1.NewTime(r.Clock.Now()))
	if apiequality.Semantic.DeepEqual(task.Status, next) {
		r.statuses.Settled(req.NamespacedName)
		return reconcile.Result{}, nil
	}
	update := &v1alpha1.MazeTask{
		ObjectMeta: metav1.ObjectMeta{Namespace: task.Namespace, Name: task.Name, UID: task.UID, ResourceVersion: task.ResourceVersion},
		Status:     next,
	}
	if again, err := r.statuses.Write(ctx, update); err != nil || again > 0 {
		return reconcile.Result{RequeueAfter: again}, err
	}
	r.announce(ctx, task, changesOf(task, &next, outcome))
	return reconcile.Result{}, nil
}
