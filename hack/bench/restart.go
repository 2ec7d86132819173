package main

import (
	"context"
	"time"
)

// restartResult is what a restart of the operator took.
type restartResult struct {
	// idle is the time from the start of the process until it has nothing left to do, and cpu the CPU time until then.
	idle, cpu time.Duration
	// peak is its largest resident memory, and resident that at rest, in MiB.
	peak, resident float64
	reads, writes  requests
}

// measureRestart restarts the operator, which has forgotten everything then.
func (b *bench) measureRestart(ctx context.Context, s *stage) (*restartResult, error) {
	if err := s.calmDown(ctx); err != nil {
		return nil, err
	}
	writesBefore, err := s.readRequests(ctx)
	if err != nil {
		return nil, err
	}
	progress("restart")
	if err := s.stopActor(false); err != nil {
		return nil, err
	}
	readsBefore, err := s.readReads(ctx) // the watches of the operator before have ended
	if err != nil {
		return nil, err
	}
	if err := s.startOperator(b.options); err != nil {
		return nil, err
	}
	result := &restartResult{}
	if result.idle, result.cpu, err = untilIdle(ctx, s.actor.pid()); err != nil {
		return nil, err
	}
	readsAfter, err := s.readReads(ctx)
	if err != nil {
		return nil, err
	}
	writesAfter, err := s.settle(ctx, settled)
	if err != nil {
		return nil, err
	}
	result.reads, result.writes = readsAfter.since(readsBefore), writesAfter.since(writesBefore)
	result.peak = peakMemoryOf(s.actor.pid())
	result.resident, err = s.rest(ctx, b.rest)
	return result, err
}

// untilIdle waits until a process that was just started uses next to no CPU for two seconds. It returns how long it took until then,
// these seconds excluded, and the CPU time.
func untilIdle(ctx context.Context, pid int) (idle, cpu time.Duration, err error) {
	const (
		poll   = 100 * time.Millisecond
		calmAt = 20 // polls
		noise  = 10 * time.Millisecond
	)
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	start := time.Now()
	last := cpuOf(pid)
	for calmFor := 0; calmFor < calmAt; {
		select {
		case <-ctx.Done():
			return 0, 0, context.Cause(ctx)
		case <-ticker.C:
		}
		calmFor++
		if now := cpuOf(pid); now-last > noise {
			last, calmFor, idle = now, 0, time.Since(start)
		}
	}
	return idle, last, nil
}

// calmDown waits until nothing is written any more, and the API server is idle.
func (s *stage) calmDown(ctx context.Context) error {
	if _, err := s.settle(ctx, quiet); err != nil {
		return err
	}
	return calm(ctx, s.apiServer)
}

// rest leaves the operator alone for a while, and returns its resident memory in MiB.
func (s *stage) rest(ctx context.Context, while time.Duration) (float64, error) {
	select {
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	case <-time.After(while):
	}
	return residentMemoryOf(s.actor.pid()), nil
}
