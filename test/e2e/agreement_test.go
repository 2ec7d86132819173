package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	schedulingv1 "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/placement"
	"github.com/maze-agent/maregister/test/testutil"
)

const (
	clusters        = 125
	tasksPerCluster = 24
)

// A placement is right if kube-scheduler agrees: it binds a Pod with the placement exactly where the verdict is True, and to
// a node of a class that fits. And it is right if the node then gives what the task needs, and if none is left out that would.
var _ = Describe("A placement", Ordered, func() {
	var pods watch.Interface

	BeforeAll(func(ctx context.Context) {
		var err error
		pods, err = k8s.Watch(context.Background(), &corev1.PodList{}, client.InNamespace(metav1.NamespaceDefault))
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(pods.Stop)
	})

	It(fmt.Sprintf("is what kube-scheduler makes of it, for %d clusters with %d tasks each", clusters, tasksPerCluster), func(ctx context.Context) {
		seed := uint64(GinkgoRandomSeed())
		GinkgoWriter.Printf("seed %d: repeat with -ginkgo.seed=%d\n", seed, seed)
		g := generator{rand.New(rand.NewPCG(seed, 0))}
		counts := map[metav1.ConditionStatus]int{}
		for i := range clusters {
			config, nodes := g.config(), g.cluster()
			inventory := inventoryOf(config, nodes)
			setCluster(ctx, pods, withDaemonSets(nodes, config.Reserve), i)
			for j := range tasksPerCluster {
				resources := g.task(nodes)
				resolution, fits := placement.Explain(placement.RequirementOf(&resources), inventory)
				counts[resolution.Verdict.Status]++
				host := schedule(ctx, pods, podOf(&resolution.Placement, fmt.Sprintf("pod-%d-%d", i, j)))
				wrong := disagreement(inventory, nodes, &resolution, fits, host)
				if wrong == "" {
					wrong = mistake(oracle{config, resources}, nodes, &resolution, host)
				}
				if wrong != "" {
					Fail(fmt.Sprintf("seed %d: %s\n%s", seed, wrong, table(config, nodes, resources, &resolution, fits)))
				}
			}
		}
		AddReportEntry("verdicts with which kube-scheduler agreed", fmt.Sprint(counts))
		for _, status := range []metav1.ConditionStatus{metav1.ConditionTrue, metav1.ConditionFalse, metav1.ConditionUnknown} {
			least := clusters * tasksPerCluster / 20
			if status == metav1.ConditionUnknown { // at most one in ten is meant to be so
				least = clusters * tasksPerCluster / 50
			}
			Expect(counts[status]).To(BeNumerically(">", least), "the generator makes too few that are %s", status)
		}
		// One in ten is, with a deviation of one in 70 between seeds.
		Expect(counts[metav1.ConditionUnknown]).To(BeNumerically("<=", clusters*tasksPerCluster*20/100), "too few are known")
	})
})

