package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

const testGoMod = `module example.com/m

require (
	go.etcd.io/etcd/server/v3 v3.7.0 // indirect
	k8s.io/kubernetes v1.37.2
)

replace k8s.io/kubernetes => ./elsewhere
`

// bogus is no package of this module: its build fails at once.
var bogus = component{name: "bogus", pkg: "example.com/bogus", module: kubernetesModule, firstBuild: "no time"}

// newTestProvisioner returns a provisioner that downloads nothing, and what it reports.
func newTestProvisioner(t *testing.T) (*provisioner, *bytes.Buffer) {
	t.Helper()
	var reported bytes.Buffer
	return &provisioner{
		dir:    t.TempDir(),
		goMod:  testGoMod,
		report: &reporter{w: &reported, every: time.Minute},
	}, &reported
}

// writeExecutables makes a directory with files that contain the directory's name.
func writeExecutables(t *testing.T, dir string, names ...string) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(filepath.Base(dir)), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func mustSelect(t *testing.T, names ...string) []component {
	t.Helper()
	selected, err := selectComponents(names)
	if err != nil {
		t.Fatal(err)
	}
	return selected
}

func TestSelectComponents(t *testing.T) {
	tests := map[string]struct {
		names   []string
		want    string
		wantErr string
	}{
		"All":      {nil, "etcd, kube-apiserver, kubectl, kube-scheduler, kube-controller-manager", ""},
		"Ordered":  {[]string{"kubectl", "etcd"}, "etcd, kubectl", ""},
		"Repeated": {[]string{"etcd", "etcd"}, "etcd", ""},
		"Unknown":  {[]string{"etcd", "kubelet"}, "", `there is no binary "kubelet"; name some of: etcd, kube-`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := selectComponents(tc.names)
			if tc.wantErr != "" {
				if err == nil || !strings.HasPrefix(err.Error(), tc.wantErr) {
					t.Fatalf("got error %v, want %q", err, tc.wantErr)
				}
				return
			}
			if err != nil || joinNames(got) != tc.want {
				t.Errorf("got %q, %v, want %q", joinNames(got), err, tc.want)
			}
		})
	}
}

func TestModuleVersion(t *testing.T) {
	tests := map[string]struct {
		goMod, module, want string
	}{
		"Direct":    {testGoMod, kubernetesModule, "v1.37.2"},
		"Indirect":  {testGoMod, etcdModule, "v3.7.0"},
		"OneLine":   {"require k8s.io/kubernetes v1.38.0\n", kubernetesModule, "v1.38.0"},
		"Prefix":    {"require k8s.io/kubernetes/x v1.38.0\n", kubernetesModule, ""},
		"ToolsOnly": {"tool (\n\tk8s.io/kubernetes/cmd/kubectl\n)\n", kubernetesModule, ""},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := moduleVersion(tc.goMod, tc.module)
			if got != tc.want || (err != nil) != (tc.want == "") {
				t.Errorf("got %q, %v, want %q", got, err, tc.want)
			}
		})
	}
}

// TestProvision has the binaries at hand everywhere, so that only the choice between the places is at work.
func TestProvision(t *testing.T) {
	tests := map[string]struct {
		assets, cache []string
		noAssets      bool
		wanted        []string
		wantDir       string
		wantFrom      map[string]string // binary to the directory that it is in
	}{
		"AssetsHaveAll": {
			assets: []string{"etcd", "kube-apiserver"}, cache: []string{"etcd"}, wanted: []string{"etcd"},
			wantDir: "assets", wantFrom: map[string]string{"etcd": "assets"},
		},
		"AssetsLackSome": {
			assets: []string{"etcd"}, cache: []string{"etcd", "kubectl"}, wanted: []string{"etcd", "kubectl"},
			wantDir: "with-", wantFrom: map[string]string{"etcd": "assets", "kubectl": "cache"},
		},
		"AssetsEmpty": {
			cache: []string{"etcd"}, wanted: []string{"etcd"},
			wantDir: "with-", wantFrom: map[string]string{"etcd": "cache"},
		},
		"CacheOnly": {
			noAssets: true, cache: []string{"etcd"}, wanted: []string{"etcd"},
			wantDir: "cache", wantFrom: map[string]string{"etcd": "cache"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			p, _ := newTestProvisioner(t)
			cacheName := "v1.37.2-" + runtime.GOOS + "-" + runtime.GOARCH
			writeExecutables(t, filepath.Join(p.dir, cacheName), tc.cache...)
			if !tc.noAssets {
				p.assets = writeExecutables(t, filepath.Join(t.TempDir(), "assets"), tc.assets...)
			}
			dir, err := p.provision(t.Context(), mustSelect(t, tc.wanted...))
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.Replace(filepath.Base(dir), cacheName, "cache", 1); !strings.HasPrefix(got, tc.wantDir) {
				t.Errorf("got directory %q, want %q", got, tc.wantDir)
			}
			for binary, want := range tc.wantFrom {
				got, err := os.ReadFile(filepath.Join(dir, binary))
				if err != nil || strings.Replace(string(got), cacheName, "cache", 1) != want {
					t.Errorf("%s is from %q, %v, want %q", binary, got, err, want)
				}
			}
		})
	}
}

