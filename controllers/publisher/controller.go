// Package publisher decides, for each namespace, which tasks its registry serves, and publishes them. It keeps a serving.Memory for each
// namespace, carries out what serving asks for, and hands the outcome of each task to the task controller.
package publisher

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/controllers/internal/caches"
	"github.com/maze-agent/maregister/controllers/internal/ledger"
	"github.com/maze-agent/maregister/controllers/nodes"
	"github.com/maze-agent/maregister/internal/serving"
)

// +kubebuilder:rbac:groups="",resources=configmaps,verbs=get;list;watch;create;update;delete

// workers is the number of namespaces whose registries are written at a time.
const workers = 4

// Config holds what a publisher works with.
type Config struct {
	// Options are those of the decision.
	Options serving.Options
	// Client reads from the manager's cache, and writes. Live reads from the API server.
	Client client.Client
	Live   client.Reader
	Clock  clock.PassiveClock
	// Cache is the manager's, Indexes has the metadata of the ConfigMaps maze-registry. Nodes has the nodes; nil where none are read.
	Cache, Indexes, Nodes cache.Cache
	Inventory             *nodes.Inventory
	// Devices reports whether what the inventory has of devices is settled. Nil where none are read.
	Devices  func() bool
	Refusals *caches.Refusals
	Ledger   *ledger.Ledger
	// Wake takes the tasks whose outcome changed.
	Wake chan<- event.TypedGenericEvent[types.NamespacedName]
	// Announce is called after each pass with what the registry of a namespace serves, and with the tasks whose outcome changed.
	Announce func(namespace string, served serving.Served, changed []types.NamespacedName)
}

// Publisher is the controller. The name of its requests is a namespace.
type Publisher struct {
	Config
	feed    *caches.Feed
	batcher *batcher
	latency prometheus.Histogram
	// taskView, indexView and shardView return how far the caches have seen.
	taskView, indexView, shardView func(namespace string) string

	mu         sync.Mutex
	namespaces map[string]*namespaceState
	// queue is there once started is closed.
	started chan struct{}
	queue   workqueue.TypedRateLimitingInterface[reconcile.Request]
}

// namespaceState is what the publisher keeps of a namespace. One namespace is never reconciled twice at a time.
type namespaceState struct {
	memory *serving.Memory
	// behind is the time since which the caches are behind the published registry. failing is the time since which the registry cannot
	// be written. Each is zero while that is not so.
	behind, failing time.Time
	// written is when the registry was written last, and swept when nothing was left to be deleted.
	written, swept time.Time
	// contest holds the changes of others to the registry.
	contest contest
	// looks counts the passes in a row that have come to no decision. again is the time of the next one.
	looks int
	again time.Time
}

// Setup adds the controller to a manager.
func Setup(ctx context.Context, mgr manager.Manager, config Config) (*Publisher, error) {
	p := &Publisher{
		Config: config, feed: caches.NewFeed(), batcher: newBatcher(), latency: newPublishLatency(), namespaces: map[string]*namespaceState{},
		started: make(chan struct{}),
	}
	for _, view := range []struct {
		of     cache.Cache
		object client.Object
		to     *func(string) string
	}{
		{config.Cache, &v1alpha1.MazeTask{}, &p.taskView},
		{config.Cache, caches.ConfigMapMetadata(), &p.shardView},
		{config.Indexes, caches.ConfigMapMetadata(), &p.indexView},
	} {
		var err error
		if *view.to, err = caches.Views(ctx, view.of, view.object); err != nil {
			return nil, err
		}
	}
	// Its metrics have this name, which alerts select.
	c, err := controller.New("registry", mgr, controller.Options{
		Reconciler: p, MaxConcurrentReconciles: workers,
		RateLimiter: workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](firstRetry, lastRetry),
	})
	if err != nil {
		return nil, fmt.Errorf("make the publisher: %w", err)
	}
	if err := c.Watch(source.Func(p.watch)); err != nil {
		return nil, fmt.Errorf("set up the publisher: %w", err)
	}
	return p, nil
}

