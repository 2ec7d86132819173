package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-logr/logr"
	authenticationv1 "k8s.io/api/authentication/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/cache"
	authenticationclient "k8s.io/client-go/kubernetes/typed/authentication/v1"
	authorizationclient "k8s.io/client-go/kubernetes/typed/authorization/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"
	"k8s.io/utils/lru"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

// How long what the API server said of a token, or of who may read the metrics, is believed.
const (
	goodTokenTTL = time.Minute
	badTokenTTL  = time.Minute
	allowedTTL   = 5 * time.Minute
	deniedTTL    = 30 * time.Second
)

// Tokens that were not good before are asked about at most so often, however many there are and whoever sends them.
const (
	unknownTokensPerSecond = 2
	unknownTokensBurst     = 20
)

// maxKnownTokens is the most good tokens that are remembered. Prometheus has one at a time, which changes every hour or so.
const maxKnownTokens = 64

// maxAnswers is the most answers of each kind that are kept. Bad tokens, which are asked about twice a second, do not fill it.
const maxAnswers = 256

// maxTokenSize bounds what is sent to the API server as a token, in bytes. A ServiceAccount's token has about 1 KiB.
const maxTokenSize = 16 << 10

const reviewTimeout = 5 * time.Second

var errTooManyTokens = errors.New("too many unknown tokens")

// metricsOptions returns how metrics are served: over TLS, to who may GET them. The certificate is that in a folder, as tls.crt and
// tls.key, which is followed as it is renewed; without a folder, the server signs one itself.
func metricsOptions(address, certificates string) (metricsserver.Options, error) {
	options := metricsserver.Options{BindAddress: address, SecureServing: true, FilterProvider: guardMetrics}
	if certificates == "" {
		return options, nil
	}
	options.CertDir, options.CertName, options.KeyName = certificates, "tls.crt", "tls.key"
	for _, name := range []string{options.CertName, options.KeyName} {
		if _, err := os.Stat(filepath.Join(certificates, name)); err != nil { // the server would sign its own without a word
			return options, fmt.Errorf("read --metrics-cert-path: %w", err)
		}
	}
	return options, nil
}

// guardMetrics returns a filter that lets through who may GET /metrics. A request without a good token gets 401, one of somebody who may
// not 403. The API server is asked who it is (TokenReview) and what he may (SubjectAccessReview); its answers are cached.
func guardMetrics(cluster *rest.Config, requests *http.Client) (metricsserver.Filter, error) {
	authentication, err := authenticationclient.NewForConfigAndClient(cluster, requests)
	if err != nil {
		return nil, fmt.Errorf("make the client for token reviews: %w", err)
	}
	authorization, err := authorizationclient.NewForConfigAndClient(cluster, requests)
	if err != nil {
		return nil, fmt.Errorf("make the client for access reviews: %w", err)
	}
	return func(log logr.Logger, handler http.Handler) (http.Handler, error) {
		return newGuard(authentication.TokenReviews(), authorization.SubjectAccessReviews(), log, handler), nil
	}, nil
}

// guard answers requests for the metrics.
type guard struct {
	tokens  *tokens
	rights  *rights
	log     logr.Logger
	metrics http.Handler
}

func newGuard(reviews tokenReviewer, accesses accessReviewer, log logr.Logger, metrics http.Handler) *guard {
	return &guard{newTokens(reviews), newRights(accesses), log, metrics}
}

// ServeHTTP serves the metrics to who may GET them, and answers everybody else with the reason.
func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*reviewTimeout)
	defer cancel()
	token, found := bearerToken(r)
	if !found {
		http.Error(w, "Unauthorized", http.StatusUnauthorized)
		return
	}
	who, err := g.tokens.whose(ctx, token)
	switch {
	case errors.Is(err, errTooManyTokens):
		http.Error(w, "Too many unknown tokens: try again later", http.StatusTooManyRequests)
		return
	case err != nil:
		g.unanswered(w, "who reads the metrics", err)
		return
	case who == nil:
		http.Error(w, "Unauthorized", http.StatusUnauthorized)
		return
	}
	allowed, err := g.rights.allow(ctx, who, strings.ToLower(r.Method), r.URL.Path)
	switch {
	case err != nil:
		g.unanswered(w, "whether the metrics may be read", err)
	case !allowed:
		http.Error(w, "Forbidden: bind the ClusterRole that lets you GET /metrics", http.StatusForbidden)
	default:
		g.metrics.ServeHTTP(w, r)
	}
}

