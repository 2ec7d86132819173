package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/maze-agent/maregister/internal/registry"
)

// currentLink is what the kubelet swaps when a mounted ConfigMap changes: a symbolic link to a folder with the files of one version.
const currentLink = "..data"

// maxFolder is the most that a ConfigMap's data has, in bytes.
const maxFolder = 1 << 20

// maxSwaps is how often a folder may change while it is read.
const maxSwaps = 5

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

// NewFromFolder makes a Registry that follows a folder as ReadFolder reads it, and looks at it at the given interval. The kubelet brings a
// change within about a minute by itself. A ConfigMap that is mounted by subPath never changes.
func NewFromFolder(folder string, interval time.Duration) (*Registry, error) {
	if interval <= 0 {
		return nil, fmt.Errorf("the interval %s is not positive", interval)
	}
	return newRegistry("folder "+folder, func(ctx context.Context, r *Registry) {
		followFolder(ctx, r, folder, interval)
	}), nil
}

func followFolder(ctx context.Context, r *Registry, folder string, interval time.Duration) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	var f fold
	last := ""
	for {
		version, err := versionOf(folder)
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
	for range maxSwaps {
		version, err := versionOf(folder)
		if err != nil {
			return err
		}
		data, err := readFiles(filepath.Join(folder, version))
		if now, gone := versionOf(folder); gone == nil && now != version {
			continue // it was swapped meanwhile, and the files may be of a folder that was being removed
		}
		if err != nil {
			return err
		}
		return f.take(folder, version, data)
	}
	return fmt.Errorf("folder %s changes too often to be read", folder)
}

func (f *fold) take(folder, version string, data map[string]string) error {
	if len(data) == 0 && version != "" {
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

// versionOf gives the name of the folder that currentLink leads to: empty where there is no such link, as the ConfigMap is not mounted.
func versionOf(folder string) (string, error) {
	version, err := os.Readlink(filepath.Join(folder, currentLink))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", nil
	case err != nil:
		return "", err
	case version != filepath.Base(version) || !strings.HasPrefix(version, "..") || version == "..":
		return "", fmt.Errorf("folder %s: the link %s leads to %q, not to a version beside it", folder, currentLink, version)
	}
	return version, nil
}

// readFiles reads the regular files of a folder, by name.
func readFiles(path string) (map[string]string, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = root.Close() }()
	files, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return nil, err
	}
	data, left := map[string]string{}, maxFolder
	for _, file := range files {
		name := file.Name()
		if !file.Type().IsRegular() || len(validation.IsConfigMapKey(name)) > 0 {
			continue
		}
		text, err := readFile(root, name, left)
		if err != nil {
			return nil, err
		}
		data[name] = text
		if left -= len(name) + len(text); left < 0 {
			return nil, fmt.Errorf("folder %s has more than a ConfigMap can have, %d bytes", path, maxFolder)
		}
	}
	return data, nil
}

// readFile reads a file, but not much more than limit bytes.
func readFile(root *os.Root, name string, limit int) (string, error) {
	file, err := root.Open(name)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, int64(limit)+1))
	return string(text), err
}
