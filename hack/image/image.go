package main

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// user is who the program runs as: nonroot, by the number that is usual.
const user = "65532:65532"

// platforms are those that there can be images for.
var platforms = []v1.Platform{{OS: "linux", Architecture: "amd64"}, {OS: "linux", Architecture: "arm64"}}

// program is what there can be an image of.
type program struct{ title, description, folder string }

var programs = map[string]program{
	"manager":   {"maregister", "Kubernetes operator that publishes Maze's tasks as a registry", "./cmd/manager"},
	"mazectl":   {"mazectl", "Command line of MaRegister: finds, checks and applies Maze's tasks", "./cmd/mazectl"},
	"scheduler": {"maze-scheduler", "Example of a scheduler: runs workflows of Maze's tasks as Pods", "./examples/scheduler"},
}

// labels are those of https://github.com/opencontainers/image-spec/blob/main/annotations.md. Scanners and SBOM tools read them.
func (o *options) labels() map[string]string {
	const prefix = "org.opencontainers.image."
	return map[string]string{
		prefix + "title":       programs[o.program].title,
		prefix + "description": programs[o.program].description,
		prefix + "source":      "https://github.com/maze-agent/maregister",
		prefix + "version":     o.version,
		prefix + "revision":    o.revision,
		prefix + "created":     o.created.Format(time.RFC3339),
		prefix + "licenses":    "Apache-2.0",
	}
}

// index makes the image for each of the platforms.
func (o *options) index(ctx context.Context) (v1.ImageIndex, error) {
	if _, known := programs[o.program]; !known {
		return nil, fmt.Errorf("there is no program %q: take %s", o.program, strings.Join(slices.Sorted(maps.Keys(programs)), ", "))
	}
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, platform := range o.platforms {
		image, err := o.image(ctx, platform)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", platform, err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: &platform}})
	}
	annotated, ok := mutate.Annotations(index, o.labels()).(v1.ImageIndex)
	if !ok {
		return nil, fmt.Errorf("annotating an index gave a %T", annotated)
	}
	return annotated, nil
}

func (o *options) image(ctx context.Context, platform v1.Platform) (v1.Image, error) {
	program, err := o.compile(ctx, platform)
	if err != nil {
		return nil, err
	}
	files, err := o.files(program)
	if err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(files)), nil },
		tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, err
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	created := v1.Time{Time: o.created}
	image, err = mutate.Append(image, mutate.Addendum{Layer: layer, History: v1.History{Created: created, CreatedBy: "hack/image"}})
	if err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture, config.Created = platform.OS, platform.Architecture, created
	config.Config = v1.Config{User: user, Entrypoint: []string{"/" + o.program}, WorkingDir: "/", Labels: o.labels()}
	return mutate.ConfigFile(image, config)
}

// versionPackage holds the variables that a program prints as its version.
const versionPackage = "github.com/maze-agent/maregister/internal/version"

// compile compiles the program without a C compiler, without a path or a time.
func (o *options) compile(ctx context.Context, platform v1.Platform) (content []byte, err error) {
	folder, err := os.MkdirTemp("", "image-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(folder) }()
	binary := filepath.Join(folder, o.program)
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-o", binary,
		"-ldflags=-s -w -buildid= -X "+versionPackage+".number="+o.version+" -X "+versionPackage+".revision="+o.revision, programs[o.program].folder)
	build.Dir = o.source
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off", "GOOS="+platform.OS, "GOARCH="+platform.Architecture, "GOAMD64=v1", "GOARM64=v8.0")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return nil, err
	}
	return os.ReadFile(binary)
}

// files returns the image's files as a tar. There are no CA certificates: a Pod gets the API server's with its service account, and a
// kubeconfig names its own.
func (o *options) files(program []byte) ([]byte, error) {
	license, err := os.ReadFile(filepath.Join(o.source, "LICENSE"))
	if err != nil {
		return nil, err
	}
	notices, err := os.ReadFile(filepath.Join(o.source, "THIRD_PARTY_NOTICES"))
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	archive := tar.NewWriter(&out)
	for _, file := range []struct {
		name    string
		mode    int64
		content []byte
	}{
		{"etc/", 0o755, nil},
		{"etc/group", 0o644, []byte("root:x:0:\nnonroot:x:65532:\n")},
		{"etc/passwd", 0o644, []byte("root:x:0:0:root:/root:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/:/sbin/nologin\n")},
		{"licenses/", 0o755, nil},
		{"licenses/LICENSE", 0o444, license},
		{"licenses/THIRD_PARTY_NOTICES", 0o444, notices},
		{o.program, 0o555, program},
	} {
		if err := addFile(archive, file.name, file.mode, o.created, file.content); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), archive.Close()
}

func addFile(archive *tar.Writer, name string, mode int64, changed time.Time, content []byte) error {
	// Without a type, the writer takes a name with a slash at its end for a folder's.
	if err := archive.WriteHeader(&tar.Header{Name: name, Mode: mode, ModTime: changed, Size: int64(len(content))}); err != nil {
		return err
	}
	_, err := archive.Write(content)
	return err
}
