package controllers

import (
	"context"
	"fmt"
	"strings"
	"sync"

	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/flowcontrol"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/builder"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// statusWriters is how many statuses are written at a time. It keeps an API server on a few cores busy;
// more only queue there.
const statusWriters = 16

// Registrations make this many events at once, and then so many a second: an event is a write like any other, and
// thousands of good news would slow down the very burst that they tell of. The log tells all; warnings are never left out.
const (
	newsBurst     = 50
	newsPerSecond = 5
)

// mazeTaskReconciler reports in a task's status what the registry controller decided. Registry first,
// then status: it has nothing to say about a generation until the registry controller has acted on it.
type mazeTaskReconciler struct {
	client   client.Client
	recorder events.EventRecorder
	clock    clock.PassiveClock
	ledger   *ledger
	// news limits the events that are not warnings.
	news flowcontrol.PassiveRateLimiter
	// woken brings the tasks whose outcome changed.
	woken <-chan event.TypedGenericEvent[types.NamespacedName]

	// written is the resourceVersion of the last status written, by task, so that a cache that has not seen
	// it yet does not make us write it again.
	written sync.Map
}

// +kubebuilder:rbac:groups=registry.mazeagent.net,resources=mazetasks,verbs=list;watch
// +kubebuilder:rbac:groups=registry.mazeagent.net,resources=mazetasks/status,verbs=update
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create

// Reconcile implements reconcile.Reconciler.
func (r *mazeTaskReconciler) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	task := &v1alpha1.MazeTask{}
	if err := r.client.Get(ctx, req.NamespacedName, task); err != nil {
		r.written.Delete(req.NamespacedName)
		return reconcile.Result{}, client.IgnoreNotFound(err)
	}
	decided, known := r.ledger.get(task)
	if !known || r.isBehind(task) {
		return reconcile.Result{}, nil // the registry controller, or the watch, wakes us
	}
	next := statusOf(task, decided, metav1.NewTime(r.clock.Now()))
	if apiequality.Semantic.DeepEqual(task.Status, next) {
		return reconcile.Result{}, nil
	}
	if err := r.write(ctx, task, next); err != nil {
		return reconcile.Result{}, ignoreChangedMeanwhile(err)
	}
	r.tell(ctx, task, changesOf(task, &next, decided))
	return reconcile.Result{}, nil
}

// isBehind says whether the cached task lacks the status that was written last.
func (r *mazeTaskReconciler) isBehind(task *v1alpha1.MazeTask) bool {
	last, written := r.written.Load(client.ObjectKeyFromObject(task))
	return written && older(task.ResourceVersion, last.(string))
}

// write updates the status of the very object that was judged: the API server refuses it if the task has
// changed since. It takes only the status from an update of a status, so nothing else is sent.
func (r *mazeTaskReconciler) write(ctx context.Context, task *v1alpha1.MazeTask, status v1alpha1.MazeTaskStatus) error {
	update := &v1alpha1.MazeTask{
		ObjectMeta: metav1.ObjectMeta{Namespace: task.Namespace, Name: task.Name, UID: task.UID, ResourceVersion: task.ResourceVersion},
		Status:     status,
	}
	if err := r.client.Status().Update(ctx, update); err != nil {
		return fmt.Errorf("update the status: %w", err)
	}
	r.written.Store(client.ObjectKeyFromObject(task), update.ResourceVersion)
	return nil
}

// tell makes events and log lines of changes that are written.
func (r *mazeTaskReconciler) tell(ctx context.Context, task *v1alpha1.MazeTask, changes []change) {
	logger := log.FromContext(ctx)
	for _, c := range changes {
		logger.Info(c.message, "reason", c.reason, "task", task.Spec.Name,
			"description", firstLine(task.Spec.Description), "model", task.Spec.Resources.ModelName)
		if c.eventType != corev1.EventTypeWarning && !r.news.TryAccept() {
			continue
		}
		r.recorder.Eventf(task, nil, c.eventType, c.reason, "Register", "%s", noteOf(task, c.message))
	}
}

// maxEventNote is the API server's limit on an event's note, in bytes.
const maxEventNote = 1024

// noteOf is what an event says: a message, and what names the task, for which there always is room.
func noteOf(task *v1alpha1.MazeTask, message string) string {
	end := about(task)
	return clip(message, maxEventNote-len(end)) + end
}

// about names a task for a person: the first line of its description and its model.
func about(task *v1alpha1.MazeTask) string {
	var parts []string
	if line := firstLine(task.Spec.Description); line != "" {
		parts = append(parts, clip(line, 200))
	}
	if model := task.Spec.Resources.ModelName; model != "" {
		parts = append(parts, "model "+clip(model, 200))
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, "; ") + ")"
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(strings.TrimSpace(text), "\n")
	return strings.TrimSpace(line)
}

// clip shortens a text to at most limit bytes of whole characters.
func clip(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	const ellipsis = "…"
	return strings.ToValidUTF8(text[:limit-len(ellipsis)], "") + ellipsis
}

// ignoreChangedMeanwhile drops errors that mean that the object has changed or gone: its event is on the way.
func ignoreChangedMeanwhile(err error) error {
	if apierrors.IsConflict(err) || apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// older says whether resourceVersion a is before b. What is not a resourceVersion is not older than anything.
func older(a, b string) bool {
	order, err := resourceversion.CompareResourceVersion(a, b)
	return err == nil && order < 0
}

func (r *mazeTaskReconciler) setup(mgr manager.Manager) error {
	enqueue := handler.TypedFuncs[types.NamespacedName, reconcile.Request]{
		GenericFunc: func(_ context.Context, e event.TypedGenericEvent[types.NamespacedName], queue requestQueue) {
			queue.Add(reconcile.Request{NamespacedName: e.Object})
		},
	}
	tasks := builder.ControllerManagedBy(mgr).
		Named("mazetask").
		WatchesRawSource(source.Channel(r.woken, enqueue)).
		WithOptions(controller.Options{MaxConcurrentReconciles: statusWriters})
	if err := watchParts(tasks, mgr.GetCache(), &v1alpha1.MazeTask{}, &handler.EnqueueRequestForObject{}).Complete(r); err != nil {
		return fmt.Errorf("set up the task controller: %w", err)
	}
	return nil
}
