package v1alpha1

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// MazeWorkflowSpec is a workflow in the form of Maze's description: what "mazectl dag check" reads from a file.
type MazeWorkflowSpec struct {
	// description says what the workflow does. Its first line is shown in events and logs.
	//
	// +optional
	// +kubebuilder:validation:MaxLength=16384
	Description string `json:"description,omitempty"`

	// nodes are the steps of the workflow. Each runs a task of the namespace's registry.
	//
	// +required
	// +listType=map
	// +listMapKey=id
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=2000
	Nodes []WorkflowNode `json:"nodes,omitempty"`

	// edges say what runs first, or which output feeds which argument. An argument that refers to an output needs no edge.
	//
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=8000
	Edges []WorkflowEdge `json:"edges,omitempty"`
}

// WorkflowNode is a step of a workflow: a task and its arguments.
type WorkflowNode struct {
	// id is the node's name in the workflow, by which others refer to its outputs: 1 to 128 ASCII letters, digits, "_" and "-".
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9_-]+$')",message="must have only ASCII letters, digits, '_' and '-', so that others can refer to it, such as t1"
	ID string `json:"id,omitempty"`

	// func is the name of the task that the node runs: the spec.name of a MazeTask in the workflow's namespace.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:XValidation:rule="self.matches('^[A-Za-z0-9]([-._A-Za-z0-9]*[A-Za-z0-9])?$')",message="must be the spec.name of a MazeTask, which starts and ends with an ASCII letter or digit and holds only letters, digits, '-', '_' and '.', such as image_caption"
	Func string `json:"func,omitempty"`

	// args are the arguments by name. A text that is nothing but "node.output.key" is the output "key" of that node, and
	// "node.output.key[n]" is its item n, counted from 0; items of a list can be references, too. Any other value is passed as it is.
	// A name that the task does not declare has at most 253 characters.
	//
	// +optional
	// +kubebuilder:validation:Type=object
	// +kubebuilder:validation:MaxProperties=2000
	// +kubebuilder:pruning:PreserveUnknownFields
	// +mapType=atomic
	Args *apiextensionsv1.JSON `json:"args,omitempty"`
}

// WorkflowEdge says that a node waits for another one. It has source and target, the ids of nodes, of which one only runs before the
// other; or from and to, which are either ids, too, or an output and the argument that it feeds.
//
// +kubebuilder:validation:XValidation:rule="has(self.source) == has(self.target) && has(self.from) == has(self.to) && has(self.source) != has(self.from)",message="an edge has source and target, the ids of nodes, or from and to: {from: t1.text, to: t2.text} feeds an argument, {source: t1, target: t2} says only what runs first"
// +kubebuilder:validation:XValidation:rule="!has(self.source) || !has(self.target) || self.source != self.target",message="a node cannot wait for itself: an edge leads from one node to another"
// +kubebuilder:validation:XValidation:rule="!has(self.from) || !has(self.to) || self.from.contains('.') == self.to.contains('.')",message="from and to are both written node.port, such as t1.text, or both the id of a node"
type WorkflowEdge struct {
	// source is the id of the node that runs first.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Source string `json:"source,omitempty"`

	// target is the id of the node that waits for source.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=128
	Target string `json:"target,omitempty"`

	// from is an output, "node.output", or the id of the node that runs first.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	From string `json:"from,omitempty"`

	// to is the argument that the output feeds, "node.argument", or the id of the node that waits.
	//
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=512
	To string `json:"to,omitempty"`
}

// MazeWorkflowStatus is what the operator found out about a workflow by the tasks that the namespace's registry serves. It changes only
// when the verdict does.
type MazeWorkflowStatus struct {
	// observedGeneration is the metadata.generation that this status speaks of; -1 until the operator has seen the workflow.
	//
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// conditions are Valid, Placeable, Ready and Stalled. All are set as soon as the operator has judged the workflow.
	//
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// nodes is the number of the workflow's nodes.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	Nodes int32 `json:"nodes,omitempty"`

	// errors is the number of mistakes that "mazectl dag check" would report for the workflow as errors. Valid is True without any.
	// Absent until the operator has judged the workflow; 0 while Valid is Unknown.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	Errors int32 `json:"errors"`

	// warnings is the number of what "mazectl dag check" would report as warnings. They do not make a workflow invalid.
	//
	// +optional
	// +kubebuilder:validation:Minimum=0
	Warnings int32 `json:"warnings"`

	// tasks are the tasks of the workflow when it was last valid, with the interface that each had then. They stay while the workflow
	// is not valid, and so show which interface has changed. Absent if it never was valid.
	//
	// +optional
	// +listType=map
	// +listMapKey=name
	Tasks []WorkflowTask `json:"tasks,omitempty"`
}

// WorkflowTask is a task that a workflow uses, as it was when the workflow was last valid.
type WorkflowTask struct {
	// name is the task's spec.name, which nodes have as func.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	Name string `json:"name,omitempty"`

	// interface is the digest of the task's normalised parameters, as its entry in the registry has it in digest.interface: "sha256:"
	// and 64 hexadecimal digits.
	//
	// +required
	// +kubebuilder:validation:MinLength=1
	Interface string `json:"interface,omitempty"`
}

// MazeWorkflow is a workflow that the operator checks against the tasks of its namespace, again whenever one of them changes. It
// executes nothing.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:shortName=mzwf,categories={all,maze}
// +kubebuilder:printcolumn:name="Valid",type=string,JSONPath=".status.conditions[?(@.type=='Valid')].status",description="the tasks take what the workflow passes"
// +kubebuilder:printcolumn:name="Placeable",type=string,JSONPath=".status.conditions[?(@.type=='Placeable')].status",description="some node could host each task"
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=".status.conditions[?(@.type=='Ready')].status",description="the workflow can be run"
// +kubebuilder:printcolumn:name="Nodes",type=integer,JSONPath=".status.nodes",description="number of nodes"
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=".status.conditions[?(@.type=='Ready')].reason",description="why the workflow is, or is not, ready"
// +kubebuilder:printcolumn:name="Errors",type=integer,priority=1,JSONPath=".status.errors",description="number of mistakes"
// +kubebuilder:printcolumn:name="Warnings",type=integer,priority=1,JSONPath=".status.warnings",description="number of warnings"
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=".status.conditions[?(@.type=='Valid')].message",description="what is wrong"
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=".metadata.creationTimestamp"
type MazeWorkflow struct {
	metav1.TypeMeta `json:",inline"`

	// metadata is the standard object's metadata.
	//
	// +optional
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is the workflow.
	//
	// +required
	Spec MazeWorkflowSpec `json:"spec,omitzero"`

	// status is what the operator found out about the workflow.
	//
	// +optional
	// +kubebuilder:default:={"observedGeneration":-1}
	Status MazeWorkflowStatus `json:"status,omitzero"`
}

// MazeWorkflowList is a list of workflows.
//
// +kubebuilder:object:root=true
type MazeWorkflowList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []MazeWorkflow `json:"items"`
}
