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
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/placement"
	"github.com/maze-agent/maregister/test/testutil"
)

const (
	defaultClusters = 250
	tasksPerCluster = 12
)

// number returns that of an environment variable, or another one where it is not set.
func number(variable string, otherwise uint64) uint64 {
	text := os.Getenv(variable)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		panic(fmt.Sprintf("%s: %v", variable, err))
	}
	return n
}

// judged is a task, and what is said of it in a world.
type judged struct {
	resources  v1alpha1.Resources
	resolution placement.Resolution
	fits       []placement.Fit
}

func (w *world) judge(resources v1alpha1.Resources) judged {
	resolution, fits := placement.Explain(placement.RequirementOf(&resources), w.inventory)
	return judged{resources, resolution, fits}
}

func (j *judged) isTrue() bool { return j.resolution.Verdict.Status == metav1.ConditionTrue }

// verdicts counts those of each status and, of those that are not known, each reason.
type verdicts map[string]int

func (v verdicts) add(verdict *placement.Verdict) {
	v[string(verdict.Status)]++
	if verdict.Status == metav1.ConditionUnknown {
		about, _, _ := strings.Cut(verdict.Summary, ":")
		about, _, _ = strings.Cut(about, ";")
		v[fmt.Sprintf("Unknown/%s: %s", verdict.Reason, about)]++
	}
}

