package integration

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/test/testutil"
)

var _ = Describe("The status of a task", func() {
	var namespace string

	BeforeEach(func(ctx context.Context) {
		namespace = newNamespace(ctx)
	})

	It("has observedGeneration -1 until the operator has seen the task", func(ctx context.Context) {
		task := newTask(namespace, "caption")
		expectCreated(ctx, task)
		Expect(task.Status.ObservedGeneration).To(BeEquivalentTo(-1))
	})

	Context("with the operator running", func() {
		BeforeEach(func() { startOperator(testutil.OperatorOptions{}) })

		It("tells of a valid task with one write, after the registry serves it", func(ctx context.Context) {
			task := newTask(namespace, "caption")
			expectCreated(ctx, task)
			expectConditions(ctx, task, map[string]string{
				v1alpha1.ConditionAccepted:   "True/Valid",
				v1alpha1.ConditionRegistered: "True/Served",
				v1alpha1.ConditionPlaceable:  "Unknown/NoInventory",
				v1alpha1.ConditionReady:      "True/Ready",
				v1alpha1.ConditionStalled:    "False/NotStalled",
			})
			text := indexOf(ctx, namespace).Data["caption"]
			Expect(task.Status.Entry).To(Equal(&v1alpha1.EntryReference{
				ConfigMap: registry.ConfigMapName, Key: "caption", Generation: 1,
				Digest: fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(text))),
			}))
			entries, err := published(ctx, namespace)
			Expect(err).NotTo(HaveOccurred())
			Expect(apiequality.Semantic.DeepEqual(*task.Status.Placement, entries["caption"].Kubernetes.Placement)).To(BeTrue())
			expectIdle(namespace)
			Expect(operator.Writes(testutil.StatusWrite)).To(Equal(1))
			Expect(operator.Writes(testutil.RegistryWrite)).To(Equal(1))
			expectEvent(ctx, task, corev1.EventTypeNormal, "Registered",
				"Successfully registered task: caption (Writes a caption.; model llava-v1.6)")
		})

		It("says what is wrong with an invalid task, and leaves the others alone", func(ctx context.Context) {
			good, bad := newTask(namespace, "good"), newTask(namespace, "bad")
			bad.Spec.InputParameters = unsupported
			expectCreated(ctx, good)
			expectReady(ctx, good)
			before := good.ResourceVersion
			expectCreated(ctx, bad)
			expectConditions(ctx, bad, map[string]string{
				v1alpha1.ConditionAccepted:   "False/UnsupportedPattern",
				v1alpha1.ConditionRegistered: "False/InvalidSpec",
				v1alpha1.ConditionPlaceable:  "Unknown/NotJudged",
				v1alpha1.ConditionReady:      "False/UnsupportedPattern",
				v1alpha1.ConditionStalled:    "True/UnsupportedPattern",
			})
			Expect(message(bad, v1alpha1.ConditionAccepted)).To(ContainSubstring("spec.inputParameters/x/pattern"))
			Expect(bad.Status.Entry).To(BeNil())
			expectEvent(ctx, bad, corev1.EventTypeWarning, "Invalid", "Task "+bad.Spec.Name+": "+message(bad, v1alpha1.ConditionAccepted)+" (Writes a caption.; model llava-v1.6)")
			expectPublished(ctx, namespace, "good@1")
			Expect(k8s.Get(ctx, client.ObjectKeyFromObject(good), good)).To(Succeed())
			Expect(good.ResourceVersion).To(Equal(before))
		})

		It("keeps the last accepted entry served after a bad edit, until a good one", func(ctx context.Context) {
			task := newTask(namespace, "caption")
			expectCreated(ctx, task)
			expectReady(ctx, task)
			expectEdited(ctx, task, func(t *v1alpha1.MazeTask) { t.Spec.InputParameters = unsupported })
			expectConditions(ctx, task, map[string]string{
				v1alpha1.ConditionAccepted:   "False/UnsupportedPattern",
				v1alpha1.ConditionRegistered: "False/ServingLastAccepted",
				v1alpha1.ConditionReady:      "False/UnsupportedPattern",
				v1alpha1.ConditionStalled:    "True/UnsupportedPattern",
			})
			Expect(task.Status.Entry.Generation).To(BeEquivalentTo(1))
			Expect(task.Status.Placement).NotTo(BeNil(), "the served entry's")
			expectPublished(ctx, namespace, "caption@1")
			expectEdited(ctx, task, func(t *v1alpha1.MazeTask) { t.Spec.InputParameters = schemaOf(`{"image": {"type": "string"}}`) })
			expectReady(ctx, task)
			expectPublished(ctx, namespace, "caption@3")
		})

		It("keeps it across a restart, and heals it from memory", func(ctx context.Context) {
			task := newTask(namespace, "caption")
			expectCreated(ctx, task)
			expectReady(ctx, task)
			expectEdited(ctx, task, func(t *v1alpha1.MazeTask) { t.Spec.InputParameters = unsupported })
			expectConditions(ctx, task, map[string]string{v1alpha1.ConditionRegistered: "False/ServingLastAccepted"})
			stopOperator()
			startOperator(testutil.OperatorOptions{})
			expectIdle(namespace)
			Expect(operator.Writes(testutil.StatusWrite) + operator.Writes(testutil.RegistryWrite)).To(BeZero())
			expectPublished(ctx, namespace, "caption@1")
			Expect(k8s.Delete(ctx, indexOf(ctx, namespace))).To(Succeed())
			expectPublished(ctx, namespace, "caption@1")
		})

		It("does not take a false entry for the last accepted one", func(ctx context.Context) {
			task := newTask(namespace, "caption")
			expectCreated(ctx, task)
			expectReady(ctx, task)
			expectEdited(ctx, task, func(t *v1alpha1.MazeTask) { t.Spec.InputParameters = unsupported })
			expectConditions(ctx, task, map[string]string{v1alpha1.ConditionRegistered: "False/ServingLastAccepted"})
			stopOperator()
			index := indexOf(ctx, namespace)
			index.Data["caption"] = strings.Replace(index.Data["caption"], "llava", "false", 1)
			Expect(k8s.Update(ctx, index)).To(Succeed())
			startOperator(testutil.OperatorOptions{})
			expectConditions(ctx, task, map[string]string{v1alpha1.ConditionRegistered: "False/InvalidSpec"})
			expectPublished(ctx, namespace)
		})

		It("refuses a task that does not fit into a ConfigMap, alone", func(ctx context.Context) {
			stopOperator()
			startOperator(testutil.OperatorOptions{ShardSize: registry.MinShardSize})
			small, large := newTask(namespace, "small"), newTask(namespace, "large")
			large.Spec.Description = strings.Repeat("x", registry.MinShardSize-1)
			expectCreated(ctx, small, large)
			expectReady(ctx, small)
			expectConditions(ctx, large, map[string]string{
				v1alpha1.ConditionAccepted:   "True/Valid",
				v1alpha1.ConditionRegistered: "False/TaskTooLarge",
				v1alpha1.ConditionReady:      "False/TaskTooLarge",
				v1alpha1.ConditionStalled:    "True/TaskTooLarge",
			})
			Expect(message(large, v1alpha1.ConditionRegistered)).To(MatchRegexp(`the task's entry has \d+ bytes, and one ConfigMap of the registry holds 15360: shorten`))
			expectPublished(ctx, namespace, "small@1")
			expectEdited(ctx, small, func(t *v1alpha1.MazeTask) { t.Spec.Description = large.Spec.Description })
			expectConditions(ctx, small, map[string]string{v1alpha1.ConditionRegistered: "False/TaskTooLarge"})
			Expect(message(small, v1alpha1.ConditionRegistered)).To(HaveSuffix("generation 1 is still served"))
			expectPublished(ctx, namespace, "small@1")
		})

		It("says Publishing while the registry cannot be written, and goes on trying", func(ctx context.Context) {
			operator.SetFault(func(_ context.Context, kind testutil.Kind, object client.Object) error {
				if kind == testutil.RegistryWrite {
					return apierrors.NewForbidden(schema.GroupResource{Resource: "configmaps"}, object.GetName(), fmt.Errorf("exceeded quota"))
				}
				return nil
			})
			task := newTask(namespace, "caption")
			expectCreated(ctx, task)
			expectConditions(ctx, task, map[string]string{
				v1alpha1.ConditionAccepted:   "True/Valid",
				v1alpha1.ConditionRegistered: "False/Publishing",
				v1alpha1.ConditionReady:      "False/Publishing",
				v1alpha1.ConditionStalled:    "False/NotStalled",
			})
			Expect(message(task, v1alpha1.ConditionRegistered)).To(ContainSubstring("(Forbidden)"))
			operator.SetFault(nil)
			expectReady(ctx, task)
			expectPublished(ctx, namespace, "caption@1")
		})

		It("takes a task that is being deleted out of the registry", func(ctx context.Context) {
			task := newTask(namespace, "caption")
			task.Finalizers = []string{"example.com/hold"}
			expectCreated(ctx, task)
			expectReady(ctx, task)
			Expect(k8s.Delete(ctx, task)).To(Succeed())
			expectPublished(ctx, namespace)
			expectConditions(ctx, task, map[string]string{v1alpha1.ConditionReady: "False/Terminating"})
			task.Finalizers = nil
			Expect(k8s.Update(ctx, task)).To(Succeed())
			expectGone(ctx, task)
		})

		It("tells of the README's example", func(ctx context.Context) {
			text, err := os.ReadFile(filepath.Join(testutil.Root(), "examples", "mazetask.yaml"))
			Expect(err).NotTo(HaveOccurred())
			task := &v1alpha1.MazeTask{}
			Expect(yaml.UnmarshalStrict(text, task)).To(Succeed())
			task.Namespace = namespace
			expectCreated(ctx, task)
			expectReady(ctx, task)
			Expect(message(task, v1alpha1.ConditionAccepted)).To(Equal("the spec is valid"))
		})

		It("is written once for each of many new tasks, and the registry far less often", func(ctx context.Context) {
			const many = 300
			tasks := make([]*v1alpha1.MazeTask, many)
			for i := range tasks {
				tasks[i] = newTask(namespace, fmt.Sprintf("task-%03d", i))
			}
			begin := time.Now()
			var creations []time.Time
			var mu sync.Mutex
			var creators sync.WaitGroup // on a slow machine, one at a time is no burst
			for part := range slices.Chunk(tasks, many/10) {
				creators.Go(func() {
					defer GinkgoRecover()
					for _, task := range part {
						expectCreated(ctx, task)
						mu.Lock()
						creations = append(creations, time.Now())
						mu.Unlock()
					}
				})
			}
			creators.Wait()
			// A burst ends after 10 ms without a change at the earliest, and is put off for 250 ms at least.
			bursts := int(time.Since(begin) / (250 * time.Millisecond))
			for i, at := range creations[1:] {
				if at.Sub(creations[i]) > 10*time.Millisecond {
					bursts++
				}
			}
			expectReady(ctx, tasks...)
			expectIdle(namespace)
			Expect(operator.Writes(testutil.StatusWrite)).To(BeNumerically("<=", many*105/100))
			AddReportEntry("registry writes", fmt.Sprintf("%d for %d tasks in %d bursts", operator.Writes(testutil.RegistryWrite), many, bursts))
			Expect(operator.Writes(testutil.RegistryWrite)).To(BeNumerically("<=", many/10+bursts))
		})
	})
})
