package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

// A component is one binary of the control plane.
type component struct {
	name string
	// pkg is the main package it is built from, module the module whose version it carries.
	pkg, module string
	// firstBuild says how long the first build takes on two cores: the less, the more of the others are compiled already.
	firstBuild string
	// released is true where setup-envtest has it.
	released bool
}

const (
	etcdModule       = "go.etcd.io/etcd/server/v3"
	kubernetesModule = "k8s.io/kubernetes"
)

var components = []component{
	{"etcd", etcdModule, etcdModule, "1 to 2 minutes", true},
	{"kube-apiserver", kubernetesModule + "/cmd/kube-apiserver", kubernetesModule, "6 to 8 minutes", true},
	{"kubectl", kubernetesModule + "/cmd/kubectl", kubernetesModule, "1 to 3 minutes", true},
	{"kube-scheduler", kubernetesModule + "/cmd/kube-scheduler", kubernetesModule, "2 to 7 minutes", false},
	{"kube-controller-manager", kubernetesModule + "/cmd/kube-controller-manager", kubernetesModule, "2 to 8 minutes", false},
}

// selectComponents returns the named components in the order they are built, or all for no name.
func selectComponents(names []string) ([]component, error) {
	if len(names) == 0 {
		return components, nil
	}
	var known []string
	var selected []component
	for _, c := range components {
		known = append(known, c.name)
		if slices.Contains(names, c.name) {
			selected = append(selected, c)
		}
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("there is no binary %q; name some of: %s", name, strings.Join(known, ", "))
		}
	}
	return selected, nil
}

// A provisioner gets the binaries into one directory.
type provisioner struct {
	dir    string // parent of the cache directory
	goMod  string // text of the go.mod in the working directory
	report *reporter

	assets   string // KUBEBUILDER_ASSETS
	download bool   // try the released binaries first

	indexURL     string        // what setup-envtest asks first: if it answers, the released binaries are reachable
	probeTimeout time.Duration // for that answer
	setupEnvtest string        // path of the tool; compiled from go.mod where it is empty
}

// newProvisioner reads go.mod and the environment.
func newProvisioner(dir string, report *reporter) (*provisioner, error) {
	goMod, err := os.ReadFile("go.mod")
	if err != nil {
		return nil, fmt.Errorf("run this in its own folder, as `go -C hack/controlplane run .`: %w", err)
	}
	p := &provisioner{
		dir:          dir,
		goMod:        string(goMod),
		report:       report,
		assets:       os.Getenv("KUBEBUILDER_ASSETS"),
		download:     true,
		indexURL:     envtestIndex,
		probeTimeout: 5 * time.Second,
	}
	if p.assets != "" && !filepath.IsAbs(p.assets) {
		return nil, fmt.Errorf("KUBEBUILDER_ASSETS is %q; set it to an absolute path", p.assets)
	}
	switch mode := os.Getenv("MAREGISTER_CONTROLPLANE"); mode {
	case "":
	case "build":
		p.download = false
	default:
		return nil, fmt.Errorf("MAREGISTER_CONTROLPLANE is %q; the only value it takes is \"build\"", mode)
	}
	return p, nil
}

// provision returns a directory that holds all wanted components.
func (p *provisioner) provision(ctx context.Context, wanted []component) (string, error) {
	version, err := moduleVersion(p.goMod, kubernetesModule)
	if err != nil {
		return "", err
	}
	cache := filepath.Join(p.dir, version+"-"+runtime.GOOS+"-"+runtime.GOARCH)
	if p.assets == "" {
		return cache, p.fill(ctx, cache, wanted)
	}
	lacking := missing(p.assets, wanted)
	if len(lacking) == 0 {
		return p.assets, nil
	}
	p.report.line("KUBEBUILDER_ASSETS (%s) has no %s", p.assets, joinNames(lacking))
	if err := p.fill(ctx, cache, lacking); err != nil {
		return "", err
	}
	assembled := assembledDir(p.dir, p.assets)
	return assembled, assemble(assembled, p.assets, cache, wanted)
}

// fill puts what is missing of the wanted components into the cache directory.
func (p *provisioner) fill(ctx context.Context, cache string, wanted []component) error {
	if len(missing(cache, wanted)) == 0 {
		return nil
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return err
	}
	unlock, err := p.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	// Another process may have filled the cache meanwhile.
	lacking := missing(cache, wanted)
	if p.download && slices.ContainsFunc(lacking, func(c component) bool { return c.released }) {
		err := p.fetch(ctx, cache)
		if ctx.Err() != nil {
			return errInterrupted
		}
		if err != nil {
			p.report.line("released binaries are not reachable (%v), building from Go modules", err)
		}
		lacking = missing(cache, wanted)
	}
	for i, c := range lacking {
		if err := p.build(ctx, cache, c, fmt.Sprintf("%d of %d", i+1, len(lacking))); err != nil {
			return err
		}
	}
	return nil
}

// moduleVersion returns the version that the text of a go.mod requires of a module.
func moduleVersion(goMod, module string) (string, error) {
	for line := range strings.Lines(goMod) {
		fields := strings.Fields(strings.TrimPrefix(strings.TrimSpace(line), "require "))
		if len(fields) >= 2 && fields[0] == module && strings.HasPrefix(fields[1], "v") {
			return fields[1], nil
		}
	}
	return "", fmt.Errorf("go.mod requires no %s", module)
}

// missing returns the wanted components that a directory does not hold as executables.
func missing(dir string, wanted []component) []component {
	return slices.DeleteFunc(slices.Clone(wanted), func(c component) bool {
		info, err := os.Stat(filepath.Join(dir, c.name))
		return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
	})
}

func joinNames(cs []component) string {
	var names []string
	for _, c := range cs {
		names = append(names, c.name)
	}
	return strings.Join(names, ", ")
}

var errInterrupted = errors.New("interrupted; nothing half-built is left, and what has been compiled is kept for the next run")
