// Package mazetask reports in each task's status what the publisher decided. Registry first, then status: it has nothing to say about a
// generation until the publisher has acted on it.
package mazetask

import (
	"context"
	"fmt"
	"sync"
	"time"

	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
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
)

// +kubebuilder:rbac:groups=registry.mazeagent.net,resources=mazetasks,verbs=list;watch
// +kubebuilder:rbac:groups=registry.mazeagent.net,resources=mazetasks/status,verbs=update
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create

const (
	// workers is the number of statuses that are written at a time. It keeps an API server on a few cores busy; more only queue there.
	workers = 16

	// A status that could not be written is tried again after firstRetry, then after twice as long each time, up to lastRetry.
	firstRetry = 20 * time.Millisecond
	lastRetry  = 8 * time.Second
)

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
	limiter flowcontrol.PassiveRateLimiter
	// retries returns when to try again what the API server refused because the task had changed.
	retries workqueue.TypedRateLimiter[types.NamespacedName]
	// written holds the resourceVersion of the last status written, by task, until the cache has seen it: so that a cache that is
	// behind does not make us write it again.
	written sync.Map
}

// Setup adds the controller to a manager.
func Setup(mgr manager.Manager, config Config) error {
	r := &reconciler{
		Config:  config,
		limiter: flowcontrol.NewTokenBucketPassiveRateLimiter(eventsPerSecond, eventsBurst),
		retries: newRetries[types.NamespacedName](),
	}
	c, err := controller.New("mazetask", mgr, controller.Options{
		Reconciler: r, MaxConcurrentReconciles: workers, RateLimiter: newRetries[reconcile.Request](),
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

func newRetries[T comparable]() workqueue.TypedRateLimiter[T] {
	return workqueue.NewTypedItemExponentialFailureRateLimiter[T](firstRetry, lastRetry)
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
		r.forget(req.NamespacedName)
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	outcome := r.Ledger.Get(task)
	if outcome == nil || r.isBehind(task) {
		return reconcile.Result{}, nil // the publisher, or the watch, wakes us
	}
	next := outcome.Status(&task.Status, metav1.NewTime(r.Clock.Now()))
	if apiequality.Semantic.DeepEqual(task.Status, next) {
		r.retries.Forget(req.NamespacedName)
		return reconcile.Result{}, nil
	}
	switch err := r.write(ctx, task, next); {
	case apierrors.IsConflict(err), apierrors.IsNotFound(err): // it has changed or gone, and no event is certain to follow
		return reconcile.Result{RequeueAfter: r.retries.When(req.NamespacedName)}, nil
	case err != nil:
		return reconcile.Result{}, err
	}
	r.retries.Forget(req.NamespacedName)
	r.announce(ctx, task, changesOf(task, &next, outcome))
	return reconcile.Result{}, nil
}

func (r *reconciler) forget(task types.NamespacedName) {
	r.written.Delete(task)
	r.retries.Forget(task)
}

// isBehind reports whether the cached task lacks the status that was written last.
func (r *reconciler) isBehind(task *v1alpha1.MazeTask) bool {
	key := client.ObjectKeyFromObject(task)
	last, written := r.written.Load(key)
	if !written {
		return false
	}
	if order, err := resourceversion.CompareResourceVersion(task.ResourceVersion, last.(string)); err == nil && order < 0 {
		return true
	}
	r.written.CompareAndDelete(key, last)
	return false
}

// write updates the status of the very object that was judged: the API server refuses it if the task has
// changed since. It takes only the status from an update of a status, so nothing else is sent.
func (r *reconciler) write(ctx context.Context, task *v1alpha1.MazeTask, status v1alpha1.MazeTaskStatus) error {
	update := &v1alpha1.MazeTask{
		ObjectMeta: metav1.ObjectMeta{Namespace: task.Namespace, Name: task.Name, UID: task.UID, ResourceVersion: task.ResourceVersion},
		Status:     status,
	}
	if err := r.Client.Status().Update(ctx, update); err != nil {
		return fmt.Errorf("update the status: %w", err)
	}
	r.written.Store(client.ObjectKeyFromObject(task), update.ResourceVersion)
	return nil
}