// watch brings what can change a registry: not the statuses, which the operator writes itself.
func (p *Publisher) watch(ctx context.Context, queue workqueue.TypedRateLimitingInterface[reconcile.Request]) error {
	p.queue = queue
	close(p.started)
	p.Inventory.Notify(p.nodesChanged)
	if p.Nodes != nil {
		if err := p.feed.Watch(ctx, p.Nodes, &corev1.Node{}, p.Inventory.NodeChanged); err != nil {
			return err
		}
	}
	if p.Devices != nil {
		p.feed.Wait(p.Devices)
	}
	if err := p.feed.Watch(ctx, p.Cache, &v1alpha1.MazeTask{}, p.taskChanged); err != nil {
		return err
	}
	if err := p.feed.Watch(ctx, p.Indexes, caches.ConfigMapMetadata(), p.registryChanged); err != nil {
		return err
	}
	return p.feed.Watch(ctx, p.Cache, caches.ConfigMapMetadata(), p.registryChanged)
}

// taskChanged notes a change of a task's spec.
func (p *Publisher) taskChanged(before, after client.Object) {
	if before != nil && after != nil && before.GetUID() == after.GetUID() && before.GetGeneration() == after.GetGeneration() &&
		before.GetDeletionTimestamp().IsZero() == after.GetDeletionTimestamp().IsZero() {
		return
	}
	object := after
	if after == nil {
		object = before
	}
	p.batcher.note(object.GetNamespace(), object.GetName(), p.Clock.Now())
	p.enqueue(object.GetNamespace(), quietPeriod)
}

// registryChanged notes a change of a registry's ConfigMap. Most are the publisher's own, so it waits for no quiet moment.
func (p *Publisher) registryChanged(before, after client.Object) {
	object := after
	if after == nil {
		object = before
	}
	p.enqueue(object.GetNamespace(), quietPeriod)
}

// nodeChanges is the number of changes that one change of the nodes counts for: a new node comes by several updates.
const nodeChanges = int(maxQuietPeriod / quietPeriod)

// nodesChanged notes what concerns every registry.
func (p *Publisher) nodesChanged() {
	now := p.Clock.Now()
	for _, namespace := range p.known() {
		p.batcher.noteMany(namespace, now, nodeChanges)
		p.enqueue(namespace, quietPeriod)
	}
}

// Look has a namespace looked at that may have neither tasks nor a registry, so that Announce is called for it. It waits until the
// publisher has started.
func (p *Publisher) Look(ctx context.Context, namespace string) {
	select {
	case <-p.started:
		p.enqueue(namespace, 0)
	case <-ctx.Done():
	}
}

// enqueue asks for a reconciliation, once for all events of a burst.
func (p *Publisher) enqueue(namespace string, after time.Duration) {
	p.queue.AddAfter(reconcile.Request{NamespacedName: types.NamespacedName{Name: namespace}}, after)
}

// known returns the namespaces that have a memory.
func (p *Publisher) known() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	names := make([]string, 0, len(p.namespaces))
	for name := range p.namespaces {
		names = append(names, name)
	}
	return names
}

func (p *Publisher) stateOf(namespace string) *namespaceState {
	p.mu.Lock()
	defer p.mu.Unlock()
	state := p.namespaces[namespace]
	if state == nil {
		state = &namespaceState{memory: &serving.Memory{}}
		p.namespaces[namespace] = state
	}
	return state
}

// syncPoll is the time between two looks at a start, whether the caches have brought everything.
const syncPoll = 50 * time.Millisecond

// Reconcile implements reconcile.Reconciler: observe, decide, publish, announce, tidy, remember.
func (p *Publisher) Reconcile(ctx context.Context, req reconcile.Request) (reconcile.Result, error) {
	namespace := req.Name
	if !p.feed.Complete(namespace) { // no registry is written before all tasks and nodes are known
		return reconcile.Result{RequeueAfter: syncPoll}, nil
	}
	state := p.stateOf(namespace)
	now := p.Clock.Now()
	if wait := max(state.contest.pause(now), state.again.Sub(now)); wait > 0 {
		return reconcile.Result{RequeueAfter: wait}, nil
	}
	names, wait := p.batcher.take(namespace, now)
	if wait > 0 {
		return reconcile.Result{RequeueAfter: wait}, nil
	}
	seen, err := p.observe(ctx, namespace, state, names)
	if err != nil {
		return reconcile.Result{}, p.failed(namespace, state, fmt.Errorf("observe the tasks and the registry: %w", err))
	}
	pass, err := serving.Begin(namespace, p.Options, state.memory, seen)
	if err != nil {
		return reconcile.Result{}, p.failed(namespace, state, err)
	}
	rest := p.publish(ctx, pass)
	p.judgeContest(state, pass)
	announced := p.announce(ctx, namespace, state, pass)
	if len(rest) > 0 && announced == nil {
		p.tidy(ctx, namespace, pass, rest)
		announced = p.announce(ctx, namespace, state, pass) // others may have written meanwhile
	}
	p.remember(namespace, state, pass)
	if announced != nil {
		return reconcile.Result{}, announced
	}
	return p.conclude(namespace, state, pass, now)
}

