package faults

import (
	"context"
	"fmt"
	"strconv"
	"syscall"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// beginStep arms the faults of a step, and does those that wait for no write.
func (r *run) beginStep(ctx context.Context, step int) {
	events, _ := r.observer.history() // an error shows in the end
	version := r.firstVersion
	if len(events) > 0 {
		version = strconv.FormatUint(events[len(events)-1].Version, 10)
	}
	r.versions = append(r.versions, version)
	r.injector.arm(step)
	for _, f := range r.plan.Faults {
		if f.Step == step && !f.ofOneWrite() {
			r.strike(ctx, f)
		}
	}
}

// strike does a fault that is not one of a write.
func (r *run) strike(ctx context.Context, f Fault) {
	switch {
	case f.ofWatch():
		r.strikeWatches(f)
		if f.Kind != WatchLag {
			r.background.Go(func() { pause(ctx, f.For) }) // it is not ended before
		}
	case f.Kind == StaleLists:
		version := r.versions[f.Since]
		r.background.Go(func() { r.strikeStale(ctx, f, version) })
	default:
		r.background.Go(func() { r.strikeAll(ctx, f) })
	}
}

func (r *run) strikeWatches(f Fault) {
	until := time.Now().Add(f.For)
	struck := r.injector.hasStreams(f.Target)
	switch f.Kind {
	case WatchCut, WatchGone:
		struck = r.injector.endStreams(f.Target, f.Kind) > 0
	case WatchRefused:
		r.injector.rule(f.Target, func(rule *watchRule) { rule.refuse = until })
		struck = r.injector.endStreams(f.Target, WatchCut) > 0
	case WatchDelay:
		r.injector.rule(f.Target, func(rule *watchRule) { rule.hold = until })
	case WatchNewest:
		r.injector.rule(f.Target, func(rule *watchRule) { rule.hold, rule.newest = until, true })
	case WatchLag:
		r.injector.rule(f.Target, func(rule *watchRule) { rule.lag = f.For })
	}
	if struck {
		r.injector.fire(f)
	}
}

// strikeStale has the next process begin with old lists.
func (r *run) strikeStale(ctx context.Context, f Fault, version string) {
	r.injector.setStale(f.Stale, version, f.For)
	r.slots["a"].signal(0, syscall.SIGKILL)
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); pause(ctx, 20*time.Millisecond) {
		if !r.injector.staleLeft() {
			r.injector.fire(f)
			pause(ctx, f.For)
			return
		}
	}
}

// strikeAll does a fault of connections, processes or all writes, and waits until it is over.
func (r *run) strikeAll(ctx context.Context, f Fault) {
	r.injector.fire(f)
	switch f.Kind {
	case Outage:
		r.gates(closed)
		pause(ctx, f.For)
		r.gates(open)
	case Blackhole:
		r.gates(silent)
		pause(ctx, f.For)
		r.gates(open)
	case LeaseBlocked:
		r.injector.refuse(f.Kind, f.For)
		pause(ctx, f.For)
	case WritesRefused, QuotaExceeded, StatusRefused:
		r.injector.refuse(f.Kind, f.For+500*time.Millisecond) // the last edit is refused, too: no event comes after that
		r.editMeanwhile(ctx, f.For)
		pause(ctx, 500*time.Millisecond)
	case Stopped:
		leader := r.slots[r.leader()]
		leader.signal(0, syscall.SIGSTOP)
		pause(ctx, f.For)
		r.mu.Lock()
		r.resumed = append(r.resumed, time.Now())
		r.mu.Unlock()
		leader.signal(0, syscall.SIGCONT)
	case TwoLeaders:
		if err := r.slots["c"].start(); err != nil {
			r.violated(InTheEnd, "%v", err)
		}
		pause(ctx, f.For)
		r.slots["c"].stop(syscall.SIGKILL)
	case ProcessKilled:
		r.slots[r.leader()].signal(0, syscall.SIGKILL)
	case ProcessStopped:
		r.slots[r.leader()].signal(0, syscall.SIGTERM)
	}
}

// gates opens, closes or silences the connections of all processes.
func (r *run) gates(state passage) {
	for _, p := range r.proxies {
		p.gate.set(state)
		if state == closed {
			p.gate.cut()
		}
	}
}

// leader returns the process that wrote the lease last, or the only one.
func (r *run) leader() string {
	leader := "a"
	for _, c := range r.journal.all() {
		if c.target == LeaseWrite && c.done() && c.process != "c" {
			leader = c.process
		}
	}
	return leader
}

// editMeanwhile edits a task five times a second.
func (r *run) editMeanwhile(ctx context.Context, length time.Duration) {
	for i, end := 0, time.Now().Add(length); time.Now().Before(end); pause(ctx, 200*time.Millisecond) {
		i++
		tasks, _ := r.observer.state()
		var edited *v1alpha1.MazeTask
		for _, t := range tasks {
			if validity(t) == valid && (edited == nil || t.Name < edited.Name) {
				edited = t
			}
		}
		if edited == nil {
			continue
		}
		patch := fmt.Sprintf(`{"spec":{"entryPoint":"tools.meanwhile:edit_%d"}}`, i)
		_ = r.h.k8s.Patch(ctx, edited.DeepCopy(), client.RawPatch("application/merge-patch+json", []byte(patch))) // it may be gone
	}
}
