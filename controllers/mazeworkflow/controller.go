// Package mazeworkflow reports in each workflow's status what "mazectl dag check" would find, by the tasks that the registry of its
// namespace serves. It executes nothing. Workflows are optional: where the API server does not serve them, or the operator may not read
// them, tasks are served all the same.
package mazeworkflow

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"

	apiequality "k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/events"
	"k8s.io/client-go/util/flowcontrol"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/controllers/internal/caches"
	"github.com/maze-agent/maregister/controllers/internal/ledger"
	"github.com/maze-agent/maregister/controllers/internal/statuses"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/internal/serving"
	"github.com/maze-agent/maregister/internal/workflow"
)

// +kubebuilder:rbac:groups=registry.mazeagent.net,resources=mazeworkflows,verbs=list;watch
// +kubebuilder:rbac:groups=registry.mazeagent.net,resources=mazeworkflows/status,verbs=update
// +kubebuilder:rbac:groups=events.k8s.io,resources=events,verbs=create

// Config holds what the controller works with.
type Config struct {
	// Client writes.
	Client   client.Client
	Recorder events.EventRecorder
	Clock    clock.PassiveClock
	Ledger   *ledger.Ledger
	// Namespaces are those whose workflows are judged; all where there is none.
	Namespaces []string
	// Look has the publisher look at a namespace and announce what its registry serves.
	Look func(ctx context.Context, namespace string)
}

// Controller judges workflows.
type Controller struct {
	Config
	book *book
	// judging lets one workflow be judged at a time: what a judgement takes in memory is a hundred times the size of a hostile workflow.
	judging sync.Mutex
	// limiter limits the events that are not warnings.
	limiter  flowcontrol.PassiveRateLimiter
	statuses *statuses.Writer
	queue    atomic.Pointer[workqueue.TypedRateLimitingInterface[reconcile.Request]]
}

// New returns the controller, which Setup adds to a manager. What the publisher announces goes to Announced from the start on.
func New(outcomes *ledger.Ledger) *Controller {
	c := &Controller{limiter: flowcontrol.NewTokenBucketPassiveRateLimiter(eventsPerSecond, eventsBurst)}
	c.Ledger = outcomes
	c.book = newBook(c.task, c.wake)
	return c
}

// Setup adds the controller to a manager.
func (c *Controller) Setup(mgr manager.Manager, config Config) error {
	config.Ledger = c.Ledger
	c.Config, c.statuses = config, statuses.NewWriter(config.Client)
	for _, namespace := range orAll(config.Namespaces) {
		err := caches.AddOptional(mgr, &caches.Optional{
			Kinds: []caches.OptionalKind{{
				Object: &v1alpha1.MazeWorkflow{}, List: &v1alpha1.MazeWorkflowList{}, Resource: "mazeworkflows",
				Transform: slim, Change: c.changed,
			}},
			Namespace: namespace,
			Report: func(is caches.Availability, _ string) {
				if is != caches.Served {
					c.book.clear(namespace)
				}
			},
		})
		if err != nil {
			return err
		}
	}
	made, err := controller.New("mazeworkflow", mgr, controller.Options{
		Reconciler: c, MaxConcurrentReconciles: statuses.Workers, RateLimiter: statuses.NewRetries[reconcile.Request](),
	})
	if err != nil {
		return fmt.Errorf("make the workflow controller: %w", err)
	}
	if err := made.Watch(source.Func(c.start)); err != nil {
		return fmt.Errorf("set up the workflow controller: %w", err)
	}
	return nil
}

func orAll(namespaces []string) []string {
	if len(namespaces) == 0 {
		return []string{metav1.NamespaceAll}
	}
	return namespaces
}

// slim leaves of a workflow what is read. It may be given what it returned before.
func slim(object any) (any, error) {
	if w, ok := object.(*v1alpha1.MazeWorkflow); ok {
		m := &w.ObjectMeta
		w.ObjectMeta = metav1.ObjectMeta{
			Namespace: m.Namespace, Name: m.Name, UID: m.UID, ResourceVersion: m.ResourceVersion, Generation: m.Generation,
			CreationTimestamp: m.CreationTimestamp, DeletionTimestamp: m.DeletionTimestamp,
		}
		w.Spec = workflow.Kept(w.Spec)
	}
	return object, nil
}

