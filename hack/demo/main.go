// Demo shows MaRegister's main job on a real etcd and kube-apiserver: it runs the manager, applies config/samples and
// prints what became of them. `make demo` builds what it needs and runs it. It stays until Ctrl-C; with ONCE=1 it ends by
// itself. Either way it fails unless every sample reaches the state that samples.go expects.
//
// All files are below one temporary folder. Whatever the way out, it leaves no file and no process behind.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/controllers"
	"github.com/maze-agent/maregister/test/testutil"
)

// patience is how long the samples may take to reach their states. A second is usual.
const patience = time.Minute

func main() {
	if err := interruptible(); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

// interruptible runs the demo until it ends or a signal ends it.
func interruptible() error {
	// SIGHUP is a closed terminal, SIGPIPE a closed pipe. While the demo stops, further signals change nothing.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	defer stop()
	quiet := context.AfterFunc(ctx, func() { fmt.Println("\nStopping, and removing all files …") })
	defer quiet()
	ctrl.SetLogger(logr.Discard())
	klog.SetLogger(logr.Discard())
	return runInFolder(ctx)
}

// runInFolder makes a temporary folder, which everything that is started uses as its own, and removes it in the end.
func runInFolder(ctx context.Context) (err error) {
	dir, err := os.MkdirTemp("", "maregister-demo-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := os.Setenv("TMPDIR", dir); err != nil {
		return err
	}
	return run(ctx, dir)
}

// run starts the control plane, and stops it in the end.
func run(ctx context.Context, dir string) (err error) {
	fmt.Print("MaRegister: from MazeTask to registry, on a control plane of its own\n\n")
	var plane *testutil.ControlPlane
	// This start cannot be interrupted. It takes seconds, and has a limit.
	err = step(ctx, "start etcd and kube-apiserver, install the CRD", func() (err error) {
		plane, err = testutil.StartControlPlane()
		return err
	})
	if plane != nil {
		defer func() { err = errors.Join(err, plane.Stop()) }()
	}
	if err != nil {
		return err
	}
	return runManager(ctx, plane, dir)
}

// runManager starts the manager, has the demo presented, and stops the manager in the end.
func runManager(ctx context.Context, plane *testutil.ControlPlane, dir string) (err error) {
	operator := &manager{kubeconfig: filepath.Join(dir, "kubeconfig"), logPath: filepath.Join(dir, "manager.log")}
	if err := writeKubeconfig(plane, operator.kubeconfig); err != nil {
		return err
	}
	defer operator.stop()
	managed := ctx
	err = step(ctx, "start the manager", func() (err error) {
		managed, err = operator.start(ctx)
		return err
	})
	if err != nil {
		return err
	}
	defer func() {
		if err != nil && ctx.Err() == nil {
			err = fmt.Errorf("%w\n\nThe manager's log ends with:\n%s", err, operator.logTail())
		}
	}()
	if err := present(managed, plane.Config, operator); err != nil || os.Getenv("ONCE") != "" {
		return err
	}
	<-managed.Done()
	if ctx.Err() != nil {
		return nil // Ctrl-C, at rest
	}
	return context.Cause(managed)
}

// present applies the samples and prints what becomes of them.
func present(ctx context.Context, config *rest.Config, operator *manager) error {
	scheme, err := controllers.Scheme()
	if err != nil {
		return err
	}
	c, err := client.NewWithWatch(config, client.Options{Scheme: scheme})
	if err != nil {
		return err
	}
	samples, err := readSamples()
	if err != nil {
		return err
	}
	cluster := nodes()
	if err := step(ctx, fmt.Sprintf("add %d nodes, which only look like real ones", len(cluster)), func() error { return join(ctx, c, cluster) }); err != nil {
		return err
	}
	err = step(ctx, fmt.Sprintf("apply %s: %d objects", samplesDir, len(samples)), func() error {
		return apply(ctx, c, samples)
	})
	if err != nil {
		return err
	}
	if err := step(ctx, "wait until each has the state that it should", func() error { return await(ctx, c) }); err != nil {
		return err
	}
	return cause(ctx, show(ctx, c, config, operator))
}

// step does something and prints how long it took.
func step(ctx context.Context, what string, do func() error) error {
	fmt.Printf("  %-50s", what)
	started := time.Now()
	err := do()
	switch {
	case ctx.Err() != nil:
		return cause(ctx, err)
	case err != nil:
		fmt.Println("failed")
		return fmt.Errorf("%s: %w", what, err)
	default:
		fmt.Printf("%5.1f s\n", time.Since(started).Seconds())
		return nil
	}
}

// cause returns why the context ended, by a signal or with the manager; what failed because of that tells less.
func cause(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func writeKubeconfig(plane *testutil.ControlPlane, path string) error {
	content, err := plane.Kubeconfig()
	if err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o600)
}
