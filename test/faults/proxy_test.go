package faults

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/client-go/rest"

	"github.com/maze-agent/maregister/test/testutil"
)

const (
	shardsPath = "/api/v1/namespaces/n/configmaps?labelSelector=registry.mazeagent.net%2Fregistry%3Dshard"
	indexPath  = "/api/v1/namespaces/n/configmaps/maze-registry"
)

// fakeAPI answers as an API server would, and keeps what it was asked. Watches send the lines of events.
type fakeAPI struct {
	server *httptest.Server
	events chan string

	mu       sync.Mutex
	requests []string
}

func (f *fakeAPI) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.requests = append(f.requests, r.Method+" "+r.URL.RequestURI())
	f.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if r.URL.Query().Get("watch") == "" {
		fmt.Fprint(w, `{"metadata":{"resourceVersion":"7"}}`)
		return
	}
	w.(http.Flusher).Flush()
	for {
		select {
		case line := <-f.events:
			fmt.Fprintln(w, line)
			w.(http.Flusher).Flush()
		case <-r.Context().Done():
			return
		}
	}
}

func (f *fakeAPI) asked() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.requests)
}

// rig is a proxy between a client and a fake API server.
type rig struct {
	*proxy
	api    *fakeAPI
	client *http.Client
	mu     sync.Mutex
	killed []string
}

func newRig(t *testing.T, faults ...Fault) *rig {
	t.Helper()
	api := &fakeAPI{events: make(chan string)}
	api.server = httptest.NewUnstartedServer(api)
	api.server.EnableHTTP2 = true
	api.server.StartTLS()
	t.Cleanup(api.server.Close)
	r := &rig{api: api}
	i := newInjector(faults)
	i.arm(0)
	i.setIncarnation("a", 3)
	i.killProcess = func(process string, incarnation int) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.killed = append(r.killed, fmt.Sprint(process, incarnation))
	}
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: api.server.Certificate().Raw})
	var err error
	r.proxy, err = startProxy(&rest.Config{Host: api.server.URL, TLSClientConfig: rest.TLSClientConfig{CAData: ca}}, "a", "plan", i, &journal{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.stop)
	r.client = &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: r.server.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs, MinVersion: tls.VersionTLS12}, ForceAttemptHTTP2: true,
	}}
	t.Cleanup(r.client.CloseIdleConnections)
	return r
}

// do sends a request and returns the status and the body; status 0 where there was no answer.
func (r *rig) do(ctx context.Context, method, path string) (int, string) {
	request, err := http.NewRequestWithContext(ctx, method, r.server.URL+path, strings.NewReader("{}"))
	if err != nil {
		return 0, err.Error()
	}
	response, err := r.client.Do(request)
	if err != nil {
		return 0, err.Error()
	}
	body, err := io.ReadAll(response.Body)
	if err = errors.Join(err, response.Body.Close()); err != nil {
		return 0, err.Error()
	}
	return response.StatusCode, string(body)
}

func TestProxyDoesTheFaultsOfWrites(t *testing.T) {
	const short = 150 * time.Millisecond
	cases := map[Kind]struct {
		wantStatus  int
		wantReached bool
		wantKilled  bool
		wantReason  string
	}{
		CrashBefore: {wantKilled: true},
		CrashAfter:  {wantReached: true, wantKilled: true},
		ResetBefore: {},
		ResetAfter:  {wantReached: true},
		Forbidden:   {wantStatus: 403, wantReason: "Forbidden"},
		NotFound:    {wantStatus: 404, wantReason: "NotFound"},
		Conflict:    {wantStatus: 409, wantReason: "Conflict"},
		Exists:      {wantStatus: 409, wantReason: "AlreadyExists"},
		Invalid:     {wantStatus: 422, wantReason: "Invalid"},
		TooMany:     {wantStatus: 429, wantReason: "TooManyRequests"},
		Internal:    {wantStatus: 500, wantReason: "InternalError"},
		Unavailable: {wantStatus: 503, wantReason: "ServiceUnavailable"},
		TimeoutDone: {wantStatus: 504, wantReached: true, wantReason: "Timeout"},
		SlowBefore:  {wantStatus: 200, wantReached: true},
		SlowAfter:   {wantStatus: 200, wantReached: true},
		Late:        {wantReached: true, wantKilled: true},
	}
	if len(cases) != len(writeKinds) {
		t.Errorf("%d cases for %d kinds", len(cases), len(writeKinds))
	}
	for kind, tc := range cases {
		t.Run(string(kind), func(t *testing.T) {
			r := newRig(t, Fault{Kind: kind, Target: IndexWrite, Nth: 2, For: short})
			if status, _ := r.do(t.Context(), http.MethodPut, indexPath); status != 200 {
				t.Fatalf("the first write: %d", status)
			}
			begin := time.Now()
			status, body := r.do(t.Context(), http.MethodPut, indexPath)
			took := time.Since(begin)
			r.injector.holding.Wait()
			reached := len(r.api.asked()) == 2
			killed := slices.Equal(r.killed, []string{"a3"})
			if status != tc.wantStatus || reached != tc.wantReached || killed != tc.wantKilled || !strings.Contains(body, tc.wantReason) {
				t.Errorf("got status %d, reached %t, killed %t, %s; want %+v", status, reached, killed, body, tc)
			}
			if slow := kind == SlowBefore || kind == SlowAfter || kind == Late; slow && took < short {
				t.Errorf("took %s", took)
			}
			if fired := r.injector.fired(); len(fired) != 1 {
				t.Errorf("struck: %v", fired)
			}
			if status, _ := r.do(t.Context(), http.MethodPut, indexPath); status != 200 {
				t.Errorf("the write after it: %d", status)
			}
		})
	}
}

