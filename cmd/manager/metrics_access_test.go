package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/go-logr/logr"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/flowcontrol"
)

// reviewer knows the tokens "prometheus" and "user" and those that begin with "good-", and counts how often it is asked.
type reviewer struct {
	asked int
	err   error
}

func (r *reviewer) Create(_ context.Context, review *authenticationv1.TokenReview, _ metav1.CreateOptions) (*authenticationv1.TokenReview, error) {
	r.asked++
	if r.err != nil {
		return nil, r.err
	}
	name := review.Spec.Token
	good := name == "prometheus" || name == "user" || strings.HasPrefix(name, "good-")
	review.Status.Authenticated = good
	review.Status.User.Username = name
	if !good {
		review.Status.Error = "[invalid bearer token]"
	}
	return review, nil
}

// only allows one user, and no other. It counts how often it is asked.
type only struct {
	name  string
	asked int
	err   error
}

func (o *only) Create(
	_ context.Context, review *authorizationv1.SubjectAccessReview, _ metav1.CreateOptions,
) (*authorizationv1.SubjectAccessReview, error) {
	o.asked++
	asks := review.Spec.NonResourceAttributes
	review.Status.Allowed = review.Spec.User == o.name && asks.Verb == "get" && asks.Path == "/metrics"
	return review, o.err
}

func guardOf(reviews *reviewer, accesses *only) *guard {
	return newGuard(reviews, accesses, logr.Discard(), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "metrics") }))
}

func (g *guard) ask(header string) *httptest.ResponseRecorder {
	w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/metrics", nil)
	if header != "" {
		r.Header.Set("Authorization", header)
	}
	g.ServeHTTP(w, r)
	return w
}

func TestGuard(t *testing.T) {
	for name, tc := range map[string]struct {
		header    string
		err       error // of token reviews
		accessErr error // of access reviews
		want      int
		// Of three requests, how many token reviews and access reviews.
		wantAsked, wantAccesses int
	}{
		"a reader":                 {header: "Bearer prometheus", want: 200, wantAsked: 1, wantAccesses: 1},
		"a reader, in lower case":  {header: "bearer prometheus", want: 200, wantAsked: 1, wantAccesses: 1},
		"somebody else":            {header: "Bearer user", want: 403, wantAsked: 1, wantAccesses: 1},
		"nobody":                   {want: 401},
		"a password":               {header: "Basic prometheus", want: 401},
		"an empty token":           {header: "Bearer ", want: 401},
		"a bad token":              {header: "Bearer nonsense", want: 401, wantAsked: 1},
		"a large token":            {header: "Bearer " + strings.Repeat("x", maxTokenSize+1), want: 401},
		"the API server is silent": {header: "Bearer prometheus", err: errors.New("no route to host"), want: 503, wantAsked: 3},
		"and then silent":          {header: "Bearer prometheus", accessErr: errors.New("no route to host"), want: 503, wantAsked: 1, wantAccesses: 3},
	} {
		t.Run(name, func(t *testing.T) {
			reviews, accesses := &reviewer{err: tc.err}, &only{name: "prometheus", err: tc.accessErr}
			g := guardOf(reviews, accesses)
			for range 3 {
				if got := g.ask(tc.header); got.Code != tc.want {
					t.Errorf("got %d %s, want %d", got.Code, got.Body, tc.want)
				}
			}
			if reviews.asked != tc.wantAsked || accesses.asked != tc.wantAccesses {
				t.Errorf("the API server was asked %d and %d times, want %d and %d", reviews.asked, accesses.asked, tc.wantAsked, tc.wantAccesses)
			}
		})
	}
}

// Whoever sends many bad tokens does not have the operator flood the API server, and does not keep Prometheus out.
func TestManyBadTokensCostLittle(t *testing.T) {
	reviews := &reviewer{}
	g := guardOf(reviews, &only{name: "prometheus"})
	if got := g.ask("Bearer prometheus"); got.Code != http.StatusOK {
		t.Fatalf("got %d", got.Code)
	}
	refused := 0
	for i := range 1000 {
		if g.ask(fmt.Sprintf("Bearer bad-%d", i)).Code == http.StatusTooManyRequests {
			refused++
		}
	}
	if reviews.asked > unknownTokensBurst+10 || refused < 900 {
		t.Errorf("the API server was asked %d times, and %d requests were refused", reviews.asked, refused)
	}
	g.tokens.answers.RemoveAll(func(any) bool { return true }) // as when they have expired
	if got := g.ask("Bearer prometheus"); got.Code != http.StatusOK {
		t.Errorf("Prometheus got %d", got.Code)
	}
}

func TestKnownTokensAreBounded(t *testing.T) {
	all := newTokens(&reviewer{})
	all.unknown = flowcontrol.NewFakeAlwaysRateLimiter()
	for i := range 10 * maxKnownTokens {
		if who, err := all.whose(t.Context(), fmt.Sprintf("good-%d", i)); who == nil || err != nil {
			t.Fatalf("token %d: %v, %v", i, who, err)
		}
	}
	if all.known.Len() != maxKnownTokens {
		t.Errorf("got %d known tokens, want %d", all.known.Len(), maxKnownTokens)
	}
}

// A certificate that is missing must not be replaced by the server's own without a word.
func TestMetricsCertificate(t *testing.T) {
	folder := t.TempDir()
	if _, err := metricsOptions(":8443", folder); err == nil || !strings.Contains(err.Error(), "--metrics-cert-path") {
		t.Errorf("got %v, want an error that names the flag", err)
	}
	for _, name := range []string{"tls.crt", "tls.key"} {
		if err := os.WriteFile(filepath.Join(folder, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if options, err := metricsOptions(":8443", folder); err != nil || options.CertDir != folder {
		t.Errorf("got %v, %v", options.CertDir, err)
	}
	if options, err := metricsOptions(":8443", ""); err != nil || options.CertDir != "" {
		t.Errorf("got %v, %v", options.CertDir, err)
	}
}
