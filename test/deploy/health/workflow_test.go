package health

import (
	"context"
	"fmt"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/test/testutil"
)

// workflowStates are the states of a MazeWorkflow. Each has a fixture of its name among Argo CD's test data.
var workflowStates = map[string]struct {
	want verdict
	// reached says how a workflow comes into the state, with the task of the stage.
	reached func(ctx context.Context, s *stage, w *v1alpha1.MazeWorkflow)
}{
	"progressing_created": {inProgress, func(ctx context.Context, s *stage, w *v1alpha1.MazeWorkflow) {
		s.createObject(ctx, w)
	}},
	"progressing_unknownTask": {inProgress, func(ctx context.Context, s *stage, w *v1alpha1.MazeWorkflow) {
		s.start(testutil.OperatorOptions{})
		s.createObject(ctx, w)
		expectValid(ctx, w, "False/UnknownTask")
	}},
	"progressing_interfaceMismatch": {inProgress, func(ctx context.Context, s *stage, w *v1alpha1.MazeWorkflow) {
		s.start(testutil.OperatorOptions{})
		s.create(ctx)
		s.createObject(ctx, w)
		expectValid(ctx, w, "True/Valid")
		s.edit(ctx, func(t *v1alpha1.MazeTask) {
			t.Spec.InputParameters = &apiextensionsv1.JSON{Raw: []byte(`{"picture": {"type": "filepath"}}`)}
		})
		expectValid(ctx, w, "False/InterfaceMismatch")
	}},
	"progressing_deleted": {inProgress, func(ctx context.Context, s *stage, w *v1alpha1.MazeWorkflow) {
		s.start(testutil.OperatorOptions{})
		s.create(ctx)
		w.Finalizers = []string{finalizer}
		s.createObject(ctx, w)
		expectValid(ctx, w, "True/Valid")
		Expect(k8s.Delete(ctx, w)).To(Succeed())
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(w), w)).To(Succeed())
		expectCondition(ctx, w, v1alpha1.ConditionReady, "False/Terminating")
	}},
	"healthy_valid": {current, func(ctx context.Context, s *stage, w *v1alpha1.MazeWorkflow) {
		s.start(testutil.OperatorOptions{})
		s.create(ctx)
		s.createObject(ctx, w)
		expectValid(ctx, w, "True/Valid")
	}},
	"healthy_noFeasibleNode": {current, func(ctx context.Context, s *stage, w *v1alpha1.MazeWorkflow) {
		s.addNode(ctx, testutil.NewGPUNode("t4", "Tesla-T4", 15360, 1))
		s.start(testutil.OperatorOptions{})
		s.task.Spec.Resources.GPUMemory = quantity("20Gi")
		s.create(ctx)
		s.createObject(ctx, w)
		expectCondition(ctx, w, v1alpha1.ConditionPlaceable, "False/NoFeasibleNode")
	}},
	"degraded_invalidGraph": {failed, func(ctx context.Context, s *stage, w *v1alpha1.MazeWorkflow) {
		s.start(testutil.OperatorOptions{})
		s.create(ctx)
		w.Spec.Edges = []v1alpha1.WorkflowEdge{{Source: "t1", Target: "t2"}}
		s.createObject(ctx, w)
		expectValid(ctx, w, "False/InvalidGraph")
	}},
	"degraded_registryConflict": {failed, func(ctx context.Context, s *stage, w *v1alpha1.MazeWorkflow) {
		s.createObject(ctx, foreignConfigMap(s.namespace))
		s.start(testutil.OperatorOptions{})
		s.create(ctx)
		s.createObject(ctx, w)
		expectValid(ctx, w, "Unknown/RegistryConflict")
	}},
}

func expectValid(ctx context.Context, w *v1alpha1.MazeWorkflow, want string) {
	GinkgoHelper()
	expectCondition(ctx, w, v1alpha1.ConditionValid, want)
}

