package integration

import (
	"context"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/test/testutil"
)

var _ = Describe("Two tasks with one name", func() {
	var (
		namespace    string
		older, newer *v1alpha1.MazeTask
	)

	BeforeEach(func(ctx context.Context) {
		namespace = newNamespace(ctx)
		startOperator(testutil.OperatorOptions{})
		older, newer = newTask(namespace, "ocr-v1"), newTask(namespace, "ocr-v2")
		older.Spec.Name, newer.Spec.Name = "ocr", "ocr"
	})

	expectServes := func(ctx context.Context, winner, loser *v1alpha1.MazeTask) {
		GinkgoHelper()
		expectReady(ctx, winner)
		expectConditions(ctx, loser, map[string]string{
			v1alpha1.ConditionAccepted:   "False/NameConflict",
			v1alpha1.ConditionRegistered: "False/Superseded",
			v1alpha1.ConditionReady:      "False/NameConflict",
			v1alpha1.ConditionStalled:    "True/NameConflict",
		})
		Expect(message(loser, v1alpha1.ConditionAccepted)).To(HavePrefix("MazeTask " + winner.Name + " has the same spec.name ocr and is newer"))
		Expect(loser.Status.Entry).To(BeNil())
		entries, err := published(ctx, namespace)
		Expect(err).NotTo(HaveOccurred())
		Expect(entries["ocr"].Kubernetes.Name).To(Equal(winner.Name))
	}

	It("serves the newer one, warns both, and promotes the older one when the newer one goes", func(ctx context.Context) {
		expectCreated(ctx, older)
		expectReady(ctx, older)
		expectCreated(ctx, newer)
		expectServes(ctx, newer, older)
		expectEvent(ctx, newer, corev1.EventTypeWarning, "Overwritten",
			"Task ocr overwrites the registration of MazeTask ocr-v1 (Writes a caption.; model llava-v1.6)")
		expectEvent(ctx, older, corev1.EventTypeWarning, "Overwritten", message(older, v1alpha1.ConditionAccepted)+" (Writes a caption.; model llava-v1.6)")
		Expect(k8s.Delete(ctx, newer)).To(Succeed())
		expectReady(ctx, older)
		expectPublished(ctx, namespace, "ocr@1")
	})

	It("goes by the names of two that were created within one second", func(ctx context.Context) {
		Eventually(func(g Gomega) { // a busy machine creates some pairs in different seconds
			first, second := newer.DeepCopy(), older.DeepCopy()
			expectCreated(ctx, first, second)
			if !first.CreationTimestamp.Equal(&second.CreationTimestamp) {
				Expect(k8s.Delete(ctx, first)).To(Succeed())
				Expect(k8s.Delete(ctx, second)).To(Succeed())
			}
			g.Expect(first.CreationTimestamp).To(Equal(second.CreationTimestamp))
			newer, older = first, second
		}).Should(Succeed())
		expectServes(ctx, newer, older)
	})

	It("goes by the time of creation before the name", func(ctx context.Context) {
		expectCreated(ctx, newer)
		Eventually(func() time.Time { return time.Now().Truncate(time.Second) }).Should(BeTemporally(">", newer.CreationTimestamp.Time))
		expectCreated(ctx, older)
		expectServes(ctx, older, newer)
	})

	It("does not let an invalid newer one take the name", func(ctx context.Context) {
		expectCreated(ctx, older)
		newer.Spec.InputParameters = unsupported
		expectCreated(ctx, newer)
		expectConditions(ctx, newer, map[string]string{v1alpha1.ConditionRegistered: "False/InvalidSpec"})
		expectReady(ctx, older)
		expectEdited(ctx, newer, func(t *v1alpha1.MazeTask) { t.Spec.InputParameters = nil })
		expectServes(ctx, newer, older)
	})

	It("leaves the name with the newer one after a bad edit of it", func(ctx context.Context) {
		expectCreated(ctx, older, newer)
		expectServes(ctx, newer, older)
		expectEdited(ctx, newer, func(t *v1alpha1.MazeTask) { t.Spec.InputParameters = unsupported })
		expectConditions(ctx, newer, map[string]string{v1alpha1.ConditionRegistered: "False/ServingLastAccepted"})
		expectConditions(ctx, older, map[string]string{v1alpha1.ConditionAccepted: "False/NameConflict"})
		expectPublished(ctx, namespace, "ocr@1")
	})

	It("does not mind the same name in another namespace", func(ctx context.Context) {
		other := newTask(newNamespace(ctx), "ocr-v3")
		other.Spec.Name = "ocr"
		expectCreated(ctx, older, other)
		expectReady(ctx, older, other)
		expectPublished(ctx, namespace, "ocr@1")
		expectPublished(ctx, other.Namespace, "ocr@1")
	})
})
