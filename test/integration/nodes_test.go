package integration

import (
	"context"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/placement"
	"github.com/maze-agent/maregister/test/testutil"
)

var _ = Describe("Nodes", func() {
	var namespace string

	BeforeEach(func(ctx context.Context) {
		namespace = newNamespace(ctx)
		DeferCleanup(func(ctx context.Context) { Expect(k8s.DeleteAllOf(ctx, &corev1.Node{})).To(Succeed()) })
		startOperator(testutil.OperatorOptions{})
	})

	It("make a task placeable as they come, and not as they go", func(ctx context.Context) {
		task := gpuTask(namespace, "caption", "20Gi")
		expectCreated(ctx, task)
		expectPlaceable(ctx, task, "Unknown/NoInventory", "no nodes are known")

		expectNodes(ctx, testutil.NewNode("cpu"))
		expectPlaceable(ctx, task, "Unknown/NoInventory", "none of the nodes has a GPU")

		t4 := testutil.NewGPUNode("t4", "T4", 15360, 1)
		expectNodes(ctx, t4)
		expectPlaceable(ctx, task, "False/NoFeasibleNode", "T4 (1 node): needs 20480Mi on one GPU, has 15360Mi, and one GPU on a node: short 5120Mi")
		expectEvent(ctx, task, corev1.EventTypeWarning, "Unplaceable", "Task "+task.Spec.Name+": "+message(task, v1alpha1.ConditionPlaceable)+" (Writes a caption.; model llava-v1.6)")

		h100 := testutil.NewGPUNode("h100", "H100", 81559, 8)
		expectNodes(ctx, h100)
		expectPlaceable(ctx, task, "True/Feasible", "it takes one nvidia.com/gpu with 20480Mi")
		expectSamePlacement(ctx, task)

		Expect(k8s.Delete(ctx, h100)).To(Succeed())
		expectPlaceable(ctx, task, "False/NoFeasibleNode", "T4 (1 node)")
		Expect(state(task, v1alpha1.ConditionReady)).To(Equal("True/Ready"), "a task without nodes waits for them, and is published")
	})

	It("change the number of GPUs, in the registry first", func(ctx context.Context) {
		expectNodes(ctx, testutil.NewGPUNode("t4", "T4", 15360, 8))
		task := gpuTask(namespace, "caption", "60Gi")
		expectCreated(ctx, task)
		expectGPUs(ctx, task, 4)
		expectNodes(ctx, testutil.NewGPUNode("h100", "H100", 81559, 8))
		expectGPUs(ctx, task, 1)
		expectSamePlacement(ctx, task)
	})

	It("that are like others, beat or get labels of their own cause no write", func(ctx context.Context) {
		t4 := testutil.NewGPUNode("t4", "T4", 15360, 1)
		expectNodes(ctx, t4)
		fits, waits := gpuTask(namespace, "fits", "1Gi"), gpuTask(namespace, "waits", "60Gi")
		expectCreated(ctx, fits, waits)
		expectPlaceable(ctx, fits, "True/Feasible", "")
		expectPlaceable(ctx, waits, "False/NoFeasibleNode", "T4 (1 node)")
		expectReady(ctx, fits, waits)
		expectIdle(namespace)

		before := operator.Writes(testutil.StatusWrite) + operator.Writes(testutil.RegistryWrite)
		expectNodes(ctx, testutil.NewGPUNode("t4-2", "T4", 15360, 1))
		t4.Labels["example.com/rack"] = "7"
		Expect(k8s.Update(ctx, t4)).To(Succeed())
		t4.Status.Conditions[0].LastHeartbeatTime = metav1.Now()
		t4.Status.Images = []corev1.ContainerImage{{Names: []string{"example.com/an/image:1"}, SizeBytes: 1 << 30}}
		Expect(k8s.Status().Update(ctx, t4)).To(Succeed())
		expectIdle(namespace)
		Expect(operator.Writes(testutil.StatusWrite) + operator.Writes(testutil.RegistryWrite)).To(Equal(before))
	})

	It("that flap change the verdict, and neither the placement nor the registry", func(ctx context.Context) {
		h100 := testutil.NewGPUNode("h100", "H100", 81559, 8)
		expectNodes(ctx, testutil.NewGPUNode("t4", "T4", 15360, 8), h100)
		task := gpuTask(namespace, "caption", "60Gi")
		expectCreated(ctx, task)
		expectGPUs(ctx, task, 1)
		published, index := task.Status.Entry.Digest, indexOf(ctx, namespace).ResourceVersion
		for range 3 {
			h100.Status.Conditions[0].Status = corev1.ConditionUnknown
			Expect(k8s.Status().Update(ctx, h100)).To(Succeed())
			expectPlaceable(ctx, task, "False/NoFeasibleNode", "H100 (1 node): takes no Pods now: cordoned or not ready")
			h100.Status.Conditions[0].Status = corev1.ConditionTrue
			Expect(k8s.Status().Update(ctx, h100)).To(Succeed())
			expectPlaceable(ctx, task, "True/Feasible", "")
			Expect(task.Status.Entry.Digest).To(Equal(published))
		}
		Expect(indexOf(ctx, namespace).ResourceVersion).To(Equal(index))
	})

	It("of a new class change only the tasks that wait for it", func(ctx context.Context) {
		expectNodes(ctx, testutil.NewGPUNode("t4", "T4", 15360, 1))
		cpu, small, big := newTask(namespace, "cpu"), gpuTask(namespace, "small", "10Gi"), gpuTask(namespace, "big", "60Gi")
		expectCreated(ctx, cpu, small, big)
		expectReady(ctx, cpu, small, big)
		expectPlaceable(ctx, big, "False/NoFeasibleNode", "")
		expectIdle(namespace)
		Expect(k8s.Get(ctx, keyOf(cpu), cpu)).To(Succeed())
		Expect(k8s.Get(ctx, keyOf(small), small)).To(Succeed())
		before := []string{cpu.ResourceVersion, small.ResourceVersion}

		expectNodes(ctx, testutil.NewGPUNode("h100", "H100", 81559, 1))
		expectPlaceable(ctx, big, "True/Feasible", "")
		expectIdle(namespace)
		Expect(k8s.Get(ctx, keyOf(cpu), cpu)).To(Succeed())
		Expect(k8s.Get(ctx, keyOf(small), small)).To(Succeed())
		Expect([]string{cpu.ResourceVersion, small.ResourceVersion}).To(Equal(before))
	})

	It("are known before anything is written after a restart", func(ctx context.Context) {
		expectNodes(ctx, testutil.NewGPUNode("t4", "T4", 15360, 8))
		task := gpuTask(namespace, "caption", "60Gi")
		expectCreated(ctx, task)
		expectGPUs(ctx, task, 4)
		stopOperator()
		startOperator(testutil.OperatorOptions{})
		expectIdle(namespace)
		Expect(operator.Writes(testutil.StatusWrite)).To(BeZero())
		Expect(operator.Writes(testutil.RegistryWrite)).To(BeZero())
	})

	It("move the last accepted entry too, after a restart as before", func(ctx context.Context) {
		expectNodes(ctx, testutil.NewGPUNode("t4", "T4", 15360, 8))
		task := gpuTask(namespace, "caption", "60Gi")
		expectCreated(ctx, task)
		expectGPUs(ctx, task, 4)
		expectEdited(ctx, task, func(t *v1alpha1.MazeTask) {
			t.Spec.InputParameters, t.Spec.Resources.GPUMemory = unsupported, ptr.To(resource.MustParse("1Gi"))
		})
		expectConditions(ctx, task, map[string]string{v1alpha1.ConditionRegistered: "False/ServingLastAccepted"})
		stopOperator()
		startOperator(testutil.OperatorOptions{})
		expectIdle(namespace)
		Expect(operator.Writes(testutil.StatusWrite)).To(BeZero())
		expectNodes(ctx, testutil.NewGPUNode("h100", "H100", 81559, 8))
		expectGPUs(ctx, task, 1)
		Expect(task.Status.Placement.GPU.MemoryPerGPU).To(BeEquivalentTo(60 << 10))
		Expect(task.Status.Entry.Generation).To(BeEquivalentTo(1))
		expectSamePlacement(ctx, task)
	})
})

