package controllers

import (
	"sync"
	"time"
)

const (
	// quietPeriod is how long a namespace must be without a change before its registry is written, for each change that is
	// gathered, up to maxQuietPeriod: a single task does not wait long, and what is applied together is published together.
	quietPeriod    = 10 * time.Millisecond
	maxQuietPeriod = 80 * time.Millisecond

	// patience is how long a burst may put off the write, in multiples of what the last write took.
	// So the registry costs a long burst about a tenth of its time, however large the registry is
	// and however slow the API server.
	patience = 10

	// minPatience is for a registry that is quick to write, maxPatience for those who wait for one that is not.
	minPatience = 250 * time.Millisecond
	maxPatience = 5 * time.Second
)

// gatherer collects the changes of each namespace, so that a burst of them costs few writes.
type gatherer struct {
	mu     sync.Mutex
	bursts map[string]*burst
}

// burst is a run of changes that are not published yet.
type burst struct {
	// first and last are when it began and when it last grew; zero while there is none.
	first, last time.Time
	// pending is when the oldest change came that is not published, be it of this burst or of one before; zero if there is none.
	pending time.Time
	// changes is how many there are.
	changes int
	// cost is what the last write of the namespace's registry took.
	cost time.Duration
}

func newGatherer() *gatherer {
	return &gatherer{bursts: map[string]*burst{}}
}

// note records changes.
func (g *gatherer) note(namespace string, now time.Time, changes int) {
	g.mu.Lock()
	defer g.mu.Unlock()
	b, known := g.bursts[namespace]
	if !known {
		b = &burst{}
		g.bursts[namespace] = b
	}
	if b.first.IsZero() {
		b.first = now
	}
	if b.pending.IsZero() {
		b.pending = now
	}
	b.last = now
	b.changes += changes
}

// take ends the namespace's burst and returns 0, or returns how long to go on gathering.
func (g *gatherer) take(namespace string, now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	b, known := g.bursts[namespace]
	if !known || b.first.IsZero() {
		return 0
	}
	if wait := b.due().Sub(now); wait > 0 {
		return wait
	}
	b.first, b.last, b.changes = time.Time{}, time.Time{}, 0
	return 0
}

// delivered notes that all changes up to the last take are published, and returns how long the oldest of them has waited.
func (g *gatherer) delivered(namespace string, now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	b, known := g.bursts[namespace]
	if !known || b.pending.IsZero() {
		return 0
	}
	waited := now.Sub(b.pending)
	b.pending = b.first
	return waited
}

// lags gives how long the oldest change of each namespace has waited to be published, where there is one.
func (g *gatherer) lags(now time.Time) map[string]time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	lags := map[string]time.Duration{}
	for namespace, b := range g.bursts {
		if !b.pending.IsZero() {
			lags[namespace] = now.Sub(b.pending)
		}
	}
	return lags
}

// spent records what writing the registry took.
func (g *gatherer) spent(namespace string, cost time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if b, known := g.bursts[namespace]; known {
		b.cost = cost
	}
}

// forget drops a namespace that has no registry.
func (g *gatherer) forget(namespace string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	delete(g.bursts, namespace)
}

// due is when the burst is to be published: once it is quiet, or once patience ends.
func (b *burst) due() time.Time {
	quiet := b.last.Add(min(time.Duration(b.changes)*quietPeriod, maxQuietPeriod))
	latest := b.first.Add(min(max(minPatience, patience*b.cost), maxPatience))
	if quiet.Before(latest) {
		return quiet
	}
	return latest
}
