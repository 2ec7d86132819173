package placement

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// TestCases has every case of the design, by its number. Nodes have 8 GPUs, 64 cores and 512Gi unless noted.
func TestCases(t *testing.T) {
	const (
		feasible   = "True/Feasible"
		infeasible = "False/NoFeasibleNode"
		noNodes    = "Unknown/NoInventory"
		noLabel    = "Unknown/MemoryLabelMissing"
	)
	var (
		nominal     = func(c *Config) { c.Nominal = true }
		timeSlicing = func(c *Config) { c.TimeSlicing = true }
		mps         = func(c *Config) { c.MPS = true }
		tolerateSKU = func(c *Config) {
			c.Tolerations = []corev1.Toleration{{Key: "sku", Operator: corev1.TolerationOpEqual, Value: "gpu", Effect: corev1.TaintEffectNoSchedule}}
		}
		profileL4 = func(c *Config) {
			c.Profiles = []Profile{{Name: "l4", Memory: 23034, Count: 8, NodeSelector: map[string]string{"cloud.google.com/gke-accelerator": "nvidia-l4"}}}
		}
	)
	cases := []struct {
		number int
		what   string
		nodes  []*corev1.Node
		config func(*Config)
		task   string // as in spec.resources
		// want is what the Pod asks for, and gpus what it asks of nodes.
		want    string
		gpus    string
		verdict string
		says    string
	}{
		{1, "cpu 2, 1Gi", some(cpuNode()), nil, `{cpu: 2, memory: 1Gi}`, "cpu 2, memory 1Gi", "", feasible, ""},
		{2, "cpu with gpuMemory", nil, nil, `{gpuMemory: 4Gi}`, "", "", "refused", "gpuMemory needs type: gpu; set the type, or remove gpuMemory"},
		{2, "io with gpuMemory", nil, nil, `{type: io, gpuMemory: 4Gi}`, "", "", "refused", "gpuMemory needs type: gpu; set the type, or remove gpuMemory"},
		{3, "gpu, no gpuMemory", some(gpuNode("T4", 15360)), nil, `{type: gpu}`, "1 nvidia.com/gpu", "", feasible, ""},
		{4, "gpuMemory 4096", nil, nil, `{type: gpu, gpuMemory: 4096}`, "", "", "refused", "gpuMemory is 4096 bytes; did you mean \"4096Mi\"?"},
		{5, "4096Mi", some(gpuNode("T4", 15360)), nil, `{type: gpu, gpuMemory: 4096Mi}`, "1 nvidia.com/gpu", "memory > 4095", feasible, ""},
		{5, "4Gi gives the same bytes", some(gpuNode("T4", 15360)), nil, `{type: gpu, gpuMemory: 4Gi}`, "1 nvidia.com/gpu", "memory > 4095", feasible, ""},
		{6, "T4×1, 4096Mi", some(gpuNode("T4", 15360, gpus(1))), nil, `{type: gpu, gpuMemory: 4096Mi}`, "1 nvidia.com/gpu", "memory > 4095", feasible, ""},
		{7, "T4×1, 15360Mi", some(gpuNode("T4", 15360, gpus(1))), nil, `{type: gpu, gpuMemory: 15360Mi}`, "1 nvidia.com/gpu", "memory > 15359", feasible, ""},
		{8, "T4×1, 16Gi", some(gpuNode("T4", 15360, gpus(1))), nil, `{type: gpu, gpuMemory: 16Gi}`, "1 nvidia.com/gpu", "memory > 16383", infeasible,
			"T4 (1 node): needs 16384Mi on one GPU, has 15360Mi, and one GPU on a node: short 1024Mi"},
		{9, "H100, 80000Mi", some(h100()), nil, `{type: gpu, gpuMemory: 80000Mi}`, "1 nvidia.com/gpu", "memory > 79999", feasible, ""},
		{10, "H100, 80Gi", some(h100()), nil, `{type: gpu, gpuMemory: 80Gi}`, "2 nvidia.com/gpu", "memory > 40959, whole", feasible,
			"short 361Mi of one H100; 79Gi or 80G would fit one"},
		{11, "as 10, Nominal", some(h100()), nominal, `{type: gpu, gpuMemory: 80Gi}`, "1 nvidia.com/gpu", "memory > 76293", feasible, ""},
		{12, "H100 and A100-80, 80Gi", some(h100(), a100()), nil, `{type: gpu, gpuMemory: 80Gi}`, "1 nvidia.com/gpu", "memory > 81919", feasible, ""},
		{13, "A100-80 at 81251, 80Gi", some(gpuNode("A100", 81251)), nil, `{type: gpu, gpuMemory: 80Gi}`, "2 nvidia.com/gpu", "memory > 40959, whole", feasible,
			"short 669Mi of one A100; 79Gi or 80G would fit one"},
		{14, "A100-80, 160Gi", some(a100()), nil, `{type: gpu, gpuMemory: 160Gi}`, "2 nvidia.com/gpu", "memory > 81919, whole", feasible, ""},
		{15, "H100, 160Gi, huggingface", some(h100()), nil, `{type: gpu, gpuMemory: 160Gi, backend: huggingface}`, "3 nvidia.com/gpu", "memory > 54613, whole", feasible, ""},
		{16, "H100, 160Gi, vllm", some(h100()), nil, `{type: gpu, gpuMemory: 160Gi, backend: vllm}`, "4 nvidia.com/gpu, tensor parallel 4", "memory > 40959, whole", feasible, ""},
		{17, "B200, 160Gi", some(gpuNode("B200", 183359)), nil, `{type: gpu, gpuMemory: 160Gi}`, "1 nvidia.com/gpu", "memory > 163839", feasible, ""},
		{18, "A100-40 and H100, 160Gi, huggingface", some(gpuNode("A100-40", 40960), h100()), nil, `{type: gpu, gpuMemory: 160Gi, backend: huggingface}`, "3 nvidia.com/gpu", "memory > 54613, whole", feasible, ""},
		{19, "A100-80, gpuMemory 160G (decimal)", some(a100()), nil, `{type: gpu, gpuMemory: 160G}`, "2 nvidia.com/gpu", "memory > 76293, whole", feasible, ""},
		{20, "20 nodes of T4×1, 160Gi", times(20, gpuNode("T4", 15360, gpus(1))), nil, `{type: gpu, gpuMemory: 160Gi}`, "1 nvidia.com/gpu", "memory > 163839", infeasible,
			"T4 (20 nodes): needs 163840Mi on one GPU, has 15360Mi, and one GPU on a node: short 148480Mi"},
		{21, "memory label in bytes", some(gpuNode("T4", 15360, label("nvidia.com/gpu.memory", "16106127360"))), nil, `{type: gpu, gpuMemory: 4Gi}`, "1 nvidia.com/gpu", "memory > 4095", infeasible,
			`T4 (1 node): LabelMalformed: its label nvidia.com/gpu.memory is "16106127360" and not a number of MiB`},
		{22, "label 81920MiB", some(gpuNode("A100", 0, label("nvidia.com/gpu.memory", "81920MiB"))), nil, `{type: gpu, gpuMemory: 4Gi}`, "1 nvidia.com/gpu", "memory > 4095", infeasible,
			`A100 (1 node): LabelMalformed: its label nvidia.com/gpu.memory is "81920MiB" and not a number of MiB`},
		{23, "GPUs, no memory label", some(gpuNode("T4", 0, noLabels())), nil, `{type: gpu, gpuMemory: 4Gi}`, "1 nvidia.com/gpu", "memory > 4095", noLabel,
			"nvidia.com/gpu (1 node): MemoryLabelMissing: it has no label nvidia.com/gpu.memory"},
		{24, "time-sliced only, not allowed", some(gpuNode("T4-SHARED", 15360, shared("time-slicing"))), nil, `{type: gpu, gpuMemory: 4Gi}`, "1 nvidia.com/gpu", "memory > 4095", infeasible,
			"its GPUs are shared by time-slicing; set gpu.sharing.timeSlicing: Allow in the operator's configuration"},
		{25, "time-sliced, allowed, k = 2", some(gpuNode("T4-SHARED", 15360, shared("time-slicing"))), timeSlicing, `{type: gpu, gpuMemory: 30Gi}`, "1 nvidia.com/gpu", "memory > 30719, time-sliced", infeasible,
			"needs 30720Mi on one GPU, has 15360Mi on a shared GPU, and those do not add up: short 15360Mi"},
		{26, "MPS×4 on A100-80, allowed: 16Gi", some(gpuNode("A100-SHARED", 81920, shared("mps"))), mps, `{type: gpu, gpuMemory: 16Gi}`, "1 nvidia.com/gpu", "memory > 16383 | mps of 4, memory > 65535", feasible, ""},
		{26, "MPS×4 on A100-80, allowed: 24Gi", some(gpuNode("A100-SHARED", 81920, shared("mps"))), mps, `{type: gpu, gpuMemory: 24Gi}`, "1 nvidia.com/gpu", "memory > 24575 | mps of 4, memory > 98303", infeasible,
			"needs 24576Mi on one GPU, has 20480Mi on a shared GPU, and those do not add up: short 4096Mi"},
		{27, "sharing renamed to nvidia.com/gpu.shared, allowed", some(gpuNode("T4", 15360, shared("time-slicing"), renamed("nvidia.com/gpu.shared"))), timeSlicing, `{type: gpu, gpuMemory: 4Gi}`,
			"1 nvidia.com/gpu.shared", "memory > 4095, time-sliced", feasible, ""},
		{28, "H100 MIG single 1g.10gb: 10Gi", some(migSingle("1g.10gb", 9984)), nil, `{type: gpu, gpuMemory: 10Gi}`, "1 nvidia.com/gpu", "memory > 10239", infeasible,
			"needs 10240Mi on one GPU, has 9984Mi on a MIG slice, and slices do not add up: short 256Mi; 9Gi or 10G would fit one"},
		{28, "H100 MIG single 1g.10gb: 9Gi", some(migSingle("1g.10gb", 9984)), nil, `{type: gpu, gpuMemory: 9Gi}`, "1 nvidia.com/gpu", "memory > 9215", feasible, ""},
		{29, "as 28, 20Gi", some(migSingle("1g.10gb", 9984)), nil, `{type: gpu, gpuMemory: 20Gi}`, "1 nvidia.com/gpu", "memory > 20479", infeasible,
			"needs 20480Mi on one GPU, has 9984Mi on a MIG slice, and slices do not add up"},
		{30, "mixed 1g.10gb and 3g.40gb, 9Gi", some(migMixed("1g.10gb", 9984), migMixed("3g.40gb", 40448)), nil, `{type: gpu, gpuMemory: 9Gi}`, "1 nvidia.com/mig-1g.10gb", "mig-1g.10gb.memory > 9215", feasible, ""},
		{31, "mixed, allocatable gpu 0, 60Gi", some(migMixed("3g.40gb", 40448)), nil, `{type: gpu, gpuMemory: 60Gi}`, "1 nvidia.com/gpu", "memory > 61439", infeasible,
			"needs 61440Mi on one GPU, has 40448Mi on a MIG slice, and slices do not add up"},
		{32, "1g.10gb+me", some(migMixed("1g.10gb.me", 9984)), nil, `{type: gpu, gpuMemory: 9Gi}`, "1 nvidia.com/mig-1g.10gb.me", "mig-1g.10gb.me.memory > 9215", feasible, ""},
		{33, "MIG-INVALID", some(gpuNode("H100-MIG-INVALID", 0, label("nvidia.com/gpu.memory", "0"), gpus(0))), nil, `{type: gpu, gpuMemory: 9Gi}`, "1 nvidia.com/gpu", "memory > 9215", infeasible,
			"H100-MIG-INVALID (1 node): has no nvidia.com/gpu that can be allocated"},
		{34, "taint nvidia.com/gpu", some(gpuNode("T4", 15360, taint("nvidia.com/gpu", "present"))), nil, `{type: gpu, gpuMemory: 4Gi}`, "1 nvidia.com/gpu", "memory > 4095", feasible, ""},
		{35, "taint sku=gpu: not configured", some(gpuNode("T4", 15360, taint("sku", "gpu"))), nil, `{type: gpu, gpuMemory: 4Gi}`, "1 nvidia.com/gpu", "memory > 4095", infeasible,
			"T4 (1 node): has the taint sku=gpu:NoSchedule, which gpu.tolerations in the operator's configuration do not tolerate"},
		{35, "taint sku=gpu: configured", some(gpuNode("T4", 15360, taint("sku", "gpu"))), tolerateSKU, `{type: gpu, gpuMemory: 4Gi}`, "1 nvidia.com/gpu", "memory > 4095", feasible, ""},
		{36, "only cordoned nodes fit", some(h100(cordoned()), gpuNode("T4", 15360)), nil, `{type: gpu, gpuMemory: 20Gi}`, "1 nvidia.com/gpu", "memory > 20479", infeasible,
			"H100 (1 node): takes no Pods now: cordoned or not ready"},
		{36, "only NotReady nodes fit", some(h100(notReady()), gpuNode("T4", 15360)), nil, `{type: gpu, gpuMemory: 20Gi}`, "1 nvidia.com/gpu", "memory > 20479", infeasible,
			"H100 (1 node): takes no Pods now: cordoned or not ready"},
		{37, "GPUs on one node, enough cpu only on another", some(gpuNode("T4", 15360, cpu("4")), cpuNode()), nil, `{type: gpu, gpuMemory: 4Gi, cpu: 32}`, "1 nvidia.com/gpu, cpu 32", "memory > 4095", infeasible,
			"T4 (1 node): needs cpu 32, has 4; without GPU (1 node): has no GPU"},
		{38, "no GPU node: 4Gi", some(cpuNode()), nil, `{type: gpu, gpuMemory: 4Gi}`, "1 nvidia.com/gpu", "memory > 4095", noNodes, "none of the nodes has a GPU"},
		{38, "no GPU node: 160Gi", some(cpuNode()), nil, `{type: gpu, gpuMemory: 160Gi}`, "1 nvidia.com/gpu", "memory > 163839", noNodes, "none of the nodes has a GPU"},
		{39, "configured profile L4, no node", some(cpuNode()), profileL4, `{type: gpu, gpuMemory: 20Gi}`, "1 nvidia.com/gpu",
			"memory > 20479 | gke-accelerator in nvidia-a100-80gb…nvidia-tesla-a100, whole | gke-accelerator in nvidia-l4, whole", noNodes,
			"no node of the profile l4 can host the task yet"},
		{40, "hostile labels and quantities", some(gpuNode("T4", 0, label("nvidia.com/gpu.memory", "-9223372036854775809"), label("nvidia.com/gpu.replicas", "1e9"), quantity("nvidia.com/gpu", "1e30"))), nil,
			`{type: gpu, gpuMemory: 4Gi}`, "1 nvidia.com/gpu", "memory > 4095", infeasible, "T4 (1 node): has no nvidia.com/gpu that can be allocated"},
	}
	for _, tc := range cases {
		t.Run(fmt.Sprintf("%d %s", tc.number, tc.what), func(t *testing.T) {
			resources, refusal := admit(t, tc.task)
			if refusal != "" || tc.verdict == "refused" {
				if tc.verdict != "refused" || !strings.Contains(refusal, tc.says) {
					t.Fatalf("admission: want %s %q, got %q", tc.verdict, tc.says, refusal)
				}
				return
			}
			got := Resolve(RequirementOf(resources), inventory(tc.config, tc.nodes...))
			if diff := cmp.Diff([]string{tc.want, tc.gpus}, []string{asked(&got.Placement), selected(&got.Placement)}); diff != "" {
				t.Errorf("Resolve(...).Placement: -want, +got:\n%s", diff)
			}
			if verdict := fmt.Sprintf("%s/%s", got.Verdict.Status, got.Verdict.Reason); verdict != tc.verdict || !strings.Contains(got.Verdict.Message(), tc.says) {
				t.Errorf("Resolve(...).Verdict: want %s %q, got %s: %s", tc.verdict, tc.says, verdict, got.Verdict.Message())
			}
		})
	}
}

