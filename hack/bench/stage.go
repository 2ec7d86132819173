package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/test/testutil"
)

// stage is a fresh control plane, a plain client of it, and the reconciler that acts on it.
type stage struct {
	// client has no cache and no rate limit.
	client client.WithWatch
	// raw reads the API server's metrics.
	raw        kubernetes.Interface
	kubeconfig string
	folder     string
	etcd       int
	apiServer  int
	// cancel ends the phase.
	cancel context.CancelCauseFunc
	// actor is the operator or the quick hand's reconciler. Nil while none runs.
	actor *process
}

// limitOf bounds a phase that has to do with the given number of tasks: several times what a slow machine needs.
func (b *bench) limitOf(tasks int) time.Duration {
	return 5*time.Minute + 2*b.idle + time.Duration(tasks+b.single)*200*time.Millisecond
}

// onStage runs a phase on a stage of its own, and clears the stage.
func (b *bench) onStage(ctx context.Context, name string, tasks int, act func(context.Context, *stage) error) (err error) {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	progress("%s: starting a control plane", name)
	plane, err := testutil.StartControlPlane()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, plane.Stop()) }()
	limit := b.limitOf(tasks)
	timed, stop := context.WithTimeoutCause(ctx, limit, fmt.Errorf("it took more than %s", limit))
	defer stop()
	limited, cancel := context.WithCancelCause(timed)
	defer cancel(nil)
	s, err := newStage(plane, b.folder, cancel)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stopActor(err != nil && ctx.Err() == nil)) }()
	err = act(limited, s)
	if cause := context.Cause(limited); err != nil && cause != nil && !errors.Is(err, cause) {
		return fmt.Errorf("%w: %w", cause, err) // requests only say that they were canceled
	}
	return err
}

func newStage(plane *testutil.ControlPlane, folder string, cancel context.CancelCauseFunc) (*stage, error) {
	scheme, err := newScheme()
	if err != nil {
		return nil, err
	}
	s := &stage{folder: folder, kubeconfig: filepath.Join(folder, "kubeconfig"), cancel: cancel}
	if s.client, err = client.NewWithWatch(plane.Config, client.Options{Scheme: scheme}); err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	if s.raw, err = kubernetes.NewForConfig(plane.Config); err != nil {
		return nil, fmt.Errorf("make a client for the metrics: %w", err)
	}
	content, err := plane.Kubeconfig()
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(s.kubeconfig, content, 0o600); err != nil {
		return nil, err
	}
	children := childrenOf(os.Getpid())
	s.etcd, s.apiServer = children["etcd"], children["kube-apiserver"]
	return s, nil
}

// newScheme returns the types that the plain client and the quick hand's reconciler use.
func newScheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	if err := errors.Join(clientgoscheme.AddToScheme(scheme), v1alpha1.AddToScheme(scheme)); err != nil {
		return nil, fmt.Errorf("build the scheme: %w", err)
	}
	return scheme, nil
}

// startOperator starts the operator as a process of its own.
func (s *stage) startOperator(o options) error {
	return s.startActor(o.manager, "--kubeconfig", s.kubeconfig, "--leader-elect=false", "--metrics-bind-address=0",
		"--health-probe-bind-address=0", "--pprof-bind-address="+o.pprof)
}

// startActor starts a reconciler. Should it end by itself, so does the phase.
func (s *stage) startActor(binary string, arguments ...string) (err error) {
	s.actor, err = startProcess(filepath.Join(s.folder, "actor.log"), s.cancel, binary, arguments...)
	return err
}

// stopActor stops the reconciler. If something went wrong, it shows the end of its log.
func (s *stage) stopActor(failed bool) error {
	if s.actor == nil {
		return nil
	}
	err := s.actor.stop()
	if failed {
		progress("the end of the reconciler's log:\n%s", s.actor.endOfLog())
	}
	s.actor = nil
	return err
}

// warmUpTasks is enough for tasks of each type to be among them.
const warmUpTasks = 20

// warmUp waits until a reconciler that was just started has served some tasks, in a namespace of their own, and is idle again.
func (s *stage) warmUp(ctx context.Context) error {
	const namespace = "warm-up"
	w, err := s.openNamespace(ctx, namespace, nil)
	if err != nil {
		return err
	}
	defer w.stop()
	reached := w.expect(allServed(warmUpTasks))
	for _, task := range newTasks(namespace, 0, warmUpTasks, 0) {
		if err := s.client.Create(ctx, task); err != nil {
			return fmt.Errorf("create a task: %w", err)
		}
	}
	if _, err := w.await(ctx, reached); err != nil {
		return fmt.Errorf("wait for the first tasks: %w", err)
	}
	_, err = s.settle(ctx, quiet)
	return err
}

// calm waits until a process uses less than a tenth of a CPU: it has done what follows its start, or a new CRD.
func calm(ctx context.Context, pid int) error {
	const patience, enough = 30, 2 // seconds
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	last, calmFor := cpuOf(pid), 0
	for second := 0; second < patience && calmFor < enough; second++ {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-ticker.C:
		}
		now := cpuOf(pid)
		calmFor++
		if now-last > 100*time.Millisecond {
			calmFor = 0
		}
		last = now
	}
	return nil
}

// openNamespace creates a namespace and watches it from outside.
func (s *stage) openNamespace(ctx context.Context, name string, checks *audit) (*watcher, error) {
	if err := s.client.Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}); err != nil {
		return nil, fmt.Errorf("create a namespace: %w", err)
	}
	return startWatcher(ctx, s.client, name, checks)
}

// inParallel calls do for 0 to n-1, and stops at the first error.
func inParallel(ctx context.Context, workers, n int, do func(context.Context, int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var done atomic.Int64
	workqueue.ParallelizeUntil(ctx, workers, n, func(i int) {
		if err := do(ctx, i); err != nil {
			cancel(err)
			return
		}
		done.Add(1)
	})
	if done.Load() == int64(n) {
		return nil
	}
	return context.Cause(ctx)
}
