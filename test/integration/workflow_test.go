package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/dag"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/test/testutil"
)

// The conditions of a workflow, as expectWorkflow wants them: Valid, Placeable, Ready and Stalled.
const (
	fine       = "Valid=True/Valid Placeable=Unknown/NoInventory Ready=True/Ready Stalled=False/NotStalled"
	mismatched = "Valid=False/InterfaceMismatch Placeable=Unknown/NoInventory Ready=False/InterfaceMismatch Stalled=False/NotStalled"
	unknown    = "Valid=False/UnknownTask Placeable=Unknown/NotJudged Ready=False/UnknownTask Stalled=False/NotStalled"
)

// expectWorkflow waits until the conditions of a workflow's present generation are as wanted, and reads it anew.
func expectWorkflow(ctx context.Context, w *v1alpha1.MazeWorkflow, want string) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		g.Expect(k8s.Get(ctx, keyOf(w), w)).To(Succeed())
		got := ""
		for _, conditionType := range []string{v1alpha1.ConditionValid, v1alpha1.ConditionPlaceable, v1alpha1.ConditionReady, v1alpha1.ConditionStalled} {
			if c := meta.FindStatusCondition(w.Status.Conditions, conditionType); c != nil && c.ObservedGeneration == w.Generation {
				got += fmt.Sprintf(" %s=%s/%s", conditionType, c.Status, c.Reason)
			}
		}
		g.Expect(got).To(Equal(" " + want))
		g.Expect(w.Status.ObservedGeneration).To(Equal(w.Generation))
	}).Should(Succeed())
}

// validMessage is what Valid says of a workflow.
func validMessage(w *v1alpha1.MazeWorkflow) string {
	return meta.FindStatusCondition(w.Status.Conditions, v1alpha1.ConditionValid).Message
}

// interfaces are the digests of the entries that a registry serves, as status.tasks has them.
func interfaces(ctx context.Context, namespace string, names ...string) []v1alpha1.WorkflowTask {
	GinkgoHelper()
	entries, err := published(ctx, namespace)
	Expect(err).NotTo(HaveOccurred())
	var all []v1alpha1.WorkflowTask
	for _, name := range names {
		all = append(all, v1alpha1.WorkflowTask{Name: name, Interface: entries[name].Digest.Interface})
	}
	return all
}

// expectWorkflowEdited changes a workflow, whatever happens to it meanwhile.
func expectWorkflowEdited(ctx context.Context, w *v1alpha1.MazeWorkflow, edit func(*v1alpha1.MazeWorkflowSpec)) {
	GinkgoHelper()
	Eventually(func() error {
		if err := k8s.Get(ctx, keyOf(w), w); err != nil {
			return err
		}
		edit(&w.Spec)
		return k8s.Update(ctx, w)
	}).Should(Succeed())
}

// breakInterface has a task require another argument.
func breakInterface(task *v1alpha1.MazeTask) {
	task.Spec.InputParameters = schemaOf(`{"type": "object", "properties": {"image": {"type": "filepath"}, "language": {"type": "string"}}, ` +
		`"required": ["image", "language"]}`)
}

// mendInterface undoes that.
func mendInterface(task *v1alpha1.MazeTask) {
	task.Spec.InputParameters = schemaOf(`{"image": {"type": "filepath"}}`)
}

