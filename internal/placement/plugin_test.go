package placement

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// capacity sets what a node has, while nothing of it need be allocatable.
func capacity(value string) nodeOption {
	return func(n *corev1.Node) {
		if n.Status.Capacity == nil {
			n.Status.Capacity = corev1.ResourceList{}
		}
		n.Status.Capacity["nvidia.com/gpu"] = resource.MustParse(value)
	}
}

// TestDevicePluginRestart follows a node through what a kubelet writes while a device plugin, or the kubelet itself, restarts: the capacity stays
// for five minutes after the plugin has gone and is 0 while a kubelet waits for it; the labels stay. No placement changes.
func TestDevicePluginRestart(t *testing.T) {
	labels := gfd("H100", "81559", "8")
	gpu := func(allocatable, has string, options ...nodeOption) *corev1.Node {
		n := node(labels, "nvidia.com/gpu="+allocatable, append(options, capacity(has))...)
		n.Name = "h100"
		return n
	}
	t4 := node(gfd("T4", "15360", "8"), "nvidia.com/gpu=8")
	t4.Name = "t4"
	builder := NewBuilder(DefaultConfig())
	builder.Set(gpu("8", "8"))
	builder.Set(t4)
	req, cpuOnly := gpuTask(60000), Requirement{MilliCPU: 1000}
	steady, free := Resolve(req, builder.Inventory()), Resolve(cpuOnly, builder.Inventory())
	for _, step := range []struct {
		what, verdict string
		node          *corev1.Node
		change        bool
	}{
		{"the plugin ends", "False/NoFeasibleNode", gpu("0", "8"), true},
		{"it registers again", isTrue, gpu("8", "8"), true},
		{"one GPU is not healthy", isTrue, gpu("7", "8"), true},
		{"all are", isTrue, gpu("8", "8"), true},
		{"the kubelet starts", "Unknown/NoInventory", gpu("0", "0"), true},
		{"a heartbeat", "Unknown/NoInventory", gpu("0", "0"), false},
		{"the plugin registers", isTrue, gpu("8", "8"), true},
		{"the node reboots", "False/NoFeasibleNode", gpu("0", "0", notReady()), true},
		{"and is back", isTrue, gpu("8", "8"), true},
	} {
		if got := builder.Set(step.node); got != step.change {
			t.Errorf("%s: Set: want %t, got %t", step.what, step.change, got)
		}
		got := Resolve(req, builder.Inventory())
		if diff := cmp.Diff(steady.Placement, got.Placement); diff != "" {
			t.Errorf("%s: the placement flaps: -before +after:\n%s", step.what, diff)
		}
		if verdict := fmt.Sprintf("%s/%s", got.Verdict.Status, got.Verdict.Reason); verdict != step.verdict {
			t.Errorf("%s: want %s, got %s: %s", step.what, step.verdict, verdict, got.Verdict.Message())
		}
		if got := Resolve(cpuOnly, builder.Inventory()); got.Verdict.Reason != "Feasible" || !cmp.Equal(got.Placement, free.Placement) {
			t.Errorf("%s: a task without GPU: %s", step.what, got.Verdict.Message())
		}
	}
}

// TestRestartedPluginOfTasksWithoutGPU: a node whose plugin is gone still takes Pods without GPUs.
func TestRestartedPluginOfTasksWithoutGPU(t *testing.T) {
	only := node(gfd("H100", "81559", "8"), "nvidia.com/gpu=0", capacity("8"))
	if got := Resolve(Requirement{MilliCPU: 1000}, inventory(nil, only)); got.Verdict.Reason != "Feasible" {
		t.Errorf("want it feasible, got %s", got.Verdict.Message())
	}
}

// TestStaleResource: what a kubelet keeps of a plugin that was removed is no GPU.
func TestStaleResource(t *testing.T) {
	for name, stale := range map[string]*corev1.Node{
		"zero": node("", "nvidia.com/gpu=0", capacity("0")),
		"MIG":  node("", "nvidia.com/gpu=0 nvidia.com/mig-1g.5gb=0"),
		"none": node("", ""),
	} {
		got := Resolve(gpuTask(4096), inventory(nil, stale))
		if verdict := fmt.Sprintf("%s/%s", got.Verdict.Status, got.Verdict.Reason); verdict != isNoNode {
			t.Errorf("%s: want %s, got %s: %s", name, isNoNode, verdict, got.Verdict.Message())
		}
	}
}

// TestSlimKeepsWhatSetReads: of a node that was slimmed, an inventory is the same.
func TestSlimKeepsWhatSetReads(t *testing.T) {
	config := DefaultConfig()
	config.Profiles = []Profile{profile("p", 20000, 1, "pool=x")}
	config.Accelerators = []Accelerator{{Label: "example.com/gpu", Value: "a10", Memory: 23028}}
	for i, n := range []*corev1.Node{
		node(gfd("H100", "81559", "8"), "nvidia.com/gpu=0", capacity("8")),
		node("karpenter.k8s.aws/instance-cpu=4 pool=x kubernetes.azure.com/agentpool=a", "amd.com/gpu=1"),
		node("example.com/gpu=a10 cloud.google.com/gke-accelerator=nvidia-l4", "nvidia.com/gpu=1", func(n *corev1.Node) {
			n.Annotations = map[string]string{hamiAnnotation: "x", "other": "y"}
		}),
	} {
		once := config.Slim(n)
		if diff := cmp.Diff(config.classify(n), config.classify(once)); diff != "" {
			t.Errorf("%d: -whole +slim:\n%s", i, diff)
		}
		if diff := cmp.Diff(once, config.Slim(once)); diff != "" {
			t.Errorf("%d: -slim +slimmed again:\n%s", i, diff)
		}
		if config.stateOf(n) != config.stateOf(once) {
			t.Errorf("%d: another state", i)
		}
	}
}

// TestAWSMemory: what AWS tells selects only GPUs that have enough.
func TestAWSMemory(t *testing.T) {
	for memory := int64(1); memory < 300000; memory += 7 {
		threshold := awsTold(memory)
		for _, row := range awsMemory {
			if row.told >= threshold && row.least < memory {
				t.Fatalf("%dMi: %d is selected, and has %d", memory, row.told, row.least)
			}
		}
		if least := awsLeast(threshold + threshold/15 + 1); least < memory {
			t.Fatalf("%dMi: %d is selected, of which nothing is known", memory, threshold)
		}
	}
	for _, row := range awsMemory {
		if awsTold(row.least) > row.told {
			t.Errorf("a GPU with %dMi is not selected for as much: AWS tells %d, asked for %d", row.least, row.told, awsTold(row.least))
		}
	}
}

func TestGlobMatches(t *testing.T) {
	for _, tc := range []struct {
		pattern, text string
		want          bool
	}{
		{"a", "a", true}, {"a", "ab", false}, {"a*", "ab", true}, {"*b", "ab", true}, {"*.csi.aws.com/x", "ebs.csi.aws.com/x", true}, {"a*b*c", "axxbyyc", true},
		{"a*b*c", "axxcyyb", false}, {"*", "", true}, {"a*a", "a", false}, {"", "", true}, {"**", "x", true},
	} {
		if got := globMatches(tc.pattern, tc.text); got != tc.want {
			t.Errorf("globMatches(%q, %q): want %t", tc.pattern, tc.text, tc.want)
		}
	}
}
