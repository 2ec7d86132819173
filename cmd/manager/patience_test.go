package main

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
)

// answers is a transport.
type answers func(*http.Request) (*http.Response, error)

func (a answers) RoundTrip(r *http.Request) (*http.Response, error) { return a(r) }

func answering(status int, header ...string) func() (*http.Response, error) {
	return func() (*http.Response, error) {
		response := &http.Response{StatusCode: status, Status: http.StatusText(status), Header: http.Header{}, Body: io.NopCloser(strings.NewReader("body"))}
		for _, name := range header {
			response.Header.Set(name, "1")
		}
		return response, nil
	}
}

func failing(err error) func() (*http.Response, error) {
	return func() (*http.Response, error) { return nil, err }
}

var (
	dialed = failing(&net.OpError{Op: "dial", Err: syscall.ECONNREFUSED})
	reset  = failing(&net.OpError{Op: "read", Err: syscall.ECONNRESET})
	broken = failing(errors.New("x509: unknown authority"))
)

func TestPatient(t *testing.T) {
	const (
		list      = "/apis/registry.mazeagent.net/v1alpha1/mazetasks"
		discovery = "/apis/metrics.k8s.io/v1beta1"
	)
	for name, tc := range map[string]struct {
		method, path string
		answers      []func() (*http.Response, error)
		wantStatus   int // 0 for an error
		wantTries    int
		wantLines    int
	}{
		"reached":                         {http.MethodGet, list, replies(answering(200)), 200, 1, 0},
		"a read is held back":             {http.MethodGet, list, replies(dialed, dialed, answering(200)), 200, 3, 2},
		"a write that was not sent, too":  {http.MethodPut, list, replies(dialed, dialed, answering(200)), 200, 3, 2},
		"a write that may have been sent": {http.MethodPut, list, replies(reset), 0, 1, 0},
		"a read is sent twice":            {http.MethodGet, list, replies(reset, answering(200)), 200, 2, 2},
		"what patience does not mend":     {http.MethodGet, list, replies(broken), 0, 1, 0},
		"a balancer without servers":      {http.MethodGet, list, replies(answering(502), answering(503), answering(504), answering(200)), 200, 4, 2},
		"a server that says when":         {http.MethodGet, list, replies(answering(503, "Retry-After")), 503, 1, 0},
		"somebody else's API is away":     {http.MethodGet, discovery, replies(answering(503)), 503, 1, 0},
		"a write that a server refuses":   {http.MethodPut, list, replies(answering(503)), 503, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log, tries, bodies := &lines{}, 0, ""
				p := &patient{outage: &outage{log: logr.New(log)}, next: answers(func(r *http.Request) (*http.Response, error) {
					body, _ := io.ReadAll(r.Body)
					bodies = string(body)
					tries++
					return tc.answers[tries-1]()
				})}
				sent, _ := http.NewRequestWithContext(t.Context(), tc.method, "https://example.com"+tc.path, strings.NewReader("object"))
				response, err := p.RoundTrip(sent)
				status := 0
				if err == nil {
					status = response.StatusCode
				}
				if status != tc.wantStatus || tries != tc.wantTries || len(log.lines) != tc.wantLines || bodies != "object" {
					t.Errorf("got %d (%v) after %d tries with %q, and the log %q", status, err, tries, bodies, log.lines)
				}
			})
		})
	}
}

func replies(all ...func() (*http.Response, error)) []func() (*http.Response, error) { return all }

func TestPatienceEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &patient{outage: &outage{log: logr.Discard()}, next: answers(func(*http.Request) (*http.Response, error) { return dialed() })}
		ctx, cancel := context.WithTimeout(t.Context(), 3200*time.Millisecond)
		defer cancel()
		sent, _ := http.NewRequestWithContext(ctx, http.MethodGet, "https://example.com/api/v1/nodes", nil)
		_, err := p.RoundTrip(sent)
		if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, syscall.ECONNREFUSED) {
			t.Errorf("got %v, want the end of the context and why it was waited", err)
		}
	})
}
