package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// build compiles one component into the cache directory. The file appears there only when it is complete.
func (p *provisioner) build(ctx context.Context, cache string, c component, position string) (err error) {
	version, err := moduleVersion(p.goMod, c.module)
	if err != nil {
		return err
	}
	logPath := filepath.Join(p.dir, "logs", c.name+".log")
	if err := os.MkdirAll(filepath.Dir(logPath), 0o755); err != nil {
		return err
	}
	file, err := os.Create(logPath)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()

	p.report.line("building %s %s from Go modules, %s; the first time takes %s on two cores, then it is cached",
		c.name, version, position, c.firstBuild)
	started := time.Now()
	// An interrupted go command leaves its temporary files, so it gets a folder for them that is removed after it. The name
	// is fixed, as the lock is held: what a killed run has left goes too.
	temporary := filepath.Join(p.dir, ".build")
	if err := os.RemoveAll(temporary); err != nil {
		return err
	}
	if err := os.Mkdir(temporary, 0o755); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temporary)) }()
	log := &buildLog{file: file}
	if err := p.compile(ctx, log, c, version, temporary); err != nil {
		if ctx.Err() != nil {
			_ = os.Remove(logPath)
			return errInterrupted
		}
		return &buildError{what: c.name + " " + version, cause: err, lines: log.lastLines(), logPath: logPath}
	}
	if err := os.Rename(filepath.Join(temporary, c.name), filepath.Join(cache, c.name)); err != nil {
		return err
	}
	p.report.line("built %s in %s", c.name, elapsed(started))
	return os.Remove(logPath)
}

// compile asks what is not in the Go build cache yet, so that it can tell how far it is, and then builds. The main
// package does not count: go list always calls it stale.
func (p *provisioner) compile(ctx context.Context, log *buildLog, c component, version, temporary string) error {
	what := "building " + c.name
	list := goCommand("list", "-deps", "-trimpath", "-f", `{{if and .Stale (ne .Name "main")}}{{.ImportPath}}{{end}}`, c.pkg)
	list.Env = append(list.Env, "CGO_ENABLED=0", "GOTMPDIR="+temporary)
	var packages bytes.Buffer
	list.Stdout, list.Stderr = &packages, log
	if err := p.report.runChild(ctx, list, what, log.status); err != nil {
		return err
	}
	log.expect(strings.Fields(packages.String()))

	build := goCommand("build", "-v", "-trimpath", "-ldflags", ldflags(c, version),
		"-o", filepath.Join(temporary, c.name), c.pkg)
	build.Env = append(build.Env, "CGO_ENABLED=0", "GOTMPDIR="+temporary)
	build.Stdout, build.Stderr = log, log
	return p.report.runChild(ctx, build, what, log.status)
}

// ldflags strips the binary and stamps Kubernetes' version, which is v0.0.0-master in the module. etcd has its own in
// the source.
func ldflags(c component, version string) string {
	flags := "-s -w"
	if c.module != kubernetesModule {
		return flags
	}
	major, minor := majorMinor(version)
	for _, pkg := range []string{"k8s.io/component-base/version", "k8s.io/client-go/pkg/version"} {
		flags += fmt.Sprintf(" -X %[1]s.gitVersion=%[2]s -X %[1]s.gitMajor=%[3]s -X %[1]s.gitMinor=%[4]s",
			pkg, version, major, minor)
	}
	return flags
}

// majorMinor splits v1.37.2 into 1 and 37.
func majorMinor(version string) (major, minor string) {
	major, rest, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	minor, _, _ = strings.Cut(rest, ".")
	return major, minor
}

// goCommand is the go command on this module as it is, whatever workspace or flags the user has set.
func goCommand(args ...string) *exec.Cmd {
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=readonly")
	return cmd
}

// A buildError says what to do about a build that failed.
type buildError struct {
	what    string
	cause   error
	lines   []string
	logPath string
}

func (e *buildError) Error() string {
	output := "    (none)"
	if len(e.lines) > 0 {
		output = "    " + strings.Join(e.lines, "\n    ")
	}
	return fmt.Sprintf(`cannot build %s from Go modules: %v. The last lines of the output:
%s
The whole output is in %s.
What to check:
  - disk space: the first build needs about 5 GB in the folders that "go env GOCACHE GOMODCACHE" prints;
  - the module proxy: "go env GOPROXY" must print one that this machine reaches;
  - memory: "signal: killed" above means that there is too little, 4 GB are enough.
Then run the same command again: what has been compiled is kept. Or set KUBEBUILDER_ASSETS to the absolute path of a
directory that has the binary.`, e.what, e.cause, output, e.logPath)
}

func (e *buildError) Unwrap() error { return e.cause }
