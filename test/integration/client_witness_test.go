package integration

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/rest"

	"github.com/maze-agent/maregister/client"
	"github.com/maze-agent/maregister/internal/registry"
)

// meantStates are the registries that were published, by the digest of all their entries, as a raw watch saw them.
type meantStates struct {
	mu      sync.Mutex
	digests map[string]bool
	shards  []int
	failure error
}

func watchMeant(ctx context.Context, namespace string) *meantStates {
	GinkgoHelper()
	there, events := followConfigMaps(ctx, namespace)
	m := &meantStates{digests: map[string]bool{registry.ContentDigest(nil): true}}
	// Whoever takes no event for long has the watch ended, and is late, so they are taken at once.
	published := make(chan publication, 1000)
	go func() {
		defer close(published)
		for event := range events.ResultChan() {
			configMap, ok := event.Object.(*corev1.ConfigMap)
			if !ok {
				m.fail(fmt.Errorf("the watch of this test ended: %v", event.Object))
				return
			}
			there[configMap.Name] = configMap
			if event.Type == watch.Deleted {
				delete(there, configMap.Name)
			}
			if configMap.Name == registry.ConfigMapName {
				published <- publication{configMap, maps.Clone(there)}
			}
		}
	}()
	go func() {
		defer GinkgoRecover()
		for p := range published {
			m.see(p.index, p.there)
		}
	}()
	return m
}

// publication is an index, and the ConfigMaps that are there at that moment, by name.
type publication struct {
	index *corev1.ConfigMap
	there map[string]*corev1.ConfigMap
}

// see takes an index and what is there at that moment for a registry that the operator meant.
func (m *meantStates) see(index *corev1.ConfigMap, there map[string]*corev1.ConfigMap) {
	entries, err := registry.Parse(index, func(name string) *corev1.ConfigMap { return there[name] })
	decoded, _ := registry.DecodeIndex(index)
	if err != nil {
		m.fail(fmt.Errorf("generation %d: %w", decoded.Generation, err))
	}
	digest := registry.ContentDigest(entries)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.digests[digest] = true
	m.shards = append(m.shards, len(decoded.Shards))
}

func (m *meantStates) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.failure == nil {
		m.failure = err
	}
}

func (m *meantStates) states() map[string]bool {
	GinkgoHelper()
	m.mu.Lock()
	defer m.mu.Unlock()
	Expect(m.failure).NotTo(HaveOccurred())
	return maps.Clone(m.digests)
}

func (m *meantStates) maxShards() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Max(append(m.shards, 0))
}

func (m *meantStates) shardsNow() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.shards) == 0 {
		return 0
	}
	return m.shards[len(m.shards)-1]
}

// fingerprint is what registry.ContentDigest says of the entries of a snapshot, all in one.
func fingerprint(s client.Snapshot) string {
	lines := sha256.New()
	for _, name := range s.Names() {
		digest, _ := s.Digest(name)
		_, _ = io.WriteString(lines, strings.TrimPrefix(digest, "sha256:")+"  "+name+"\n")
	}
	return fmt.Sprintf("sha256:%x", lines.Sum(nil))
}

// witness is a reader that remembers every snapshot that it was given, by its subscription or by asking.
type witness struct {
	reader *client.Registry

	mu        sync.Mutex
	snapshots map[client.Snapshot]bool
	order     []client.Snapshot
	failure   error
	// last is where the last change led to, and gone are the UIDs of tasks that have left the registry.
	latest client.Snapshot
	gone   map[types.UID]bool
}

func newWitness(ctx context.Context, config *rest.Config, namespace string) *witness {
	GinkgoHelper()
	w := &witness{reader: follow(ctx, config, namespace), snapshots: map[client.Snapshot]bool{}, gone: map[types.UID]bool{}}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	DeferCleanup(cancel)
	go func() {
		for change := range w.reader.Subscribe(ctx) {
			w.see(change)
		}
	}()
	go func() {
		ticker := time.NewTicker(time.Millisecond)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				w.remember(w.reader.Snapshot())
			case <-ctx.Done():
				return
			}
		}
	}()
	return w
}

func (w *witness) remember(s client.Snapshot) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.snapshots[s] {
		w.snapshots[s] = true
		w.order = append(w.order, s)
	}
}

func (w *witness) last() client.Snapshot {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.latest
}

// see holds a change against the one before: nothing goes backwards.
func (w *witness) see(change client.Change) {
	w.remember(change.To)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.compare(change); err != nil && w.failure == nil {
		w.failure = err
	}
	w.latest = change.To
}

func (w *witness) compare(change client.Change) error {
	if change.From != w.latest || change.To.Generation() < change.From.Generation() {
		return fmt.Errorf("a change leads from %d to %d, and the last one led to %d", change.From.Generation(), change.To.Generation(), w.latest.Generation())
	}
	for _, name := range change.Removed {
		was, _ := change.From.Get(name)
		w.gone[was.Kubernetes.UID] = true
	}
	for _, name := range change.Changed {
		was, _ := change.From.Get(name)
		is, _ := change.To.Get(name)
		if was.Kubernetes.UID != is.Kubernetes.UID {
			w.gone[was.Kubernetes.UID] = true
		} else if is.Kubernetes.Generation < was.Kubernetes.Generation {
			return fmt.Errorf("%s went from generation %d to %d", name, was.Kubernetes.Generation, is.Kubernetes.Generation)
		}
	}
	for _, name := range slices.Concat(change.Added, change.Changed) {
		if is, ok := change.To.Get(name); !ok || w.gone[is.Kubernetes.UID] {
			return fmt.Errorf("the deleted task of %s came back", name)
		}
	}
	return nil
}

// judge holds every snapshot against the registries that were meant and the tasks that were written, and returns their number.
func (w *witness) judge(meant map[string]bool, all []*hand) int {
	GinkgoHelper()
	w.mu.Lock()
	defer w.mu.Unlock()
	Expect(w.failure).NotTo(HaveOccurred())
	written := map[version]string{}
	for _, h := range all {
		maps.Copy(written, h.written)
	}
	judged := map[string]bool{}
	generation := int64(0)
	for _, s := range w.order {
		for _, name := range s.Names() {
			digest, _ := s.Digest(name)
			if !judged[digest] {
				judged[digest] = true
				entry, ok := s.Get(name)
				Expect(ok).To(BeTrue())
				item, err := entry.Encode()
				Expect(err).NotTo(HaveOccurred())
				Expect(item.Digest).To(Equal(digest), "the entry is that of the digest")
				description := written[version{entry.Kubernetes.UID, entry.Kubernetes.Generation}]
				Expect(*entry.Description).To(Equal(description), "the entry is what was written of %s", name)
			}
		}
		Expect(meant).To(HaveKey(fingerprint(s)), "generation %d with %d tasks", s.Generation(), s.Len())
		Expect(s.Generation()).To(BeNumerically(">=", generation))
		generation = s.Generation()
	}
	return len(w.order)
}
