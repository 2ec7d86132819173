package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/test/testutil"
)

var _ = Describe("The registry ConfigMap", func() {
	var (
		namespace string
		task      *v1alpha1.MazeTask
	)

	BeforeEach(func(ctx context.Context) {
		namespace = newNamespace(ctx)
		task = newTask(namespace, "caption")
	})

	registered := func(ctx context.Context) *corev1.ConfigMap {
		GinkgoHelper()
		startOperator(testutil.OperatorOptions{})
		expectCreated(ctx, task)
		expectReady(ctx, task)
		return indexOf(ctx, namespace)
	}

	It("holds canonical JSON with the original's fields", func(ctx context.Context) {
		text := registered(ctx).Data["caption"]
		var fields map[string]any
		Expect(json.Unmarshal([]byte(text), &fields)).To(Succeed())
		canonical, err := json.Marshal(fields)
		Expect(err).NotTo(HaveOccurred())
		Expect(text).To(Equal(string(canonical)))
		Expect(fields).To(And(
			HaveKeyWithValue("name", "caption"),
			HaveKeyWithValue("description", "Writes a caption.\nSecond line."),
			HaveKeyWithValue("input_parameters", map[string]any{"image": map[string]any{"type": "filepath"}}),
			HaveKeyWithValue("output_parameters", map[string]any{}),
			HaveKeyWithValue("resources", map[string]any{
				"type": "cpu", "cpu_num": 1.0, "mem": 1024.0, "gpu_mem": 0.0, "model_name": "llava-v1.6", "backend": nil,
			}),
			HaveKeyWithValue("schema", HaveKeyWithValue("input", map[string]any{
				"type": "object", "properties": map[string]any{"image": map[string]any{"type": "string", "format": "filepath"}},
			})),
			HaveKeyWithValue("entry_point", BeNil()),
			HaveKeyWithValue("kubernetes", HaveKeyWithValue("uid", string(task.UID))),
		))
	})

	DescribeTable("heals what a hand does to it", func(ctx context.Context, harm func(*corev1.ConfigMap)) {
		index := registered(ctx)
		want := maps.Clone(index.Data)
		harm(index)
		Expect(k8s.Update(ctx, index)).To(Succeed())
		Eventually(func(g Gomega) {
			healed := &corev1.ConfigMap{}
			g.Expect(k8s.Get(ctx, keyOf(index), healed)).To(Succeed())
			g.Expect(healed.Data).To(Equal(want))
			g.Expect(healed.BinaryData).To(BeEmpty())
			g.Expect(healed.Immutable).To(BeNil())
			g.Expect(healed.Labels).To(HaveKeyWithValue(registry.RoleLabel, registry.RoleIndex))
			g.Expect(healed.Labels).To(HaveKeyWithValue("app.kubernetes.io/managed-by", "maregister"))
			g.Expect(len(healed.Labels)).To(BeNumerically("<", 10)) // not those that leave no room
		}).Should(Succeed())
		expectReady(ctx, task)
	},
		Entry("an entry edited", func(c *corev1.ConfigMap) {
			c.Data["caption"] = strings.Replace(c.Data["caption"], "llava", "false", 1)
		}),
		Entry("a false entry added", func(c *corev1.ConfigMap) { c.Data["ghost"] = c.Data["caption"] }),
		Entry("binary data added", func(c *corev1.ConfigMap) { c.BinaryData = map[string][]byte{"ghost": {1}} }),
		Entry("emptied", func(c *corev1.ConfigMap) { c.Data = nil }),
		Entry("the index made illegible", func(c *corev1.ConfigMap) { c.Data[registry.IndexKey] = "{" }),
		Entry("made immutable", func(c *corev1.ConfigMap) { c.Immutable = ptr.To(true) }),
		Entry("a false entry added, and made immutable", func(c *corev1.ConfigMap) {
			c.Data["ghost"], c.Immutable = c.Data["caption"], ptr.To(true)
		}),
		Entry("all labels lost", func(c *corev1.ConfigMap) { c.Labels = nil }),
		Entry("annotations as large as they can be, and a false entry", func(c *corev1.ConfigMap) {
			c.Annotations = map[string]string{"example.com/fill": strings.Repeat("x", validation.TotalAnnotationSizeLimitB-len("example.com/fill"))}
			c.Data["ghost"] = c.Data["caption"]
		}),
		Entry("many labels, and a false entry", func(c *corev1.ConfigMap) {
			for i := range 4_000 {
				c.Labels[fmt.Sprintf("%s.example.com/%d", strings.Repeat(strings.Repeat("x", 60)+".", 3)[:182], i)] = strings.Repeat("v", 63)
			}
			c.Data["ghost"] = c.Data["caption"]
		}),
		Entry("all annotations lost and an entry removed", func(c *corev1.ConfigMap) {
			c.Annotations = nil
			delete(c.Data, "caption")
		}),
	)

	It("heals a deletion, and its generation does not decrease", func(ctx context.Context) {
		index := registered(ctx)
		expectEdited(ctx, task, func(t *v1alpha1.MazeTask) { t.Spec.Description = "another" })
		expectReady(ctx, task)
		before, err := registry.DecodeIndex(indexOf(ctx, namespace))
		Expect(err).NotTo(HaveOccurred())
		Expect(k8s.Delete(ctx, index)).To(Succeed())
		expectPublished(ctx, namespace, "caption@2")
		after, err := registry.DecodeIndex(indexOf(ctx, namespace))
		Expect(err).NotTo(HaveOccurred())
		Expect(after.Generation).To(BeNumerically(">=", before.Generation))
	})

	It("keeps labels and annotations of others", func(ctx context.Context) {
		index := registered(ctx)
		index.Labels["example.com/team"], index.Annotations["example.com/note"] = "vision", "hello"
		Expect(k8s.Update(ctx, index)).To(Succeed())
		expectEdited(ctx, task, func(t *v1alpha1.MazeTask) { t.Spec.Description = "another" })
		expectReady(ctx, task)
		index = indexOf(ctx, namespace)
		Expect(index.Labels).To(HaveKeyWithValue("example.com/team", "vision"))
		Expect(index.Annotations).To(HaveKeyWithValue("example.com/note", "hello"))
	})

	It("is not touched where it is someone else's, and is made as soon as that is gone", func(ctx context.Context) {
		foreign := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: registry.ConfigMapName}, Data: map[string]string{"mine": "1"}}
		Expect(k8s.Create(ctx, foreign)).To(Succeed())
		startOperator(testutil.OperatorOptions{})
		expectCreated(ctx, task)
		expectConditions(ctx, task, map[string]string{
			v1alpha1.ConditionAccepted:   "True/Valid",
			v1alpha1.ConditionRegistered: "False/RegistryConflict",
			v1alpha1.ConditionReady:      "False/RegistryConflict",
			v1alpha1.ConditionStalled:    "True/RegistryConflict",
		})
		Expect(message(task, v1alpha1.ConditionRegistered)).To(Equal(
			"ConfigMap maze-registry belongs to someone else, and the registry needs its name: delete it, and create it anew under another name if it is needed; " +
				"the operator then publishes at once"))
		Expect(indexOf(ctx, namespace).ResourceVersion).To(Equal(foreign.ResourceVersion))
		Expect(k8s.Delete(ctx, foreign)).To(Succeed())
		expectReady(ctx, task)
		expectPublished(ctx, namespace, "caption@1")
	})

	It("forgets a deleted task, and serves one created again under its name as the new one", func(ctx context.Context) {
		registered(ctx)
		Expect(k8s.Delete(ctx, task)).To(Succeed())
		expectPublished(ctx, namespace)
		again := newTask(namespace, "caption")
		expectCreated(ctx, again)
		expectReady(ctx, again)
		entries, err := published(ctx, namespace)
		Expect(err).NotTo(HaveOccurred())
		Expect(entries["caption"].Kubernetes.UID).To(Equal(again.UID))
	})

	It("is the same to the byte, in whatever order the tasks came", func(ctx context.Context) {
		startOperator(testutil.OperatorOptions{ShardSize: registry.MinShardSize})
		other := newNamespace(ctx)
		var tasks []*v1alpha1.MazeTask
		for i := range 40 {
			tasks = append(tasks, newTask(namespace, fmt.Sprintf("task-%02d", i)))
		}
		for i := range 40 {
			tasks = append(tasks, newTask(other, fmt.Sprintf("task-%02d", 39-i)))
		}
		expectCreated(ctx, tasks...)
		expectReady(ctx, tasks...)
		content := func(namespace string) map[string]string {
			entries, err := published(ctx, namespace)
			Expect(err).NotTo(HaveOccurred())
			out := map[string]string{}
			for name, entry := range entries {
				entry.Kubernetes.Namespace, entry.Kubernetes.UID = "", ""
				text, err := json.Marshal(entry)
				Expect(err).NotTo(HaveOccurred())
				out[name] = string(text)
			}
			return out
		}
		Expect(content(namespace)).To(Equal(content(other)))
		layout := func(namespace string) []string {
			index, err := registry.DecodeIndex(indexOf(ctx, namespace))
			Expect(err).NotTo(HaveOccurred())
			var prefixes []string
			for _, shard := range index.Shards {
				prefixes = append(prefixes, fmt.Sprintf("%s:%d", shard.Prefix, shard.Tasks))
			}
			return prefixes
		}
		Expect(layout(namespace)).To(Equal(layout(other)))
	})

	It("is not written when idle, nor after a restart", func(ctx context.Context) {
		bad := newTask(namespace, "bad")
		bad.Spec.InputParameters = unsupported
		expectCreated(ctx, bad)
		registered(ctx)
		expectConditions(ctx, bad, map[string]string{v1alpha1.ConditionRegistered: "False/InvalidSpec"})
		expectIdle(namespace)
		before := operator.Writes(testutil.RegistryWrite) + operator.Writes(testutil.StatusWrite)
		expectIdle(namespace)
		Expect(operator.Writes(testutil.RegistryWrite) + operator.Writes(testutil.StatusWrite)).To(Equal(before))
		stopOperator()
		startOperator(testutil.OperatorOptions{})
		expectIdle(namespace)
		Expect(operator.Writes(testutil.RegistryWrite) + operator.Writes(testutil.StatusWrite)).To(BeZero())
	})
})

