package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/config"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/test/testutil"
)

// predictorRules reads rules from a configuration file, as the manager does.
func predictorRules(rules string) registry.PredictorRules {
	GinkgoHelper()
	c, err := config.Load("operator.yaml", fmt.Appendf(nil,
		"apiVersion: config.registry.mazeagent.net/v1alpha1\nkind: OperatorConfiguration\npredictor: {rules: %s}\n", rules))
	Expect(err).NotTo(HaveOccurred())
	return config.PredictorRules(c)
}

// withPredictor names a task's tool type in its spec.
func withPredictor(task *v1alpha1.MazeTask, toolType string) *v1alpha1.MazeTask {
	task.Spec.Predictor = toolType
	return task
}

// expectToolTypes waits until tasks and their entries have these tool types, by name; nil is none.
func expectToolTypes(ctx context.Context, namespace string, want map[string]*string) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		var tasks v1alpha1.MazeTaskList
		g.Expect(k8s.List(ctx, &tasks, client.InNamespace(namespace))).To(Succeed())
		entries, err := published(ctx, namespace)
		g.Expect(err).NotTo(HaveOccurred())
		inEntries, inStatuses := map[string]*string{}, map[string]*string{}
		for name := range entries {
			inEntries[name] = entries[name].Predictor
		}
		for i := range tasks.Items {
			t := &tasks.Items[i]
			inStatuses[t.Name] = nil
			if t.Status.Predictor != "" {
				inStatuses[t.Name] = ptr.To(t.Status.Predictor)
			}
			g.Expect(t.Status.Entry).NotTo(BeNil())
			g.Expect(t.Status.Entry.Digest).To(Equal(registry.EntryDigest(indexOf(ctx, namespace).Data[t.Name])))
		}
		g.Expect(inEntries).To(Equal(want))
		g.Expect(inStatuses).To(Equal(want))
	}).Should(Succeed())
}

// selected are the names of the tasks of a namespace that a field selector finds.
func selected(ctx context.Context, namespace, selector string) []string {
	GinkgoHelper()
	var tasks v1alpha1.MazeTaskList
	Expect(k8s.List(ctx, &tasks, client.InNamespace(namespace), &client.ListOptions{Raw: &metav1.ListOptions{FieldSelector: selector}})).To(Succeed())
	names := []string{}
	for i := range tasks.Items {
		names = append(names, tasks.Items[i].Name)
	}
	slices.Sort(names)
	return names
}

// columnsOf are the cells of the server's table, as kubectl -o wide prints it, by column and task.
func columnsOf(ctx context.Context, namespace string) (cells map[string]map[string]any, priorities map[string]int32) {
	GinkgoHelper()
	clientset, err := kubernetes.NewForConfig(controlPlane.Config)
	Expect(err).NotTo(HaveOccurred())
	text, err := clientset.CoreV1().RESTClient().Get().AbsPath("/apis/registry.mazeagent.net/v1alpha1/namespaces", namespace, "mazetasks").
		SetHeader("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io").Do(ctx).Raw()
	Expect(err).NotTo(HaveOccurred())
	var table metav1.Table
	Expect(json.Unmarshal(text, &table)).To(Succeed())
	cells, priorities = map[string]map[string]any{}, map[string]int32{}
	for i, column := range table.ColumnDefinitions {
		cells[column.Name], priorities[column.Name] = map[string]any{}, column.Priority
		for _, row := range table.Rows {
			cells[column.Name][row.Cells[0].(string)] = row.Cells[i]
		}
	}
	return cells, priorities
}

// named returns a task whose name differs from its object's.
func named(task *v1alpha1.MazeTask, name string) *v1alpha1.MazeTask {
	task.Spec.Name = name
	return task
}

// conditionsIn are the conditions of the tasks of a namespace.
func conditionsIn(ctx context.Context, namespace string) map[string][]metav1.Condition {
	GinkgoHelper()
	var tasks v1alpha1.MazeTaskList
	Expect(k8s.List(ctx, &tasks, client.InNamespace(namespace))).To(Succeed())
	conditions := map[string][]metav1.Condition{}
	for i := range tasks.Items {
		conditions[tasks.Items[i].Name] = tasks.Items[i].Status.Conditions
	}
	return conditions
}

// entriesOf are the texts of the entries of a small registry.
func entriesOf(ctx context.Context, namespace string) map[string]string {
	GinkgoHelper()
	entries := indexOf(ctx, namespace).Data
	delete(entries, registry.IndexKey)
	return entries
}

