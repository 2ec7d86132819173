package integration

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"
	ctrlclient "sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/client"
	"github.com/maze-agent/maregister/test/testutil"
)

const (
	// manyTasks change while readers read.
	manyTasks = 2000
	// hands create, edit and delete them at a time.
	hands = 8
	// waves is how often every hand changes one more.
	waves = 20
	// crowdSize is how many readers read someTasks.
	crowdSize, someTasks = 1000, 150
	// othersReads bounds how often the operator and this test read ConfigMaps and tasks. The API server counts that beside
	// the readers' own, and ends each watch after some minutes, at any moment of a test.
	othersReads = 10
	// churnShardSize lets so many tasks have dozens of shards, someTasks a few, and fewTasks one.
	churnShardSize, fewTasks = 64 << 10, 30
)

var _ = Describe("Readers of a registry", Ordered, func() {
	var (
		namespace string
		meant     *meantStates
		witnesses []*witness
		workers   []*hand
	)

	BeforeAll(func(ctx context.Context) {
		namespace = newNamespace(ctx)
		startOperator(testutil.OperatorOptions{ShardSize: churnShardSize})
		meant = watchMeant(ctx, namespace)
		witnesses = nil
		for range 4 {
			witnesses = append(witnesses, newWitness(ctx, controlPlane.Config, namespace))
		}
		workers = newHands(namespace)
	})

	// expectNothingElse holds every snapshot of every reader so far against what was meant.
	expectNothingElse := func(witnesses ...*witness) {
		GinkgoHelper()
		snapshots := 0
		for _, w := range witnesses {
			Eventually(func() bool { return w.last() == w.reader.Snapshot() }).Should(BeTrue())
			// What was meant before that is seen then, too.
			Eventually(meant.states).Should(HaveKey(fingerprint(w.reader.Snapshot())))
			Expect(w.reader.Err()).NotTo(HaveOccurred())
			snapshots += w.judge(meant.states(), workers)
		}
		Expect(snapshots).To(BeNumerically(">", waves*len(witnesses)/2), "snapshots that were judged")
		AddReportEntry("judged", fmt.Sprintf("%d snapshots of %d readers, %d registries meant, %d shards at most",
			snapshots, len(witnesses), len(meant.states()), meant.maxShards()))
	}

	It("see nothing but what the operator meant while 2,000 tasks change and shards split", func(ctx context.Context) {
		By("creating and changing them all at once")
		churn(ctx, workers)
		all := append(slices.Clone(witnesses), newWitness(ctx, controlPlane.Config, namespace)) // one comes late
		By("changing some at a time, of which the operator makes a registry each, and not one of many")
		for range waves {
			before := witnesses[0].reader.Snapshot()
			together(workers, func(h *hand) error { return h.change(ctx) })
			Eventually(func() bool { return witnesses[0].reader.Snapshot() != before }).Should(BeTrue())
		}
		Eventually(meant.maxShards).Should(BeNumerically(">", 16), "shards have split")
		expectTasks(ctx, namespace, all)
		By("judging every snapshot")
		expectNothingElse(all...)
	})

	It("cost the API server one watch each and nothing else, be they 1,000", func(ctx context.Context) {
		mergeTo(ctx, namespace, someTasks)
		expectTasks(ctx, namespace, witnesses)
		Eventually(meant.shardsNow).Should(BeNumerically(">", 1))
		counter := &requestCounter{}
		config := rest.CopyConfig(controlPlane.Config)
		config.Wrap(counter.wrap)
		before := reads(ctx)
		crowd := newCrowd(ctx, config, namespace, crowdSize)
		Eventually(func() int { return reads(ctx).watching - before.watching }).Should(BeNumerically("~", crowdSize, othersReads))

		By("changing a task")
		task := newTask(namespace, witnesses[0].reader.Snapshot().Names()[0])
		Expect(k8s.Patch(ctx, task, ctrlclient.RawPatch(types.MergePatchType, []byte(`{"spec":{"description":"for all"}}`)))).To(Succeed())
		workers[0].written[version{task.UID, task.Generation}] = task.Spec.Description
		expectTasks(ctx, namespace, witnesses)
		want := fingerprint(witnesses[0].reader.Snapshot())
		for _, reader := range crowd.readers {
			Eventually(func() string { return fingerprint(reader.Snapshot()) }).Should(Equal(want))
		}
		AddReportEntry("memory", fmt.Sprintf("%d KiB of heap for each of %d readers of %d tasks", crowd.heap()/crowdSize/1024, crowdSize, someTasks))
		Expect(crowd.heap()/1000).To(BeNumerically("<", 512<<10), "bytes of heap for each reader")

		By("counting the requests")
		var ended int
		Eventually(func(g Gomega) { // the API server ends each watch after some minutes, and slow readers' at any time
			ended = counter.endedWatches()
			g.Expect(counter.counts()).To(Equal(map[string]int{"watch configmaps": crowdSize + ended}))
		}).Should(Succeed())
		crowd.stop()
		Eventually(func(g Gomega) {
			counts := reads(ctx).since(before)
			g.Expect(counts["WATCH configmaps"]).To(BeNumerically("~", crowdSize+ended, othersReads))
			delete(counts, "WATCH configmaps")
			g.Expect(counts).To(HaveEach(BeNumerically("<=", othersReads)), "what the API server counts besides")
		}).Should(Succeed())
	})

	It("see nothing else while the tasks go and shards merge", func(ctx context.Context) {
		mergeTo(ctx, namespace, fewTasks)
		expectTasks(ctx, namespace, witnesses)
		Eventually(meant.shardsNow).Should(Equal(1), "shards have merged")
		expectNothingElse(witnesses...)
	})
})

