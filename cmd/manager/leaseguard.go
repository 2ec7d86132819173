package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/utils/clock"
)

// tenure knows until when this process may write: for renewDeadline after it has renewed its lease, and not at all once it has seen
// that another one holds it. client-go alone ends a leader only when its next renewal has failed for renewDeadline: one that was stopped
// for longer than its lease, such as by a frozen machine, would write beside its successor until then.
type tenure struct {
	clock clock.PassiveClock

	mu      sync.Mutex
	renewed time.Time // zero while it has no lease
}

// note takes over what the lease is after a request about it.
func (t *tenure) note(holds bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.renewed = (time.Time{}); holds {
		t.renewed = t.clock.Now()
	}
}

// holds reports whether this process may write.
func (t *tenure) holds() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.renewed.IsZero() && t.clock.Since(t.renewed) < renewDeadline
}

// Create creates the lease.
func (l *lock) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	err := l.LeaseLock.Create(ctx, record)
	if err == nil {
		l.tenure.note(record.HolderIdentity == l.Identity())
	}
	return err
}

// Update renews, takes or releases the lease.
func (l *lock) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	err := l.LeaseLock.Update(ctx, record)
	if err == nil {
		l.tenure.note(record.HolderIdentity == l.Identity())
	}
	return err
}

// leaseGuard sends no request that changes what only the leader may change, unless the tenure lasts. It is asked again for each attempt, so
// that a request which waits for the API server does not outlive the lease.
type leaseGuard struct {
	next   http.RoundTripper
	tenure *tenure
}

// WrappedRoundTripper returns what sends the requests, for client-go to cancel them there.
func (g *leaseGuard) WrappedRoundTripper() http.RoundTripper { return g.next }

// RoundTrip sends a request and returns its answer.
func (g *leaseGuard) RoundTrip(r *http.Request) (*http.Response, error) {
	switch {
	case !isLeadersWrite(r):
		return g.next.RoundTrip(r)
	case !g.tenure.holds():
		return nil, fmt.Errorf("%s %s: the lease has not been renewed in time, and another replica may lead", r.Method, r.URL.Path)
	default:
		return finish(g.next, r)
	}
}

// finishGrace is the time for which a write may go on after the manager was told to end. The API server may carry out a request that is cancelled,
// after the lease is released; so the lease is released once the writes that are under way have been answered.
const finishGrace = time.Second

// finish sends a request and returns its answer. If the request's context ends meanwhile, it goes on for finishGrace.
func finish(next http.RoundTripper, r *http.Request) (*http.Response, error) {
	if err := context.Cause(r.Context()); err != nil {
		return nil, err
	}
	detached, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	stop := context.AfterFunc(r.Context(), func() { time.AfterFunc(finishGrace, cancel) })
	response, err := next.RoundTrip(r.WithContext(detached))
	if err != nil {
		stop()
		cancel()
		return nil, err
	}
	response.Body = &closing{response.Body, func() { stop(); cancel() }}
	return response, nil
}

// closing is the body of an answer that calls done when it is closed.
type closing struct {
	io.ReadCloser
	done func()
}

// Close implements io.Closer.
func (c *closing) Close() error {
	defer c.done()
	return c.ReadCloser.Close()
}

// isLeadersWrite reports whether a request changes what consumers read. Leases, events and reviews are everyone's.
func isLeadersWrite(r *http.Request) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return false
	}
	info, err := requestInfos.NewRequestInfo(r)
	if err != nil || !info.IsResourceRequest {
		return false
	}
	switch info.APIGroup {
	case coordinationv1.GroupName, "events.k8s.io", "authentication.k8s.io", "authorization.k8s.io":
		return false
	default:
		return info.Resource != "events"
	}
}