// watch opens a watch of shards and returns its lines. The channel is closed with the watch.
func (r *rig) watch(t *testing.T) <-chan string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, r.server.URL+shardsPath+"&watch=true", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := r.client.Do(request) //nolint:bodyclose // whoever reads it closes it, below
	if err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 10)
	go func() {
		defer close(lines)
		defer func() { _ = response.Body.Close() }() // it is only read
		for scanner := bufio.NewScanner(response.Body); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	return lines
}

// awaitHeld waits until the proxy holds so many events of the rig's watch.
func (r *rig) awaitHeld(t *testing.T, want int64) {
	t.Helper()
	var held int64
	for end := time.Now().Add(testutil.Patience); time.Now().Before(end); pause(t.Context(), time.Millisecond) {
		r.injector.mu.Lock()
		for s := range r.injector.streams {
			held = s.held.Load()
		}
		r.injector.mu.Unlock()
		if held == want {
			return
		}
	}
	t.Fatalf("%d events are held, want %d", held, want)
}

func event(of, name string) string {
	return fmt.Sprintf(`{"type":%q,"object":{"metadata":{"name":%q}}}`, of, name)
}

func next(lines <-chan string) string {
	select {
	case line, more := <-lines:
		if !more {
			return "closed"
		}
		return line
	case <-time.After(testutil.Patience):
		return "nothing"
	}
}

func TestProxyDoesTheFaultsOfWatches(t *testing.T) {
	const short = 200 * time.Millisecond
	a, b := event("ADDED", "a"), event("ADDED", "b")
	t.Run("Nothing", func(t *testing.T) {
		r := newRig(t)
		lines := r.watch(t)
		r.api.events <- a
		if got := next(lines); got != a {
			t.Errorf("got %s", got)
		}
	})
	t.Run("Cut", func(t *testing.T) {
		r := newRig(t)
		lines := r.watch(t)
		if n := r.injector.endStreams(ShardReads, WatchCut); n != 1 {
			t.Errorf("cut %d", n)
		}
		if got := next(lines); got != "closed" {
			t.Errorf("got %s", got)
		}
	})
	t.Run("Gone", func(t *testing.T) {
		r := newRig(t)
		lines := r.watch(t)
		r.injector.endStreams(ShardReads, WatchGone)
		if got := next(lines); !strings.Contains(got, `"type":"ERROR"`) || !strings.Contains(got, `"code":410`) {
			t.Errorf("got %s", got)
		}
		if got := next(lines); got != "closed" {
			t.Errorf("got %s", got)
		}
	})
	t.Run("Delay", func(t *testing.T) {
		r := newRig(t)
		lines := r.watch(t)
		until := time.Now().Add(short)
		r.injector.rule(ShardReads, func(rule *watchRule) { rule.hold = until })
		r.api.events <- a
		r.api.events <- b
		if first, second := next(lines), next(lines); first != a || second != b || time.Now().Before(until) {
			t.Errorf("got %s and %s, %s early", first, second, time.Until(until))
		}
	})
	t.Run("Lag", func(t *testing.T) {
		r := newRig(t)
		lines := r.watch(t)
		r.injector.rule(ShardReads, func(rule *watchRule) { rule.lag = short })
		for range 2 {
			begin := time.Now()
			r.api.events <- a
			if got := next(lines); got != a || time.Since(begin) < short {
				t.Errorf("got %s after %s", got, time.Since(begin))
			}
		}
	})
	t.Run("Newest", func(t *testing.T) {
		r := newRig(t)
		lines := r.watch(t)
		r.injector.rule(ShardReads, func(rule *watchRule) { rule.hold, rule.newest = time.Now().Add(time.Hour), true })
		for _, line := range []string{a, event("MODIFIED", "b"), event("MODIFIED", "a"), event("DELETED", "b"), event("ADDED", "c"), event("DELETED", "c"),
			event("BOOKMARK", ""), event("BOOKMARK", ""), event("DELETED", "d"), event("ADDED", "d")} {
			r.api.events <- line
		}
		r.awaitHeld(t, 10)
		r.injector.rule(ShardReads, func(rule *watchRule) { rule.hold = time.Now() })
		for _, want := range []string{a, event("DELETED", "b"), event("BOOKMARK", ""), event("BOOKMARK", ""), event("MODIFIED", "d")} {
			if got := next(lines); got != want {
				t.Errorf("want %s, got %s", want, got)
			}
		}
	})
	t.Run("Refused", func(t *testing.T) {
		r := newRig(t)
		r.injector.rule(ShardReads, func(rule *watchRule) { rule.refuse = time.Now().Add(time.Hour) })
		for _, path := range []string{shardsPath, shardsPath + "&watch=true"} {
			if status, _ := r.do(t.Context(), http.MethodGet, path); status != 503 {
				t.Errorf("got %d", status)
			}
		}
		r.injector.heal()
		if status, _ := r.do(t.Context(), http.MethodGet, shardsPath); status != 200 {
			t.Errorf("when healed: got %d", status)
		}
	})
}

