package integration

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/test/testutil"
)

// quietTime is how long nothing must happen to be called idle: several times what the operator gathers for.
const quietTime = time.Second

// newNamespace creates a namespace for a spec.
func newNamespace(ctx context.Context) string {
	GinkgoHelper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}
	Expect(k8s.Create(ctx, namespace)).To(Succeed())
	// No namespace controller runs, so the tasks are deleted here: operators of later specs see the whole cluster.
	DeferCleanup(func(ctx context.Context) {
		Expect(k8s.DeleteAllOf(ctx, &v1alpha1.MazeWorkflow{}, client.InNamespace(namespace.Name))).To(Succeed())
		Expect(k8s.DeleteAllOf(ctx, &v1alpha1.MazeTask{}, client.InNamespace(namespace.Name))).To(Succeed())
		Expect(k8s.DeleteAllOf(ctx, &corev1.ConfigMap{}, client.InNamespace(namespace.Name))).To(Succeed())
	})
	return namespace.Name
}

// newTask returns a valid task: object image-caption has the registry name image-caption.
func newTask(namespace, name string) *v1alpha1.MazeTask {
	return &v1alpha1.MazeTask{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: v1alpha1.MazeTaskSpec{
			Name:            name,
			Description:     "Writes a caption.\nSecond line.",
			InputParameters: schemaOf(`{"image": {"type": "filepath"}}`),
			Resources:       v1alpha1.Resources{ModelName: "llava-v1.6"},
		},
	}
}

func schemaOf(text string) *apiextensionsv1.JSON { return &apiextensionsv1.JSON{Raw: []byte(text)} }

// unsupported is a schema that the API server admits and the operator refuses.
var unsupported = schemaOf(`{"x": {"type": "string", "pattern": "(?=a)b"}}`)

func expectCreated(ctx context.Context, tasks ...*v1alpha1.MazeTask) {
	GinkgoHelper()
	for _, task := range tasks {
		Expect(k8s.Create(ctx, task)).To(Succeed())
	}
}

// expectEdited changes a task, whatever happens to it meanwhile.
func expectEdited(ctx context.Context, task *v1alpha1.MazeTask, edit func(*v1alpha1.MazeTask)) {
	GinkgoHelper()
	Eventually(func() error {
		if err := k8s.Get(ctx, client.ObjectKeyFromObject(task), task); err != nil {
			return err
		}
		edit(task)
		return k8s.Update(ctx, task)
	}).Should(Succeed())
}

// state is what a condition says, in short: "False/InvalidSchema".
func state(task *v1alpha1.MazeTask, conditionType string) string {
	c := meta.FindStatusCondition(task.Status.Conditions, conditionType)
	if c == nil {
		return "absent"
	}
	if c.ObservedGeneration != task.Generation {
		return fmt.Sprintf("%s/%s of generation %d, not %d", c.Status, c.Reason, c.ObservedGeneration, task.Generation)
	}
	return fmt.Sprintf("%s/%s", c.Status, c.Reason)
}

// message is the message of a condition.
func message(task *v1alpha1.MazeTask, conditionType string) string {
	if c := meta.FindStatusCondition(task.Status.Conditions, conditionType); c != nil {
		return c.Message
	}
	return ""
}

// expectConditions waits until the conditions of the task's present generation are as wanted, and reads the task anew.
func expectConditions(ctx context.Context, task *v1alpha1.MazeTask, want map[string]string) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(task), task)).To(Succeed())
		got := map[string]string{}
		for conditionType := range want {
			got[conditionType] = state(task, conditionType)
		}
		g.Expect(got).To(Equal(want))
		g.Expect(task.Status.ObservedGeneration).To(Equal(task.Generation))
	}).Should(Succeed())
}

// expectReady waits until the tasks are Ready in their present generation.
func expectReady(ctx context.Context, tasks ...*v1alpha1.MazeTask) {
	GinkgoHelper()
	for _, task := range tasks {
		expectConditions(ctx, task, map[string]string{v1alpha1.ConditionReady: "True/Ready"})
	}
}

// published returns the entries of a namespace's registry by name. It fails where the registry is torn.
func published(ctx context.Context, namespace string) (map[string]registry.Entry, error) {
	index, shards, err := configMaps(ctx, namespace)
	if err != nil || index == nil {
		return nil, err
	}
	texts, err := registry.Parse(index, func(name string) *corev1.ConfigMap { return shards[name] })
	if err != nil {
		return nil, err
	}
	return decodeAll(texts)
}