// expectCondition waits until a condition of the workflow's present generation is as wanted.
func expectCondition(ctx context.Context, w *v1alpha1.MazeWorkflow, conditionType, want string) {
	GinkgoHelper()
	Eventually(func(g Gomega) string {
		g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(w), w)).To(Succeed())
		c := meta.FindStatusCondition(w.Status.Conditions, conditionType)
		if c == nil || c.ObservedGeneration != w.Generation {
			return "not judged yet"
		}
		return fmt.Sprintf("%s/%s", c.Status, c.Reason)
	}).Should(Equal(want))
}

// newWorkflow returns a workflow of the stage's task, and has it deleted after the spec.
func (s *stage) newWorkflow() *v1alpha1.MazeWorkflow {
	w := &v1alpha1.MazeWorkflow{
		ObjectMeta: s.named("album"),
		Spec: v1alpha1.MazeWorkflowSpec{Nodes: []v1alpha1.WorkflowNode{
			{ID: "t1", Func: "image_caption", Args: &apiextensionsv1.JSON{Raw: []byte(`{"image":"a.png"}`)}},
		}},
	}
	DeferCleanup(func(ctx context.Context) {
		found := &v1alpha1.MazeWorkflow{}
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(w), found)).To(Succeed())
		found.Finalizers = nil
		Expect(k8s.Update(ctx, found)).To(Succeed())
		Expect(client.IgnoreNotFound(k8s.Delete(ctx, found))).To(Succeed())
	})
	return w
}

// normalizedWorkflow returns what the operator and the API server write about a workflow, without what differs from one run to the next.
func normalizedWorkflow(w *v1alpha1.MazeWorkflow) *unstructured.Unstructured {
	GinkgoHelper()
	always := metav1.Date(2026, 7, 1, 8, 0, 0, 0, metav1.Now().UTC().Location())
	w = w.DeepCopy()
	before := w.ObjectMeta
	w.TypeMeta = metav1.TypeMeta{APIVersion: v1alpha1.SchemeGroupVersion.String(), Kind: "MazeWorkflow"}
	w.ObjectMeta = metav1.ObjectMeta{
		Name: before.Name, Namespace: "vision", Generation: before.Generation, CreationTimestamp: always, Finalizers: before.Finalizers,
	}
	if before.DeletionTimestamp != nil {
		w.DeletionTimestamp = &always
	}
	for i := range w.Status.Conditions {
		w.Status.Conditions[i].LastTransitionTime = always
	}
	return untyped(w)
}

var _ = Describe("A MazeWorkflow's health", func() {
	for name, state := range workflowStates {
		Context(name, func() {
			It("has a fixture that is what the operator writes", func(ctx context.Context) {
				s := newStage(ctx)
				w := s.newWorkflow()
				state.reached(ctx, s, w)
				got := normalizedWorkflow(w)
				expectFixture(fixtureFile("MazeWorkflow", name), got)
			})

			It("is judged alike by every tool", func(ctx context.Context) {
				fixture, err := readFixture(fixtureFile("MazeWorkflow", name))
				Expect(err).NotTo(HaveOccurred())
				stored := storeWorkflow(ctx, newStage(ctx), fixture)
				expectJudged(ctx, stored, state.want)
			})
		})
	}
})

// storeWorkflow has the API server store a fixture, and returns it as it is there.
func storeWorkflow(ctx context.Context, s *stage, fixture *unstructured.Unstructured) *unstructured.Unstructured {
	GinkgoHelper()
	var want v1alpha1.MazeWorkflow
	Expect(runtime.DefaultUnstructuredConverter.FromUnstructured(fixture.Object, &want)).To(Succeed())
	w := s.newWorkflow()
	w.Spec, w.Finalizers = want.Spec, want.Finalizers
	s.createObject(ctx, w)
	if want.DeletionTimestamp != nil {
		Expect(k8s.Delete(ctx, w)).To(Succeed())
		Expect(k8s.Get(ctx, client.ObjectKeyFromObject(w), w)).To(Succeed())
	}
	w.Status = want.Status
	Expect(k8s.Status().Update(ctx, w)).To(Succeed())
	Expect(w.Generation).To(Equal(want.Generation))
	stored := &unstructured.Unstructured{}
	stored.SetGroupVersionKind(fixture.GroupVersionKind())
	Expect(k8s.Get(ctx, client.ObjectKeyFromObject(w), stored)).To(Succeed())
	return stored
}
