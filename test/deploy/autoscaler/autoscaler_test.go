// Package autoscaler tests what autoscalers make of placements: which machines Karpenter would start for a Pod, by its own matching, and which groups
// of nodes cluster-autoscaler would grow, by its documented rule.
package autoscaler

import (
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	schedulingv1 "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
	"k8s.io/klog/v2"
	karpenterv1 "sigs.k8s.io/karpenter/pkg/apis/v1"
	"sigs.k8s.io/karpenter/pkg/scheduling"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/placement"
)

const gpus corev1.ResourceName = "nvidia.com/gpu"

// Labels of AWS' provider, which tells Karpenter that every machine has or lacks them: karpenter-provider-aws, pkg/apis/v1/labels.go.
const (
	gpuName   = "karpenter.k8s.aws/instance-gpu-name"
	gpuMemory = "karpenter.k8s.aws/instance-gpu-memory"
	gpuCount  = "karpenter.k8s.aws/instance-gpu-count"
)

func init() { karpenterv1.WellKnownLabels.Insert(gpuName, gpuMemory, gpuCount) }

// machine is an instance type, as AWS tells it. The memory of a GPU is in MiB; 0 for none.
type machine struct {
	name, arch, gpu string
	memory, count   int64
}

var machines = []machine{
	{"m7i.large", "amd64", "", 0, 0}, {"g4dn.xlarge", "amd64", "t4", 16384, 1}, {"g5g.xlarge", "arm64", "t4g", 16384, 1}, {"g6.xlarge", "amd64", "l4", 22888, 1},
	{"g6.12xlarge", "amd64", "l4", 22888, 4}, {"p4d.24xlarge", "amd64", "a100", 40960, 8}, {"p5.48xlarge", "amd64", "h100", 81920, 8},
}

// pool is a NodePool of Karpenter's, or a group of nodes of a cloud: labels and taints that all its nodes have, and the machines that it may have. None
// is for all.
type pool struct {
	labels map[string]string
	taints []corev1.Taint
	only   []string
}

func (p *pool) machines() []machine {
	return slices.DeleteFunc(slices.Clone(machines), func(m machine) bool { return p.only != nil && !slices.Contains(p.only, m.name) })
}

// startedBy returns the machines that Karpenter would start for a Pod in a NodePool. It takes the required terms one by one, and drops the first as long
// as none of its machines will do (pkg/controllers/provisioning/scheduling: preferences.go, nodeclaim.go).
func (p *pool) startedBy(pod *corev1.Pod) []string {
	pod = pod.DeepCopy()
	if scheduling.Taints(p.taints).ToleratesPod(pod) != nil {
		return nil
	}
	for {
		var started []string
		wanted, template := scheduling.NewStrictPodRequirements(pod), scheduling.NewLabelRequirements(p.labels)
		if template.Compatible(wanted, scheduling.AllowUndefinedWellKnownLabels) == nil {
			template.Add(wanted.Values()...)
			for _, m := range p.machines() {
				if m.requirements().Intersects(template) == nil && m.has(pod) {
					started = append(started, m.name)
				}
			}
		}
		terms := termsOf(pod)
		if len(started) > 0 || len(terms) < 2 {
			return started
		}
		pod.Spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms = terms[1:]
	}
}

func termsOf(pod *corev1.Pod) []corev1.NodeSelectorTerm {
	if pod.Spec.Affinity == nil || pod.Spec.Affinity.NodeAffinity == nil || pod.Spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution == nil {
		return nil
	}
	return pod.Spec.Affinity.NodeAffinity.RequiredDuringSchedulingIgnoredDuringExecution.NodeSelectorTerms
}

// requirements are those of the provider: what a machine lacks does not exist.
func (m *machine) requirements() scheduling.Requirements {
	labels := scheduling.NewLabelRequirements(map[string]string{
		corev1.LabelInstanceTypeStable: m.name, corev1.LabelArchStable: m.arch, corev1.LabelOSStable: "linux",
	})
	for key, value := range map[string]string{gpuName: m.gpu, gpuMemory: text(m.memory), gpuCount: text(m.count)} {
		if m.count == 0 {
			labels.Add(scheduling.NewRequirement(key, corev1.NodeSelectorOpDoesNotExist))
		} else {
			labels.Add(scheduling.NewRequirement(key, corev1.NodeSelectorOpIn, value))
		}
	}
	return labels
}

func text(n int64) string { return strconv.FormatInt(n, 10) }

func (m *machine) has(pod *corev1.Pod) bool {
	want := pod.Spec.Containers[0].Resources.Requests[gpus]
	return want.Value() <= m.count
}