func decodeAll(texts map[string]string) (map[string]registry.Entry, error) {
	entries := make(map[string]registry.Entry, len(texts))
	for name, text := range texts {
		var entry registry.Entry
		if err := json.Unmarshal([]byte(text), &entry); err != nil {
			return nil, err
		}
		entries[name] = entry
	}
	return entries, nil
}

// configMaps returns the ConfigMaps of a registry: the index, nil if there is none, and the others by name.
func configMaps(ctx context.Context, namespace string) (*corev1.ConfigMap, map[string]*corev1.ConfigMap, error) {
	var list corev1.ConfigMapList
	if err := k8s.List(ctx, &list, client.InNamespace(namespace)); err != nil {
		return nil, nil, err
	}
	var index *corev1.ConfigMap
	shards := map[string]*corev1.ConfigMap{}
	for i := range list.Items {
		if list.Items[i].Name == registry.ConfigMapName {
			index = &list.Items[i]
			continue
		}
		shards[list.Items[i].Name] = &list.Items[i]
	}
	return index, shards, nil
}

// expectPublished waits until the registry holds exactly the named generations: "caption@1".
func expectPublished(ctx context.Context, namespace string, want ...string) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		entries, err := published(ctx, namespace)
		g.Expect(err).NotTo(HaveOccurred())
		got := []string{}
		for _, name := range slices.Sorted(maps.Keys(entries)) {
			got = append(got, fmt.Sprintf("%s@%d", name, entries[name].Kubernetes.Generation))
		}
		g.Expect(got).To(Equal(append([]string{}, want...)))
	}).Should(Succeed())
}

// indexOf reads the ConfigMap maze-registry.
func indexOf(ctx context.Context, namespace string) *corev1.ConfigMap {
	GinkgoHelper()
	index := &corev1.ConfigMap{}
	Expect(k8s.Get(ctx, client.ObjectKey{Namespace: namespace, Name: registry.ConfigMapName}, index)).To(Succeed())
	return index
}

// expectIdle waits until the operator has looked at a namespace and then has written nothing for a while.
func expectIdle(namespace string) {
	GinkgoHelper()
	Eventually(func() bool { return operator.Looked(namespace) }).Should(BeTrue())
	writes := func() int {
		return operator.Writes(testutil.RegistryWrite) + operator.Writes(testutil.StatusWrite) + operator.Writes(testutil.WorkflowWrite)
	}
	last, since := writes(), time.Now()
	Eventually(func() time.Duration {
		if now := writes(); now != last {
			last, since = now, time.Now()
		}
		return time.Since(since)
	}).Should(BeNumerically(">", quietTime))
}

// expectQuick reports how long it took to publish something, and fails if that is more than limit on an idle machine. A busy one is given more: fifty times
// what it takes just now to publish a new task. The operator has to serve all namespaces.
func expectQuick(ctx context.Context, took, limit time.Duration) {
	GinkgoHelper()
	since := time.Now()
	task := newTask(newNamespace(ctx), "pace")
	expectCreated(ctx, task)
	expectReady(ctx, task)
	pace := time.Since(since)
	AddReportEntry("published after", fmt.Sprintf("%s, while a new task took %s", took, pace))
	Expect(took).To(BeNumerically("<", limit+50*pace), "while a new task took %s", pace)
}

// expectEvent waits for an event about an object.
func expectEvent(ctx context.Context, about client.Object, eventType, reason, note string) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		var events eventsv1.EventList
		g.Expect(k8s.List(ctx, &events, client.InNamespace(about.GetNamespace()))).To(Succeed())
		got := []string{}
		for _, event := range events.Items {
			if event.Regarding.Name == about.GetName() {
				got = append(got, fmt.Sprintf("%s %s %s", event.Type, event.Reason, event.Note))
			}
		}
		g.Expect(got).To(ContainElement(fmt.Sprintf("%s %s %s", eventType, reason, note)))
	}).Should(Succeed())
}

// expectGone waits until an object is deleted.
func expectGone(ctx context.Context, object client.Object) {
	GinkgoHelper()
	Eventually(func() bool {
		return apierrors.IsNotFound(k8s.Get(ctx, client.ObjectKeyFromObject(object), object))
	}).Should(BeTrue())
}

func keyOf(object client.Object) client.ObjectKey { return client.ObjectKeyFromObject(object) }

func inNamespace(namespace string) client.InNamespace { return client.InNamespace(namespace) }
