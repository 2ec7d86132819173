package faults

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// Event is a version of an object, or its end. One of the four objects is set.
type Event struct {
	Version   uint64 // resourceVersion: that of the deletion, where it is one
	At        time.Time
	Deleted   bool
	Task      *v1alpha1.MazeTask
	ConfigMap *corev1.ConfigMap
	Lease     *coordinationv1.Lease
	Workflow  *v1alpha1.MazeWorkflow
}

// handiwork is what users did to ConfigMaps: versions that they wrote, and objects that they deleted.
type handiwork struct {
	mu      sync.Mutex
	written map[uint64]bool
	deleted map[types.UID]bool
}

func newHandiwork() *handiwork {
	return &handiwork{written: map[uint64]bool{}, deleted: map[types.UID]bool{}}
}

func (h *handiwork) wrote(object client.Object) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.written[versionOf(object)] = true
}

func (h *handiwork) deletes(uid types.UID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.deleted[uid] = true
}

// did reports whether an event is a user's doing.
func (h *handiwork) did(e *Event) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if e.Deleted {
		return h.deleted[e.ConfigMap.UID]
	}
	return h.written[e.Version]
}

func versionOf(object client.Object) uint64 {
	version, _ := strconv.ParseUint(object.GetResourceVersion(), 10, 64) // the API server's are numbers
	return version
}

// observer records every version of a namespace's tasks, workflows and ConfigMaps, and of the lease, by connections of its own.
type observer struct {
	mu         sync.Mutex
	events     []Event
	tasks      map[string]*v1alpha1.MazeTask
	configMaps map[string]*corev1.ConfigMap
	workflows  map[string]*v1alpha1.MazeWorkflow
	change     chan struct{}
	broken     error
	watches    []watch.Interface
}

// observe starts an observer of a namespace, and of the leases in another one if that is not empty. The caller stops it.
func observe(ctx context.Context, k8s client.WithWatch, namespace, leases string) (*observer, error) {
	o := &observer{
		tasks: map[string]*v1alpha1.MazeTask{}, configMaps: map[string]*corev1.ConfigMap{}, workflows: map[string]*v1alpha1.MazeWorkflow{},
		change: make(chan struct{}),
	}
	lists := map[client.ObjectList]string{
		&v1alpha1.MazeTaskList{}: namespace, &corev1.ConfigMapList{}: namespace, &v1alpha1.MazeWorkflowList{}: namespace,
	}
	if leases != "" {
		lists[&coordinationv1.LeaseList{}] = leases
	}
	for list, in := range lists {
		w, err := k8s.Watch(ctx, list, client.InNamespace(in))
		if err != nil {
			o.stop()
			return nil, fmt.Errorf("watch: %w", err)
		}
		o.watches = append(o.watches, w)
		go o.follow(ctx, w)
	}
	return o, nil
}

func (o *observer) stop() {
	for _, w := range o.watches {
		w.Stop()
	}
}

func (o *observer) follow(ctx context.Context, w watch.Interface) {
	for e := range w.ResultChan() {
		object, ok := e.Object.(client.Object)
		if !ok || e.Type == watch.Error {
			o.fail(fmt.Errorf("the observer's watch failed: %v", e.Object))
			return
		}
		o.record(e.Type == watch.Deleted, object)
	}
	if ctx.Err() == nil {
		o.fail(errEnded)
	}
}

func (o *observer) fail(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.broken = err
}

func (o *observer) record(deleted bool, object client.Object) {
	o.mu.Lock()
	defer o.mu.Unlock()
	e := Event{Version: versionOf(object), At: time.Now(), Deleted: deleted}
	switch typed := object.(type) {
	case *v1alpha1.MazeTask:
		e.Task = typed
		setOrDelete(o.tasks, typed.Name, typed, deleted)
	case *corev1.ConfigMap:
		e.ConfigMap = typed
		setOrDelete(o.configMaps, typed.Name, typed, deleted)
	case *coordinationv1.Lease:
		e.Lease = typed
	case *v1alpha1.MazeWorkflow:
		e.Workflow = typed
		setOrDelete(o.workflows, typed.Name, typed, deleted)
	}
	o.events = append(o.events, e)
	close(o.change)
	o.change = make(chan struct{})
}

func setOrDelete[T any](objects map[string]T, name string, object T, deleted bool) {
	if deleted {
		delete(objects, name)
	} else {
		objects[name] = object
	}
}

// changed returns a channel that is closed with the next event.
func (o *observer) changed() <-chan struct{} {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.change
}

// state returns the objects as they are now.
func (o *observer) state() (map[string]*v1alpha1.MazeTask, map[string]*corev1.ConfigMap) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return maps.Clone(o.tasks), maps.Clone(o.configMaps)
}

// flows returns the workflows as they are now.
func (o *observer) flows() map[string]*v1alpha1.MazeWorkflow {
	o.mu.Lock()
	defer o.mu.Unlock()
	return maps.Clone(o.workflows)
}

// history returns all events in the order of their resourceVersions.
func (o *observer) history() ([]Event, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	events := slices.Clone(o.events)
	slices.SortStableFunc(events, func(a, b Event) int {
		switch {
		case a.Version < b.Version:
			return -1
		case a.Version > b.Version:
			return 1
		default:
			return 0
		}
	})
	return events, o.broken
}