// TestPlacementByItself is the same without kube-scheduler, for many more: errors that few clusters bring to light have nowhere to hide.
// A bound Pod gets cards whose true memory is enough, whatever labels tell.
func TestPlacementByItself(t *testing.T) {
	const clusters, tasksPerCluster = 2000, 20
	seed := rand.Uint64()
	if text := os.Getenv("PLACEMENT_SEED"); text != "" {
		var err error
		if seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("seed %d: repeat with PLACEMENT_SEED=%d", seed, seed)
	g := generator{rand.New(rand.NewPCG(seed, 1))}
	counts := map[metav1.ConditionStatus]int{}
	for range clusters {
		config, nodes := g.config(), g.cluster()
		inventory := inventoryOf(config, nodes)
		for range tasksPerCluster {
			resources := g.task(nodes)
			resolution, fits := placement.Explain(placement.RequirementOf(&resources), inventory)
			counts[resolution.Verdict.Status]++
			o := oracle{config, resources}
			for _, host := range bindable(&resolution, withDaemonSets(nodes, config.Reserve)) {
				wrong := disagreement(inventory, nodes, &resolution, fits, host)
				if wrong == "" {
					wrong = mistake(o, nodes, &resolution, host)
				}
				if wrong != "" {
					t.Fatalf("seed %d: %s\n%s", seed, wrong, table(config, nodes, resources, &resolution, fits))
				}
			}
		}
	}
	t.Logf("verdicts: %v", counts)
	// Between seeds, their number differs from one in ten by a deviation of one in 280.
	if most := clusters * tasksPerCluster * 15 / 100; counts[metav1.ConditionUnknown] > most {
		t.Errorf("want %d unknown at most, got %d", most, counts[metav1.ConditionUnknown])
	}
}

// bindable returns the nodes to which kube-scheduler may bind a Pod with a placement, by the rules of its filters for taints, affinity and resources;
// one that is "" if there are none.
func bindable(resolution *placement.Resolution, nodes []*corev1.Node) []string {
	pod := podOf(&resolution.Placement, "pod")
	affinity := nodeaffinity.GetRequiredNodeAffinity(pod)
	var names []string
	for _, node := range nodes {
		matches, err := affinity.Match(node)
		_, tainted := schedulingv1.FindMatchingUntoleratedTaint(klog.Logger{}, node.Spec.Taints, pod.Spec.Tolerations, func(t *corev1.Taint) bool {
			return t.Effect != corev1.TaintEffectPreferNoSchedule
		}, false)
		fits := node.Status.Allocatable.Pods().Sign() > 0
		for name, want := range pod.Spec.Containers[0].Resources.Requests {
			has := node.Status.Allocatable[name]
			fits = fits && want.Cmp(has) <= 0
		}
		if err == nil && matches && !tainted && fits && !node.Spec.Unschedulable {
			names = append(names, node.Name)
		}
	}
	if len(names) == 0 {
		return []string{""}
	}
	return names
}

func inventoryOf(config placement.Config, nodes []*corev1.Node) *placement.Inventory {
	builder := placement.NewBuilder(config)
	for _, node := range nodes {
		builder.Set(node)
	}
	return builder.Inventory()
}

// disagreement compares a resolution with the node that kube-scheduler chose: "" for none. It returns "" if they agree.
func disagreement(inventory *placement.Inventory, nodes []*corev1.Node, resolution *placement.Resolution, fits []placement.Fit, host string) string {
	if feasible := resolution.Verdict.Status == metav1.ConditionTrue; feasible != (host != "") {
		return fmt.Sprintf("the verdict is %s, and kube-scheduler binds to %q", resolution.Verdict.Status, host)
	}
	for _, node := range nodes {
		if node.Name != host {
			continue
		}
		class, _ := inventory.ClassOf(node)
		for _, fit := range fits {
			if fit.Class.Equal(&class) && fit.Why != "" {
				return fmt.Sprintf("kube-scheduler binds to %s, which the verdict says does not fit: %s", host, fit.Why)
			}
		}
	}
	return ""
}

// mistake compares a resolution with what the task needs. It returns "" if there is none. A node that takes no Pods at
// present may keep others from being chosen: a placement does not follow a node's readiness.
func mistake(o oracle, nodes []*corev1.Node, resolution *placement.Resolution, host string) string {
	all := true
	for _, node := range nodes {
		all = all && takesPods(node)
		if node.Name == host && !o.isKind(node) {
			return fmt.Sprintf("%s, to which kube-scheduler binds, is not what gpuRequirements asks for, or runs Windows", host)
		}
		if gpu := resolution.Placement.GPU; node.Name == host && gpu != nil && !o.satisfied(node, gpu.ResourceName, int64(gpu.Count)) {
			return fmt.Sprintf("%s, to which kube-scheduler binds, does not give what the task needs", host)
		}
	}
	able := slices.IndexFunc(nodes, o.hosts)
	plain := !slices.ContainsFunc(nodes, func(n *corev1.Node) bool { _, ok := truthOf(n); return ok })
	if all && able >= 0 && host == "" && (plain || resolution.Verdict.Status == metav1.ConditionFalse && isPlain(nodes[able])) {
		return fmt.Sprintf("%s could host the task, and the placement leaves it out", nodes[able].Name)
	}
	return ""
}

// isPlain reports whether a node's labels tell the truth, so that it must not be left out.
func isPlain(node *corev1.Node) bool { _, ok := truthOf(node); return !ok }

// withDaemonSets takes from nodes what DaemonSets would take.
func withDaemonSets(nodes []*corev1.Node, reserve placement.Reserve) []*corev1.Node {
	out := make([]*corev1.Node, len(nodes))
	for i, node := range nodes {
		out[i] = node.DeepCopy()
		a := out[i].Status.Allocatable
		a[corev1.ResourceCPU] = *resource.NewMilliQuantity(a.Cpu().MilliValue()-reserve.MilliCPU, resource.DecimalSI)
		a[corev1.ResourceMemory] = *resource.NewQuantity(a.Memory().Value()-reserve.Memory, resource.BinarySI)
	}
	return out
}

// setCluster makes the nodes be all there are, and waits until kube-scheduler knows them: it learns of nodes in their order,
// and the last one is for a Pod of its own.
func setCluster(ctx context.Context, pods watch.Interface, nodes []*corev1.Node, number int) {
	GinkgoHelper()
	Expect(k8s.DeleteAllOf(ctx, &corev1.Node{})).To(Succeed())
	name := fmt.Sprintf("last-%d", number)
	last := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"last": name}}}
	last.Spec.Taints = []corev1.Taint{{Key: "last", Effect: corev1.TaintEffectNoSchedule}}
	last.Status.Allocatable = corev1.ResourceList{corev1.ResourcePods: resource.MustParse("1")}
	for _, node := range append(nodes[:len(nodes):len(nodes)], last) {
		Expect(testutil.CreateNode(ctx, k8s, node.DeepCopy())).To(Succeed())
	}
	pod := podOf(&v1alpha1.Placement{NodeSelector: last.Labels, Tolerations: []corev1.Toleration{{Key: "last", Operator: corev1.TolerationOpExists}}}, name)
	Expect(k8s.Create(ctx, pod)).To(Succeed())
	for event := range pods.ResultChan() {
		if seen, ok := event.Object.(*corev1.Pod); ok && seen.Name == name && seen.Spec.NodeName != "" {
			break
		}
	}
	Expect(k8s.Delete(ctx, pod, client.GracePeriodSeconds(0))).To(Succeed())
}

