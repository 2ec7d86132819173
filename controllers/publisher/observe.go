package publisher

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/controllers/internal/caches"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/internal/serving"
)

const (
	// behindLimit is how long the cache may be behind the published registry before the tasks are read from the API server.
	behindLimit = 2 * time.Second
	// sweepAfter is the time after the last write of a registry at which its old shards are deleted. sweepAtLatest is the longest time
	// that a registry which is written all the time keeps them.
	sweepAfter    = 250 * time.Millisecond
	sweepAtLatest = 2 * time.Second
)

// observe reads what may have changed in a namespace: from the caches or, where they have been behind for long, from the API server.
func (p *Publisher) observe(ctx context.Context, namespace string, state *namespaceState, names map[string]struct{}) (serving.Observation, error) {
	now, snapshot := p.Clock.Now(), p.Inventory.Snapshot()
	seen := serving.Observation{
		Now: now, Nodes: snapshot.Resolve, NodesRevision: snapshot.Revision(), Tasks: map[string]*v1alpha1.MazeTask{},
		View: p.taskView(namespace), IndexView: p.indexView(namespace), ShardView: p.shardView(namespace), // before the objects are read
	}
	seen.Sweep = now.Sub(state.written) >= sweepAfter || now.Sub(state.swept) >= sweepAtLatest
	var err error
	switch isBehind := !state.behind.IsZero() && now.Sub(state.behind) >= behindLimit; {
	case isBehind:
		err = p.readAll(ctx, p.Live, namespace, &seen)
	case state.memory.NeedsAll():
		if err = p.readAll(ctx, p.Client, namespace, &seen); err == nil {
			seen.Source = p.taskView(namespace)
		}
	default:
		err = p.readSome(ctx, namespace, names, &seen)
	}
	if err != nil {
		return seen, err
	}
	return seen, p.observeRegistry(ctx, namespace, &seen)
}

// readAll reads all tasks of a namespace. Those of the API server are as of the list's resourceVersion.
func (p *Publisher) readAll(ctx context.Context, reader client.Reader, namespace string, seen *serving.Observation) error {
	var list v1alpha1.MazeTaskList
	if err := reader.List(ctx, &list, client.InNamespace(namespace), client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("list the tasks: %w", err)
	}
	for i := range list.Items {
		seen.Tasks[list.Items[i].Name] = &list.Items[i]
	}
	seen.Complete = true
	if reader == p.Live {
		seen.View, seen.Source, seen.Live = list.ResourceVersion, list.ResourceVersion, true
	}
	return nil
}

// readSome reads the named tasks.
func (p *Publisher) readSome(ctx context.Context, namespace string, names map[string]struct{}, seen *serving.Observation) error {
	for name := range names {
		task := &v1alpha1.MazeTask{}
		switch err := p.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, task); {
		case err == nil:
			seen.Tasks[name] = task
		case apierrors.IsNotFound(err):
			seen.Tasks[name] = nil
		default:
			return fmt.Errorf("read task %s: %w", name, err)
		}
	}
	seen.Source = p.taskView(namespace) // after the tasks are read, which may be newer than the view before that
	return nil
}

// observeRegistry reads the metadata of the registry's ConfigMaps.
func (p *Publisher) observeRegistry(ctx context.Context, namespace string, seen *serving.Observation) error {
	index := caches.ConfigMapMetadata()
	switch err := p.Indexes.Get(ctx, client.ObjectKey{Namespace: namespace, Name: registry.ConfigMapName}, index); {
	case err == nil:
		seen.Index = index
	case !apierrors.IsNotFound(err):
		return fmt.Errorf("read the metadata of ConfigMap %s: %w", registry.ConfigMapName, err)
	}
	shards := caches.ConfigMapMetadataList()
	if err := p.Client.List(ctx, shards, client.InNamespace(namespace), client.UnsafeDisableDeepCopy); err != nil {
		return fmt.Errorf("list the metadata of the shards: %w", err)
	}
	seen.Shards = make([]*metav1.PartialObjectMetadata, 0, len(shards.Items))
	for i := range shards.Items {
		if shard := &shards.Items[i]; registry.IsShardName(shard.Name) {
			seen.Shards = append(seen.Shards, shard)
		}
	}
	return nil
}
