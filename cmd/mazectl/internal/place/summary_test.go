package place

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/placement"
)

// TestMachinesAreRead: what is tried of each machine is what it is said to have, by the labels of its node, and no more.
func TestMachinesAreRead(t *testing.T) {
	rules := placement.DefaultConfig()
	for i := range machines {
		m := &machines[i]
		if m.count == 0 {
			continue
		}
		inv := InventoryOf(rules, Nodes{Nodes: []corev1.Node{m.pool(rules.ResourceName).node}})
		all := int64(m.count * m.gpuMemory)
		for memory, want := range map[int64]metav1.ConditionStatus{all: metav1.ConditionTrue, all + 1: metav1.ConditionFalse} {
			got := placement.Resolve(placement.Requirement{Type: v1alpha1.ResourceTypeGPU, MilliCPU: 1000, GPUMemory: memory}, inv).Verdict
			if got.Status != want {
				t.Errorf("%s, %d MiB: want %s, got %s: %s", m.example, memory, want, got.Status, got.Message())
			}
		}
	}
}

// TestUnlocks: a pool unlocks what adding its node unlocks, and is left out if one before it unlocks as much.
func TestUnlocks(t *testing.T) {
	rules := placement.DefaultConfig()
	rules.Profiles = []placement.Profile{{Name: "own", Memory: 20000, Count: 1, NodeSelector: map[string]string{"pool": "own"}}}
	gpu := func(name string, memory int64) Judged {
		return Judged{task: task{name: name, requirement: placement.Requirement{Type: v1alpha1.ResourceTypeGPU, MilliCPU: 1000, GPUMemory: memory}}}
	}
	all := []Judged{
		gpu("tiny", 10000), gpu("small", 19000), gpu("large", 80000), gpu("huge", 500000), gpu("never", 1<<30),
		{task: task{name: "cores", requirement: placement.Requirement{Type: v1alpha1.ResourceTypeCPU, MilliCPU: 50000}}},
		{task: task{name: "refused", refused: "spec.name: Invalid value"}},
	}
	nodes := Inventories{rules: rules, all: Nodes{Nodes: []corev1.Node{machines[1].pool(rules.ResourceName).node}}}
	nodes.after = InventoryOf(rules, nodes.all)
	for i := range all {
		if all[i].refused != "" {
			all[i].Comparison = refusal(all[i].refused, false)
			continue
		}
		comparison := placement.Compare(all[i].requirement, nil, nodes.after)
		all[i].Comparison = &comparison
	}
	var got []string
	for _, u := range nodes.unlocks(all) {
		line := u.pool + ":"
		for _, j := range u.tasks {
			line += " " + j.name
		}
		got = append(got, line)
	}
	want := []string{
		"profile own: 1 GPU with 20000Mi: small cores", "4 x NVIDIA-L4 with 23034Mi (g6.12xlarge): small large",
		"4 x NVIDIA-A100-80GB-PCIe with 81920Mi (Standard_NC96ads_A100_v4): small large cores",
		"8 x NVIDIA-A100-SXM4-80GB with 81920Mi (p4de.24xlarge): small large huge cores",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if len(nodes.all.Nodes) != 1 {
		t.Errorf("the nodes that there are changed: %d", len(nodes.all.Nodes))
	}
	for _, p := range poolsOf(&rules) {
		grown := InventoryOf(rules, nodes.all.with(Nodes{Nodes: []corev1.Node{p.node}}))
		for _, j := range all {
			if j.refused == "" && placement.Compare(j.requirement, nodes.after, grown).Change == placement.ChangeStranded {
				t.Errorf("one more node of %s strands %s", p.name, j.name)
			}
		}
	}
}

// TestPoolsOfOtherMakers: GPUs of NVIDIA are no help where those of another maker are asked for.
func TestPoolsOfOtherMakers(t *testing.T) {
	rules := placement.DefaultConfig()
	rules.ResourceName = "amd.com/gpu"
	rules.Profiles = []placement.Profile{{Name: "mi300x", Memory: 196288, Count: 8, NodeSelector: map[string]string{"pool": "mi300x"}}}
	var got []string
	for _, p := range poolsOf(&rules) {
		got = append(got, p.name)
	}
	if diff := cmp.Diff([]string{"profile mi300x: 8 GPUs with 196288Mi", "64 CPUs, 256Gi (m7i.16xlarge)"}, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
