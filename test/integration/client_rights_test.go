package integration

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/rest"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/client"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/test/testutil"
)

// follow starts a reader of a namespace's registry for the rest of a spec.
func follow(ctx context.Context, config *rest.Config, namespace string) *client.Registry {
	GinkgoHelper()
	reader, err := client.New(config, namespace)
	Expect(err).NotTo(HaveOccurred())
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx)) // that of a node ends with it, and a reader may be started in BeforeEach
	ended := make(chan error, 1)
	go func() { ended <- reader.Start(ctx) }()
	DeferCleanup(func() {
		cancel()
		Eventually(ended).Should(Receive(BeNil()))
	})
	return reader
}

// expectSync waits until a reader has read the registry.
func expectSync(ctx context.Context, reader *client.Registry) {
	GinkgoHelper()
	ctx, cancel := context.WithTimeout(ctx, testutil.Patience)
	defer cancel()
	Expect(reader.WaitForSync(ctx)).To(Succeed())
	Expect(reader.Err()).NotTo(HaveOccurred())
}

// syncError is what a reader says that cannot read the registry.
func syncError(ctx context.Context, reader *client.Registry) error {
	GinkgoHelper()
	Eventually(reader.Err).Should(HaveOccurred())
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	return reader.WaitForSync(ctx)
}

var _ = Describe("A reader's rights", func() {
	var (
		namespace string
		config    *rest.Config
	)

	BeforeEach(func(ctx context.Context) {
		namespace = newNamespace(ctx)
		applyExample(ctx, "registry-reader/rbac.yaml", "vision", namespace)
		var err error
		config, err = testutil.AccountConfig(ctx, controlPlane.Config, namespace, "scheduler")
		Expect(err).NotTo(HaveOccurred())
		expectVerbs(ctx, config, namespace, map[string]bool{"get": false, "list": false, "watch": true})
		startOperator(testutil.OperatorOptions{})
	})

	// grant gives the account these verbs in place of those that it had.
	grant := func(ctx context.Context, verbs ...string) {
		GinkgoHelper()
		role := &rbacv1.Role{}
		role.Namespace, role.Name = namespace, "maze-registry-reader"
		Expect(k8s.Get(ctx, keyOf(role), role)).To(Succeed())
		role.Rules[0].Verbs = verbs
		Expect(k8s.Update(ctx, role)).To(Succeed())
		rights := map[string]bool{"get": false, "list": false, "watch": false}
		for _, verb := range verbs {
			rights[verb] = true
		}
		expectVerbs(ctx, config, namespace, rights)
	}

	It("are to watch ConfigMaps, as the example grants, and nothing else", func(ctx context.Context) {
		reader := follow(ctx, config, namespace)
		expectSync(ctx, reader)
		Expect(reader.Snapshot().Len()).To(BeZero(), "a namespace without tasks has no registry, and is an empty one")
		task := newTask(namespace, "caption")
		expectCreated(ctx, task)
		Eventually(func() bool { _, ok := reader.Get("caption"); return ok }).Should(BeTrue())
		entry, _ := reader.Get("caption")
		Expect(entry.Kubernetes.UID).To(Equal(task.UID))
		Expect(entry.Resources.Mem).To(BeEquivalentTo(1024))
		expectReady(ctx, task)
		digest, _ := reader.Snapshot().Digest("caption")
		Expect(digest).To(Equal(task.Status.Entry.Digest))
	})

	It("are none where the kubelet mounts the registry", func(ctx context.Context) {
		applyExample(ctx, "registry-reader/pod.yaml", "vision", namespace) // is a valid Pod
		expectCreated(ctx, newTask(namespace, "caption"))
		expectPublished(ctx, namespace, "caption@1")
		folder := GinkgoT().TempDir()
		for key, text := range indexOf(ctx, namespace).Data {
			Expect(os.WriteFile(filepath.Join(folder, key), []byte(text), 0o600)).To(Succeed())
		}
		snapshot, err := client.ReadFolder(folder)
		Expect(err).NotTo(HaveOccurred())
		Expect(snapshot.Names()).To(Equal([]string{"caption"}))
	})

	It("are told when they lack", func(ctx context.Context) {
		grant(ctx, "get", "list")
		err := syncError(ctx, follow(ctx, config, namespace))
		Expect(err).To(MatchError(And(
			ContainSubstring("a Role of namespace "+namespace+" must allow the verb watch on configmaps"),
			ContainSubstring(`User "system:serviceaccount:`+namespace+`:scheduler" cannot watch resource "configmaps"`),
		)))
	})

	It("may come later", func(ctx context.Context) {
		grant(ctx, "get")
		reader := follow(ctx, config, namespace)
		Expect(syncError(ctx, reader)).To(HaveOccurred())
		grant(ctx, "watch")
		expectSync(ctx, reader)
	})

	It("are also to list them where the API server cannot stream", func(ctx context.Context) {
		config.Wrap(func(next http.RoundTripper) http.RoundTripper { return withoutStreaming{next} })
		expectCreated(ctx, newTask(namespace, "caption"))
		Expect(syncError(ctx, follow(ctx, config, namespace))).To(MatchError(ContainSubstring("must allow the verb list on configmaps")))
		grant(ctx, "list", "watch")
		reader := follow(ctx, config, namespace)
		expectSync(ctx, reader)
		Eventually(func() bool { _, ok := reader.Get("caption"); return ok }).Should(BeTrue())
	})
})

