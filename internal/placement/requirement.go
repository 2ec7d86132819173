package placement

import (
	"strings"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// Requirement is all that a placement depends on, of a task. It can be compared: tasks that require the same get the same.
type Requirement struct {
	Type v1alpha1.ResourceType
	// MilliCPU is in thousandths of a core, Memory in bytes, GPUMemory in MiB: that of all GPUs together, and 0 for one GPU
	// of any size. All are rounded up.
	MilliCPU  int64
	Memory    int64
	GPUMemory int64
	// TensorParallel says that the task's model is split over its GPUs, whose number is then a power of two.
	TensorParallel bool
}

// tensorParallelBackend splits a model evenly over its GPUs: it wants the number of attention heads, in practice a power of
// two, to be divisible by theirs.
const tensorParallelBackend = "vllm"

// RequirementOf reads what a task requires.
func RequirementOf(resources *v1alpha1.Resources) Requirement {
	r := Requirement{Type: resources.Type}
	if resources.CPU != nil {
		r.MilliCPU = resources.CPU.MilliValue()
	}
	if resources.Memory != nil {
		r.Memory = resources.Memory.Value()
	}
	if r.Type == v1alpha1.ResourceTypeGPU {
		r.GPUMemory = v1alpha1.Mebibytes(resources.GPUMemory)
		r.TensorParallel = strings.EqualFold(resources.Backend, tensorParallelBackend)
	}
	return r
}
