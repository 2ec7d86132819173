package lint

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/config/crd"
	"github.com/maze-agent/maregister/internal/dag"
	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/workflow"
)

// Workflow is a MazeWorkflow that the API server would accept.
type Workflow struct {
	// MazeWorkflow has the CRD's defaults. Its namespace is empty if the manifest has none.
	*v1alpha1.MazeWorkflow
	object *object
}

// judgeWorkflow judges a MazeWorkflow as the API server. As the operator, it is judged once all tasks of the files are known.
func (l *Linter) judgeWorkflow(o *object, set *set, result *Result) {
	if l.ofWorkflows == nil {
		admission, err := compile(crd.MazeWorkflows)
		if err != nil { // cannot be: it is embedded
			o.report(finding.MalformedManifest, o.place, "%s", oneLine(err.Error()))
			return
		}
		l.ofWorkflows = admission
	}
	before := len(o.file.findings)
	o.file.reportName(o.place)
	o.reportKeys()
	admitted, refusal := admit[v1alpha1.MazeWorkflow](l.ofWorkflows, o.content)
	o.refuse(l.ofWorkflows, refusal)
	set.addObject(o)
	o.reportSwitches(before)
	if admitted != nil {
		result.Workflows = append(result.Workflows, Workflow{admitted, o})
	}
}

// judgeWorkflows judges the MazeWorkflows as the operator, by the tasks of the files. Others may be in the cluster, so what a node passes to
// them, and whether they are there, is left open.
func (r *Result) judgeWorkflows(set *set) {
	if len(r.Workflows) == 0 {
		return
	}
	byName := map[string][]*Task{}
	for i := range r.Tasks {
		byName[r.Tasks[i].Spec.Name] = append(byName[r.Tasks[i].Spec.Name], &r.Tasks[i])
	}
	for _, w := range r.Workflows {
		verdict, err := workflow.Judge(&w.Spec, func(name string) *workflow.Task { return served(byName[name], w.Namespace) })
		f := set.of(w.object.file.name)
		if err != nil {
			f.report(finding.MalformedDAG, w.object.place.at, w.object.name, "%s", oneLine(err.Error()))
			continue
		}
		for _, found := range slices.Concat(verdict.Errors, verdict.Warnings) {
			if found.Rule != finding.UnknownFunc {
				f.report(found.Rule, w.object.place.pointer(found.Pointer).at, w.object.name, "%s", found.Message).Pointer = found.Pointer
			}
		}
	}
}

// served returns the task of some with one name that a workflow of a namespace runs: the last one that may be of that namespace. Nil for none.
func served(tasks []*Task, namespace string) *workflow.Task {
	for _, t := range slices.Backward(tasks) {
		if t.Namespace == namespace || t.Namespace == "" || namespace == "" {
			input, output := t.Verdict.Input, t.Verdict.Output
			return &workflow.Task{
				Task:   dag.Task{Input: input.JSON(), Output: output.JSON(), InputSchema: input, OutputSchema: output, Deprecated: t.Spec.Deprecated},
				Object: t.Name, Placeable: metav1.ConditionUnknown,
			}
		}
	}
	return nil
}
