package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	clocktesting "k8s.io/utils/clock/testing"
)

func TestLeaseGuard(t *testing.T) {
	const (
		index  = "/api/v1/namespaces/vision/configmaps/maze-registry"
		status = "/apis/registry.mazeagent.net/v1alpha1/namespaces/vision/mazetasks/ocr/status"
	)
	clock := clocktesting.NewFakePassiveClock(time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC))
	held := &tenure{clock: clock}
	held.note(true)
	late := &tenure{clock: clocktesting.NewFakePassiveClock(clock.Now().Add(renewDeadline))}
	late.renewed = clock.Now()
	lost := &tenure{clock: clock}
	lost.note(true)
	lost.note(false)
	released := &tenure{clock: clock}
	released.note(true)
	released.note(false)
	cases := map[string]struct {
		tenure       *tenure
		method, path string
		want         bool
	}{
		"A leader writes an index":                   {held, http.MethodPut, index, true},
		"A leader writes a status":                   {held, http.MethodPut, status, true},
		"One that never led":                         {&tenure{clock: clock}, http.MethodPut, index, false},
		"One that was stopped, an index":             {late, http.MethodPut, index, false},
		"One that was stopped, a shard":              {late, http.MethodDelete, index + "-0-0123456789", false},
		"One that was stopped, a new one":            {late, http.MethodPost, "/api/v1/namespaces/vision/configmaps", false},
		"One that was stopped, a status":             {late, http.MethodPut, status, false},
		"One that has seen another holder":           {lost, http.MethodPut, index, false},
		"One that has released the lease":            {released, http.MethodPut, index, false},
		"Reading is everyone's":                      {late, http.MethodGet, index, true},
		"The lease is everyone's":                    {late, http.MethodPut, "/apis/coordination.k8s.io/v1/namespaces/own/leases/x", true},
		"Events are everyone's":                      {late, http.MethodPost, "/apis/events.k8s.io/v1/namespaces/vision/events", true},
		"Events of the old kind are everyone's":      {late, http.MethodPost, "/api/v1/namespaces/own/events", true},
		"Asking who reads the metrics is everyone's": {late, http.MethodPost, "/apis/authentication.k8s.io/v1/tokenreviews", true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			sent := false
			g := &leaseGuard{tenure: tc.tenure, next: roundTripper(func(*http.Request) (*http.Response, error) {
				sent = true
				return nil, errors.New("sent")
			})}
			if response, err := g.RoundTrip(httptest.NewRequest(tc.method, tc.path, nil)); err == nil {
				_ = response.Body.Close()
				t.Error("want an error")
			}
			if sent != tc.want {
				t.Errorf("%s %s: want it sent: %t, got %t", tc.method, tc.path, tc.want, sent)
			}
		})
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestFinish: a write that is under way when the manager is told to end is answered; one that is not begun is not sent.
func TestFinish(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	begun, sent := make(chan struct{}), 0
	next := roundTripper(func(r *http.Request) (*http.Response, error) {
		sent++
		close(begun)
		<-ctx.Done()
		return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader("done"))}, r.Context().Err()
	})
	go func() {
		<-begun
		cancel()
	}()
	request := httptest.NewRequestWithContext(ctx, http.MethodPut, "/", nil)
	response, err := finish(next, request)
	if err != nil {
		t.Fatalf("finish(...) of one that is under way: %v", err)
	}
	if body, err := io.ReadAll(response.Body); err != nil || string(body) != "done" {
		t.Errorf("its answer: got %q and %v", body, err)
	}
	if err := response.Body.Close(); err != nil {
		t.Error(err)
	}
	if _, err := finish(next, request); err == nil || sent != 1 { //nolint:bodyclose // there is none
		t.Errorf("finish(...) of one that is not begun: got %v, sent %d", err, sent)
	}
}

// TestFinishEnds: an API server that does not answer holds up the end for finishGrace alone.
func TestFinishEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancelled := roundTripper(func(r *http.Request) (*http.Response, error) {
		cancel()
		<-r.Context().Done()
		return nil, r.Context().Err()
	})
	if _, err := finish(cancelled, httptest.NewRequestWithContext(ctx, http.MethodPut, "/", nil)); err == nil { //nolint:bodyclose // there is none
		t.Error("want an error")
	}
}
