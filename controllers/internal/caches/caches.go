// Package caches keeps what the controllers read of a cluster: tasks, the metadata of registries' ConfigMaps, and nodes, each without
// what nobody reads.
package caches

import (
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/cluster"
	"sigs.k8s.io/controller-runtime/pkg/manager"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/registry"
)

// Options make the manager's cache: tasks, and the metadata of registries' shards. What is read from it may not be changed.
func Options() cache.Options {
	tasks := newTaskSlimmer()
	return cache.Options{ByObject: map[client.Object]cache.ByObject{
		&v1alpha1.MazeTask{}: {Transform: tasks.slim, UnsafeDisableDeepCopy: ptr.To(true)},
		ConfigMapMetadata():  metadataOf(cache.ByObject{Label: labels.SelectorFromSet(labels.Set{registry.RoleLabel: registry.RoleShard})}),
	}}
}

// AddIndexes adds to the manager a cache of the metadata of the ConfigMaps named maze-registry, whoever made them: so an index that has
// lost its label is seen, and one that belongs to someone else is seen to come and to go.
func AddIndexes(mgr manager.Manager, namespaces []string, refusals *Refusals) (cache.Cache, error) {
	return add(mgr, "registry indexes", NewCache(namespaces, refusals), map[client.Object]cache.ByObject{
		ConfigMapMetadata(): metadataOf(cache.ByObject{Field: fields.OneTermEqualSelector("metadata.name", registry.ConfigMapName)}),
	})
}

// AddNodes adds to the manager a cache of the cluster's nodes, each as slim makes it.
func AddNodes(mgr manager.Manager, slim func(*corev1.Node) *corev1.Node) (cache.Cache, error) {
	return add(mgr, "nodes", cache.New, map[client.Object]cache.ByObject{
		&corev1.Node{}: {UnsafeDisableDeepCopy: ptr.To(true), Transform: func(object any) (any, error) {
			if node, ok := object.(*corev1.Node); ok {
				return slim(node), nil
			}
			return object, nil
		}},
	})
}

// add adds a cache beside the manager's, which takes one selection of a type only, and has one set of namespaces for all.
func add(mgr manager.Manager, of string, newCache cache.NewCacheFunc, objects map[client.Object]cache.ByObject) (cache.Cache, error) {
	beside, err := cluster.New(mgr.GetConfig(), func(o *cluster.Options) {
		o.NewCache = newCache
		o.Scheme, o.Logger, o.HTTPClient, o.Cache.ByObject = mgr.GetScheme(), mgr.GetLogger(), mgr.GetHTTPClient(), objects
	})
	if err != nil {
		return nil, fmt.Errorf("make the cache of %s: %w", of, err)
	}
	if err := mgr.Add(beside); err != nil {
		return nil, fmt.Errorf("add the cache of %s: %w", of, err)
	}
	return beside.GetCache(), nil
}

// ConfigMapMetadata returns an object that stands for the metadata of ConfigMaps where a cache is asked for it. Their content is never
// cached: others can make it large, and what of it matters is read when it is needed.
func ConfigMapMetadata() *metav1.PartialObjectMetadata {
	return &metav1.PartialObjectMetadata{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"}}
}

// ConfigMapMetadataList is ConfigMapMetadata for lists.
func ConfigMapMetadataList() *metav1.PartialObjectMetadataList {
	return &metav1.PartialObjectMetadataList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMapList"}}
}

func metadataOf(selection cache.ByObject) cache.ByObject {
	selection.Transform, selection.UnsafeDisableDeepCopy = slimMetadata, ptr.To(true)
	return selection
}
