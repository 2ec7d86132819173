package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/registry"
)

// watcher sees a namespace's tasks and ConfigMaps from outside: in the order in which the API server tells of changes, and
// without the operator's help.
type watcher struct {
	namespace string
	cancel    context.CancelFunc
	running   sync.WaitGroup

	mu         sync.Mutex
	ready      map[string]readyTask
	waiting    map[string]bool
	configMaps map[string]*corev1.ConfigMap
	// shards are the names of the ConfigMaps that the index names; nil where there is none that can be read.
	shards  []string
	checks  *audit
	goal    goalCheck
	reached chan time.Time
	failed  chan error
}

// readyTask is a task whose condition Ready is True for its present generation.
type readyTask struct {
	key string
	// since is the object's resourceVersion when it was first seen Ready.
	since string
	// at is when that was.
	at time.Time
}

// goalCheck reports whether what the watcher has seen is what is waited for.
type goalCheck func(w *watcher) bool

// goal makes the check for a number of tasks.
type goal func(tasks int) goalCheck

// allReady waits for statuses only.
func allReady(tasks int) goalCheck {
	return func(w *watcher) bool { return len(w.ready) == tasks }
}

// allServed waits until the tasks are Ready and in the registry.
func allServed(tasks int) goalCheck {
	return func(w *watcher) bool {
		if len(w.ready) != tasks {
			return false
		}
		serves := w.entries()
		for _, task := range w.ready {
			if !serves(task.key) {
				return false
			}
		}
		return true
	}
}

// oneServed waits until a single task is Ready and in the registry.
func oneServed(task *v1alpha1.MazeTask) goalCheck {
	name, key := task.Name, task.Spec.Name
	return func(w *watcher) bool {
		_, ready := w.ready[name]
		return ready && w.entries()(key)
	}
}

// oneGone waits until a single task is neither there nor in the registry.
func oneGone(task *v1alpha1.MazeTask) goalCheck {
	name, key := task.Name, task.Spec.Name
	return func(w *watcher) bool {
		_, ready := w.ready[name]
		return !ready && !w.entries()(key)
	}
}

// entries returns a function that reports whether the registry has an entry of some name. It does not check that the registry is
// consistent, as that costs the time that is being measured.
func (w *watcher) entries() func(key string) bool {
	index := w.configMaps[registry.ConfigMapName]
	if index == nil {
		return func(string) bool { return false }
	}
	shards := []*corev1.ConfigMap{index}
	for _, name := range w.shards {
		if shard := w.configMaps[name]; shard != nil {
			shards = append(shards, shard)
		}
	}
	return func(key string) bool {
		return slices.ContainsFunc(shards, func(shard *corev1.ConfigMap) bool { return shard.Data[key] != "" })
	}
}

// startWatcher watches a namespace from its beginning. checks may be nil.
func startWatcher(ctx context.Context, from client.WithWatch, namespace string, checks *audit) (*watcher, error) {
	ctx, cancel := context.WithCancel(ctx)
	w := &watcher{
		namespace: namespace, cancel: cancel, checks: checks, failed: make(chan error, 1),
		ready: map[string]readyTask{}, waiting: map[string]bool{}, configMaps: map[string]*corev1.ConfigMap{},
	}
	for _, list := range []client.ObjectList{&v1alpha1.MazeTaskList{}, &corev1.ConfigMapList{}} {
		if err := w.follow(ctx, from, list); err != nil {
			w.stop()
			return nil, err
		}
	}
	return w, nil
}

// follow handles what a list shows, which is nothing in a new namespace, and every change after that.
func (w *watcher) follow(ctx context.Context, from client.WithWatch, list client.ObjectList) error {
	if err := from.List(ctx, list, client.InNamespace(w.namespace)); err != nil {
		return fmt.Errorf("list: %w", err)
	}
	items, err := meta.ExtractList(list)
	if err != nil {
		return err
	}
	if len(items) > 0 {
		return fmt.Errorf("namespace %s is not new", w.namespace)
	}
	source := &cache.ListWatch{WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
		return from.Watch(ctx, list, client.InNamespace(w.namespace), &client.ListOptions{Raw: &options})
	}}
	stream, err := watchtools.NewRetryWatcherWithContext(ctx, list.GetResourceVersion(), source)
	if err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	w.running.Go(func() {
		for change := range stream.ResultChan() {
			w.handle(change)
		}
		if ctx.Err() == nil {
			w.fail(errors.New("the watch ended"))
		}
	})
	return nil
}

