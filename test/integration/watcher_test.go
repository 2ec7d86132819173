package integration

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	toolscache "k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"

	"github.com/maze-agent/maregister/internal/registry"
)

// registryWatcher follows a namespace's ConfigMaps in the order in which the API server wrote them, and checks at every
// step that whoever follows the index finds a whole registry, and that nothing goes backwards.
type registryWatcher struct {
	watch   watch.Interface
	done    chan struct{}
	objects map[string]*corev1.ConfigMap
	last    map[string]registry.Entry
	// gone are the UIDs of tasks that have left the registry.
	gone       map[types.UID]bool
	generation int64
	indexes    int
	failure    error
}

// followConfigMaps returns the ConfigMaps of a namespace, and a watch of what happens to them from then on, for the rest of a spec. The API
// server ends a watch after some minutes, and one that is slow at any time; this one then goes on behind the last event.
func followConfigMaps(ctx context.Context, namespace string) (map[string]*corev1.ConfigMap, watch.Interface) {
	GinkgoHelper()
	config := rest.CopyConfig(controlPlane.Config)
	config.ContentType = runtime.ContentTypeProtobuf
	clients, err := kubernetes.NewForConfig(config)
	Expect(err).NotTo(HaveOccurred())
	configMaps := clients.CoreV1().ConfigMaps(namespace)
	list, err := configMaps.List(ctx, metav1.ListOptions{})
	Expect(err).NotTo(HaveOccurred())
	there := map[string]*corev1.ConfigMap{}
	for i := range list.Items {
		there[list.Items[i].Name] = &list.Items[i]
	}
	events, err := watchtools.NewRetryWatcherWithContext(context.WithoutCancel(ctx), list.ResourceVersion,
		&toolscache.ListWatch{WatchFuncWithContext: configMaps.Watch})
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(events.Stop)
	return there, events
}

func watchRegistry(ctx context.Context, namespace string) *registryWatcher {
	GinkgoHelper()
	there, events := followConfigMaps(ctx, namespace)
	w := &registryWatcher{watch: events, done: make(chan struct{}), objects: there, gone: map[types.UID]bool{}}
	w.failure = w.check()
	go w.run()
	return w
}

func (w *registryWatcher) run() {
	defer close(w.done)
	for event := range w.watch.ResultChan() {
		configMap, ok := event.Object.(*corev1.ConfigMap)
		if !ok {
			break // stop tells
		}
		w.objects[configMap.Name] = configMap
		if event.Type == watch.Deleted {
			delete(w.objects, configMap.Name)
		}
		if err := w.check(); err != nil && w.failure == nil {
			w.failure = fmt.Errorf("after %s of %s: %w", event.Type, configMap.Name, err)
		}
	}
}

func (w *registryWatcher) check() error {
	index := w.objects[registry.ConfigMapName]
	if index == nil {
		return nil
	}
	w.indexes++
	decoded, err := registry.DecodeIndex(index)
	if err != nil {
		return err
	}
	if decoded.Generation < w.generation {
		return fmt.Errorf("the index's generation went from %d to %d", w.generation, decoded.Generation)
	}
	w.generation = decoded.Generation
	texts, err := registry.Parse(index, func(name string) *corev1.ConfigMap { return w.objects[name] })
	if err != nil {
		return err
	}
	return w.compare(texts)
}

// compare holds a registry against the one before.
func (w *registryWatcher) compare(texts map[string]string) error {
	entries, err := decodeAll(texts)
	if err != nil {
		return err
	}
	for name, entry := range entries {
		if w.gone[entry.Kubernetes.UID] {
			return fmt.Errorf("the deleted task of %s came back", name)
		}
		if last, known := w.last[name]; known && last.Kubernetes.UID == entry.Kubernetes.UID && entry.Kubernetes.Generation < last.Kubernetes.Generation {
			return fmt.Errorf("%s went from generation %d to %d", name, last.Kubernetes.Generation, entry.Kubernetes.Generation)
		}
	}
	for name, last := range w.last {
		if entry, still := entries[name]; !still || entry.Kubernetes.UID != last.Kubernetes.UID {
			w.gone[last.Kubernetes.UID] = true
		}
	}
	w.last = entries
	return nil
}

// stop ends the watch and returns how many states with an index were seen.
func (w *registryWatcher) stop() int {
	GinkgoHelper()
	Expect(w.done).NotTo(BeClosed(), "the watch of this test ended")
	w.watch.Stop()
	<-w.done
	Expect(w.failure).NotTo(HaveOccurred())
	return w.indexes
}