var _ = Describe("The operator's configuration", func() {
	var namespace string

	BeforeEach(func(ctx context.Context) {
		namespace = newNamespace(ctx)
		DeferCleanup(func(ctx context.Context) { Expect(k8s.DeleteAllOf(ctx, &corev1.Node{})).To(Succeed()) })
		expectNodes(ctx, testutil.NewGPUNode("h100", "H100", 81559, 1))
	})

	It("has profiles for nodes that are still to come", func(ctx context.Context) {
		config := placement.DefaultConfig()
		pool := map[string]string{"cloud.google.com/gke-accelerator": "nvidia-b200"}
		config.Profiles = []placement.Profile{{Name: "b200", Memory: 183359, Count: 8, NodeSelector: pool}}
		startOperator(testutil.OperatorOptions{Placement: config})
		task := gpuTask(namespace, "caption", "320Gi")
		expectCreated(ctx, task)
		expectPlaceable(ctx, task, "Unknown/NoInventory", "no node of the profile b200 can host the task yet")
		selectsPool := func() bool {
			terms := task.Status.Placement.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms
			for _, r := range terms[len(terms)-1].MatchExpressions {
				if r.Operator == corev1.NodeSelectorOpIn && pool[r.Key] == r.Values[0] {
					return true
				}
			}
			return false
		}
		Expect(selectsPool()).To(BeTrue(), "the labels of the profile are the last of the required terms")

		b200 := testutil.NewNode("b200")
		b200.Labels["cloud.google.com/gke-accelerator"] = "nvidia-b200"
		b200.Status.Allocatable["nvidia.com/gpu"] = resource.MustParse("8")
		expectNodes(ctx, b200)
		expectPlaceable(ctx, task, "True/Feasible", "it takes 2 nvidia.com/gpu with 163840Mi each")
		Expect(selectsPool()).To(BeTrue())
	})

	It("can leave the nodes unread", func(ctx context.Context) {
		startOperator(testutil.OperatorOptions{IgnoreNodes: true})
		task := gpuTask(namespace, "caption", "20Gi")
		expectCreated(ctx, task)
		expectPlaceable(ctx, task, "Unknown/NoInventory", "no nodes are known")
	})
})

