package v1alpha1

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ResourceType says what a task mainly uses.
//
// +kubebuilder:validation:Enum=cpu;gpu;io
type ResourceType string

const (
	// ResourceTypeCPU is a task that computes on CPUs.
	ResourceTypeCPU ResourceType = "cpu"
	// ResourceTypeGPU is a task that needs at least one GPU.
	ResourceTypeGPU ResourceType = "gpu"
	// ResourceTypeIO is a task that mostly waits for disks or the network.
	ResourceTypeIO ResourceType = "io"
)

// MazeTaskSpec is what the author of a task declares.
//
// +kubebuilder:validation:XValidation:rule="!has(self.deprecated) || !has(self.deprecated.replacement) || self.deprecated.replacement != self.name",message="must be the spec.name of another task; name what to run instead, or remove the replacement",fieldPath=".deprecated.replacement"
type MazeTaskSpec struct {
	// name is the key of the task in the registry, and what a DAG node gives as
	// "func". It cannot be changed: to rename a task, create another one. Of two
	// tasks in a namespace with one name, the newer valid one is served.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?$')",message="must start and end with an ASCII letter or digit and hold only letters, digits, '-', '_' and '.', such as image_caption"
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="cannot be changed: create another MazeTask with the new name, then delete this one"
	Name string `json:"name,omitempty"`

	// description says what the task does. Its first line is shown in events and logs.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=16384
	Description string `json:"description,omitempty"`

	// inputParameters says which arguments the task takes: a JSON Schema of type
	// object, or the short form, a map of argument name to the schema of that argument:
	// {"image": {"type": "filepath"}}. Types are those of JSON Schema, and
	// "filepath" and "folderpath" for strings that name a file or a folder. Schemas
	// of draft-04, -06, -07 and 2019-09, and OpenAPI's "nullable", are read and
	// published as 2020-12. At most 64 KiB, 32 levels and 2,000 values; "$ref" only
	// within the same schema; patterns as far as RE2 can run them.
	//
	// +optional
	// +kubebuilder:validation:Type=object
	// +kubebuilder:validation:MaxProperties=2000
	// +kubebuilder:pruning:PreserveUnknownFields
	// +mapType=atomic
	InputParameters *apiextensionsv1.JSON `json:"inputParameters,omitempty"`

	// outputParameters says what the task returns, in the same forms and within the
	// same limits as inputParameters.
	//
	// +optional
	// +kubebuilder:validation:Type=object
	// +kubebuilder:validation:MaxProperties=2000
	// +kubebuilder:pruning:PreserveUnknownFields
	// +mapType=atomic
	OutputParameters *apiextensionsv1.JSON `json:"outputParameters,omitempty"`

	// resources says what one run of the task needs.
	//
	// +optional
	// +kubebuilder:default={}
	Resources Resources `json:"resources,omitzero"`

	// entryPoint is the Python object reference by which an executor gets the function:
	// "package.module:function".
	//
	// +optional
	// +kubebuilder:validation:MinLength=3
	// +kubebuilder:validation:MaxLength=512
	// +kubebuilder:validation:XValidation:rule="self.matches('^[\\\\pL_][\\\\pL\\\\pN_]*([.][\\\\pL_][\\\\pL\\\\pN_]*)*:[\\\\pL_][\\\\pL\\\\pN_]*([.][\\\\pL_][\\\\pL\\\\pN_]*)*$')",message="must be a Python object reference such as tools.image:image_caption"
	EntryPoint string `json:"entryPoint,omitempty"`

	// predictor is malearn's tool type, such as llm_process or vlm_process, for a task
	// whose name does not tell it by the rules of the operator's configuration.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	Predictor string `json:"predictor,omitempty"`

	// source says where discovery found the task. It is not needed to run it.
	//
	// +optional
	Source *Source `json:"source,omitempty"`

	// run says how a Pod runs the task: its image, how long, what follows a failure, and its variables. Absent for what the scheduler has for all.
	//
	// +optional
	Run *Run `json:"run,omitempty"`

	// deprecated says that new workflows should not run the task, and what they should run instead. The task is served as before, and
	// workflows that run it get a warning. Absent for a task that is here to stay.
	//
	// +optional
	Deprecated *Deprecation `json:"deprecated,omitempty"`
}

