package placement

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

func gpuTask(mebibytes int64) Requirement {
	return Requirement{Type: v1alpha1.ResourceTypeGPU, MilliCPU: 1000, Memory: 1 << 30, GPUMemory: mebibytes}
}

// TestPlacementDoesNotFollowReadiness: nodes that come back in a moment are no reason to ask for other GPUs.
func TestPlacementDoesNotFollowReadiness(t *testing.T) {
	big, small := h100(), gpuNode("T4", 15360)
	big.Name, small.Name = "big", "small"
	builder := NewBuilder(DefaultConfig())
	builder.Set(big)
	builder.Set(small)
	req := gpuTask(60000)
	steady := Resolve(req, builder.Inventory())

	unschedulable := func(option nodeOption) *corev1.Node {
		node := big.DeepCopy()
		option(node)
		return node
	}
	steps := []struct {
		what        string
		node        *corev1.Node
		wantChange  bool
		wantVerdict string
	}{
		{"not ready", unschedulable(notReady()), true, "False/NoFeasibleNode"},
		{"not ready and cordoned", unschedulable(func(n *corev1.Node) { notReady()(n); cordoned()(n) }), false, "False/NoFeasibleNode"},
		{"cordoned only", unschedulable(cordoned()), false, "False/NoFeasibleNode"},
		{"being removed by an autoscaler", unschedulable(taint("ToBeDeletedByClusterAutoscaler", "1")), false, "False/NoFeasibleNode"},
		{"back", big, true, "True/Feasible"},
		{"heartbeat", big, false, "True/Feasible"},
		{"another label", unschedulable(label("example.com/rack", "7")), false, "True/Feasible"},
	}
	for _, step := range steps {
		if changed := builder.Set(step.node); changed != step.wantChange {
			t.Errorf("%s: Set(...): want %t, got %t", step.what, step.wantChange, changed)
		}
		got := Resolve(req, builder.Inventory())
		if diff := cmp.Diff(steady.Placement, got.Placement); diff != "" {
			t.Errorf("%s: the placement flaps: -before, +after:\n%s", step.what, diff)
		}
		if verdict := fmt.Sprintf("%s/%s", got.Verdict.Status, got.Verdict.Reason); verdict != step.wantVerdict {
			t.Errorf("%s: want %s, got %s: %s", step.what, step.wantVerdict, verdict, got.Verdict.Message())
		}
	}

	if !builder.Remove("big") {
		t.Error("Remove(big): want a change: the last node of its class is gone")
	}
	if got := Resolve(req, builder.Inventory()).Placement.GPU.Count; got != 4 {
		t.Errorf("without the H100: want 4 T4, got %d", got)
	}
}

// TestCountsOfNodesAreNoChange: of two nodes that are alike, either may come, go or be cordoned.
func TestCountsOfNodesAreNoChange(t *testing.T) {
	node := func(name string, options ...nodeOption) *corev1.Node {
		n := h100(options...)
		n.Name = name
		return n
	}
	builder := NewBuilder(DefaultConfig())
	builder.Set(node("a"))
	before := Resolve(gpuTask(90000), builder.Inventory())
	steps := []struct {
		what string
		do   func() bool
		want bool
	}{
		{"a second one", func() bool { return builder.Set(node("b")) }, false},
		{"the first is cordoned", func() bool { return builder.Set(node("a", cordoned())) }, false},
		{"and goes", func() bool { return builder.Remove("a") }, false},
		{"and goes again", func() bool { return builder.Remove("a") }, false},
		{"the second becomes another class", func() bool { return builder.Set(node("b", gpus(4))) }, true},
		{"and the one it was", func() bool { return builder.Set(node("b")) }, true},
	}
	for _, step := range steps {
		if got := step.do(); got != step.want {
			t.Errorf("%s: want a change: %t, got %t", step.what, step.want, got)
		}
	}
	after := Resolve(gpuTask(90000), builder.Inventory())
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("the same class: -before, +after:\n%s", diff)
	}
}

