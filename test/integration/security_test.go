package integration

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/test/testutil"
)

// The specs of these files show what docs/security.md says of people with rights in their own namespace. Each attacker is a
// ServiceAccount with a Role there and no other right. By the rows of the table "Who could do what":
//
//   - MazeTasks: conflict_test.go has names and other namespaces, admission_test.go what is refused, security_memory_test.go tasks that are
//     too large.
//   - ConfigMaps: security_test.go has false entries, holds and copies, security_memory_test.go what the operator reads,
//     security_readers_test.go what readers believe, registry_test.go names that are taken.
//   - Deleting while no operator runs: "cannot have a forged entry taken for the last accepted one".
//   - watchNamespaces: security_rights_test.go. Metrics: metrics_test.go. Nodes: nodes_test.go.

var _ = Describe("Who may write ConfigMaps in a namespace", func() {
	var (
		namespace string
		attacker  client.WithWatch
		task      *v1alpha1.MazeTask
		asked     *requests
	)

	BeforeEach(func(ctx context.Context) {
		namespace = newNamespace(ctx)
		attacker = attackerOfConfigMaps(ctx, namespace)
		writeLeases(ctx, namespace)
		task, asked = newTask(namespace, "caption"), &requests{}
	})

	started := func(ctx context.Context) {
		GinkgoHelper()
		startOperator(testutil.OperatorOptions{Transport: asked.wrap})
		expectCreated(ctx, task)
		expectReady(ctx, task)
	}

	// justBelowNow is the latest resourceVersion that an attacker can learn, which the operator's cache of tasks has not reached.
	justBelowNow := func(ctx context.Context) string {
		var list corev1.ConfigMapList
		if err := attacker.List(ctx, &list, client.InNamespace(namespace), client.Limit(1)); err != nil {
			return ""
		}
		return list.ResourceVersion
	}
	future := func(context.Context) string { return "999999999999" }

	// harm puts a false entry into the registry.
	harm := func(ctx context.Context, source func(context.Context) string) error {
		index := &corev1.ConfigMap{}
		if err := attacker.Get(ctx, client.ObjectKey{Namespace: namespace, Name: registry.ConfigMapName}, index); err != nil {
			return err
		}
		forged, _ := forge(index, falsify)
		forged.Annotations[registry.SourceAnnotation] = source(ctx)
		return attacker.Update(ctx, forged)
	}

	DescribeTable("cannot keep a false entry by a version of the tasks that the operator has not seen (row 3)",
		func(ctx context.Context, source func(context.Context) string) {
			started(ctx)
			Eventually(func() error { return harm(ctx, source) }).Should(Succeed())
			since := time.Now()
			expectEdited(ctx, task, func(t *v1alpha1.MazeTask) { t.Spec.Description = "another" })
			expectEntry(ctx, namespace, 2)
			expectQuick(ctx, time.Since(since), 6*time.Second)
			expectReady(ctx, task)
		},
		Entry("one of the future", future),
		Entry("one just below now", justBelowNow),
	)

	DescribeTable("cannot hold up edits by rewriting it again and again, nor make the operator ask without end (row 3)",
		func(ctx context.Context, source func(context.Context) string) {
			started(ctx)
			seen := record(ctx, namespace)
			stop := repeat(ctx, 50*time.Millisecond, func(ctx context.Context) { _ = harm(ctx, source) })
			since := time.Now()
			expectEdited(ctx, task, func(t *v1alpha1.MazeTask) { t.Spec.Description = "another" })
			Eventually(func() bool { return seen.served("caption", 2) }).Should(BeTrue())
			expectQuick(ctx, time.Since(since), 10*time.Second)

			By("telling of it after seconds")
			expectConditions(ctx, task, map[string]string{
				v1alpha1.ConditionAccepted: "True/Valid", v1alpha1.ConditionRegistered: "False/RegistryConflict",
				v1alpha1.ConditionReady: "False/RegistryConflict", v1alpha1.ConditionStalled: "True/RegistryConflict",
			})
			AddReportEntry("told after", time.Since(since).String())
			Expect(message(task, v1alpha1.ConditionRegistered)).To(ContainSubstring("again and again"))
			expectEvent(ctx, task, corev1.EventTypeWarning, "RegistryConflict",
				"Task caption: "+message(task, v1alpha1.ConditionRegistered)+" (another; model llava-v1.6)")
			Eventually(gauge("maregister_registry_conflict", namespace)).Should(BeEquivalentTo(1))

			By("asking little")
			before, lists, from := asked.all.Load(), asked.taskLists.Load(), time.Now()
			Consistently(func(g Gomega) {
				g.Expect(k8s.Get(ctx, keyOf(task), task)).To(Succeed())
				g.Expect(state(task, v1alpha1.ConditionReady)).To(Equal("False/RegistryConflict")) // it does not flap
			}, 10*time.Second, 100*time.Millisecond).Should(Succeed())
			seconds := time.Since(from).Seconds()
			AddReportEntry("requests a second", float64(asked.all.Load()-before)/seconds)
			Expect(float64(asked.all.Load()-before) / seconds).To(BeNumerically("<", 10))
			Expect(float64(asked.taskLists.Load()-lists) / seconds).To(BeNumerically("<", 2))

			By("putting it right once the attacker stops")
			stop()
			since = time.Now()
			expectEntry(ctx, namespace, 2)
			AddReportEntry("right after", time.Since(since).String())
			expectReady(ctx, task)
			Eventually(gauge("maregister_registry_conflict", namespace)).Should(BeZero())
		},
		Entry("with a version of the future", future),
		Entry("with one just below now", justBelowNow),
		Entry("with none", func(context.Context) string { return "" }),
	)

	// hold makes an object hard to change or delete.
	hold := func(object *corev1.ConfigMap) {
		object.Immutable = ptr.To(true)
		object.Finalizers = append(object.Finalizers, "attacker.example/hold")
		object.OwnerReferences = []metav1.OwnerReference{{APIVersion: "v1", Kind: "ConfigMap", Name: "gone", UID: "gone"}}
	}

	// holdIndex puts a false entry into the index, and makes that immutable.
	holdIndex := func(ctx context.Context) error {
		index := &corev1.ConfigMap{}
		if err := attacker.Get(ctx, client.ObjectKey{Namespace: namespace, Name: registry.ConfigMapName}, index); err != nil {
			return err
		}
		if ptr.Deref(index.Immutable, false) {
			return nil
		}
		forged, _ := forge(index, falsify)
		hold(forged)
		return attacker.Update(ctx, forged)
	}

	It("cannot keep a false entry by immutable, a finalizer and an owner (row 4)", func(ctx context.Context) {
		started(ctx)
		Eventually(func() error { return holdIndex(ctx) }).Should(Succeed())
		since := time.Now()
		expectEntry(ctx, namespace, 1)
		Eventually(func(g Gomega) {
			index := indexOf(ctx, namespace)
			g.Expect(index.Finalizers).To(BeEmpty())
			g.Expect(index.OwnerReferences).To(BeEmpty())
			g.Expect(index.Immutable).To(BeNil())
		}).Should(Succeed())
		AddReportEntry("healed after", time.Since(since).String())

		By("and a finalizer and an owner alone")
		index := indexOf(ctx, namespace)
		index.Finalizers, index.OwnerReferences = []string{"attacker.example/hold"}, []metav1.OwnerReference{{APIVersion: "v1", Kind: "Pod", Name: "x", UID: "x"}}
		Expect(attacker.Update(ctx, index)).To(Succeed())
		Eventually(func(g Gomega) {
			index := indexOf(ctx, namespace)
			g.Expect(index.Finalizers).To(BeEmpty())
			g.Expect(index.OwnerReferences).To(BeEmpty())
		}).Should(Succeed())
		expectReady(ctx, task)
	})

	It("makes the operator write ever more rarely, by adding them again and again (row 4)", func(ctx context.Context) {
		started(ctx)
		stop := repeat(ctx, 50*time.Millisecond, func(ctx context.Context) { _ = holdIndex(ctx) })
		since := time.Now()
		expectConditions(ctx, task, map[string]string{v1alpha1.ConditionReady: "False/RegistryConflict"})
		AddReportEntry("told after", time.Since(since).String())
		Expect(time.Since(since)).To(BeNumerically(">=", 5*time.Second))
		Consistently(func() error { return k8s.Get(ctx, keyOf(task), task) }, 5*time.Second, time.Second).Should(Succeed()) // the pauses grow
		writes, from := operator.Writes(testutil.RegistryWrite), time.Now()
		Consistently(func() error { return k8s.Get(ctx, keyOf(task), task) }, 15*time.Second, time.Second).Should(Succeed())
		rate := float64(operator.Writes(testutil.RegistryWrite)-writes) / time.Since(from).Seconds()
		AddReportEntry("writes a second", rate)
		Expect(rate).To(BeNumerically("<", 2)) // an update, a deletion and a creation every 5 s
		stop()
		expectEntry(ctx, namespace, 1)
	})

	It("cannot keep a false shard by a finalizer and an owner (row 4)", func(ctx context.Context) {
		startOperator(testutil.OperatorOptions{ShardSize: registry.MinShardSize})
		var tasks []*v1alpha1.MazeTask
		for i := range 40 {
			tasks = append(tasks, newTask(namespace, fmt.Sprintf("task-%02d", i)))
		}
		expectCreated(ctx, tasks...)
		expectReady(ctx, tasks...)
		want, err := published(ctx, namespace)
		Expect(err).NotTo(HaveOccurred())
		index := indexOf(ctx, namespace)
		decoded, err := registry.DecodeIndex(index)
		Expect(err).NotTo(HaveOccurred())
		Expect(len(decoded.Shards)).To(BeNumerically(">", 1))
		shard := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: decoded.Shards[0].Name}}
		replace := func(ctx context.Context) error {
			if err := attacker.Delete(ctx, shard.DeepCopy()); err != nil {
				return err
			}
			wrong := shard.DeepCopy()
			wrong.Labels = registry.Labels(registry.RoleShard)
			wrong.Data = map[string]string{"task-00": "{}"}
			hold(wrong)
			return attacker.Create(ctx, wrong)
		}
		Eventually(func() error { return replace(ctx) }).Should(Succeed())
		since := time.Now()
		healed := func(g Gomega) {
			got, err := published(ctx, namespace)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(got).To(Equal(want))
			_, shards, err := configMaps(ctx, namespace)
			g.Expect(err).NotTo(HaveOccurred())
			for name, one := range shards {
				g.Expect(one.Finalizers).To(BeEmpty(), name)
				g.Expect(one.OwnerReferences).To(BeEmpty(), name)
			}
		}
		Eventually(healed).Should(Succeed())
		AddReportEntry("healed after", time.Since(since).String())

		By("and a finalizer and an owner alone")
		index = indexOf(ctx, namespace)
		decoded, err = registry.DecodeIndex(index)
		Expect(err).NotTo(HaveOccurred())
		Expect(attacker.Get(ctx, client.ObjectKey{Namespace: namespace, Name: decoded.Shards[1].Name}, shard)).To(Succeed())
		hold(shard)
		Expect(attacker.Update(ctx, shard)).To(Succeed())
		Eventually(healed).Should(Succeed())
	})

	DescribeTable("cannot have a forged entry taken for the last accepted one (row 5)",
		func(ctx context.Context, edits int, forgery func(*registry.Entry), registered string) {
			started(ctx)
			expectEdited(ctx, task, func(t *v1alpha1.MazeTask) { t.Spec.InputParameters = unsupported })
			expectConditions(ctx, task, map[string]string{v1alpha1.ConditionRegistered: "False/ServingLastAccepted"})
			genuine := task.Status.Entry.Digest
			stopOperator()
			for i := range edits {
				expectEdited(ctx, task, func(t *v1alpha1.MazeTask) { t.Spec.Description = fmt.Sprint("edit ", i) })
			}
			seen := record(ctx, namespace)
			index := &corev1.ConfigMap{}
			Expect(attacker.Get(ctx, client.ObjectKey{Namespace: namespace, Name: registry.ConfigMapName}, index)).To(Succeed())
			forged, digests := forge(index, forgery)
			Expect(digests).To(HaveLen(1))
			Expect(attacker.Update(ctx, forged)).To(Succeed())

			startOperator(testutil.OperatorOptions{})
			expectConditions(ctx, task, map[string]string{v1alpha1.ConditionRegistered: registered})
			expectIdle(namespace)
			Expect(k8s.Get(ctx, keyOf(task), task)).To(Succeed())
			Expect(state(task, v1alpha1.ConditionRegistered)).To(Equal(registered))
			Expect(seen.digests()).NotTo(ContainElement(digests[0]))
			entries, err := published(ctx, namespace)
			Expect(err).NotTo(HaveOccurred())
			if registered == "False/InvalidSpec" {
				Expect(entries).To(BeEmpty())
				Expect(task.Status.Entry).To(BeNil())
				return
			}
			Expect(task.Status.Entry.Digest).To(Equal(genuine))
			Expect(registry.EntryDigest(indexOf(ctx, namespace).Data["caption"])).To(Equal(genuine))
		},
		Entry("of the generation that was accepted", 0, falsify, "False/InvalidSpec"),
		Entry("of the present generation", 0, func(e *registry.Entry) { falsify(e); e.Kubernetes.Generation = 2 }, "False/InvalidSpec"),
		Entry("of a generation above observedGeneration, the present one", 1,
			func(e *registry.Entry) { falsify(e); e.Kubernetes.Generation = 3 }, "False/InvalidSpec"),
		Entry("of a later generation", 0, func(e *registry.Entry) { falsify(e); e.Kubernetes.Generation = 9 }, "False/InvalidSpec"),
		Entry("with another UID", 0, func(e *registry.Entry) { falsify(e); e.Kubernetes.UID = "another" }, "False/InvalidSpec"),
		Entry("with another placement, which the status has", 0, func(e *registry.Entry) {
			e.Kubernetes.Placement.Requests[corev1.ResourceCPU] = *ptr.To(e.Kubernetes.Placement.Requests[corev1.ResourceMemory])
			e.Kubernetes.Placement.NodeSelector = map[string]string{"kubernetes.io/hostname": "attacker"}
		}, "False/ServingLastAccepted"),
	)

	It("cannot have a forged entry taken for one of a task that never was accepted (row 5)", func(ctx context.Context) {
		started(ctx)
		stopOperator()
		never := newTask(namespace, "never")
		never.Spec.InputParameters = unsupported
		expectCreated(ctx, never)
		for _, generation := range []int64{0, 1, -1} {
			index := &corev1.ConfigMap{}
			Expect(attacker.Get(ctx, client.ObjectKey{Namespace: namespace, Name: registry.ConfigMapName}, index)).To(Succeed())
			forged, _ := forge(index, func(e *registry.Entry) {
				falsify(e)
				e.Name, e.Kubernetes.Name, e.Kubernetes.UID, e.Kubernetes.Generation = "never", "never", never.UID, generation
			})
			Expect(attacker.Update(ctx, forged)).To(Succeed())
			startOperator(testutil.OperatorOptions{})
			expectConditions(ctx, never, map[string]string{v1alpha1.ConditionRegistered: "False/InvalidSpec"})
			expectEntry(ctx, namespace, 1)
			Expect(published(ctx, namespace)).To(HaveLen(1))
			stopOperator()
		}
	})

	It("cannot take away an entry that the operator remembers, while the task's spec is refused", func(ctx context.Context) {
		started(ctx)
		expectEdited(ctx, task, func(t *v1alpha1.MazeTask) { t.Spec.InputParameters = unsupported })
		expectConditions(ctx, task, map[string]string{v1alpha1.ConditionRegistered: "False/ServingLastAccepted"})
		index := indexOf(ctx, namespace)
		delete(index.Data, "caption")
		forged, _ := forge(index, falsify)
		Expect(attacker.Update(ctx, forged)).To(Succeed())
		expectEntry(ctx, namespace, 1)
		expectIdle(namespace)
		expectConditions(ctx, task, map[string]string{v1alpha1.ConditionRegistered: "False/ServingLastAccepted"})
	})

	It("can keep copies of shards, and ConfigMaps with names like theirs", func(ctx context.Context) {
		startOperator(testutil.OperatorOptions{ShardSize: registry.MinShardSize})
		var tasks []*v1alpha1.MazeTask
		for i := range 40 {
			tasks = append(tasks, newTask(namespace, fmt.Sprintf("task-%02d", i)))
		}
		expectCreated(ctx, tasks...)
		expectReady(ctx, tasks...)
		_, shards, err := configMaps(ctx, namespace)
		Expect(err).NotTo(HaveOccurred())
		var kept []*corev1.ConfigMap
		keep := func(name string, labels map[string]string) {
			for shard, found := range shards {
				if registry.IsShardName(shard) {
					copied := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: labels}, Data: found.Data}
					Expect(attacker.Create(ctx, copied)).To(Succeed())
					kept = append(kept, copied)
					return
				}
			}
		}
		keep("a-copy", registry.Labels(registry.RoleShard))
		keep("maze-registry-0-copy", registry.Labels(registry.RoleShard))
		keep("maze-registry-0-0123456789-old", registry.Labels(registry.RoleShard))
		keep("maze-registry-0-0123456789", nil) // the name that a shard could have, without its label
		expectEdited(ctx, tasks[0], func(t *v1alpha1.MazeTask) { t.Spec.Description = "another" })
		expectReady(ctx, tasks[0])
		expectIdle(namespace)
		for _, one := range kept {
			Expect(k8s.Get(ctx, keyOf(one), &corev1.ConfigMap{})).To(Succeed(), one.Name)
		}
	})
})
