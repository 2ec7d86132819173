package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// platform is what Go calls GOOS and GOARCH.
type platform struct{ os, arch string }

// platforms are those of hack/release, and with them those of hack/image.
var platforms = []platform{
	{"darwin", "amd64"}, {"darwin", "arm64"}, {"linux", "amd64"}, {"linux", "arm64"}, {"windows", "amd64"}, {"windows", "arm64"},
}

// goPackage is what is used of what go list tells.
type goPackage struct {
	ImportPath, Dir, Root string
	Standard              bool
	Module                *struct {
		Path, Version, Dir string
		Main               bool
	}
}

// linked returns what the programs are linked with on a platform, by name.
func linked(ctx context.Context, root string, p platform) (map[string]component, error) {
	list := exec.CommandContext(ctx, "go", "list", "-deps", "-json=ImportPath,Dir,Root,Standard,Module", "./cmd/manager", "./cmd/mazectl", "./examples/scheduler")
	list.Dir = root
	list.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off", "GOOS="+p.os, "GOARCH="+p.arch)
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	all := parts{components: map[string]component{}, folders: map[string]map[string]string{}}
	decoder := json.NewDecoder(bytes.NewReader(out))
	for {
		var found goPackage
		if err := decoder.Decode(&found); errors.Is(err, io.EOF) {
			return all.components, nil
		} else if err != nil {
			return nil, err
		}
		if err := all.add(&found); err != nil {
			return nil, err
		}
	}
}

// parts are what was found so far.
type parts struct {
	components map[string]component
	// folders are the texts of folders by path: packages share those above them.
	folders map[string]map[string]string
}

// add adds what a package is a part of, with the texts that are in its folder and in those above it.
func (all *parts) add(p *goPackage) error {
	c, top := component{name: "Go's standard library"}, p.Root // of any version of Go: its license is the same
	switch {
	case p.Standard:
	case p.Module.Main:
		return all.addOurs(p)
	default:
		c, top = component{name: p.Module.Path, version: p.Module.Version}, p.Module.Dir
	}
	for folder := p.Dir; ; folder = filepath.Dir(folder) {
		texts, err := all.textsOf(folder)
		if err != nil {
			return err
		}
		c.texts = slices.AppendSeq(c.texts, maps.Values(texts))
		if folder == top || !strings.HasPrefix(folder, top) {
			break
		}
	}
	c.texts = union(all.components[c.name].texts, c.texts)
	all.components[c.name] = c
	return nil
}

// addOurs adds what a package of ours is made of: each file LICENSE.NAME beside it is the license of NAME.
func (all *parts) addOurs(p *goPackage) error {
	texts, err := all.textsOf(p.Dir)
	if err != nil {
		return err
	}
	for file, text := range texts {
		name := strings.TrimPrefix(file, "LICENSE.") + " (in " + strings.TrimPrefix(p.ImportPath, p.Module.Path+"/") + ")"
		all.components[name] = component{name: name, texts: []string{text}}
	}
	return nil
}

func (all *parts) textsOf(folder string) (map[string]string, error) {
	if texts, known := all.folders[folder]; known {
		return texts, nil
	}
	texts, err := textsOf(folder)
	all.folders[folder] = texts
	return texts, err
}
