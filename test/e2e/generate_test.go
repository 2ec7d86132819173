package e2e

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/placement"
)

// generator makes clusters and tasks. The same seed gives the same ones.
type generator struct{ *rand.Rand }

func pick[T any](g generator, of ...T) T { return of[g.IntN(len(of))] }

// oneIn is true in one of n cases.
func (g generator) oneIn(n int) bool { return g.IntN(n) == 0 }

// card is a GPU with its memory in MiB, as its label says it.
type card struct {
	product string
	memory  int64
}

var cards = []card{
	{"Tesla-T4", 15360}, {"NVIDIA-L4", 23034}, {"NVIDIA-A10G", 23028}, {"NVIDIA-L40S", 46068}, {"NVIDIA-A100-SXM4-40GB", 40960},
	{"NVIDIA-A100-SXM4-80GB", 81920}, {"NVIDIA-H100-80GB-HBM3", 81559}, {"NVIDIA-H200", 143771}, {"NVIDIA-B200", 183359},
}

// slice is a MIG profile with its memory in MiB.
type slice struct {
	profile string
	memory  int64
}

var profiles = []slice{{"1g.5gb", 4864}, {"1g.10gb", 9984}, {"1g.10gb.me", 9984}, {"3g.40gb", 40448}}

const (
	resourceGPU  = "nvidia.com/gpu"
	acceleration = "cloud.google.com/gke-accelerator"
)

// config is an operator's configuration.
func (g generator) config() placement.Config {
	config := placement.DefaultConfig()
	if g.oneIn(2) {
		config.Reserve = placement.Reserve{}
	}
	config.Nominal, config.TimeSlicing, config.MPS = g.oneIn(3), g.oneIn(2), g.oneIn(2)
	if g.oneIn(2) {
		config.Tolerations = []corev1.Toleration{{Key: "sku", Operator: corev1.TolerationOpEqual, Value: "gpu", Effect: corev1.TaintEffectNoSchedule}}
	}
	if g.oneIn(20) { // with them, much is Unknown: an autoscaler may add a node
		config.Profiles = []placement.Profile{
			{Name: "l4", Memory: 23034, Count: 4, NodeSelector: map[string]string{acceleration: "nvidia-l4"}},
			{Name: "h100", Memory: 81559, Count: 8, NodeSelector: map[string]string{acceleration: "nvidia-h100-80gb"},
				Tolerations: []corev1.Toleration{{Key: "reserved", Operator: corev1.TolerationOpExists}}},
		}
	}
	return config
}

// cluster returns up to 16 nodes of up to 8 shapes.
func (g generator) cluster() []*corev1.Node {
	var nodes []*corev1.Node
	shapes := 1 + g.IntN(8)
	if g.oneIn(80) {
		shapes = 0
	}
	for range shapes {
		shape := g.node()
		for range 1 + g.IntN(2) {
			node := shape.DeepCopy()
			node.Status.Allocatable.Memory().Sub(*resource.NewQuantity(int64(g.IntN(3))*4096, resource.BinarySI))
			if g.oneIn(8) {
				node.Spec.Unschedulable = true
			}
			if g.oneIn(8) {
				node.Spec.Taints = append(node.Spec.Taints, corev1.Taint{Key: corev1.TaintNodeUnreachable, Effect: corev1.TaintEffectNoSchedule})
			}
			node.Name = fmt.Sprintf("node-%d", len(nodes))
			nodes = append(nodes, node)
		}
	}
	return nodes
}

// node returns a node that might exist, or one that is labelled wrongly.
func (g generator) node() *corev1.Node {
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"kubernetes.io/os": "linux"}}}
	node.Status.Allocatable = corev1.ResourceList{
		corev1.ResourceCPU:    resource.MustParse(pick(g, "3920m", "16", "63", "64", "64")),
		corev1.ResourceMemory: resource.MustParse(pick(g, "15Gi", "64Gi", "536870908Ki", "512Gi", "1Ti")),
		corev1.ResourcePods:   resource.MustParse(pick(g, "0", "1", "110", "110", "110", "110", "110", "110", "110", "110")),
	}
	kinds := []func(*corev1.Node){func(*corev1.Node) {}, g.whole, g.whole, g.whole, g.whole, g.whole, g.whole, g.whole, g.shared, g.shared, g.migSingle, g.migMixed, g.unlabelled, g.malformed}
	if g.oneIn(4) {
		kinds = g.clouds()
	}
	pick(g, kinds...)(node)
	g.kind(node)
	if g.oneIn(4) {
		node.Spec.Taints = append(node.Spec.Taints, pick(g,
			corev1.Taint{Key: resourceGPU, Value: "present", Effect: corev1.TaintEffectNoSchedule},
			corev1.Taint{Key: resourceGPU, Value: "present", Effect: corev1.TaintEffectNoExecute},
			corev1.Taint{Key: "sku", Value: "gpu", Effect: corev1.TaintEffectNoSchedule},
			corev1.Taint{Key: "reserved", Effect: corev1.TaintEffectNoSchedule},
			corev1.Taint{Key: "node.cilium.io/agent-not-ready", Effect: corev1.TaintEffectNoSchedule},
			corev1.Taint{Key: "costly", Effect: corev1.TaintEffectPreferNoSchedule},
		))
	}
	return node
}

func (g generator) whole(node *corev1.Node) {
	c := pick(g, cards...)
	count := pick(g, 0, 1, 2, 4, 8, 8, 8)
	label(node, resourceGPU, c.product, c.memory, pick(g, 0, 1), "none")
	allocate(node, resourceGPU, count)
}

