package main

import (
	"archive/tar"
	"errors"
	"os"
	"path/filepath"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
)

// writeArchive writes an OCI layout as one file, in the order of names and without times. The name of the image is in its index.json alone,
// so the image has the same digest under any name.
// https://github.com/opencontainers/image-spec/blob/main/image-layout.md
func writeArchive(out string, index v1.ImageIndex, name reference) (err error) {
	folder, err := os.MkdirTemp("", "image-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	path, err := layout.Write(folder, empty.Index)
	if err != nil {
		return err
	}
	if err := path.AppendIndex(index, layout.WithAnnotations(name.annotations())); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil { //nolint:gosec // what is given out may be read by all
		return err
	}
	file, err := os.Create(out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	archive := tar.NewWriter(file)
	if err := addFolder(archive, folder); err != nil {
		return err
	}
	return archive.Close()
}

func addFolder(archive *tar.Writer, folder string) error {
	return filepath.WalkDir(folder, func(path string, entry os.DirEntry, err error) error { // in the order of names
		if err != nil || entry.IsDir() {
			return err
		}
		name, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		content, err := os.ReadFile(path) //nolint:gosec // the folder is ours
		if err != nil {
			return err
		}
		return addFile(archive, filepath.ToSlash(name), 0o644, time.Unix(0, 0), content)
	})
}
