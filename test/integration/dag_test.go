package integration

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/test/testutil"
)

var _ = Describe("mazectl dag", Ordered, ContinueOnFailure, func() {
	var mazectl, kubeconfig, namespace string

	BeforeAll(func() {
		mazectl, kubeconfig = builtProgram("mazectl"), adminKubeconfig()
	})

	BeforeEach(func(ctx context.Context) {
		namespace = newNamespace(ctx)
	})

	// dag returns what a call prints, and what it says besides.
	dag := func(ctx context.Context, workflow string, arguments ...string) (string, string, int) {
		GinkgoHelper()
		var out, errOut bytes.Buffer
		c := exec.CommandContext(ctx, mazectl, append([]string{"dag"}, arguments...)...)
		c.Stdin, c.Stdout, c.Stderr = strings.NewReader(workflow), &out, &errOut
		exit := &exec.ExitError{}
		if err := c.Run(); err != nil && !errors.As(err, &exit) {
			Fail(err.Error())
		}
		return out.String(), errOut.String(), c.ProcessState.ExitCode()
	}
	check := func(ctx context.Context, workflow string, arguments ...string) (string, string, int) {
		GinkgoHelper()
		return dag(ctx, workflow, append([]string{"check", "-", "--output-format=concise", "--kubeconfig", kubeconfig, "-n", namespace}, arguments...)...)
	}
	const good = `{"nodes": [{"id": "a", "func": "hear", "args": {"audio": "/a.wav"}}, {"id": "b", "func": "sum_up", "args": {"text": "a.output.text"}}]}`
	// expectTasks creates the tasks of the workflow, and others.
	expectTasks := func(ctx context.Context, others int) (hear, sumUp *v1alpha1.MazeTask) {
		GinkgoHelper()
		hear, sumUp = newTask(namespace, "hear"), gpuTask(namespace, "sum-up", "40Gi")
		hear.Spec.Name, sumUp.Spec.Name = "hear", "sum_up"
		hear.Spec.InputParameters, hear.Spec.OutputParameters = schemaOf(`{"audio": {"type": "filepath"}}`), schemaOf(`{"text": {"type": "string"}}`)
		sumUp.Spec.InputParameters, sumUp.Spec.OutputParameters = schemaOf(`{"text": {"type": "string"}}`), schemaOf(`{"summary": {"type": "string"}}`)
		expectCreated(ctx, hear, sumUp)
		for i := range others {
			other := newTask(namespace, fmt.Sprintf("other-%d", i))
			other.Spec.Description = strings.Repeat("words ", 200)
			expectCreated(ctx, other)
		}
		expectReady(ctx, hear, sumUp)
		return hear, sumUp
	}

	It("checks workflows against a registry in shards, and follows it", func(ctx context.Context) {
		startOperator(testutil.OperatorOptions{ShardSize: registry.MinShardSize})
		hear, _ := expectTasks(ctx, 38)
		Eventually(func(g Gomega) {
			entries, err := published(ctx, namespace)
			g.Expect(err).NotTo(HaveOccurred())
			g.Expect(entries).To(HaveLen(40))
		}).Should(Succeed())
		_, shards, err := configMaps(ctx, namespace)
		Expect(err).NotTo(HaveOccurred())
		Expect(len(shards)).To(BeNumerically(">", 2))

		text, said, code := check(ctx, good)
		Expect(text).To(BeEmpty())
		Expect(said).To(Equal("2 nodes, 1 edge (1 compatible) in 1 file, against 40 tasks of namespace " + namespace + ": nothing is wrong\n"))
		Expect(code).To(Equal(0))

		expectEdited(ctx, hear, func(task *v1alpha1.MazeTask) { task.Spec.OutputParameters = schemaOf(`{"text": {"type": "integer"}}`) })
		expectReady(ctx, hear)
		text, said, code = check(ctx, good)
		Expect(text).To(ContainSubstring("MZ212"))
		Expect(said).To(ContainSubstring("1 incompatible"))
		Expect(code).To(Equal(1))

		text, _, code = dag(ctx, good, "draw", "-", "-o=mermaid", "--kubeconfig", kubeconfig, "-n", namespace)
		Expect(text).To(ContainSubstring("✖ MZ212"))
		Expect(code).To(Equal(0))
	})

	It("says what a cluster cannot place now, by the operator or by its nodes", func(ctx context.Context) {
		t4 := testutil.NewGPUNode("dag-t4", "Tesla-T4", 15360, 1)
		expectNodes(ctx, t4)
		DeferCleanup(func(ctx context.Context) { Expect(client.IgnoreNotFound(k8s.Delete(ctx, t4))).To(Succeed()) })
		startOperator(testutil.OperatorOptions{})
		_, sumUp := expectTasks(ctx, 0)
		expectPlaceable(ctx, sumUp, "False/NoFeasibleNode", "40960Mi")
		_, _, code := check(ctx, good)
		Expect(code).To(Equal(0))
		text, _, code := check(ctx, good, "--placeable")
		Expect(text).To(ContainSubstring("MZ215"))
		Expect(text).To(ContainSubstring(message(sumUp, v1alpha1.ConditionPlaceable)))
		Expect(code).To(Equal(1))
		computed, _, _ := check(ctx, good, "--placeable", "--nodes=cluster")
		Expect(computed).To(Equal(text))

		a100 := testutil.NewGPUNode("dag-a100", "A100", 81920, 1)
		expectNodes(ctx, a100)
		DeferCleanup(func(ctx context.Context) { Expect(client.IgnoreNotFound(k8s.Delete(ctx, a100))).To(Succeed()) })
		expectPlaceable(ctx, sumUp, "True/Feasible", "")
		text, _, code = check(ctx, good, "--placeable")
		Expect(text).To(BeEmpty())
		Expect(code).To(Equal(0))
	})

	It("needs no right but to list the namespace's ConfigMaps", func(ctx context.Context) {
		startOperator(testutil.OperatorOptions{})
		expectTasks(ctx, 0)
		named := metav1.ObjectMeta{Namespace: namespace, Name: "workflows"}
		expectAll := []client.Object{
			&corev1.ServiceAccount{ObjectMeta: named},
			&rbacv1.Role{ObjectMeta: named, Rules: []rbacv1.PolicyRule{{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"list"}}}},
			&rbacv1.RoleBinding{
				ObjectMeta: named, RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: named.Name},
				Subjects: []rbacv1.Subject{{Kind: "ServiceAccount", Namespace: namespace, Name: named.Name}},
			},
		}
		for _, object := range expectAll {
			Expect(k8s.Create(ctx, object)).To(Succeed())
		}
		path := filepath.Join(GinkgoT().TempDir(), "kubeconfig")
		Expect(testutil.WriteKubeconfig(ctx, controlPlane.Config, namespace, named.Name, path)).To(Succeed())
		account, err := testutil.AccountConfig(ctx, controlPlane.Config, namespace, named.Name)
		Expect(err).NotTo(HaveOccurred())
		what := authorizationv1.ResourceAttributes{Namespace: namespace, Resource: "configmaps", Verb: "list"}
		Expect(testutil.WaitUntilAllowed(ctx, account, &what, true)).To(Succeed())

		_, said, code := dag(ctx, good, "check", "-", "--kubeconfig", path)
		Expect(code).To(Equal(0), said)
		_, said, code = dag(ctx, good, "check", "-", "--kubeconfig", path, "--placeable")
		Expect(said).To(ContainSubstring(`cannot list resource "mazetasks"`))
		Expect(code).To(Equal(2))
		other := newNamespace(ctx)
		_, said, code = dag(ctx, good, "check", "-", "--kubeconfig", path, "-n", other)
		Expect(said).To(ContainSubstring("needs the right to list configmaps in namespace " + other))
		Expect(code).To(Equal(2))
		_, said, code = dag(ctx, good, "check", "-", "--kubeconfig", kubeconfig, "-n", other)
		Expect(said).To(ContainSubstring("namespace " + other + " has no registry"))
		Expect(said).To(ContainSubstring(namespace))
		Expect(code).To(Equal(2))
	})
})
