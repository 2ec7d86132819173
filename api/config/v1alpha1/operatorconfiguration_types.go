package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

const (
	// APIVersion is the apiVersion of the file.
	APIVersion = "config.registry.mazeagent.net/v1alpha1"
	// Kind is the kind of the file.
	Kind = "OperatorConfiguration"
)

// OperatorConfiguration is what the operator's configuration file holds. A field that is absent, or null, has its default.
type OperatorConfiguration struct {
	// apiVersion is config.registry.mazeagent.net/v1alpha1, and kind is OperatorConfiguration.
	//
	// +required
	metav1.TypeMeta `json:",inline"`

	// watchNamespaces are the namespaces whose tasks are served. All by default, at most 64: each costs watches of its own. With
	// them, the operator needs rights only there, besides those on nodes.
	//
	// +optional
	// +listType=set
	WatchNamespaces []string `json:"watchNamespaces,omitempty"`

	// nodes determines whether the operator reads the cluster's nodes. Watch by default.
	//
	// +optional
	Nodes NodesPolicy `json:"nodes,omitempty"`

	// reserve is what the Pods of DaemonSets take of every node, or more: no task is placed on it. By default 200m and 256Mi, which is about what
	// kube-proxy, a network plugin and an agent for logs or metrics request.
	//
	// +optional
	Reserve Reserve `json:"reserve,omitzero"`

	// passingTaints are patterns of the keys of taints that come and go with a node's state: a node with one takes no Pods at present, and
	// placements stay. In each, '*' stands for any text. They are added to those that are known: of Kubernetes' node lifecycle, autoscalers,
	// Cilium, AWS' and GKE's controllers. None by default, at most 32.
	//
	// +optional
	// +listType=set
	PassingTaints []string `json:"passingTaints,omitempty"`

	// gpu determines how the GPU memory that a task asks for is mapped to GPUs.
	//
	// +optional
	GPU GPU `json:"gpu,omitzero"`

	// registry determines how the registry is published.
	//
	// +optional
	Registry Registry `json:"registry,omitzero"`

	// predictor determines how malearn's tool type of a task is told.
	//
	// +optional
	Predictor Predictor `json:"predictor,omitzero"`
}

// NodesPolicy determines whether the operator reads the cluster's nodes.
type NodesPolicy string

const (
	// NodesWatch reads them and follows their changes; that takes the right to list and watch nodes.
	NodesWatch NodesPolicy = "Watch"
	// NodesIgnore reads none, for installations without cluster-wide rights: Placeable is Unknown with the reason NoInventory,
	// and placements come from the profiles, or else ask for one GPU.
	NodesIgnore NodesPolicy = "Ignore"
)

// Reserve is what others take of every node.
type Reserve struct {
	// cpu is a number of cores, such as 200m, below 1k. 0 for none.
	//
	// +optional
	CPU *resource.Quantity `json:"cpu,omitempty"`

	// memory is the main memory in bytes, with a unit, such as 256Mi, below 1Ti. 0 for none.
	//
	// +optional
	Memory *resource.Quantity `json:"memory,omitempty"`

	// daemonSets determines whether the operator reads the cluster's DaemonSets, and reserves on each node what those request that run there, where
	// that is more than cpu and memory here. Ignore by default.
	//
	// +optional
	DaemonSets DaemonSetsPolicy `json:"daemonSets,omitempty"`
}

// DaemonSetsPolicy determines whether the operator reads the cluster's DaemonSets.
type DaemonSetsPolicy string

const (
	// DaemonSetsRead reads them and follows their changes; that takes the right to list and watch daemonsets in all namespaces. Without the right,
	// what is configured is reserved.
	DaemonSetsRead DaemonSetsPolicy = "Read"
	// DaemonSetsIgnore reads none.
	DaemonSetsIgnore DaemonSetsPolicy = "Ignore"
)

