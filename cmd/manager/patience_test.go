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

// reply is what a transport gives for a request: an error, or an answer with a header.
type reply struct {
	status int
	header string
	err    error
}

func (r reply) give() (*http.Response, error) {
	if r.err != nil {
		return nil, r.err
	}
	response := &http.Response{StatusCode: r.status, Status: http.StatusText(r.status), Header: http.Header{}, Body: io.NopCloser(strings.NewReader("body"))}
	response.Header.Set(r.header, "1")
	return response, nil
}

func answering(status int) reply { return reply{status: status} }

var (
	dialed = reply{err: &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}}
	reset  = reply{err: &net.OpError{Op: "read", Err: syscall.ECONNRESET}}
	broken = reply{err: errors.New("x509: unknown authority")}
	later  = reply{status: http.StatusServiceUnavailable, header: "Retry-After"}
)

func TestPatient(t *testing.T) {
	const (
		list      = "/apis/registry.mazeagent.net/v1alpha1/mazetasks"
		discovery = "/apis/metrics.k8s.io/v1beta1"
	)
	for name, tc := range map[string]struct {
		method, path string
		replies      []reply
		wantStatus   int // 0 for an error
		wantTries    int
		wantLines    int
	}{
		"reached":                         {http.MethodGet, list, []reply{answering(200)}, 200, 1, 0},
		"a read is held back":             {http.MethodGet, list, []reply{dialed, dialed, answering(200)}, 200, 3, 2},
		"a write that was not sent, too":  {http.MethodPut, list, []reply{dialed, dialed, answering(200)}, 200, 3, 2},
		"a write that may have been sent": {http.MethodPut, list, []reply{reset}, 0, 1, 0},
		"a read is sent twice":            {http.MethodGet, list, []reply{reset, answering(200)}, 200, 2, 2},
		"what patience does not mend":     {http.MethodGet, list, []reply{broken}, 0, 1, 0},
		"a balancer without servers":      {http.MethodGet, list, []reply{answering(502), answering(503), answering(504), answering(200)}, 200, 4, 2},
		"a server that says when":         {http.MethodGet, list, []reply{later}, 503, 1, 0},
		"somebody else's API is away":     {http.MethodGet, discovery, []reply{answering(503)}, 503, 1, 0},
		"a write that a server refuses":   {http.MethodPut, list, []reply{answering(503)}, 503, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				log, tries, bodies := &lines{}, 0, ""
				p := &patient{outage: &outage{log: logr.New(log)}, next: answers(func(r *http.Request) (*http.Response, error) {
					body, _ := io.ReadAll(r.Body)
					bodies = string(body)
					tries++
					return tc.replies[tries-1].give()
				})}
				sent, _ := http.NewRequestWithContext(t.Context(), tc.method, "https://example.com"+tc.path, strings.NewReader("object"))
				response, err := p.RoundTrip(sent)
				status := 0
				if err == nil {
					status = response.StatusCode
					_ = response.Body.Close()
				}
				if status != tc.wantStatus || tries != tc.wantTries || len(log.lines) != tc.wantLines || bodies != "object" {
					t.Errorf("got %d (%v) after %d tries with %q, and the log %q", status, err, tries, bodies, log.lines)
				}
			})
		})
	}
}

func TestPatienceEndsWithTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &patient{outage: &outage{log: logr.Discard()}, next: answers(func(*http.Request) (*http.Response, error) { return dialed.give() })}
		ctx, cancel := context.WithTimeout(t.Context(), 3200*time.Millisecond)
		defer cancel()
		sent, _ := http.NewRequestWithContext(ctx, http.MethodGet, "https://example.com/api/v1/nodes", nil)
		response, err := p.RoundTrip(sent)
		if err == nil {
			_ = response.Body.Close()
		}
		if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), syscall.ECONNREFUSED.Error()) {
			t.Errorf("got %v, want the end of the context and why it was waited", err)
		}
	})
}
