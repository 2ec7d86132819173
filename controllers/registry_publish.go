package controllers

import (
	"context"
	"errors"
	"fmt"
	"maps"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/maze-agent/maregister/internal/registry"
)

// publish writes what differs: new shards, then the index. Its failure is an outcome, which is announced.
func (r *registryReconciler) publish(ctx context.Context, s *scope) error {
	if s.isBare() {
		return nil // a namespace gets a registry with its first task
	}
	s.started = r.clock.Now()
	wrote, err := r.write(ctx, s)
	s.wrote = wrote
	switch {
	case err == nil:
		s.memory.published = digests(s.wanted)
	case s.memory.published == nil:
		s.memory.published = s.salvage.digests(ctx)
	}
	s.publishing, s.published = err, err == nil
	if s.published {
		if waited := r.gather.delivered(s.namespace, r.clock.Now()); wrote {
			r.latency.Observe(waited.Seconds())
		}
	}
	return nil
}

// write returns whether anything was written.
func (r *registryReconciler) write(ctx context.Context, s *scope) (bool, error) {
	if s.index != nil && !registry.Owned(s.index) {
		return false, foreign(s.index)
	}
	wrote := false
	for i := range s.wanted {
		shard := &s.wanted[i]
		if shard.Name == registry.ConfigMapName {
			continue
		}
		did, err := r.ensureShard(ctx, s, shard, s.shards[shard.Name])
		wrote = wrote || did
		if err != nil {
			return wrote, fmt.Errorf("ConfigMap %s: %w", shard.Name, err)
		}
	}
	did, err := r.ensureIndex(ctx, s)
	wrote = wrote || did
	if err != nil {
		return wrote, fmt.Errorf("ConfigMap %s: %w", registry.ConfigMapName, err)
	}
	if wrote {
		log.FromContext(ctx).Info("Wrote the registry", "indexGeneration", s.memory.index.Generation, "tasks", s.memory.index.Tasks, "shards", len(s.wanted))
	}
	return wrote, nil
}

// ensureShard makes an immutable ConfigMap be there. live is as the cache has it: nil where it knows of none.
func (r *registryReconciler) ensureShard(ctx context.Context, s *scope, shard *registry.Shard, live *corev1.ConfigMap) (bool, error) {
	want := registry.Labels(registry.RoleShard)
	switch {
	case live == nil:
		return true, r.createShard(ctx, s, shard)
	case live.Data[contentKey] != contentOf(shard.Digest, len(shard.Items)) || !ptr.Deref(live.Immutable, false):
		if err := r.delete(ctx, live); err != nil {
			return true, err
		}
		return true, r.client.Create(ctx, shard.ConfigMap(s.namespace))
	case !includes(live.Labels, want):
		whole, err := r.read(ctx, live)
		if err != nil {
			return true, err
		}
		whole.Labels = labels.Merge(whole.Labels, want)
		return true, r.client.Update(ctx, whole)
	default:
		return false, nil
	}
}

// createShard creates a shard that the cache does not know of. It may be there and have lost the label by which the cache
// finds it.
func (r *registryReconciler) createShard(ctx context.Context, s *scope, shard *registry.Shard) error {
	configMap := shard.ConfigMap(s.namespace)
	err := r.client.Create(ctx, configMap)
	if !apierrors.IsAlreadyExists(err) {
		return err
	}
	found, err := r.read(ctx, configMap)
	if err != nil {
		return err
	}
	if !registry.Owned(found) {
		return foreign(found)
	}
	cached, err := dropContent(found)
	if err != nil {
		return err
	}
	_, err = r.ensureShard(ctx, s, shard, cached.(*corev1.ConfigMap))
	return err
}

// read gets a whole ConfigMap from the API server.
func (r *registryReconciler) read(ctx context.Context, named *corev1.ConfigMap) (*corev1.ConfigMap, error) {
	found := &corev1.ConfigMap{}
	if err := r.live.Get(ctx, client.ObjectKeyFromObject(named), found); err != nil {
		return nil, err
	}
	return found, nil
}

// ensureIndex makes maze-registry be as rendered. The API server refuses the write if the ConfigMap is not the one
// that was observed.
func (r *registryReconciler) ensureIndex(ctx context.Context, s *scope) (bool, error) {
	next, err := registry.Render(s.namespace, s.wanted, nextIndex(s), s.index, s.source)
	if err != nil {
		return false, err
	}
	switch {
	case s.index == nil:
		err = r.client.Create(ctx, next)
	case ptr.Deref(s.index.Immutable, false): // it cannot be corrected, only made anew, once the cache shows that it is gone
		return true, errors.Join(r.delete(ctx, s.index), errBehind)
	case sameData(s.index, next) && includes(s.index.Labels, next.Labels) && s.index.Annotations[registry.SourceAnnotation] != "":
		return false, nil
	default:
		err = r.client.Update(ctx, next)
	}
	if err != nil {
		return true, err
	}
	s.memory.written = next.ResourceVersion
	s.memory.index, err = registry.DecodeIndex(next)
	return true, err
}

// nextIndex continues the index that was written last or, after a restart, the one that is published.
func nextIndex(s *scope) registry.Index {
	last := s.memory.index
	if last.Generation == 0 && s.index != nil {
		last, _ = registry.DecodeIndex(s.index) // one that cannot be read is replaced
	}
	return registry.NewIndex(s.wanted, last)
}

// collectGarbage deletes the shards that the index does not name. Nobody waits for that.
func (r *registryReconciler) collectGarbage(ctx context.Context, s *scope) error {
	if !s.published {
		return nil // an index may still name them
	}
	wanted := make(map[string]bool, len(s.wanted))
	for _, shard := range s.wanted {
		wanted[shard.Name] = true
	}
	for name, live := range s.shards {
		if !wanted[name] {
			if err := r.delete(ctx, live); err != nil {
				return fmt.Errorf("ConfigMap %s: %w", name, err)
			}
		}
	}
	return nil
}

// delete deletes the very ConfigMap that was observed.
func (r *registryReconciler) delete(ctx context.Context, live *corev1.ConfigMap) error {
	err := r.client.Delete(ctx, live, client.Preconditions{UID: &live.UID})
	if client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("delete: %w", err)
	}
	return nil
}

func foreign(configMap *corev1.ConfigMap) error {
	return fmt.Errorf("ConfigMap %s %w", configMap.Name, errForeign)
}

// sameData says whether a ConfigMap holds what is wanted and nothing else.
func sameData(live, want *corev1.ConfigMap) bool {
	return maps.Equal(live.Data, want.Data) && len(live.BinaryData) == 0 && ptr.Deref(live.Immutable, false) == ptr.Deref(want.Immutable, false)
}

func includes(all, some map[string]string) bool {
	for key, value := range some {
		if all[key] != value {
			return false
		}
	}
	return true
}

func digests(shards []registry.Shard) map[string]string {
	out := map[string]string{}
	for _, shard := range shards {
		for _, item := range shard.Items {
			out[item.Name] = item.Digest
		}
	}
	return out
}
