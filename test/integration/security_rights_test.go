package integration

import (
	"context"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/test/testutil"
)

var _ = Describe("An operator of several namespaces", func() {
	It("starts without one that it may not read, serves the others, and serves that when it comes (R1)", func(ctx context.Context) {
		one, refused := newNamespace(ctx), newNamespace(ctx)
		config := rest.CopyConfig(controlPlane.Config)
		config.Impersonate.UserName = "operator-of-" + one
		expectRights(ctx, config.Impersonate.UserName, false, one)
		first, second := newTask(one, "caption"), newTask(refused, "caption")
		expectCreated(ctx, first, second)
		startOperator(testutil.OperatorOptions{Config: config, Namespaces: []string{one, refused, "not-there"}, IgnoreNodes: true})
		expectReady(ctx, first)
		for _, namespace := range []string{refused, "not-there"} {
			Eventually(gauge("maregister_namespace_refused", namespace)).Should(BeEquivalentTo(1))
		}
		Expect(gauge("maregister_namespace_refused", one)()).To(BeEquivalentTo(-1))
		expectEdited(ctx, first, func(t *v1alpha1.MazeTask) { t.Spec.Description = "another" })
		expectReady(ctx, first)

		since := time.Now()
		expectRights(ctx, config.Impersonate.UserName, false, refused)
		expectReady(ctx, second)
		AddReportEntry("served after", time.Since(since).String())
		Eventually(gauge("maregister_namespace_refused", refused)).Should(BeEquivalentTo(-1))
		Expect(gauge("maregister_namespace_refused", "not-there")()).To(BeEquivalentTo(1))
	})

	It("says so when its rights are taken away while it runs, and when they come back (R1)", func(ctx context.Context) {
		one, two := newNamespace(ctx), newNamespace(ctx)
		config := rest.CopyConfig(controlPlane.Config)
		config.Impersonate.UserName = "operator-of-" + one
		expectRights(ctx, config.Impersonate.UserName, false, one, two)
		first, second := newTask(one, "caption"), newTask(two, "caption")
		expectCreated(ctx, first, second)
		startOperator(testutil.OperatorOptions{Config: config, Namespaces: []string{one, two}, IgnoreNodes: true})
		expectReady(ctx, first, second)
		binding := &rbacv1.RoleBinding{}
		Expect(k8s.Get(ctx, keyOf(&rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Namespace: two, Name: config.Impersonate.UserName}}), binding)).To(Succeed())
		Expect(k8s.Delete(ctx, binding.DeepCopy())).To(Succeed())
		Eventually(func(g Gomega) { // the API server follows roles with a delay
			expectEdited(ctx, second, func(t *v1alpha1.MazeTask) { t.Spec.Description += "." })
			g.Expect(gauge("maregister_namespace_refused", two)()).To(BeEquivalentTo(1))
		}).WithPolling(500 * time.Millisecond).Should(Succeed())
		expectEdited(ctx, first, func(t *v1alpha1.MazeTask) { t.Spec.Description = "another" })
		expectReady(ctx, first)

		binding.ResourceVersion, binding.UID = "", ""
		Expect(k8s.Create(ctx, binding)).To(Succeed())
		expectReady(ctx, second)
		Eventually(gauge("maregister_namespace_refused", two)).Should(BeEquivalentTo(-1))
	})
})

var _ = Describe("A quota on ConfigMaps", func() {
	It("is told in the condition, in the API server's words, and its removal is noticed within seconds (fault 2)", func(ctx context.Context) {
		namespace := newNamespace(ctx)
		quota := &corev1.ResourceQuota{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "small"},
			Spec:       corev1.ResourceQuotaSpec{Hard: corev1.ResourceList{"count/configmaps": resource.MustParse("0")}},
		}
		Expect(k8s.Create(ctx, quota)).To(Succeed())
		quota.Status = corev1.ResourceQuotaStatus{Hard: quota.Spec.Hard, Used: corev1.ResourceList{"count/configmaps": resource.MustParse("0")}}
		Expect(k8s.Status().Update(ctx, quota)).To(Succeed()) // no controller of quotas runs
		Eventually(func() error {
			return k8s.Create(ctx, &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, GenerateName: "probe-"}})
		}).Should(MatchError(ContainSubstring("exceeded quota")))

		startOperator(testutil.OperatorOptions{})
		task, edited := newTask(namespace, "caption"), newTask(namespace, "edited")
		expectCreated(ctx, task, edited)
		expectConditions(ctx, task, map[string]string{v1alpha1.ConditionRegistered: "False/Publishing", v1alpha1.ConditionReady: "False/Publishing"})
		Expect(message(task, v1alpha1.ConditionRegistered)).To(And(
			ContainSubstring("exceeded quota: small, requested: count/configmaps=1, used: count/configmaps=0, limited: count/configmaps=0"),
			ContainSubstring("(Forbidden)"), ContainSubstring("the operator goes on trying")))
		n := 0
		repeat(ctx, 200*time.Millisecond, func(ctx context.Context) {
			if k8s.Get(ctx, keyOf(edited), edited) == nil {
				n++
				edited.Spec.Description = fmt.Sprint("edit ", n)
				_ = k8s.Update(ctx, edited)
			}
		})
		Consistently(func() error { return k8s.Get(ctx, keyOf(task), task) }, 15*time.Second, time.Second).Should(Succeed()) // until the pauses are longest
		Expect(k8s.Delete(ctx, quota)).To(Succeed())
		since := time.Now()
		expectReady(ctx, task)
		expectQuick(ctx, time.Since(since), 15*time.Second)
	})
})
