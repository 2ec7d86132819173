// Controlplane prints one directory that holds the control plane binaries it is asked for: etcd, kube-apiserver,
// kubectl, kube-scheduler and kube-controller-manager. The demo, the tests and the benchmarks all use the same ones:
//
//	KUBEBUILDER_ASSETS=$(go -C hack/controlplane run . etcd kube-apiserver)
//
// Each binary comes from the first of these that has it:
//
//  1. The directory in KUBEBUILDER_ASSETS, where that is set. If it lacks some of the binaries, DIR/with-HASH is
//     printed: links to those it has, and to those that the next steps give.
//  2. DIR/vVERSION-GOOS-GOARCH, the cache. VERSION is that of k8s.io/kubernetes in go.mod.
//  3. The released binaries (etcd, kube-apiserver and kubectl) through setup-envtest: the latest patch release of the
//     same minor version. One request of at most 5 seconds finds out whether the network has them.
//  4. A build from the Go modules in go.mod, into the cache. It takes minutes once; the program says how far it is.
//
// The path is the only line on stdout; progress and errors go to stderr. Runs with the same DIR wait for each other,
// and an interrupted one leaves nothing half-built. It runs on Linux and macOS, in its own folder, and needs only Go.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

const usage = `usage: go run . [--dir DIR] [NAME...]

Prints the absolute path of one directory that holds the named binaries; fetches or builds those that are missing.
NAME is etcd, kube-apiserver, kubectl, kube-scheduler or kube-controller-manager; all five by default.

Environment:
  KUBEBUILDER_ASSETS             absolute path of a directory whose binaries are used first
  MAREGISTER_CONTROLPLANE=build  build from Go modules, without trying to download released binaries

Flags:
`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	context.AfterFunc(ctx, stop) // a second Ctrl-C ends the program at once
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "controlplane:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, stdout io.Writer, stderr *os.File) error {
	flags := flag.NewFlagSet("controlplane", flag.ExitOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprint(stderr, usage)
		flags.PrintDefaults()
	}
	dir := flags.String("dir", "../../bin/controlplane", "directory of the cache")
	if err := flags.Parse(args); err != nil {
		return err
	}
	wanted, err := selectComponents(flags.Args())
	if err != nil {
		return err
	}
	absDir, err := filepath.Abs(*dir)
	if err != nil {
		return err
	}
	p, err := newProvisioner(absDir, newReporter(stderr))
	if err != nil {
		return err
	}
	assets, err := p.provision(ctx, wanted)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(stdout, assets)
	return err
}
