package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	kube "sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/client"
)

// specName is the field by which MazeTasks are found.
const specName = "spec.name"

// cluster follows what a scheduler looks at: the registry, the MazeTasks and the run's Pods of one namespace.
type cluster struct {
	registry *client.Registry
	cache    cache.Cache
	writer   kube.Client
	// changed has an item when something has changed since it was last received from.
	changed chan struct{}
}

// newScheme knows the kinds of objects that are read and written.
func newScheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	return scheme, errors.Join(corev1.AddToScheme(scheme), batchv1.AddToScheme(scheme), v1alpha1.AddToScheme(scheme))
}

// newCluster follows a namespace until ctx ends, and returns when all was read for the first time. While a right is missing, client-go and
// the registry's client log which. Of the kinds in more it follows the objects that have the run's label.
func newCluster(ctx context.Context, config *rest.Config, namespace, run string, more ...kube.Object) (*cluster, error) {
	scheme, err := newScheme()
	if err != nil {
		return nil, err
	}
	c := &cluster{changed: make(chan struct{}, 1)}
	if c.writer, err = kube.New(config, kube.Options{Scheme: scheme}); err != nil {
		return nil, fmt.Errorf("make the client: %w", err)
	}
	if c.registry, err = client.New(config, namespace); err != nil {
		return nil, err
	}
	ofRun := map[kube.Object]cache.ByObject{}
	for _, object := range append(more, &corev1.Pod{}) {
		ofRun[object] = cache.ByObject{Label: labels.SelectorFromSet(labels.Set{runKey: run})}
	}
	c.cache, err = cache.New(config, cache.Options{
		Scheme:            scheme,
		DefaultNamespaces: map[string]cache.Config{namespace: {}},
		ByObject:          ofRun,
		DefaultTransform:  cache.TransformStripManagedFields(),
	})
	if err != nil {
		return nil, fmt.Errorf("make the cache: %w", err)
	}
	for _, object := range append(more, &corev1.Pod{}, &v1alpha1.MazeTask{}) {
		if err := c.tellOf(ctx, object); err != nil {
			return nil, err
		}
	}
	return c, c.start(ctx)
}

// tellOf has changes of a kind of objects told.
func (c *cluster) tellOf(ctx context.Context, object kube.Object) error {
	if _, ok := object.(*v1alpha1.MazeTask); ok {
		err := c.cache.IndexField(ctx, object, specName, func(o kube.Object) []string { return []string{o.(*v1alpha1.MazeTask).Spec.Name} })
		if err != nil {
			return err
		}
	}
	informer, err := c.cache.GetInformer(ctx, object, cache.BlockUntilSynced(false))
	if err != nil {
		return err
	}
	_, err = informer.AddEventHandler(toolscache.ResourceEventHandlerFuncs{
		AddFunc:    func(any) { c.tell() },
		UpdateFunc: func(any, any) { c.tell() },
		DeleteFunc: func(any) { c.tell() },
	})
	return err
}

// tell leaves word that something has changed. Many changes become one word.
func (c *cluster) tell() {
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

func (c *cluster) start(ctx context.Context) error {
	go func() { _ = c.cache.Start(ctx) }()    // it ends with ctx
	go func() { _ = c.registry.Start(ctx) }() // likewise
	if err := c.registry.WaitForSync(ctx); err != nil {
		return err
	}
	if !c.cache.WaitForCacheSync(ctx) {
		return fmt.Errorf("the MazeTasks and Pods were not read: %w", context.Cause(ctx))
	}
	go func() {
		for range c.registry.Subscribe(ctx) {
			c.tell()
		}
	}()
	return nil
}

// look returns what is known now of the tasks and Pods of a workflow.
func (c *cluster) look(ctx context.Context, w *workflow) (seen, error) {
	// The registry first. A status that is read later may be ahead of it, which shows, as it has the digest of its entry.
	now := seen{registry: c.registry.Snapshot(), tasks: map[string][]v1alpha1.MazeTask{}, pods: map[string]*corev1.Pod{}, at: time.Now()}
	var one v1alpha1.MazeTaskList
	if err := c.cache.List(ctx, &one, kube.Limit(1)); err != nil {
		return seen{}, err
	}
	now.noTasks = len(one.Items) == 0
	for _, n := range w.nodes {
		if _, known := now.tasks[n.Func]; known {
			continue
		}
		var found v1alpha1.MazeTaskList
		if err := c.cache.List(ctx, &found, kube.MatchingFields{specName: n.Func}); err != nil {
			return seen{}, err
		}
		now.tasks[n.Func] = found.Items
	}
	var pods corev1.PodList
	if err := c.cache.List(ctx, &pods); err != nil {
		return seen{}, err
	}
	for i := range pods.Items {
		now.pods[pods.Items[i].Name] = &pods.Items[i]
	}
	return now, nil
}

// act carries out a plan. It can do no harm if what was seen is out of date: a Pod's name lets nobody create it twice, and one that
// was bound or replaced meanwhile is not the version that was to be deleted.
func (c *cluster) act(ctx context.Context, p *plan) error {
	var failures []error
	for _, pod := range p.remove {
		err := c.writer.Delete(ctx, pod, kube.Preconditions{UID: &pod.UID, ResourceVersion: &pod.ResourceVersion})
		if err != nil && !apierrors.IsNotFound(err) && !apierrors.IsConflict(err) {
			failures = append(failures, fmt.Errorf("delete Pod %s: %w", pod.Name, err))
		}
	}
	for _, pod := range p.create {
		if err := c.writer.Create(ctx, pod); err != nil && !apierrors.IsAlreadyExists(err) {
			failures = append(failures, fmt.Errorf("create Pod %s: %w", pod.Name, err))
		}
	}
	return errors.Join(failures...)
}
