package placement

import (
	corev1 "k8s.io/api/core/v1"
)

// DefaultResourceName is the extended resource of NVIDIA's device plugin for a whole GPU.
const DefaultResourceName corev1.ResourceName = "nvidia.com/gpu"

// Config says how GPU memory is mapped to GPUs.
type Config struct {
	// ResourceName is the extended resource of a whole GPU.
	ResourceName corev1.ResourceName
	// Nominal reads the Gi that a task asks for as GB, as cards are sold: 80Gi fits an H100 of 80 GB, which has 81559 MiB. A MIG slice counts
	// by the number in its profile's name.
	Nominal bool
	// TimeSlicing and MPS allow GPUs that are shared in this way. MPS stands for all ways that divide the memory.
	TimeSlicing bool
	MPS         bool
	// Provider hands out shares of a GPU by memory.
	Provider Provider
	// Tolerations are what gpu tasks tolerate besides the taint of the GPU's resource.
	Tolerations []corev1.Toleration
	// Profiles describe nodes that need not exist yet, or whose labels do not tell their GPUs' memory.
	Profiles []Profile
	// EvenBackends are the backends that split a model evenly over its GPUs, as NormalBackend writes them.
	EvenBackends []string
	// PassingTaints are patterns of the keys of taints that come and go with a node's state, besides those that are known. In each, * stands for
	// any text.
	PassingTaints []string
	// Accelerators tell the memory of GPUs by a label of their node, besides the rows that are known. They come before those.
	Accelerators []Accelerator
	// Reserve is what DaemonSets take of every node. DaemonSets says that they are read, and what those request counts that run on a node, where that
	// is more.
	Reserve    Reserve
	DaemonSets bool
	// IgnoreDevices leaves out what Dynamic Resource Allocation hands out.
	IgnoreDevices bool
}

// Profile describes the nodes of a pool.
type Profile struct {
	Name string
	// Memory is that of one GPU, in MiB.
	Memory int64
	// Count is the number of GPUs on one node.
	Count int64
	// Unified says that the GPUs' memory is the node's main memory.
	Unified bool
	// NodeSelector are the labels that every node of the pool has, and no other node.
	NodeSelector map[string]string
	// Tolerations are what a Pod must tolerate there.
	Tolerations []corev1.Toleration
}

// Accelerator tells by a label of a node what GPUs it has.
type Accelerator struct {
	// Label and Value are the label's.
	Label, Value string
	// Memory is that of one GPU, in MiB, as the driver reports it.
	Memory int64
	// Count is the number of GPUs on one node. 0 if the label does not tell it.
	Count int64
}

// Reserve is what the Pods of DaemonSets take of every node, or more.
type Reserve struct {
	// MilliCPU is in thousandths of a core, Memory in bytes.
	MilliCPU, Memory int64
}

// The reserve by default is about what kube-proxy, a network plugin and an agent for logs or metrics request.
const (
	defaultReserveMilliCPU = 200
	defaultReserveMemory   = 256 << 20
)

// DefaultEvenBackends are the engines that divide the attention heads among the GPUs, whose number then divides that of the heads.
func DefaultEvenBackends() []string {
	return []string{"vllm", "sglang", "tgi", "text-generation-inference", "tensorrt-llm", "trtllm", "lmdeploy"}
}

// DefaultConfig compares MiB exactly, and shares no GPUs.
func DefaultConfig() Config {
	return Config{
		ResourceName: DefaultResourceName,
		EvenBackends: DefaultEvenBackends(),
		Reserve:      Reserve{MilliCPU: defaultReserveMilliCPU, Memory: defaultReserveMemory},
	}
}
