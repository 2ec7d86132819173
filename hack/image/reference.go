package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// reference is the name of an image, with the registry and the tag that container engines assume where they are left out.
type reference struct{ full, tag string }

// setName reads the name of the image.
func (o *options) setName(text string) error {
	tag, err := name.NewTag(text)
	if err != nil {
		return fmt.Errorf("-name %q is no name of an image with a tag: %w", text, err)
	}
	// The library names this registry by its address. Container engines and the kubelet call it docker.io.
	full := tag.Name()
	if path, found := strings.CutPrefix(full, name.DefaultRegistry+"/"); found {
		full = "docker.io/" + path
	}
	o.name = reference{full: full, tag: tag.TagStr()}
	return nil
}

// annotations are what those who import the archive take the name from. containerd, and with it kind, reads the first one. The second is
// the name of one image of several in an OCI layout: skopeo and podman know it.
func (r reference) annotations() map[string]string {
	return map[string]string{"io.containerd.image.name": r.full, "org.opencontainers.image.ref.name": r.tag}
}

// setPlatforms reads the platforms, each once.
func (o *options) setPlatforms(text string) error {
	for _, one := range strings.Split(text, ",") {
		platform := v1.Platform{}
		system, architecture, ok := strings.Cut(strings.TrimSpace(one), "/")
		if platform.OS, platform.Architecture = system, architecture; !ok || !slices.ContainsFunc(platforms, platform.Equals) {
			return fmt.Errorf("-platform has %q: take linux/amd64, linux/arm64, or both with a comma between them", one)
		}
		if !slices.ContainsFunc(o.platforms, platform.Equals) {
			o.platforms = append(o.platforms, platform)
		}
	}
	return nil
}
