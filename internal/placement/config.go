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
	// Nominal lets a task that asks for 80Gi fit a card that is sold as one of 80 GB and has a little less: what it asks
	// for counts as 97 percent, rounded down.
	Nominal bool
	// TimeSlicing and MPS allow GPUs that are shared in this way.
	TimeSlicing bool
	MPS         bool
	// Tolerations are what gpu tasks tolerate besides the taint nvidia.com/gpu.
	Tolerations []corev1.Toleration
	// Profiles describe nodes that need not exist yet, or whose labels do not tell their GPUs' memory.
	Profiles []Profile
}

// Profile describes the nodes of a pool.
type Profile struct {
	Name string
	// Memory is that of one GPU, in MiB.
	Memory int64
	// Count is the number of GPUs on one node.
	Count int64
	// NodeSelector are the labels that every node of the pool has, and no other node.
	NodeSelector map[string]string
	// Tolerations are what a Pod must tolerate there.
	Tolerations []corev1.Toleration
}

// DefaultConfig compares MiB exactly, and shares no GPUs.
func DefaultConfig() Config { return Config{ResourceName: DefaultResourceName} }