func (g generator) shared(node *corev1.Node) {
	c, replicas, strategy := pick(g, cards...), pick(g, 2, 4, 10), pick(g, "mps", "time-slicing", "")
	label(node, resourceGPU, c.product+"-SHARED", c.memory, replicas, strategy)
	name := pick(g, resourceGPU, resourceGPU, resourceGPU+".shared")
	allocate(node, name, replicas*pick(g, 1, 2))
}

func (g generator) migSingle(node *corev1.Node) {
	c, s := pick(g, cards[4:7]...), pick(g, profiles...)
	label(node, resourceGPU, c.product+"-MIG-"+s.profile, s.memory, 1, "none")
	node.Labels["nvidia.com/gpu.slices.gi"] = s.profile[:1]
	allocate(node, resourceGPU, pick(g, 1, 7, 14, 56))
	if g.oneIn(5) {
		label(node, resourceGPU, c.product+"-MIG-INVALID", 0, 0, "none")
		allocate(node, resourceGPU, 0)
	}
}

func (g generator) migMixed(node *corev1.Node) {
	c := pick(g, cards[4:7]...)
	label(node, resourceGPU, c.product, c.memory, 0, "none")
	allocate(node, resourceGPU, pick(g, 0, 0, 2))
	for _, s := range profiles[:1+g.IntN(len(profiles))] {
		name := "nvidia.com/mig-" + s.profile
		label(node, name, c.product+"-MIG-"+s.profile, s.memory, 1, "none")
		allocate(node, name, 1+g.IntN(7))
	}
}

// unlabelled is a node without GPU Feature Discovery, or with that of a cloud only.
func (g generator) unlabelled(node *corev1.Node) {
	allocate(node, resourceGPU, pick(g, 1, 8))
	if !g.oneIn(4) {
		c := pick(g, card{"nvidia-l4", 23034}, card{"nvidia-h100-80gb", 81559}, card{"nvidia-tesla-v100", 16130}, card{"nvidia-l4", 23034}, card{"nvidia-of-tomorrow", 0})
		node.Labels[acceleration] = c.product
		if c.memory > 0 {
			setTruth(node, c.memory, true)
		}
	}
}

func (g generator) malformed(node *corev1.Node) {
	g.whole(node)
	maps.Copy(node.Labels, pick(g,
		map[string]string{resourceGPU + ".memory": "16106127360"}, map[string]string{resourceGPU + ".memory": "81920MiB"},
		map[string]string{resourceGPU + ".memory": "16GB"}, map[string]string{resourceGPU + ".memory": ""},
		map[string]string{resourceGPU + ".memory": "0"}, map[string]string{resourceGPU + ".memory": "1048576"},
		map[string]string{resourceGPU + ".memory": "9.5"}, map[string]string{resourceGPU + ".memory": "040960"},
		map[string]string{resourceGPU + ".sharing-strategy": "other"}))
}

func label(node *corev1.Node, prefix, product string, memory int64, replicas int, strategy string) {
	node.Labels[prefix+".product"], node.Labels[prefix+".memory"] = product, strconv.FormatInt(memory, 10)
	node.Labels[prefix+".replicas"] = strconv.Itoa(replicas)
	if strategy != "" {
		node.Labels[prefix+".sharing-strategy"] = strategy
	}
}

func allocate(node *corev1.Node, name string, count int) {
	node.Status.Allocatable[corev1.ResourceName(name)] = *resource.NewQuantity(int64(count), resource.DecimalSI)
}

// task returns what a task needs, near what the nodes have.
func (g generator) task(nodes []*corev1.Node) v1alpha1.Resources {
	r := v1alpha1.Resources{
		Type:   pick(g, v1alpha1.ResourceTypeGPU, v1alpha1.ResourceTypeGPU, v1alpha1.ResourceTypeGPU, v1alpha1.ResourceTypeCPU, v1alpha1.ResourceTypeIO),
		CPU:    ptr.To(resource.MustParse(pick(g, "1", "1", "1", "1", "1", "1", "500m", "3920m", "3921m", "16", "64", "65"))),
		Memory: ptr.To(resource.MustParse(pick(g, "1Gi", "1Gi", "1Gi", "1Gi", "1Gi", "1Mi", "16Gi", "536870908Ki", "512Gi", "513Gi"))),
	}
	if r.Type == v1alpha1.ResourceTypeGPU && g.oneIn(5) {
		r.GPURequirements = g.requirements()
	}
	if r.Type == v1alpha1.ResourceTypeGPU && !g.oneIn(8) {
		r.GPUMemory = resource.NewQuantity(g.gpuMemory(nodes)<<20, resource.BinarySI)
		r.Backend = pick(g, "", "vllm", "huggingface", "SGLang")
		if g.oneIn(6) {
			r.GPUCounts = pick(g, []int32{1, 2, 4, 7}, []int32{2, 3}, []int32{1})
		}
	}
	return r
}

// gpuMemory returns MiB: what some GPU of the cluster has, or several, and one more or less.
func (g generator) gpuMemory(nodes []*corev1.Node) int64 {
	memory := pick(g, cards...).memory
	for _, node := range nodes {
		for _, name := range slices.Sorted(maps.Keys(node.Labels)) {
			if labelled, err := strconv.ParseInt(node.Labels[name], 10, 64); err == nil && labelled > 0 && labelled < 1<<20 && len(name) > 7 &&
				name[len(name)-7:] == ".memory" && g.oneIn(2) {
				memory = labelled
			}
		}
	}
	memory = memory * pick(g, int64(1), 1, 1, 2, 3, 5, 8) / pick(g, int64(1), 1, 1, 1, 2, 4, 10)
	return max(1, memory+pick(g, int64(-1), 0, 0, 1))
}
