package integration

import (
	"context"
	"errors"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	dto "github.com/prometheus/client_model/go"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/test/testutil"
)

var _ = Describe("The operator's metrics", func() {
	It("tell how long a registry that cannot be written lags, and how long its changes took", func(ctx context.Context) {
		namespace := newNamespace(ctx)
		startOperator(testutil.OperatorOptions{Fault: func(_ context.Context, kind testutil.Kind, object client.Object) error {
			if kind == testutil.RegistryWrite && object.GetNamespace() == namespace {
				return errors.New("the disk is full")
			}
			return nil
		}})
		task := newTask(namespace, "caption")
		expectCreated(ctx, task)
		expectConditions(ctx, task, map[string]string{v1alpha1.ConditionRegistered: "False/Publishing"})
		Eventually(gauge("maregister_registry_lag_seconds", namespace)).Should(BeNumerically(">", 0.5))
		Expect(publishLatency().GetSampleCount()).To(BeZero())

		operator.SetFault(nil)
		expectReady(ctx, task)
		Eventually(gauge("maregister_registry_lag_seconds", namespace)).Should(BeZero())
		Eventually(func() uint64 { return publishLatency().GetSampleCount() }).Should(BeEquivalentTo(1)) // the status may come first
		Expect(publishLatency().GetSampleSum()).To(BeNumerically(">", 0.5))
	})

	It("tell that someone else's ConfigMap is in a registry's place, and of the registry once it is gone", func(ctx context.Context) {
		namespace := newNamespace(ctx)
		foreign := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: registry.ConfigMapName}}
		Expect(k8s.Create(ctx, foreign)).To(Succeed())
		task := newTask(namespace, "caption")
		expectCreated(ctx, task)
		startOperator(testutil.OperatorOptions{})
		Eventually(gauge("maregister_registry_conflict", namespace)).Should(BeEquivalentTo(1))
		Eventually(gauge("maregister_registry_tasks", namespace)).Should(BeZero())

		Expect(k8s.Delete(ctx, foreign)).To(Succeed())
		expectReady(ctx, task)
		Eventually(gauge("maregister_registry_conflict", namespace)).Should(BeZero())
		Eventually(gauge("maregister_registry_tasks", namespace)).Should(BeEquivalentTo(1))
		Eventually(gauge("maregister_registry_shards", namespace)).Should(BeEquivalentTo(1))
		index := indexOf(ctx, namespace)
		Eventually(gauge("maregister_registry_bytes", namespace)).Should(BeEquivalentTo(len("caption") + len(index.Data["caption"])))
	})

	It("cost no write, and forget a namespace that has neither tasks nor a registry", func(ctx context.Context) {
		namespace := newNamespace(ctx)
		startOperator(testutil.OperatorOptions{})
		task := newTask(namespace, "caption")
		expectCreated(ctx, task)
		expectReady(ctx, task)
		expectIdle(namespace)
		writes := operator.Writes(testutil.RegistryWrite) + operator.Writes(testutil.StatusWrite)
		Consistently(gauge("maregister_registry_tasks", namespace), quietTime).Should(BeEquivalentTo(1))
		Expect(operator.Writes(testutil.RegistryWrite) + operator.Writes(testutil.StatusWrite)).To(Equal(writes))

		Expect(k8s.Delete(ctx, task)).To(Succeed())
		Eventually(gauge("maregister_registry_tasks", namespace)).Should(BeZero())
		Eventually(series).WithArguments("maregister_name_conflicts", namespace).Should(BeNil())
	})
})

// series returns the series of a metric that is about a namespace. Nil if there is none.
func series(name, namespace string) *dto.Metric {
	GinkgoHelper()
	families, err := operator.Metrics.Gather()
	Expect(err).NotTo(HaveOccurred())
	for _, family := range families {
		for _, one := range family.GetMetric() {
			if family.GetName() == name && (namespace == "" || one.GetLabel()[0].GetValue() == namespace) {
				return one
			}
		}
	}
	return nil
}

// gauge returns what reads the value of a namespace's gauge: -1 while there is none.
func gauge(name, namespace string) func() float64 {
	return func() float64 {
		if one := series(name, namespace); one != nil {
			return one.GetGauge().GetValue()
		}
		return -1
	}
}

func publishLatency() *dto.Histogram {
	GinkgoHelper()
	return series("maregister_registry_publish_latency_seconds", "").GetHistogram()
}
