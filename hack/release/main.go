// Command release makes what mazectl is given out as, in a folder: an archive for each platform, their checksums, and the manifest
// for krew, kubectl's manager of plugins. The same sources and Go version give the same bytes.
package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	_ "embed"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"text/template"
)

// platforms are those of which krew knows, and kubectl's users have.
var platforms = []platform{
	{"darwin", "amd64"}, {"darwin", "arm64"}, {"linux", "amd64"}, {"linux", "arm64"}, {"windows", "amd64"}, {"windows", "arm64"},
}

// platform is what Go calls GOOS and GOARCH.
type platform struct{ OS, Arch string }

func (p platform) isWindows() bool { return p.OS == "windows" }

// Binary is the program's name in an archive: krew makes kubectl-maze of it.
func (p platform) Binary() string {
	if p.isWindows() {
		return "mazectl.exe"
	}
	return "mazectl"
}

// Archive is an archive's file name.
func (p platform) Archive() string {
	suffix := ".tar.gz"
	if p.isWindows() {
		suffix = ".zip"
	}
	return "mazectl_" + p.OS + "_" + p.Arch + suffix
}

// versionPackage has the variables number and revision, which the linker sets.
const versionPackage = "github.com/maze-agent/maregister/internal/version"

// source is what a release is made of.
type source struct{ version, revision string }

// linkerFlags have a program tell its version and commit.
func (s source) linkerFlags() string {
	return fmt.Sprintf("-s -w -X %s.number=%s -X %[1]s.revision=%[3]s", versionPackage, s.version, s.revision)
}

// krew is the manifest. https://krew.sigs.k8s.io/docs/developer-guide/plugin-manifest
//
//go:embed krew.yaml.tmpl
var krew string

func main() {
	folder := flag.String("out", "dist", "`FOLDER` to write to")
	version := flag.String("version", "", "`VERSION`, such as v1.2.3")
	revision := flag.String("revision", "", "`COMMIT` that it is made of")
	url := flag.String("url", "", "`URL` of the folder that the archives will be downloaded from")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := release(ctx, *folder, source{*version, *revision}, *url)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// download is an archive, as the manifest has it.
type download struct {
	platform
	URL, SHA256 string
}

func release(ctx context.Context, folder string, from source, url string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // what is given out may be read by all
		return err
	}
	var downloads []download
	var sums strings.Builder
	for _, p := range platforms {
		fmt.Fprintln(os.Stderr, "release:", p.Archive())
		archive, err := p.archive(ctx, folder, from)
		if err != nil {
			return fmt.Errorf("%s: %w", p.Archive(), err)
		}
		if err := write(filepath.Join(folder, p.Archive()), archive); err != nil {
			return err
		}
		sum := fmt.Sprintf("%x", sha256.Sum256(archive))
		fmt.Fprintf(&sums, "%s  %s\n", sum, p.Archive())
		downloads = append(downloads, download{p, url + "/" + p.Archive(), sum})
	}
	if err := write(filepath.Join(folder, "SHA256SUMS"), []byte(sums.String())); err != nil {
		return err
	}
	var manifest bytes.Buffer
	err := template.Must(template.New("").Parse(krew)).Execute(&manifest, map[string]any{"Version": from.version, "Downloads": downloads})
	if err != nil {
		return err
	}
	return write(filepath.Join(folder, "maze.yaml"), manifest.Bytes())
}

func write(name string, content []byte) error {
	return os.WriteFile(name, content, 0o644) //nolint:gosec // what is given out may be read by all
}

// archive compiles the program for a platform, without a C compiler, and packs it.
func (p platform) archive(ctx context.Context, folder string, from source) ([]byte, error) {
	binary := filepath.Join(folder, p.Binary())
	defer func() { _ = os.Remove(binary) }()
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags="+from.linkerFlags(), "-o", binary, "./cmd/mazectl")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS="+p.OS, "GOARCH="+p.Arch)
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return nil, err
	}
	return p.pack(".", binary)
}

// pack returns the archive of a program, with its license and those of what it is linked with.
func (p platform) pack(root, binary string) ([]byte, error) {
	var out bytes.Buffer
	files := []struct {
		from, name string
		mode       os.FileMode
	}{
		{binary, p.Binary(), 0o755},
		{filepath.Join(root, "LICENSE"), "LICENSE", 0o644},
		{filepath.Join(root, "THIRD_PARTY_NOTICES"), "THIRD_PARTY_NOTICES", 0o644},
	}
	add, finish := tarTo(&out)
	if p.isWindows() {
		add, finish = zipTo(&out)
	}
	for _, file := range files {
		content, err := os.ReadFile(file.from)
		if err != nil {
			return nil, err
		}
		if err := add(file.name, file.mode, content); err != nil {
			return nil, err
		}
	}
	if err := finish(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// adder adds a file to an archive. No times: they would differ from one build to the next.
type adder func(name string, mode os.FileMode, content []byte) error

func tarTo(out io.Writer) (add adder, finish func() error) {
	packed := gzip.NewWriter(out)
	archive := tar.NewWriter(packed)
	add = func(name string, mode os.FileMode, content []byte) error {
		if err := archive.WriteHeader(&tar.Header{Name: name, Mode: int64(mode), Size: int64(len(content))}); err != nil {
			return err
		}
		_, err := archive.Write(content)
		return err
	}
	return add, func() error {
		if err := archive.Close(); err != nil {
			return err
		}
		return packed.Close()
	}
}

func zipTo(out io.Writer) (add adder, finish func() error) {
	archive := zip.NewWriter(out)
	add = func(name string, mode os.FileMode, content []byte) error {
		header := &zip.FileHeader{Name: name, Method: zip.Deflate}
		header.SetMode(mode)
		file, err := archive.CreateHeader(header)
		if err != nil {
			return err
		}
		_, err = file.Write(content)
		return err
	}
	return add, archive.Close
}
