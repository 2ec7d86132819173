package e2e

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gbytes"
	"github.com/onsi/gomega/gexec"
	authorizationv1 "k8s.io/api/authorization/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/test/testutil"
)

const (
	// person is the account of somebody who has the Role for users of examples/scheduler/role.yaml.
	person = "maze-scheduler-user"
	// schedulerImage is what --detach takes by default.
	schedulerImage = "maze-scheduler:dev"
	// chain is a workflow of two nodes, of which the second takes what the first returns.
	chain = `{"nodes": [{"id": "a", "func": "first", "args": {"audio_path": "$(HOME)/a.wav"}}, {"id": "b", "func": "second", "args": {"audio_path": "a.output.text"}}]}`
)

// What docs/scheduler.md says of runs that the cluster schedules by itself, on a control plane with an operator, a kube-controller-manager, a
// kube-scheduler and a kubelet that runs processes. The Job's Pod has the rights of role.yaml, and the person who detaches those for users.
var _ = Describe("A detached run", Ordered, func() {
	var binary string
	var s *stage
	var k *kubelet

	BeforeAll(func(ctx context.Context) {
		binary = buildScheduler(ctx)
		operator, err := testutil.StartOperator(controlPlane.Config, testutil.OperatorOptions{})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(operator.Stop)
		manager, err := testutil.StartControllerManager(controlPlane)
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(manager.Stop)
	})

	BeforeEach(func(ctx context.Context) {
		s = newStage(ctx, binary)
		k = startKubelet(ctx, s, map[string]string{"tools.py": functions})
		k.programs = map[string]string{schedulerImage: binary}
		expectNodes(ctx, testutil.NewGPUNode("gpu-h100", "H100", 81559, 4))
		s.expectPerson(ctx)
		text := `{"text": {"type": "string"}}`
		s.expectTasks(ctx, function("first", "stt", `{"audio_path": {"type": "string"}}`, text, nil), function("second", "stt", `{"audio_path": {"type": "string"}}`, text, nil),
			function("fails", "fails", `{}`, `{}`, nil), function("slow", "slow", `{}`, `{}`, nil), function("waits", "waits", `{"folder": {"type": "string"}}`, text, nil))
	})

	It("goes on without whoever began it, and is watched to its end, more than once", func(ctx context.Context) {
		s.flags = []string{"--run", "night"}
		expectDetached(s, "night", chain)
		for range 2 {
			watch := s.watch("night")
			Eventually(watch).Should(gexec.Exit(0))
			Expect(watch).To(gbytes.Say(`a  succeeded: \{"text":"heard \$\(HOME\)/a\.wav"\}`))
			Expect(watch).To(gbytes.Say(`b  succeeded: \{"text":"heard heard \$\(HOME\)/a\.wav"\}`))
			Expect(watch).To(gbytes.Say(`2 nodes: 2 succeeded\n$`))
		}
		Eventually(func() string { return k.log("") }).Should(ContainSubstring("2 nodes: 2 succeeded\n"), "so says the scheduler in the cluster")
		Eventually(func() []batchv1.JobCondition { return s.job(ctx, "night").Status.Conditions }).Should(ContainElement(HaveField("Type", batchv1.JobComplete)))

		again := s.detach(chain)
		Eventually(again).Should(gexec.Exit(2))
		Expect(again.Err).To(gbytes.Say("run night has Job night-[0-9a-f]+ already: --watch night follows it"))
	})

	It("ends as its nodes do, and is not tried again then", func(ctx context.Context) {
		run := expectDetached(s, "", `{"nodes": [{"id": "f", "func": "fails"}, {"id": "g", "func": "fails"}]}`, "f")
		watch := s.watch(run)
		Eventually(watch).Should(gexec.Exit(1))
		Expect(watch).To(gbytes.Say(`f  failed: Raised builtins.ValueError: no such luck \(exit code 1\)`))
		Expect(watch).To(gbytes.Say(`1 node: 1 failed\n$`))
		Eventually(func() []batchv1.JobCondition { return s.job(ctx, run).Status.Conditions }).Should(ContainElement(HaveField("Reason", "PodFailurePolicy")))
	})

	It("stops with its Job, lets the node that runs end, and goes on from there", func(ctx context.Context) {
		folder := GinkgoT().TempDir()
		workflow := `{"nodes": [{"id": "a", "func": "waits", "args": {"folder": "` + folder + `"}}, {"id": "b", "func": "second", "args": {"audio_path": "a.output.text"}}]}`
		run := expectDetached(s, "", workflow)
		watch := s.watch(run)
		Eventually(watch).Should(gbytes.Say("a  runs as Pod"))
		Expect(s.asPerson().Delete(ctx, s.job(ctx, run), client.PropagationPolicy(metav1.DeletePropagationBackground))).To(Succeed())
		Eventually(watch).Should(gexec.Exit(2))
		Expect(watch.Err).To(gbytes.Say("nothing schedules this run any more: its Job was deleted; the same command with --detach goes on from here"))
		Eventually(func() string { return k.log("") }).Should(ContainSubstring("stopped; the same command goes on from here"))
		Expect(os.WriteFile(filepath.Join(folder, "file.new"), []byte("go on"), 0o600)).To(Succeed())
		Expect(os.Rename(filepath.Join(folder, "file.new"), filepath.Join(folder, "file"))).To(Succeed())
		Eventually(func() corev1.PodPhase { return s.expectBound("a").Status.Phase }).Should(Equal(corev1.PodSucceeded))
		Expect(s.created("b")).To(BeEmpty())

		Expect(expectDetached(s, "", workflow)).To(Equal(run))
		watch = s.watch(run)
		Eventually(watch).Should(gexec.Exit(0))
		Expect(watch).To(gbytes.Say(`b  succeeded: \{"text":"heard go on"\}`))
		Expect(s.created("a", "b")).To(HaveLen(2))
	})

	It("tells why its scheduler waits", func(ctx context.Context) {
		s.flags = []string{"--scheduler-image", "no-such:v1"}
		watch := s.watch(expectDetached(s, "", chain))
		Eventually(watch).Should(gbytes.Say(`the run's scheduler waits: Pod \S+ is on gpu-h100: ErrImagePull: not found`))
		watch.Terminate()
		Eventually(watch).Should(gexec.Exit(2))
		Expect(watch.Err).To(gbytes.Say("no longer watched; the run goes on"))
		Eventually(s.watch("no-such-run")).Should(gexec.Exit(2))
	})

	It("needs every right that role.yaml has for users, but to list where the API server streams lists", func(ctx context.Context) {
		s.flags = []string{"--run", "rights"}
		s.lacking(ctx, person, "jobs/create", func() {
			run := s.detach(chain)
			Eventually(run).Should(gexec.Exit(2))
			Expect(run.Err).To(gbytes.Say(`create Job \S+: .*cannot create resource "jobs"`))
		})
		expectDetached(s, "rights", chain)
		for _, resource := range []string{"jobs", "configmaps", "pods", "mazetasks"} {
			s.lacking(ctx, person, resource+"/watch", func() {
				watch := s.watch("rights")
				Eventually(watch.Err).Should(gbytes.Say("cannot watch resource .*" + resource))
				watch.Kill().Wait()
			})
		}
		s.lacking(ctx, person, "*/list", func() { Eventually(s.watch("rights")).Should(gexec.Exit(0)) })
		s.lacking(ctx, person, "jobs/delete", func() {
			Expect(s.asPerson().Delete(ctx, s.job(ctx, "rights"))).To(MatchError(ContainSubstring(`cannot delete resource "jobs"`)))
		})
	})
})

