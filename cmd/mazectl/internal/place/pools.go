package place

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/sets"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/placement"
)

// pool is a pool of nodes that a cluster could get, with one node of it.
type pool struct {
	name string
	node corev1.Node
}

// machine is a kind of node that clouds sell.
type machine struct {
	// example is a name that a cloud has for it.
	example string
	cpu     int
	// memory is the main memory, in GiB.
	memory int
	// product is what GPU Feature Discovery calls the GPUs. Empty for a machine without any.
	product string
	// count is the number of GPUs. gpuMemory is that of one of them, in MiB, as NVIDIA's driver reports it.
	count, gpuMemory int
	// major and minor are the GPUs' compute capability.
	major, minor int
}

// machines are kinds of nodes, those that cost less first. Their sizes are those that AWS and Azure publish
// (https://aws.amazon.com/ec2/instance-types/, https://learn.microsoft.com/azure/virtual-machines/sizes/overview), the GPUs' memory is that of
// docs/placement.md, their compute capability that of https://developer.nvidia.com/cuda-gpus.
var machines = []machine{
	{example: "m7i.16xlarge", cpu: 64, memory: 256},
	{"g4dn.4xlarge", 16, 64, "Tesla-T4", 1, 15360, 7, 5},
	{"g6.4xlarge", 16, 64, "NVIDIA-L4", 1, 23034, 8, 9},
	{"g6e.4xlarge", 16, 128, "NVIDIA-L40S", 1, 46068, 8, 9},
	{"g6.12xlarge", 48, 192, "NVIDIA-L4", 4, 23034, 8, 9},
	{"Standard_NC24ads_A100_v4", 24, 220, "NVIDIA-A100-80GB-PCIe", 1, 81920, 8, 0},
	{"p5.4xlarge", 16, 256, "NVIDIA-H100-80GB-HBM3", 1, 81559, 9, 0},
	{"Standard_NC96ads_A100_v4", 96, 880, "NVIDIA-A100-80GB-PCIe", 4, 81920, 8, 0},
	{"p4de.24xlarge", 96, 1152, "NVIDIA-A100-SXM4-80GB", 8, 81920, 8, 0},
	{"p5.48xlarge", 192, 2048, "NVIDIA-H100-80GB-HBM3", 8, 81559, 9, 0},
	{"p5en.48xlarge", 192, 2048, "NVIDIA-H200", 8, 143771, 9, 0},
	{"p6-b200.48xlarge", 192, 2048, "NVIDIA-B200", 8, 183359, 10, 0},
}

// poolsOf returns the pools to try: those that the configuration describes by profiles, then machines that clouds sell. The latter have GPUs of
// NVIDIA, so a configuration for those of another maker gets only the machines without any.
func poolsOf(rules *placement.Config) []pool {
	var all []pool
	for i := range rules.Profiles {
		all = append(all, profilePool(rules, &rules.Profiles[i]))
	}
	for i := range machines {
		if machines[i].count == 0 || strings.HasPrefix(string(rules.ResourceName), "nvidia.com/") {
			all = append(all, machines[i].pool(rules.ResourceName))
		}
	}
	return all
}

// profilePool returns the pool of a profile. A profile does not tell how much else its nodes have: they are taken to have enough.
func profilePool(rules *placement.Config, p *placement.Profile) pool {
	const cpu, memory = 1 << 10, 1 << 14
	node := emptyNode(cpu, memory)
	for name, value := range p.NodeSelector {
		node.Labels[name] = value
	}
	node.Status.Allocatable[rules.ResourceName] = *resource.NewQuantity(p.Count, resource.DecimalSI)
	return pool{name: fmt.Sprintf("profile %s: %s with %dMi", p.Name, terminal.Plural(int(p.Count), "GPU"), p.Memory), node: node}
}

// pool returns the pool of a machine, whose GPUs are labelled as GPU Feature Discovery does.
func (m *machine) pool(name corev1.ResourceName) pool {
	node := emptyNode(m.cpu, m.memory)
	if m.count == 0 {
		return pool{name: fmt.Sprintf("%d CPUs, %dGi (%s)", m.cpu, m.memory, m.example), node: node}
	}
	node.Status.Allocatable[name] = *resource.NewQuantity(int64(m.count), resource.DecimalSI)
	for label, value := range map[string]string{
		"product": m.product, "memory": strconv.Itoa(m.gpuMemory), "count": strconv.Itoa(m.count), "replicas": "1", "sharing-strategy": "none",
		"present": "true", "compute.major": strconv.Itoa(m.major), "compute.minor": strconv.Itoa(m.minor),
	} {
		node.Labels["nvidia.com/gpu."+label] = value
	}
	return pool{name: fmt.Sprintf("%d x %s with %dMi (%s)", m.count, m.product, m.gpuMemory, m.example), node: node}
}

func emptyNode(cpu, gibibytes int) corev1.Node {
	return corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{corev1.LabelOSStable: "linux", corev1.LabelArchStable: "amd64"}},
		Status: corev1.NodeStatus{Allocatable: corev1.ResourceList{
			corev1.ResourceCPU:    *resource.NewQuantity(int64(cpu), resource.DecimalSI),
			corev1.ResourceMemory: *resource.NewQuantity(int64(gibibytes)<<30, resource.BinarySI),
			corev1.ResourcePods:   *resource.NewQuantity(maxPods, resource.DecimalSI),
		}},
	}
}

// unlock is what one more node would do.
type unlock struct {
	pool  string
	tasks []Judged
}

// unlocks tries one more node of each pool. It returns those that tasks can run on which no node is known to host now, and leaves out a pool
// if one before it does as much.
func (n *Inventories) unlocks(all []Judged) []unlock {
	waiting := map[placement.Requirement][]Judged{}
	for _, j := range all {
		if j.refused == "" && j.After.Verdict.Status != metav1.ConditionTrue {
			waiting[j.requirement] = append(waiting[j.requirement], j)
		}
	}
	if len(waiting) == 0 {
		return nil
	}
	var found []unlock
	var before []sets.Set[placement.Requirement]
	for _, p := range poolsOf(&n.rules) {
		grown := InventoryOf(n.rules, n.all.with(Nodes{Nodes: []corev1.Node{p.node}}))
		set := sets.New[placement.Requirement]()
		for req := range waiting {
			if placement.Resolve(req, grown).Verdict.Status == metav1.ConditionTrue {
				set.Insert(req)
			}
		}
		if len(set) == 0 || slices.ContainsFunc(before, func(other sets.Set[placement.Requirement]) bool { return other.IsSuperset(set) }) {
			continue
		}
		before = append(before, set)
		next := unlock{pool: p.name}
		for _, j := range all {
			if j.refused == "" && set.Has(j.requirement) {
				next.tasks = append(next.tasks, j)
			}
		}
		found = append(found, next)
	}
	return found
}
