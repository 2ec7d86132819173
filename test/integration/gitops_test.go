package integration

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/test/testutil"
)

var _ = Describe("The GitOps example", func() {
	folder := filepath.Join(testutil.Root(), "examples", "gitops")

	It("runs beside git-sync with no more rights than it needs", func(ctx context.Context) {
		namespace := newNamespace(ctx)
		var deployment appsv1.Deployment
		for _, object := range objectsOf(filepath.Join(folder, "git-sync.yaml"), namespace) {
			Expect(k8s.Create(ctx, object)).To(Succeed())
			if object.GetKind() == "Deployment" {
				Expect(k8s.Get(ctx, client.ObjectKeyFromObject(object), &deployment)).To(Succeed())
			}
		}

		By("its Pod is admitted where Pods are restricted")
		restricted := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
			GenerateName: "restricted-", Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
		}}
		Expect(k8s.Create(ctx, restricted)).To(Succeed())
		account := &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: restricted.Name, Name: deployment.Spec.Template.Spec.ServiceAccountName}}
		Expect(k8s.Create(ctx, account)).To(Succeed())
		pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Namespace: restricted.Name, Name: "pod"}, Spec: deployment.Spec.Template.Spec}
		Expect(k8s.Create(ctx, pod, client.DryRunAll)).To(Succeed())

		By("its service account may do what it has to, and has no verb too many")
		binary, kubeconfig := builtProgram("mazectl"), adminKubeconfig()
		sources := GinkgoT().TempDir()
		Expect(os.CopyFS(filepath.Join(sources, "tools"), os.DirFS(filepath.Join(folder, "tools")))).To(Succeed())
		apply := func() error {
			command := exec.CommandContext(ctx, binary, "discover", filepath.Join(sources, "tools"), "--kubeconfig", kubeconfig, "-n", namespace,
				"--as=system:serviceaccount:"+namespace+":"+account.Name, "--source-name=vision-tools", "--apply", "--prune")
			command.Stdout, command.Stderr = GinkgoWriter, GinkgoWriter
			return command.Run()
		}
		Expect(os.Rename(filepath.Join(sources, "tools", "pdf.py"), filepath.Join(sources, "pdf.py"))).To(Succeed())
		Eventually(apply).Should(Succeed()) // the API server learns of roles by and by
		Expect(os.Rename(filepath.Join(sources, "pdf.py"), filepath.Join(sources, "tools", "pdf.py"))).To(Succeed())
		Expect(os.Truncate(filepath.Join(sources, "tools", "image.py"), 0)).To(Succeed()) // with the file, the tasks would be another repository's
		role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: account.Name}}
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(role), role)).To(Succeed())
		verbs := role.Rules[0].Verbs
		for i, verb := range verbs {
			role.Rules[0].Verbs = slices.Delete(slices.Clone(verbs), i, i+1)
			Expect(k8s.Update(ctx, role)).To(Succeed())
			Eventually(may).WithArguments(ctx, namespace, account.Name, verb).Should(BeFalse())
			Expect(apply()).NotTo(Succeed(), "without %s", verb)
		}
		role.Rules[0].Verbs = verbs
		Expect(k8s.Update(ctx, role)).To(Succeed())
		Eventually(apply).Should(Succeed())
		var tasks v1alpha1.MazeTaskList
		Expect(k8s.List(ctx, &tasks, client.InNamespace(namespace))).To(Succeed())
		Expect(tasks.Items).To(HaveExactElements(HaveField("Spec.Name", "split_pdf")))
	})
})

// may reports whether an account may do something with MazeTasks.
func may(ctx context.Context, namespace, account, verb string) bool {
	GinkgoHelper()
	review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
		User:               "system:serviceaccount:" + namespace + ":" + account,
		ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: namespace, Group: v1alpha1.GroupName, Resource: "mazetasks", Verb: verb},
	}}
	Expect(k8s.Create(ctx, review)).To(Succeed())
	return review.Status.Allowed
}

// objectsOf reads the objects of a file into another namespace.
func objectsOf(file, namespace string) []*unstructured.Unstructured {
	GinkgoHelper()
	content, err := os.ReadFile(file)
	Expect(err).NotTo(HaveOccurred())
	var objects []*unstructured.Unstructured
	for _, document := range bytes.Split(content, []byte("\n---\n")) {
		object := &unstructured.Unstructured{}
		Expect(yaml.UnmarshalStrict(document, &object.Object)).To(Succeed())
		object.SetNamespace(namespace)
		if subjects, ok := object.Object["subjects"].([]any); ok {
			subjects[0].(map[string]any)["namespace"] = namespace
		}
		objects = append(objects, object)
	}
	return objects
}
