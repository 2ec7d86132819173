package integration

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/test/testutil"
)

// beRefused matches what the deletion guard says of the task caption, which the workflow album runs.
func beRefused() OmegaMatcher {
	return And(WithTransform(apierrors.IsForbidden, BeTrue()), MatchError(ContainSubstring(
		"MazeWorkflow album runs task caption: have it run another task, or delete it, before the task goes; ")))
}

// patchMetadata changes an object's metadata, whatever happens to it meanwhile, and reads it anew.
func patchMetadata(ctx context.Context, object client.Object, metadata string) {
	GinkgoHelper()
	Expect(k8s.Patch(ctx, object, client.RawPatch(types.MergePatchType, []byte(`{"metadata": `+metadata+`}`)))).To(Succeed())
}

var _ = Describe("The deletion guard", func() {
	var (
		namespace string
		caption   *v1alpha1.MazeTask
	)

	// A task that a workflow runs, and that the guard keeps.
	BeforeEach(func(ctx context.Context) {
		namespace = newNamespace(ctx)
		startOperator(testutil.OperatorOptions{})
		caption = newTask(namespace, "caption")
		expectCreated(ctx, caption)
		expectReady(ctx, caption)
		Expect(k8s.Create(ctx, newWorkflow(namespace, "album", "caption"))).To(Succeed())
		guard, err := testutil.DeletionGuard()
		Expect(err).NotTo(HaveOccurred())
		for _, object := range guard {
			Expect(k8s.Create(ctx, object)).To(Succeed())
			DeferCleanup(func(ctx context.Context) { Expect(k8s.Delete(ctx, object)).To(Succeed()) })
		}
		Eventually(func() error { // the API server follows policies, and their parameters, with a delay
			return k8s.Delete(ctx, caption, client.DryRunAll)
		}).Should(beRefused())
	})

	It("keeps a task until no workflow of its namespace runs it", func(ctx context.Context) {
		Expect(k8s.Delete(ctx, caption)).To(beRefused())
		Expect(k8s.DeleteAllOf(ctx, &v1alpha1.MazeTask{}, client.InNamespace(namespace))).To(beRefused())
		Expect(k8s.Get(ctx, keyOf(caption), caption)).To(Succeed())
		Expect(caption.DeletionTimestamp).To(BeNil())

		Expect(k8s.Delete(ctx, &v1alpha1.MazeWorkflow{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "album"}})).To(Succeed())
		Eventually(func() error { return k8s.Delete(ctx, caption) }).Should(Succeed())
	})

	It("is told in the plan of mazectl discover, and keeps the rest of it from being made", func(ctx context.Context) {
		tools := filepath.Join(GinkgoT().TempDir(), "tools")
		Expect(os.MkdirAll(tools, 0o755)).To(Succeed())
		source := "from maze import task\n\n@task(name=%q)\ndef run(x: str):\n    return {\"y\": x}\n"
		discover := func(name string) (string, int) {
			GinkgoHelper()
			expectWritten(tools, "tools.py", fmt.Sprintf(source, name))
			command := exec.CommandContext(ctx, builtProgram("mazectl"), "discover", tools, "--kubeconfig", adminKubeconfig(), "-n", namespace,
				"--source-name", "tools", "--apply", "--prune", "--force-conflicts")
			plan, err := command.Output()
			exit := &exec.ExitError{}
			Expect(err == nil || errors.As(err, &exit)).To(BeTrue(), "%v", err)
			return string(plan), command.ProcessState.ExitCode()
		}
		_, code := discover("caption")
		Expect(code).To(Equal(0))
		plan, code := discover("title")
		Expect(plan).To(MatchRegexp(`(?s)create  title .*prune   caption .*refused: .*MazeWorkflow album runs task caption`))
		Expect(code).To(Equal(1))
		Expect(apierrors.IsNotFound(k8s.Get(ctx, types.NamespacedName{Namespace: namespace, Name: "title"}, &v1alpha1.MazeTask{}))).To(BeTrue())
	})

	It("lets go what no workflow of the namespace runs", func(ctx context.Context) {
		elsewhere := newNamespace(ctx)
		other, same := newTask(namespace, "other"), newTask(elsewhere, "caption")
		expectCreated(ctx, other, same)
		expectReady(ctx, other, same)
		Expect(k8s.Delete(ctx, other)).To(Succeed())
		Expect(k8s.Delete(ctx, same)).To(Succeed(), "the workflow is in another namespace")
	})

	It("lets go a task whose name another one has", func(ctx context.Context) {
		newer := newTask(namespace, "caption-newer")
		newer.Spec.Name = "caption"
		expectCreated(ctx, newer)
		expectReady(ctx, newer)
		expectConditions(ctx, caption, map[string]string{v1alpha1.ConditionAccepted: "False/NameConflict"})
		Expect(k8s.Delete(ctx, newer)).To(beRefused())
		Expect(k8s.Delete(ctx, caption)).To(Succeed())
	})

	It("lets go a task whose label allows it", func(ctx context.Context) {
		caption.Labels = map[string]string{"registry.mazeagent.net/allow-deletion": "yes"}
		Expect(k8s.Update(ctx, caption)).To(Succeed())
		Expect(k8s.Delete(ctx, caption)).To(beRefused(), "only the word true counts")
		caption.Labels["registry.mazeagent.net/allow-deletion"] = "true"
		Expect(k8s.Update(ctx, caption)).To(Succeed())
		Expect(k8s.Delete(ctx, caption)).To(Succeed())
	})

	It("lets go what only a workflow runs that is being deleted, and waits for a finalizer", func(ctx context.Context) {
		album := &v1alpha1.MazeWorkflow{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "album"}}
		patchMetadata(ctx, album, `{"finalizers": ["example.com/hold"]}`)
		Expect(k8s.Delete(ctx, album)).To(Succeed())
		Eventually(func() error { return k8s.Delete(ctx, caption) }).Should(Succeed())
		patchMetadata(ctx, album, `{"finalizers": null}`)
	})

	It("lets go a task that is being deleted already, and waits for a finalizer", func(ctx context.Context) {
		stopOperator() // which would take the entry out of its status
		patchMetadata(ctx, caption, `{"finalizers": ["example.com/hold"], "labels": {"registry.mazeagent.net/allow-deletion": "true"}}`)
		Expect(k8s.Delete(ctx, caption)).To(Succeed())
		patchMetadata(ctx, caption, `{"labels": null}`)
		Expect(caption.Status.Entry).NotTo(BeNil())
		Expect(k8s.Delete(ctx, caption)).To(Succeed())
		patchMetadata(ctx, caption, `{"finalizers": null}`)
	})

	It("lets go all tasks of a namespace that is being deleted", func(ctx context.Context) {
		Expect(k8s.Delete(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}})).To(Succeed())
		Eventually(func() error { return k8s.DeleteAllOf(ctx, &v1alpha1.MazeTask{}, client.InNamespace(namespace)) }).Should(Succeed())
		Eventually(func(g Gomega) {
			tasks := &v1alpha1.MazeTaskList{}
			g.Expect(k8s.List(ctx, tasks, client.InNamespace(namespace))).To(Succeed())
			g.Expect(tasks.Items).To(BeEmpty())
		}).Should(Succeed())
	})
})