func TestProxyAnswersOldLists(t *testing.T) {
	r := newRig(t)
	r.injector.setStale([]Target{ShardReads}, "5", time.Hour)
	if status, _ := r.do(t.Context(), http.MethodGet, shardsPath+"&watch=true&sendInitialEvents=true"); status != 422 {
		t.Errorf("a watch with initial events: got %d", status)
	}
	for range 2 {
		r.do(t.Context(), http.MethodGet, shardsPath+"&resourceVersion=0")
	}
	r.do(t.Context(), http.MethodGet, "/api/v1/nodes?resourceVersion=0")
	asked := r.api.asked()
	if len(asked) != 3 || !strings.Contains(asked[0], "resourceVersion=5&resourceVersionMatch=Exact") || strings.Contains(asked[1], "Exact") {
		t.Errorf("asked %v", asked)
	}
	if !strings.Contains(asked[2], "labelSelector=faults.test%2Fplan%3Dplan") {
		t.Errorf("nodes were asked for by %s", asked[2])
	}
	if hold := r.injector.ruleOf(ShardReads).hold; !hold.After(time.Now().Add(time.Minute)) {
		t.Errorf("the watch after it is held until %s", hold)
	}
}

func TestGate(t *testing.T) {
	const short = 200 * time.Millisecond
	r := newRig(t)
	reaches := func(patience time.Duration) bool {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		status, _ := r.do(ctx, http.MethodGet, shardsPath)
		return status == 200
	}
	if !reaches(testutil.Patience) {
		t.Fatal("an open gate lets nothing through")
	}
	lines := r.watch(t)
	r.gate.set(closed)
	r.gate.cut()
	if got := next(lines); got != "closed" {
		t.Errorf("a watch over a gate that was closed: got %s", got)
	}
	if reaches(short) {
		t.Error("a closed gate lets something through")
	}
	r.gate.set(open)
	if !reaches(testutil.Patience) {
		t.Error("a gate that was closed lets nothing through")
	}
	lines = r.watch(t)
	r.gate.set(silent)
	if reaches(short) {
		t.Error("a silent gate lets something through")
	}
	r.gate.set(open)
	r.api.events <- "x"
	if got := next(lines); got != "x" {
		t.Errorf("a watch over a gate that was silent: got %s", got)
	}
}

func TestRefusals(t *testing.T) {
	statusPath := "/apis/registry.mazeagent.net/v1alpha1/namespaces/n/mazetasks/a/status"
	leasePath := "/apis/coordination.k8s.io/v1/namespaces/n/leases/l"
	cases := map[Kind]map[string]int{
		WritesRefused: {"PUT " + indexPath: 403, "PUT " + statusPath: 200, "PUT " + leasePath: 200},
		QuotaExceeded: {"PUT " + indexPath: 200, "POST /api/v1/namespaces/n/configmaps": 403, "PUT " + statusPath: 200},
		StatusRefused: {"PUT " + indexPath: 200, "PUT " + statusPath: 403},
		LeaseBlocked:  {"PUT " + indexPath: 200, "PUT " + leasePath: 503},
	}
	for kind, paths := range cases {
		t.Run(string(kind), func(t *testing.T) {
			r := newRig(t)
			r.injector.refuse(kind, time.Hour)
			for call, want := range paths {
				method, path, _ := strings.Cut(call, " ")
				if status, _ := r.do(t.Context(), method, path); status != want {
					t.Errorf("%s: want %d, got %d", call, want, status)
				}
			}
		})
	}
}