// remember is the only place where the memory changes.
func (p *Publisher) remember(namespace string, state *namespaceState, pass *serving.Pass) {
	state.memory = pass.Remember()
	if !state.memory.HasGarbage() {
		state.swept = p.Clock.Now()
	}
	p.Ledger.SetRegistry(namespace, state.memory.Registry())
}

const (
	// retryBehind is the time until the next look while the cache is behind the API server, which it is by milliseconds as a rule. It
	// doubles after every patientLooks, up to lastBehind.
	retryBehind  = 50 * time.Millisecond
	lastBehind   = time.Second
	patientLooks = 10
	// lookAtForeign is the least time between two looks at someone else's ConfigMap, however often that changes.
	lookAtForeign = 100 * time.Millisecond
	// recheck is the time until the next look while someone else's ConfigMap is in the way, or a shard is to be deleted.
	recheck = 5 * time.Second
)

// conclude decides when to look again.
func (p *Publisher) conclude(
	namespace string, state *namespaceState, pass *serving.Pass, started time.Time,
) (reconcile.Result, error) {
	now := p.Clock.Now()
	if pass.Behind() {
		if state.behind.IsZero() {
			state.behind = now
		}
		wait := min(retryBehind<<min(state.looks/patientLooks, 16), lastBehind)
		state.looks++
		state.again = now.Add(wait)
		return reconcile.Result{RequeueAfter: wait}, nil
	}
	state.behind, state.looks = time.Time{}, 0
	if err := pass.Failure(); err != nil {
		return reconcile.Result{}, p.failed(namespace, state, err)
	}
	state.failing = time.Time{}
	if !pass.Published() {
		state.again = now.Add(lookAtForeign)
		return reconcile.Result{RequeueAfter: recheck}, nil
	}
	p.Refusals.Lift(namespace)
	waited := p.batcher.delivered(namespace, now)
	if pass.Wrote() {
		p.latency.Observe(waited.Seconds())
		p.batcher.spent(namespace, now.Sub(started))
		state.written = now
	}
	left, contested := state.contest.lasts(now)
	switch {
	case state.memory.IsBare():
		p.forget(namespace)
	case state.memory.HasGarbage():
		return reconcile.Result{RequeueAfter: sweepAfter}, nil
	case state.memory.HasForeignShards():
		return reconcile.Result{RequeueAfter: recheck}, nil
	case contested:
		return reconcile.Result{RequeueAfter: left}, nil
	}
	return reconcile.Result{}, nil
}

// judgeContest notes whether the pass has put right what others did, and has the pass report it once that has gone on for seconds.
func (p *Publisher) judgeContest(state *namespaceState, pass *serving.Pass) {
	now := p.Clock.Now()
	if isRepair(pass.Disturbed() && pass.Wrote(), pass.Failure()) {
		state.contest.note(now)
	}
	if _, lasts := state.contest.lasts(now); lasts || pass.Behind() && !state.behind.IsZero() && now.Sub(state.behind) >= contestPatience {
		pass.Contest()
	}
}

// failed notes a failure, which is tried again after a while that grows up to a limit. It returns the error.
func (p *Publisher) failed(namespace string, state *namespaceState, err error) error {
	now := p.Clock.Now()
	if state.failing.IsZero() {
		state.failing = now
	}
	p.batcher.failed(namespace, now)
	return err
}

func (p *Publisher) forget(namespace string) {
	p.mu.Lock()
	delete(p.namespaces, namespace)
	p.mu.Unlock()
	p.batcher.forget(namespace)
}
