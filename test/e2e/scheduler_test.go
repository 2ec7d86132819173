package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
	"github.com/onsi/gomega/gexec"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/test/testutil"
)

// described is the description's workflow, and a node that needs its output.
const described = `{"nodes": [
  {"id": "t1", "func": "speech_to_text", "args": {"audio_path": "a.wav"}},
  {"id": "t2", "func": "image_caption", "args": {"image": "t1.output.text"}}
]}`

// oneNode is a workflow of one node.
const oneNode = `{"nodes": [{"id": "t1", "func": "image_caption", "args": {"image": "/data/img.jpg"}}]}`

// What docs/scheduler.md says of examples/scheduler, on a control plane with an operator and a kube-scheduler. The test plays the kubelets.
var _ = Describe("The example scheduler", Ordered, func() {
	var binary string
	var s *stage

	BeforeAll(func(ctx context.Context) {
		binary = buildScheduler(ctx)
		operator, err := testutil.StartOperator(controlPlane.Config, testutil.OperatorOptions{})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(operator.Stop)
	})

	BeforeEach(func(ctx context.Context) { s = newStage(ctx, binary) })

	It("runs a workflow on nodes with enough GPU memory", func(ctx context.Context) {
		expectNodes(ctx, testutil.NewGPUNode("gpu-t4", "T4", 15360, 1), testutil.NewGPUNode("gpu-h100", "H100", 81559, 1))
		s.expectTasks(ctx, gpuTask("speech_to_text", "2048Mi"), gpuTask("image_caption", "24Gi"))
		run := s.start(described)

		first := s.expectBound("t1")
		Expect(gpuMemoryOf(ctx, first)).To(BeNumerically(">=", 2048))
		Expect(s.created("t2")).To(BeEmpty(), "t2 needs what t1 returns")
		expectEnded(ctx, first, corev1.PodSucceeded)

		second := s.expectBound("t2")
		Expect(gpuMemoryOf(ctx, second)).To(BeNumerically(">=", 24<<10))
		Expect(second.Spec.NodeName).To(Equal("gpu-h100"))
		expectEnded(ctx, second, corev1.PodSucceeded)

		Eventually(run).Should(gexec.Exit(0))
		Expect(run.Out.Contents()).To(MatchRegexp(`2 nodes: 2 succeeded\n$`))
		AddReportEntry("what the example scheduler prints", string(run.Out.Contents()))
	})

	It("runs the workflow and the samples of the docs, a node first and then the rest", func(ctx context.Context) {
		expectNodes(ctx, testutil.NewGPUNode("gpu-t4", "T4", 15360, 1), testutil.NewGPUNode("gpu-h100", "H100", 81559, 8))
		s.expectSamples(ctx, "speech-to-text.yaml", "image-caption.yaml", "answer-question.yaml")
		content, err := os.ReadFile(filepath.Join(testutil.Root(), "examples", "scheduler", "workflow.json"))
		Expect(err).NotTo(HaveOccurred())

		run := s.start(string(content), "t1")
		expectEnded(ctx, s.expectBound("t1"), corev1.PodSucceeded)
		Eventually(run).Should(gexec.Exit(0))
		Expect(run).To(gbytes.Say("1 node: 1 succeeded"))

		run = s.start(string(content))
		expectEnded(ctx, s.expectBound("t2"), corev1.PodSucceeded)
		third := s.expectBound("t3")
		Expect(third.Spec.Containers[0].Resources.Limits).To(HaveKeyWithValue(corev1.ResourceName("nvidia.com/gpu"), resource.MustParse("4")))
		Expect(gpuMemoryOf(ctx, third) * 4).To(BeNumerically(">=", 160<<10))
		expectEnded(ctx, third, corev1.PodSucceeded)
		Eventually(run).Should(gexec.Exit(0))
		Expect(s.created("t1", "t2", "t3")).To(HaveLen(3))
	})

	It("tells of a failure, and starts nothing behind it", func(ctx context.Context) {
		expectNodes(ctx, testutil.NewGPUNode("gpu-h100", "H100", 81559, 1))
		s.expectTasks(ctx, gpuTask("speech_to_text", "2048Mi"), gpuTask("image_caption", "24Gi"))
		run := s.start(described)
		expectEnded(ctx, s.expectBound("t1"), corev1.PodFailed)
		Eventually(run).Should(gexec.Exit(1))
		Expect(run).To(gbytes.Say("t2  cancelled: t1 has failed"))
		Expect(run).To(gbytes.Say("2 nodes: 1 failed, 1 cancelled"))
		Expect(s.created("t2")).To(BeEmpty())
	})

	It("uses a task as it was edited while the workflow ran", func(ctx context.Context) {
		expectNodes(ctx, testutil.NewGPUNode("gpu-t4", "T4", 15360, 1), testutil.NewGPUNode("gpu-h100", "H100", 81559, 1))
		caption := gpuTask("image_caption", "8Gi")
		s.expectTasks(ctx, gpuTask("speech_to_text", "2048Mi"), caption)
		s.start(described)
		first := s.expectBound("t1")

		expectEdited(ctx, caption, "40Gi")
		expectReady(ctx, caption)
		expectEnded(ctx, first, corev1.PodSucceeded)

		second := s.expectBound("t2")
		Expect(second.Annotations).To(HaveKeyWithValue("scheduler.mazeagent.net/generation", "2"))
		Expect(second.Spec.Affinity).To(Equal(affinityOf(caption)))
		Expect(gpuMemoryOf(ctx, second)).To(BeNumerically(">=", 40<<10))
	})

	It("makes the Pod of an edited task anew while it is on no node, and lets one that is on a node be", func(ctx context.Context) {
		const edits = 20
		expectNodes(ctx, testutil.NewGPUNode("gpu-t4", "T4", 15360, 1), testutil.NewGPUNode("gpu-h100", "H100", 81559, 1))
		expectOccupied(ctx, "gpu-h100")
		caption := gpuTask("image_caption", "24Gi")
		s.expectTasks(ctx, caption)
		run := s.start(oneNode)
		Eventually(run).Should(gbytes.Say("is on no node yet: 0/2 nodes are available"))
		Expect(s.created("t1")).To(HaveLen(1))

		var reactions []time.Duration
		for i := range edits {
			reactions = append(reactions, s.expectAnew(ctx, caption, fmt.Sprintf("%dGi", 25+i)))
		}
		slices.Sort(reactions)
		report(fmt.Sprintf("an edit to the new Pod, the median of %d", edits), reactions[edits/2])
		report(fmt.Sprintf("an edit to the new Pod, the longest of %d", edits), reactions[edits-1])

		s.expectAnew(ctx, caption, "10Gi")
		bound := s.expectBound("t1")
		Expect(bound.Spec.NodeName).To(Equal("gpu-t4"))

		expectEdited(ctx, caption, "12Gi")
		expectReady(ctx, caption)
		expectEnded(ctx, bound, corev1.PodSucceeded)
		Eventually(run).Should(gexec.Exit(0))
		Expect(s.created("t1")).To(HaveLen(1 + edits + 1))
	})

	It("has a task that no node can host wait, says why, and starts it when a node comes", func(ctx context.Context) {
		expectNodes(ctx, testutil.NewGPUNode("gpu-t4", "T4", 15360, 1))
		s.expectTasks(ctx, gpuTask("image_caption", "24Gi"))
		run := s.start(oneNode)
		Eventually(run).Should(gbytes.Say(`t1  waits: no node can host the task, even when empty: T4 \(1 node\): needs 24576Mi on one GPU, has 15360Mi`))
		Expect(s.created("t1")).To(BeEmpty())

		expectNodes(ctx, testutil.NewGPUNode("gpu-t4-2", "T4", 15360, 1)) // says nothing new
		joined := time.Now()
		expectNodes(ctx, testutil.NewGPUNode("gpu-h100", "H100", 81559, 1))
		Eventually(func() []creation { return s.created("t1") }).Should(HaveLen(1))
		report("a node to the Pod", s.created("t1")[0].at.Sub(joined))
		Expect(s.expectBound("t1").Spec.NodeName).To(Equal("gpu-h100"))
		Expect(strings.Count(string(run.Out.Contents()), "no node can host")).To(Equal(1))
	})

	It("starts nothing twice, stopped, started again, or run several times at once", func(ctx context.Context) {
		expectNodes(ctx, testutil.NewGPUNode("gpu-h100", "H100", 81559, 2))
		s.expectTasks(ctx, gpuTask("speech_to_text", "2048Mi"), gpuTask("image_caption", "24Gi"))
		one, other := s.start(described), s.start(described)
		first := s.expectBound("t1")
		Eventually(one).Should(gbytes.Say("t1  runs as Pod"))
		Eventually(other).Should(gbytes.Say("t1  runs as Pod"))
		one.Kill().Wait()
		other.Terminate().Wait()
		Expect(other).To(gexec.Exit(2))
		Expect(other.Err).To(gbytes.Say("stopped; the same command goes on from here"))

		expectEnded(ctx, first, corev1.PodSucceeded) // while nobody looks
		third := s.start(described)
		second := s.expectBound("t2")
		third.Kill().Wait()
		fourth, fifth := s.start(described), s.start(described)
		Eventually(fourth).Should(gbytes.Say("t2  runs as Pod"))
		expectEnded(ctx, second, corev1.PodSucceeded)
		Eventually(fourth).Should(gexec.Exit(0))
		Eventually(fifth).Should(gexec.Exit(0))
		Expect(s.created("t1", "t2")).To(HaveLen(2))
	})

	It("needs every right that role.yaml grants, but to list where the API server streams lists", func(ctx context.Context) {
		expectNodes(ctx, testutil.NewGPUNode("gpu-t4", "T4", 15360, 1), testutil.NewGPUNode("gpu-h100", "H100", 81559, 1))
		expectOccupied(ctx, "gpu-h100")
		caption := gpuTask("image_caption", "24Gi")
		s.expectTasks(ctx, caption)
		s.without(ctx, "pods/create", func(run *gexec.Session) {
			Eventually(run).Should(gbytes.Say(`create Pod \S+: .*cannot create resource "pods"`))
		})
		Expect(s.created("t1")).To(BeEmpty())
		for _, resource := range []string{"configmaps", "mazetasks", "pods"} { // these may list, and so come to create a Pod
			s.without(ctx, resource+"/watch", func(run *gexec.Session) {
				Eventually(run.Err).Should(gbytes.Say("cannot watch resource .*" + resource))
			})
		}
		s.without(ctx, "*/list", func(run *gexec.Session) {
			Eventually(run).Should(gbytes.Say("is on no node yet: 0/2"))
		})
		s.without(ctx, "pods/delete", func(run *gexec.Session) {
			Eventually(run).Should(gbytes.Say("is on no node yet: 0/2"))
			expectEdited(ctx, caption, "10Gi")
			Eventually(run).Should(gbytes.Say(`delete Pod \S+: .*cannot delete resource "pods"`))
		})
		s.start(oneNode)
		Expect(s.expectBound("t1").Spec.NodeName).To(Equal("gpu-t4"))
	})
})

// report puts a figure into the report. None is checked: a busy machine takes longer.
func report(what string, took time.Duration) {
	GinkgoHelper()
	AddReportEntry("from "+what, took.Round(time.Millisecond).String(), ReportEntryVisibilityAlways)
}

// gpuTask returns a task that needs so much GPU memory: speech_to_text has the object speech-to-text.
func gpuTask(name, gpuMemory string) *v1alpha1.MazeTask {
	task := &v1alpha1.MazeTask{Spec: v1alpha1.MazeTaskSpec{
		Name:       name,
		Resources:  v1alpha1.Resources{Type: v1alpha1.ResourceTypeGPU, GPUMemory: ptr.To(resource.MustParse(gpuMemory))},
		EntryPoint: "tools:" + name,
	}}
	task.Name = strings.ReplaceAll(name, "_", "-")
	return task
}

func affinityOf(task *v1alpha1.MazeTask) *corev1.Affinity {
	return &corev1.Affinity{NodeAffinity: task.Status.Placement.Affinity.NodeAffinity}
}
