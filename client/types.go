package client

import "github.com/maze-agent/maregister/internal/registry"

// Entry is one task as published. It has the fields of TaskMeta, and:
//
//	Schema     Interface // the parameters as normalised JSON Schemas
//	EntryPoint *string   // how an executor gets the function, "package.module:function"; nil where the task does not say
//	Predictor  *string   // malearn's tool type; nil where the task does not say
//	Run        *v1alpha1.Run // spec.run: image, timeout, retries and more; nil where the task does not say
//	Deprecated *v1alpha1.Deprecation // spec.deprecated: message and replacement; nil for a task that is here to stay
//	Digest     Digests   // tells whether what was learnt of the task still holds
//	Kubernetes Origin    // the MazeTask that it was made from, and what a Pod for it needs
type Entry = registry.Entry

// TaskMeta holds the fields of the original registry's _task_meta:
//
//	Name             string          // spec.name, by which a DAG names the task
//	Description      *string         // nil where the task has none
//	InputParameters  json.RawMessage // as declared: a JSON Schema, or a map of name to property schema; {} where nothing is
//	OutputParameters json.RawMessage // as declared
//	Resources        TaskResources   // what a run needs
type TaskMeta = registry.TaskMeta

// TaskResources is the original's resources, all rounded up:
//
//	Type      v1alpha1.ResourceType // cpu, gpu or io
//	CPUNum    int64                 // whole cores
//	Mem       int64                 // MiB
//	GPUMem    int64                 // MiB, of all GPUs together; 0 where the task names no size
//	ModelName *string               // nil where the task names none
//	Backend   *string               // nil where the task names none
type TaskResources = registry.TaskResources

// Interface holds a task's parameters as normalised JSON Schemas (2020-12), of an object each:
//
//	Input  json.RawMessage
//	Output json.RawMessage
type Interface = registry.Interface

// Digests tell a consumer that keeps something about a task whether it still holds. Each is "sha256:" and 64 hexadecimal digits:
//
//	Interface string // changes exactly when the normalised parameters do
//	Spec      string // changes when anything in the spec does
type Digests = registry.Digests

// Origin is the MazeTask that an entry was made from:
//
//	Namespace  string
//	Name       string
//	UID        types.UID
//	Generation int64              // counts the changes of its spec
//	Placement  v1alpha1.Placement // goes into a Pod that runs the task, as it is
type Origin = registry.Origin