var _ = Describe("A reader", func() {
	var namespace string

	BeforeEach(func(ctx context.Context) { namespace = newNamespace(ctx) })

	It("keeps the last good registry while hands do harm, and tells", func(ctx context.Context) {
		startOperator(testutil.OperatorOptions{})
		task := newTask(namespace, "caption")
		expectCreated(ctx, task)
		expectReady(ctx, task)
		stopOperator()
		reader := follow(ctx, controlPlane.Config, namespace)
		expectSync(ctx, reader)
		before := reader.Snapshot()
		for _, harm := range []struct {
			do   func(*corev1.ConfigMap)
			want string
		}{
			{func(c *corev1.ConfigMap) { c.Data["caption"] += " " }, "has the digest"},
			{func(c *corev1.ConfigMap) { c.Data[registry.IndexKey] = `{"format":7}` }, "has format 7; this version reads 1"},
			{func(c *corev1.ConfigMap) { c.Data = nil }, "has no key .index"},
			{func(c *corev1.ConfigMap) { c.Labels = nil }, "ConfigMap maze-registry is gone"},
		} {
			index := indexOf(ctx, namespace)
			harm.do(index)
			Expect(k8s.Update(ctx, index)).To(Succeed())
			Eventually(reader.Err).Should(MatchError(ContainSubstring(harm.want)))
			Expect(reader.Snapshot()).To(Equal(before))
		}
		Expect(k8s.Delete(ctx, indexOf(ctx, namespace))).To(Succeed())
		startOperator(testutil.OperatorOptions{})
		Eventually(reader.Err).ShouldNot(HaveOccurred())
		Expect(reader.Snapshot().Names()).To(Equal([]string{"caption"}))
	})

	It("goes on where its connection was cut, by one more watch", func(ctx context.Context) {
		startOperator(testutil.OperatorOptions{})
		task := newTask(namespace, "caption")
		expectCreated(ctx, task)
		expectReady(ctx, task)
		counter, cutter := &requestCounter{}, &cutter{}
		config := rest.CopyConfig(controlPlane.Config)
		config.Wrap(cutter.wrap)
		config.Wrap(counter.wrap)
		reader := follow(ctx, config, namespace)
		expectSync(ctx, reader)
		before := reader.Snapshot()
		cutter.cut()
		expectEdited(ctx, task, func(t *v1alpha1.MazeTask) { t.Spec.Description = "another" })
		Eventually(func() int64 { entry, _ := reader.Get("caption"); return entry.Kubernetes.Generation }).Should(BeEquivalentTo(2))
		Expect(reader.Snapshot().Generation()).To(BeNumerically(">", before.Generation()))
		Expect(reader.Err()).NotTo(HaveOccurred())
		Expect(counter.counts()).To(Equal(map[string]int{"watch configmaps": 2}))
	})

	It("ends at once, though the API server does not answer", func(ctx context.Context) {
		config := rest.CopyConfig(controlPlane.Config)
		config.Host = "https://127.0.0.1:1"
		reader, err := client.New(config, namespace)
		Expect(err).NotTo(HaveOccurred())
		running, cancel := context.WithCancel(ctx)
		ended := make(chan error, 1)
		go func() { ended <- reader.Start(running) }()
		Expect(syncError(ctx, reader)).To(MatchError(ContainSubstring("connection refused")))
		cancel()
		Eventually(ended, "10s").Should(Receive(BeNil()), "it waits for the API server")
	})
})

// applyExample creates the objects of a file of examples in another namespace than the file's.
func applyExample(ctx context.Context, file, from, to string) {
	GinkgoHelper()
	content, err := os.ReadFile(filepath.Join(testutil.Root(), "examples", file))
	Expect(err).NotTo(HaveOccurred())
	content = bytes.ReplaceAll(content, []byte("namespace: "+from), []byte("namespace: "+to))
	decoder := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader(content), 4096)
	for {
		object := &unstructured.Unstructured{}
		err := decoder.Decode(object)
		if errors.Is(err, io.EOF) {
			return
		}
		Expect(err).NotTo(HaveOccurred())
		Expect(k8s.Create(ctx, object)).To(Succeed())
	}
}

// expectVerbs waits until the API server grants and denies a client these verbs on ConfigMaps.
func expectVerbs(ctx context.Context, config *rest.Config, namespace string, rights map[string]bool) {
	GinkgoHelper()
	for verb, allowed := range rights {
		what := &authorizationv1.ResourceAttributes{Namespace: namespace, Resource: "configmaps", Verb: verb}
		Expect(testutil.WaitUntilAllowed(ctx, config, what, allowed)).To(Succeed())
	}
}

// cutter cuts connections.
type cutter struct {
	mu      sync.Mutex
	streams []io.Closer
}

func (c *cutter) wrap(next http.RoundTripper) http.RoundTripper {
	return roundTripper(func(request *http.Request) (*http.Response, error) {
		response, err := next.RoundTrip(request)
		if err == nil {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.streams = append(c.streams, response.Body)
		}
		return response, err
	})
}

// cut ends all responses that are not at their end.
func (c *cutter) cut() {
	GinkgoHelper()
	c.mu.Lock()
	defer c.mu.Unlock()
	Expect(c.streams).NotTo(BeEmpty())
	for _, stream := range c.streams {
		Expect(stream.Close()).To(Succeed())
	}
	c.streams = nil
}

// withoutStreaming answers as an API server that cannot stream lists.
type withoutStreaming struct{ next http.RoundTripper }

func (w withoutStreaming) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.URL.Query().Get("sendInitialEvents") == "" {
		return w.next.RoundTrip(request)
	}
	const invalid = `{"kind":"Status","apiVersion":"v1","metadata":{},"status":"Failure","message":"sendInitialEvents is forbidden for watch unless ` +
		`the WatchList feature gate is enabled","reason":"Invalid","code":422}`
	return &http.Response{
		StatusCode: http.StatusUnprocessableEntity, Header: http.Header{"Content-Type": {"application/json"}},
		Body: io.NopCloser(strings.NewReader(invalid)), Request: request,
	}, nil
}
