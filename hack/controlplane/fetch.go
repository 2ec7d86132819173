package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const (
	setupEnvtestPackage = "sigs.k8s.io/controller-runtime/tools/setup-envtest"
	// envtestIndex is setup-envtest's list of releases, the default of its flag --index.
	envtestIndex = "https://raw.githubusercontent.com/kubernetes-sigs/controller-tools/HEAD/envtest-releases.yaml"
	// fetchTimeout limits compiling setup-envtest and downloading about 100 MB, each.
	fetchTimeout = 2 * time.Minute
)

// fetch downloads the released binaries and links them into the cache directory. It fails at once where the network
// does not have them, before anything is compiled for it.
func (p *provisioner) fetch(ctx context.Context, cache string) error {
	if err := p.probe(ctx); err != nil {
		return err
	}
	version, err := moduleVersion(p.goMod, kubernetesModule)
	if err != nil {
		return err
	}
	tool := p.setupEnvtest
	if tool == "" {
		// With -n, go tool compiles the tool into the build cache and prints where it is: run directly, it gets our signals.
		if tool, err = p.output(ctx, "compiling setup-envtest", goCommand("tool", "-n", setupEnvtestPackage)); err != nil {
			return err
		}
	}
	major, minor := majorMinor(version)
	p.report.line("fetching the released binaries of Kubernetes %s.%s", major, minor)
	from, err := p.output(ctx, "fetching the released binaries", exec.Command(tool, "use", major+"."+minor+".x",
		"--use-env=false", "--bin-dir", filepath.Join(p.dir, "setup-envtest"), "-p", "path"))
	if err != nil {
		return err
	}
	for _, c := range missing(cache, components) {
		if !c.released || len(missing(from, []component{c})) > 0 {
			continue
		}
		if err := link(filepath.Join(from, c.name), filepath.Join(cache, c.name)); err != nil {
			return err
		}
	}
	return nil
}

// probe finds out, in seconds, whether setup-envtest can work here.
func (p *provisioner) probe(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, p.probeTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodHead, p.indexURL, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("no answer from %s in %s", request.URL.Host, p.probeTimeout)
	}
	if failed := (*url.Error)(nil); errors.As(err, &failed) {
		return failed.Err // without the long address
	}
	if err != nil {
		return err
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s", request.URL.Host, response.Status)
	}
	return nil
}

// output runs a command and returns what it prints; its error has the last line of what it says on stderr.
func (p *provisioner) output(ctx context.Context, what string, cmd *exec.Cmd) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := p.report.runChild(ctx, cmd, what, func() string { return "still at it" })
	if err == nil {
		return strings.TrimSpace(stdout.String()), nil
	}
	if ctx.Err() != nil {
		return "", fmt.Errorf("%s: not done in %s", what, fetchTimeout)
	}
	lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
	return "", fmt.Errorf("%s: %w: %s", what, err, lines[len(lines)-1])
}
