package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apiserver/pkg/endpoints/request"
)

// seen is an answer at a time in seconds.
type seen struct {
	at        int
	verb      string
	resource  string
	namespace string
	status    int
}

func TestRefusals(t *testing.T) {
	const ok, denied, unknown = http.StatusOK, http.StatusForbidden, http.StatusUnauthorized
	all, two := []string(nil), []string{"vision", "speech"}
	for name, tc := range map[string]struct {
		namespaces []string
		answers    []seen
		at         int
		want       string // what the reason has; "" if ready
	}{
		"nothing was asked": {},
		"all is well":       {answers: []seen{{0, "list", "mazetasks", "", ok}, {1, "watch", "mazetasks", "", ok}}, at: 100},
		"for short":         {answers: []seen{{0, "list", "mazetasks", "", denied}, {20, "list", "mazetasks", "", denied}}, at: 29},
		"for long": {answers: []seen{{0, "list", "mazetasks", "", denied}, {20, "watch", "mazetasks", "", denied}}, at: 31,
			want: "refuses to let the operator watch mazetasks (403 Forbidden), for 31s now"},
		"the account is gone": {answers: []seen{{0, "update", "leases", "own", unknown}, {29, "get", "leases", "own", unknown}}, at: 30,
			want: "get leases (401 Unauthorized)"},
		"accepted again":                   {answers: []seen{{0, "list", "nodes", "", denied}, {40, "list", "nodes", "", ok}}, at: 41},
		"accepted, then refused":           {answers: []seen{{0, "list", "nodes", "", denied}, {40, "list", "nodes", "", ok}, {50, "list", "nodes", "", denied}}, at: 70},
		"nobody asks any more":             {answers: []seen{{0, "list", "nodes", "", denied}, {40, "list", "nodes", "", denied}}, at: 161},
		"asked anew after long":            {answers: []seen{{0, "list", "nodes", "", denied}, {500, "list", "nodes", "", denied}}, at: 501},
		"neither accepted nor refused":     {answers: []seen{{0, "list", "nodes", "", denied}, {20, "list", "nodes", "", http.StatusInternalServerError}}, at: 40, want: "list nodes"},
		"one of two namespaces":            {namespaces: two, answers: []seen{{0, "list", "configmaps", "vision", denied}, {0, "list", "configmaps", "speech", ok}}, at: 60},
		"both namespaces":                  {namespaces: two, answers: []seen{{0, "list", "configmaps", "vision", denied}, {0, "list", "configmaps", "speech", denied}}, at: 60, want: "list configmaps"},
		"a namespace that is none of ours": {answers: []seen{{0, "list", "configmaps", "vision", denied}}, at: 60},
		"a write that a quota refuses":     {answers: []seen{{0, "create", "configmaps", "vision", denied}, {0, "update", "mazetasks", "vision", denied}}, at: 60},
		"a read of one object":             {answers: []seen{{0, "get", "configmaps", "vision", denied}}, at: 60},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRefusals(needsOf(append(all, tc.namespaces...), false, "own"))
			start := time.Now()
			moment := func(seconds int) time.Time { return start.Add(time.Duration(seconds) * time.Second) }
			for _, a := range tc.answers {
				r.note(&request.RequestInfo{Verb: a.verb, Resource: a.resource, Namespace: a.namespace}, a.status, moment(a.at))
			}
			err := r.check(moment(tc.at))
			if (err == nil) != (tc.want == "") || err != nil && !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q", err, tc.want)
			}
		})
	}
}

// What is not read is not needed: no nodes with nodes: Ignore, no lease without a leader election.
func TestNeeds(t *testing.T) {
	if got := needsOf(nil, true, ""); len(got) != 2 {
		t.Errorf("got %v, want mazetasks and configmaps only", got)
	}
}

func TestObservedTellsScopes(t *testing.T) {
	r := newRefusals(needsOf([]string{"vision"}, true, "own"))
	transport := &observed{refusals: r, next: answers(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: http.StatusForbidden, Body: http.NoBody}, nil
	})}
	for _, path := range []string{"/apis/registry.mazeagent.net/v1alpha1/namespaces/vision/mazetasks?watch=true", "/apis", "/readyz"} {
		sent, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://example.com"+path, nil)
		response, err := transport.RoundTrip(sent)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
	}
	if len(r.refused) != 1 || r.refused[scope{"mazetasks", "vision"}].verb != "watch" {
		t.Errorf("got %v, want a watch of mazetasks in vision", r.refused)
	}
}

func TestChangesAreLoggedOnce(t *testing.T) {
	log := &lines{}
	c := changes{log: logr.New(log)}
	for _, err := range []error{nil, http.ErrBodyNotAllowed, http.ErrBodyNotAllowed, nil, nil} {
		if got := c.note(err); got != err { //nolint:errorlint // the same one
			t.Errorf("got %v, want %v", got, err)
		}
	}
	if len(log.lines) != 2 {
		t.Errorf("got %q, want two lines", log.lines)
	}
}

// lines keeps what is logged.
type lines struct {
	logr.LogSink
	lines []string
}

func (*lines) Init(logr.RuntimeInfo) {}

func (*lines) Enabled(int) bool { return true }

func (l *lines) Info(_ int, message string, _ ...any) { l.lines = append(l.lines, message) }
