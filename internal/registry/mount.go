package registry

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
)

// currentLink is what the kubelet swaps when a mounted ConfigMap changes: a symbolic link to a folder with the files of one version.
const currentLink = "..data"

// maxSwaps is the number of times that a folder may change while it is read.
const maxSwaps = 5

// Mount is what a folder shows of ConfigMaps that are mounted there.
type Mount struct {
	// Version names the folder that has the files. Empty where they were not written by the kubelet.
	Version string
	Data    map[string]string
}

// ReadMount reads a folder where ConfigMaps are mounted, or into which their keys were written as files: those of one moment, even if the
// kubelet swaps them meanwhile. It skips what no ConfigMap has, such as folders and pipes, and follows no link out of the folder if the
// file system does not, as that of an os.Root. It is an error if all that together has more than limit bytes.
func ReadMount(folder fs.FS, limit int) (Mount, error) {
	for range maxSwaps {
		version, err := MountVersion(folder)
		if err != nil {
			return Mount{}, err
		}
		data, err := readKeys(folder, path.Join(".", version), limit)
		if now, gone := MountVersion(folder); gone == nil && now != version {
			continue // it was swapped meanwhile, and the files may be of a folder that was being removed
		}
		if err != nil {
			return Mount{}, err
		}
		return Mount{version, data}, nil
	}
	return Mount{}, errors.New("it changes too often to be read")
}

// MountVersion returns the name of the folder that the kubelet's link leads to. It is empty if there is no such link, as nothing is mounted.
func MountVersion(folder fs.FS) (string, error) {
	version, err := fs.ReadLink(folder, currentLink)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		_, err := fs.Stat(folder, ".")
		return "", err
	case err != nil:
		return "", err
	case version != path.Base(version) || !strings.HasPrefix(version, "..") || version == "..":
		return "", fmt.Errorf("the link %s leads to %q, not to a version beside it", currentLink, version)
	}
	return version, nil
}

// readKeys reads the files of a folder that can be keys of a ConfigMap, by name.
func readKeys(folder fs.FS, name string, limit int) (map[string]string, error) {
	files, err := fs.ReadDir(folder, name)
	if err != nil {
		return nil, err
	}
	data, left := map[string]string{}, limit
	for _, file := range files {
		key := file.Name()
		if !file.Type().IsRegular() || len(validation.IsConfigMapKey(key)) > 0 {
			continue
		}
		text, err := readKey(folder, path.Join(name, key), left)
		if err != nil {
			return nil, err
		}
		data[key] = text
		if left -= len(key) + len(text); left < 0 {
			return nil, fmt.Errorf("it has more than a ConfigMap can have, %d bytes", limit)
		}
	}
	return data, nil
}

// readKey reads a file, but not much more than limit bytes.
func readKey(folder fs.FS, name string, limit int) (string, error) {
	file, err := folder.Open(name)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	text, err := io.ReadAll(io.LimitReader(file, int64(limit)+1))
	return string(text), err
}