// gpuTask returns a task that needs so much GPU memory.
func gpuTask(namespace, name, gpuMemory string) *v1alpha1.MazeTask {
	task := newTask(namespace, name)
	task.Spec.Resources.Type, task.Spec.Resources.GPUMemory = v1alpha1.ResourceTypeGPU, ptr.To(resource.MustParse(gpuMemory))
	return task
}

func expectNodes(ctx context.Context, nodes ...*corev1.Node) {
	GinkgoHelper()
	for _, node := range nodes {
		Expect(testutil.CreateNode(ctx, k8s, node)).To(Succeed())
	}
}

// expectPlaceable waits until Placeable is as wanted, and reads the task anew.
func expectPlaceable(ctx context.Context, task *v1alpha1.MazeTask, want, text string) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(task), task)).To(Succeed())
		g.Expect(state(task, v1alpha1.ConditionPlaceable)).To(Equal(want))
		g.Expect(message(task, v1alpha1.ConditionPlaceable)).To(ContainSubstring(text))
	}).Should(Succeed())
}

// expectGPUs waits until a task's placement asks for so many GPUs, and reads the task anew.
func expectGPUs(ctx context.Context, task *v1alpha1.MazeTask, want int32) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(task), task)).To(Succeed())
		g.Expect(task.Status.Placement).NotTo(BeNil())
		g.Expect(task.Status.Placement.GPU.Count).To(Equal(want))
	}).Should(Succeed())
}

// expectSamePlacement checks that the registry has the placement of the status.
func expectSamePlacement(ctx context.Context, task *v1alpha1.MazeTask) {
	GinkgoHelper()
	entries, err := published(ctx, task.Namespace)
	Expect(err).NotTo(HaveOccurred())
	Expect(apiequality.Semantic.DeepEqual(*task.Status.Placement, entries[task.Spec.Name].Kubernetes.Placement)).To(BeTrue())
}
