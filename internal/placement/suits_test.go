package placement

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

// capable writes labels of GPU Feature Discovery with the compute capability.
func capable(product, memory, count, major, minor string) string {
	return gfd(product, memory, count) + "nvidia.com/gpu.compute.major=" + major + " nvidia.com/gpu.compute.minor=" + minor + " "
}

// TestGPURequirements: what GPUs must be besides their memory, by labels.
func TestGPURequirements(t *testing.T) {
	t4 := node(capable("Tesla-T4", "15360", "1", "7", "5"), "nvidia.com/gpu=1")
	l4 := node(capable("NVIDIA-L4", "23034", "1", "8", "9"), "nvidia.com/gpu=1")
	a100 := node(capable("NVIDIA-A100-SXM4-80GB", "81920", "8", "8", "0")+"kubernetes.io/arch=amd64", "nvidia.com/gpu=8")
	gh200 := node(capable("NVIDIA-GH200-480GB", "97871", "1", "9", "0")+"kubernetes.io/arch=arm64", "nvidia.com/gpu=1")
	untold := node(gfd("NVIDIA-L4", "23034", "1"), "nvidia.com/gpu=1")
	runFieldCases(t, "requirement", []fieldCase{
		{what: "a capability without a minor version", nodes: some(t4, a100), task: `{type: gpu, gpuMemory: 4Gi, gpuRequirements: {minComputeCapability: '8.0'}}`,
			want: "1 nvidia.com/gpu", gpus: "memory > 4095, compute.major > 7", verdict: isTrue},
		{what: "and with one", nodes: some(t4, l4, a100), task: `{type: gpu, gpuMemory: 4Gi, gpuRequirements: {minComputeCapability: '8.9'}}`,
			want: "1 nvidia.com/gpu", gpus: "memory > 4095, compute.major in 8, compute.minor > 8 | memory > 4095, compute.major > 8", verdict: isTrue},
		{what: "too old", nodes: some(t4), task: `{type: gpu, gpuMemory: 4Gi, gpuRequirements: {minComputeCapability: '8.0'}}`, gpus: "*", want: "1 nvidia.com/gpu",
			verdict: isFalse, says: []string{"Tesla-T4 (1 node): has compute capability 7.5, needs 8.0"}},
		{what: "of any size", nodes: some(t4, l4), task: `{type: gpu, gpuRequirements: {minComputeCapability: '8.0'}}`, want: "1 nvidia.com/gpu", gpus: "*", verdict: isTrue},
		{what: "untold", nodes: some(untold), task: `{type: gpu, gpuMemory: 4Gi, gpuRequirements: {minComputeCapability: '8.0'}}`, want: "1 nvidia.com/gpu", gpus: "*",
			verdict: isNoLabel, says: []string{"it has no label nvidia.com/gpu.compute.major", "run GPU Feature Discovery"}},
		{what: "untold, and too small", nodes: some(untold), task: `{type: gpu, gpuMemory: 40Gi, gpuRequirements: {minComputeCapability: '8.0'}}`, want: "1 nvidia.com/gpu", gpus: "*",
			verdict: isFalse},
		{what: "untold, several", nodes: some(node(gfd("A100", "81920", "8"), "nvidia.com/gpu=8")), gpus: "*",
			task: `{type: gpu, gpuMemory: 160Gi, gpuRequirements: {products: [A100], minComputeCapability: '8.0'}}`, want: "2 nvidia.com/gpu", verdict: isNoLabel},
		{what: "malformed", nodes: some(node(capable("L4", "23034", "1", "eight", "9"), "nvidia.com/gpu=1")), gpus: "*",
			task: `{type: gpu, gpuMemory: 4Gi, gpuRequirements: {minComputeCapability: '8.0'}}`, want: "1 nvidia.com/gpu", verdict: isFalse, says: []string{"LabelMalformed"}},
		{what: "the GPUs that are chosen are of the kind", nodes: some(a100, gh200), gpus: "*",
			task: `{type: gpu, gpuMemory: 90Gi, gpuRequirements: {architecture: amd64}}`, want: "2 nvidia.com/gpu", verdict: isTrue},
		{what: "also where something else is missing", nodes: some(a100, gh200), gpus: "*", task: `{type: gpu, cpu: 100, gpuMemory: 90Gi, gpuRequirements: {architecture: amd64}}`,
			want: "2 nvidia.com/gpu, cpu 100", verdict: isFalse, says: []string{"needs cpu 100"}},
		{what: "a slice of another product", nodes: some(node(gfd("A100-MIG-1g.10gb-SHARED", "9728", "7")+"nvidia.com/gpu.slices.gi=1", "nvidia.com/gpu=7")), gpus: "*",
			task: `{type: gpu, gpuMemory: 4Gi, gpuRequirements: {products: [A100-MIG]}}`, want: "1 nvidia.com/gpu", verdict: isFalse},
		{what: "a minor version that is too old", nodes: some(node(capable("A10G", "23028", "1", "8", "6"), "nvidia.com/gpu=1")), gpus: "*",
			task: `{type: gpu, gpuMemory: 4Gi, gpuRequirements: {minComputeCapability: '8.9'}}`, want: "1 nvidia.com/gpu", verdict: isFalse,
			says: []string{"has compute capability 8.6, needs 8.9"}},
		{what: "a near miss of another product", nodes: some(h100(), l4), gpus: "*", verdict: isFalse,
			task: `{type: gpu, gpuMemory: 80Gi, gpuRequirements: {products: [NVIDIA-L4]}}`, want: "1 nvidia.com/gpu"},
		{what: "an architecture", nodes: some(a100, gh200), task: `{type: gpu, gpuMemory: 90Gi, gpuRequirements: {architecture: arm64}}`, want: "1 nvidia.com/gpu",
			gpus: "memory > 92159, arch in arm64", verdict: isTrue},
		{what: "another architecture", nodes: some(gh200), task: `{type: gpu, gpuMemory: 90Gi, gpuRequirements: {architecture: amd64}}`, want: "1 nvidia.com/gpu",
			gpus: "*", verdict: isFalse, says: []string{"has the architecture arm64, not amd64"}},
		{what: "a product", nodes: some(t4, l4), task: `{type: gpu, gpuMemory: 4Gi, gpuRequirements: {products: [NVIDIA-L4, NVIDIA-L40S]}}`, want: "1 nvidia.com/gpu",
			gpus: "memory > 4095, product in NVIDIA-L4,NVIDIA-L40S", verdict: isTrue},
		{what: "another product", nodes: some(t4), task: `{type: gpu, gpuMemory: 4Gi, gpuRequirements: {products: [NVIDIA-L4]}}`, want: "1 nvidia.com/gpu", gpus: "*",
			verdict: isFalse, says: []string{"its GPUs are Tesla-T4, which gpuRequirements.products does not name"}},
		{what: "slices of a product", nodes: some(node(gfd("A100-MIG-1g.10gb", "9728", "7")+"nvidia.com/gpu.slices.gi=1", "nvidia.com/gpu=7")),
			task: `{type: gpu, gpuMemory: 4Gi, gpuRequirements: {products: [A100]}}`, want: "1 nvidia.com/gpu", verdict: isTrue,
			gpus: "memory > 4095, product in A100,A100-MIG-1g.10gb"},
		{what: "a profile that does not tell", config: func(c *Config) { c.Profiles = []Profile{profile("p", 23034, 1, "pool=l4")} }, nodes: some(node("", "")),
			task: `{type: gpu, gpuMemory: 4Gi, gpuRequirements: {products: [NVIDIA-L4]}}`, want: "1 nvidia.com/gpu", gpus: "*", verdict: isNoNode,
			says: []string{"none of the nodes has a GPU"}},
		{what: "a profile that tells", config: func(c *Config) { c.Profiles = []Profile{profile("p", 23034, 1, "nvidia.com/gpu.product=NVIDIA-L4")} }, nodes: some(node("", "")),
			task: `{type: gpu, gpuMemory: 4Gi, gpuRequirements: {products: [NVIDIA-L4]}}`, want: "1 nvidia.com/gpu", gpus: "*", verdict: isNoNode,
			says: []string{"a cluster autoscaler may add one"}},
		{what: "a profile and an architecture, which autoscalers know", config: func(c *Config) { c.Profiles = []Profile{profile("p", 23034, 1, "pool=l4")} },
			nodes: some(node("", "")), task: `{type: gpu, gpuMemory: 4Gi, gpuRequirements: {architecture: arm64}}`, want: "1 nvidia.com/gpu", gpus: "*", verdict: isNoNode,
			says: []string{"a cluster autoscaler may add one"}},
		{what: "Karpenter does not know the labels", nodes: some(node("karpenter.k8s.aws/instance-cpu=4", "")),
			task: `{type: gpu, gpuMemory: 4Gi, gpuRequirements: {minComputeCapability: '8.0'}}`, want: "1 nvidia.com/gpu", gpus: "*", verdict: isNoNode,
			says: []string{"none of the nodes has a GPU"}},
	})
}

