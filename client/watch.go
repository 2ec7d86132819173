package client

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apimachinery/pkg/watch"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"

	"github.com/maze-agent/maregister/internal/registry"
)

// New returns a Registry that follows a namespace of a cluster. It makes one request: a watch of the registry's ConfigMaps, which streams
// those that are there first. It needs the right to watch ConfigMaps of the namespace and no other; with API servers that do not
// stream lists (before Kubernetes 1.34), to list them, too.
//
// As with any client of client-go, those of equal configurations share connections.
func New(config *rest.Config, namespace string) (*Registry, error) {
	if namespace == metav1.NamespaceAll {
		return nil, errors.New("every namespace has a registry of its own: name one")
	}
	config = rest.CopyConfig(config)
	config.Timeout = 0 // it would cut the watch
	if config.AcceptContentTypes == "" && config.ContentType == "" {
		config.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	}
	clients, err := corev1client.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("make the client of ConfigMaps: %w", err)
	}
	configMaps := clients.ConfigMaps(namespace)
	return newRegistry("namespace "+namespace, func(ctx context.Context, r *Registry) {
		(&watcher{registry: r, ctx: ctx, configMaps: configMaps}).run()
	}), nil
}

// watcher feeds a fold from an API server.
type watcher struct {
	registry   *Registry
	ctx        context.Context // a reflector's store is given none
	configMaps corev1client.ConfigMapInterface
	fold       fold

	mu sync.Mutex
	// tried is true if streaming was tried since the last list, and refused is the error, if any.
	tried   bool
	refused error
}

// How long to wait between attempts: as long as client-go's informers do.
const (
	firstPause = 800 * time.Millisecond
	lastPause  = 30 * time.Second
	goodAfter  = 2 * time.Minute
)

func (w *watcher) run() {
	reflector := cache.NewReflectorWithOptions(&cache.ListWatch{
		ListWithContextFunc:  w.list,
		WatchFuncWithContext: w.watch,
	}, &corev1.ConfigMap{}, w, cache.ReflectorOptions{Name: "the registry of " + w.registry.of})
	backoff := wait.Backoff{Duration: firstPause, Cap: lastPause, Steps: 6, Factor: 2, Jitter: 1}
	_ = backoff.DelayWithReset(clock.RealClock{}, goodAfter).Until(w.ctx, true, true, func(ctx context.Context) (bool, error) {
		_ = reflector.ListAndWatchWithContext(ctx) // watch and list have told of it
		return false, nil
	})
}

// watch opens a watch of the registry, and remembers whether streaming was refused: see list.
func (w *watcher) watch(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
	options.LabelSelector = registry.Selector
	stream, err := w.configMaps.Watch(ctx, options)
	err = w.explain("watch", err)
	if !ptr.Deref(options.SendInitialEvents, false) {
		w.hear(err)
		return stream, err
	}
	if !apierrors.IsInvalid(err) { // then the list tells
		w.hear(err)
	}
	w.mu.Lock()
	w.tried, w.refused = true, err
	w.mu.Unlock()
	if err != nil && !apierrors.IsResourceExpired(err) && !apierrors.HasStatusCause(err, metav1.CauseTypeResourceVersionTooLarge) {
		err = errors.New(err.Error()) // the reflector would wait for a server that does not answer, whatever becomes of ctx
	}
	return stream, err
}

// list is what a reflector falls back on when streaming fails, for whatever reason. Only one is good: that the API server cannot stream.
func (w *watcher) list(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
	w.mu.Lock()
	tried, refused := w.tried, w.refused
	w.tried, w.refused = false, nil
	w.mu.Unlock()
	switch {
	case tried && refused == nil:
		err := errors.New("watch ConfigMaps: the stream broke off")
		w.hear(err)
		return nil, err
	case tried && !apierrors.IsInvalid(refused):
		return nil, refused
	}
	options.LabelSelector = registry.Selector
	if options.ResourceVersion == "0" {
		options.ResourceVersion = "" // any old state would do for 0, and a restarted reader would go backwards
	}
	list, err := w.configMaps.List(ctx, options)
	err = w.explain("list", err)
	w.hear(err)
	return list, err
}

// hear reports an error, unless it is that the reader ends.
func (w *watcher) hear(err error) {
	if w.ctx.Err() == nil {
		w.registry.hear(w.ctx, err)
	}
}

func (w *watcher) explain(verb string, err error) error {
	switch {
	case err == nil:
		return nil
	case apierrors.IsForbidden(err) || apierrors.IsUnauthorized(err):
		return fmt.Errorf("%s ConfigMaps: a Role of %s must allow the verb %s on configmaps: %w", verb, w.registry.of, verb, err)
	default:
		return fmt.Errorf("%s ConfigMaps: %w", verb, err)
	}
}

// Transformer implements cache.TransformingStore: the reflector keeps no more than the fold would.
func (*watcher) Transformer() cache.TransformFunc {
	return func(item any) (any, error) {
		if configMap, ok := item.(*corev1.ConfigMap); ok {
			return objectOf(configMap), nil
		}
		return item, nil
	}
}

// Add implements cache.ReflectorStore.
func (w *watcher) Add(item any) error {
	if configMap, ok := item.(*corev1.ConfigMap); ok {
		w.fold.set(objectOf(configMap))
		w.tell()
	}
	return nil
}

// Update implements cache.ReflectorStore.
func (w *watcher) Update(item any) error { return w.Add(item) }

// Delete implements cache.ReflectorStore.
func (w *watcher) Delete(item any) error {
	if configMap, ok := item.(*corev1.ConfigMap); ok {
		w.fold.remove(configMap.Name)
		w.tell()
	}
	return nil
}

// Replace implements cache.ReflectorStore.
func (w *watcher) Replace(items []any, _ string) error {
	objects := make([]*object, 0, len(items))
	for _, item := range items {
		switch item := item.(type) {
		case *object:
			objects = append(objects, item)
		case *corev1.ConfigMap:
			objects = append(objects, objectOf(item))
		}
	}
	w.fold.replace(objects)
	w.hear(nil)
	w.tell()
	return nil
}

// Resync implements cache.ReflectorStore.
func (*watcher) Resync() error { return nil }

func (w *watcher) tell() {
	next, ok, err := w.fold.snapshot()
	w.registry.tell(w.ctx, next, ok, err)
}