// grownBy returns the machines of which cluster-autoscaler would add one to a group for a Pod. It makes a node of the group's template, with the labels
// that the provider knows, and asks kube-scheduler's filters
// (https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md#how-does-scale-up-work).
func (p *pool) grownBy(pod *corev1.Pod) []string {
	var grown []string
	for _, m := range p.machines() {
		node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{
			corev1.LabelInstanceTypeStable: m.name, corev1.LabelArchStable: m.arch, corev1.LabelOSStable: "linux",
		}}}
		for key, value := range p.labels {
			node.Labels[key] = value
		}
		node.Spec.Taints = p.taints
		matches, err := nodeaffinity.GetRequiredNodeAffinity(pod).Match(node)
		_, tainted := schedulingv1.FindMatchingUntoleratedTaint(klog.Logger{}, p.taints, pod.Spec.Tolerations, nil, false)
		if matches && err == nil && !tainted && m.has(pod) {
			grown = append(grown, m.name)
		}
	}
	return grown
}

func node(labels map[string]string, count string) *corev1.Node {
	n := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node", Labels: labels}}
	n.Status.Allocatable = corev1.ResourceList{
		corev1.ResourceCPU: resource.MustParse("64"), corev1.ResourceMemory: resource.MustParse("512Gi"), corev1.ResourcePods: resource.MustParse("110"),
	}
	if count != "" {
		n.Status.Allocatable[gpus] = resource.MustParse(count)
	}
	return n
}

func profile(name string, memory, count int64, labels map[string]string, tolerations ...corev1.Toleration) placement.Profile {
	return placement.Profile{Name: name, Memory: memory, Count: count, NodeSelector: labels, Tolerations: tolerations}
}