var _ = Describe("malearn's tool type", func() {
	var namespace string

	BeforeEach(func(ctx context.Context) { namespace = newNamespace(ctx) })

	It("comes from the name by malearn's own rules, or from the spec, with one status write", func(ctx context.Context) {
		startOperator(testutil.OperatorOptions{})
		expectCreated(ctx,
			newTask(namespace, "task1-llm-process"), // as an object's name has no underscore, rules are for spec.name
			named(newTask(namespace, "fuse"), "task2_llm_fuse3"),
			named(newTask(namespace, "see"), "vlm_process"),
			named(newTask(namespace, "hear"), "my_speech_process"),
			withPredictor(named(newTask(namespace, "override"), "also_llm_process"), "vlm_process"),
			withPredictor(newTask(namespace, "declared"), "其他"),
		)
		want := map[string]string{
			"task1-llm-process": "", "fuse": "llm_fuse2In1", "see": "vlm_process", "hear": "speech_process", "override": "vlm_process", "declared": "其他",
		}
		for name, toolType := range want {
			task := &v1alpha1.MazeTask{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
			expectReady(ctx, task)
			Expect(task.Status.Predictor).To(Equal(toolType), name)
		}
		expectIdle(namespace)
		Expect(operator.Writes(testutil.StatusWrite)).To(Equal(len(want)))

		By("printing it with -o wide")
		cells, priorities := columnsOf(ctx, namespace)
		Expect(priorities).To(HaveKeyWithValue("Predictor", int32(1)))
		Expect(cells["Predictor"]).To(Equal(map[string]any{
			"task1-llm-process": nil, "fuse": "llm_fuse2In1", "see": "vlm_process", "hear": "speech_process", "override": "vlm_process", "declared": "其他",
		}))

		By("selecting by it")
		Expect(selected(ctx, namespace, "status.predictor=vlm_process")).To(Equal([]string{"override", "see"}))
		Expect(selected(ctx, namespace, "status.predictor=llm_process")).To(BeEmpty())
		Expect(selected(ctx, namespace, "status.predictor=")).To(Equal([]string{"task1-llm-process"}))
		Expect(selected(ctx, namespace, "status.predictor!=,spec.resources.type=cpu")).To(HaveLen(5))

		By("publishing it")
		entries, err := published(ctx, namespace)
		Expect(err).NotTo(HaveOccurred())
		Expect(entries["task1-llm-process"].Predictor).To(BeNil())
		Expect(indexOf(ctx, namespace).Data["task1-llm-process"]).To(ContainSubstring(`"predictor":null`))
		Expect(entries["task2_llm_fuse3"].Kubernetes.PredictorRule).To(Equal("llm_fuse"))
		Expect(entries["also_llm_process"].Kubernetes.PredictorRule).To(BeEmpty())
	})

	It("comes by the rules of the configuration, in their order", func(ctx context.Context) {
		startOperator(testutil.OperatorOptions{Predictors: predictorRules(`[{contains: ocr, toolType: vlm_process}, {contains: caption, toolType: captions}]`)})
		expectCreated(ctx, newTask(namespace, "caption-ocr"), newTask(namespace, "caption"), newTask(namespace, "llm"), withPredictor(newTask(namespace, "ocr"), "own"))
		expectToolTypes(ctx, namespace, map[string]*string{
			"caption-ocr": ptr.To("vlm_process"), "caption": ptr.To("captions"), "llm": nil, "ocr": ptr.To("own"),
		})

		By("following an edit of the spec")
		expectEdited(ctx, newTask(namespace, "ocr"), func(t *v1alpha1.MazeTask) { t.Spec.Predictor = "" })
		expectEdited(ctx, newTask(namespace, "llm"), func(t *v1alpha1.MazeTask) { t.Spec.Predictor = "llm_process" })
		expectToolTypes(ctx, namespace, map[string]*string{
			"caption-ocr": ptr.To("vlm_process"), "caption": ptr.To("captions"), "llm": ptr.To("llm_process"), "ocr": ptr.To("vlm_process"),
		})
	})

	It("follows the configuration over a restart, after a bad edit too, and nothing else is written", func(ctx context.Context) {
		before := predictorRules(`[{contains: ocr, toolType: vlm_process}, {contains: llm, toolType: llm_process}]`)
		after := predictorRules(`[{contains: ocr, toolType: ocr}, {contains: llm, toolType: llm_process}, {contains: asr, toolType: speech_process}]`)
		startOperator(testutil.OperatorOptions{Predictors: before})
		// Each is there a second time, badly edited: its entry is of a spec that is no more.
		good, bad := []string{"ocr-good", "llm-good", "asr-good", "own-good"}, []string{"ocr-bad", "llm-bad", "asr-bad", "own-bad"}
		for _, name := range slices.Concat(good, bad) {
			task := newTask(namespace, name)
			if name[:3] == "own" {
				task.Spec.Predictor = "vlm_process"
			}
			expectCreated(ctx, task)
			expectReady(ctx, task)
		}
		for _, name := range bad {
			task := newTask(namespace, name)
			expectEdited(ctx, task, func(t *v1alpha1.MazeTask) { t.Spec.InputParameters, t.Spec.Predictor = unsupported, "" })
			expectConditions(ctx, task, map[string]string{v1alpha1.ConditionRegistered: "False/ServingLastAccepted"})
		}
		want := map[string]*string{}
		for _, state := range []string{"-good", "-bad"} {
			want["ocr"+state], want["llm"+state], want["asr"+state], want["own"+state] = ptr.To("vlm_process"), ptr.To("llm_process"), nil, ptr.To("vlm_process")
		}
		expectToolTypes(ctx, namespace, want)
		expectIdle(namespace)
		conditions := conditionsIn(ctx, namespace)
		first := entriesOf(ctx, namespace)

		By("writing what the other rules change, once")
		stopOperator()
		startOperator(testutil.OperatorOptions{Predictors: after})
		for _, state := range []string{"-good", "-bad"} {
			want["ocr"+state], want["asr"+state] = ptr.To("ocr"), ptr.To("speech_process")
		}
		expectToolTypes(ctx, namespace, want)
		expectIdle(namespace)
		Expect(operator.Writes(testutil.RegistryWrite)).To(Equal(1))
		Expect(operator.Writes(testutil.StatusWrite)).To(Equal(4))
		Expect(conditionsIn(ctx, namespace)).To(Equal(conditions), "a tool type is no matter of conditions")
		entries, err := published(ctx, namespace)
		Expect(err).NotTo(HaveOccurred())
		older, err := decodeAll(first)
		Expect(err).NotTo(HaveOccurred())
		for name := range entries {
			Expect(entries[name].Digest).To(Equal(older[name].Digest), "neither schemas nor spec of %s changed", name)
		}

		By("being idle after that, and after one more restart")
		stopOperator()
		startOperator(testutil.OperatorOptions{Predictors: after})
		expectIdle(namespace)
		Expect(operator.Writes(testutil.RegistryWrite) + operator.Writes(testutil.StatusWrite)).To(BeZero())

		By("giving the first registry again by the first rules")
		stopOperator()
		startOperator(testutil.OperatorOptions{Predictors: before})
		Eventually(func() map[string]string { return entriesOf(ctx, namespace) }).Should(Equal(first))
	})

	It("is followed by a watch of one tool type", func(ctx context.Context) {
		startOperator(testutil.OperatorOptions{})
		task := named(newTask(namespace, "caption"), "llm_process")
		expectCreated(ctx, task)
		expectReady(ctx, task)
		events, err := k8s.Watch(ctx, &v1alpha1.MazeTaskList{}, client.InNamespace(namespace), client.MatchingFields{"status.predictor": "vlm_process"})
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(events.Stop)
		for _, step := range []struct {
			toolType string
			want     watch.EventType
		}{{"vlm_process", watch.Added}, {"", watch.Deleted}, {"vlm_process", watch.Added}} {
			expectEdited(ctx, task, func(t *v1alpha1.MazeTask) { t.Spec.Predictor = step.toolType })
			expectReady(ctx, task)
			// An edit of the spec of a task that is selected comes before the status that follows it.
			Eventually(events.ResultChan()).Should(Receive(HaveField("Type", step.want)))
		}
	})

	It("is the operator's: the API server refuses one that is no text", func(ctx context.Context) {
		task := newTask(namespace, "caption")
		expectCreated(ctx, task)
		err := k8s.Status().Patch(ctx, task, client.RawPatch("application/merge-patch+json", []byte(`{"status": {"predictor": 1}}`)))
		Expect(apierrors.IsInvalid(err)).To(BeTrue(), "%v", err)
	})
})
