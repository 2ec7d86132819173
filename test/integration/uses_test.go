package integration

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/test/testutil"
)

var _ = Describe("mazectl about workflows of the cluster", Ordered, ContinueOnFailure, func() {
	var (
		mazectl, kubeconfig, namespace string
		caption                        *v1alpha1.MazeTask
	)

	BeforeAll(func() {
		mazectl, kubeconfig = builtProgram("mazectl"), adminKubeconfig()
	})

	BeforeEach(func(ctx context.Context) {
		namespace = newNamespace(ctx)
		startOperator(testutil.OperatorOptions{})
		caption = newTask(namespace, "caption")
		expectCreated(ctx, caption)
		expectReady(ctx, caption)
		for _, name := range []string{"album", "book"} {
			w := newWorkflow(namespace, name, "caption")
			w.Spec.Nodes[0].Args = schemaOf(`{"image": "a.png"}`)
			Expect(k8s.Create(ctx, w)).To(Succeed())
		}
	})

	// call returns what a call prints, and what it says besides.
	call := func(ctx context.Context, config string, arguments ...string) (string, string, int) {
		GinkgoHelper()
		var out, errOut bytes.Buffer
		c := exec.CommandContext(ctx, mazectl, append(arguments, "--kubeconfig", config)...)
		c.Stdout, c.Stderr = &out, &errOut
		exit := &exec.ExitError{}
		if err := c.Run(); err != nil && !errors.As(err, &exit) {
			Fail(err.Error())
		}
		return out.String(), errOut.String(), c.ProcessState.ExitCode()
	}
	// taskFile has the task with another parameter.
	taskFile := func(parameter string) string {
		GinkgoHelper()
		path := filepath.Join(GinkgoT().TempDir(), "caption.yaml")
		Expect(os.WriteFile(path, []byte("apiVersion: registry.mazeagent.net/v1alpha1\nkind: MazeTask\nmetadata: {name: caption}\n"+
			"spec: {name: caption, description: \"Writes a caption.\\nSecond line.\", inputParameters: {"+parameter+": {type: filepath}}, "+
			"resources: {modelName: llava-v1.6}}\n"), 0o600)).To(Succeed())
		return path
	}

	It("tells which of them run a task", func(ctx context.Context) {
		text, said, code := call(ctx, kubeconfig, "uses", "caption", "-n", namespace)
		Expect(text).To(Equal("MazeWorkflow " + namespace + "/album: node \"t1\" passes image\nMazeWorkflow " + namespace + "/book: node \"t1\" passes image\n"))
		Expect(said).To(Equal("task caption is run by 2 nodes in 2 of 2 workflows\n"))
		Expect(code).To(Equal(0))

		elsewhere := newNamespace(ctx)
		text, said, code = call(ctx, kubeconfig, "uses", "caption", "-n", elsewhere)
		Expect(text).To(BeEmpty())
		Expect(said).To(ContainSubstring("note: namespace " + elsewhere + " has no registry, so no task is published there; "))
		Expect(code).To(Equal(0))
		_, said, code = call(ctx, kubeconfig, "uses", "caption", "-n", elsewhere+"-typo")
		Expect(said).To(ContainSubstring("error: the cluster has no namespace " + elsewhere + "-typo; "))
		Expect(code).To(Equal(2))
		_, said, code = call(ctx, kubeconfig, "uses", "captoin", "-n", namespace)
		Expect(said).To(ContainSubstring("note: the registry of namespace " + namespace + " has no task captoin: "))
		Expect(code).To(Equal(0))
		text, _, code = call(ctx, kubeconfig, "uses", "caption", "-n", elsewhere, "-A")
		Expect(text).To(ContainSubstring("MazeWorkflow " + namespace + "/book: node"))
		Expect(code).To(Equal(0))
	})

	It("tells which of them an edit breaks", func(ctx context.Context) {
		text, said, code := call(ctx, kubeconfig, "diff", "cluster:"+namespace, taskFile("picture"), "-o", "concise")
		Expect(text).To(ContainSubstring("; breaks 2 workflows: MazeWorkflow " + namespace + "/album, MazeWorkflow " + namespace + "/book"))
		Expect(text).To(ContainSubstring("MazeWorkflow " + namespace + "/album: MZ311"))
		Expect(said).To(ContainSubstring("breaks 2 of 2 workflows"))
		Expect(code).To(Equal(1))

		_, said, code = call(ctx, kubeconfig, "diff", "cluster:"+namespace, taskFile("image"))
		Expect(said).To(ContainSubstring("breaks 0 of 2 workflows"))
		Expect(code).To(Equal(0))

		_, said, code = call(ctx, kubeconfig, "diff", taskFile("image"), taskFile("picture"), "--workflows", "cluster:"+namespace)
		Expect(said).To(ContainSubstring("breaks 2 of 2 workflows"))
		Expect(code).To(Equal(1))
	})

	It("compares with a namespace that has no registry yet, and not with none", func(ctx context.Context) {
		elsewhere := newNamespace(ctx)
		_, said, code := call(ctx, kubeconfig, "diff", "cluster:"+elsewhere, taskFile("image"))
		Expect(said).To(ContainSubstring("note: namespace " + elsewhere + " has no registry yet: it counts as one without tasks\n" +
			"note: there is no MazeWorkflow in namespace " + elsewhere + "\n1 added"))
		Expect(code).To(Equal(0))
		_, said, code = call(ctx, kubeconfig, "diff", "cluster:"+elsewhere+"-typo", taskFile("image"))
		Expect(said).To(ContainSubstring("error: the cluster has no namespace " + elsewhere + "-typo; "))
		Expect(code).To(Equal(2))
	})

	It("checks them as kubectl prints them", func(ctx context.Context) {
		var list v1alpha1.MazeWorkflowList
		Expect(k8s.List(ctx, &list, client.InNamespace(namespace))).To(Succeed())
		list.SetGroupVersionKind(v1alpha1.SchemeGroupVersion.WithKind("MazeWorkflowList"))
		content, err := yaml.Marshal(&list)
		Expect(err).NotTo(HaveOccurred())
		printed := filepath.Join(GinkgoT().TempDir(), "printed.yaml")
		Expect(os.WriteFile(printed, content, 0o600)).To(Succeed())
		text, said, code := call(ctx, kubeconfig, "dag", "check", printed, "-n", namespace)
		Expect(text).To(BeEmpty())
		Expect(said).To(ContainSubstring("2 nodes, 0 edges in 2 workflows of 1 file, against 1 task of namespace " + namespace + ": nothing is wrong"))
		Expect(code).To(Equal(0))
		text, _, code = call(ctx, kubeconfig, "dag", "check", printed, "--tasks", taskFile("picture"), "-o", "concise")
		Expect(text).To(ContainSubstring("MZ207 [error] MazeWorkflow " + namespace + "/book: node \"t1\" at /spec/nodes/0/args/image"))
		Expect(code).To(Equal(1))
	})

	It("takes the file of a workflow for the cluster's", func(ctx context.Context) {
		folder := GinkgoT().TempDir()
		Expect(os.WriteFile(filepath.Join(folder, "album.yaml"), []byte("apiVersion: registry.mazeagent.net/v1alpha1\nkind: MazeWorkflow\n"+
			"metadata: {name: album}\nspec: {nodes: [{id: t1, func: caption, args: {picture: a.png}}]}\n"), 0o600)).To(Succeed())
		text, said, _ := call(ctx, kubeconfig, "diff", "cluster:"+namespace, taskFile("picture"), "--workflows", folder, "-o", "concise")
		Expect(text).To(ContainSubstring("; breaks 1 workflow: MazeWorkflow " + namespace + "/book\n"))
		Expect(said).To(ContainSubstring("breaks 1 of 2 workflows"))
	})

	It("says that it may not read them", func(ctx context.Context) {
		account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "reader"}}
		role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "reader"}, Rules: []rbacv1.PolicyRule{
			{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"list"}},
		}}
		binding := &rbacv1.RoleBinding{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "reader"},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "reader"},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: "reader"}},
		}
		Expect(k8s.Create(ctx, account)).To(Succeed())
		Expect(k8s.Create(ctx, role)).To(Succeed())
		Expect(k8s.Create(ctx, binding)).To(Succeed())
		reader := filepath.Join(GinkgoT().TempDir(), "kubeconfig")
		Expect(testutil.WriteKubeconfig(ctx, controlPlane.Config, namespace, "reader", reader)).To(Succeed())

		Eventually(func() string { // the API server follows roles with a delay
			_, said, _ := call(ctx, reader, "diff", "cluster:"+namespace, taskFile("picture"))
			return said
		}).Should(ContainSubstring("note: the cluster's workflows are not counted: "))
		_, said, code := call(ctx, reader, "uses", "caption", "-n", namespace)
		Expect(said).To(ContainSubstring("whoever reads them needs the right to list mazeworkflows in namespace " + namespace))
		Expect(code).To(Equal(2))
	})
})