// TestMachinesOfOneTypeAreOneClass: their memory differs by some KiB. What the largest can host is what the class can.
func TestMachinesOfOneTypeAreOneClass(t *testing.T) {
	node := func(name, memory string, options ...nodeOption) *corev1.Node {
		n := h100(append(options, quantity("memory", memory))...)
		n.Name = name
		return n
	}
	config := DefaultConfig()
	config.Reserve = Reserve{}
	builder := NewBuilder(config)
	req := gpuTask(1000)
	req.Memory = 960<<30 + 8<<10
	steps := []struct {
		what, verdict string
		do            func() bool
		want          bool
	}{
		{"a node", "False/NoFeasibleNode", func() bool { return builder.Set(node("a", "1006632960Ki")) }, true},
		{"a smaller one", "False/NoFeasibleNode", func() bool { return builder.Set(node("b", "1006632956Ki")) }, false},
		{"a larger one", "True/Feasible", func() bool { return builder.Set(node("c", "1006632968Ki")) }, true},
		{"which is cordoned", "False/NoFeasibleNode", func() bool { return builder.Set(node("c", "1006632968Ki", cordoned())) }, true},
		{"and is back", "True/Feasible", func() bool { return builder.Set(node("c", "1006632968Ki")) }, true},
		{"the smaller one goes", "True/Feasible", func() bool { return builder.Remove("b") }, false},
		{"the larger one goes", "False/NoFeasibleNode", func() bool { return builder.Remove("c") }, true},
	}
	for _, step := range steps {
		if got := step.do(); got != step.want {
			t.Errorf("%s: want a change: %t, got %t", step.what, step.want, got)
		}
		inv := builder.Inventory()
		if n := len(inv.Classes()); n != 1 {
			t.Errorf("%s: want 1 class, got %d", step.what, n)
		}
		if got := Resolve(req, inv).Verdict; fmt.Sprintf("%s/%s", got.Status, got.Reason) != step.verdict {
			t.Errorf("%s: want %s, got %v", step.what, step.verdict, got)
		}
	}
}

// TestOvertakingIsAChange: of two classes that serve a task as well, the one with more nodes is taken, else the first by name.
func TestOvertakingIsAChange(t *testing.T) {
	builder := NewBuilder(DefaultConfig())
	set := func(name string) bool {
		resource := "nvidia.com/mig-" + name[:1]
		node := h100(renamed(resource), label(resource+".memory", "9984"))
		node.Name = name
		return builder.Set(node)
	}
	remove := func(name string) bool { return builder.Remove(name) }
	steps := []struct {
		do   func(string) bool
		node string
		want bool
		then corev1.ResourceName
	}{
		{set, "a1", true, "nvidia.com/mig-a"},
		{set, "b1", true, "nvidia.com/mig-a"},
		{set, "b2", true, "nvidia.com/mig-b"},
		{set, "b3", false, "nvidia.com/mig-b"},
		{set, "a2", false, "nvidia.com/mig-b"},
		{set, "a3", true, "nvidia.com/mig-a"},
		{remove, "a3", true, "nvidia.com/mig-b"},
		{remove, "a2", false, "nvidia.com/mig-b"},
		{remove, "a1", true, "nvidia.com/mig-b"},
	}
	for _, step := range steps {
		if got := step.do(step.node); got != step.want {
			t.Errorf("%s: want a change: %t, got %t", step.node, step.want, got)
		}
		if got := Resolve(gpuTask(9000), builder.Inventory()).Placement.GPU.ResourceName; got != step.then {
			t.Errorf("%s: want %s to be chosen, got %s", step.node, step.then, got)
		}
	}
}

func TestAbout(t *testing.T) {
	for n, want := range map[int64]int64{-1: -1, 0: 0, 63: 63, 64: 64, 65: 66, 127: 128, 512<<30 - 4096: 512 << 30} {
		if got := about(n); got != want {
			t.Errorf("about(%d): want %d, got %d", n, want, got)
		}
	}
}

