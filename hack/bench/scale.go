package main

import (
	"context"
	"fmt"
	"time"
)

// settled is how long a restarted operator must not write anything to be taken for one that has nothing to write.
const settled = 15 * time.Second

// scaleResult is what phase e found.
type scaleResult struct {
	*burst
	configMaps int
	// checks are what was seen of the registry. Nil if the phase did not come to its end.
	checks *audit
	// idle is how long the operator had nothing to do, and idleWrites what was written then.
	idle       time.Duration
	idleWrites requests
	// restartWrites is what was written from the restart on.
	restartWrites requests
	restartMemory float64
}

// runScale is phase e.
func (b *bench) runScale(ctx context.Context, s *stage) error {
	const namespace = "scale"
	if err := s.startOperator(b.options); err != nil {
		return err
	}
	if err := s.warmUp(ctx); err != nil {
		return err
	}
	checks := newAudit()
	w, err := s.openNamespace(ctx, namespace, checks)
	if err != nil {
		return err
	}
	defer w.stop()
	result := &b.results.scale
	if result.burst, err = b.runBurst(ctx, s, w, newTasks(namespace, 0, b.scale, b.seed), allServed, nothing); err != nil {
		return err
	}
	if result.configMaps, err = compareRegistry(ctx, s.client, namespace); err != nil {
		return err
	}
	if err := b.watchIdle(ctx, s, result); err != nil {
		return err
	}
	if err := b.restart(ctx, s, result); err != nil {
		return fmt.Errorf("restart: %w", err)
	}
	if err := s.addOne(ctx, w, b.scale, b.seed); err != nil {
		return fmt.Errorf("after the restart: %w", err)
	}
	w.stop()
	checks.compareOrder(w)
	result.checks = checks
	return checks.conclude()
}

// watchIdle counts what is written while there is nothing to do.
func (b *bench) watchIdle(ctx context.Context, s *stage, result *scaleResult) error {
	before, err := s.settle(ctx, quiet)
	if err != nil {
		return err
	}
	progress("idle for %s", b.idle)
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(b.idle):
	}
	after, err := s.readRequests(ctx)
	result.idle, result.idleWrites = b.idle, after.since(before)
	return err
}

// restart counts what is written by an operator that has forgotten everything.
func (b *bench) restart(ctx context.Context, s *stage, result *scaleResult) error {
	before, err := s.readRequests(ctx)
	if err != nil {
		return err
	}
	progress("restart")
	if err := s.stopActor(false); err != nil {
		return err
	}
	if err := s.startOperator(b.options); err != nil {
		return err
	}
	if err := calm(ctx, s.actor.pid()); err != nil {
		return err
	}
	after, err := s.settle(ctx, settled)
	result.restartWrites, result.restartMemory = after.since(before), peakMemoryOf(s.actor.pid())
	return err
}

// addOne shows that the operator was at work all the time: it serves one more task.
func (s *stage) addOne(ctx context.Context, w *watcher, number int, seed uint64) error {
	task := newTask(w.namespace, number, seed)
	reached := w.expect(oneServed(task))
	if err := s.client.Create(ctx, task); err != nil {
		return fmt.Errorf("create a task: %w", err)
	}
	if _, err := w.await(ctx, reached); err != nil {
		return err
	}
	_, err := compareRegistry(ctx, s.client, w.namespace)
	return err
}
