package lint

import (
	"slices"
	"strings"

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
	before := len(o.file.findings)
	o.file.reportName(o.place)
	admitted := l.admitWorkflow(o)
	set.addObject(o)
	o.reportSwitches(before)
	if admitted != nil {
		result.Workflows = append(result.Workflows, Workflow{admitted, o})
	}
}

// admitWorkflow returns a MazeWorkflow as the API server would store it, or nil, and reports why it would not.
func (l *Linter) admitWorkflow(o *object) *v1alpha1.MazeWorkflow {
	if l.ofWorkflows == nil {
		admission, err := compile(crd.MazeWorkflows)
		if err != nil { // cannot be: it is embedded
			o.report(finding.MalformedManifest, o.place, "%s", oneLine(err.Error()))
			return nil
		}
		l.ofWorkflows = admission
	}
	o.reportKeys()
	admitted, refusal := admit[v1alpha1.MazeWorkflow](l.ofWorkflows, o.content)
	o.refuse(l.ofWorkflows, refusal)
	return admitted
}

// CheckWorkflow judges a workflow that package dag has read: if it is a MazeWorkflow, as the API server and the operator would, by the tasks
// that there are. What both the CRD and package dag find is told once, as the API server has it. The zero value of a Linter can do this.
func (l *Linter) CheckWorkflow(d *dag.Document, tasks *dag.Tasks, options dag.Options) (*dag.Graph, []finding.Finding) {
	graph, found := d.Check(tasks, options)
	if !d.IsObject() {
		return graph, found
	}
	admission := l.admissionOf(d)
	found = slices.DeleteFunc(found, func(f finding.Finding) bool {
		return slices.Contains(ofShape, f.Rule) && slices.ContainsFunc(admission, func(other finding.Finding) bool { return isAtOne(f.Pointer, other.Pointer) })
	})
	return graph, finding.Sort(append(found, admission...))
}

// ofShape are the rules of package dag about how a workflow is written, of which the CRD has its own.
var ofShape = []string{finding.MalformedDAG, finding.UnknownDAGField, finding.InvalidNodeID, finding.DuplicateNodeID, finding.DuplicateKey}

// isAtOne reports whether two pointers lead to one value, or one of them to a value right below that of the other.
func isAtOne(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	rest, ok := strings.CutPrefix(b, a)
	return ok && (rest == "" || rest[0] == '/' && !strings.Contains(rest[1:], "/"))
}

// admissionOf returns why the API server would refuse a MazeWorkflow or, for its size, the operator.
func (l *Linter) admissionOf(d *dag.Document) []finding.Finding {
	written, value, asJSON, source := d.Tree()
	if value == nil {
		return nil // nobody can read it, which is told
	}
	f := newFile(d.File)
	at := root(source, asJSON, written)
	if written.YAML != nil {
		at.text = nil
	}
	decoded, beyond := value.Value(asJSON)
	content, isObject := decoded.(map[string]any)
	switch {
	case beyond != nil:
		f.reportBeyond(at.pointer(beyond.Pointer()).at, beyond.Written(asJSON))
	case !isObject: // which is told
	case d.Kind != workflowKind || d.APIVersion != v1alpha1.SchemeGroupVersion.String():
		f.reportKind(at, d.APIVersion, d.Kind, nameOf(content))
	default:
		content["apiVersion"], content["kind"] = d.APIVersion, d.Kind // which an item of a list need not have
		o := &object{file: f, place: at, name: nameOf(content), content: content}
		admitted := l.admitWorkflow(o)
		if admitted == nil {
			break
		}
		if tooLarge, ok := workflow.CheckSize(&admitted.Spec); !ok {
			o.report(tooLarge.Rule, at.pointer(tooLarge.Pointer), "%s", tooLarge.Message)
		}
	}
	document{place: at}.point(f.findings)
	f.tellLeftOut()
	return d.Place(f.findings)
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
				at := w.object.place.pointer(found.Pointer)
				told := f.report(found.Rule, at.at, w.object.name, "%s", found.Message)
				told.Pointer, told.More = w.object.place.path+found.Pointer, found.More
				if found.Cause != "" {
					told.Cause = w.object.place.path + " " + w.object.name + ": " + found.Cause
				}
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
