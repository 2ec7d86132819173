package e2e

import (
	"cmp"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	"github.com/onsi/gomega/gexec"
	authorizationv1 "k8s.io/api/authorization/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/test/testutil"
)

// account is the ServiceAccount of examples/scheduler/role.yaml, and the name of its Role.
const account = "maze-scheduler"

// stage is a namespace where a scheduler plays, with the rights that its role.yaml grants. Pods must be restricted there.
type stage struct {
	namespace, binary, kubeconfig string
	// personal is the kubeconfig of whoever gives commands, if that is not the scheduler's account.
	personal string
	// flags are more of the scheduler's.
	flags []string

	mu sync.Mutex
	// creations are those of Pods, in their order, and pods what became of them, by name.
	creations []creation
	pods      map[string]*corev1.Pod
}

// creation is a Pod that came to be, and when the test heard of it.
type creation struct {
	pod *corev1.Pod
	at  time.Time
}

// buildScheduler builds the example.
func buildScheduler(ctx context.Context) string {
	GinkgoHelper()
	binary := filepath.Join(GinkgoT().TempDir(), "scheduler")
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "./examples/scheduler")
	build.Dir = testutil.Root()
	Expect(build.CombinedOutput()).To(BeEmpty())
	return binary
}

func newStage(ctx context.Context, binary string) *stage {
	GinkgoHelper()
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		GenerateName: "scheduler-", Labels: map[string]string{"pod-security.kubernetes.io/enforce": "restricted"},
	}}
	Expect(k8s.Create(ctx, namespace)).To(Succeed())
	s := &stage{namespace: namespace.Name, binary: binary, kubeconfig: filepath.Join(GinkgoT().TempDir(), "kubeconfig"), pods: map[string]*corev1.Pod{}}
	for _, object := range objectsOf(filepath.Join(testutil.Root(), "examples", "scheduler", "role.yaml"), s.namespace) {
		Expect(k8s.Create(ctx, object)).To(Succeed())
	}
	Expect(testutil.WriteKubeconfig(ctx, controlPlane.Config, s.namespace, account, s.kubeconfig)).To(Succeed())
	Expect(k8s.DeleteAllOf(ctx, &corev1.Node{})).To(Succeed())
	DeferCleanup(func(ctx context.Context) {
		Expect(k8s.DeleteAllOf(ctx, &batchv1.Job{}, client.InNamespace(s.namespace), client.PropagationPolicy(metav1.DeletePropagationBackground))).To(Succeed())
		for _, in := range []string{s.namespace, metav1.NamespaceDefault} {
			Expect(k8s.DeleteAllOf(ctx, &corev1.Pod{}, client.InNamespace(in), client.GracePeriodSeconds(0))).To(Succeed())
		}
		Expect(k8s.DeleteAllOf(ctx, &v1alpha1.MazeTask{}, client.InNamespace(s.namespace))).To(Succeed())
		Expect(k8s.DeleteAllOf(ctx, &corev1.Node{})).To(Succeed())
	})
	events, err := k8s.Watch(context.WithoutCancel(ctx), &corev1.PodList{}, client.InNamespace(s.namespace))
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(events.Stop)
	go s.listen(events)
	return s
}

// listen follows the Pods.
func (s *stage) listen(events watch.Interface) {
	for event := range events.ResultChan() {
		pod, ok := event.Object.(*corev1.Pod)
		if !ok {
			return
		}
		s.mu.Lock()
		switch event.Type {
		case watch.Added:
			s.creations = append(s.creations, creation{pod, time.Now()})
			s.pods[pod.Name] = pod
		case watch.Deleted:
			delete(s.pods, pod.Name)
		default:
			s.pods[pod.Name] = pod
		}
		s.mu.Unlock()
	}
}

// start starts a scheduler, as a process, for the rest of the spec.
func (s *stage) start(workflow string, nodes ...string) *gexec.Session {
	GinkgoHelper()
	return s.launch(workflow, slices.Concat([]string{"--image", "maze-executor"}, s.flags, []string{"-"}, nodes)...)
}

