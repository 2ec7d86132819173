package controllers

import (
	"context"
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/registry"
)

// salvage finds in the published registry what a manager does not remember. It reads the API server, at most once: after a
// restart the caches of the index and of the shards may be of different times.
type salvage struct {
	live      client.Reader
	namespace string
	found     *wreck
}

// wreck is a published registry, whole or not.
type wreck struct {
	// verified are the entries of a registry that is as its index says.
	verified map[string]string
	// claimed are whatever entries the operator's ConfigMaps hold, true or false.
	claimed map[string]string
}

func (s *salvage) read(ctx context.Context) (*wreck, error) {
	if s.found != nil {
		return s.found, nil
	}
	var list corev1.ConfigMapList
	if err := s.live.List(ctx, &list, client.InNamespace(s.namespace)); err != nil {
		return nil, fmt.Errorf("read the published registry: %w", err)
	}
	found, owned := &wreck{claimed: map[string]string{}}, map[string]*corev1.ConfigMap{}
	for i := range list.Items {
		if configMap := &list.Items[i]; registry.Owned(configMap) {
			owned[configMap.Name] = configMap
			maps.Copy(found.claimed, configMap.Data)
		}
	}
	if index := owned[registry.ConfigMapName]; index != nil {
		if entries, err := registry.Parse(index, func(name string) *corev1.ConfigMap { return owned[name] }); err == nil {
			found.verified = entries
		}
	}
	s.found = found
	return found, nil
}

// entryOf gives the published entry of a task, provided that it is the task's and true: the whole registry is as its index
// says, or the entry is the one that the task's status names. Nil if there is none.
func (s *salvage) entryOf(ctx context.Context, t *v1alpha1.MazeTask) (*registry.Item, error) {
	if t.Generation == 1 {
		return nil, nil // nothing was accepted before the first generation
	}
	found, err := s.read(ctx)
	if err != nil {
		return nil, err
	}
	encoded, verified := found.verified[t.Spec.Name]
	if !verified {
		encoded = found.claimed[t.Spec.Name]
	}
	item, err := registry.Decode(encoded)
	if err != nil {
		return nil, nil //nolint:nilerr // someone has edited it: it is no entry of ours
	}
	if item.UID != t.UID || item.Name != t.Spec.Name {
		return nil, nil
	}
	if !verified && (t.Status.Entry == nil || t.Status.Entry.Digest != item.Digest) {
		return nil, nil
	}
	return &item, nil
}

// digests gives the digest of every entry of a registry that is as its index says; nil where there is none.
func (s *salvage) digests(ctx context.Context) map[string]string {
	found, err := s.read(ctx)
	if err != nil || found.verified == nil {
		return nil
	}
	out := make(map[string]string, len(found.verified))
	for name, encoded := range found.verified {
		out[name] = registry.EntryDigest(encoded)
	}
	return out
}
