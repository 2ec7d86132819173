package integration

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/test/testutil"
)

var _ = Describe("The operator in a race", func() {
	var namespace string

	BeforeEach(func(ctx context.Context) { namespace = newNamespace(ctx) })

	It("killed between the registry and the status, goes on with the status alone", func(ctx context.Context) {
		startOperator(testutil.OperatorOptions{Fault: func(_ context.Context, kind testutil.Kind, _ client.Object) error {
			if kind == testutil.StatusWrite {
				return errors.New("killed")
			}
			return nil
		}})
		task := newTask(namespace, "caption")
		expectCreated(ctx, task)
		expectPublished(ctx, namespace, "caption@1")
		stopOperator()
		Expect(k8s.Get(ctx, keyOf(task), task)).To(Succeed())
		Expect(task.Status.ObservedGeneration).To(BeEquivalentTo(-1))

		startOperator(testutil.OperatorOptions{})
		expectReady(ctx, task)
		expectIdle(namespace)
		Expect(operator.Writes(testutil.StatusWrite)).To(Equal(1))
		Expect(operator.Writes(testutil.RegistryWrite)).To(BeZero())
	})

	It("killed there, and the task badly edited meanwhile, goes on serving the entry", func(ctx context.Context) {
		startOperator(testutil.OperatorOptions{Fault: func(_ context.Context, kind testutil.Kind, _ client.Object) error {
			if kind == testutil.StatusWrite {
				return errors.New("killed")
			}
			return nil
		}})
		task := newTask(namespace, "caption")
		expectCreated(ctx, task)
		expectPublished(ctx, namespace, "caption@1")
		stopOperator()
		expectEdited(ctx, task, func(t *v1alpha1.MazeTask) { t.Spec.InputParameters = unsupported })
		startOperator(testutil.OperatorOptions{})
		expectConditions(ctx, task, map[string]string{v1alpha1.ConditionRegistered: "False/ServingLastAccepted"})
		expectPublished(ctx, namespace, "caption@1")
	})

	It("takes a bad edit during a burst for what it is", func(ctx context.Context) {
		startOperator(testutil.OperatorOptions{})
		watcher := watchRegistry(ctx, namespace)
		task := newTask(namespace, "caption")
		expectCreated(ctx, task)
		expectReady(ctx, task)
		var burst []*v1alpha1.MazeTask
		for i := range 100 {
			burst = append(burst, newTask(namespace, fmt.Sprintf("task-%03d", i)))
		}
		expectCreated(ctx, burst[:50]...)
		expectEdited(ctx, task, func(t *v1alpha1.MazeTask) { t.Spec.InputParameters = unsupported })
		expectCreated(ctx, burst[50:]...)
		expectReady(ctx, burst...)
		expectConditions(ctx, task, map[string]string{v1alpha1.ConditionRegistered: "False/ServingLastAccepted"})
		entries, err := published(ctx, namespace)
		Expect(err).NotTo(HaveOccurred())
		Expect(entries).To(HaveLen(101))
		Expect(entries["caption"].Kubernetes.Generation).To(BeEquivalentTo(1))
		watcher.stop()
	})

	It("sees what happened while it was away", func(ctx context.Context) {
		startOperator(testutil.OperatorOptions{})
		older, newer, replaced := newTask(namespace, "ocr-v1"), newTask(namespace, "ocr-v2"), newTask(namespace, "caption")
		older.Spec.Name, newer.Spec.Name = "ocr", "ocr"
		expectCreated(ctx, older, newer, replaced)
		expectReady(ctx, newer, replaced)
		stopOperator()
		Expect(k8s.Delete(ctx, newer)).To(Succeed())
		Expect(k8s.Delete(ctx, replaced)).To(Succeed())
		again := newTask(namespace, "caption")
		expectCreated(ctx, again)
		startOperator(testutil.OperatorOptions{})
		expectReady(ctx, older, again)
		entries, err := published(ctx, namespace)
		Expect(err).NotTo(HaveOccurred())
		Expect(entries["ocr"].Kubernetes.UID).To(Equal(older.UID))
		Expect(entries["caption"].Kubernetes.UID).To(Equal(again.UID))
	})

	It("does not go backwards after a restart on a stale list", func(ctx context.Context) {
		startOperator(testutil.OperatorOptions{})
		edited, deleted := newTask(namespace, "edited"), newTask(namespace, "deleted")
		expectCreated(ctx, edited, deleted)
		expectReady(ctx, edited, deleted)
		var then v1alpha1.MazeTaskList
		Expect(k8s.List(ctx, &then)).To(Succeed())
		expectEdited(ctx, edited, func(t *v1alpha1.MazeTask) { t.Spec.Description = "another" })
		Expect(k8s.Delete(ctx, deleted)).To(Succeed())
		expectReady(ctx, edited)
		expectPublished(ctx, namespace, "edited@2")
		stopOperator()

		watcher := watchRegistry(ctx, namespace)
		stale := &staleTasks{resourceVersion: then.ResourceVersion, release: make(chan struct{})}
		startOperator(testutil.OperatorOptions{Transport: stale.wrap})
		expectIdle(namespace)
		expectPublished(ctx, namespace, "edited@2")
		late := newTask(namespace, "late")
		expectCreated(ctx, late)
		close(stale.release)
		expectReady(ctx, late, edited)
		expectPublished(ctx, namespace, "edited@2", "late@1")
		watcher.stop()
	})

	It("is not held up by a registry that was copied from a cluster with a longer history", func(ctx context.Context) {
		startOperator(testutil.OperatorOptions{})
		task := newTask(namespace, "caption")
		expectCreated(ctx, task)
		expectReady(ctx, task)
		index := indexOf(ctx, namespace)
		index.Annotations[registry.SourceAnnotation] = "999999999999"
		Expect(k8s.Update(ctx, index)).To(Succeed())
		expectEdited(ctx, task, func(t *v1alpha1.MazeTask) { t.Spec.Description = "another" })
		expectReady(ctx, task)
		expectPublished(ctx, namespace, "caption@2")
	})
})

// staleTasks gives an operator's cache a list of the tasks as they were, and holds back what happened since.
type staleTasks struct {
	resourceVersion string
	release         chan struct{}
	next            http.RoundTripper
}

func (s *staleTasks) wrap(next http.RoundTripper) http.RoundTripper {
	s.next = next
	return s
}

// RoundTrip implements http.RoundTripper.
func (s *staleTasks) RoundTrip(request *http.Request) (*http.Response, error) {
	query := request.URL.Query()
	if request.Method != http.MethodGet || !strings.HasSuffix(request.URL.Path, "/v1alpha1/mazetasks") {
		return s.next.RoundTrip(request)
	}
	switch {
	case query.Get("sendInitialEvents") == "true": // let the client list instead
		const invalid = `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Invalid","code":422}`
		return &http.Response{
			StatusCode: http.StatusUnprocessableEntity, Header: http.Header{"Content-Type": {"application/json"}},
			Body: io.NopCloser(strings.NewReader(invalid)), Request: request,
		}, nil
	case query.Get("watch") == "true":
		select {
		case <-s.release:
		case <-request.Context().Done():
			return nil, request.Context().Err()
		}
	default:
		request = request.Clone(request.Context())
		query.Set("resourceVersion", s.resourceVersion)
		query.Set("resourceVersionMatch", "Exact")
		request.URL.RawQuery = query.Encode()
	}
	return s.next.RoundTrip(request)
}
