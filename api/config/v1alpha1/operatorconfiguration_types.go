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

	// gpu determines how the GPU memory that a task asks for is mapped to GPUs.
	//
	// +optional
	GPU GPU `json:"gpu,omitzero"`

	// registry says how the registry is published.
	//
	// +optional
	Registry Registry `json:"registry,omitzero"`

	// predictor says how malearn's tool type of a task is told.
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

// GPU says how the GPU memory that a task asks for is mapped to GPUs.
type GPU struct {
	// resourceName is the extended resource of a whole GPU, as the device plugin names it. nvidia.com/gpu by default.
	// MIG slices (nvidia.com/mig-…) and shared GPUs (….shared) are found beside it and are not named here.
	//
	// +optional
	ResourceName corev1.ResourceName `json:"resourceName,omitempty"`

	// match says how the memory that is asked for is compared with what a GPU has. Exact by default.
	//
	// +optional
	Match GPUMatch `json:"match,omitempty"`

	// sharing says which GPUs that are shared between Pods may be used. None by default.
	//
	// +optional
	Sharing GPUSharing `json:"sharing,omitzero"`

	// tolerations are what the Pods of gpu tasks tolerate besides the taint nvidia.com/gpu:NoSchedule, which they always do. None
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

// GPUMatch says how the memory that is asked for is compared with what a GPU has.
type GPUMatch string

const (
	// MatchExact compares what the driver reports: 80Gi does not fit a card of "80 GB", which has 81559Mi.
	MatchExact GPUMatch = "Exact"
	// MatchNominal counts what is asked for as 97 percent of it, so that 80Gi fits a card that is sold as one of 80 GB.
	MatchNominal GPUMatch = "Nominal"
)

// GPUSharing says which GPUs that are shared between Pods may be used.
type GPUSharing struct {
	// timeSlicing determines whether a task may get a GPU that takes turns between Pods. Their memory is not divided: one task can
	// use up another's. Deny by default.
	//
	// +optional
	TimeSlicing SharingPolicy `json:"timeSlicing,omitempty"`

	// mps determines whether a task may get a part of a GPU that is divided by NVIDIA's Multi-Process Service. A part has an equal
	// share of the memory. Deny by default.
	//
	// +optional
	MPS SharingPolicy `json:"mps,omitempty"`
}

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

	// nodeSelector are labels that every node of the pool has and no other node: from 1 to 16. A Pod that is placed by the
	// profile gets them as its own nodeSelector.
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

// Registry says how the registry is published.
type Registry struct {
	// shardSize is the largest size of a registry ConfigMap's data, in bytes with a unit, from 16Ki to 1Mi. 256Ki by default. A
	// registry that is larger takes several ConfigMaps, each of at most half that size or with one entry, as a change of a task
	// writes a whole one. A task whose entry is larger than a ConfigMap is refused.
	//
	// +optional
	ShardSize *resource.Quantity `json:"shardSize,omitempty"`
}

// Predictor says how malearn's tool type of a task is told.
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
