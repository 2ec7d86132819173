package v1alpha1

import corev1 "k8s.io/api/core/v1"

// Placement is what a Pod needs to run a task. requests and limits go into the container's
// resources; nodeSelector, affinity, tolerations and schedulerName into the Pod's spec, and annotations into its metadata, as they are.
type Placement struct {
	// requests are the container's resource requests.
	//
	// +optional
	// +kubebuilder:validation:MaxProperties=6
	// +kubebuilder:validation:XValidation:rule="self.all(name, !string(self[name]).matches(r'[eE].?\\d\\d'))",message="must be quantities without a large exponent, such as 500m or 4Gi"
	Requests corev1.ResourceList `json:"requests,omitempty"`

	// limits are the container's resource limits: the GPUs, which Kubernetes wants as limits.
	//
	// +optional
	// +kubebuilder:validation:MaxProperties=6
	// +kubebuilder:validation:XValidation:rule="self.all(name, !string(self[name]).matches(r'[eE].?\\d\\d'))",message="must be quantities without a large exponent, such as 500m or 4Gi"
	Limits corev1.ResourceList `json:"limits,omitempty"`

	// nodeSelector are the labels that a node must have.
	//
	// +optional
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`

	// affinity holds the node affinity, which says "at least this much memory on one GPU".
	//
	// +optional
	Affinity *Affinity `json:"affinity,omitempty"`

	// tolerations are the taints of GPU nodes that the Pod tolerates.
	//
	// +optional
	// +listType=atomic
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`

	// schedulerName is the scheduler that the Pod needs, where it is another than the cluster's default: one that gives
	// shares of a GPU by memory.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=253
	SchedulerName string `json:"schedulerName,omitempty"`

	// annotations are those by which such a scheduler knows what the Pod needs. They are added to the Pod's own.
	//
	// +optional
	// +kubebuilder:validation:MaxProperties=8
	Annotations map[string]string `json:"annotations,omitempty"`

	// gpu says how many GPUs the task gets and why. Absent for cpu and io tasks.
	//
	// +optional
	GPU *GPUPlacement `json:"gpu,omitempty"`
}

// Affinity is the part of a Pod's affinity that a placement uses.
type Affinity struct {
	// nodeAffinity is the Pod's node affinity.
	//
	// +optional
	NodeAffinity *corev1.NodeAffinity `json:"nodeAffinity,omitempty"`
}

// GPUPlacement is the share of a placement that concerns GPUs.
type GPUPlacement struct {
	// count is the number of GPUs, all on one node.
	//
	// +required
	// +kubebuilder:validation:Minimum=1
	Count int32 `json:"count,omitempty"`

	// memoryPerGPU is the memory, in MiB, that each of them must have; absent when any size will do.
	//
	// +optional
	// +kubebuilder:validation:Minimum=1
	MemoryPerGPU int64 `json:"memoryPerGPU,omitempty"`

	// resourceName is the extended resource that the Pod asks for, such as nvidia.com/gpu.
	//
	// +required
	ResourceName corev1.ResourceName `json:"resourceName,omitempty"`

	// tensorParallelSize is what a vllm server is to be started with: the number of GPUs.
	//
	// +optional
	// +kubebuilder:validation:Minimum=1
	TensorParallelSize int32 `json:"tensorParallelSize,omitempty"`
}
