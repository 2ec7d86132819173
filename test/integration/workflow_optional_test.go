package integration

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/client-go/rest"

	"github.com/maze-agent/maregister/test/testutil"
)

// without answers requests about workflows as an API server that does not serve them, as long as absent is set.
type without struct {
	http.RoundTripper
	absent *atomic.Bool
}

func (w without) RoundTrip(request *http.Request) (*http.Response, error) {
	if w.absent.Load() && strings.Contains(request.URL.Path, "/mazeworkflows") {
		return &http.Response{
			StatusCode: http.StatusNotFound, Status: "404 Not Found", Header: http.Header{"Content-Type": {"text/plain"}}, Request: request, Body: http.NoBody,
			ProtoMajor: 1, ProtoMinor: 1,
		}, nil
	}
	return w.RoundTripper.RoundTrip(request)
}

var _ = Describe("Workflows are optional", func() {
	It("and are judged once the API server serves them; tasks are served in any case", func(ctx context.Context) {
		namespace := newNamespace(ctx)
		var absent atomic.Bool
		absent.Store(true)
		startOperator(testutil.OperatorOptions{Transport: func(inner http.RoundTripper) http.RoundTripper { return without{inner, &absent} }})
		task, w := newTask(namespace, "caption"), newWorkflow(namespace, "album", "caption")
		Expect(k8s.Create(ctx, w)).To(Succeed())
		expectCreated(ctx, task)
		expectReady(ctx, task)
		expectIdle(namespace)
		Expect(operator.Writes(testutil.WorkflowWrite)).To(BeZero())
		absent.Store(false)
		expectWorkflow(ctx, w, fine)
	})

	It("and are judged in each of the watched namespaces", func(ctx context.Context) {
		one, two, other := newNamespace(ctx), newNamespace(ctx), newNamespace(ctx)
		config := rest.CopyConfig(controlPlane.Config)
		config.Impersonate.UserName = "operator-of-" + one
		expectRights(ctx, config.Impersonate.UserName, false, one, two)
		startOperator(testutil.OperatorOptions{Config: config, Namespaces: []string{one, two, "not-there"}, IgnoreNodes: true})
		task := newTask(two, "caption")
		expectCreated(ctx, task)
		first, second, third := newWorkflow(one, "album", "caption"), newWorkflow(two, "album", "caption"), newWorkflow(other, "album", "caption")
		Expect(k8s.Create(ctx, third)).To(Succeed())
		Expect(k8s.Create(ctx, first)).To(Succeed())
		Expect(k8s.Create(ctx, second)).To(Succeed())
		expectWorkflow(ctx, first, unknown)
		expectWorkflow(ctx, second, fine)
		Expect(k8s.Get(ctx, keyOf(third), third)).To(Succeed())
		Expect(third.Status.ObservedGeneration).To(BeEquivalentTo(-1))
	})
})