func (w *watcher) handle(change watch.Event) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch object := change.Object.(type) {
	case *v1alpha1.MazeTask:
		w.handleTask(object, change.Type)
	case *corev1.ConfigMap:
		if change.Type == watch.Deleted {
			delete(w.configMaps, object.Name)
		} else {
			w.configMaps[object.Name] = object
		}
		if object.Name == registry.ConfigMapName {
			w.noteShards(object)
		}
		w.checks.observe(w.configMaps, object)
	case *metav1.Status:
		w.fail(apierrors.FromObject(object))
	}
	w.decide()
}

// noteShards notes the shards of an index as soon as it comes, and not when a task is looked for. The quick hand's registry has no index.
func (w *watcher) noteShards(index *corev1.ConfigMap) {
	w.shards = nil
	decoded, err := registry.DecodeIndex(index)
	if err != nil {
		return
	}
	for _, ref := range decoded.Shards {
		w.shards = append(w.shards, ref.Name)
	}
}

func (w *watcher) handleTask(task *v1alpha1.MazeTask, change watch.EventType) {
	delete(w.waiting, task.Name)
	if change != watch.Deleted && isWaiting(task) {
		w.waiting[task.Name] = true
	}
	condition := meta.FindStatusCondition(task.Status.Conditions, v1alpha1.ConditionReady)
	ready := change != watch.Deleted && condition != nil &&
		condition.Status == metav1.ConditionTrue && condition.ObservedGeneration == task.Generation
	if !ready {
		delete(w.ready, task.Name)
		return
	}
	if _, known := w.ready[task.Name]; !known {
		w.ready[task.Name] = readyTask{key: task.Spec.Name, since: task.ResourceVersion, at: time.Now()}
	}
}

// countWaiting returns the number of tasks that no node can host.
func (w *watcher) countWaiting() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.waiting)
}

// fail keeps the first error, for await.
func (w *watcher) fail(err error) {
	select {
	case w.failed <- err:
	default:
	}
}

// decide reports when the goal is reached.
func (w *watcher) decide() {
	if w.goal != nil && w.goal(w) {
		w.reached <- time.Now()
		w.goal = nil
	}
}

// expect sets what is waited for. The channel brings the moment at which it was seen.
func (w *watcher) expect(check goalCheck) <-chan time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.goal, w.reached = check, make(chan time.Time, 1)
	w.decide()
	return w.reached
}

// await waits for what expect returned.
func (w *watcher) await(ctx context.Context, reached <-chan time.Time) (time.Time, error) {
	select {
	case at := <-reached:
		return at, nil
	case err := <-w.failed:
		return time.Time{}, fmt.Errorf("watch namespace %s: %w", w.namespace, err)
	case <-ctx.Done():
		w.mu.Lock()
		defer w.mu.Unlock()
		return time.Time{}, fmt.Errorf("%w; %d tasks were Ready by then", context.Cause(ctx), len(w.ready))
	}
}

// readyAfter returns how long each task took to be Ready from the time it was created at.
func (w *watcher) readyAfter(tasks []*v1alpha1.MazeTask, created []time.Time) durations {
	w.mu.Lock()
	defer w.mu.Unlock()
	waits := make(durations, len(tasks))
	for i, task := range tasks {
		waits[i] = w.ready[task.Name].at.Sub(created[i])
	}
	slices.Sort(waits)
	return waits
}

// stop ends the watches. Nothing changes in the watcher after that.
func (w *watcher) stop() {
	w.cancel()
	w.running.Wait()
}

// statusSize returns the mean size of the tasks' statuses, in bytes of JSON.
func statusSize(ctx context.Context, from client.Reader, namespace string) (int, error) {
	var tasks v1alpha1.MazeTaskList
	if err := from.List(ctx, &tasks, client.InNamespace(namespace)); err != nil {
		return 0, fmt.Errorf("list the tasks: %w", err)
	}
	size := 0
	for i := range tasks.Items {
		status, err := json.Marshal(tasks.Items[i].Status)
		if err != nil {
			return 0, err
		}
		size += len(status)
	}
	return size / max(1, len(tasks.Items)), nil
}
