package main

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/registry"
)

// maxFindings is how many findings are kept: the first ones tell most.
const maxFindings = 10

// audit checks every state of a registry that a watcher sees.
type audit struct {
	// states is the number of indexes that were followed, and largest the size of the largest ConfigMap's data in bytes.
	states  int
	largest int
	// findings are what was wrong.
	findings []string

	generation int64
	// served is the resourceVersion of the index that first had an entry, by the entry's name.
	served map[string]string
}

func newAudit() *audit { return &audit{served: map[string]string{}} }

// observe checks what a change of a ConfigMap may have broken. configMaps are those that are there after it.
func (a *audit) observe(configMaps map[string]*corev1.ConfigMap, changed *corev1.ConfigMap) {
	if a == nil {
		return
	}
	size := dataSize(changed)
	a.largest = max(a.largest, size)
	if size > registry.DefaultShardSize {
		a.find("ConfigMap %s has %d bytes", changed.Name, size)
	}
	index := configMaps[registry.ConfigMapName]
	switch {
	case index != nil && (changed.Name == index.Name || names(index, changed.Name)):
		a.follow(index, configMaps)
	case index == nil && a.states > 0:
		a.find("there is no index after %d states", a.states)
	}
}

// names reports whether an index names a ConfigMap. What becomes of others cannot make a registry inconsistent.
func names(index *corev1.ConfigMap, name string) bool {
	decoded, err := registry.DecodeIndex(index)
	if err != nil {
		return true
	}
	for _, ref := range decoded.Shards {
		if ref.Name == name {
			return true
		}
	}
	return false
}

// follow reads the registry as a consumer does.
func (a *audit) follow(index *corev1.ConfigMap, configMaps map[string]*corev1.ConfigMap) {
	a.states++
	decoded, err := registry.DecodeIndex(index)
	if err != nil {
		a.find("%v", err)
		return
	}
	if decoded.Generation < a.generation {
		a.find("the index's generation went from %d to %d", a.generation, decoded.Generation)
	}
	a.generation = decoded.Generation
	entries, err := registry.Parse(index, func(name string) *corev1.ConfigMap { return configMaps[name] })
	if err != nil {
		a.find("generation %d: %v", decoded.Generation, err)
		return
	}
	for name := range entries {
		if _, known := a.served[name]; !known {
			a.served[name] = index.ResourceVersion
		}
	}
}

func (a *audit) find(format string, arguments ...any) {
	if len(a.findings) < maxFindings {
		a.findings = append(a.findings, fmt.Sprintf(format, arguments...))
	}
}

// compareOrder checks that no task was Ready before the registry served it. etcd numbers all changes in one sequence.
func (a *audit) compareOrder(w *watcher) {
	for name, task := range w.ready {
		order, err := resourceversion.CompareResourceVersion(a.served[task.key], task.since)
		if err != nil || order >= 0 {
			a.find("task %s was Ready at %s, and first served at %q", name, task.since, a.served[task.key])
		}
	}
}

// conclude returns what was found as an error.
func (a *audit) conclude() error {
	var errs []error
	for _, finding := range a.findings {
		errs = append(errs, errors.New(finding))
	}
	return errors.Join(errs...)
}

func dataSize(configMap *corev1.ConfigMap) int {
	size := 0
	for key, value := range configMap.Data {
		size += len(key) + len(value)
	}
	return size
}

// compareRegistry checks that a namespace's registry, read anew, has one entry for each task, made from its present generation, and
// none else. It returns the number of the registry's ConfigMaps, the index's included.
func compareRegistry(ctx context.Context, from client.Reader, namespace string) (configMapCount int, err error) {
	var tasks v1alpha1.MazeTaskList
	if err := from.List(ctx, &tasks, client.InNamespace(namespace)); err != nil {
		return 0, fmt.Errorf("list the tasks: %w", err)
	}
	var list corev1.ConfigMapList
	if err := from.List(ctx, &list, client.InNamespace(namespace)); err != nil {
		return 0, fmt.Errorf("list the ConfigMaps: %w", err)
	}
	configMaps := map[string]*corev1.ConfigMap{}
	for i := range list.Items {
		configMaps[list.Items[i].Name] = &list.Items[i]
	}
	index := configMaps[registry.ConfigMapName]
	if index == nil {
		return 0, errors.New("there is no registry")
	}
	entries, err := registry.Parse(index, func(name string) *corev1.ConfigMap { return configMaps[name] })
	if err != nil {
		return 0, err
	}
	if len(entries) != len(tasks.Items) {
		return 0, fmt.Errorf("there are %d tasks and %d entries", len(tasks.Items), len(entries))
	}
	for i := range tasks.Items {
		task := &tasks.Items[i]
		item, err := registry.Decode(entries[task.Spec.Name])
		if err != nil || item.UID != task.UID || item.Generation != task.Generation {
			return 0, fmt.Errorf("the entry %s is not that of MazeTask %s: %w", task.Spec.Name, task.Name, err)
		}
	}
	return len(configMaps), nil
}