// launch starts the example's program, for the rest of the spec.
func (s *stage) launch(stdin string, args ...string) *gexec.Session {
	GinkgoHelper()
	command := exec.Command(s.binary, append([]string{"--kubeconfig", cmp.Or(s.personal, s.kubeconfig)}, args...)...)
	command.Stdin = strings.NewReader(stdin)
	session, err := gexec.Start(command, GinkgoWriter, GinkgoWriter)
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(func() { session.Kill().Wait() })
	return session
}

// created returns the creations of the Pods of some of a workflow's nodes, in their order.
func (s *stage) created(ids ...string) []creation {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(s.creations), func(c creation) bool { return !slices.Contains(ids, nodeOf(c.pod)) })
}

func nodeOf(pod *corev1.Pod) string { return pod.Annotations["scheduler.mazeagent.net/node"] }

// expectBound waits until kube-scheduler has bound the Pod of a workflow's node.
func (s *stage) expectBound(id string) *corev1.Pod {
	GinkgoHelper()
	var bound *corev1.Pod
	Eventually(func() *corev1.Pod {
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, pod := range s.pods {
			if nodeOf(pod) == id && pod.Spec.NodeName != "" {
				bound = pod
			}
		}
		return bound
	}).ShouldNot(BeNil(), "the Pod of %s is not bound", id)
	return bound
}

// expectEnded says of a Pod what a kubelet would.
func expectEnded(ctx context.Context, pod *corev1.Pod, phase corev1.PodPhase) {
	GinkgoHelper()
	before := pod.DeepCopy()
	pod.Status.Phase = phase
	Expect(k8s.Status().Patch(ctx, pod, client.MergeFrom(before))).To(Succeed())
}

// expectOccupied has a Pod of someone else take the GPU of a node.
func expectOccupied(ctx context.Context, node string) {
	GinkgoHelper()
	pod := podOf(&v1alpha1.Placement{Limits: corev1.ResourceList{"nvidia.com/gpu": resource.MustParse("1")}}, "occupies-"+node)
	pod.Spec.NodeName = node
	Expect(k8s.Create(ctx, pod)).To(Succeed())
}

func expectNodes(ctx context.Context, nodes ...*corev1.Node) {
	GinkgoHelper()
	for _, node := range nodes {
		Expect(testutil.CreateNode(ctx, k8s, node)).To(Succeed())
	}
}

// expectTasks creates tasks. It does not wait for the operator: the scheduler has to.
func (s *stage) expectTasks(ctx context.Context, tasks ...*v1alpha1.MazeTask) {
	GinkgoHelper()
	for _, task := range tasks {
		task.Namespace = s.namespace
		Expect(k8s.Create(ctx, task)).To(Succeed())
	}
}

func (s *stage) expectSamples(ctx context.Context, files ...string) {
	GinkgoHelper()
	for _, file := range files {
		for _, object := range objectsOf(filepath.Join(testutil.Root(), "config", "samples", file), s.namespace) {
			Expect(k8s.Create(ctx, object)).To(Succeed())
		}
	}
}

// expectEdited changes what GPU memory a task needs.
func expectEdited(ctx context.Context, task *v1alpha1.MazeTask, gpuMemory string) {
	GinkgoHelper()
	before := task.DeepCopy()
	task.Spec.Resources.GPUMemory = ptr.To(resource.MustParse(gpuMemory))
	Expect(k8s.Patch(ctx, task, client.MergeFrom(before))).To(Succeed())
}

// expectReady waits until a task is Ready as it is now, and reads it anew.
func expectReady(ctx context.Context, task *v1alpha1.MazeTask) {
	GinkgoHelper()
	Eventually(func(g Gomega) {
		g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(task), task)).To(Succeed())
		g.Expect(task.Status.ObservedGeneration).To(Equal(task.Generation))
		g.Expect(meta.IsStatusConditionTrue(task.Status.Conditions, v1alpha1.ConditionReady)).To(BeTrue())
	}).Should(Succeed())
}