var _ = Describe("A workflow", func() {
	var (
		namespace string
		caption   *v1alpha1.MazeTask
		w         *v1alpha1.MazeWorkflow
	)

	BeforeEach(func(ctx context.Context) {
		namespace = newNamespace(ctx)
		startOperator(testutil.OperatorOptions{})
		caption, w = newTask(namespace, "caption"), newWorkflow(namespace, "album", "caption")
		w.Spec.Nodes[0].Args = schemaOf(`{"image": "a.png"}`)
	})

	// expectFine creates the task and the workflow, which is valid.
	expectFine := func(ctx context.Context) {
		GinkgoHelper()
		expectCreated(ctx, caption)
		Expect(k8s.Create(ctx, w)).To(Succeed())
		expectReady(ctx, caption)
		expectWorkflow(ctx, w, fine)
		Expect(w.Status.Tasks).To(Equal(interfaces(ctx, namespace, "caption")))
	}

	It("is judged by what the registry serves, with an event, and written once", func(ctx context.Context) {
		expectCreated(ctx, caption)
		expectReady(ctx, caption)
		Expect(k8s.Create(ctx, w)).To(Succeed())
		expectWorkflow(ctx, w, fine)
		Expect(w.Status.Nodes).To(BeEquivalentTo(1))
		expectEvent(ctx, w, corev1.EventTypeNormal, "Valid", "the tasks that the registry serves take what the nodes pass")
		expectIdle(namespace)
		Expect(operator.Writes(testutil.WorkflowWrite)).To(Equal(1))
	})

	It("is judged in a namespace without a task, and again when the task comes and goes", func(ctx context.Context) {
		Expect(k8s.Create(ctx, w)).To(Succeed())
		expectWorkflow(ctx, w, unknown)
		const unserved = `1 error: MZ206 node "t1" at /spec/nodes/0/func: the registry serves no task "caption": create it, or correct the name; ` +
			`if a MazeTask has that, its condition Ready says what to do`
		Expect(validMessage(w)).To(Equal(unserved))
		Expect(w.Status.Tasks).To(BeEmpty())
		expectEvent(ctx, w, corev1.EventTypeNormal, "Waiting", unserved)
		expectCreated(ctx, caption)
		expectWorkflow(ctx, w, fine)
		was := w.Status.Tasks
		Expect(k8s.Delete(ctx, caption)).To(Succeed())
		expectWorkflow(ctx, w, unknown)
		Expect(w.Status.Tasks).To(Equal(was), "what it was last valid against")
		Expect(validMessage(w)).To(Equal(unserved + "; served when the workflow was last valid: caption as " + was[0].Interface[:len("sha256:")+12] + "…"))
		expectEvent(ctx, w, corev1.EventTypeWarning, "Invalid", validMessage(w))
		Expect(operator.Writes(testutil.WorkflowWrite)).To(Equal(3))
	})

	DescribeTable("has the verdict of dag check, which knows how the API server stores numbers", func(ctx context.Context, number, want string) {
		caption.Spec.InputParameters = schemaOf(`{"any": {}}`)
		expectCreated(ctx, caption)
		expectReady(ctx, caption)
		w.APIVersion, w.Kind = v1alpha1.SchemeGroupVersion.String(), "MazeWorkflow"
		w.Spec.Nodes[0].Args = schemaOf(`{"any": [{"x": ` + number + `}]}`)
		manifest, err := json.Marshal(w)
		Expect(err).NotTo(HaveOccurred())
		Expect(string(manifest)).To(ContainSubstring(number))
		entries, err := published(ctx, namespace)
		Expect(err).NotTo(HaveOccurred())
		_, found := dag.Check("w.json", manifest, dag.NewTasks(map[string]dag.Task{"caption": {Input: entries["caption"].Schema.Input}}), dag.Options{})

		Expect(k8s.Create(ctx, w)).To(Succeed())
		expectWorkflow(ctx, w, want)
		Expect(w.Status.Errors).To(BeEquivalentTo(len(found)))
	},
		Entry(nil, "1e16", mismatched),
		Entry(nil, "1e20", mismatched),
		Entry(nil, "9223372036854775808", mismatched),
		Entry(nil, "1180591620717411303424", fine),
		Entry(nil, "1e-400", fine),
		Entry(nil, "-0.0", fine),
	)

	It("is broken by an edit of a task, and mended by another one", func(ctx context.Context) {
		expectFine(ctx)
		was := w.Status.Tasks
		expectEdited(ctx, caption, breakInterface)
		expectWorkflow(ctx, w, mismatched)
		Expect(validMessage(w)).To(Equal(`1 error: MZ208 node "t1" at /spec/nodes/0/args: task "caption" needs the argument "language" (string); ` +
			`give it a value, or wire it to an output; changed since the workflow was last valid: caption`))
		Expect(w.Status.Errors).To(BeEquivalentTo(1))
		Expect(w.Status.Tasks).To(Equal(was), "what it was last valid against")
		expectEdited(ctx, caption, mendInterface)
		expectWorkflow(ctx, w, fine)
		Expect(w.Status.Errors).To(BeZero())
		Expect(w.Status.Tasks).To(Equal(was))
		Expect(operator.Writes(testutil.WorkflowWrite)).To(BeNumerically("<=", 4))
	})

	It("tells by an event that it is not valid for another reason", func(ctx context.Context) {
		expectFine(ctx)
		expectEdited(ctx, caption, breakInterface)
		expectWorkflow(ctx, w, mismatched)
		expectEvent(ctx, w, corev1.EventTypeWarning, "Invalid", validMessage(w))
		Expect(k8s.Delete(ctx, caption)).To(Succeed())
		expectWorkflow(ctx, w, unknown)
		expectEvent(ctx, w, corev1.EventTypeWarning, "Invalid", validMessage(w))
	})

	It("is mended by an edit of its own, which also notes the new interface", func(ctx context.Context) {
		expectFine(ctx)
		expectEdited(ctx, caption, breakInterface)
		expectWorkflow(ctx, w, mismatched)
		expectWorkflowEdited(ctx, w, func(s *v1alpha1.MazeWorkflowSpec) { s.Nodes[0].Args = schemaOf(`{"image": "a.png", "language": "en"}`) })
		expectWorkflow(ctx, w, fine)
		Expect(w.Status.Tasks).To(Equal(interfaces(ctx, namespace, "caption")))
	})

	It("follows the node to the task of another name", func(ctx context.Context) {
		expectFine(ctx)
		other := newTask(namespace, "other")
		expectCreated(ctx, other)
		expectReady(ctx, other)
		expectWorkflowEdited(ctx, w, func(s *v1alpha1.MazeWorkflowSpec) { s.Nodes[0].Func = "other" })
		expectWorkflow(ctx, w, fine)
		before := w.ResourceVersion
		expectEdited(ctx, caption, breakInterface)
		expectReady(ctx, caption)
		expectEdited(ctx, other, breakInterface)
		expectWorkflow(ctx, w, mismatched)
		Expect(w.ResourceVersion).NotTo(Equal(before))
	})

	It("stays valid while a bad edit of a task is not served", func(ctx context.Context) {
		expectFine(ctx)
		before := w.ResourceVersion
		expectEdited(ctx, caption, func(task *v1alpha1.MazeTask) { task.Spec.InputParameters = unsupported })
		expectConditions(ctx, caption, map[string]string{v1alpha1.ConditionRegistered: "False/ServingLastAccepted"})
		expectIdle(namespace)
		expectWorkflow(ctx, w, fine)
		Expect(w.ResourceVersion).To(Equal(before), "nothing was written")
	})

	It("follows the task that has the name: in a conflict the newer one, and then the one that is promoted", func(ctx context.Context) {
		expectFine(ctx)
		newer := newTask(namespace, "newer")
		newer.Spec.Name = "caption"
		breakInterface(newer)
		Eventually(func(g Gomega) { // the newer one of two that were created in one second is that with the greater name
			g.Expect(time.Since(caption.CreationTimestamp.Time)).To(BeNumerically(">", time.Second))
		}).Should(Succeed())
		expectCreated(ctx, newer)
		expectWorkflow(ctx, w, mismatched)
		Expect(k8s.Delete(ctx, newer)).To(Succeed())
		expectWorkflow(ctx, w, fine)
	})

	const conflict = "Valid=Unknown/RegistryConflict Placeable=Unknown/NotJudged Ready=False/RegistryConflict Stalled=True/RegistryConflict"

	// occupied puts a ConfigMap of someone else into the registry's place, and returns it. No task is there yet that could say so.
	occupied := func(ctx context.Context) *corev1.ConfigMap {
		foreign := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: registry.ConfigMapName}}
		Expect(k8s.Create(ctx, foreign)).To(Succeed())
		Expect(k8s.Create(ctx, w)).To(Succeed())
		expectWorkflow(ctx, w, conflict)
		return foreign
	}

	It("says Unknown while a ConfigMap of someone else is in the registry's place, and which", func(ctx context.Context) {
		foreign := occupied(ctx)
		Expect(validMessage(w)).To(Equal("nobody knows what the registry serves: ConfigMap maze-registry belongs to someone else, and the registry needs its name: " +
			"delete it, and create it anew under another name if it is needed; the operator then publishes at once"))
		expectCreated(ctx, caption)
		expectConditions(ctx, caption, map[string]string{v1alpha1.ConditionRegistered: "False/RegistryConflict"})
		expectWorkflow(ctx, w, conflict)
		Expect(k8s.Delete(ctx, foreign)).To(Succeed())
		expectWorkflow(ctx, w, fine)
	})

	It("is judged in a namespace without a task once a ConfigMap of someone else is gone", func(ctx context.Context) {
		foreign := occupied(ctx)
		Expect(k8s.Delete(ctx, foreign)).To(Succeed())
		expectWorkflow(ctx, w, unknown)
	})

	It("is stalled only if the workflow itself has to be edited", func(ctx context.Context) {
		expectCreated(ctx, caption)
		w.Spec.Nodes = append(w.Spec.Nodes, v1alpha1.WorkflowNode{ID: "t2", Func: "caption", Args: schemaOf(`{"image": "t3.output.text"}`)})
		Expect(k8s.Create(ctx, w)).To(Succeed())
		expectWorkflow(ctx, w, "Valid=False/InvalidGraph Placeable=Unknown/NoInventory Ready=False/InvalidGraph Stalled=True/InvalidGraph")
	})

	It("is healed after an edit of its status by hand", func(ctx context.Context) {
		expectFine(ctx)
		was := w.Status.DeepCopy()
		Eventually(func() error {
			if err := k8s.Get(ctx, keyOf(w), w); err != nil {
				return err
			}
			w.Status.Conditions, w.Status.Errors, w.Status.Tasks = nil, 7, nil
			return k8s.Status().Update(ctx, w)
		}).Should(Succeed())
		expectWorkflow(ctx, w, fine)
		Expect(w.Status.Errors).To(BeZero())
		Expect(w.Status.Tasks).To(Equal(was.Tasks))
	})

	It("is judged while it waits for a finalizer, and makes no more events", func(ctx context.Context) {
		w.Finalizers = []string{"example.com/hold"}
		expectFine(ctx)
		staying := newWorkflow(namespace, "staying", "caption")
		Expect(k8s.Create(ctx, staying)).To(Succeed())
		expectWorkflow(ctx, staying, fine)
		Expect(k8s.Delete(ctx, w)).To(Succeed())
		Expect(k8s.Delete(ctx, caption)).To(Succeed())
		expectWorkflow(ctx, w, "Valid=False/UnknownTask Placeable=Unknown/NotJudged Ready=False/Terminating Stalled=False/NotStalled")
		expectWorkflow(ctx, staying, unknown)
		expectEvent(ctx, staying, corev1.EventTypeWarning, "Invalid", validMessage(staying))
		events := &eventsv1.EventList{}
		Expect(k8s.List(ctx, events, client.InNamespace(namespace))).To(Succeed())
		for _, e := range events.Items {
			Expect(e.Regarding.Name+" "+e.Reason).NotTo(Equal(w.Name+" Invalid"), "nobody has to do anything")
		}
		patchMetadata(ctx, w, `{"finalizers": null}`)
	})

	It("is written no more after a restart, and what changed meanwhile is seen", func(ctx context.Context) {
		expectFine(ctx)
		broken := newWorkflow(namespace, "broken", "nobody")
		Expect(k8s.Create(ctx, broken)).To(Succeed())
		expectWorkflow(ctx, broken, unknown)
		expectIdle(namespace)
		stopOperator()
		startOperator(testutil.OperatorOptions{})
		expectIdle(namespace)
		Expect(operator.Writes(testutil.WorkflowWrite)).To(BeZero())
		stopOperator()
		expectEdited(ctx, caption, breakInterface)
		startOperator(testutil.OperatorOptions{})
		expectWorkflow(ctx, w, mismatched)
		expectIdle(namespace)
		Expect(operator.Writes(testutil.WorkflowWrite)).To(Equal(1))
	})

	It("is judged anew only if it uses the task that is edited", func(ctx context.Context) {
		const users = 5
		other := newTask(namespace, "other")
		expectCreated(ctx, caption, other)
		var using, rest []*v1alpha1.MazeWorkflow
		for i := range users {
			a, b := w.DeepCopy(), w.DeepCopy()
			a.Name, b.Name, b.Spec.Nodes[0].Func = fmt.Sprintf("using-%d", i), fmt.Sprintf("rest-%d", i), "other"
			using, rest = append(using, a), append(rest, b)
			Expect(k8s.Create(ctx, a)).To(Succeed())
			Expect(k8s.Create(ctx, b)).To(Succeed())
		}
		expectReady(ctx, caption, other)
		for i := range users {
			expectWorkflow(ctx, using[i], fine)
			expectWorkflow(ctx, rest[i], fine)
		}
		expectIdle(namespace)
		before := operator.Writes(testutil.WorkflowWrite)
		expectEdited(ctx, caption, func(task *v1alpha1.MazeTask) { task.Spec.Description = "The same interface." })
		expectReady(ctx, caption)
		expectIdle(namespace)
		Expect(operator.Writes(testutil.WorkflowWrite)).To(Equal(before), "the interface is the same")
		expectEdited(ctx, caption, breakInterface)
		for i := range users {
			expectWorkflow(ctx, using[i], mismatched)
		}
		expectIdle(namespace)
		Expect(operator.Writes(testutil.WorkflowWrite) - before).To(Equal(users))
		for i := range users {
			last := rest[i].ResourceVersion
			expectWorkflow(ctx, rest[i], fine)
			Expect(rest[i].ResourceVersion).To(Equal(last))
		}
	})

	It("counts in the metrics", func(ctx context.Context) {
		expectFine(ctx)
		broken := newWorkflow(namespace, "broken", "nobody")
		Expect(k8s.Create(ctx, broken)).To(Succeed())
		expectWorkflow(ctx, broken, unknown)
		Eventually(func() map[string]float64 { return workflowMetrics(namespace) }).Should(Equal(map[string]float64{
			"Valid True": 1, "Valid False": 1, "Valid Unknown": 0, "Placeable True": 0, "Placeable False": 0, "Placeable Unknown": 2,
			"Ready True": 1, "Ready False": 1, "in use": 2,
		}))
	})
})

