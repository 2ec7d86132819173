// Package image tests the image that needs no container engine: that two builds are the same, and that it runs as it is meant to.
package image

import (
	"archive/tar"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/maze-agent/maregister/test/testutil"
)

// epoch is what the builds take for the time of the commit.
const epoch = "1767225600" // 2026-01-01T00:00:00Z

// largest is the largest compressed size of an image for one platform, in bytes.
const largest = 40 << 20

func TestImage(t *testing.T) {
	sources := copySources(t)
	first, digest := build(t, testutil.Root())
	second, again := build(t, sources)
	if digest != again {
		t.Fatalf("two builds have the digests %s and %s", digest, again)
	}
	for name, content := range first {
		if second[name] != content {
			t.Errorf("two builds differ in %s", name)
		}
	}
	if len(first) != len(second) {
		t.Errorf("two builds have %d and %d files", len(first), len(second))
	}

	images := imagesOf(t, first, digest)
	if got := strings.Join(sortedKeys(images), " "); got != "linux/amd64 linux/arm64" {
		t.Errorf("there are images for %s", got)
	}
	for platform, image := range images {
		t.Logf("%s: %.1f MB", platform, float64(image.size)/1e6)
		if image.size > largest {
			t.Errorf("%s has %d bytes, and may have %d", platform, image.size, largest)
		}
		if image.config.User != "65532:65532" || strings.Join(image.config.Entrypoint, " ") != "/manager" {
			t.Errorf("%s runs %q as %s", platform, image.config.Entrypoint, image.config.User)
		}
		for label, want := range map[string]string{
			"title": "maregister", "version": "v1.2.3", "revision": "abc", "created": "2026-01-01T00:00:00Z", "licenses": "Apache-2.0",
			"source": "https://github.com/maze-agent/maregister", "description": "Kubernetes operator that publishes Maze's tasks as a registry",
		} {
			if got := image.config.Labels["org.opencontainers.image."+label]; got != want {
				t.Errorf("%s: label %s is %q, want %q", platform, label, got, want)
			}
		}
	}
	t.Run("starts", func(t *testing.T) { startsReadOnly(t, images[nativePlatform].files) })
}

// copySources copies the sources to another folder, where every file has another time.
func copySources(t *testing.T) string {
	t.Helper()
	folder := filepath.Join(t.TempDir(), "elsewhere")
	for _, name := range []string{"api", "cmd", "config", "controllers", "internal"} {
		if err := os.CopyFS(filepath.Join(folder, name), os.DirFS(filepath.Join(testutil.Root(), name))); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"go.mod", "go.sum"} {
		content, err := os.ReadFile(filepath.Join(testutil.Root(), name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	long := time.Date(2001, 2, 3, 4, 5, 6, 0, time.UTC)
	err := filepath.WalkDir(folder, func(path string, _ os.DirEntry, err error) error {
		return errors.Join(err, os.Chtimes(path, long, long))
	})
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

// build makes an archive and gives its files by name, and the digest that was printed.
func build(t *testing.T, sources string) (files map[string]string, digest string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "image.tar")
	command := exec.CommandContext(t.Context(), "go", "-C", filepath.Join(testutil.Root(), "hack", "image"), "run", ".",
		"-source", sources, "-out", out, "-version", "v1.2.3", "-revision", "abc")
	command.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "SOURCE_DATE_EPOCH="+epoch)
	command.Stderr = t.Output()
	printed, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	archive, err := os.Open(out) //nolint:gosec // the file is ours
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = archive.Close() }()
	files, err = untar(archive)
	if err != nil {
		t.Fatal(err)
	}
	return files, strings.TrimSpace(string(printed))
}

// image is what the archive has for a platform.
type image struct {
	config struct {
		User       string
		Entrypoint []string
		Labels     map[string]string
	}
	size  int64
	files map[string]string
}

type descriptor struct {
	Digest   string
	Size     int64
	Platform struct{ OS, Architecture string }
}

// imagesOf follows the archive from index.json to the files of each image.
func imagesOf(t *testing.T, archive map[string]string, digest string) map[string]image {
	t.Helper()
	var top, index struct{ Manifests []descriptor }
	decode(t, archive["index.json"], &top)
	if len(top.Manifests) != 1 || top.Manifests[0].Digest != digest {
		t.Fatalf("index.json has %v, and %s was printed", top.Manifests, digest)
	}
	blob := func(d descriptor) string { return archive["blobs/"+strings.Replace(d.Digest, ":", "/", 1)] }
	decode(t, blob(top.Manifests[0]), &index)
	images := map[string]image{}
	for _, d := range index.Manifests {
		var manifest struct {
			Config descriptor
			Layers []descriptor
		}
		decode(t, blob(d), &manifest)
		found := image{files: map[string]string{}}
		decode(t, blob(manifest.Config), &struct{ Config any }{&found.config})
		for _, layer := range manifest.Layers {
			found.size += layer.Size
			unpacked, err := gzip.NewReader(strings.NewReader(blob(layer)))
			if err != nil {
				t.Fatal(err)
			}
			files, err := untar(unpacked)
			if err != nil {
				t.Fatal(err)
			}
			maps.Copy(found.files, files)
		}
		images[d.Platform.OS+"/"+d.Platform.Architecture] = found
	}
	return images
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("%v in %q", err, text)
	}
}

// untar gives the files of a tar by name, without folders.
func untar(in io.Reader) (map[string]string, error) {
	files := map[string]string{}
	archive := tar.NewReader(in)
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files, nil
		}
		if err != nil {
			return nil, err
		}
		content, err := io.ReadAll(archive)
		if err != nil {
			return nil, err
		}
		if header.Typeflag == tar.TypeReg {
			files[header.Name] = string(content)
		}
	}
}
