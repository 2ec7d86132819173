package health

import (
	"os"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/test/testutil"
)

// argo is the folder of the customization for Argo CD of a kind. Its test data are the fixtures of all tools.
func argo(kind string) string {
	return filepath.Join(testutil.Root(), "config", "argocd", v1alpha1.SchemeGroupVersion.Group, kind)
}

func fixtureFile(kind, state string) string {
	return filepath.Join(argo(kind), "testdata", state+".yaml")
}

// readFixture reads a fixture as a tool would get it from an API server: whole numbers are int64.
func readFixture(file string) (*unstructured.Unstructured, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	asJSON, err := yaml.YAMLToJSON(content)
	if err != nil {
		return nil, err
	}
	object := &unstructured.Unstructured{}
	return object, object.UnmarshalJSON(asJSON)
}

// normalized returns what the operator and the API server write about a task, without what differs from one run to the next.
func normalized(task *v1alpha1.MazeTask) *unstructured.Unstructured {
	GinkgoHelper()
	always := metav1.Date(2026, 7, 1, 8, 0, 0, 0, metav1.Now().UTC().Location())
	task = task.DeepCopy()
	task.TypeMeta = metav1.TypeMeta{APIVersion: v1alpha1.SchemeGroupVersion.String(), Kind: "MazeTask"}
	before := task.ObjectMeta
	task.ObjectMeta = metav1.ObjectMeta{
		Name: before.Name, Namespace: "vision", Generation: before.Generation, CreationTimestamp: always, Finalizers: before.Finalizers,
	}
	if before.DeletionTimestamp != nil {
		task.DeletionTimestamp = &always
	}
	for i := range task.Status.Conditions {
		task.Status.Conditions[i].LastTransitionTime = always
	}
	if task.Status.Entry != nil { // it is over the UID, too
		task.Status.Entry.Digest = "sha256:" + strings.Repeat("0", 64)
	}
	return untyped(task)
}

func untyped(object any) *unstructured.Unstructured {
	GinkgoHelper()
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	Expect(err).NotTo(HaveOccurred())
	return &unstructured.Unstructured{Object: content}
}

func writeFixture(file string, object *unstructured.Unstructured) {
	GinkgoHelper()
	content, err := yaml.Marshal(object.Object)
	Expect(err).NotTo(HaveOccurred())
	Expect(os.WriteFile(file, content, 0o644)).To(Succeed()) //nolint:gosec // what is committed may be read by all
}