// GPU determines how the GPU memory that a task asks for is mapped to GPUs.
type GPU struct {
	// resourceName is the extended resource of a whole GPU, as the device plugin names it. nvidia.com/gpu by default.
	// MIG slices (nvidia.com/mig-…) and shared GPUs (….shared) are found beside it and are not named here.
	//
	// +optional
	ResourceName corev1.ResourceName `json:"resourceName,omitempty"`

	// match determines how the memory that is asked for is compared with what a GPU has. Exact by default.
	//
	// +optional
	Match GPUMatch `json:"match,omitempty"`

	// dynamicResources determines whether GPUs count that Dynamic Resource Allocation hands out. Auto by default.
	//
	// +optional
	DynamicResources DynamicResourcesPolicy `json:"dynamicResources,omitempty"`

	// sharing says which GPUs that are shared between Pods may be used. None by default.
	//
	// +optional
	Sharing GPUSharing `json:"sharing,omitzero"`

	// evenBackends are the backends that split a model evenly over its GPUs, by the number of attention heads: such a task gets a power of two
	// of GPUs, unless its gpuCounts say otherwise. Case does not count. By default vllm, sglang, tgi, text-generation-inference, tensorrt-llm,
	// trtllm and lmdeploy. A list takes their place, and an empty one leaves none. At most 32.
	//
	// +optional
	// +listType=set
	EvenBackends []string `json:"evenBackends,omitzero"`

	// accelerators tell the memory of GPUs by a label that names them, where no label tells it. They are added to those of GKE and AKS that are
	// known, and override them. None by default, at most 256.
	//
	// +optional
	// +listType=map
	// +listMapKey=label
	// +listMapKey=value
	Accelerators []Accelerator `json:"accelerators,omitempty"`

	// tolerations are what the Pods of gpu tasks tolerate besides the taints nvidia.com/gpu:NoSchedule and that of resourceName, which they always
	// do. None
	// by default, at most 32. Each needs a key, and none may be of node.kubernetes.io, by which Kubernetes keeps Pods off
	// nodes that are not well.
	//
	// +optional
	// +listType=atomic
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`

	// profiles describe pools of nodes that need not exist yet, or whose labels do not tell their GPUs' memory. They count where
	// no labelled node that exists is enough. None by default, at most 64.
	//
	// +optional
	// +listType=map
	// +listMapKey=name
	Profiles []GPUProfile `json:"profiles,omitempty"`
}

// GPUMatch determines how the memory that is asked for is compared with what a GPU has.
type GPUMatch string

const (
	// MatchExact compares what the driver reports: 80Gi does not fit a card of "80 GB", which has 81559Mi.
	MatchExact GPUMatch = "Exact"
	// MatchNominal reads the Gi that are asked for as GB, so that 80Gi fits a card that is sold as one of 80 GB. A MIG slice counts by the number
	// in its profile's name.
	MatchNominal GPUMatch = "Nominal"
)

// DynamicResourcesPolicy determines whether GPUs count that Dynamic Resource Allocation hands out.
type DynamicResourcesPolicy string

const (
	// DynamicResourcesAuto reads DeviceClasses and ResourceSlices where the API server serves them; that takes the right to list and watch both.
	// Without it, and with nodes: Ignore, none are read.
	DynamicResourcesAuto DynamicResourcesPolicy = "Auto"
	// DynamicResourcesIgnore reads none: GPUs are those of device plugins, of labels and of profiles.
	DynamicResourcesIgnore DynamicResourcesPolicy = "Ignore"
)

// GPUSharing says which GPUs that are shared between Pods may be used.
type GPUSharing struct {
	// timeSlicing determines whether a task may get a GPU that takes turns between Pods, by NVIDIA's device plugin, GKE or HAMi. Their memory is not
	// divided: one task can use up another's. Deny by default.
	//
	// +optional
	TimeSlicing SharingPolicy `json:"timeSlicing,omitempty"`

	// mps determines whether a task may get a part of a GPU that is divided by NVIDIA's Multi-Process Service, or of a machine with a fraction of a
	// GPU, such as AWS' g6f. A part has a share of the memory. Deny by default.
	//
	// +optional
	MPS SharingPolicy `json:"mps,omitempty"`

	// provider is what gives Pods shares of a GPU by memory, where a cluster has one. None by default.
	//
	// +optional
	Provider SharingProvider `json:"provider,omitempty"`
}

// SharingProvider is what gives Pods shares of a GPU by memory.
type SharingProvider string

const (
	// ProviderNone gives tasks whole GPUs, and shares as timeSlicing and mps say.
	ProviderNone SharingProvider = "None"
	// ProviderHAMi gives a task as much of each GPU as it needs, by HAMi's resource nvidia.com/gpumem. Only nodes that HAMi manages are used, and one GPU
	// of each.
	ProviderHAMi SharingProvider = "HAMi"
	// ProviderKAI gives a task that needs one GPU as much of it as it needs, by the annotation gpu-memory of KAI Scheduler, and others whole GPUs. All
	// gpu tasks get its scheduler's name.
	ProviderKAI SharingProvider = "KAI"
)

// SharingPolicy determines whether GPUs that are shared in some way may be used.
type SharingPolicy string

const (
	// SharingAllow uses them like others, for tasks that need only one.
	SharingAllow SharingPolicy = "Allow"
	// SharingDeny leaves them alone.
	SharingDeny SharingPolicy = "Deny"
)

// GPUProfile describes the nodes of a pool.
type GPUProfile struct {
	// name tells profiles apart: at most 63 lower-case letters, digits and '-'.
	//
	// +required
	Name string `json:"name"`

	// memory is that of one GPU, in bytes with a unit: 23034Mi, as nvidia-smi reports it. From 1Mi to below 1Ti; a fraction
	// of a Mi is not counted.
	//
	// +required
	Memory resource.Quantity `json:"memory"`

	// count is the number of GPUs on one node, from 1 to 64.
	//
	// +required
	Count int32 `json:"count"`

	// memoryType says whose memory it is. Dedicated by default.
	//
	// +optional
	MemoryType GPUMemoryType `json:"memoryType,omitempty"`

	// nodeSelector are labels that every node of the pool has and no other node: from 1 to 16. A Pod that the profile is enough for
	// may go to nodes with all of them.
	//
	// +required
	NodeSelector map[string]string `json:"nodeSelector"`

	// tolerations are what a Pod must tolerate there, besides those of gpu.tolerations and within the same limits. None by
	// default.
	//
	// +optional
	// +listType=atomic
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`
}

