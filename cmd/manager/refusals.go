package main

import (
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apiserver/pkg/endpoints/request"
)

const (
	// refusedForLong is the time for which the API server must refuse before the operator is not ready. Its own restart, or a role that is
	// replaced, takes a few seconds.
	refusedForLong = 30 * time.Second
	// refusalCounts is the time for which a refusal counts. A cache that is refused asks again within a minute.
	refusalCounts = 2 * time.Minute
)

// scope is a kind of object in a namespace; "" stands for all namespaces, and for kinds that are in none.
type scope struct{ resource, namespace string }

// need is a kind of object that the operator must read, in at least one of some namespaces.
type need struct {
	resource   string
	namespaces []string
}

// needsOf returns what the operator must read.
func needsOf(namespaces []string, ignoreNodes bool, leaseNamespace string) []need {
	if len(namespaces) == 0 {
		namespaces = []string{""}
	}
	needs := []need{{"mazetasks", namespaces}, {"configmaps", namespaces}}
	if !ignoreNodes {
		needs = append(needs, need{"nodes", []string{""}})
	}
	if leaseNamespace != "" {
		needs = append(needs, need{"leases", []string{leaseNamespace}})
	}
	return needs
}

// refusal is what the API server answers to requests of a scope, since it accepted one last.
type refusal struct {
	first, last time.Time
	verb        string
	status      int
}

// refusals knows whether the API server refuses what the operator needs. Only reads, and what concerns the lease, are looked at: a write
// in a namespace may be refused by a quota or a policy of that namespace, which is no reason to take the operator for broken.
type refusals struct {
	needs []need

	mu      sync.Mutex
	refused map[scope]refusal // of scopes in needs only
}

func newRefusals(needs []need) *refusals {
	return &refusals{needs: needs, refused: map[scope]refusal{}}
}

// note takes notice of an answer.
func (r *refusals) note(info *request.RequestInfo, status int, now time.Time) {
	if info.Verb != "list" && info.Verb != "watch" && info.Resource != "leases" {
		return
	}
	at := scope{info.Resource, info.Namespace}
	if !slices.ContainsFunc(r.needs, func(n need) bool { return n.resource == at.resource && slices.Contains(n.namespaces, at.namespace) }) {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		next := r.refused[at]
		if next.first.IsZero() || now.Sub(next.last) > refusalCounts {
			next.first = now
		}
		next.last, next.verb, next.status = now, info.Verb, status
		r.refused[at] = next
	case status < http.StatusBadRequest:
		delete(r.refused, at)
	}
}

// check returns an error if something that the operator needs has been refused for long in every namespace where it needs it.
func (r *refusals) check(now time.Time) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, needed := range r.needs {
		var shown refusal
		all := true
		for _, namespace := range needed.namespaces {
			found, ok := r.refused[scope{needed.resource, namespace}]
			all = all && ok && now.Sub(found.first) >= refusedForLong && now.Sub(found.last) <= refusalCounts
			shown = found
		}
		if all {
			return fmt.Errorf("the API server refuses to let the operator %s %s (%d %s), for %s now: give its ServiceAccount the rights of config/rbac",
				shown.verb, needed.resource, shown.status, http.StatusText(shown.status), now.Sub(shown.first).Round(time.Second))
		}
	}
	return nil
}

// observed is a transport that shows answers to refusals.
type observed struct {
	next     http.RoundTripper
	refusals *refusals
}

// WrappedRoundTripper returns what sends the requests, for client-go to cancel them there.
func (o *observed) WrappedRoundTripper() http.RoundTripper { return o.next }

// RoundTrip sends a request and returns its answer.
func (o *observed) RoundTrip(sent *http.Request) (*http.Response, error) {
	response, err := o.next.RoundTrip(sent)
	if err == nil {
		if info, unknown := requestInfos.NewRequestInfo(sent); unknown == nil && info.IsResourceRequest {
			o.refusals.note(info, response.StatusCode, time.Now())
		}
	}
	return response, err
}

// changes logs when a state changes, and not each time that somebody asks.
type changes struct {
	log logr.Logger

	mu  sync.Mutex
	bad bool
}

func (c *changes) note(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if (err != nil) == c.bad {
		return err
	}
	c.bad = err != nil
	if c.bad {
		c.log.Info("The operator is not ready any more", "reason", err.Error())
	} else {
		c.log.Info("The operator is ready again")
	}
	return err
}
