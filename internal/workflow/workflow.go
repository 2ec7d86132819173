// Package workflow judges MazeWorkflows: a workflow and the tasks that its registry serves in, the status out. It has the verdict of
// "mazectl dag check", which is internal/dag's.
package workflow

import (
	"encoding/json"
	"fmt"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/dag"
	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/registry"
)

// Task is what is known of a task that the registry serves.
type Task struct {
	dag.Task
	// Interface is the digest of its parameters, and Object the name of its MazeTask.
	Interface, Object string
	// Placeable is the status of the MazeTask's condition Placeable, and Reason its reason.
	Placeable metav1.ConditionStatus
	Reason    string
}

// NewTask returns the task of an entry, of which it is not known yet whether it is placeable.
func NewTask(item *registry.Item) (*Task, error) {
	entry, err := item.Entry()
	if err != nil {
		return nil, err
	}
	return &Task{
		Task:      dag.Task{Input: entry.Schema.Input, Output: entry.Schema.Output, Deprecated: entry.Deprecated},
		Interface: entry.Digest.Interface, Object: entry.Kubernetes.Name,
		Placeable: metav1.ConditionUnknown, Reason: v1alpha1.ReasonNotJudged,
	}, nil
}

// Judged returns what a verdict depends on of the task, besides whether it is placeable: as long as that is the same, so is the verdict.
func (t *Task) Judged() string {
	judged := t.Interface + " " + t.Object
	if t.Deprecated != nil {
		judged += " " + t.Deprecated.String()
	}
	return judged
}

// Served returns the task that the registry serves under a name. Nil if there is none.
type Served func(name string) *Task

// Uses returns the names of the tasks that a workflow's nodes run, sorted, each once.
func Uses(spec *v1alpha1.MazeWorkflowSpec) []string {
	names := make([]string, 0, len(spec.Nodes))
	for i := range spec.Nodes {
		names = append(names, spec.Nodes[i].Func)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Verdict is what is wrong with a workflow, and by what tasks it was judged.
type Verdict struct {
	// Nodes is the number of nodes.
	Nodes int
	// Errors and Warnings are what is wrong, in the order of the workflow: each place, also of what has one cause.
	Errors, Warnings []finding.Finding
	// Tasks are those that the workflow uses and the registry serves, sorted by name.
	Tasks []v1alpha1.WorkflowTask
	// Unserved are the names of those that it uses and the registry does not serve, sorted.
	Unserved []string
	// Misplaced are the nodes whose task no node of the cluster can host, and Unplaced those of which that is not known.
	Misplaced, Unplaced []Node
	// TooLarge reports whether the workflow is too large to be looked at. Then there is one error, and the rest is empty.
	TooLarge bool
	// Conflict says why nobody knows what the registry serves, and what to do. Unless it is empty, the rest is.
	Conflict string
}

// Node is a node of a workflow whose task is not known to be placeable.
type Node struct {
	// ID is the node's, and Task the name of its task.
	ID, Task string
	// Object is the name of the MazeTask. Empty where the registry serves none.
	Object string
	// Reason is that of its condition Placeable.
	Reason string
}

// Judge judges a workflow by the tasks that the registry serves.
func Judge(spec *v1alpha1.MazeWorkflowSpec, served Served) (*Verdict, error) {
	if isTooLarge(spec) {
		return &Verdict{TooLarge: true, Errors: []finding.Finding{tooLarge()}}, nil
	}
	v := &Verdict{Nodes: len(spec.Nodes)}
	known, tasks := map[string]*Task{}, map[string]dag.Task{}
	for _, name := range Uses(spec) {
		t := served(name)
		if t == nil {
			v.Unserved = append(v.Unserved, name)
			continue
		}
		known[name], tasks[name] = t, t.Task
		v.Tasks = append(v.Tasks, v1alpha1.WorkflowTask{Name: name, Interface: t.Interface})
	}
	document, err := documentOf(spec)
	if err != nil {
		return nil, err
	}
	_, findings := dag.Check("", document, dag.SomeTasks(tasks), dag.Options{Target: dag.TargetRegistry})
	for _, f := range findings {
		switch f.Severity {
		case finding.SeverityError:
			v.Errors = append(v.Errors, f)
		case finding.SeverityWarning:
			v.Warnings = append(v.Warnings, f)
		}
	}
	v.place(spec, known)
	return v, nil
}

// Conflicted returns the verdict on a workflow while nobody knows what the registry serves. why says so, and what to do.
func Conflicted(spec *v1alpha1.MazeWorkflowSpec, why string) *Verdict {
	return &Verdict{Nodes: len(spec.Nodes), Conflict: why}
}

// place finds the nodes whose tasks are not known to be placeable.
func (v *Verdict) place(spec *v1alpha1.MazeWorkflowSpec, known map[string]*Task) {
	for i := range spec.Nodes {
		n := Node{ID: spec.Nodes[i].ID, Task: spec.Nodes[i].Func, Reason: v1alpha1.ReasonNotJudged}
		t := known[n.Task]
		if t == nil {
			v.Unplaced = append(v.Unplaced, n)
			continue
		}
		switch n.Object, n.Reason = t.Object, t.Reason; t.Placeable {
		case metav1.ConditionTrue:
		case metav1.ConditionFalse:
			v.Misplaced = append(v.Misplaced, n)
		default:
			v.Unplaced = append(v.Unplaced, n)
		}
	}
}

// documentOf returns a workflow as internal/dag reads it. It is in "spec", so that pointers are those of the object.
func documentOf(spec *v1alpha1.MazeWorkflowSpec) ([]byte, error) {
	document, err := json.Marshal(map[string]any{"spec": v1alpha1.MazeWorkflowSpec{Nodes: spec.Nodes, Edges: spec.Edges}})
	if err != nil {
		return nil, fmt.Errorf("encode the workflow: %w", err)
	}
	return document, nil
}