// expectAnew changes what GPU memory a task needs, waits for the new Pod of the node t1, and says how long that took.
func (s *stage) expectAnew(ctx context.Context, task *v1alpha1.MazeTask, gpuMemory string) time.Duration {
	GinkgoHelper()
	before := s.created("t1")
	edit := time.Now()
	expectEdited(ctx, task, gpuMemory)
	Eventually(func() []creation { return s.created("t1") }).Should(HaveLen(len(before) + 1))
	after := s.created("t1")[len(before)]
	expectReady(ctx, task)
	Expect(after.pod.Name).To(Equal(before[0].pod.Name))
	Expect(after.pod.Annotations).To(HaveKeyWithValue("scheduler.mazeagent.net/generation", strconv.FormatInt(task.Generation, 10)))
	Expect(after.pod.Spec.Affinity).To(Equal(affinityOf(task)))
	return after.at.Sub(edit)
}

// without runs a scheduler while its Role lacks a right, such as pods/watch. The resource * stands for all.
func (s *stage) without(ctx context.Context, right string, do func(run *gexec.Session)) {
	GinkgoHelper()
	s.lacking(ctx, account, right, func() {
		run := s.start(oneNode)
		do(run)
		run.Kill().Wait()
	})
}

// lacking does something while the Role of an account, which has its name, lacks a right.
func (s *stage) lacking(ctx context.Context, who, right string, do func()) {
	GinkgoHelper()
	name, verb, _ := strings.Cut(right, "/")
	var role rbacv1.Role
	Expect(k8s.Get(ctx, client.ObjectKey{Namespace: s.namespace, Name: who}, &role)).To(Succeed())
	whole := role.DeepCopy()
	var reviews []authorizationv1.ResourceAttributes
	for i, rule := range role.Rules {
		if name != "*" && !slices.Contains(rule.Resources, name) || !slices.Contains(rule.Verbs, verb) {
			continue
		}
		if others := slices.DeleteFunc(slices.Clone(rule.Resources), func(r string) bool { return r == name }); name != "*" && len(others) > 0 {
			role.Rules = append(role.Rules, rbacv1.PolicyRule{APIGroups: rule.APIGroups, Resources: others, Verbs: rule.Verbs})
		}
		role.Rules[i].Verbs = slices.DeleteFunc(slices.Clone(rule.Verbs), func(v string) bool { return v == verb })
		for _, r := range rule.Resources {
			if name == "*" || r == name {
				reviews = append(reviews, authorizationv1.ResourceAttributes{Namespace: s.namespace, Group: rule.APIGroups[0], Resource: r, Verb: verb})
			}
		}
	}
	Expect(reviews).NotTo(BeEmpty(), "the Role does not grant %s", right)
	cfg, err := testutil.AccountConfig(ctx, controlPlane.Config, s.namespace, who)
	Expect(err).NotTo(HaveOccurred())
	update := func(role *rbacv1.Role, allowed bool) {
		GinkgoHelper()
		Expect(k8s.Update(ctx, role)).To(Succeed())
		for _, review := range reviews {
			Expect(testutil.WaitUntilAllowed(ctx, cfg, &review, allowed)).To(Succeed())
		}
	}
	update(&role, false)
	do()
	whole.ResourceVersion = ""
	update(whole, true)
}

// gpuMemoryOf returns the memory in MiB of each GPU of the node to which a Pod is bound.
func gpuMemoryOf(ctx context.Context, pod *corev1.Pod) int {
	GinkgoHelper()
	var node corev1.Node
	Expect(k8s.Get(ctx, client.ObjectKey{Name: pod.Spec.NodeName}, &node)).To(Succeed())
	memory, err := strconv.Atoi(node.Labels["nvidia.com/gpu.memory"])
	Expect(err).NotTo(HaveOccurred())
	return memory
}

// objectsOf reads the objects of a file into a namespace.
func objectsOf(file, namespace string) []*unstructured.Unstructured {
	GinkgoHelper()
	content, err := os.ReadFile(file)
	Expect(err).NotTo(HaveOccurred())
	var objects []*unstructured.Unstructured
	for document := range strings.SplitSeq(string(content), "\n---\n") {
		object := &unstructured.Unstructured{}
		Expect(yaml.UnmarshalStrict([]byte(document), &object.Object)).To(Succeed())
		object.SetNamespace(namespace)
		if subjects, ok := object.Object["subjects"].([]any); ok {
			subjects[0].(map[string]any)["namespace"] = namespace
		}
		objects = append(objects, object)
	}
	return objects
}