func (v verdicts) String() string {
	var lines []string
	for what, n := range v {
		lines = append(lines, fmt.Sprintf("%6d %s", n, what))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// A placement is right if kube-scheduler agrees: it binds a Pod with the placement exactly where the verdict is True, and to
// a node of a class that fits. And it is right if the node then gives what the task needs, and if none is left out that would.
var _ = Describe("A placement", Ordered, func() {
	var pods watch.Interface
	clusters := int(number("PLACEMENT_CLUSTERS", defaultClusters))

	BeforeAll(func(ctx context.Context) {
		var err error
		pods, err = k8s.Watch(context.Background(), &corev1.PodList{}, client.InNamespace(metav1.NamespaceDefault))
		Expect(err).NotTo(HaveOccurred())
		DeferCleanup(pods.Stop)
	})
	AfterAll(func(ctx context.Context) { expectEmpty(ctx) })

	It(fmt.Sprintf("is what kube-scheduler makes of it, for %d clusters with %d tasks each", clusters, tasksPerCluster), func(ctx context.Context) {
		seed := uint64(GinkgoRandomSeed())
		GinkgoWriter.Printf("seed %d: repeat with -ginkgo.seed=%d\n", seed, seed)
		g := generator{rand.New(rand.NewPCG(seed, 0))}
		counts, handed := verdicts{}, 0
		for i := range clusters {
			w := g.world(int(g.Uint64N(4)))
			setCluster(ctx, pods, w, i)
			var tasks []judged
			for range tasksPerCluster {
				tasks = append(tasks, w.judge(g.taskIn(w)))
			}
			// Those that are not bound come first: no device is allocated then, be it for a moment.
			slices.SortStableFunc(tasks, func(a, b judged) int { return len(b.resolution.Verdict.Status) - len(a.resolution.Verdict.Status) })
			for j := range tasks {
				task := &tasks[j]
				counts.add(&task.resolution.Verdict)
				host := schedule(ctx, pods, podOf(&task.resolution.Placement, fmt.Sprintf("pod-%d-%d", i, j)), task.isTrue() && len(w.slices) > 0)
				var got []string
				if host != "" && len(w.slices) > 0 {
					got = freeClaims(ctx)
				}
				if len(got) > 0 {
					handed++
				}
				if wrong := w.wrong(task, host, got); wrong != "" {
					Fail(fmt.Sprintf("seed %d: %s\n%s", seed, wrong, w.table(task)))
				}
			}
		}
		AddReportEntry("verdicts with which kube-scheduler agreed", fmt.Sprintf("seed %d, %d bound to devices\n%s", seed, handed, counts))
		if clusters < 100 { // too few for their numbers to tell anything
			return
		}
		least := map[string]int{"True": 20, "False": 20, "Unknown": 50} // at most one in ten is meant to be unknown
		for status, part := range least {
			Expect(counts[status]).To(BeNumerically(">=", clusters*tasksPerCluster/part), "the generator makes too few that are %s", status)
		}
		Expect(handed).To(BeNumerically(">=", clusters*tasksPerCluster/24), "the generator makes too few that are bound to devices")
		// At most one in ten is meant to be. Of the seeds 16 to 65, the mean is 7.5 in 100, and one has more than ten: 10.2.
		Expect(counts["Unknown"]).To(BeNumerically("<=", clusters*tasksPerCluster*12/100), "too few are known")
	})
})

// TestPlacementByItself is the same without kube-scheduler, for many more: errors that few clusters bring to light have nowhere to hide.
// A bound Pod gets cards whose true memory is enough, whatever labels tell, and devices that kube-scheduler's allocator hands out.
func TestPlacementByItself(t *testing.T) {
	const clusters, tasksPerCluster = 2000, 20
	seed := number("PLACEMENT_SEED", rand.Uint64())
	t.Logf("seed %d: repeat with PLACEMENT_SEED=%d", seed, seed)
	g := generator{rand.New(rand.NewPCG(seed, 1))}
	counts := verdicts{}
	for range clusters {
		w := g.world(int(g.Uint64N(8)))
		for range tasksPerCluster {
			task := w.judge(g.taskIn(w))
			counts.add(&task.resolution.Verdict)
			for host, handed := range w.bindable(&task.resolution.Placement) {
				if wrong := w.wrong(&task, host, handed); wrong != "" {
					t.Fatalf("seed %d: %s\n%s", seed, wrong, w.table(&task))
				}
			}
		}
	}
	t.Logf("verdicts:\n%s", counts)
	// They are 8 to 9 in 100, whatever the seed.
	if most := clusters * tasksPerCluster / 10; counts["Unknown"] > most {
		t.Errorf("want %d unknown at most, got %d", most, counts["Unknown"])
	}
}

// wrong returns what is wrong about a verdict, if kube-scheduler binds the Pod to a node, "" for none, and hands out some devices. It is empty if
// nothing is.
func (w *world) wrong(task *judged, host string, handed []string) string {
	if wrong := disagreement(w.inventory, w.nodes, &task.resolution, task.fits, host); wrong != "" {
		return wrong
	}
	o := oracle{w.config, task.resources}
	if len(handed) > 0 {
		return w.mishanded(o, host, handed)
	}
	if wrong := w.mistake(o, &task.resolution, host); wrong != "" {
		return wrong
	}
	if host == "" && task.resolution.Verdict.Status == metav1.ConditionFalse {
		return w.missed(o)
	}
	return ""
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

// mistake compares a resolution with what the task needs, where a node gives it without devices. It returns "" if there is none. A node that takes
// no Pods at present may keep others from being chosen: a placement does not follow a node's readiness.
func (w *world) mistake(o oracle, resolution *placement.Resolution, host string) string {
	all, plain := true, len(w.slices) == 0
	for _, node := range w.nodes {
		all, plain = all && takesPods(node), plain && isPlain(node)
		if node.Name == host && (resolution.Placement.GPU != nil || !o.isHost(node)) && !o.isKind(node) {
			return fmt.Sprintf("%s, to which kube-scheduler binds, is not what gpuRequirements asks for, or runs Windows", host)
		}
		if gpu := resolution.Placement.GPU; node.Name == host && gpu != nil && !o.satisfied(node, gpu.ResourceName, int64(gpu.Count)) {
			return fmt.Sprintf("%s, to which kube-scheduler binds, does not give what the task needs", host)
		}
	}
	able := slices.IndexFunc(w.nodes, o.hosts)
	if all && able >= 0 && host == "" && (plain || resolution.Verdict.Status == metav1.ConditionFalse && isPlain(w.nodes[able])) {
		return fmt.Sprintf("%s could host the task, and the placement leaves it out", w.nodes[able].Name)
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

// expectEmpty deletes all that a world has.
func expectEmpty(ctx context.Context) {
	GinkgoHelper()
	for _, kind := range []client.Object{&corev1.Node{}, &resourcev1.ResourceSlice{}, &resourcev1.DeviceClass{}, &resourcev1.DeviceTaintRule{}} {
		Expect(k8s.DeleteAllOf(ctx, kind)).To(Succeed())
	}
}

// setCluster makes a world be all there is, and waits until kube-scheduler knows it: it learns of nodes in their order,
// and the last one is for a Pod of its own.
func setCluster(ctx context.Context, pods watch.Interface, w *world, number int) {
	GinkgoHelper()
	expectEmpty(ctx)
	for _, object := range w.objects() {
		Expect(k8s.Create(ctx, object)).To(Succeed())
	}
	nodes := withDaemonSets(w.nodes, w.config.Reserve)
	name := fmt.Sprintf("last-%d", number)
	last := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"last": name}}}
	last.Spec.Taints = []corev1.Taint{{Key: "last", Effect: corev1.TaintEffectNoSchedule}}
	last.Status.Allocatable = corev1.ResourceList{corev1.ResourcePods: resource.MustParse("1")}
	for _, node := range append(nodes[:len(nodes):len(nodes)], last) {
		Expect(testutil.CreateNode(ctx, k8s, node.DeepCopy())).To(Succeed())
	}
	pod := podOf(&v1alpha1.Placement{NodeSelector: last.Labels, Tolerations: []corev1.Toleration{{Key: "last", Operator: corev1.TolerationOpExists}}}, name)
	Expect(schedule(ctx, pods, pod, true)).To(Equal(name))
	expectKnown(ctx, pods, number)
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

// schedule creates a Pod, waits for what kube-scheduler makes of it, and deletes it. It returns the node, or "". A Pod that should be bound may have to
// wait until the devices of another are free again, or until kube-scheduler knows of a node.
func schedule(ctx context.Context, pods watch.Interface, pod *corev1.Pod, bound bool) string {
	GinkgoHelper()
	patience := time.After(20 * time.Second)
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
				if c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse && !bound {
					return ""
				}
			}
		case <-patience:
			return ""
		case <-ctx.Done():
			Fail("kube-scheduler does not decide")
		}
	}
}