// expectPerson has the person's account be there, with the Role for users, and the stage's commands be the person's.
func (s *stage) expectPerson(ctx context.Context) {
	GinkgoHelper()
	meta := metav1.ObjectMeta{Namespace: s.namespace, Name: person}
	Expect(k8s.Create(ctx, &corev1.ServiceAccount{ObjectMeta: meta})).To(Succeed())
	Expect(k8s.Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: meta, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: person},
		Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: s.namespace, Name: person}},
	})).To(Succeed())
	s.personal = s.kubeconfig + "-of-a-person"
	Expect(testutil.WriteKubeconfig(ctx, controlPlane.Config, s.namespace, person, s.personal)).To(Succeed())
	cfg, err := testutil.AccountConfig(ctx, controlPlane.Config, s.namespace, person)
	Expect(err).NotTo(HaveOccurred())
	review := authorizationv1.ResourceAttributes{Namespace: s.namespace, Group: "batch", Resource: "jobs", Verb: "create"}
	Expect(testutil.WaitUntilAllowed(ctx, cfg, &review, true)).To(Succeed())
}

// detach has the person detach a run.
func (s *stage) detach(workflow string, nodes ...string) *gexec.Session {
	GinkgoHelper()
	return s.launch(workflow, slices.Concat([]string{"--detach", "--image", "maze-executor"}, s.flags, []string{"-"}, nodes)...)
}

// expectDetached detaches a run, checks that its name is all that is printed, and returns that. Without a name, it may be any.
func expectDetached(s *stage, name, workflow string, nodes ...string) string {
	GinkgoHelper()
	run := s.detach(workflow, nodes...)
	Eventually(run).Should(gexec.Exit(0))
	printed := string(run.Out.Contents())
	Expect(printed).To(MatchRegexp(`^` + cmp.Or(name, `\S+`) + `\n$`))
	return strings.TrimSpace(printed)
}

// watch follows a detached run as the person.
func (s *stage) watch(run string) *gexec.Session {
	GinkgoHelper()
	return s.launch("", "--watch", run)
}

// asPerson returns a client that is the person.
func (s *stage) asPerson() client.Client {
	GinkgoHelper()
	config, err := clientcmd.BuildConfigFromFlags("", s.personal)
	Expect(err).NotTo(HaveOccurred())
	c, err := client.New(config, client.Options{})
	Expect(err).NotTo(HaveOccurred())
	return c
}

// job returns the Job of a detached run.
func (s *stage) job(ctx context.Context, run string) *batchv1.Job {
	GinkgoHelper()
	var jobs batchv1.JobList
	Expect(k8s.List(ctx, &jobs, client.InNamespace(s.namespace), client.MatchingLabels{"scheduler.mazeagent.net/run": run})).To(Succeed())
	Expect(jobs.Items).To(HaveLen(1))
	return &jobs.Items[0]
}
