package placement

import (
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

// fieldCase is a set of nodes that someone has, a task, and what is right for it.
type fieldCase struct {
	what   string
	nodes  []*corev1.Node
	config func(*Config)
	task   string
	// want is what the Pod asks for, gpus what it asks of nodes; gpus is not compared if it is "*".
	want, gpus, verdict string
	// says are parts of the message.
	says []string
}

// node makes one of 32 cores and 128Gi by its labels and other resources, written as "name=value". A label with an empty value has "".
func node(labels, allocatable string, options ...nodeOption) *corev1.Node {
	n := cpuNode(cpu("32"), quantity("memory", "128Gi"))
	for text := range strings.FieldsSeq(labels) {
		key, value, _ := strings.Cut(text, "=")
		n.Labels[key] = value
	}
	for text := range strings.FieldsSeq(allocatable) {
		key, value, _ := strings.Cut(text, "=")
		quantity(key, value)(n)
	}
	for _, option := range options {
		option(n)
	}
	return n
}

// gfd writes labels of GPU Feature Discovery.
func gfd(product, memory, count string) string {
	return fmt.Sprintf("nvidia.com/gpu.product=%s nvidia.com/gpu.memory=%s nvidia.com/gpu.count=%s nvidia.com/gpu.replicas=1 ", product, memory, count)
}

// karpenter writes labels of Karpenter.
func karpenter(name, memory, count string) string {
	return fmt.Sprintf("karpenter.k8s.aws/instance-gpu-name=%s karpenter.k8s.aws/instance-gpu-memory=%s karpenter.k8s.aws/instance-gpu-count=%s ", name, memory, count)
}

const (
	isTrue    = "True/Feasible"
	isFalse   = "False/NoFeasibleNode"
	isNoNode  = "Unknown/NoInventory"
	isNoLabel = "Unknown/MemoryLabelMissing"
)

func runFieldCases(t *testing.T, kind string, cases []fieldCase) {
	t.Helper()
	for i, tc := range cases {
		t.Run(fmt.Sprintf("%s.%d %s", kind, i, tc.what), func(t *testing.T) {
			resources, refusal := admit(t, tc.task)
			if refusal != "" {
				t.Fatal(refusal)
			}
			inv := inventory(tc.config, tc.nodes...)
			got := Resolve(RequirementOf(resources), inv)
			selects := selected(&got.Placement)
			if tc.gpus == "*" {
				selects = "*"
			}
			if diff := cmp.Diff([]string{tc.want, tc.gpus}, []string{asked(&got.Placement), selects}); diff != "" {
				t.Errorf("placement: -want, +got:\n%s", diff)
			}
			message := got.Verdict.Message()
			if verdict := fmt.Sprintf("%s/%s", got.Verdict.Status, got.Verdict.Reason); verdict != tc.verdict {
				t.Errorf("want %s, got %s: %s", tc.verdict, verdict, message)
			}
			for _, part := range tc.says {
				if !strings.Contains(message, part) {
					t.Errorf("want %q in %q", part, message)
				}
			}
		})
	}
}

func profiles(all ...Profile) func(*Config) { return func(c *Config) { c.Profiles = all } }

func profile(name string, memory, count int64, labels string) Profile {
	p := Profile{Name: name, Memory: memory, Count: count, NodeSelector: map[string]string{}}
	maps.Copy(p.NodeSelector, node(labels, "").Labels)
	delete(p.NodeSelector, "kubernetes.io/os")
	return p
}

func allowAll(c *Config) { c.TimeSlicing, c.MPS = true, true }

func nominal(c *Config) { c.Nominal = true }

// TestField1: more GPUs than labels vouch for are shares.
func TestField1(t *testing.T) {
	const gke = "cloud.google.com/gke-accelerator=nvidia-l4 cloud.google.com/gke-gpu-sharing-strategy=time-sharing cloud.google.com/gke-max-shared-clients-per-gpu=4 "
	hami := func(n *corev1.Node) {
		n.Annotations = map[string]string{hamiAnnotation: "GPU-1,10,23034,100,NVIDIA-L4,0,true:"}
	}
	runFieldCases(t, "F1", []fieldCase{
		{"GKE shares an L4 into 4", some(node(gfd("NVIDIA-L4", "23034", "1")+gke, "nvidia.com/gpu=4")), nil, `{type: gpu, gpuMemory: 80Gi, backend: vllm}`,
			"1 nvidia.com/gpu, tensor parallel 1", "*", isFalse, []string{"shared by time-slicing", "gpu.sharing.timeSlicing: Allow"}},
		{"GKE without GPU Feature Discovery, any size", some(node(gke, "nvidia.com/gpu=4")), nil, `{type: gpu}`, "1 nvidia.com/gpu", "*", isFalse,
			[]string{"shared by time-slicing"}},
		{"the same, allowed: alone", some(node(gke, "nvidia.com/gpu=4")), allowAll, `{type: gpu, gpuMemory: 20Gi}`, "1 nvidia.com/gpu", "*", isTrue,
			[]string{"the table of accelerators"}},
		{"GKE's MPS of 4, allowed: a quarter", some(node("cloud.google.com/gke-accelerator=nvidia-l4 cloud.google.com/gke-gpu-sharing-strategy=mps "+
			"cloud.google.com/gke-max-shared-clients-per-gpu=4", "nvidia.com/gpu=4")), allowAll, `{type: gpu, gpuMemory: 6Gi}`, "1 nvidia.com/gpu", "*", isFalse,
			[]string{"has 5758Mi on a shared GPU"}},
		{"the same, allowed: less than a quarter", some(node("cloud.google.com/gke-accelerator=nvidia-l4 cloud.google.com/gke-gpu-sharing-strategy=mps "+
			"cloud.google.com/gke-max-shared-clients-per-gpu=4", "nvidia.com/gpu=4")), allowAll, `{type: gpu, gpuMemory: 5Gi}`, "1 nvidia.com/gpu", "*", isTrue, nil},
		{"a GKE partition", some(node("cloud.google.com/gke-accelerator=nvidia-tesla-a100 cloud.google.com/gke-accelerator-count=1 "+
			"cloud.google.com/gke-gpu-partition-size=1g.5gb", "nvidia.com/gpu=7")), nil, `{type: gpu, gpuMemory: 20Gi}`, "1 nvidia.com/gpu", "*", isFalse,
			[]string{"on a MIG slice, and slices do not add up"}},
		{"a GKE partition that is enough", some(node("cloud.google.com/gke-accelerator=nvidia-tesla-a100 cloud.google.com/gke-accelerator-count=1 "+
			"cloud.google.com/gke-gpu-partition-size=3g.20gb", "nvidia.com/gpu=2")), nil, `{type: gpu, gpuMemory: 16Gi}`, "1 nvidia.com/gpu", "*", isTrue, nil},
		{"HAMi splits 8 cards in 10 each", some(node(gfd("NVIDIA-L4", "23034", "8"), "nvidia.com/gpu=80", hami)), nil, `{type: gpu, gpuMemory: 160Gi}`,
			"1 nvidia.com/gpu", "*", isFalse, []string{"shared by HAMi"}},
		{"HAMi without GPU Feature Discovery", some(node("gpu=on", "nvidia.com/gpu=10", hami)), nil, `{type: gpu}`, "1 nvidia.com/gpu", "*", isFalse,
			[]string{"shared by HAMi"}},
		{"two models on a node", some(node(gfd("NVIDIA-H100-80GB-HBM3", "81559", "1"), "nvidia.com/gpu=3")), nil, `{type: gpu, gpuMemory: 70Gi}`,
			"1 nvidia.com/gpu", "*", isFalse, []string{"allocates 3 nvidia.com/gpu, and the label nvidia.com/gpu.memory vouches for 1", "GPUs of several models"}},
		{"two models on a node, sharing allowed", some(node(gfd("NVIDIA-H100-80GB-HBM3", "81559", "1"), "nvidia.com/gpu=2")), allowAll,
			`{type: gpu, gpuMemory: 70Gi}`, "1 nvidia.com/gpu", "*", isNoLabel, []string{"describe the nodes by a profile"}},
		{"a profile vouches for less", some(node("pool=l4", "nvidia.com/gpu=4")), profiles(profile("l4", 23034, 1, "pool=l4")), `{type: gpu, gpuMemory: 20Gi}`,
			"1 nvidia.com/gpu", "*", isFalse, []string{"the profile l4 vouches for 1"}},
		{"a fraction of an L4, from Karpenter", some(node(karpenter("l4", "2861", "0")+gfd("NVIDIA-L4-3Q", "3072", "1"), "nvidia.com/gpu=1")), nil,
			`{type: gpu, gpuMemory: 2Gi}`, "1 nvidia.com/gpu", "*", isNoNode, []string{"has a fraction of a GPU"}},
	})
}

// TestField1KeepsOff: where whole GPUs are beside shared ones, the placement selects the whole ones alone.
func TestField1KeepsOff(t *testing.T) {
	const gke = "cloud.google.com/gke-gpu-sharing-strategy=time-sharing cloud.google.com/gke-max-shared-clients-per-gpu=4 "
	hami := func(n *corev1.Node) { n.Annotations = map[string]string{hamiAnnotation: ""} }
	whole := node(gfd("NVIDIA-L4", "23034", "4")+"cloud.google.com/gke-accelerator=nvidia-l4 karpenter.k8s.aws/instance-gpu-memory=22888 karpenter.k8s.aws/instance-gpu-count=4",
		"nvidia.com/gpu=4")
	for name, shared := range map[string]*corev1.Node{
		"GKE":         node(gfd("NVIDIA-L4", "23034", "1")+gke, "nvidia.com/gpu=4"),
		"GKE, bare":   node("cloud.google.com/gke-accelerator=nvidia-l4 "+gke, "nvidia.com/gpu=4"),
		"HAMi":        node(gfd("NVIDIA-L4", "23034", "1"), "nvidia.com/gpu=10", hami),
		"HAMi, bare":  node("", "nvidia.com/gpu=10", hami),
		"models":      node(gfd("NVIDIA-H100", "81559", "1"), "nvidia.com/gpu=3"),
		"fraction":    node(karpenter("l4", "11444", "0")+gfd("NVIDIA-L4-12Q", "30000", "1"), "nvidia.com/gpu=1"),
		"stale":       node(gfd("A100", "81920", "2")+"nvidia.com/gpu.replicas=0", "nvidia.com/gpu=2 nvidia.com/mig-1g.10gb=1"),
		"MIG, single": node(gfd("A100-MIG-1g.5gb", "4864", "7")+"nvidia.com/gpu.slices.gi=1 "+karpenter("a100", "40960", "1"), "nvidia.com/gpu=7"),
	} {
		for _, mebibytes := range []int64{0, 10000, 40000} {
			got, fits := Explain(gpuTask(mebibytes), inventory(nil, whole, shared))
			if name == "MIG, single" && mebibytes == 0 {
				continue // one of any size
			}
			if got.Verdict.Reason != "Feasible" {
				t.Errorf("%s, %dMi: want the whole GPUs, got %s", name, mebibytes, got.Verdict.Message())
			}
			pod := placementPod(&got.Placement)
			if pod.fits(shared, Reserve{}) {
				t.Errorf("%s, %dMi: the Pod may come to shares: %s", name, mebibytes, selected(&got.Placement))
			}
			fitting := 0
			for _, fit := range fits {
				if fit.Why == "" {
					fitting++
				}
			}
			if fitting != 1 {
				t.Errorf("%s, %dMi: want one class to fit, got %+v", name, mebibytes, fits)
			}
		}
	}
}

// TestField1Ambiguous: where shares have all labels of whole GPUs, a Pod goes to neither.
func TestField1Ambiguous(t *testing.T) {
	labels := gfd("NVIDIA-L4", "23034", "1")
	shared := node(labels, "nvidia.com/gpu=10")
	got := Resolve(gpuTask(10000), inventory(nil, node(labels, "nvidia.com/gpu=1"), shared))
	if got.Verdict.Reason != "MemoryLabelMissing" || placementPod(&got.Placement).fits(shared, Reserve{}) {
		t.Errorf("want neither, and to be told: %s; %s", got.Verdict.Message(), selected(&got.Placement))
	}
}

// TestField2: sizes as they are sold.
func TestField2(t *testing.T) {
	l4 := some(node(gfd("NVIDIA-L4", "23034", "4"), "nvidia.com/gpu=4"))
	slices := some(node("nvidia.com/mig-1g.12gb.memory=11008 nvidia.com/mig-1g.12gb.count=7 nvidia.com/gpu.product=H100-NVL", "nvidia.com/mig-1g.12gb=7"))
	single := node(gfd("H100-NVL-MIG-1g.12gb", "11008", "7")+"nvidia.com/gpu.slices.gi=1", "nvidia.com/gpu=7")
	runFieldCases(t, "F2", []fieldCase{
		{"an L4, 24Gi", l4, nominal, `{type: gpu, gpuMemory: 24Gi}`, "1 nvidia.com/gpu", "memory > 22888", isTrue, nil},
		{"an L4, 24G", l4, nominal, `{type: gpu, gpuMemory: 24G}`, "1 nvidia.com/gpu", "memory > 22888", isTrue, nil},
		{"a B200, 192Gi", some(node(gfd("NVIDIA-B200", "183359", "8"), "nvidia.com/gpu=8")), nominal, `{type: gpu, gpuMemory: 192Gi}`,
			"1 nvidia.com/gpu", "memory > 183105", isTrue, nil},
		{"an L40S, 48Gi", some(node(gfd("NVIDIA-L40S", "46068", "4"), "nvidia.com/gpu=4")), nominal, `{type: gpu, gpuMemory: 48Gi}`,
			"1 nvidia.com/gpu", "memory > 45776", isTrue, nil},
		{"a T4, 17Gi", some(node(gfd("Tesla-T4", "15360", "4"), "nvidia.com/gpu=4")), nominal, `{type: gpu, gpuMemory: 17Gi}`,
			"2 nvidia.com/gpu", "memory > 8106, whole", isTrue, nil},
		{"a slice by its name", slices, nominal, `{type: gpu, gpuMemory: 12Gi}`, "1 nvidia.com/mig-1g.12gb", "mig-1g.12gb.memory > 11007", isTrue, nil},
		{"a slice of the strategy single", some(single), nominal, `{type: gpu, gpuMemory: 12Gi}`, "1 nvidia.com/gpu",
			"memory > 11444 | product in H100-NVL-MIG-1g.12gb", isTrue, nil},
		{"a slice, compared exactly", slices, nil, `{type: gpu, gpuMemory: 12Gi}`, "1 nvidia.com/gpu", "*", isFalse, []string{"short 1280Mi; 10Gi would fit one"}},
	})
}

// TestField3: the near miss is told whenever it is not chosen.
func TestField3(t *testing.T) {
	h100 := node(gfd("H100", "81559", "8"), "nvidia.com/gpu=8")
	runFieldCases(t, "F3", []fieldCase{
		{"three H100, one H200", append(times(3, h100), node(gfd("H200", "143771", "8"), "nvidia.com/gpu=8")), nil, `{type: gpu, gpuMemory: 80Gi}`,
			"1 nvidia.com/gpu", "memory > 81919", isTrue, []string{"short 361Mi of one H100; 79Gi or 80G would fit"}},
		{"T4 and A10", append(times(2, node(gfd("T4", "15360", "4"), "nvidia.com/gpu=4")), node(gfd("A10", "23028", "1"), "nvidia.com/gpu=1")), nil,
			`{type: gpu, gpuMemory: 16Gi}`, "1 nvidia.com/gpu", "memory > 16383", isTrue, []string{"short 1024Mi of one T4; 15Gi or 16G would fit"}},
		{"in a clause", some(node(gfd("L4", "23034", "1"), "nvidia.com/gpu=1")), nil, `{type: gpu, gpuMemory: 24Gi}`, "1 nvidia.com/gpu", "memory > 24575", isFalse,
			[]string{"short 1542Mi; 22Gi or 24G would fit"}},
		{"not near", append(times(2, node(gfd("T4", "15360", "4"), "nvidia.com/gpu=4")), h100), nil, `{type: gpu, gpuMemory: 20Gi}`,
			"1 nvidia.com/gpu", "memory > 20479", isTrue, []string{"it takes one nvidia.com/gpu with 20480Mi, by the label nvidia.com/gpu.memory"}},
	})
}

// TestField4: labels first, each sufficient profile's labels after.
func TestField4(t *testing.T) {
	l4 := profile("l4", 23034, 1, "karpenter.k8s.aws/instance-gpu-name=l4")
	labelled := node(gfd("NVIDIA-L4", "23034", "1")+"karpenter.k8s.aws/instance-gpu-name=l4", "nvidia.com/gpu=1")
	runFieldCases(t, "F4", []fieldCase{
		{"a labelled L4 and a profile", some(labelled), profiles(l4), `{type: gpu, gpuMemory: 20Gi}`, "1 nvidia.com/gpu",
			"memory > 20479 | karpenter.k8s.aws/instance-gpu-memory > 21845, karpenter.k8s.aws/instance-gpu-count > 0, whole | instance-gpu-name in l4, whole", isTrue, nil},
		{"a profile that is not enough is left out", some(labelled), profiles(l4, profile("t4", 15360, 1, "pool=t4")), `{type: gpu, gpuMemory: 20Gi}`,
			"1 nvidia.com/gpu", "*", isTrue, nil},
		{"two profiles", some(node(gfd("A10", "23028", "1"), "nvidia.com/gpu=1")), profiles(profile("a", 40960, 8, "pool=a"), profile("b", 81920, 2, "pool=b gen=2")),
			`{type: gpu, gpuMemory: 20Gi}`, "1 nvidia.com/gpu", "memory > 20479 | pool in a, whole | gen in 2, pool in b, whole", isTrue, nil},
		{"no node, and Karpenter", some(node("karpenter.k8s.aws/instance-cpu=4", "")), nil, `{type: gpu, gpuMemory: 70Gi}`, "1 nvidia.com/gpu",
			"memory > 71679 | karpenter.k8s.aws/instance-gpu-memory > 76458, karpenter.k8s.aws/instance-gpu-count > 0, whole", isNoNode,
			[]string{"Karpenter may add one"}},
		{"no node, and EKS Auto Mode", some(node("eks.amazonaws.com/instance-cpu=4", "")), nil, `{type: gpu, gpuMemory: 78Gi}`, "1 nvidia.com/gpu",
			"memory > 79871 | eks.amazonaws.com/instance-gpu-memory > 81919, eks.amazonaws.com/instance-gpu-count > 0, whole", isNoNode, nil},
	})
}

// TestField5: what keeps a task off the nodes of a profile keeps it off new ones.
func TestField5(t *testing.T) {
	l4 := profiles(profile("l4", 23034, 1, "pool=l4"))
	spot := node("pool=l4", "nvidia.com/gpu=1", taint("cloud.google.com/gke-spot", "true"))
	runFieldCases(t, "F5", []fieldCase{
		{"a taint", some(spot), l4, `{type: gpu, gpuMemory: 20Gi}`, "1 nvidia.com/gpu", "*", isFalse, []string{"l4 (1 node): has the taint cloud.google.com/gke-spot=true:NoSchedule"}},
		{"too little main memory", some(node("pool=l4", "nvidia.com/gpu=1 memory=16Gi")), l4, `{type: gpu, gpuMemory: 20Gi, memory: 64Gi}`, "1 nvidia.com/gpu, memory 64Gi", "*", isFalse,
			[]string{"needs memory 64Gi, has 16Gi"}},
		{"two things at once", some(node("pool=l4", "nvidia.com/gpu=1 cpu=4 memory=16Gi", taint("spot", ""))), l4, `{type: gpu, gpuMemory: 20Gi, cpu: 8, memory: 64Gi}`,
			"1 nvidia.com/gpu, cpu 8, memory 64Gi", "*", isFalse, []string{"has the taint spot:NoSchedule", "needs cpu 8, has 4", "needs memory 64Gi, has 16Gi"}},
		{"another pool of the profile has no such taint", some(spot, node("pool=l4", "nvidia.com/gpu=1", cordoned())), l4, `{type: gpu, gpuMemory: 20Gi}`,
			"1 nvidia.com/gpu", "*", isNoNode, []string{"a cluster autoscaler may add one"}},
		{"another profile has no node yet", some(spot), profiles(profile("l4", 23034, 1, "pool=l4"), profile("a10", 23028, 1, "pool=a10")), `{type: gpu, gpuMemory: 20Gi}`,
			"1 nvidia.com/gpu", "*", isNoNode, []string{"no node of the profile a10"}},
	})
}

// TestField6: every label matches that a profile selects by.
func TestField6(t *testing.T) {
	var cases []fieldCase
	for _, label := range []string{"nvidia.com/gpu.class=a10", "nvidia.com/gpu.family=ampere", "nvidia.com/gpu.machine=g5.12xlarge", "nvidia.com/gpu.count=4",
		"nvidia.com/gpu=true", "nvidia.com/gpu.deploy.driver=pre-installed", "nvidia.com/mig.config=all-disabled", "nvidia.com/cuda.driver.major=550"} {
		cases = append(cases, fieldCase{label, some(node(label, "nvidia.com/gpu=4")), profiles(profile("a10", 23028, 4, label)), `{type: gpu, gpuMemory: 20Gi}`,
			"1 nvidia.com/gpu", "*", isTrue, []string{"by the profile a10"}})
	}
	runFieldCases(t, "F6", cases)
}

// TestField7: GPU nodes that are not ours are told, and tasks without GPUs keep off.
func TestField7(t *testing.T) {
	mi300x := node("amd.com/gpu.vram=191G", "amd.com/gpu=8")
	told := node(gfd("H100", "81559", "8")+"nvidia.com/gpu.present=true", "")
	t4 := node(gfd("Tesla-T4", "15360", "1"), "nvidia.com/gpu=1")
	runFieldCases(t, "F7", []fieldCase{
		{"MI300X, told H100, T4", some(mi300x, told, t4), nil, `{type: gpu, gpuMemory: 60Gi}`, "1 nvidia.com/gpu", "memory > 61439", isNoNode,
			[]string{"amd.com/gpu (1 node): has amd.com/gpu: 8, which gpu.resourceName does not name",
				"tells of 8 GPUs with 81559Mi, and no nvidia.com/gpu is allocatable: Dynamic Resource Allocation gives them, or there is no device plugin"}},
		{"Gaudi and Intel", some(node("", "habana.ai/gaudi=8"), node("", "gpu.intel.com/i915=1"), t4), nil, `{type: gpu, gpuMemory: 60Gi}`, "1 nvidia.com/gpu", "memory > 61439", isFalse,
			[]string{"has habana.ai/gaudi: 8", "has gpu.intel.com/i915: 1"}},
		{"only AMD", some(mi300x), nil, `{type: gpu, gpuMemory: 60Gi}`, "1 nvidia.com/gpu", "memory > 61439", isNoNode, []string{"has amd.com/gpu: 8"}},
		{"GKE without a driver", some(node("cloud.google.com/gke-accelerator=nvidia-l4 cloud.google.com/gke-accelerator-count=2", ""), t4), nil, `{type: gpu, gpuMemory: 20Gi}`,
			"1 nvidia.com/gpu", "*", isNoNode, []string{"tells of 2 GPUs with 23034Mi"}},
	})
	got := Resolve(Requirement{Type: "cpu", MilliCPU: 1000}, inventory(nil, mi300x, told, node("habana.ai/class=2", "habana.ai/gaudi=8")))
	want := "[nvidia.com/gpu.present nvidia.com/gpu.memory amd.com/gpu.vram kubernetes.io/os habana.ai/class]"
	var keys []string
	for _, r := range got.Placement.Affinity.NodeAffinity.PreferredDuringSchedulingIgnoredDuringExecution[0].Preference.MatchExpressions {
		keys = append(keys, r.Key)
	}
	if !strings.Contains(fmt.Sprint(keys), "amd.com/gpu.vram") {
		t.Errorf("tasks without GPUs: want %s, got %s", want, keys)
	}
}

// TestField8: taints that pass change no placement.
func TestField8(t *testing.T) {
	for _, key := range []string{"node.cilium.io/agent-not-ready", "ebs.csi.aws.com/agent-not-ready", "efs.csi.aws.com/agent-not-ready", "karpenter.sh/disruption",
		"cloud.google.com/impending-node-termination", "aws-node-termination-handler/spot-itn", "startup-taint.cluster-autoscaler.kubernetes.io/x",
		"ignore-taint.cluster-autoscaler.kubernetes.io/x", "status-taint.cluster-autoscaler.kubernetes.io/x", "example.com/not-ready-yet"} {
		h100 := node(gfd("H100", "81559", "8"), "nvidia.com/gpu=8", taint(key, "true"))
		runFieldCases(t, "F8", []fieldCase{{key, some(h100, node(gfd("T4", "15360", "4"), "nvidia.com/gpu=4")),
			func(c *Config) { c.PassingTaints = []string{"example.com/not-ready*"} },
			`{type: gpu, gpuMemory: 60Gi}`, "1 nvidia.com/gpu", "memory > 61439", isFalse, []string{"H100 (1 node): takes no Pods now: cordoned or not ready"}}})
	}
}

// TestField9: engines that split evenly, and sizes that a model allows.
func TestField9(t *testing.T) {
	h100 := some(node(gfd("H100", "81559", "8"), "nvidia.com/gpu=8"))
	var cases []fieldCase
	for _, backend := range []string{"vllm", "sglang", "tgi", "TensorRT-LLM", "tensorrt_llm", "lmdeploy"} {
		cases = append(cases, fieldCase{backend, h100, nil, `{type: gpu, gpuMemory: 160Gi, backend: ` + backend + `}`, "4 nvidia.com/gpu, tensor parallel 4",
			"memory > 40959, whole", isTrue, nil})
	}
	runFieldCases(t, "F9", append(cases, []fieldCase{
		{"another engine", h100, nil, `{type: gpu, gpuMemory: 160Gi, backend: huggingface}`, "3 nvidia.com/gpu", "memory > 54613, whole", isTrue, nil},
		{"an engine by configuration", h100, func(c *Config) { c.EvenBackends = []string{"mii"} }, `{type: gpu, gpuMemory: 160Gi, backend: MII}`,
			"4 nvidia.com/gpu, tensor parallel 4", "memory > 40959, whole", isTrue, nil},
		{"28 heads", h100, nil, `{type: gpu, gpuMemory: 400Gi, backend: vllm, gpuCounts: [1, 2, 4, 7, 14]}`, "7 nvidia.com/gpu, tensor parallel 7", "memory > 58514, whole", isTrue, nil},
		{"no allowed number is enough", h100, nil, `{type: gpu, gpuMemory: 400Gi, gpuCounts: [1, 2]}`, "1 nvidia.com/gpu", "*", isFalse, []string{"gpuCounts"}},
		{"only numbers that no node has", h100, nil, `{type: gpu, gpuMemory: 10Gi, gpuCounts: [16]}`, "16 nvidia.com/gpu", "*", isFalse, []string{"needs 16 GPUs on one node, has 8"}},
		{"two, and one on a node", some(node(gfd("L4", "23034", "1"), "nvidia.com/gpu=1")), nil, `{type: gpu, gpuMemory: 10Gi, gpuCounts: [2, 4]}`, "2 nvidia.com/gpu", "*", isFalse,
			[]string{"needs 2 GPUs, the fewest that gpuCounts allows, and has one on a node"}},
		{"two, and one of an unknown size", some(node("", "nvidia.com/gpu=1")), nil, `{type: gpu, gpuMemory: 10Gi, gpuCounts: [2]}`, "2 nvidia.com/gpu", "*", isFalse,
			[]string{"needs more GPUs on one node than the 1 that it has, however much memory they have"}},
		{"more than any GPU has, and one of an unknown size", some(node("", "nvidia.com/gpu=1")), nil, `{type: gpu, gpuMemory: 1100Gi}`, "2 nvidia.com/gpu", "*", isFalse,
			[]string{"needs more GPUs on one node than the 1 that it has"}},
		{"and two", some(node("", "nvidia.com/gpu=2")), nil, `{type: gpu, gpuMemory: 1100Gi}`, "2 nvidia.com/gpu", "*", isNoLabel, nil},
		{"two, and slices", some(migSingle("1g.5gb", 4864)), nil, `{type: gpu, gpuMemory: 4Gi, gpuCounts: [2]}`, "2 nvidia.com/gpu", "*", isFalse,
			[]string{"needs 2 GPUs, the fewest that gpuCounts allows, and has MIG slices, which do not add up"}},
	}...))
}

// TestField10: unified memory.
func TestField10(t *testing.T) {
	spark := some(node("nvidia.com/gpu.product=NVIDIA-GB10 nvidia.com/gpu.count=1 nvidia.com/gpu.family=blackwell", "nvidia.com/gpu=1"))
	unified := profile("spark", 122880, 1, "nvidia.com/gpu.product=NVIDIA-GB10")
	unified.Unified = true
	runFieldCases(t, "F10", []fieldCase{
		{"a GB10", spark, nil, `{type: gpu, gpuMemory: 70Gi}`, "1 nvidia.com/gpu", "memory > 71679", isNoLabel, []string{"GPU Feature Discovery runs on some GPU nodes", "its GPUs use the node's main memory, which GPU Feature Discovery cannot tell"}},
		{"a Jetson", some(node("nvidia.com/gpu.product=Orin nvidia.com/gpu.count=1", "nvidia.com/gpu=1")), nil, `{type: gpu, gpuMemory: 20Gi}`, "1 nvidia.com/gpu", "memory > 20479", isNoLabel,
			[]string{"memoryType: Unified"}},
		{"a GB10 by a profile", spark, profiles(unified), `{type: gpu, gpuMemory: 70Gi}`, "1 nvidia.com/gpu, memory 71Gi", "memory > 71679 | product in NVIDIA-GB10, whole", isTrue, nil},
		{"both need the main memory", spark, profiles(unified), `{type: gpu, gpuMemory: 110Gi, memory: 20Gi}`, "1 nvidia.com/gpu, memory 130Gi", "*", isFalse, []string{"needs memory 130Gi, has 128Gi"}},
		{"a GB100 is none", some(node("nvidia.com/gpu.product=NVIDIA-GB100", "nvidia.com/gpu=1")), nil, `{type: gpu, gpuMemory: 20Gi}`, "1 nvidia.com/gpu", "*", isNoLabel,
			[]string{"it has no label nvidia.com/gpu.memory"}},
	})
}

// TestField11: what fits nowhere is told by nearness.
func TestField11(t *testing.T) {
	seven := node(gfd("H100", "81559", "7"), "nvidia.com/gpu=7")
	t4 := node(gfd("A-T4", "15360", "1"), "nvidia.com/gpu=1")
	runFieldCases(t, "F11", []fieldCase{
		{"500G on 7 H100", some(seven), nil, `{type: gpu, gpuMemory: 500G, backend: vllm}`, "8 nvidia.com/gpu, tensor parallel 8", "memory > 59604, whole", isFalse,
			[]string{"H100 (1 node): needs 8 GPUs on one node, has 7 with 81559Mi each", "more than one of these nodes"}},
		{"1300G", some(seven), nil, `{type: gpu, gpuMemory: 1300G, backend: vllm}`, "16 nvidia.com/gpu, tensor parallel 16", "memory > 77486, whole", isFalse,
			[]string{"needs 16 GPUs on one node, has 7", "more than one of these nodes"}},
		{"the nearest first", some(t4, seven, cpuNode()), nil, `{type: gpu, gpuMemory: 700Gi}`, "9 nvidia.com/gpu", "memory > 79644, whole", isFalse,
			[]string{"even when empty: H100 (1 node): needs 9 GPUs on one node, has 7 with 81559Mi each; A-T4 (1 node)", "; without GPU (1 node): has no GPU"}},
		{"beyond any GPU, on single ones", some(t4), nil, `{type: gpu, gpuMemory: 500G}`, "32 nvidia.com/gpu", "*", isFalse, []string{"more than one of these nodes"}},
	})
}

// TestField12: how many there are counts.
func TestField12(t *testing.T) {
	slice := node("nvidia.com/gpu.product=A100 nvidia.com/gpu.memory=40960 nvidia.com/mig-1g.10gb.memory=9728", "nvidia.com/gpu=0 nvidia.com/mig-1g.10gb=1")
	t4 := node("nvidia.com/gpu.product=Tesla-T4 nvidia.com/gpu.memory=15360", "nvidia.com/gpu=4")
	runFieldCases(t, "F12", []fieldCase{
		{"one slice, twelve T4", append(times(3, t4), slice), nil, `{type: gpu, gpuMemory: 9Gi}`, "1 nvidia.com/gpu", "memory > 9215", isTrue, nil},
		{"only the slice", some(slice), nil, `{type: gpu, gpuMemory: 9Gi}`, "1 nvidia.com/mig-1g.10gb", "mig-1g.10gb.memory > 9215", isTrue, nil},
		{"as many slices", append(times(4, slice), node("nvidia.com/gpu.product=Tesla-T4 nvidia.com/gpu.memory=15360", "nvidia.com/gpu=1")), nil, `{type: gpu, gpuMemory: 9Gi}`,
			"1 nvidia.com/mig-1g.10gb", "mig-1g.10gb.memory > 9215", isTrue, nil},
		{"one of two kinds of slices", append(times(2, node("nvidia.com/mig-3g.20gb.memory=19968", "nvidia.com/mig-3g.20gb=4")), slice), nil, `{type: gpu, gpuMemory: 9Gi}`,
			"1 nvidia.com/mig-3g.20gb", "mig-3g.20gb.memory > 9215", isTrue, nil},
	})
	_, fits := Explain(gpuTask(9216), inventory(nil, append(times(3, t4), slice)...))
	for _, fit := range fits {
		if fit.Class.Name == "A100" && !strings.Contains(fit.Why, "would do with 1 nvidia.com/mig-1g.10gb; the placement asks for another resource, of which there are more") {
			t.Errorf("want it told that the choice is elsewhere, got %q", fit.Why)
		}
	}
}

// TestField13: the taint of the resource's own name is tolerated.
func TestField13(t *testing.T) {
	amd := func(c *Config) {
		c.ResourceName = "amd.com/gpu"
		c.Profiles = []Profile{profile("mi300x", 196592, 8, "amd.com/gpu.device-id=74a1")}
	}
	table := func(c *Config) {
		c.ResourceName = "amd.com/gpu"
		c.Accelerators = []Accelerator{{Label: "amd.com/gpu.vram", Value: "191G", Memory: 196592}}
	}
	runFieldCases(t, "F13", []fieldCase{
		{"amd.com/gpu", some(node("amd.com/gpu.device-id=74a1", "amd.com/gpu=8", taint("amd.com/gpu", "true"))), amd, `{type: gpu, gpuMemory: 140Gi}`, "1 amd.com/gpu",
			"amd.com/gpu.memory > 143359 | gpu.device-id in 74a1", isTrue, []string{"by the profile mi300x"}},
		{"by a row of the configuration", some(node("amd.com/gpu.vram=191G", "amd.com/gpu=8", taint("amd.com/gpu", "true"))), table, `{type: gpu, gpuMemory: 380Gi}`, "2 amd.com/gpu",
			"amd.com/gpu.memory > 194559 | gpu.vram in 191G", isTrue, nil},
		{"another resource", some(node("", "example.com/gpu=8", taint("example.com/gpu", ""))), func(c *Config) { c.ResourceName = "example.com/gpu" }, `{type: gpu}`,
			"1 example.com/gpu", "*", isTrue, nil},
		{"NVIDIA's labels tell nothing of AMD's", some(node(gfd("H100", "81559", "8"), "amd.com/gpu=8")), amd, `{type: gpu, gpuMemory: 60Gi}`, "1 amd.com/gpu", "*", isNoNode, nil},
	})
}

// TestField14: DaemonSets take a part of every node.
func TestField14(t *testing.T) {
	g4dn := node(gfd("Tesla-T4", "15360", "1"), "nvidia.com/gpu=1 cpu=3920m memory=15071584Ki")
	runFieldCases(t, "F14", []fieldCase{
		{"nearly the whole node", some(g4dn), nil, `{type: gpu, gpuMemory: 10Gi, cpu: 3900m, memory: 14Gi}`, "1 nvidia.com/gpu, cpu 3900m, memory 14Gi", "memory > 10239", isFalse,
			[]string{"needs cpu 3900m, has 3920m of which DaemonSets take 200m (reserve)"}},
		{"all of a node without GPU", some(cpuNode()), nil, `{cpu: 64}`, "cpu 64, memory 1Gi", "", isFalse, []string{"needs cpu 64, has 64 of which DaemonSets take 200m"}},
		{"as much as is left", some(g4dn), nil, `{type: gpu, gpuMemory: 10Gi, cpu: 3720m, memory: 14Gi}`, "1 nvidia.com/gpu, cpu 3720m, memory 14Gi", "memory > 10239", isTrue, nil},
		{"no reserve", some(g4dn), func(c *Config) { c.Reserve = Reserve{} }, `{type: gpu, gpuMemory: 10Gi, cpu: 3900m, memory: 14Gi}`, "1 nvidia.com/gpu, cpu 3900m, memory 14Gi", "memory > 10239", isTrue, nil},
		{"more memory than is left", some(g4dn), nil, `{type: gpu, gpuMemory: 10Gi, memory: 15000000Ki}`, "1 nvidia.com/gpu, memory 15000000Ki", "memory > 10239", isFalse,
			[]string{"of which DaemonSets take 256Mi (reserve)"}},
	})
}

// TestField15: every card is in MIG mode.
func TestField15(t *testing.T) {
	const mixed = "nvidia.com/mig.strategy=mixed nvidia.com/mig-1g.10gb.memory=9728 nvidia.com/gpu.replicas=0"
	stale := node(gfd("A100-80GB", "81920", "2")+mixed, "nvidia.com/gpu=2 nvidia.com/mig-1g.10gb=6")
	runFieldCases(t, "F15", []fieldCase{
		{"stale GPUs", some(stale), nil, `{type: gpu, gpuMemory: 60Gi}`, "1 nvidia.com/gpu", "*", isFalse, nil},
		{"stale GPUs, of any size", some(stale), nil, `{type: gpu}`, "1 nvidia.com/mig-1g.10gb", "", isTrue, nil},
		{"stale GPUs beside true ones", some(stale, node(gfd("A100-80GB", "81920", "2"), "nvidia.com/gpu=2")), nil, `{type: gpu, gpuMemory: 60Gi}`, "1 nvidia.com/gpu",
			"memory > 61439, replicas not 0", isTrue, nil},
		{"some cards in MIG mode", some(node(gfd("A100-80GB", "81920", "2")+"nvidia.com/mig-1g.10gb.memory=9728", "nvidia.com/gpu=1 nvidia.com/mig-1g.10gb=7")), nil,
			`{type: gpu, gpuMemory: 60Gi}`, "1 nvidia.com/gpu", "memory > 61439", isTrue, nil},
	})
}

// TestClouds: memory by the clouds' labels, never more than there is.
func TestClouds(t *testing.T) {
	runFieldCases(t, "cloud", []fieldCase{
		{"a T4 of AWS has 15360Mi", some(node(karpenter("t4", "16384", "1"), "nvidia.com/gpu=1")), nil, `{type: gpu, gpuMemory: 16Gi}`, "1 nvidia.com/gpu", "*", isNoNode,
			[]string{"needs 16384Mi on one GPU, has 15360Mi"}},
		{"and fits 15Gi", some(node(karpenter("t4", "16384", "1"), "nvidia.com/gpu=1")), nil, `{type: gpu, gpuMemory: 15Gi}`, "1 nvidia.com/gpu",
			"memory > 15359 | karpenter.k8s.aws/instance-gpu-memory > 16383, karpenter.k8s.aws/instance-gpu-count > 0, whole", isTrue, []string{"by the label karpenter.k8s.aws/instance-gpu-memory"}},
		{"four A10G", some(node(karpenter("a10g", "22888", "4"), "nvidia.com/gpu=4")), nil, `{type: gpu, gpuMemory: 80Gi}`, "4 nvidia.com/gpu", "*", isTrue, nil},
		{"GKE's A100", some(node("cloud.google.com/gke-accelerator=nvidia-a100-80gb", "nvidia.com/gpu=8")), nil, `{type: gpu, gpuMemory: 160Gi}`, "2 nvidia.com/gpu", "*", isTrue,
			[]string{"by the label cloud.google.com/gke-accelerator and the table of accelerators"}},
		{"AKS' H100 NVL", some(node("node.kubernetes.io/instance-type=Standard_NC80adis_H100_v5 kubernetes.azure.com/agentpool=h", "nvidia.com/gpu=2")), nil,
			`{type: gpu, gpuMemory: 90Gi}`, "1 nvidia.com/gpu", "*", isTrue, nil},
		{"GPU Feature Discovery comes first", some(node(gfd("Tesla-T4", "15360", "1")+"cloud.google.com/gke-accelerator=nvidia-l4", "nvidia.com/gpu=1")), nil,
			`{type: gpu, gpuMemory: 20Gi}`, "1 nvidia.com/gpu", "*", isFalse, []string{"has 15360Mi"}},
	})
}