// Resources is what one run of a task needs.
//
// +kubebuilder:validation:XValidation:rule="self.type == 'gpu' || !has(self.gpuMemory)",message="gpuMemory needs type: gpu; set the type, or remove gpuMemory",reason=FieldValueForbidden,fieldPath=".gpuMemory"
// +kubebuilder:validation:XValidation:rule="self.type == 'gpu' || !has(self.gpuCounts)",message="gpuCounts needs type: gpu; set the type, or remove gpuCounts",reason=FieldValueForbidden,fieldPath=".gpuCounts"
// +kubebuilder:validation:XValidation:rule="self.type == 'gpu' || !has(self.gpuRequirements)",message="gpuRequirements needs type: gpu; set the type, or remove gpuRequirements",reason=FieldValueForbidden,fieldPath=".gpuRequirements"
type Resources struct {
	// type is cpu, gpu or io. A gpu task gets at least one GPU; cpu and io tasks get none.
	//
	// +optional
	// +kubebuilder:default=cpu
	Type ResourceType `json:"type,omitempty"`

	// cpu is the number of CPU cores: 1, or 500m for half a core. A fraction such as 0.5 has to be quoted.
	//
	// +optional
	// +kubebuilder:default="1"
	// +kubebuilder:validation:XValidation:rule="string(self).matches('^[0-9]{1,18}([.][0-9]{1,9})?([KMGTPE]i|[mkMGTPE]|e[0-9])?$') && quantity(string(self)).compareTo(quantity('0')) >= 0 && quantity(string(self)).compareTo(quantity('100k')) <= 0",messageExpression="!string(self).matches('^[0-9]{1,18}([.][0-9]{1,9})?([KMGTPE]i|[mkMGTPE]|e[0-9])?$') ? 'must be a number of cores that is not negative, such as 2 or 500m' : 'cpu is ' + string(self) + ' cores; did you mean millicores, such as 500m?'"
	CPU *resource.Quantity `json:"cpu,omitempty"`

	// memory is the main memory in bytes, with a unit: 512Mi, 2Gi. At least 1Mi.
	//
	// +optional
	// +kubebuilder:default="1Gi"
	// +kubebuilder:validation:XValidation:rule="string(self).matches('^[0-9]{1,18}([.][0-9]{1,9})?([KMGTPE]i|[mkMGTPE]|e[0-9])?$') && quantity(string(self)).compareTo(quantity('1Mi')) >= 0 && quantity(string(self)).compareTo(quantity('1Pi')) <= 0",messageExpression="!string(self).matches('^[0-9]{1,18}([.][0-9]{1,9})?([KMGTPE]i|[mkMGTPE]|e[0-9])?$') ? 'must be a quantity that is not negative, such as 512Mi or 2Gi' : quantity(string(self)).compareTo(quantity('1Pi')) > 0 ? 'memory is ' + string(self) + '; more than 1Pi cannot be meant, check the unit' : string(self).matches('^[1-9][0-9]*$') ? 'memory is ' + string(self) + ' bytes; did you mean \"' + string(self) + 'Mi\"?' : 'memory is ' + string(self) + '; give at least 1Mi'"
	Memory *resource.Quantity `json:"memory,omitempty"`

	// gpuMemory is the GPU memory that the task needs in all, not per GPU, with a unit:
	// 4Gi, 40960Mi. At least 1Mi. Only for type gpu; without it, one GPU of any size.
	//
	// +optional
	// +kubebuilder:validation:XValidation:rule="string(self).matches('^[0-9]{1,18}([.][0-9]{1,9})?([KMGTPE]i|[mkMGTPE]|e[0-9])?$') && quantity(string(self)).compareTo(quantity('1Mi')) >= 0 && quantity(string(self)).compareTo(quantity('1Pi')) <= 0",messageExpression="!string(self).matches('^[0-9]{1,18}([.][0-9]{1,9})?([KMGTPE]i|[mkMGTPE]|e[0-9])?$') ? 'must be a quantity that is not negative, such as 4Gi or 40960Mi' : quantity(string(self)).compareTo(quantity('1Pi')) > 0 ? 'gpuMemory is ' + string(self) + '; more than 1Pi cannot be meant, check the unit' : string(self).matches('^[1-9][0-9]*$') ? 'gpuMemory is ' + string(self) + ' bytes; did you mean \"' + string(self) + 'Mi\"?' : 'gpuMemory is ' + string(self) + '; give at least 1Mi'"
	GPUMemory *resource.Quantity `json:"gpuMemory,omitempty"`

	// gpuCounts are the numbers of GPUs between which the task's model can be split, from 1 to 64: 1, 2, 4, 7 for one
	// with 28 attention heads. The task gets the least of them that is enough. Only for type gpu; without it, any
	// number, or a power of two for a backend that splits evenly.
	//
	// +optional
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=64
	// +kubebuilder:validation:items:Minimum=1
	// +kubebuilder:validation:items:Maximum=64
	// +listType=set
	GPUCounts []int32 `json:"gpuCounts,omitempty"`

	// gpuRequirements say what the GPUs must be, besides their memory, and their node. Only for type gpu; without it, any.
	//
	// +optional
	GPURequirements *GPURequirements `json:"gpuRequirements,omitempty"`

	// modelName is the model that the task loads, such as llava-v1.6.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=512
	ModelName string `json:"modelName,omitempty"`

	// backend is what runs the model: free text such as vllm or huggingface.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=253
	Backend string `json:"backend,omitempty"`
}

