package main

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// requestCounter is the API server's metric that counts requests.
const requestCounter = "apiserver_request_total"

// kind is a kind of request, as the API server counts them.
type kind struct {
	resource    string
	subresource string
	verb        string
	code        string
}

func (k kind) String() string {
	target := k.resource
	if k.subresource != "" {
		target += "/" + k.subresource
	}
	return fmt.Sprintf("%s %s %s", k.verb, target, k.code)
}

// requests are numbers of requests.
type requests map[kind]int

// readRequests asks the API server how many write requests it has answered since it started. Those for leases are left out: the
// API server renews one of its own.
func (s *stage) readRequests(ctx context.Context) (requests, error) {
	return s.countRequests(ctx, kind.write)
}

// readReads asks the same for the requests that read what the operator reads. Those that go on, watches, are counted when they end.
func (s *stage) readReads(ctx context.Context) (requests, error) {
	return s.countRequests(ctx, kind.read)
}

func (s *stage) countRequests(ctx context.Context, counts func(kind) bool) (requests, error) {
	text, err := s.raw.Discovery().RESTClient().Get().AbsPath("/metrics").DoRaw(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the API server's metrics: %w", err)
	}
	return parseRequests(text, counts)
}

func parseRequests(text []byte, wanted func(kind) bool) (requests, error) {
	var lines bytes.Buffer // all metrics are megabytes
	for line := range bytes.Lines(text) {
		if bytes.HasPrefix(line, []byte(requestCounter+"{")) {
			lines.Write(line)
		}
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(&lines)
	if err != nil {
		return nil, fmt.Errorf("parse the API server's metrics: %w", err)
	}
	counts := requests{}
	for _, metric := range families[requestCounter].GetMetric() {
		labels := map[string]string{}
		for _, pair := range metric.GetLabel() {
			labels[pair.GetName()] = pair.GetValue()
		}
		k := kind{resource: labels["resource"], subresource: labels["subresource"], verb: labels["verb"], code: labels["code"]}
		if wanted(k) {
			counts[k] += int(metric.GetUntyped().GetValue() + metric.GetCounter().GetValue())
		}
	}
	return counts, nil
}

func (k kind) write() bool { return isWrite(k.verb) && k.resource != "leases" }

func (k kind) read() bool {
	return !isWrite(k.verb) && (k.resource == "mazetasks" || k.resource == "configmaps" || k.resource == "nodes")
}

// isWrite knows the reading verbs, so that a verb that is new counts as a write.
func isWrite(verb string) bool {
	switch verb {
	case "", "GET", "LIST", "WATCH", "WATCHLIST", "CONNECT":
		return false
	}
	return true
}

// since returns what came after earlier.
func (r requests) since(earlier requests) requests {
	difference := requests{}
	for k, count := range r {
		if count != earlier[k] {
			difference[k] = count - earlier[k]
		}
	}
	return difference
}

// count adds the numbers of the kinds that match.
func (r requests) count(matches func(kind) bool) int {
	sum := 0
	for k, count := range r {
		if matches(k) {
			sum += count
		}
	}
	return sum
}

// sum returns the number of all of them.
func (r requests) sum() int { return r.count(func(kind) bool { return true }) }

// kinds returns the kinds in the order of resource, subresource, verb and code.
func (r requests) kinds() []kind {
	return slices.SortedFunc(maps.Keys(r), func(a, b kind) int {
		return cmp.Or(cmp.Compare(a.resource, b.resource), cmp.Compare(a.subresource, b.subresource), cmp.Compare(a.verb, b.verb), cmp.Compare(a.code, b.code))
	})
}

func (k kind) done() bool     { return k.code[0] == '2' }
func (k kind) conflict() bool { return k.code == "409" }
func (k kind) statusWrite() bool {
	return k.done() && k.resource == "mazetasks" && k.subresource == "status"
}
func (k kind) registryWrite() bool { return k.done() && k.resource == "configmaps" }
func (k kind) eventWrite() bool    { return k.done() && k.resource == "events" }

const (
	// quiet is how long no write may come for the work of a burst to be over.
	quiet = 2 * time.Second
	// settlePatience is how long to wait for that.
	settlePatience = 2 * time.Minute
	// settlePoll is how often to look.
	settlePoll = 500 * time.Millisecond
)

// settle waits until the API server has answered no write for the given time, and returns the numbers until then. If writes go
// on for too long, it returns as well: they will show in what is counted next.
func (s *stage) settle(ctx context.Context, still time.Duration) (requests, error) {
	ticker := time.NewTicker(settlePoll)
	defer ticker.Stop()
	last, err := s.readRequests(ctx)
	since, start := time.Now(), time.Now()
	for err == nil && time.Since(since) < still && time.Since(start) < settlePatience {
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-ticker.C:
		}
		var next requests
		if next, err = s.readRequests(ctx); len(next.since(last)) > 0 {
			last, since = next, time.Now()
		}
	}
	return last, err
}
