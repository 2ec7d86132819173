package integration

import (
	"bytes"
	"context"
	"errors"
	"os/exec"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

var _ = Describe("mazectl place", func() {
	It("judges a cluster's tasks by its nodes, as kubectl prints them", func(ctx context.Context) {
		mazectl, kubeconfig := builtProgram("mazectl"), adminKubeconfig()
		expectNode(ctx, "t4", 15360)
		expectNode(ctx, "a100", 81920)

		namespace := newNamespace(ctx)
		task := newTask(namespace, "caption")
		task.Spec.Resources = v1alpha1.Resources{Type: v1alpha1.ResourceTypeGPU, GPUMemory: new(resource.MustParse("40Gi"))}
		expectCreated(ctx, task)
		task.SetGroupVersionKind(v1alpha1.SchemeGroupVersion.WithKind("MazeTask"))
		manifest, err := yaml.Marshal(task)
		Expect(err).NotTo(HaveOccurred())

		place := func(arguments ...string) (string, int) {
			var out bytes.Buffer
			command := exec.CommandContext(ctx, mazectl, append([]string{"place", "-", "--kubeconfig", kubeconfig}, arguments...)...)
			command.Stdin, command.Stdout, command.Stderr = bytes.NewReader(manifest), &out, GinkgoWriter
			exit := &exec.ExitError{}
			if err := command.Run(); err != nil && !errors.As(err, &exit) {
				Fail(err.Error())
			}
			return out.String(), command.ProcessState.ExitCode()
		}
		text, code := place()
		Expect(text).To(Equal(namespace + `/caption
  verdict  True Feasible  1 nvidia.com/gpu with 40960Mi, cpu 1, memory 1Gi
  a100     1 node         fits
  t4       1 node         needs 40960Mi on one GPU, has 15360Mi, and one GPU on a node: short 25600Mi
`))
		Expect(code).To(Equal(0))
		text, code = place("--drain=nvidia.com/gpu.product=a100")
		Expect(text).To(HavePrefix("stranded: " + namespace + "/caption\n"))
		Expect(code).To(Equal(1))
	})
})

// expectNode creates a node with one GPU of so many MiB, for the rest of a spec.
func expectNode(ctx context.Context, product string, memory int64) {
	GinkgoHelper()
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: product, Labels: map[string]string{
		"nvidia.com/gpu.product": product, "nvidia.com/gpu.memory": resource.NewQuantity(memory, resource.DecimalSI).String(),
	}}}
	Expect(k8s.Create(ctx, node)).To(Succeed())
	DeferCleanup(func(ctx context.Context) { Expect(k8s.Delete(ctx, node)).To(Succeed()) })
	node.Spec.Taints = nil // no node controller removes the one of nodes that have just come
	Expect(k8s.Update(ctx, node)).To(Succeed())
	node.Status.Capacity = corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse("8"), corev1.ResourceMemory: resource.MustParse("32Gi"),
		corev1.ResourcePods: resource.MustParse("110"), "nvidia.com/gpu": resource.MustParse("1"),
	}
	Expect(k8s.Status().Update(ctx, node)).To(Succeed())
}