// GPURequirements say what the GPUs of a task must be, by labels that GPU Feature Discovery gives nodes. Each that is there
// must hold.
//
// +kubebuilder:validation:MinProperties=1
type GPURequirements struct {
	// minComputeCapability is the least compute capability of CUDA, quoted, such as "8.0" for bfloat16 or "8.9" for FP8.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=8
	// +kubebuilder:validation:XValidation:rule="self.matches('^[1-9][0-9]?[.][0-9]$')",message="must be a compute capability of CUDA, quoted, such as \"8.9\""
	MinComputeCapability string `json:"minComputeCapability,omitempty"`

	// architecture is that of the node's processor, for which the task's image is made, as the label kubernetes.io/arch
	// has it: amd64 or arm64.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self.matches('^([a-z0-9][-_.a-z0-9]*)?[a-z0-9]$')",message="must be a value of the label kubernetes.io/arch, such as amd64 or arm64"
	Architecture string `json:"architecture,omitempty"`

	// products are the names of GPUs that will do, as the label nvidia.com/gpu.product has them, such as
	// NVIDIA-H100-80GB-HBM3. A name stands also for shares and slices of such a GPU.
	//
	// +optional
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:items:MinLength=1
	// +kubebuilder:validation:items:MaxLength=63
	// +kubebuilder:validation:items:XValidation:rule="self.matches('^([A-Za-z0-9][-_.A-Za-z0-9]*)?[A-Za-z0-9]$')",message="must be a value of the label nvidia.com/gpu.product, such as NVIDIA-H100-80GB-HBM3"
	// +listType=set
	Products []string `json:"products,omitempty"`
}

// Source is the place in a source tree where discovery found a task.
type Source struct {
	// path is the file, relative to the root of the scanned tree, with forward slashes.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Path string `json:"path,omitempty"`

	// line is the line of the function's first decorator, counted from 1.
	//
	// +optional
	// +kubebuilder:validation:Minimum=1
	Line int32 `json:"line,omitempty"`

	// digest is the SHA-256 of the function's source text: "sha256:" and 64 hexadecimal digits.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=71
	// +kubebuilder:validation:Pattern=`^sha256:[0-9a-f]{64}$`
	Digest string `json:"digest,omitempty"`
}