// GPUMemoryType says whose memory a GPU uses.
type GPUMemoryType string

const (
	// MemoryDedicated is the GPU's own.
	MemoryDedicated GPUMemoryType = "Dedicated"
	// MemoryUnified is the node's main memory, as of a GB10 or a Jetson: a Pod requests it as memory, too.
	MemoryUnified GPUMemoryType = "Unified"
)

// Accelerator tells by a label of a node what GPUs it has.
type Accelerator struct {
	// label is the key of a label of nodes, such as cloud.google.com/gke-accelerator.
	//
	// +required
	Label string `json:"label"`

	// value is the label's value, such as nvidia-l4.
	//
	// +required
	Value string `json:"value"`

	// memory is that of one GPU, within the limits of a profile's.
	//
	// +required
	Memory resource.Quantity `json:"memory"`

	// count is the number of GPUs on one node, from 1 to 64, where the label tells it. Absent otherwise.
	//
	// +optional
	Count int32 `json:"count,omitempty"`
}

// Registry determines how the registry is published.
type Registry struct {
	// shardSize is the largest size of a registry ConfigMap's data, in bytes with a unit, from 16Ki to 1Mi. 256Ki by default. A
	// registry that is larger takes several ConfigMaps, each of at most half that size or with one entry, as a change of a task
	// writes a whole one. A task whose entry is larger than a ConfigMap is refused.
	//
	// +optional
	ShardSize *resource.Quantity `json:"shardSize,omitempty"`
}

// Predictor determines how malearn's tool type of a task is told.
type Predictor struct {
	// rules tell it from the task's name, where spec.predictor does not: the first rule counts that applies. By default those of
	// malearn: llm_process, llm_fuse (llm_fuse2In1), vlm_process, speech_process. A list takes their place, and an empty one
	// leaves none. At most 64.
	//
	// +optional
	// +listType=map
	// +listMapKey=contains
	Rules []PredictorRule `json:"rules,omitzero"`
}

// PredictorRule gives a tool type to the tasks whose names contain a text.
type PredictorRule struct {
	// contains is a part of the names, at most 253 letters, digits, '-', '_' and '.'. Case counts. It may not contain what an
	// earlier rule has, which would always come before it.
	//
	// +required
	Contains string `json:"contains"`

	// toolType is malearn's tool type, as spec.predictor has it: at most 253 characters.
	//
	// +required
	ToolType string `json:"toolType"`
}
