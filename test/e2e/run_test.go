package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
	"github.com/onsi/gomega/gexec"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/test/testutil"
)

// runner is an account with the rights that docs/run.md says "mazectl run" needs.
const runner = "runner"

// What docs/run.md says of mazectl run, on a control plane with an operator, a kube-controller-manager, a kube-scheduler and a kubelet that runs
// processes.
var _ = Describe("mazectl run", Ordered, func() {
	var scheduler, mazectl string
	var s *stage
	var k *kubelet

	BeforeAll(func(ctx context.Context) {
		scheduler = buildScheduler(ctx)
		mazectl = filepath.Join(GinkgoT().TempDir(), "mazectl")
		build := exec.CommandContext(ctx, "go", "build", "-o", mazectl, "./cmd/mazectl")
		build.Dir = testutil.Root()
		Expect(build.CombinedOutput()).To(BeEmpty())
		operator, err := testutil.StartOperator(controlPlane.Config, testutil.OperatorOptions{})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(operator.Stop)
		manager, err := testutil.StartControllerManager(controlPlane)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(manager.Stop)
	})

	BeforeEach(func(ctx context.Context) {
		s = newStage(ctx, scheduler)
		k = startKubelet(ctx, s, map[string]string{"tools.py": functions})
		expectNodes(ctx, testutil.NewGPUNode("gpu-h100", "H100", 81559, 4))
		k.serveLogs(ctx, "gpu-h100")
		s.expectRunner(ctx)
	})

	// start starts mazectl run with the task's registry being there.
	start := func(ctx context.Context, task *v1alpha1.MazeTask, args ...string) *gexec.Session {
		GinkgoHelper()
		s.expectTasks(ctx, task)
		expectReady(ctx, task)
		command := exec.Command(mazectl, append([]string{"run", "--kubeconfig", s.kubeconfig, "-n", s.namespace, task.Spec.Name}, args...)...)
		session, err := gexec.Start(command, GinkgoWriter, GinkgoWriter)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(func() { session.Kill().Wait() })
		return session
	}

	It("runs a task as a Job, with its log beside its outputs", func(ctx context.Context) {
		run := start(ctx, function("talks", "talks", `{"text": {"type": "string"}}`, `{"said": {"type": "string"}}`, &v1alpha1.Run{Image: "tools:v1"}), "--arg", "text=5")
		Eventually(run).Should(gexec.Exit(0))
		Expect(string(run.Out.Contents())).To(Equal(`{"said":"5"}` + "\n"))
		Expect(run.Err).To(gbytes.Say(`note: Job talks-\w+ in namespace `))
		Expect(run.Err).To(gbytes.Say("says 5\n"))
	})

	It("runs it again as it says, and ends with its exit code", func(ctx context.Context) {
		folder := GinkgoT().TempDir()
		flaky := function("flaky", "flaky", `{"folder": {"type": "string"}}`, `{"tries": {"type": "integer"}}`, &v1alpha1.Run{Image: "tools:v1", Retries: ptr.To[int32](2)})
		run := start(ctx, flaky, "--arg", "folder="+folder)
		Eventually(run, "90s").Should(gexec.Exit(0)) // the Job controller waits 10 s, then 20 s
		Expect(string(run.Out.Contents())).To(Equal(`{"tries":3}` + "\n"))
		Expect(run.Err).To(gbytes.Say(`Retry: not yet \(exit code 75\)`))
		Expect(run.Err).To(gbytes.Say(`Raised: reset \(exit code 1\)`))

		run = start(ctx, function("absent", "no_such", `{}`, `{}`, &v1alpha1.Run{Retries: ptr.To[int32](5)}), "--image", "tools:v1")
		Eventually(run).Should(gexec.Exit(69))
		Expect(run.Err).To(gbytes.Say(`ImportFailed: .*no_such`))
		Expect(run.Out.Contents()).To(BeEmpty())
	})

	It("tells why the Pod waits, and deletes the Job when it is stopped", func(ctx context.Context) {
		expectOccupied(ctx, "gpu-h100")
		wide := function("wide", "slow", `{}`, `{}`, &v1alpha1.Run{Image: "tools:v1"})
		wide.Spec.Resources = v1alpha1.Resources{Type: v1alpha1.ResourceTypeGPU, Backend: "vllm", GPUMemory: ptr.To(resource.MustParse("300Gi"))}
		run := start(ctx, wide)
		Eventually(run.Err).Should(gbytes.Say(`note: Pod wide-\S+ is on no node yet: 0/1 nodes are available`))
		run.Interrupt()
		Eventually(run).Should(gexec.Exit(2))
		Expect(run.Err).To(gbytes.Say(`error: stopped; Job wide-\w+ was deleted`))
		Eventually(func(g Gomega) {
			var pods corev1.PodList
			g.Expect(k8s.List(ctx, &pods, client.InNamespace(s.namespace))).To(Succeed())
			g.Expect(pods.Items).To(BeEmpty())
		}).Should(Succeed())
	})

	It("prints a Job that the API server takes, and creates nothing", func(ctx context.Context) {
		run := start(ctx, function("talks", "talks", `{}`, `{}`, &v1alpha1.Run{Image: "tools:v1"}), "--dry-run", "--volume", "files", "--arg", "text=$(HOME)")
		Eventually(run).Should(gexec.Exit(0))
		apply := exec.CommandContext(ctx, filepath.Join(os.Getenv("KUBEBUILDER_ASSETS"), "kubectl"), "--kubeconfig", s.kubeconfig, "create", "-f", "-", "--dry-run=server", "-o", "name")
		apply.Stdin = gbytes.BufferWithBytes(run.Out.Contents())
		out, err := apply.CombinedOutput()
		Expect(err).NotTo(HaveOccurred(), "%s", out)
		Expect(string(out)).To(MatchRegexp(`^job.batch/talks-\w+\n$`))
		var jobs batchv1.JobList
		Expect(k8s.List(ctx, &jobs, client.InNamespace(s.namespace))).To(Succeed())
		Expect(jobs.Items).To(BeEmpty())
	})
})

// expectRunner has the stage's kubeconfig be that of an account with the rights for mazectl run.
func (s *stage) expectRunner(ctx context.Context) {
	GinkgoHelper()
	meta := metav1.ObjectMeta{Namespace: s.namespace, Name: runner}
	for _, object := range []client.Object{
		&corev1.ServiceAccount{ObjectMeta: meta},
		&rbacv1.Role{ObjectMeta: meta, Rules: []rbacv1.PolicyRule{
			{APIGroups: []string{""}, Resources: []string{"configmaps", "pods"}, Verbs: []string{"list"}},
			{APIGroups: []string{""}, Resources: []string{"pods/log"}, Verbs: []string{"get"}},
			{APIGroups: []string{"batch"}, Resources: []string{"jobs"}, Verbs: []string{"create", "get", "delete"}},
		}},
		&rbacv1.RoleBinding{
			ObjectMeta: meta, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: runner},
			Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: s.namespace, Name: runner}},
		},
	} {
		Expect(k8s.Create(ctx, object)).To(Succeed())
	}
	Expect(testutil.WriteKubeconfig(ctx, controlPlane.Config, s.namespace, runner, s.kubeconfig)).To(Succeed())
}
