package publisher

import (
	"sync"
	"time"
)

const (
	// quietPeriod is the time without a change after which a namespace's registry is written. It grows by itself with each change of the
	// burst, up to maxQuietPeriod: a single task does not wait long, and what is applied together is published together.
	quietPeriod    = 10 * time.Millisecond
	maxQuietPeriod = 80 * time.Millisecond

	// patience is the longest time that a burst may put off the write, in multiples of what the last write took.
	// So the registry costs a long burst about a tenth of its time, however large the registry is
	// and however slow the API server.
	patience = 10

	// minPatience is for a registry that is quick to write, maxPatience for those who wait for one that is not.
	minPatience = 250 * time.Millisecond
	maxPatience = 5 * time.Second

	// A registry that cannot be written is tried again after firstRetry, then after twice as long each time, up to lastRetry. Changes that
	// come meanwhile neither shorten nor prolong that.
	firstRetry = 50 * time.Millisecond
	lastRetry  = 8 * time.Second
)

// batcher collects the changes of each namespace, so that a burst of them costs few writes.
type batcher struct {
	mu     sync.Mutex
	bursts map[string]*burst
}

// burst is a run of changes that are not published yet.
type burst struct {
	// tasks are the names of those that have changed.
	tasks map[string]struct{}
	// first and last are when it began and when it last grew; zero while there is none.
	first, last time.Time
	// pending is when the oldest change came that is not published, be it of this burst or of one before; zero if there is none.
	pending time.Time
	// changes is their number.
	changes int
	// cost is what the last write of the namespace's registry took.
	cost time.Duration
	// failures counts the failures since the last success, and retry is when to try again; zero while there is none.
	failures int
	retry    time.Time
}

func newBatcher() *batcher {
	return &batcher{bursts: map[string]*burst{}}
}

// of returns the burst of a namespace. The lock is held.
func (b *batcher) of(namespace string) *burst {
	found := b.bursts[namespace]
	if found == nil {
		found = &burst{tasks: map[string]struct{}{}}
		b.bursts[namespace] = found
	}
	return found
}

// note records a change of a task.
func (b *batcher) note(namespace, task string, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	found := b.of(namespace)
	found.tasks[task] = struct{}{}
	found.grow(now, 1)
}

// noteMany records that something has changed which counts as so many changes.
func (b *batcher) noteMany(namespace string, now time.Time, changes int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.of(namespace).grow(now, changes)
}

func (u *burst) grow(now time.Time, changes int) {
	if u.first.IsZero() {
		u.first = now
	}
	if u.pending.IsZero() {
		u.pending = now
	}
	u.last = now
	u.changes += changes
}

// take ends the namespace's burst and returns the tasks that have changed, or returns the time to go on collecting.
func (b *batcher) take(namespace string, now time.Time) (tasks map[string]struct{}, wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	found, known := b.bursts[namespace]
	if !known {
		return nil, 0
	}
	if wait := found.retry.Sub(now); wait > 0 {
		return nil, wait
	}
	if !found.first.IsZero() {
		if wait := found.due().Sub(now); wait > 0 {
			return nil, wait
		}
	}
	tasks, found.tasks = found.tasks, map[string]struct{}{}
	found.first, found.last, found.changes, found.retry = time.Time{}, time.Time{}, 0, time.Time{}
	return tasks, 0
}

// isDue reports whether changes of the namespace's tasks wait that take would return.
func (b *batcher) isDue(namespace string, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	found, known := b.bursts[namespace]
	return known && !found.first.IsZero() && !now.Before(found.due()) && !now.Before(found.retry)
}

// delivered notes that all changes up to the last take are published, and returns the time that the oldest of them has waited.
func (b *batcher) delivered(namespace string, now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	found, known := b.bursts[namespace]
	if !known {
		return 0
	}
	found.failures = 0
	if found.pending.IsZero() {
		return 0
	}
	waited := now.Sub(found.pending)
	found.pending = found.first
	return waited
}

// failed notes that the registry could not be written, and returns the time until the next attempt.
func (b *batcher) failed(namespace string, now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	found := b.of(namespace)
	if found.pending.IsZero() {
		found.pending = now
	}
	wait := min(firstRetry<<min(found.failures, 16), lastRetry)
	found.failures++
	found.retry = now.Add(wait)
	return wait
}

// lags returns the time that the oldest change of each namespace has waited to be published, where there is one.
func (b *batcher) lags(now time.Time) map[string]time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	lags := map[string]time.Duration{}
	for namespace, found := range b.bursts {
		if !found.pending.IsZero() {
			lags[namespace] = now.Sub(found.pending)
		}
	}
	return lags
}

// spent records what writing the registry took.
func (b *batcher) spent(namespace string, cost time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if found, known := b.bursts[namespace]; known {
		found.cost = cost
	}
}

// forget drops a namespace that has no registry, unless something has changed meanwhile.
func (b *batcher) forget(namespace string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if found := b.bursts[namespace]; found != nil && found.first.IsZero() {
		delete(b.bursts, namespace)
	}
}

// due returns when the burst is to be published: once it is quiet, or once patience ends.
func (u *burst) due() time.Time {
	quiet := u.last.Add(min(time.Duration(u.changes)*quietPeriod, maxQuietPeriod))
	latest := u.first.Add(min(max(minPatience, patience*u.cost), maxPatience))
	if quiet.Before(latest) {
		return quiet
	}
	return latest
}
