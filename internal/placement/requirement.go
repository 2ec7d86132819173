package placement

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/resource"

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
	// Decimal says that GPUMemory was written in a decimal unit, such as 24G: it is what it says, also where Gi are read as GB.
	Decimal bool
	// Backend is what runs the model, as NormalBackend writes it. Empty for tasks that name no GPU memory.
	Backend string
	// Counts are the numbers of GPUs that the model allows. Empty for any.
	Counts Counts
	// Kind is what the GPUs must be, besides.
	Kind Kind
}

// Counts is a set of numbers of GPUs, from 1 to MaxCount: the bit n-1 stands for n.
type Counts uint64

// MaxCount is the largest number that Counts can have.
const MaxCount = 64

// CountsOf returns the set of some numbers. Those that it cannot have are left out.
func CountsOf(numbers []int32) Counts {
	var counts Counts
	for _, n := range numbers {
		if n >= 1 && n <= MaxCount {
			counts |= 1 << (n - 1)
		}
	}
	return counts
}

// atLeast returns the least number of the set that is not below n. It is false if there is none.
func (c Counts) atLeast(n int64) (int64, bool) {
	for ; n <= MaxCount; n++ {
		if n >= 1 && c&(1<<(n-1)) != 0 {
			return n, true
		}
	}
	return 0, false
}

// NormalBackend writes the name of a backend in one way: in small letters, with hyphens.
func NormalBackend(backend string) string {
	return strings.ReplaceAll(strings.ToLower(strings.TrimSpace(backend)), "_", "-")
}

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
		r.Decimal = r.GPUMemory > 0 && resources.GPUMemory.Format != resource.BinarySI
		r.Backend = NormalBackend(resources.Backend)
		r.Counts = CountsOf(resources.GPUCounts)
		r.Kind = kindOf(resources.GPURequirements)
	}
	return r
}

// splitsEvenly reports whether the task's backend is one of those that split a model evenly.
func (c *Config) splitsEvenly(r *Requirement) bool {
	return r.Backend != "" && slices.Contains(c.EvenBackends, r.Backend)
}