// podOf makes a Pod that has a placement.
func podOf(p *v1alpha1.Placement, name string) *corev1.Pod {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceDefault, Name: name},
		Spec: corev1.PodSpec{
			NodeSelector: p.NodeSelector, Tolerations: p.Tolerations,
			Containers: []corev1.Container{{Name: "task", Image: "task", Resources: corev1.ResourceRequirements{Requests: p.Requests, Limits: p.Limits}}},
		},
	}
	if p.Affinity != nil {
		pod.Spec.Affinity = &corev1.Affinity{NodeAffinity: p.Affinity.NodeAffinity}
	}
	return pod
}

// schedule creates a Pod, waits for what kube-scheduler makes of it, and deletes it. It returns the node, or "".
func schedule(ctx context.Context, pods watch.Interface, pod *corev1.Pod) string {
	GinkgoHelper()
	Expect(k8s.Create(ctx, pod)).To(Succeed())
	defer func() { Expect(k8s.Delete(ctx, pod, client.GracePeriodSeconds(0))).To(Succeed()) }()
	for {
		select {
		case event, ok := <-pods.ResultChan():
			Expect(ok).To(BeTrue(), "the watch ended")
			seen, isPod := event.Object.(*corev1.Pod)
			if !isPod || seen.Name != pod.Name {
				continue
			}
			if seen.Spec.NodeName != "" {
				return seen.Spec.NodeName
			}
			for _, c := range seen.Status.Conditions {
				if c.Type == corev1.PodScheduled && c.Reason == corev1.PodReasonUnschedulable {
					return ""
				}
			}
		case <-ctx.Done():
			Fail("kube-scheduler does not decide")
		}
	}
}

// table shows a pair of a cluster and a task.
func table(config placement.Config, nodes []*corev1.Node, resources v1alpha1.Resources, resolution *placement.Resolution, fits []placement.Fit) string {
	var out strings.Builder
	w := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "node\tcpu\tmemory\tpods\tGPUs\tcordoned\ttaints\tlabels\n")
	for _, node := range nodes {
		var gpus []string
		for name, q := range node.Status.Allocatable {
			if strings.HasPrefix(string(name), "nvidia.com/") {
				gpus = append(gpus, fmt.Sprintf("%s=%s", name, q.String()))
			}
		}
		a := node.Status.Allocatable
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%v\t%t\t%v\t%v %v\n", node.Name, a.Cpu(), a.Memory(), a.Pods(), gpus, node.Spec.Unschedulable, node.Spec.Taints, node.Labels, node.Annotations)
	}
	for _, fit := range fits {
		fmt.Fprintf(w, "class %s\t%d nodes\t%s\n", fit.Class.Name, fit.Class.Nodes, fit.Why)
	}
	_ = w.Flush() // into memory
	task, _ := yaml.Marshal(resources)
	asked, _ := yaml.Marshal(resolution.Placement)
	fmt.Fprintf(&out, "\nconfig: %+v\n\ntask:\n%s\nverdict: %s\n\nplacement:\n%s", config, task, resolution.Verdict.Message(), asked)
	return out.String()
}