// table shows a pair of a cluster and a task.
func (w *world) table(pair *judged) string {
	config, nodes, resources, resolution, fits := w.config, w.nodes, pair.resources, &pair.resolution, pair.fits
	var out strings.Builder
	tw := tabwriter.NewWriter(&out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(tw, "node\tcpu\tmemory\tpods\tGPUs\tcordoned\ttaints\tlabels\n")
	for _, node := range nodes {
		var gpus []string
		for name, q := range node.Status.Allocatable {
			if strings.HasPrefix(string(name), "nvidia.com/") {
				gpus = append(gpus, fmt.Sprintf("%s=%s", name, q.String()))
			}
		}
		a := node.Status.Allocatable
		fmt.Fprintf(tw, "%s\t%s\t%s\t%s\t%v\t%t\t%v\t%v %v\n", node.Name, a.Cpu(), a.Memory(), a.Pods(), gpus, node.Spec.Unschedulable, node.Spec.Taints, node.Labels, node.Annotations)
	}
	for _, fit := range fits {
		fmt.Fprintf(tw, "class %s\t%d nodes\t%s\n", fit.Class.Name, fit.Class.Nodes, fit.Why)
	}
	_ = tw.Flush() // into memory
	for name, what := range w.about {
		fmt.Fprintf(&out, "%s: %s\n", name, what)
	}
	task, _ := yaml.Marshal(resources)
	asked, _ := yaml.Marshal(resolution.Placement)
	fmt.Fprintf(&out, "\nconfig: %+v\n\ntask:\n%s\nverdict: %s\n\nplacement:\n%s", config, task, resolution.Verdict.Message(), asked)
	return out.String()
}