// TestAutoscalers: of each case, which machines autoscalers would add for a Pod, and that none of them is of no use. Where a verdict says that one may be
// added, one is.
func TestAutoscalers(t *testing.T) {
	instance := func(name string) map[string]string { return map[string]string{corev1.LabelInstanceTypeStable: name} }
	l4 := profile("l4", 23034, 1, map[string]string{gpuName: "l4"})
	g6 := profile("g6", 23034, 4, instance("g6.12xlarge"))
	p5 := profile("p5", 81559, 8, instance("p5.48xlarge"))
	team := profile("team", 81559, 8, map[string]string{"example.com/pool": "h100"},
		corev1.Toleration{Key: "example.com/team", Operator: corev1.TolerationOpExists})
	hopper := map[string]string{"example.com/pool": "h100", "nvidia.com/gpu.compute.major": "9", "nvidia.com/gpu.compute.minor": "0"}
	known := profile("known", 81559, 8, hopper)
	labelled := node(map[string]string{"nvidia.com/gpu.product": "NVIDIA-L4", "nvidia.com/gpu.memory": "23034", "nvidia.com/gpu.count": "1", gpuName: "l4"}, "1")
	karpenter := node(map[string]string{"karpenter.k8s.aws/instance-cpu": "4"}, "")
	h100s := []string{"p5.48xlarge"}
	teamTaint := []corev1.Taint{{Key: "example.com/team", Value: "vision", Effect: corev1.TaintEffectNoSchedule}}
	gpuTaint := []corev1.Taint{{Key: "nvidia.com/gpu", Effect: corev1.TaintEffectNoSchedule}}

	for _, tc := range []struct {
		what     string
		profiles []placement.Profile
		nodes    []*corev1.Node
		pool     pool
		gibibyte int64
		kind     *v1alpha1.GPURequirements
		// karpenter and group are the machines that come, reason is the verdict's.
		karpenter, group []string
		reason           string
	}{
		{what: "a labelled node, and a profile by Karpenter's label (F4)", profiles: []placement.Profile{l4}, nodes: []*corev1.Node{labelled}, gibibyte: 20,
			karpenter: []string{"g6.xlarge", "g6.12xlarge", "p4d.24xlarge", "p5.48xlarge"}, reason: "Feasible"},
		{what: "the same where a pool has few", profiles: []placement.Profile{l4}, nodes: []*corev1.Node{labelled}, pool: pool{only: []string{"m7i.large", "g6.xlarge"}},
			gibibyte: 20, karpenter: []string{"g6.xlarge"}, reason: "Feasible"},
		{what: "no GPU node, and no profile, but Karpenter's labels", nodes: []*corev1.Node{karpenter}, gibibyte: 70,
			karpenter: []string{"p5.48xlarge"}, reason: "NoInventory"},
		{what: "the same: a T4 has less than AWS tells", nodes: []*corev1.Node{karpenter}, gibibyte: 16,
			karpenter: []string{"g6.xlarge", "g6.12xlarge", "p4d.24xlarge", "p5.48xlarge"}, reason: "NoInventory"},
		{what: "the same: and fits 15Gi, also on Arm", nodes: []*corev1.Node{karpenter}, gibibyte: 15,
			karpenter: []string{"g4dn.xlarge", "g5g.xlarge", "g6.xlarge", "g6.12xlarge", "p4d.24xlarge", "p5.48xlarge"}, reason: "NoInventory"},
		{what: "the same: of one architecture", nodes: []*corev1.Node{karpenter}, gibibyte: 8, kind: &v1alpha1.GPURequirements{Architecture: "arm64"},
			karpenter: []string{"g5g.xlarge"}, reason: "NoInventory"},
		{what: "a profile by instance type, from zero", profiles: []placement.Profile{p5}, gibibyte: 60,
			karpenter: []string{"p5.48xlarge"}, group: []string{"p5.48xlarge"}, reason: "NoInventory"},
		{what: "two profiles, of which one is enough", profiles: []placement.Profile{g6, p5}, gibibyte: 60,
			karpenter: []string{"p5.48xlarge"}, group: []string{"p5.48xlarge"}, reason: "NoInventory"},
		{what: "several GPUs of one machine", profiles: []placement.Profile{g6}, gibibyte: 40,
			karpenter: []string{"g6.12xlarge"}, group: []string{"g6.12xlarge"}, reason: "NoInventory"},
		{what: "a label of the pool's own, and its taint, which the profile tolerates", profiles: []placement.Profile{team},
			pool: pool{map[string]string{"example.com/pool": "h100"}, teamTaint, h100s}, gibibyte: 60, karpenter: h100s, group: h100s, reason: "NoInventory"},
		{what: "another pool's label", profiles: []placement.Profile{team}, pool: pool{labels: map[string]string{"example.com/pool": "t4"}}, gibibyte: 60, reason: "NoInventory"},
		{what: "the taint of GPUs", profiles: []placement.Profile{p5}, pool: pool{taints: gpuTaint}, gibibyte: 60,
			karpenter: []string{"p5.48xlarge"}, group: []string{"p5.48xlarge"}, reason: "NoInventory"},
		{what: "a taint that nobody tolerates", profiles: []placement.Profile{p5}, pool: pool{taints: teamTaint}, gibibyte: 60, reason: "NoInventory"},
		{what: "a compute capability, which no autoscaler knows", profiles: []placement.Profile{p5}, gibibyte: 60,
			kind: &v1alpha1.GPURequirements{MinComputeCapability: "9.0"}, reason: "NoInventory"},
		{what: "and one that the pool's labels tell", profiles: []placement.Profile{known}, pool: pool{labels: hopper, only: h100s}, gibibyte: 60,
			kind: &v1alpha1.GPURequirements{MinComputeCapability: "9.0"}, karpenter: h100s, group: h100s, reason: "NoInventory"},
		{what: "more than any machine has", profiles: []placement.Profile{p5}, gibibyte: 800, reason: "NoInventory"},
	} {
		t.Run(tc.what, func(t *testing.T) {
			config := placement.DefaultConfig()
			config.Profiles = tc.profiles
			builder := placement.NewBuilder(config)
			builder.Set(node(nil, ""))
			for i, n := range tc.nodes {
				n = n.DeepCopy()
				n.Name = "node-" + text(int64(i))
				builder.Set(n)
			}
			resources := v1alpha1.Resources{Type: v1alpha1.ResourceTypeGPU, GPUMemory: resource.NewQuantity(tc.gibibyte<<30, resource.BinarySI), GPURequirements: tc.kind}
			got := placement.Resolve(placement.RequirementOf(&resources), builder.Inventory())
			pod := &corev1.Pod{Spec: corev1.PodSpec{NodeSelector: got.Placement.NodeSelector, Tolerations: got.Placement.Tolerations,
				Containers: []corev1.Container{{Resources: corev1.ResourceRequirements{Requests: got.Placement.Requests}}}}}
			if got.Placement.Affinity != nil {
				pod.Spec.Affinity = &corev1.Affinity{NodeAffinity: got.Placement.Affinity.NodeAffinity}
			}
			if diff := cmp.Diff(tc.karpenter, tc.pool.startedBy(pod)); diff != "" {
				t.Errorf("Karpenter: -want +got:\n%s\n%v", diff, termsOf(pod))
			}
			if diff := cmp.Diff(tc.group, tc.pool.grownBy(pod)); diff != "" {
				t.Errorf("cluster-autoscaler: -want +got:\n%s\n%v", diff, termsOf(pod))
			}
			if got.Verdict.Reason != tc.reason {
				t.Errorf("want %s, got %s: %s", tc.reason, got.Verdict.Reason, got.Verdict.Message())
			}
			if slices.Contains(tc.karpenter, "m7i.large") {
				t.Error("a machine without GPU is of no use")
			}
		})
	}
}