// asked writes what the placement requests, but for a cpu of 1 and a memory of 1Gi, which are the defaults, with GPUs.
func asked(placement *v1alpha1.Placement) string {
	var parts []string
	for _, name := range sortedKeys(placement.Requests) {
		q := placement.Requests[name]
		switch {
		case placement.GPU != nil && name == placement.GPU.ResourceName:
			limit := placement.Limits[name]
			if limit.Cmp(q) != 0 || q.Value() != int64(placement.GPU.Count) {
				parts = append(parts, "a limit or count that differs")
			}
			parts = append([]string{fmt.Sprintf("%s %s", q.String(), name)}, parts...)
		case placement.GPU == nil || q.String() != "1" && q.String() != "1Gi":
			parts = append(parts, fmt.Sprintf("%s %s", name, q.String()))
		}
	}
	if placement.GPU != nil && placement.GPU.TensorParallelSize > 0 {
		parts = append(parts, fmt.Sprintf("tensor parallel %d", placement.GPU.TensorParallelSize))
	}
	return strings.Join(parts, ", ")
}

// selected writes what the placement selects nodes by, briefly: what keeps off shared GPUs, and the ceiling, are left out.
func selected(placement *v1alpha1.Placement) string {
	var parts []string
	for _, name := range sortedKeys(placement.NodeSelector) {
		parts = append(parts, name+"="+placement.NodeSelector[name])
	}
	if placement.GPU == nil || placement.Affinity == nil {
		return strings.Join(parts, ", ")
	}
	var terms []string
	for _, term := range placement.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms {
		terms = append(terms, brief(term))
	}
	return strings.Join(append(parts, strings.Join(terms, " | ")), ", ")
}

