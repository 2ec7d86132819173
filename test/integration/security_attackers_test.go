package integration

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authorizationv1 "k8s.io/api/authorization/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/test/testutil"
)

// attackerOf returns a client of an account that may do everything with one resource of a namespace, and nothing else.
func attackerOf(ctx context.Context, namespace, group, resource string) client.WithWatch {
	GinkgoHelper()
	named := metav1.ObjectMeta{Namespace: namespace, Name: "attacker-of-" + resource}
	for _, object := range []client.Object{
		&corev1.ServiceAccount{ObjectMeta: named},
		&rbacv1.Role{ObjectMeta: named, Rules: []rbacv1.PolicyRule{{APIGroups: []string{group}, Resources: []string{resource}, Verbs: []string{"*"}}}},
		&rbacv1.RoleBinding{
			ObjectMeta: named, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: named.Name},
			Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: named.Name}},
		},
	} {
		Expect(k8s.Create(ctx, object.DeepCopyObject().(client.Object))).To(Succeed())
	}
	config, err := testutil.AccountConfig(ctx, controlPlane.Config, namespace, named.Name)
	Expect(err).NotTo(HaveOccurred())
	Expect(testutil.WaitUntilAllowed(ctx, config, &authorizationv1.ResourceAttributes{
		Namespace: namespace, Group: group, Resource: resource, Verb: "create",
	}, true)).To(Succeed())
	c, err := client.NewWithWatch(config, client.Options{Scheme: k8s.Scheme()})
	Expect(err).NotTo(HaveOccurred())
	return c
}

func attackerOfConfigMaps(ctx context.Context, namespace string) client.WithWatch {
	GinkgoHelper()
	return attackerOf(ctx, namespace, "", "configmaps")
}

// repeat does something again and again, beside a spec, until the returned function is called, or the spec ends.
func repeat(ctx context.Context, every time.Duration, do func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				do(ctx)
			}
		}
	}()
	var once sync.Once
	stop = func() { once.Do(func() { cancel(); <-done }) }
	DeferCleanup(stop)
	return stop
}

// writeLeases writes 50 leases a second, as a cluster of 500 nodes does: so resourceVersions go on while no task changes.
func writeLeases(ctx context.Context, namespace string) {
	GinkgoHelper()
	lease := &coordinationv1.Lease{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "node"}}
	Expect(k8s.Create(ctx, lease)).To(Succeed())
	repeat(ctx, 20*time.Millisecond, func(ctx context.Context) {
		lease.Spec.RenewTime = ptr.To(metav1.NowMicro())
		_ = k8s.Update(ctx, lease)
	})
}

// forge returns the index of a registry of one ConfigMap with other entries, which is whole in itself, and the digests of what is false.
func forge(index *corev1.ConfigMap, harm func(*registry.Entry)) (*corev1.ConfigMap, []string) {
	decoded, _ := registry.DecodeIndex(index) // where it is illegible, there was none
	var items []registry.Item
	var digests []string
	for name, text := range index.Data {
		entry, err := registry.DecodeEntry(text)
		if name == registry.IndexKey || err != nil {
			continue
		}
		harm(&entry)
		item, err := entry.Encode()
		if err != nil {
			panic(err) // a test's own mistake
		}
		if item.Text != text {
			digests = append(digests, item.Digest)
		}
		items = append(items, item)
	}
	shards := registry.Split(items, registry.MaxShardSize)
	forged, err := registry.Render(index.Namespace, shards, registry.NewIndex(shards, decoded), index, index.Annotations[registry.SourceAnnotation])
	if err != nil {
		panic(err)
	}
	return forged, digests
}

// falsify changes what an executor runs.
func falsify(e *registry.Entry) { e.EntryPoint = ptr.To("attacker:run") }

// history records every version of a namespace's index and tasks.
type history struct {
	mu       sync.Mutex
	indexes  []*corev1.ConfigMap
	statuses []*v1alpha1.MazeTask
}

func record(ctx context.Context, namespace string) *history {
	GinkgoHelper()
	h := &history{}
	for _, list := range []client.ObjectList{&corev1.ConfigMapList{}, &v1alpha1.MazeTaskList{}} {
		events, err := k8s.Watch(ctx, list, client.InNamespace(namespace))
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(events.Stop)
		go func() {
			for event := range events.ResultChan() {
				h.mu.Lock()
				switch object := event.Object.(type) {
				case *corev1.ConfigMap:
					if object.Name == registry.ConfigMapName {
						h.indexes = append(h.indexes, object)
					}
				case *v1alpha1.MazeTask:
					h.statuses = append(h.statuses, object)
				}
				h.mu.Unlock()
			}
		}()
	}
	return h
}

// served reports whether the index ever held a generation of a task, as it is declared.
func (h *history) served(name string, generation int64) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, index := range h.indexes {
		entry, err := registry.DecodeEntry(index.Data[name])
		if err == nil && entry.Kubernetes.Generation == generation && entry.EntryPoint == nil {
			return true
		}
	}
	return false
}

// digests returns every digest that a status ever named.
func (h *history) digests() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []string
	for _, task := range h.statuses {
		if task.Status.Entry != nil {
			all = append(all, task.Status.Entry.Digest)
		}
	}
	return all
}

// requests counts what an operator asks of the API server, but not its watches.
type requests struct {
	next           http.RoundTripper
	all, taskLists atomic.Int64
}

func (r *requests) wrap(next http.RoundTripper) http.RoundTripper {
	r.next = next
	return r
}

// RoundTrip implements http.RoundTripper.
func (r *requests) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.URL.Query().Get("watch") != "true" {
		r.all.Add(1)
		if request.Method == http.MethodGet && strings.HasSuffix(request.URL.Path, "/mazetasks") {
			r.taskLists.Add(1)
		}
	}
	return r.next.RoundTrip(request)
}

// expectEntry waits until the registry serves a generation of the task caption as it is declared.
func expectEntry(ctx context.Context, namespace string, generation int64) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		entries, err := published(ctx, namespace)
		g.Expect(err).NotTo(HaveOccurred())
		g.Expect(entries).To(HaveKey("caption"))
		g.Expect(entries["caption"].EntryPoint).To(BeNil())
		g.Expect(entries["caption"].Kubernetes.Generation).To(Equal(generation))
	}).Should(Succeed())
}
