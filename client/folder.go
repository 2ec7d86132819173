package client

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/maze-agent/maregister/internal/registry"
)

// maxFolder is the largest size of a ConfigMap's data, in bytes.
const maxFolder = 1 << 20

// ReadFolder reads a registry from a folder where the ConfigMap maze-registry is mounted, or into which its keys were written as files.
//
// A mounted ConfigMap cannot show a registry of several ConfigMaps, whose names change: that is an error which says so. An optional
// mount is without files while the ConfigMap is not there, and is a registry without tasks.
func ReadFolder(folder string) (Snapshot, error) {
	var f fold
	if err := f.readFolder(folder); err != nil {
		return Snapshot{}, err
	}
	s, _, err := f.snapshot()
	if err != nil {
		return Snapshot{}, fmt.Errorf("folder %s: %w", folder, bounded(err))
	}
	return s, nil
}

// NewFromFolder returns a Registry that follows a folder as ReadFolder reads it, and looks at it at the given interval. The kubelet brings a
// change within about a minute by itself. A ConfigMap that is mounted by subPath never changes.
func NewFromFolder(folder string, interval time.Duration) (*Registry, error) {
	if interval <= 0 {
		return nil, fmt.Errorf("the interval %s is not positive", interval)
	}
	return newRegistry("folder "+folder, func(ctx context.Context, r *Registry) {
		followFolder(ctx, r, folder, interval)
	}), nil
}

// followFolder reads a folder whenever its version has changed, and again and again where it has none or cannot be read.
func followFolder(ctx context.Context, r *Registry, folder string, interval time.Duration) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	var f fold
	last := ""
	for {
		version, err := inFolder(folder, registry.MountVersion)
		if err != nil || version == "" || version != last {
			err = f.readFolder(folder)
			r.hear(ctx, err)
			if err == nil {
				last = version
				s, ok, illegible := f.snapshot()
				r.tell(ctx, s, ok, illegible)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// readFolder takes what a folder holds in place of all before.
func (f *fold) readFolder(folder string) error {
	mount, err := inFolder(folder, func(files fs.FS) (registry.Mount, error) { return registry.ReadMount(files, maxFolder) })
	if err != nil {
		return err
	}
	return f.take(folder, mount)
}

// inFolder reads something in a folder, and nothing that a link in it leads to elsewhere.
func inFolder[T any](folder string, read func(fs.FS) (T, error)) (out T, err error) {
	root, err := os.OpenRoot(folder)
	if err != nil {
		return out, err
	}
	defer func() { _ = root.Close() }()
	if out, err = read(root.FS()); err != nil {
		return out, fmt.Errorf("folder %s: %w", folder, err)
	}
	return out, nil
}

// take takes what is in a folder. It is an error if that is no whole registry of one ConfigMap.
func (f *fold) take(folder string, mount registry.Mount) error {
	data := mount.Data
	if len(data) == 0 && mount.Version != "" {
		f.replace(nil)
		return nil
	}
	if _, ok := data[registry.IndexKey]; !ok {
		return fmt.Errorf("folder %s has no file %s: mount the whole ConfigMap %s there", folder, registry.IndexKey, registry.ConfigMapName)
	}
	configMap := &corev1.ConfigMap{Data: data}
	configMap.Name = registry.ConfigMapName
	o := objectOf(configMap)
	for _, ref := range o.index.Shards {
		if ref.Name != registry.ConfigMapName {
			return fmt.Errorf("folder %s has only the index of a registry of %d tasks in %d ConfigMaps: follow the API server instead, "+
				"or let the operator's registry.shardSize, at most 1 MiB, be large enough for one", folder, o.index.Tasks, len(o.index.Shards))
		}
	}
	f.replace([]*object{o})
	return nil
}