// workflowMetrics are the metrics about the workflows of a namespace.
func workflowMetrics(namespace string) map[string]float64 {
	GinkgoHelper()
	families, err := operator.Metrics.Gather()
	Expect(err).NotTo(HaveOccurred())
	values := map[string]float64{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			labels := map[string]string{}
			for _, label := range metric.GetLabel() {
				labels[label.GetName()] = label.GetValue()
			}
			switch {
			case labels["namespace"] != namespace:
			case family.GetName() == "maregister_workflow_conditions":
				values[labels["condition"]+" "+labels["status"]] = metric.GetGauge().GetValue()
			case family.GetName() == "maregister_tasks_in_use":
				values["in use"] = metric.GetGauge().GetValue()
			}
		}
	}
	return values
}

var _ = Describe("The place of a workflow", func() {
	It("follows the nodes of the cluster", func(ctx context.Context) {
		namespace := newNamespace(ctx)
		startOperator(testutil.OperatorOptions{})
		DeferCleanup(func(ctx context.Context) { Expect(k8s.DeleteAllOf(ctx, &corev1.Node{})).To(Succeed()) })
		task := newTask(namespace, "vision")
		task.Spec.Resources.Type, task.Spec.InputParameters = v1alpha1.ResourceTypeGPU, nil
		task.Spec.Resources.GPUMemory = ptr.To(resource.MustParse("32Gi"))
		expectCreated(ctx, task)
		w := newWorkflow(namespace, "album", "vision")
		Expect(k8s.Create(ctx, w)).To(Succeed())
		expectWorkflow(ctx, w, fine)
		expectNodes(ctx, testutil.NewGPUNode("small", "Tesla-T4", 15360, 1))
		expectWorkflow(ctx, w, "Valid=True/Valid Placeable=False/NoFeasibleNode Ready=True/Ready Stalled=False/NotStalled")
		expectEvent(ctx, w, corev1.EventTypeWarning, "Unplaceable",
			`no node of the cluster can host the task of node "t1" (NoFeasibleNode; see the condition Placeable of MazeTask vision)`)
		expectNodes(ctx, testutil.NewGPUNode("large", "NVIDIA-A100-SXM4-80GB", 81920, 1))
		expectWorkflow(ctx, w, "Valid=True/Valid Placeable=True/Feasible Ready=True/Ready Stalled=False/NotStalled")
	})
})