// unanswered says that the API server could not be asked. It is logged as what it is, without a stack trace: no fault of this program.
func (g *guard) unanswered(w http.ResponseWriter, what string, err error) {
	g.log.Info("The API server could not be asked "+what, "reason", err.Error())
	http.Error(w, "The API server could not be asked "+what, http.StatusServiceUnavailable)
}

// bearerToken returns a request's token, and reports whether it has one.
func bearerToken(r *http.Request) (string, bool) {
	scheme, token, _ := strings.Cut(strings.TrimSpace(r.Header.Get("Authorization")), " ")
	token = strings.TrimSpace(token)
	return token, strings.EqualFold(scheme, "bearer") && token != "" && len(token) <= maxTokenSize
}

// tokenReviewer asks the API server about a token.
type tokenReviewer interface {
	Create(context.Context, *authenticationv1.TokenReview, metav1.CreateOptions) (*authenticationv1.TokenReview, error)
}

// accessReviewer asks the API server what somebody may do.
type accessReviewer interface {
	Create(context.Context, *authorizationv1.SubjectAccessReview, metav1.CreateOptions) (*authorizationv1.SubjectAccessReview, error)
}

// tokens asks about tokens, and believes the answers for a while. It limits how often it asks about those that were not good before, so
// that nobody can have the operator flood the API server; who had a good token is not held up by that.
type tokens struct {
	reviews tokenReviewer
	unknown flowcontrol.PassiveRateLimiter
	// answers holds who has a token, by its digest: a nil *authenticationv1.UserInfo for a bad one.
	answers *cache.LRUExpireCache
	// known holds the digests of tokens that were good when they were last asked about.
	known *lru.Cache
}

func newTokens(reviews tokenReviewer) *tokens {
	return &tokens{
		reviews: reviews, known: lru.New(maxKnownTokens), answers: cache.NewLRUExpireCache(maxAnswers),
		unknown: flowcontrol.NewTokenBucketPassiveRateLimiter(unknownTokensPerSecond, unknownTokensBurst),
	}
}

// whose returns who has a token: nobody, nil, if it is bad. An error means that this is not known.
func (t *tokens) whose(ctx context.Context, token string) (*authenticationv1.UserInfo, error) {
	digest := sha256.Sum256([]byte(token))
	if answer, found := t.answers.Get(digest); found {
		return answer.(*authenticationv1.UserInfo), nil
	}
	if _, known := t.known.Get(digest); !known && !t.unknown.TryAccept() {
		return nil, errTooManyTokens
	}
	ctx, cancel := context.WithTimeout(ctx, reviewTimeout)
	defer cancel()
	review, err := t.reviews.Create(ctx, &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token}}, metav1.CreateOptions{})
	if err != nil {
		return nil, fmt.Errorf("review a token: %w", err)
	}
	if !review.Status.Authenticated {
		t.known.Remove(digest)
		t.answers.Add(digest, (*authenticationv1.UserInfo)(nil), badTokenTTL)
		return nil, nil //nolint:nilnil // nobody has a bad token, and that is no error
	}
	t.known.Add(digest, nil)
	t.answers.Add(digest, &review.Status.User, goodTokenTTL)
	return &review.Status.User, nil
}

// rights asks what somebody may do, and believes the answers for a while.
type rights struct {
	reviews accessReviewer
	// answers holds whether something is allowed, by the JSON of the question.
	answers *cache.LRUExpireCache
}

func newRights(reviews accessReviewer) *rights {
	return &rights{reviews, cache.NewLRUExpireCache(maxAnswers)}
}

// allow reports whether somebody may do what a verb says with a path. An error means that this is not known.
func (r *rights) allow(ctx context.Context, who *authenticationv1.UserInfo, verb, path string) (bool, error) {
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User: who.Username, UID: who.UID, Groups: who.Groups, Extra: map[string]authorizationv1.ExtraValue{},
		NonResourceAttributes: &authorizationv1.NonResourceAttributes{Verb: verb, Path: path},
	}}
	for name, values := range who.Extra {
		review.Spec.Extra[name] = authorizationv1.ExtraValue(values)
	}
	question, err := json.Marshal(&review.Spec)
	if err != nil {
		return false, fmt.Errorf("encode an access review: %w", err)
	}
	if answer, found := r.answers.Get(string(question)); found {
		return answer.(bool), nil
	}
	ctx, cancel := context.WithTimeout(ctx, reviewTimeout)
	defer cancel()
	answered, err := r.reviews.Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return false, fmt.Errorf("review an access: %w", err)
	}
	ttl := deniedTTL
	if answered.Status.Allowed {
		ttl = allowedTTL
	}
	r.answers.Add(string(question), answered.Status.Allowed, ttl)
	return answered.Status.Allowed, nil
}