// TestOrderOfNodesDoesNotMatter: the same nodes give the same bytes.
func TestOrderOfNodesDoesNotMatter(t *testing.T) {
	nodes := some(h100(), a100(), gpuNode("T4", 15360), cpuNode(), migMixed("1g.10gb", 9984), gpuNode("L4", 23034, taint("sku", "gpu")))
	reversed := make([]*corev1.Node, len(nodes))
	for i, node := range nodes {
		reversed[len(nodes)-1-i] = node
	}
	for _, mebibytes := range []int64{0, 9000, 20000, 81920, 160000, 1 << 20} {
		one, two := Resolve(gpuTask(mebibytes), inventory(nil, nodes...)), Resolve(gpuTask(mebibytes), inventory(nil, reversed...))
		if diff := cmp.Diff(one, two); diff != "" {
			t.Errorf("%dMi: -one order, +the other:\n%s", mebibytes, diff)
		}
	}
}

// TestPlacementOfWhatNoGPUHas: nothing is known, and yet the placement can be satisfied.
func TestPlacementOfWhatNoGPUHas(t *testing.T) {
	for mebibytes, want := range map[int64]int32{1<<20 - 1: 1, 1 << 20: 2, 1 << 30: 1025} {
		got := Resolve(gpuTask(mebibytes), inventory(nil))
		if got.Placement.GPU.Count != want || got.Placement.GPU.MemoryPerGPU >= memoryCeiling {
			t.Errorf("%dMi: want %d GPUs below the ceiling, got %+v", mebibytes, want, *got.Placement.GPU)
		}
	}
}

// BenchmarkResolve resolves one task against 50 classes, of which the last that fits is the best.
func BenchmarkResolve(b *testing.B) {
	var nodes []*corev1.Node
	for i := range 50 {
		nodes = append(nodes, gpuNode(fmt.Sprintf("GPU-%02d", i), int64(10000+i*1000), cpu(fmt.Sprint(16+i))))
	}
	inv := inventory(nil, nodes...)
	for name, req := range map[string]Requirement{"fits": gpuTask(59000), "several": gpuTask(200000), "fits nowhere": gpuTask(1 << 19), "cpu": {MilliCPU: 1000}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				Resolve(req, inv)
			}
		})
	}
}

// TestAlike: of two nodes that are alike, Set knows one as the other.
func TestAlike(t *testing.T) {
	config := DefaultConfig()
	base := h100(taint("sku", "gpu"))
	cases := map[string]struct {
		change nodeOption
		want   bool
	}{
		"a heartbeat":      {func(n *corev1.Node) { n.ResourceVersion, n.Annotations = "2", map[string]string{"beat": "2"} }, true},
		"a foreign label":  {label("example.com/rack", "7"), true},
		"a GPU label":      {label("nvidia.com/gpu.memory", "1"), false},
		"cordoned":         {cordoned(), false},
		"not ready":        {notReady(), false},
		"a taint more":     {taint("another", ""), false},
		"another taint":    {func(n *corev1.Node) { n.Spec.Taints[0].Value = "cpu" }, false},
		"fewer GPUs":       {gpus(4), false},
		"a little memory":  {quantity("memory", "1"), false},
		"another resource": {quantity("nvidia.com/mig-1g.10gb", "1"), false},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			changed := base.DeepCopy()
			tc.change(changed)
			if got := Alike(config.Slim(base), config.Slim(changed)); got != tc.want {
				t.Errorf("Alike(...): want %t, got %t", tc.want, got)
			}
		})
	}
}

// TestLegacyReplicasKeepOffNoMPS: what keeps off time-sliced GPUs that say only their number of replicas, keeps off no MPS.
func TestLegacyReplicasKeepOffNoMPS(t *testing.T) {
	unnamed := gpuNode("L40S-SHARED", 46068, shared("time-slicing"))
	delete(unnamed.Labels, "nvidia.com/gpu.sharing-strategy")
	for _, mebibytes := range []int64{0, 4000} {
		inv := inventory(func(c *Config) { c.MPS = true }, unnamed, gpuNode("A100-SHARED", 81920, shared("mps")))
		got, fits := Explain(gpuTask(mebibytes), inv)
		if got.Verdict.Reason != v1alpha1.ReasonFeasible {
			t.Errorf("%dMi: want it feasible, got %v", mebibytes, got.Verdict)
		}
		for _, fit := range fits {
			if fits, want := fit.Why == "", fit.Class.Name == "A100-SHARED"; fits != want {
				t.Errorf("%dMi: %s fits: %t, want %t", mebibytes, fit.Class.Name, fits, want)
			}
		}
	}
}
