package e2e

import (
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/placement"
)

// oracle knows in another way than package placement what a node can do for a task: by looking at one node only, and without
// a Pod.
type oracle struct {
	config placement.Config
	task   v1alpha1.Resources
}

// memory is what the task needs in all, in MiB.
func (o oracle) memory() int64 {
	if o.task.GPUMemory == nil {
		return 0
	}
	mebibytes := (o.task.GPUMemory.Value() + 1<<20 - 1) >> 20
	if o.config.Nominal {
		return (mebibytes*1_000_000_000 + 1<<30 - 1) >> 30
	}
	return mebibytes
}

// hosts reports whether a node, if empty, can host the task with GPUs of any resource and number.
func (o oracle) hosts(node *corev1.Node) bool {
	a := node.Status.Allocatable
	if !takesPods(node) || a.Pods().IsZero() || a.Cpu().MilliValue()-o.config.Reserve.MilliCPU < o.task.CPU.MilliValue() ||
		a.Memory().Value()-o.config.Reserve.Memory < o.task.Memory.Value() || !o.isKind(node) {
		return false
	}
	if o.task.Type != v1alpha1.ResourceTypeGPU {
		return tolerates(node, nil)
	}
	for name, count := range a {
		if labels, _ := gpuLabelsOf(node, string(name)); labels == "" {
			continue
		}
		for n := int64(1); n <= count.Value(); n++ {
			if o.satisfied(node, name, n) && tolerates(node, append([]corev1.Toleration{{Key: resourceGPU, Effect: corev1.TaintEffectNoSchedule}}, o.tolerations(node)...)) {
				return true
			}
		}
	}
	return false
}

// takesPods reports whether a node would take a Pod at present.
func takesPods(node *corev1.Node) bool {
	return !node.Spec.Unschedulable &&
		!slices.ContainsFunc(node.Spec.Taints, func(t corev1.Taint) bool {
			return t.Key == corev1.TaintNodeUnreachable || t.Key == "node.cilium.io/agent-not-ready"
		})
}

// satisfied reports whether so many of a resource, of one node, are what the task asks for.
func (o oracle) satisfied(node *corev1.Node, name corev1.ResourceName, count int64) bool {
	labels, slice := gpuLabelsOf(node, string(name))
	if labels == "" || len(o.task.GPUCounts) > 0 && !slices.Contains(o.task.GPUCounts, int32(count)) {
		return false
	}
	if t, ok := truthOf(node); ok {
		return t.gives(o, count)
	}
	sharing, replicas := sharingOf(node, labels, string(name))
	if sharing == "time-slicing" && !o.config.TimeSlicing || sharing == "mps" && !o.config.MPS {
		return false
	}
	if count > 1 && (slice || sharing != "") {
		return false
	}
	if !o.allows(count) || name == resourceGPU && node.Labels[resourceGPU+".replicas"] == "0" && !strings.Contains(node.Labels[resourceGPU+".product"], "-MIG-") {
		return false // or all are in MIG mode
	}
	if o.memory() == 0 {
		return true
	}
	memory, err := strconv.ParseInt(node.Labels[labels+".memory"], 10, 64)
	if _, labelled := node.Labels[labels+".memory"]; !labelled && labels == resourceGPU && sharing == "" {
		memory, err = o.profile(node).Memory, nil
	}
	if err != nil || memory >= 1<<20 {
		return false
	}
	if sharing == "mps" {
		memory /= replicas
	}
	if o.config.Nominal && slice {
		memory = max(memory, soldAs(string(name)+node.Labels[labels+".product"]))
	}
	return memory*count >= o.memory()
}

// allows reports whether the task's model may be split between so many GPUs.
func (o oracle) allows(count int64) bool {
	switch {
	case len(o.task.GPUCounts) > 0:
		return slices.Contains(o.task.GPUCounts, int32(count))
	case o.memory() == 0:
		return count == 1
	default:
		return !slices.Contains([]string{"vllm", "sglang"}, strings.ToLower(o.task.Backend)) || count&(count-1) == 0
	}
}

// gives reports whether so many units are what the task asks for, whichever the device plugin chooses, and may be used.
func (t truth) gives(o oracle, count int64) bool {
	switch {
	case !o.allows(count) || count > 1 && !t.whole, t.sharing == "mps" && !o.config.MPS, t.sharing == "time-slicing" && !o.config.TimeSlicing:
		return false
	case o.memory() == 0:
		return true
	default:
		return t.memory*count >= o.memory()
	}
}

func gpuLabelsOf(node *corev1.Node, name string) (labels string, slice bool) {
	if strings.HasPrefix(name, "nvidia.com/mig-") {
		return name, true
	}
	if name != resourceGPU && name != resourceGPU+".shared" {
		return "", false
	}
	return resourceGPU, strings.Contains(node.Labels[resourceGPU+".product"], "-MIG-")
}

// soldAs returns the memory of a MIG slice by its name, as Nominal reads sizes, in MiB.
func soldAs(name string) int64 {
	for _, p := range profiles {
		if size, ok := strings.CutSuffix(strings.TrimSuffix(p.profile, ".me"), "gb"); ok && strings.Contains(name, size+"gb") {
			gigabytes, err := strconv.ParseInt(size[strings.Index(size, ".")+1:], 10, 64)
			if err == nil {
				return (gigabytes<<10*1_000_000_000 + 1<<30 - 1) >> 30
			}
		}
	}
	return 0
}

func sharingOf(node *corev1.Node, labels, name string) (string, int64) {
	replicas, _ := strconv.ParseInt(node.Labels[labels+".replicas"], 10, 64)
	switch strategy := node.Labels[labels+".sharing-strategy"]; {
	case strategy == "mps", strategy == "time-slicing":
		return strategy, max(1, replicas)
	case replicas > 1, strings.HasSuffix(name, ".shared"):
		return "time-slicing", replicas
	default:
		return "", 1
	}
}

// profile returns the one that a node is of; an empty one if there is none.
func (o oracle) profile(node *corev1.Node) placement.Profile {
	for _, p := range o.config.Profiles {
		if node.Labels[acceleration] == p.NodeSelector[acceleration] {
			return p
		}
	}
	return placement.Profile{}
}

func (o oracle) tolerations(node *corev1.Node) []corev1.Toleration {
	if _, labelled := node.Labels[resourceGPU+".memory"]; labelled {
		return o.config.Tolerations
	}
	return slices.Concat(o.config.Tolerations, o.profile(node).Tolerations)
}

func tolerates(node *corev1.Node, tolerations []corev1.Toleration) bool {
	for _, t := range node.Spec.Taints {
		if t.Effect != corev1.TaintEffectPreferNoSchedule && !slices.ContainsFunc(tolerations, func(by corev1.Toleration) bool {
			return by.Key == t.Key && (by.Effect == "" || by.Effect == t.Effect) && (by.Value == "" || by.Value == t.Value)
		}) {
			return false
		}
	}
	return true
}