func TestMissing(t *testing.T) {
	dir := writeExecutables(t, t.TempDir(), "etcd")
	if err := os.WriteFile(filepath.Join(dir, "kubectl"), nil, 0o644); err != nil { // not executable
		t.Fatal(err)
	}
	if err := os.Symlink("/nowhere", filepath.Join(dir, "kube-apiserver")); err != nil {
		t.Fatal(err)
	}
	const want = "kube-apiserver, kubectl"
	if got := joinNames(missing(dir, mustSelect(t, "etcd", "kubectl", "kube-apiserver"))); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestLinkReplaces(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "etcd")
	for _, target := range []string{"/a", "/a", "/b"} {
		if err := link(target, path); err != nil {
			t.Fatal(err)
		}
		if got, _ := os.Readlink(path); got != target {
			t.Errorf("got %q, want %q", got, target)
		}
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("got %d files, want 1", len(entries))
	}
}

func TestLDFlags(t *testing.T) {
	tests := map[string]struct {
		name, want string
	}{
		"Etcd": {"etcd", "-s -w"},
		"Kubernetes": {"kubectl", "-s -w" +
			" -X k8s.io/component-base/version.gitVersion=v1.37.2" +
			" -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=37" +
			" -X k8s.io/client-go/pkg/version.gitVersion=v1.37.2" +
			" -X k8s.io/client-go/pkg/version.gitMajor=1 -X k8s.io/client-go/pkg/version.gitMinor=37"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			if got := ldflags(mustSelect(t, tc.name)[0], "v1.37.2"); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func TestBuildLog(t *testing.T) {
	tests := map[string]struct {
		expect     []string
		written    []string
		wantStatus string
		wantLines  []string
	}{
		"Downloading": {
			written:    []string{"go: downloading a v1\ngo: down", "loading b v1\n"},
			wantStatus: "2 modules downloaded",
		},
		"Compiling": {
			expect: []string{"a", "b", "c"}, written: []string{"a\nb", "\n"},
			wantStatus: "2 of 3 packages compiled (66%)",
		},
		"Linking": {
			expect: []string{"a"}, written: []string{"a\n"},
			wantStatus: "all packages compiled, linking",
		},
		"LinkingOnly": {
			expect:     []string{},
			wantStatus: "all packages compiled, linking",
		},
		"Errors": {
			expect: []string{"a", "b"}, written: []string{"a\n# a\na.go:1:2: bad\n\nno newline"},
			wantStatus: "1 of 2 packages compiled (50%)",
			wantLines:  []string{"# a", "a.go:1:2: bad", "no newline"},
		},
		"LongErrors": {
			written:    []string{"first\n" + strings.Repeat("later\n", tailLines)},
			wantStatus: "0 modules downloaded",
			wantLines:  slices.Repeat([]string{"later"}, tailLines),
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			log := &buildLog{file: io.Discard}
			if tc.expect != nil {
				log.expect(tc.expect)
			}
			for _, s := range tc.written {
				if _, err := io.WriteString(log, s); err != nil {
					t.Fatal(err)
				}
			}
			if got := log.status(); got != tc.wantStatus {
				t.Errorf("got status %q, want %q", got, tc.wantStatus)
			}
			if got := log.lastLines(); !slices.Equal(got, tc.wantLines) {
				t.Errorf("got lines %q, want %q", got, tc.wantLines)
			}
		})
	}
}

func TestReporterOnTerminal(t *testing.T) {
	var got bytes.Buffer
	r := &reporter{w: &got, terminal: true}
	r.status("half")
	r.line("done")
	if want := clearLine + "half" + clearLine + "done\n"; got.String() != want {
		t.Errorf("got %q, want %q", got.String(), want)
	}
}

func TestFailedBuild(t *testing.T) {
	p, reported := newTestProvisioner(t)
	cache := filepath.Join(p.dir, "cache")
	err := p.fill(t.Context(), cache, []component{bogus})
	var failed *buildError
	if !errors.As(err, &failed) {
		t.Fatalf("got %v, want a buildError", err)
	}
	for _, want := range []string{
		"cannot build bogus v1.37.2 from Go modules: exit status 1.",
		"providing package example.com/bogus",
		"is in " + filepath.Join(p.dir, "logs", "bogus.log"),
		`"go env GOPROXY"`, "disk space", "KUBEBUILDER_ASSETS",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("got %q, want in it %q", err, want)
		}
	}
	if want := "building bogus v1.37.2 from Go modules, 1 of 1; the first time"; !strings.HasPrefix(reported.String(), want) {
		t.Errorf("got report %q, want %q", reported, want)
	}
	if log, err := os.ReadFile(failed.logPath); err != nil || !bytes.Contains(log, []byte("example.com/bogus")) {
		t.Errorf("got log %q, %v", log, err)
	}
	for _, pattern := range []string{"cache/*", ".build"} {
		if left, _ := filepath.Glob(filepath.Join(p.dir, pattern)); len(left) != 0 {
			t.Errorf("got left-over files: %v", left)
		}
	}
}

func TestInterrupted(t *testing.T) {
	p, _ := newTestProvisioner(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := p.fill(ctx, filepath.Join(p.dir, "cache"), []component{bogus}); !errors.Is(err, errInterrupted) {
		t.Errorf("got %v, want %v", err, errInterrupted)
	}
}

func TestLockWaits(t *testing.T) {
	p, reported := newTestProvisioner(t)
	unlock, err := p.lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := p.lock(ctx); !errors.Is(err, errInterrupted) {
		t.Errorf("got %v from a second lock, want %v", err, errInterrupted)
	}
	if !strings.Contains(reported.String(), "another process") {
		t.Errorf("got report %q", reported)
	}
	unlock()
	unlock, err = p.lock(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}

// TestFetch has a web server and a shell script in the places of the index of releases and of setup-envtest.
func TestFetch(t *testing.T) {
	released := writeExecutables(t, filepath.Join(t.TempDir(), "released"), "etcd", "kube-apiserver", "kubectl")
	const checkArgs = `[ "$1 $2 $3 $4" = "use 1.37.x --use-env=false --bin-dir" ] || exit 3; `
	tests := map[string]struct {
		script   string
		answer   http.HandlerFunc
		wantErr  string
		wantHave string
	}{
		"Fetched": {
			script: checkArgs + "echo " + released, wantHave: "etcd, kube-apiserver, kubectl",
		},
		"ToolFails": {
			script:  "echo one >&2; echo two >&2; exit 2",
			wantErr: "fetching the released binaries: exit status 2: two",
		},
		"NotFound": {
			answer: http.NotFound, wantErr: " answers 404 Not Found",
		},
		"NoAnswer": {
			answer:  func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() },
			wantErr: "no answer from 127.0.0.1",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			answer := tc.answer
			if answer == nil {
				answer = func(http.ResponseWriter, *http.Request) {}
			}
			server := httptest.NewServer(answer)
			defer server.Close()
			p, _ := newTestProvisioner(t)
			p.indexURL, p.probeTimeout = server.URL, 300*time.Millisecond
			p.setupEnvtest = filepath.Join(t.TempDir(), "setup-envtest")
			if err := os.WriteFile(p.setupEnvtest, []byte("#!/bin/sh\n"+tc.script), 0o755); err != nil {
				t.Fatal(err)
			}
			cache := writeExecutables(t, filepath.Join(p.dir, "cache"))
			err := p.fetch(t.Context(), cache)
			if (err == nil) != (tc.wantErr == "") || err != nil && !strings.Contains(err.Error(), tc.wantErr) {
				t.Errorf("got error %v, want %q", err, tc.wantErr)
			}
			lacking := missing(cache, components)
			have := slices.DeleteFunc(slices.Clone(components), func(c component) bool { return slices.Contains(lacking, c) })
			if got := joinNames(have); got != tc.wantHave {
				t.Errorf("got %q, want %q", got, tc.wantHave)
			}
		})
	}
}