func brief(term corev1.NodeSelectorTerm) string {
	var parts []string
	sliced := true
	for _, r := range term.MatchExpressions {
		key := strings.TrimPrefix(strings.TrimPrefix(r.Key, "nvidia.com/gpu."), "nvidia.com/")
		switch values := strings.Join(r.Values, ","); {
		case r.Operator == corev1.NodeSelectorOpGt:
			parts = append(parts, key+" > "+values)
		case r.Operator == corev1.NodeSelectorOpIn && key == "sharing-strategy":
			parts = append([]string{values + " of"}, parts...)
			sliced = false
		case r.Operator == corev1.NodeSelectorOpIn && key == "replicas":
			parts[0] += " " + values
		case r.Operator == corev1.NodeSelectorOpIn:
			if len(r.Values) > 2 {
				values = r.Values[0] + "…" + r.Values[len(r.Values)-1]
			}
			parts = append(parts, key[strings.LastIndex(key, "/")+1:]+" in "+values)
		case r.Operator == corev1.NodeSelectorOpNotIn && strings.Contains(values, string(sharingTimeSlicing)):
			sliced = false
		case r.Operator == corev1.NodeSelectorOpNotIn && key != "sharing-strategy" && key != gkeSharing:
			parts = append(parts, key[strings.LastIndex(key, "/")+1:]+" not "+values)
		case r.Operator == corev1.NodeSelectorOpExists:
			parts = append(parts, key[strings.LastIndex(key, "/")+1:])
		case r.Operator == corev1.NodeSelectorOpDoesNotExist && key == "memory":
			parts = append(parts, "memory not there")
		case r.Operator == corev1.NodeSelectorOpDoesNotExist && key == "slices.gi":
			parts = append(parts, "whole")
		}
	}
	if sliced {
		parts = append(parts, "time-sliced")
	}
	return strings.Join(parts, ", ")
}

// cordoned, notReady and the like change a node that gpuNode makes.
type nodeOption func(*corev1.Node)

func cordoned() nodeOption { return func(n *corev1.Node) { n.Spec.Unschedulable = true } }

func notReady() nodeOption {
	return func(n *corev1.Node) {
		n.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionUnknown}}
		n.Spec.Taints = append(n.Spec.Taints, corev1.Taint{Key: "node.kubernetes.io/unreachable", Effect: corev1.TaintEffectNoSchedule})
	}
}

func taint(key, value string) nodeOption {
	return func(n *corev1.Node) {
		n.Spec.Taints = append(n.Spec.Taints, corev1.Taint{Key: key, Value: value, Effect: corev1.TaintEffectNoSchedule})
	}
}
