package integration

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	resourcev1 "k8s.io/api/resource/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/placement"
	"github.com/maze-agent/maregister/test/testutil"
)

var _ = Describe("Dynamic Resource Allocation", func() {
	var namespace string

	BeforeEach(func(ctx context.Context) {
		namespace = newNamespace(ctx)
		DeferCleanup(func(ctx context.Context) {
			for _, object := range []client.Object{&corev1.Node{}, &resourcev1.ResourceSlice{}, &resourcev1.DeviceClass{}} {
				Expect(k8s.DeleteAllOf(ctx, object)).To(Succeed())
			}
		})
	})

	It("makes a task placeable as classes and slices come, and not as they go", func(ctx context.Context) {
		expectNodes(ctx, testutil.NewGPUNode("t4", "T4", 15360, 1), testutil.NewNode("gpu-1"))
		startOperator(testutil.OperatorOptions{})
		task, other := gpuTask(namespace, "caption", "60Gi"), gpuTask(namespace, "small", "8Gi")
		expectCreated(ctx, task, other)
		expectPlaceable(ctx, task, "False/NoFeasibleNode", "T4 (1 node): needs 61440Mi on one GPU, has 15360Mi")
		expectPlaceable(ctx, other, "True/Feasible", "by the label nvidia.com/gpu.memory")

		expectSlices(ctx, testutil.NewGPUSlice("gpu-1", 4, 81559))
		expectPlaceable(ctx, task, "False/NoFeasibleNode", "its GPUs are told by ResourceSlices, and no DeviceClass selects them")

		class := testutil.NewGPUClass("gpu.nvidia.com", "", "")
		Expect(k8s.Create(ctx, class)).To(Succeed())
		expectPlaceable(ctx, task, "True/Feasible", "by the devices of DeviceClass gpu.nvidia.com")
		expectTaken(ctx, task, "deviceclass.resource.kubernetes.io/gpu.nvidia.com", 1)

		Expect(k8s.Delete(ctx, class)).To(Succeed())
		expectPlaceable(ctx, task, "False/NoFeasibleNode", "no DeviceClass selects them")

		class = testutil.NewGPUClass("gpu-40gi", "nvidia.com/gpu", "40Gi")
		Expect(k8s.Create(ctx, class)).To(Succeed())
		expectPlaceable(ctx, task, "True/Feasible", "by the devices of DeviceClass gpu-40gi")
		expectTaken(ctx, task, "nvidia.com/gpu", 1)

		Expect(k8s.DeleteAllOf(ctx, &resourcev1.ResourceSlice{})).To(Succeed())
		expectPlaceable(ctx, task, "False/NoFeasibleNode", "T4 (1 node)")
		expectPlaceable(ctx, other, "True/Feasible", "by the label nvidia.com/gpu.memory")
	})

	It("counts no device that a rule taints, as long as the rule is there", func(ctx context.Context) {
		DeferCleanup(func(ctx context.Context) {
			Expect(k8s.DeleteAllOf(ctx, &resourcev1.DeviceTaintRule{})).To(Succeed())
		})
		expectNodes(ctx, testutil.NewNode("gpu-1"))
		Expect(k8s.Create(ctx, testutil.NewGPUClass("gpu.nvidia.com", "nvidia.com/gpu", ""))).To(Succeed())
		expectSlices(ctx, testutil.NewGPUSlice("gpu-1", 2, 81559))
		startOperator(testutil.OperatorOptions{})
		one, both := gpuTask(namespace, "one", "60Gi"), gpuTask(namespace, "both", "120Gi")
		expectCreated(ctx, one, both)
		expectPlaceable(ctx, both, "True/Feasible", "it takes 2 nvidia.com/gpu")
		rule := &resourcev1.DeviceTaintRule{ObjectMeta: metav1.ObjectMeta{Name: "sick"}, Spec: resourcev1.DeviceTaintRuleSpec{
			DeviceSelector: &resourcev1.DeviceTaintSelector{Pool: ptr.To("gpu-1"), Device: ptr.To("gpu-0")},
			Taint:          resourcev1.DeviceTaint{Key: "example.com/sick", Effect: resourcev1.DeviceTaintEffectNoSchedule},
		}}
		Expect(k8s.Create(ctx, rule)).To(Succeed())
		expectPlaceable(ctx, both, "False/NoFeasibleNode", "")
		expectPlaceable(ctx, one, "True/Feasible", "by the devices of DeviceClass gpu.nvidia.com")
		Expect(k8s.Delete(ctx, rule)).To(Succeed())
		expectPlaceable(ctx, both, "True/Feasible", "it takes 2 nvidia.com/gpu")
	})

	It("writes nothing for a slice that is written again, and only what another one changes", func(ctx context.Context) {
		expectNodes(ctx, testutil.NewNode("gpu-1"), testutil.NewNode("gpu-2"))
		Expect(k8s.Create(ctx, testutil.NewGPUClass("gpu.nvidia.com", "nvidia.com/gpu", ""))).To(Succeed())
		slice := testutil.NewGPUSlice("gpu-1", 2, 40960)
		expectSlices(ctx, slice)
		startOperator(testutil.OperatorOptions{})
		fits, waits := gpuTask(namespace, "fits", "40Gi"), gpuTask(namespace, "waits", "320Gi")
		expectCreated(ctx, fits, waits)
		expectPlaceable(ctx, fits, "True/Feasible", "")
		expectPlaceable(ctx, waits, "False/NoFeasibleNode", "")
		expectIdle(namespace)

		before := operator.Writes(testutil.StatusWrite) + operator.Writes(testutil.RegistryWrite)
		for i := range 5 {
			slice.Annotations = map[string]string{"example.com/beat": fmt.Sprint(i)}
			Expect(k8s.Update(ctx, slice)).To(Succeed())
		}
		expectIdle(namespace)
		Expect(operator.Writes(testutil.StatusWrite) + operator.Writes(testutil.RegistryWrite)).To(Equal(before))

		Expect(k8s.Get(ctx, keyOf(fits), fits)).To(Succeed())
		version := fits.ResourceVersion
		expectSlices(ctx, testutil.NewGPUSlice("gpu-2", 8, 40960))
		expectPlaceable(ctx, waits, "True/Feasible", "")
		expectIdle(namespace)
		Expect(k8s.Get(ctx, keyOf(fits), fits)).To(Succeed())
		Expect(fits.ResourceVersion).To(Equal(version))
	})

	It("is known before anything is written after a restart", func(ctx context.Context) {
		expectNodes(ctx, testutil.NewNode("gpu-1"))
		Expect(k8s.Create(ctx, testutil.NewGPUClass("gpu.nvidia.com", "nvidia.com/gpu", ""))).To(Succeed())
		expectSlices(ctx, testutil.NewGPUSlice("gpu-1", 2, 40960))
		startOperator(testutil.OperatorOptions{})
		task := gpuTask(namespace, "caption", "60Gi")
		expectCreated(ctx, task)
		expectPlaceable(ctx, task, "True/Feasible", "by the devices of DeviceClass gpu.nvidia.com")
		stopOperator()
		startOperator(testutil.OperatorOptions{})
		expectIdle(namespace)
		Expect(operator.Writes(testutil.StatusWrite)).To(BeZero())
		Expect(operator.Writes(testutil.RegistryWrite)).To(BeZero())
	})

	It("is not read where the configuration says so", func(ctx context.Context) {
		expectNodes(ctx, testutil.NewNode("gpu-1"))
		Expect(k8s.Create(ctx, testutil.NewGPUClass("gpu.nvidia.com", "nvidia.com/gpu", ""))).To(Succeed())
		expectSlices(ctx, testutil.NewGPUSlice("gpu-1", 2, 40960))
		config := placement.DefaultConfig()
		config.IgnoreDevices = true
		var asked atomic.Int64
		startOperator(testutil.OperatorOptions{Placement: config, Transport: func(next http.RoundTripper) http.RoundTripper {
			return roundTripper(func(r *http.Request) (*http.Response, error) {
				if strings.Contains(r.URL.Path, resourcev1.GroupName) {
					asked.Add(1)
				}
				return next.RoundTrip(r)
			})
		}})
		task := gpuTask(namespace, "caption", "20Gi")
		expectCreated(ctx, task)
		expectPlaceable(ctx, task, "Unknown/NoInventory", "none of the nodes has a GPU")
		expectIdle(namespace)
		Expect(asked.Load()).To(BeZero())
	})

	It("holds up nothing without the right to it, is said to be missing, and is read once the right is there", func(ctx context.Context) {
		expectNodes(ctx, testutil.NewGPUNode("t4", "T4", 15360, 1), testutil.NewNode("gpu-1"))
		Expect(k8s.Create(ctx, testutil.NewGPUClass("gpu.nvidia.com", "nvidia.com/gpu", ""))).To(Succeed())
		expectSlices(ctx, testutil.NewGPUSlice("gpu-1", 2, 81559))
		config, err := testutil.OperatorConfig(ctx, controlPlane.Config)
		Expect(err).NotTo(HaveOccurred())
		role := &rbacv1.ClusterRole{}
		Expect(k8s.Get(ctx, client.ObjectKey{Name: "maregister-manager"}, role)).To(Succeed())
		whole := role.DeepCopy()
		for i := range role.Rules {
			if role.Rules[i].APIGroups[0] == resourcev1.GroupName {
				role.Rules[i].Resources = []string{"deviceclasses"}
			}
		}
		Expect(k8s.Update(ctx, role)).To(Succeed())
		restore := func(ctx context.Context) {
			Expect(k8s.Get(ctx, client.ObjectKeyFromObject(role), role)).To(Succeed())
			role.Rules = whole.Rules
			Expect(k8s.Update(ctx, role)).To(Succeed())
		}
		DeferCleanup(restore)
		slices := &authorizationv1.ResourceAttributes{Group: resourcev1.GroupName, Resource: "resourceslices", Verb: "list"}
		Expect(testutil.WaitUntilAllowed(ctx, config, slices, false)).To(Succeed())

		startOperator(testutil.OperatorOptions{Config: config})
		task, small, cpu := gpuTask(namespace, "caption", "60Gi"), gpuTask(namespace, "small", "8Gi"), newTask(namespace, "cpu")
		expectCreated(ctx, task, small, cpu)
		const missing = "the operator may not list and watch resourceslices.resource.k8s.io: give its ServiceAccount that right"
		expectPlaceable(ctx, task, "Unknown/NoInventory", missing)
		expectPlaceable(ctx, small, "True/Feasible", "")
		expectPlaceable(ctx, cpu, "True/Feasible", "")
		Expect(state(task, v1alpha1.ConditionReady)).To(Equal("True/Ready"))

		restore(ctx)
		Eventually(func(g Gomega) {
			g.Expect(k8s.Get(ctx, keyOf(task), task)).To(Succeed())
			g.Expect(message(task, v1alpha1.ConditionPlaceable)).To(ContainSubstring("by the devices of DeviceClass gpu.nvidia.com"))
		}).WithTimeout(90 * time.Second).Should(Succeed())
	})
})

func expectSlices(ctx context.Context, slices ...*resourcev1.ResourceSlice) {
	GinkgoHelper()
	for _, slice := range slices {
		Expect(k8s.Create(ctx, slice)).To(Succeed())
	}
}

// expectTaken checks that the placement of a task asks for so many devices by a resource, in the status as in the registry.
func expectTaken(ctx context.Context, task *v1alpha1.MazeTask, name corev1.ResourceName, count int64) {
	GinkgoHelper()
	placed := task.Status.Placement
	Expect(placed.GPU.ResourceName).To(Equal(name))
	for _, list := range []corev1.ResourceList{placed.Requests, placed.Limits} {
		quantity := list[name]
		Expect(quantity.Value()).To(Equal(count))
	}
	expectSamePlacement(ctx, task)
}
