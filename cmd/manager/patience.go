package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/go-logr/logr"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/apimachinery/pkg/util/sets"
	"k8s.io/apiserver/pkg/endpoints/request"
)

// pollPeriod is the time that a request waits before it is tried again.
const pollPeriod = 250 * time.Millisecond

// maxDiscarded bounds what is read of an answer that is not used: a connection whose answer was read is used again.
const maxDiscarded = 4096

// requestInfos tells what a request to the API server is about.
var requestInfos = &request.RequestInfoFactory{APIPrefixes: sets.NewString("api", "apis"), GrouplessAPIPrefixes: sets.NewString("api")}

// patient holds a request back while the API server cannot be reached, and sends it as soon as it can be, until the request's context
// ends. Otherwise each watch would fail, again and again, and client-go's caches wait up to a minute between two tries: after an outage of
// 30 s they would be out of date for half a minute more.
type patient struct {
	next   http.RoundTripper
	outage *outage
}

// WrappedRoundTripper returns what sends the requests, for client-go to cancel them there.
func (p *patient) WrappedRoundTripper() http.RoundTripper { return p.next }

// RoundTrip sends a request and returns its answer.
func (p *patient) RoundTrip(original *http.Request) (*http.Response, error) {
	attempt := original
	for {
		response, err := p.next.RoundTrip(attempt)
		unreached := whyUnreached(original, response, err)
		if unreached == "" {
			if err == nil {
				p.outage.end()
			}
			return response, err
		}
		p.outage.begin(unreached)
		next, again := repeated(original)
		if !again {
			return response, err
		}
		if response != nil {
			_, _ = io.CopyN(io.Discard, response.Body, maxDiscarded) // it is not used
			_ = response.Body.Close()
		}
		if !pause(original.Context(), pollPeriod) {
			return nil, fmt.Errorf("wait for the API server (%s): %w", unreached, context.Cause(original.Context()))
		}
		attempt = next
	}
}

// whyUnreached returns what kept a request from the API server, or "" if it came there, or may have and must not be sent twice.
func whyUnreached(sent *http.Request, response *http.Response, err error) string {
	if err == nil {
		return whyUnanswered(sent, response)
	}
	var operation *net.OpError
	unsent := errors.As(err, &operation) && operation.Op == "dial"
	lost := utilnet.IsConnectionRefused(err) || utilnet.IsConnectionReset(err) || utilnet.IsProbableEOF(err) || utilnet.IsHTTP2ConnectionLost(err)
	if sent.Context().Err() == nil && (unsent || lost && sent.Method == http.MethodGet) {
		return err.Error()
	}
	return ""
}

// whyUnanswered returns what a load balancer says that has no API server behind it, or "".
func whyUnanswered(sent *http.Request, response *http.Response) string {
	switch response.StatusCode {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
	default:
		return ""
	}
	info, err := requestInfos.NewRequestInfo(sent)
	// Discovery goes on without the groups of other people's servers, which may be away for long.
	if err != nil || !info.IsResourceRequest || sent.Method != http.MethodGet || response.Header.Get("Retry-After") != "" {
		return ""
	}
	return "it answers " + response.Status
}

// repeated returns a request to be sent again, and reports whether that is possible.
func repeated(original *http.Request) (*http.Request, bool) {
	next := original.Clone(original.Context())
	if original.Body == nil || original.Body == http.NoBody {
		return next, true
	}
	if original.GetBody == nil {
		return nil, false
	}
	body, err := original.GetBody()
	next.Body = body
	return next, err == nil
}

// pause waits, and reports whether the context has not ended.
func pause(ctx context.Context, period time.Duration) bool {
	timer := time.NewTimer(period)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// outage logs when the API server cannot be reached, and when it can be again: one line each, however many requests wait.
type outage struct {
	log logr.Logger

	mu    sync.Mutex
	since time.Time // zero while there is no outage
}

func (o *outage) begin(reason string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.since.IsZero() {
		o.since = time.Now()
		o.log.Info("The API server cannot be reached; requests wait for it", "reason", reason)
	}
}

func (o *outage) end() {
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.since.IsZero() {
		o.log.Info("The API server is reached again", "after", time.Since(o.since).Round(time.Millisecond).String())
		o.since = time.Time{}
	}
}