var _ = Describe("A registry of several ConfigMaps", func() {
	var (
		namespace string
		tasks     []*v1alpha1.MazeTask
	)

	BeforeEach(func(ctx context.Context) {
		namespace, tasks = newNamespace(ctx), nil
		for i := range 120 {
			tasks = append(tasks, newTask(namespace, fmt.Sprintf("task-%03d", i)))
		}
		startOperator(testutil.OperatorOptions{ShardSize: registry.MinShardSize})
	})

	shards := func(ctx context.Context) []*corev1.ConfigMap {
		GinkgoHelper()
		_, byName, err := configMaps(ctx, namespace)
		Expect(err).NotTo(HaveOccurred())
		return slices.Collect(maps.Values(byName))
	}

	// expectSwept waits until the shards that no index names are deleted.
	expectSwept := func(ctx context.Context) {
		GinkgoHelper()
		Eventually(func(g Gomega) {
			index, err := registry.DecodeIndex(indexOf(ctx, namespace))
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(shards(ctx)).To(HaveLen(len(index.Shards)))
		}).Should(Succeed())
	}

	It("keeps every index consistent while tasks come, change and go", func(ctx context.Context) {
		watcher := watchRegistry(ctx, namespace)
		expectCreated(ctx, tasks...)
		expectReady(ctx, tasks...)
		Expect(len(shards(ctx))).To(BeNumerically(">", 4))
		for i, task := range tasks {
			switch i % 3 {
			case 0:
				expectEdited(ctx, task, func(t *v1alpha1.MazeTask) { t.Spec.Description = "edited" })
			case 1:
				Expect(k8s.Delete(ctx, task)).To(Succeed())
			}
		}
		var want []string
		for i, task := range tasks {
			if i%3 != 1 {
				want = append(want, fmt.Sprintf("%s@%d", task.Name, 2-min(i%3, 1)))
			}
		}
		expectPublished(ctx, namespace, want...)
		expectSwept(ctx)
		Expect(watcher.stop()).To(BeNumerically(">", 1), "indexes were seen, and each was consistent")

		Expect(k8s.DeleteAllOf(ctx, &v1alpha1.MazeTask{}, inNamespace(namespace))).To(Succeed())
		expectPublished(ctx, namespace)
		Eventually(func() []*corev1.ConfigMap { return shards(ctx) }).Should(BeEmpty())
	})

	It("is not written when idle, nor after a restart", func(ctx context.Context) {
		expectCreated(ctx, tasks...)
		expectReady(ctx, tasks...)
		expectSwept(ctx)
		expectIdle(namespace)
		before := operator.Writes(testutil.RegistryWrite) + operator.Writes(testutil.StatusWrite)
		expectIdle(namespace)
		Expect(operator.Writes(testutil.RegistryWrite) + operator.Writes(testutil.StatusWrite)).To(Equal(before))
		stopOperator()
		startOperator(testutil.OperatorOptions{ShardSize: registry.MinShardSize})
		expectIdle(namespace)
		Expect(operator.Writes(testutil.RegistryWrite) + operator.Writes(testutil.StatusWrite)).To(BeZero())
	})

	It("heals a shard that is deleted, relabelled or replaced", func(ctx context.Context) {
		expectCreated(ctx, tasks...)
		expectReady(ctx, tasks...)
		expectSwept(ctx)
		expectIdle(namespace)
		want := slices.Sorted(func(yield func(string) bool) {
			for _, task := range tasks {
				yield(task.Name + "@1")
			}
		})
		all := shards(ctx)
		deleted, unlabelled, replaced := all[0], all[1], all[2]
		Expect(k8s.Delete(ctx, deleted)).To(Succeed())
		unlabelled.Labels = nil
		Expect(k8s.Update(ctx, unlabelled)).To(Succeed())
		Expect(k8s.Delete(ctx, replaced)).To(Succeed())
		replaced.ObjectMeta = metav1.ObjectMeta{Namespace: namespace, Name: replaced.Name, Labels: registry.Labels(registry.RoleShard)}
		replaced.Data["ghost"] = "{}"
		Expect(k8s.Create(ctx, replaced)).To(Or(Succeed(), MatchError(ContainSubstring("already exists"))))
		expectPublished(ctx, namespace, want...)
		Eventually(func(g Gomega) {
			for _, shard := range shards(ctx) {
				g.Expect(shard.Labels).To(HaveKeyWithValue(registry.RoleLabel, registry.RoleShard))
			}
		}).Should(Succeed())
		expectReady(ctx, tasks...)
	})
})