// changed takes over a change of a workflow, and has it judged unless its own status has come back. One that is read for the first time, or
// again after it could not be read, is judged in any case: meanwhile, what the registry serves may have changed.
func (c *Controller) changed(before, after client.Object) {
	object := after
	if after == nil {
		object = before
	}
	key := client.ObjectKeyFromObject(object)
	c.book.replace(key, asWorkflow(after))
	if before == nil || after == nil || !c.statuses.IsOwn(after) {
		c.wake(key)
	}
}

func asWorkflow(object client.Object) *v1alpha1.MazeWorkflow {
	found, _ := object.(*v1alpha1.MazeWorkflow)
	return found
}

// start has the workflows judged that were read before the controller started, as while another replica led.
func (c *Controller) start(_ context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	c.queue.Store(&queue)
	for _, key := range c.book.all() {
		c.wake(key)
	}
	return nil
}

// wake has a workflow judged, once the controller has started.
func (c *Controller) wake(key types.NamespacedName) {
	if queue := c.queue.Load(); queue != nil {
		(*queue).Add(reconcile.Request{NamespacedName: key})
	}
}

// Announced takes over what the registry of a namespace serves, and which MazeTasks have another outcome.
func (c *Controller) Announced(namespace string, served serving.Served, changed []types.NamespacedName) {
	if !c.book.has(namespace) {
		return
	}
	names := make([]string, 0, len(changed))
	for _, key := range changed {
		if outcome := c.Ledger.Find(namespace, key.Name); outcome != nil && outcome.Entry != nil {
			names = append(names, outcome.Entry.Key)
		}
	}
	c.book.announced(namespace, served, names)
}

// task returns what is known of a task by its entry. Nil if the entry cannot be read, or what became of its MazeTask is not known yet:
// then it is announced once it is.
func (c *Controller) task(namespace string, item *registry.Item) *workflow.Task {
	t, err := workflow.NewTask(item)
	if err != nil {
		return nil
	}
	outcome := c.Ledger.Find(namespace, t.Object)
	if outcome == nil {
		return nil
	}
	if outcome.Placement != nil { // else nothing was placed, as of a task that is being deleted
		t.Placeable, t.Reason = outcome.Placeable.Status, outcome.Placeable.Reason
	}
	return t
}

// Reconcile implements reconcile.Reconciler.
func (c *Controller) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	w, served := c.book.get(req.NamespacedName)
	if w != nil && c.statuses.IsBehind(w) { // the watch wakes us, unless it has just brought what is missing
		if w, served = c.book.get(req.NamespacedName); w != nil && c.statuses.IsBehind(w) {
			return reconcile.Result{}, nil
		}
	}
	if w == nil {
		c.statuses.Forget(req.NamespacedName)
		return reconcile.Result{}, nil
	}
	if !served.IsKnown() {
		c.Look(ctx, w.Namespace)
		return reconcile.Result{}, nil
	}
	verdict, err := c.judge(w, served)
	if verdict == nil || err != nil {
		return reconcile.Result{}, err // what is missing is announced
	}
	next := verdict.Status(w, metav1.NewTime(c.Clock.Now()))
	if apiequality.Semantic.DeepEqual(w.Status, next) {
		c.statuses.Settled(req.NamespacedName)
		return reconcile.Result{}, nil
	}
	update := &v1alpha1.MazeWorkflow{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.Namespace, Name: w.Name, UID: w.UID, ResourceVersion: w.ResourceVersion},
		Status:     next,
	}
	if again, err := c.statuses.Write(ctx, update); err != nil || again > 0 {
		return reconcile.Result{RequeueAfter: again}, err
	}
	if w.DeletionTimestamp == nil { // else nobody has to do anything, and the namespace may take no more events
		c.announce(ctx, w, changesOf(&w.Status, &next))
	}
	return reconcile.Result{}, nil
}

// judge judges a workflow by what the registry serves. It returns nil while that is not known of a task that the workflow uses.
func (c *Controller) judge(w *v1alpha1.MazeWorkflow, served serving.Served) (*workflow.Verdict, error) {
	if served.Conflict != "" {
		return workflow.Conflicted(&w.Spec, served.Conflict), nil
	}
	c.judging.Lock()
	defer c.judging.Unlock()
	complete := true
	verdict, err := workflow.Judge(&w.Spec, func(name string) *workflow.Task {
		item := served.Tree.Get(name)
		if item == nil {
			return nil
		}
		t := c.task(w.Namespace, item)
		complete = complete && t != nil
		return t
	})
	if !complete {
		return nil, err
	}
	return verdict, err
}
