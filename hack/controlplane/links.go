package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
)

// assembledDir is where the binaries of an assets directory are completed with others.
func assembledDir(dir, assets string) string {
	return filepath.Join(dir, fmt.Sprintf("with-%x", sha256.Sum256([]byte(assets)))[:len("with-")+8])
}

// assemble links the wanted components into one directory: those that assets has from there, the others from the cache.
func assemble(assembled, assets, cache string, wanted []component) error {
	if err := os.MkdirAll(assembled, 0o755); err != nil {
		return err
	}
	for _, c := range wanted {
		from := assets
		if len(missing(assets, []component{c})) > 0 {
			from = cache
		}
		if err := link(filepath.Join(from, c.name), filepath.Join(assembled, c.name)); err != nil {
			return err
		}
	}
	return nil
}

// link makes path a symbolic link to target, in one step: another process never sees the path without a file.
func link(target, path string) error {
	if current, err := os.Readlink(path); err == nil && current == target {
		return nil
	}
	temporary := fmt.Sprintf("%s.%d.tmp", path, os.Getpid())
	if err := os.Symlink(target, temporary); err != nil {
		return err
	}
	if err := os.Rename(temporary, path); err != nil {
		_ = os.Remove(temporary)
		return err
	}
	return nil
}