var _ = Describe("The deletion guard where the API server does not serve MazeWorkflows", func() {
	It("lets go every task, and all of a namespace at once", func(ctx context.Context) {
		namespace := newNamespace(ctx)
		startOperator(testutil.OperatorOptions{})
		one, two, marker := newTask(namespace, "one"), newTask(namespace, "two"), newTask(namespace, "marker")
		expectCreated(ctx, one, two, marker)
		expectReady(ctx, one, two)
		guard, err := testutil.DeletionGuard()
		Expect(err).NotTo(HaveOccurred())
		Expect(unstructured.SetNestedField(guard[0].Object, "MazeNothing", "spec", "paramKind", "kind")).To(Succeed())
		markerPolicy, err := testutil.MarkerPolicy()
		Expect(err).NotTo(HaveOccurred())
		for _, object := range append(guard, markerPolicy...) {
			Expect(k8s.Create(ctx, object)).To(Succeed())
			DeferCleanup(func(ctx context.Context) { Expect(k8s.Delete(ctx, object)).To(Succeed()) })
		}
		Eventually(func() error { return k8s.Delete(ctx, marker, client.DryRunAll) }).Should(MatchError(ContainSubstring(testutil.MarkerRefusal)))
		Expect(k8s.Delete(ctx, one)).To(Succeed())
		Expect(k8s.DeleteAllOf(ctx, &v1alpha1.MazeTask{}, client.InNamespace(namespace), client.MatchingFields{"metadata.name": "two"})).To(Succeed())
	})
})
