// Package image tests the image that needs no container engine: that two builds are the same, that it has a name for those who import it,
// and that it runs as it is meant to.
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
	first, digest := build(t, testutil.Root(), "registry.example.com/ops/maregister:v1.2.3", bothPlatforms)
	second, again := build(t, sources, "maregister", bothPlatforms) // under another name
	if digest != again {
		t.Fatalf("two builds have the digests %s and %s", digest, again)
	}
	for name, content := range first {
		if name == "index.json" {
			continue // it has the name
		}
		if second[name] != content {
			t.Errorf("two builds differ in %s", name)
		}
	}
	if len(first) != len(second) {
		t.Errorf("two builds have %d and %d files", len(first), len(second))
	}

	for want, archive := range map[[2]string]map[string]string{
		{"registry.example.com/ops/maregister:v1.2.3", "v1.2.3"}: first,
		{"docker.io/library/maregister:latest", "latest"}:        second,
	} {
		if got := nameIn(t, archive); got != want {
			t.Errorf("containerd and OCI tools name the image %q, want %q", got, want)
		}
	}

	images := imagesOf(t, first, digest)
	if got := strings.Join(sortedKeys(images), ","); got != bothPlatforms {
		t.Errorf("there are images for %s", got)
	}
	notices := readSource(t, "THIRD_PARTY_NOTICES")
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
		if image.files["licenses/THIRD_PARTY_NOTICES"] != notices || image.files["licenses/LICENSE"] != readSource(t, "LICENSE") {
			t.Errorf("%s lacks a license", platform)
		}
	}
	single, digest := build(t, sources, "maregister:dev", nativePlatform)
	one := imagesOf(t, single, digest)
	if got := strings.Join(sortedKeys(one), ","); got != nativePlatform || one[nativePlatform].digest != images[nativePlatform].digest {
		t.Errorf("an archive for %s has %s, and not the image of the archive for several platforms", nativePlatform, got)
	}
	t.Run("starts", func(t *testing.T) { startsReadOnly(t, one[nativePlatform].files) })
}

const bothPlatforms = "linux/amd64,linux/arm64"

// TestBadOptions: what cannot be made is told before anything is compiled.
func TestBadOptions(t *testing.T) {
	for name, tc := range map[string]struct {
		arguments []string
		want      string
	}{
		"a name in capitals":   {[]string{"-name", "Maregister:dev"}, `-name "Maregister:dev" is no name of an image with a tag`},
		"a digest":             {[]string{"-name", "maregister@sha256:" + strings.Repeat("0", 64)}, "is no name of an image with a tag"},
		"an unknown platform":  {[]string{"-platform", "linux/amd64,linux/s390x"}, `-platform has "linux/s390x": take linux/amd64, linux/arm64, or both`},
		"no platform":          {[]string{"-platform", ""}, `-platform has "": take linux/amd64`},
		"an unknown program":   {[]string{"-program", "manger"}, `there is no program "manger": take manager, mazectl, scheduler`},
		"not what Go calls it": {[]string{"-platform", "amd64"}, `-platform has "amd64"`},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := command(t, tc.arguments...).CombinedOutput()
			if err == nil || !strings.Contains(string(out), tc.want) {
				t.Errorf("want it refused with %q, got %v and %s", tc.want, err, out)
			}
		})
	}
}

// TestSchedulersImage: that of the example, which docs/scheduler.md has people build.
func TestSchedulersImage(t *testing.T) {
	archive, digest := build(t, testutil.Root(), "maze-scheduler:dev", nativePlatform, "-program", "scheduler")
	got := imagesOf(t, archive, digest)[nativePlatform]
	if got.config.User != "65532:65532" || strings.Join(got.config.Entrypoint, " ") != "/scheduler" ||
		got.config.Labels["org.opencontainers.image.title"] != "maze-scheduler" {
		t.Errorf("got %+v", got.config)
	}
	t.Run("schedules", func(t *testing.T) { schedulesInAPod(t, got.files) })
}

// nameIn returns the name that containerd gives the image of an archive, and the one that other tools know it by.
func nameIn(t *testing.T, archive map[string]string) [2]string {
	t.Helper()
	var index struct {
		Manifests []struct{ Annotations map[string]string }
	}
	decode(t, archive["index.json"], &index)
	found := index.Manifests[0].Annotations
	return [2]string{found["io.containerd.image.name"], found["org.opencontainers.image.ref.name"]}
}

func readSource(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(testutil.Root(), name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
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
	for _, name := range []string{"go.mod", "go.sum", "LICENSE", "THIRD_PARTY_NOTICES"} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(readSource(t, name)), 0o600); err != nil {
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

// command returns the command that makes images.
func command(t *testing.T, arguments ...string) *exec.Cmd {
	out := exec.CommandContext(t.Context(), "go", append([]string{"-C", filepath.Join(testutil.Root(), "hack", "image"), "run", "."}, arguments...)...)
	out.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off", "SOURCE_DATE_EPOCH="+epoch)
	return out
}

// build makes an archive, and returns its files by name, and the digest that was printed.
func build(t *testing.T, sources, name, platforms string, more ...string) (files map[string]string, digest string) {
	t.Helper()
	out := filepath.Join(t.TempDir(), "image.tar")
	builder := command(t, append([]string{
		"-source", sources, "-out", out, "-version", "v1.2.3", "-revision", "abc", "-name", name, "-platform", platforms,
	}, more...)...)
	builder.Stderr = t.Output()
	printed, err := builder.Output()
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
	digest string
	size   int64
	files  map[string]string
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
		found := image{digest: d.Digest, files: map[string]string{}}
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

// untar returns the files of a tar by name, without folders.
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
