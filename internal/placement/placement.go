// Package placement maps what a task needs to what a Pod asks for.
package placement

import (
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

const (
	// resourceGPU is the extended resource of NVIDIA's device plugin, and the key of the taint
	// that GPU nodes carry by convention.
	resourceGPU = "nvidia.com/gpu"

	// labelGPUMemory is set by GPU Feature Discovery: the memory of one GPU in MiB, NVML's total
	// divided by 2^20 (k8s-device-plugin, internal/resource/nvml-device.go).
	labelGPUMemory = "nvidia.com/gpu.memory"

	// gpuMemoryCeiling, in MiB, is more than any GPU has. Very old GPU Feature Discovery wrote
	// bytes into the label; those are above it.
	gpuMemoryCeiling = 1 << 20
)

// Resolve returns what a Pod needs to run a task with the given resources. It reads no nodes: a gpu
// task gets one GPU that has all of gpuMemory. Quantities are in their canonical form, so that 4096Mi
// and 4Gi give the same bytes.
func Resolve(resources *v1alpha1.Resources) v1alpha1.Placement {
	p := v1alpha1.Placement{Requests: corev1.ResourceList{}}
	if cpu := resources.CPU; cpu != nil {
		p.Requests[corev1.ResourceCPU] = *resource.NewMilliQuantity(cpu.MilliValue(), resource.DecimalSI)
	}
	if memory := resources.Memory; memory != nil {
		p.Requests[corev1.ResourceMemory] = *resource.NewQuantity(memory.Value(), resource.BinarySI)
	}
	if resources.Type == v1alpha1.ResourceTypeGPU {
		addGPU(&p, v1alpha1.Mebibytes(resources.GPUMemory))
	}
	return p
}

// addGPU asks for one GPU with at least the given MiB of memory, 0 for any.
func addGPU(p *v1alpha1.Placement, memory int64) {
	one := *resource.NewQuantity(1, resource.DecimalSI)
	p.Requests[resourceGPU] = one
	p.Limits = corev1.ResourceList{resourceGPU: one}
	p.Tolerations = []corev1.Toleration{{Key: resourceGPU, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoSchedule}}
	p.GPU = &v1alpha1.GPUPlacement{Count: 1, MemoryPerGPU: memory, ResourceName: resourceGPU}
	if memory > 0 {
		p.Affinity = &v1alpha1.Affinity{NodeAffinity: atLeast(memory)}
	}
}

// atLeast selects nodes whose GPUs have at least the given MiB each. Gt and Lt of a node affinity
// are strict and compare integers.
func atLeast(memory int64) *corev1.NodeAffinity {
	term := corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{
		{Key: labelGPUMemory, Operator: corev1.NodeSelectorOpGt, Values: []string{strconv.FormatInt(memory-1, 10)}},
		{Key: labelGPUMemory, Operator: corev1.NodeSelectorOpLt, Values: []string{strconv.Itoa(gpuMemoryCeiling)}},
	}}
	return &corev1.NodeAffinity{
		RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{term}},
	}
}