// TestTooFewGPUs: a message says that a task needs more than one node only if nothing but the number of GPUs is amiss.
func TestTooFewGPUs(t *testing.T) {
	linux, windows := node(gfd("L4", "23034", "2"), "nvidia.com/gpu=2"), node(gfd("L4", "23034", "2")+"kubernetes.io/os=windows", "nvidia.com/gpu=2")
	for _, tc := range []struct {
		what  string
		nodes []*corev1.Node
		want  bool
	}{
		{"Linux", some(linux), true},
		{"Windows", some(windows), false},
		{"both", some(windows, linux), true},
	} {
		message := Resolve(gpuTask(60000), inventory(nil, tc.nodes...)).Verdict.Message()
		if got := strings.Contains(message, severalNodes); got != tc.want {
			t.Errorf("%s: want %t, got %q", tc.what, tc.want, message)
		}
	}
}

// TestWindows: where there are nodes with Windows, or a profile of some, every task keeps off them; elsewhere, placements do not tell of them.
func TestWindows(t *testing.T) {
	linux, windows := node(gfd("L4", "23034", "1"), "nvidia.com/gpu=1"), node(gfd("L4", "23034", "1")+"kubernetes.io/os=windows", "nvidia.com/gpu=1")
	for name, req := range map[string]Requirement{"cpu": {MilliCPU: 1000}, "gpu": gpuTask(0), "gpu with memory": gpuTask(4096)} {
		for _, tc := range []struct {
			what   string
			nodes  []*corev1.Node
			config func(*Config)
			want   string
			off    bool
		}{
			{"Linux", some(linux), nil, isTrue, false},
			{"both", some(linux, windows), nil, isTrue, true},
			{"Windows", some(windows), nil, isFalse, true},
			{"a profile", some(linux), func(c *Config) {
				c.Profiles = []Profile{{Name: "w", Memory: 23034, Count: 1, NodeSelector: map[string]string{"kubernetes.io/os": "windows"}}}
			}, isTrue, true},
		} {
			got := Resolve(req, inventory(tc.config, tc.nodes...))
			if verdict := string(got.Verdict.Status) + "/" + got.Verdict.Reason; verdict != tc.want {
				t.Errorf("%s, %s: want %s, got %s: %s", name, tc.what, tc.want, verdict, got.Verdict.Message())
			}
			if tc.want == isFalse && !strings.Contains(got.Verdict.Message(), "runs Windows") {
				t.Errorf("%s, %s: %s", name, tc.what, got.Verdict.Message())
			}
			var terms []corev1.NodeSelectorTerm
			if affinity := got.Placement.Affinity; affinity != nil && affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution != nil {
				terms = affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms
			}
			for _, term := range terms {
				off := slices.ContainsFunc(term.MatchExpressions, func(r corev1.NodeSelectorRequirement) bool {
					return cmp.Equal(r, noneOf("kubernetes.io/os", "windows"))
				})
				if off != tc.off {
					t.Errorf("%s, %s: keeps off Windows: want %t, got %v", name, tc.what, tc.off, term)
				}
			}
			if tc.off && len(terms) == 0 {
				t.Errorf("%s, %s: nothing keeps off Windows", name, tc.what)
			}
		}
	}
}

// FuzzCapability: whatever a label or a task says, a capability is read or is none, and a node that is selected is told to suit.
func FuzzCapability(f *testing.F) {
	f.Add("8.9", "8", "9")
	f.Add("10.0", "9", "")
	f.Add("99999999999999999999.1", "-1", "1e3")
	f.Fuzz(func(t *testing.T, text, major, minor string) {
		d := demand{Requirement: Requirement{Kind: Kind{Capability: CapabilityOf(text)}}}
		if d.Kind.Capability < 0 {
			t.Fatalf("%q is %d", text, d.Kind.Capability)
		}
		labels := map[string]string{gpuLabels + suffixMajor: major, gpuLabels + suffixMinor: minor}
		selected := false
		for _, way := range inventory(nil).ways(&d.Kind) {
			selected = selected || satisfies(way, labels)
		}
		if suits := d.suits(labels, nil) == fitYes; suits != selected {
			t.Errorf("%q: %v: told to suit: %t, selected: %t", text, labels, suits, selected)
		}
	})
}
