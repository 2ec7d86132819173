package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const root = "../.."

// TestPack: whoever gets the program gets the licenses with it.
func TestPack(t *testing.T) {
	binary := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(binary, []byte("ELF"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		platform platform
		unpack   func([]byte) (map[string]string, error)
		want     string
	}{
		"tar": {platform{"linux", "amd64"}, untar, "mazectl"},
		"zip": {platform{"windows", "arm64"}, unzip, "mazectl.exe"},
	} {
		t.Run(name, func(t *testing.T) {
			packed, err := tc.platform.pack(root, binary)
			if err != nil {
				t.Fatal(err)
			}
			got, err := tc.unpack(packed)
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]string{
				tc.want:               "-rwxr-xr-x ELF",
				"LICENSE":             "-rw-r--r-- " + read(t, "LICENSE"),
				"THIRD_PARTY_NOTICES": "-rw-r--r-- " + read(t, "THIRD_PARTY_NOTICES"),
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// untar returns the files of an archive by name: their mode and their content.
func untar(packed []byte) (map[string]string, error) {
	unpacked, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	files := map[string]string{}
	archive := tar.NewReader(unpacked)
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
		files[header.Name] = header.FileInfo().Mode().String() + " " + string(content)
	}
}

// unzip does the same.
func unzip(packed []byte) (map[string]string, error) {
	archive, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		return nil, err
	}
	files := map[string]string{}
	for _, file := range archive.File {
		content, err := fs.ReadFile(archive, file.Name)
		if err != nil {
			return nil, err
		}
		files[file.Name] = file.Mode().String() + " " + string(content)
	}
	return files, nil
}

// TestOneGo: what is given out is compiled by one version of Go, whoever compiles it: by make, with docker or with the go command.
func TestOneGo(t *testing.T) {
	toolchain := regexp.MustCompile(`(?m)^toolchain go(\S+)$`)
	version := toolchain.FindStringSubmatch(read(t, "go.mod"))
	if version == nil {
		t.Fatal("go.mod names no toolchain")
	}
	for _, module := range []string{"hack/controlplane", "hack/docs", "hack/helm-docs", "hack/image", "hack/monitoring", "hack/tools", "hack/vuln", "test/deploy"} {
		if found := toolchain.FindString(read(t, module+"/go.mod")); found != version[0] {
			t.Errorf("%s/go.mod has %q, and go.mod %q", module, found, version[0])
		}
	}
	for file, want := range map[string]string{
		"Dockerfile": "\nARG GO_IMAGE=docker.io/library/golang:" + version[1] + "\n",
		"Makefile":   "build vuln release archive: export GOTOOLCHAIN := go$(GO_VERSION)\n",
	} {
		if !strings.Contains(read(t, file), want) {
			t.Errorf("%s lacks %q", file, want)
		}
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
