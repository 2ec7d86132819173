package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"
	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/apiserver/pkg/authentication/authenticator"
	tokencache "k8s.io/apiserver/pkg/authentication/token/cache"
	"k8s.io/apiserver/pkg/authentication/user"
	"k8s.io/apiserver/pkg/authorization/authorizer"
	"k8s.io/apiserver/pkg/authorization/authorizerfactory"
	authenticationclient "k8s.io/client-go/kubernetes/typed/authentication/v1"
	authorizationv1 "k8s.io/client-go/kubernetes/typed/authorization/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/flowcontrol"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

// How long what the API server said of a token, or of who may read the metrics, is believed.
const (
	goodTokenTTL = time.Minute
	badTokenTTL  = time.Minute
	allowedTTL   = 5 * time.Minute
	deniedTTL    = 30 * time.Second
)

// Tokens that were not good before are asked about at most so often, whoever sends how many of them.
const (
	unknownTokensPerSecond = 2
	unknownTokensBurst     = 20
)

// maxKnownTokens bounds how many good tokens are remembered. Prometheus has one at a time, which changes every hour or so.
const maxKnownTokens = 64

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
	authorization, err := authorizationv1.NewForConfigAndClient(cluster, requests)
	if err != nil {
		return nil, fmt.Errorf("make the client for access reviews: %w", err)
	}
	rights, err := authorizerfactory.DelegatingAuthorizerConfig{
		SubjectAccessReviewClient: authorization, AllowCacheTTL: allowedTTL, DenyCacheTTL: deniedTTL,
		WebhookRetryBackoff: &wait.Backoff{Duration: pollPeriod, Factor: 1.5, Jitter: 0.2, Steps: 2},
	}.New()
	if err != nil {
		return nil, fmt.Errorf("make the authorizer of the metrics: %w", err)
	}
	tokens := tokencache.New(newTokens(authentication.TokenReviews()), false, goodTokenTTL, badTokenTTL)
	return func(log logr.Logger, handler http.Handler) (http.Handler, error) {
		return &guard{tokens, rights, log, handler}, nil
	}, nil
}

// guard answers requests for the metrics.
type guard struct {
	tokens  authenticator.Token
	rights  authorizer.UnconditionalAuthorizer
	log     logr.Logger
	metrics http.Handler
}

func (g *guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*reviewTimeout)
	defer cancel()
	token, found := bearerToken(r)
	if !found {
		http.Error(w, "Unauthorized", http.StatusUnauthorized)
		return
	}
	who, good, err := g.tokens.AuthenticateToken(ctx, token)
	switch {
	case errors.Is(err, errTooManyTokens):
		http.Error(w, "Too many unknown tokens: try again later", http.StatusTooManyRequests)
		return
	case err != nil:
		g.unanswered(w, "who reads the metrics", err)
		return
	case !good:
		http.Error(w, "Unauthorized", http.StatusUnauthorized)
		return
	}
	decision, _, err := g.rights.Authorize(ctx, authorizer.AttributesRecord{User: who.User, Verb: strings.ToLower(r.Method), Path: r.URL.Path})
	switch {
	case err != nil:
		g.unanswered(w, "whether the metrics may be read", err)
	case decision != authorizer.DecisionAllow:
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

// tokens asks about tokens. It limits how often it asks about those that were not good before, so that nobody can have the operator
// flood the API server; who had a good token is not held up by that.
type tokens struct {
	reviews tokenReviewer
	unknown flowcontrol.PassiveRateLimiter

	mu    sync.Mutex
	known map[[sha256.Size]byte]bool // digests of tokens that were good when they were last asked about
}

func newTokens(reviews tokenReviewer) *tokens {
	return &tokens{
		reviews: reviews, known: map[[sha256.Size]byte]bool{},
		unknown: flowcontrol.NewTokenBucketPassiveRateLimiter(unknownTokensPerSecond, unknownTokensBurst),
	}
}

// AuthenticateToken returns who has a token, and reports whether it is good. An error means that this is not known. A bad token is no
// error, as the cache in front keeps no errors.
func (t *tokens) AuthenticateToken(ctx context.Context, token string) (*authenticator.Response, bool, error) {
	digest := sha256.Sum256([]byte(token))
	if !t.isKnown(digest) && !t.unknown.TryAccept() {
		return nil, false, errTooManyTokens
	}
	ctx, cancel := context.WithTimeout(ctx, reviewTimeout)
	defer cancel()
	review, err := t.reviews.Create(ctx, &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token}}, metav1.CreateOptions{})
	if err != nil {
		return nil, false, fmt.Errorf("review a token: %w", err)
	}
	t.remember(digest, review.Status.Authenticated)
	if !review.Status.Authenticated {
		return nil, false, nil
	}
	extra := map[string][]string{}
	for name, values := range review.Status.User.Extra {
		extra[name] = values
	}
	return &authenticator.Response{User: &user.DefaultInfo{
		Name: review.Status.User.Username, UID: review.Status.User.UID, Groups: review.Status.User.Groups, Extra: extra,
	}}, true, nil
}

func (t *tokens) isKnown(digest [sha256.Size]byte) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.known[digest]
}

// remember keeps the digest of a good token. Where there are too many, any one of them goes: it then counts as unknown once.
func (t *tokens) remember(digest [sha256.Size]byte, good bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !good {
		delete(t.known, digest)
		return
	}
	if len(t.known) >= maxKnownTokens {
		for other := range t.known {
			delete(t.known, other)
			break
		}
	}
	t.known[digest] = true
}
