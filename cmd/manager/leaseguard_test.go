package main

import (
	"errors"
	"net/http"
	"net/http/httptest"
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
	lost.lost()
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
