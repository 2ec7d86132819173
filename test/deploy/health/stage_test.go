package health

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/test/testutil"
)

// stage is a namespace with the task that a spec is about, and the operator that looks at it.
type stage struct {
	namespace string
	task      *v1alpha1.MazeTask
	operator  *testutil.Operator
}

// newStage makes a namespace for a spec, and clears the cluster after it: operators of later specs see the whole of it.
func newStage(ctx context.Context) *stage {
	GinkgoHelper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "health-"}}
	Expect(k8s.Create(ctx, namespace)).To(Succeed())
	s := &stage{namespace: namespace.Name}
	s.task = &v1alpha1.MazeTask{
		ObjectMeta: s.named("image-caption"),
		Spec: v1alpha1.MazeTaskSpec{
			Name:            "image_caption",
			Description:     "Writes a caption for an image.",
			InputParameters: parameters,
			Resources:       v1alpha1.Resources{Type: v1alpha1.ResourceTypeGPU, GPUMemory: quantity("4Gi"), ModelName: "llava-v1.6"},
			EntryPoint:      "tools.image:image_caption",
		},
	}
	DeferCleanup(func(ctx context.Context) {
		s.stop()
		var tasks v1alpha1.MazeTaskList
		Expect(k8s.List(ctx, &tasks, client.InNamespace(s.namespace))).To(Succeed())
		for i := range tasks.Items {
			tasks.Items[i].Finalizers = nil
			Expect(k8s.Update(ctx, &tasks.Items[i])).To(Succeed())
		}
		Expect(k8s.DeleteAllOf(ctx, &v1alpha1.MazeTask{}, client.InNamespace(s.namespace))).To(Succeed())
		Expect(k8s.DeleteAllOf(ctx, &corev1.Node{})).To(Succeed())
	})
	return s
}

func (s *stage) named(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: s.namespace, Name: name}
}

// start starts the operator.
func (s *stage) start(options testutil.OperatorOptions) {
	GinkgoHelper()
	var err error
	s.operator, err = testutil.StartOperator(controlPlane.Config, options)
	Expect(err).NotTo(HaveOccurred())
}

// stop ends the operator, if it runs.
func (s *stage) stop() {
	GinkgoHelper()
	if s.operator != nil {
		Expect(s.operator.Stop()).To(Succeed())
		s.operator = nil
	}
}

func (s *stage) create(ctx context.Context) {
	GinkgoHelper()
	s.createObject(ctx, s.task)
}

func (*stage) createObject(ctx context.Context, object client.Object) {
	GinkgoHelper()
	Expect(k8s.Create(ctx, object)).To(Succeed())
}

func (*stage) addNode(ctx context.Context, node *corev1.Node) {
	GinkgoHelper()
	Expect(testutil.CreateNode(ctx, k8s, node)).To(Succeed())
}

// edit changes the task, whatever happens to it meanwhile.
func (s *stage) edit(ctx context.Context, change func(*v1alpha1.MazeTask)) {
	GinkgoHelper()
	Eventually(func() error {
		s.read(ctx)
		change(s.task)
		return k8s.Update(ctx, s.task)
	}).Should(Succeed())
}

// remove deletes the task.
func (s *stage) remove(ctx context.Context) {
	GinkgoHelper()
	Expect(k8s.Delete(ctx, s.task)).To(Succeed())
	s.read(ctx) // its generation is another one now
}

// read reads the task anew.
func (s *stage) read(ctx context.Context) {
	GinkgoHelper()
	Expect(k8s.Get(ctx, client.ObjectKeyFromObject(s.task), s.task)).To(Succeed())
}

// expect waits until a condition of the task's present generation is as wanted: "False/InvalidSpec".
func (s *stage) expect(ctx context.Context, conditionType, want string) {
	GinkgoHelper()
	Eventually(func() string {
		s.read(ctx)
		c := meta.FindStatusCondition(s.task.Status.Conditions, conditionType)
		if c == nil || c.ObservedGeneration != s.task.Generation {
			return "not judged yet"
		}
		return fmt.Sprintf("%s/%s", c.Status, c.Reason)
	}).Should(Equal(want))
}

// foreignConfigMap has the registry's name, and is someone else's.
func foreignConfigMap(namespace string) *corev1.ConfigMap {
	return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: registry.ConfigMapName}, Data: map[string]string{"mine": "1"}}
}