// MazeTaskStatus is what the operator found out about a task. It holds nothing that
// changes with the coming and going of other tasks or nodes, as long as that changes
// nothing for this task.
type MazeTaskStatus struct {
	// observedGeneration is the metadata.generation that this status speaks of; -1 until
	// the operator has seen the task.
	//
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions are Accepted, Registered, Placeable, Ready and Stalled. All are set as soon
	// as the operator has seen the task.
	//
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// entry says where the registry serves the task. Absent while it is not served.
	//
	// +optional
	// +structType=atomic
	Entry *EntryReference `json:"entry,omitempty"`

	// placement is what a Pod needs to run the task: that of the entry which the registry serves, or would serve for
	// this task. Absent while there is none.
	//
	// +optional
	// +structType=atomic
	Placement *Placement `json:"placement,omitempty"`

	// predictor is malearn's tool type: spec.predictor or, where that is absent, what the first rule of the operator's
	// configuration says that applies to spec.name. Like placement, it is that of the entry. Absent where no rule applies.
	//
	// +optional
	Predictor string `json:"predictor,omitempty"`
}

// EntryReference names an entry of a registry.
type EntryReference struct {
	// configMap is the name of the registry's ConfigMap in the task's namespace. Its key
	// ".index" names the ConfigMaps that hold the entries.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	ConfigMap string `json:"configMap,omitempty"`

	// key is the entry's key: spec.name.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	Key string `json:"key,omitempty"`

	// generation is the metadata.generation of the task that the entry was made from. It is older
	// than metadata.generation while an edit is not accepted.
	//
	// +required
	// +kubebuilder:validation:Minimum=1
	Generation int64 `json:"generation,omitempty"`

	// digest is the SHA-256 of the entry's text: "sha256:" and 64 hexadecimal digits.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	Digest string `json:"digest,omitempty"`
}

// MazeTask declares a task: a function that Maze can schedule. The operator publishes every
// valid task in the ConfigMap maze-registry of its namespace.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=mzt,categories={all,maze}
// +kubebuilder:selectablefield:JSONPath=".spec.name"
// +kubebuilder:selectablefield:JSONPath=".spec.resources.type"
// +kubebuilder:selectablefield:JSONPath=".status.predictor"
// +kubebuilder:printcolumn:name="Task",type=string,JSONPath=".spec.name",description="key in the registry"
// +kubebuilder:printcolumn:name="Type",type=string,JSONPath=".spec.resources.type",description="cpu, gpu or io"
// +kubebuilder:printcolumn:name="GPU Memory",type=string,JSONPath=".spec.resources.gpuMemory",description="GPU memory in all"
// +kubebuilder:printcolumn:name="Model",type=string,JSONPath=".spec.resources.modelName",description="model that the task loads"
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=".status.conditions[?(@.type=='Ready')].status",description="the registry serves this generation"
// +kubebuilder:printcolumn:name="Placeable",type=string,JSONPath=".status.conditions[?(@.type=='Placeable')].status",description="some node could host the task"
// +kubebuilder:printcolumn:name="Reason",type=string,priority=1,JSONPath=".status.conditions[?(@.type=='Ready')].reason",description="why the task is, or is not, ready"
// +kubebuilder:printcolumn:name="Predictor",type=string,priority=1,JSONPath=".status.predictor",description="malearn's tool type"
// +kubebuilder:printcolumn:name="Deprecated",type=string,priority=1,JSONPath=".spec.deprecated.message",description="why not to run the task any more"
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=".metadata.creationTimestamp"
type MazeTask struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object's metadata.
	//
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is what the author of the task declares.
	//
	// +required
	Spec MazeTaskSpec `json:"spec,omitzero"`

	// status is what the operator found out about the task.
	//
	// +optional
	// +kubebuilder:default:={"observedGeneration":-1}
	Status MazeTaskStatus `json:"status,omitzero"`
}

// MazeTaskList is a list of tasks.
//
// +kubebuilder:object:root=true
type MazeTaskList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []MazeTask `json:"items"`
}
