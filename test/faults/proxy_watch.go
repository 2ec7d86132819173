package faults

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"sync/atomic"
	"time"
)

// stream is an open watch.
type stream struct {
	target  Target
	process string
	// ended brings the kind of fault that ends it.
	ended chan Kind
	// held is the number of events that have arrived and are not due.
	held atomic.Int64
}

// watchRule says what a fault does to the watches of a kind of objects.
type watchRule struct {
	hold   time.Time // nothing is delivered before
	lag    time.Duration
	newest bool
	refuse time.Time // nothing is answered before
}

// frame is an event of a watch.
type frame struct {
	at   time.Time
	line []byte
}

// serveWatch passes events on, or what a fault makes of them.
func (p *proxy) serveWatch(w http.ResponseWriter, r *http.Request, c *call) {
	if p.injector.refusesReads(c) {
		statusAnswer(Unavailable, c).send(w)
		return
	}
	if c.initial && p.injector.isStale(c) {
		statusAnswer(Invalid, c).send(w) // as an API server that does not know such watches: a list follows
		return
	}
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	defer context.AfterFunc(p.life, cancel)() //nolint:contextcheck // a request ends with the plan, too
	response, err := p.open(ctx, r, nil)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	defer func() { _ = response.Body.Close() }() // it is only read
	if response.StatusCode != http.StatusOK {
		content, _ := io.ReadAll(response.Body)
		(&answer{status: response.StatusCode, header: response.Header, body: content}).send(w)
		return
	}
	s := &stream{target: c.target, process: c.process, ended: make(chan Kind, 4)}
	p.injector.addStream(s) // before the client knows that it watches
	defer p.injector.removeStream(s)
	for key, values := range response.Header {
		w.Header()[key] = values
	}
	w.WriteHeader(http.StatusOK)
	flusher := w.(http.Flusher)
	flusher.Flush()
	p.pump(ctx, w, flusher, response.Body, s)
}

// pump delivers the events of a watch when they are due.
func (p *proxy) pump(ctx context.Context, w io.Writer, flusher http.Flusher, events io.Reader, s *stream) {
	arrived := make(chan frame)
	go readFrames(ctx, events, arrived)
	var queue []frame
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case f, more := <-arrived:
			if !more {
				return
			}
			queue = append(queue, f)
		case kind := <-s.ended:
			if kind == WatchGone {
				gone := statusAnswer(WatchGone, &call{target: s.target})
				_, _ = fmt.Fprintf(w, "{\"type\":\"ERROR\",\"object\":%s}\n", gone.body) // the process may be dead
				flusher.Flush()
			}
			return
		case <-p.injector.changed():
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		rule, now := p.injector.ruleOf(s.target), time.Now()
		due := dueFrames(queue, rule, now)
		for _, f := range batchOf(queue[:due], rule) {
			if _, err := w.Write(f.line); err != nil {
				return
			}
		}
		if queue = queue[due:]; due > 0 {
			flusher.Flush()
		}
		s.held.Store(int64(len(queue)))
		if len(queue) > 0 {
			timer.Reset(dueAt(queue[0], rule).Sub(now))
		}
	}
}

func readFrames(ctx context.Context, events io.Reader, arrived chan<- frame) {
	defer close(arrived)
	reader := bufio.NewReaderSize(events, 1<<16)
	for {
		line, err := reader.ReadBytes('\n')
		if len(bytes.TrimSpace(line)) > 0 && err == nil {
			select {
			case arrived <- frame{time.Now(), line}:
			case <-ctx.Done():
				return
			}
		}
		if err != nil {
			return // io.EOF as a rule: the watch has ended
		}
	}
}

func dueAt(f frame, rule watchRule) time.Time {
	due := f.at.Add(rule.lag)
	if due.Before(rule.hold) {
		return rule.hold
	}
	return due
}

// dueFrames returns how many events of a queue are due.
func dueFrames(queue []frame, rule watchRule, now time.Time) int {
	due := slices.IndexFunc(queue, func(f frame) bool { return dueAt(f, rule).After(now) })
	if due < 0 {
		return len(queue)
	}
	return due
}

// batchOf returns the events to deliver together: all or, by the rule, the newest of each object.
func batchOf(queue []frame, rule watchRule) []frame {
	if !rule.newest || len(queue) < 2 {
		return queue
	}
	type event struct {
		Type   string `json:"type"`
		Object struct {
			Metadata struct {
				Name string `json:"name"`
			} `json:"metadata"`
		} `json:"object"`
	}
	last := map[string]int{}
	first := map[string]string{}
	for i, f := range queue {
		var e event
		if err := json.Unmarshal(f.line, &e); err != nil {
			return queue
		}
		key := e.Object.Metadata.Name
		if e.Type == "BOOKMARK" {
			key = fmt.Sprintf("bookmark %d", i) // one of them tells that all objects have been seen
		}
		if _, seen := first[key]; !seen {
			first[key] = e.Type
		}
		last[key] = i
	}
	var out []frame
	for _, i := range slices.Sorted(maps.Values(last)) {
		var e event
		_ = json.Unmarshal(queue[i].line, &e) // it was decoded before
		switch key := e.Object.Metadata.Name; {
		case e.Type == "BOOKMARK":
			out = append(out, queue[i])
		case first[key] == "ADDED" && e.Type == "DELETED":
		case first[key] == "ADDED" && e.Type == "MODIFIED":
			out = append(out, retyped(queue[i], e.Type, "ADDED"))
		case first[key] != "ADDED" && e.Type == "ADDED":
			out = append(out, retyped(queue[i], e.Type, "MODIFIED"))
		default:
			out = append(out, queue[i])
		}
	}
	return out
}

// retyped returns an event with another type. The API server writes the type first.
func retyped(f frame, from, to string) frame {
	old := fmt.Appendf(nil, `"type":%q`, from)
	return frame{f.at, bytes.Replace(f.line, old, fmt.Appendf(nil, `"type":%q`, to), 1)}
}

var errEnded = errors.New("the plan has ended")