// version is one generation of one task.
type version struct {
	uid        types.UID
	generation int64
}

// hand creates tasks, and edits and deletes those that it made.
type hand struct {
	namespace string
	random    *rand.Rand
	mine      []*v1alpha1.MazeTask
	next      int
	// written are the descriptions of all versions of its tasks that the API server accepted.
	written map[version]string
}

func newHands(namespace string) []*hand {
	out := make([]*hand, hands)
	for i := range out {
		out[i] = &hand{namespace: namespace, random: rand.New(rand.NewPCG(uint64(i), uint64(GinkgoRandomSeed()))), next: i, written: map[version]string{}}
	}
	return out
}

// together has all hands do something at a time.
func together(all []*hand, do func(h *hand) error) {
	GinkgoHelper()
	var work sync.WaitGroup
	errs := make([]error, len(all))
	for i, h := range all {
		work.Go(func() { errs[i] = do(h) })
	}
	work.Wait()
	for _, err := range errs {
		Expect(err).NotTo(HaveOccurred())
	}
}

// create makes a task that no hand has made.
func (h *hand) create(ctx context.Context) error {
	name := fmt.Sprintf("task-%04d", h.next)
	h.next += hands
	return h.createNamed(ctx, name)
}

func (h *hand) createNamed(ctx context.Context, name string) error {
	task := newTask(h.namespace, name)
	task.Spec.Description = fmt.Sprintf("%s, as %d wrote it", name, h.random.IntN(1e9))
	if err := k8s.Create(ctx, task); err != nil {
		return err
	}
	h.mine = append(h.mine, task)
	h.written[version{task.UID, task.Generation}] = task.Spec.Description
	return nil
}

// change edits a task, or deletes one, whose name may come back as that of another.
func (h *hand) change(ctx context.Context) error {
	i := h.random.IntN(len(h.mine))
	task := h.mine[i]
	if h.random.IntN(3) > 0 {
		edited := &v1alpha1.MazeTask{}
		edited.Namespace, edited.Name = task.Namespace, task.Name
		patch := fmt.Appendf(nil, `{"spec":{"description":"edited %d"}}`, h.random.IntN(1e9))
		if err := k8s.Patch(ctx, edited, ctrlclient.RawPatch(types.MergePatchType, patch)); err != nil {
			return err
		}
		h.written[version{edited.UID, edited.Generation}] = edited.Spec.Description
		return nil
	}
	h.mine = slices.Delete(h.mine, i, i+1)
	if err := k8s.Delete(ctx, task); err != nil {
		return err
	}
	if h.random.IntN(2) == 0 {
		return h.createNamed(ctx, task.Name)
	}
	return nil
}

// churn creates many tasks, and changes some of them at the same time.
func churn(ctx context.Context, all []*hand) {
	GinkgoHelper()
	together(all, func(h *hand) error {
		for h.next < manyTasks {
			if err := h.create(ctx); err != nil {
				return err
			}
			if h.random.IntN(2) == 0 {
				if err := h.change(ctx); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// mergeTo deletes all tasks but a few.
func mergeTo(ctx context.Context, namespace string, few int) {
	GinkgoHelper()
	var list v1alpha1.MazeTaskList
	Expect(k8s.List(ctx, &list, inNamespace(namespace))).To(Succeed())
	mark := fmt.Appendf(nil, `{"metadata":{"labels":{"keep":"%d"}}}`, few)
	for i := range list.Items[:few] {
		Expect(k8s.Patch(ctx, &list.Items[i], ctrlclient.RawPatch(types.MergePatchType, mark))).To(Succeed())
	}
	others, err := labels.Parse(fmt.Sprintf("keep!=%d", few))
	Expect(err).NotTo(HaveOccurred())
	Expect(k8s.DeleteAllOf(ctx, &v1alpha1.MazeTask{}, inNamespace(namespace), ctrlclient.MatchingLabelsSelector{Selector: others})).To(Succeed())
}

// expectTasks waits until all readers have the tasks that are there now.
func expectTasks(ctx context.Context, namespace string, witnesses []*witness) {
	GinkgoHelper()
	var list v1alpha1.MazeTaskList
	Expect(k8s.List(ctx, &list, inNamespace(namespace))).To(Succeed())
	want := map[version]string{}
	for _, task := range list.Items {
		want[version{task.UID, task.Generation}] = task.Spec.Name
	}
	for _, w := range witnesses {
		Eventually(func() int { return differences(generationsOf(w.reader.Snapshot()), want) }).Should(BeZero(), "%v", w.reader.Err())
	}
}

// differences is how many keys two maps do not have in common.
func differences(a, b map[version]string) int {
	n := 0
	for key := range b {
		if _, ok := a[key]; !ok {
			n++
		}
	}
	return n + len(a) + n - len(b)
}

// generationsOf returns what a snapshot holds, in short.
func generationsOf(s client.Snapshot) map[version]string {
	all := map[version]string{}
	for _, entry := range s.List() {
		all[version{entry.Kubernetes.UID, entry.Kubernetes.Generation}] = entry.Name
	}
	return all
}
