package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// usage is CPU time by process, and that of the whole machine.
type usage struct {
	etcd, apiServer, actor, bench, machine time.Duration
}

func (u usage) since(earlier usage) usage {
	return usage{
		etcd: u.etcd - earlier.etcd, apiServer: u.apiServer - earlier.apiServer,
		actor: u.actor - earlier.actor, bench: u.bench - earlier.bench, machine: u.machine - earlier.machine,
	}
}

// sum is what the measured programs used, and others is what everything else on the machine did.
func (u usage) sum() time.Duration    { return u.etcd + u.apiServer + u.actor + u.bench }
func (u usage) others() time.Duration { return max(0, u.machine-u.sum()) }

func (s *stage) usage() usage {
	u := usage{etcd: cpuOf(s.etcd), apiServer: cpuOf(s.apiServer), bench: cpuOf(os.Getpid()), machine: cpuOfMachine()}
	if s.actor != nil {
		u.actor = cpuOf(s.actor.pid())
	}
	return u
}

// burst is what it took to bring tasks, created at once, to their goal.
type burst struct {
	tasks int
	// elapsed is the time from the first create until the watcher saw the goal.
	elapsed time.Duration
	// waits are the times from a task's create until it was Ready.
	waits durations
	// writes and cpu cover what came after that as well: events, and what is tidied up.
	writes requests
	cpu    usage
	// peakMemory is the reconciler's, in MiB, and statusSize the mean size of a status, in bytes.
	peakMemory float64
	statusSize int
}

// runBurst creates tasks with all workers, calls after for each as soon as it is created, and waits for the goal.
func (b *bench) runBurst(
	ctx context.Context, s *stage, w *watcher, tasks []*v1alpha1.MazeTask, served goal, after func(context.Context, int) error,
) (*burst, error) {
	if err := calm(ctx, s.apiServer); err != nil {
		return nil, err
	}
	writesBefore, err := s.settle(ctx, quiet)
	if err != nil {
		return nil, err
	}
	progress("%d tasks", len(tasks))
	usageBefore := s.usage()
	reached := w.expect(served(len(tasks)))
	created := make([]time.Time, len(tasks))
	start := time.Now()
	err = inParallel(ctx, b.workers, len(tasks), func(ctx context.Context, i int) error {
		created[i] = time.Now()
		if err := s.client.Create(ctx, tasks[i]); err != nil {
			return fmt.Errorf("create a task: %w", err)
		}
		return after(ctx, i)
	})
	if err != nil {
		return nil, err
	}
	end, err := w.await(ctx, reached)
	if err != nil {
		return nil, err
	}
	result := &burst{tasks: len(tasks), elapsed: end.Sub(start), waits: w.readyAfter(tasks, created)}
	progress("%d tasks: %s", len(tasks), result.elapsed.Round(time.Millisecond))
	writesAfter, err := s.settle(ctx, quiet)
	if err != nil {
		return nil, err
	}
	result.writes, result.cpu = writesAfter.since(writesBefore), s.usage().since(usageBefore)
	if s.actor != nil {
		result.peakMemory = peakMemoryOf(s.actor.pid())
	}
	result.statusSize, err = statusSize(ctx, s.client, w.namespace)
	return result, err
}

// nothing is for a client that only creates.
func nothing(context.Context, int) error { return nil }

// burstNamespace is where the tasks of a, b and c are.
const burstNamespace = "burst"

// runFloor is phase a.
func (b *bench) runFloor(ctx context.Context, s *stage) error {
	templates, err := b.rehearse(ctx, s)
	if err != nil {
		return fmt.Errorf("rehearse: %w", err)
	}
	w, err := s.openNamespace(ctx, burstNamespace, nil)
	if err != nil {
		return err
	}
	defer w.stop()
	tasks := newTasks(burstNamespace, 0, b.tasks, b.seed)
	patches, err := statusPatches(tasks, templates)
	if err != nil {
		return err
	}
	b.results.floor, err = b.runBurst(ctx, s, w, tasks, allReady, func(ctx context.Context, i int) error {
		if err := s.client.Status().Patch(ctx, tasks[i], patches[i]); err != nil {
			return fmt.Errorf("patch a status: %w", err)
		}
		return nil
	})
	return err
}

// runOperator is phase b.
func (b *bench) runOperator(ctx context.Context, s *stage) error {
	if err := s.startOperator(b.options); err != nil {
		return err
	}
	if err := b.runActor(ctx, s, &b.results.operator); err != nil {
		return err
	}
	_, err := compareRegistry(ctx, s.client, burstNamespace)
	return err
}

// runQuickHand is phase c.
func (b *bench) runQuickHand(ctx context.Context, s *stage) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if err := s.startActor(self, quickHandCommand, "--kubeconfig", s.kubeconfig); err != nil {
		return err
	}
	return b.runActor(ctx, s, &b.results.quickHand)
}

// runActor runs a burst for a reconciler that was just started.
func (b *bench) runActor(ctx context.Context, s *stage, result **burst) error {
	if err := s.warmUp(ctx); err != nil {
		return err
	}
	w, err := s.openNamespace(ctx, burstNamespace, nil)
	if err != nil {
		return err
	}
	defer w.stop()
	*result, err = b.runBurst(ctx, s, w, newTasks(burstNamespace, 0, b.tasks, b.seed), allServed, nothing)
	return err
}
