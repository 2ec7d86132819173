package workflow

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/text"
)

// Status returns the next status of the workflow that was judged. Times of conditions that do not change are kept, and so are the tasks
// of a workflow that is not valid.
func (v *Verdict) Status(w *v1alpha1.MazeWorkflow, now metav1.Time) v1alpha1.MazeWorkflowStatus {
	v, last := v.joined(), &w.Status
	status := v1alpha1.MazeWorkflowStatus{
		ObservedGeneration: w.Generation,
		Conditions:         slices.Clone(last.Conditions),
		Nodes:              int32(v.Nodes), Errors: int32(len(v.Errors)), Warnings: int32(len(v.Warnings)), // the CRD and internal/dag bound them
		Tasks: last.Tasks,
	}
	conditions := v.conditions(last.Tasks, w.DeletionTimestamp != nil)
	for i := range conditions {
		c := conditions[i]
		c.ObservedGeneration, c.LastTransitionTime = w.Generation, now
		meta.SetStatusCondition(&status.Conditions, c)
	}
	if conditions[0].Status == metav1.ConditionTrue {
		status.Tasks = v.Tasks
	}
	return status
}

// joined returns the verdict as it is told: what has one cause counts once.
func (v *Verdict) joined() *Verdict {
	told := *v
	told.Errors, told.Warnings = finding.Join(v.Errors), finding.Join(v.Warnings)
	return &told
}

// conditions returns what each condition says. lastValid are the tasks by which the workflow was valid last, and goes reports whether it
// is being deleted.
func (v *Verdict) conditions(lastValid []v1alpha1.WorkflowTask, goes bool) [4]metav1.Condition {
	valid := v.valid(lastValid)
	return [...]metav1.Condition{valid, v.placeable(), readyOf(valid, goes), stalledOf(valid, goes)}
}

// ofInterfaces are the rules that a change of a task's interface can break, and mend.
var ofInterfaces = []string{
	finding.UnknownArgument, finding.MissingArgument, finding.InvalidArgument, finding.UnknownOutput, finding.IncompatibleEdge, finding.InvalidSchema,
}

// reasons are those for which a workflow is not valid, what has to be mended first before the others.
var reasons = []string{v1alpha1.ReasonInvalidGraph, v1alpha1.ReasonUnknownTask, v1alpha1.ReasonInterfaceMismatch}

// reasonOf returns the reason for which an error makes a workflow invalid.
func reasonOf(f *finding.Finding) string {
	switch {
	case f.Rule == finding.UnknownFunc:
		return v1alpha1.ReasonUnknownTask
	case slices.Contains(ofInterfaces, f.Rule):
		return v1alpha1.ReasonInterfaceMismatch
	default:
		return v1alpha1.ReasonInvalidGraph
	}
}

// ranked returns the errors in the order in which they have to be mended: a message begins with those of the condition's reason.
func (v *Verdict) ranked() []*finding.Finding {
	ranked := make([]*finding.Finding, 0, len(v.Errors))
	for _, reason := range reasons {
		for i := range v.Errors {
			if f := &v.Errors[i]; reasonOf(f) == reason {
				ranked = append(ranked, f)
			}
		}
	}
	return ranked
}

func (v *Verdict) valid(lastValid []v1alpha1.WorkflowTask) metav1.Condition {
	c := metav1.Condition{Type: v1alpha1.ConditionValid, Status: metav1.ConditionFalse}
	switch {
	case v.Conflict != "":
		c.Status, c.Reason = metav1.ConditionUnknown, v1alpha1.ReasonRegistryConflict
		c.Message = "nobody knows what the registry serves: " + v.Conflict
	case len(v.Errors) > 0:
		errors := v.ranked()
		c.Reason = reasonOf(errors[0])
		c.Message = v.tell(errors, v.since(lastValid).String())
	default:
		c.Status, c.Reason = metav1.ConditionTrue, v1alpha1.ReasonValid
		c.Message = "the tasks that the registry serves take what the nodes pass"
		if len(v.Warnings) > 0 {
			c.Message = v.tell(nil, "")
		}
	}
	return c
}

// drift is what has become of the tasks since the workflow was last valid, of those that it uses now as it did then.
type drift struct {
	// changed are the tasks whose interface is another one now, and gone those that the registry no longer serves, as they were.
	changed, gone []v1alpha1.WorkflowTask
}

// since compares the tasks with those by which the workflow was valid last.
func (v *Verdict) since(lastValid []v1alpha1.WorkflowTask) (d drift) {
	before := make(map[string]v1alpha1.WorkflowTask, len(lastValid))
	for _, t := range lastValid {
		before[t.Name] = t
	}
	for _, t := range v.Tasks {
		if last, known := before[t.Name]; known && last.Interface != t.Interface {
			d.changed = append(d.changed, last)
		}
	}
	for _, name := range v.Unserved {
		if last, known := before[name]; known {
			d.gone = append(d.gone, last)
		}
	}
	return d
}

// String returns what follows in a message. Empty if nothing has become of the tasks.
func (d drift) String() string {
	told := ""
	if len(d.changed) > 0 {
		told += "; changed since the workflow was last valid: " + some(d.changed, named, ", ", maxSince)
	}
	if len(d.gone) > 0 {
		told += "; served when the workflow was last valid: " + some(d.gone, identified, ", ", maxSince)
	}
	return told
}

// named returns a task's name as a message repeats it.
func named(t v1alpha1.WorkflowTask) string { return text.ClipCharacters(t.Name, maxName) }

// identified is [named] with the beginning of the interface's digest, by which a person finds it in status.tasks.
func identified(t v1alpha1.WorkflowTask) string {
	return named(t) + " as " + text.ClipCharacters(t.Interface, maxDigest)
}

const (
	// maxMessage bounds a message, in bytes, so that the note of an event has room for it. What is told first may be longer: a finding's
	// advice is at its end, so a few findings that are whole say more than many that are cut.
	maxMessage = 1024
	// maxTold is how many findings, nodes or tasks a message names at most. The others are counted.
	maxTold = 5
	// maxSince bounds the names of tasks of which something has become, in bytes.
	maxSince = 200
	// maxName is how much is repeated of a name, in characters.
	maxName = 60
	// maxDigest is how much is told of a digest, in characters: "sha256:", 12 digits and an ellipsis.
	maxDigest = 20
)

// tell returns a message about errors and the warnings: how many there are, the first ones, each whole, and what is to follow.
func (v *Verdict) tell(errors []*finding.Finding, after string) string {
	all := errors
	for i := range v.Warnings {
		all = append(all, &v.Warnings[i])
	}
	counts := count(len(v.Warnings), "warning")
	switch {
	case len(errors) > 0 && len(v.Warnings) > 0:
		counts = count(len(errors), "error") + " and " + counts
	case len(errors) > 0:
		counts = count(len(errors), "error")
	}
	counts += ": "
	return counts + some(all, found, "; ", maxMessage-len(counts)-len(after)) + after
}

// found returns a finding as a message tells it.
func found(f *finding.Finding) string { return f.Rule + " " + f.Message }

// placeable returns what is known of the places of all nodes: what is not possible counts before what is not known.
func (v *Verdict) placeable() metav1.Condition {
	c := metav1.Condition{Type: v1alpha1.ConditionPlaceable, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonFeasible,
		Message: "some node of the cluster can host the task of each node"}
	switch {
	case v.Conflict != "", v.TooLarge:
		c.Status, c.Reason, c.Message = metav1.ConditionUnknown, v1alpha1.ReasonNotJudged, "there is nothing to place: see the condition Valid"
	case len(v.Misplaced) > 0:
		c.Status, c.Reason = metav1.ConditionFalse, v.Misplaced[0].Reason
		c.Message = told("no node of the cluster can host the task of ", v.Misplaced)
	case len(v.Unplaced) > 0:
		c.Status, c.Reason = metav1.ConditionUnknown, v.Unplaced[0].Reason
		c.Message = told("it is not known whether a node of the cluster can host the task of ", v.Unplaced)
	}
	return c
}

// told returns a message that names nodes.
func told(what string, nodes []Node) string {
	return what + some(nodes, unplaced, ", ", maxMessage-len(what))
}

// unplaced names a node, and where to read more. It has no numbers of nodes of the cluster, which would change with each of them.
func unplaced(n Node) string {
	where := fmt.Sprintf("the registry does not serve task %s", text.ClipCharacters(n.Task, maxName))
	if n.Object != "" {
		where = fmt.Sprintf("%s; see the condition Placeable of MazeTask %s", n.Reason, n.Object)
	}
	return fmt.Sprintf("node %q (%s)", text.ClipCharacters(n.ID, maxName), where)
}

// readyOf derives Ready: it says what Valid says, as a task without nodes is ready, too.
func readyOf(valid metav1.Condition, goes bool) metav1.Condition {
	if goes {
		return metav1.Condition{
			Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonTerminating, Message: "the workflow is being deleted",
		}
	}
	if valid.Status == metav1.ConditionTrue {
		return metav1.Condition{
			Type: v1alpha1.ConditionReady, Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonReady, Message: "all tasks are served, and take what the nodes pass",
		}
	}
	return metav1.Condition{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse, Reason: valid.Reason, Message: valid.Message}
}

// waitsForPerson are the reasons of Valid that no change of a task can mend.
var waitsForPerson = []string{v1alpha1.ReasonInvalidGraph, v1alpha1.ReasonRegistryConflict}

// stalledOf derives Stalled. What a task can mend is not stalled: the task may come a moment after the workflow, from the same commit.
func stalledOf(valid metav1.Condition, goes bool) metav1.Condition {
	if !goes && slices.Contains(waitsForPerson, valid.Reason) {
		return metav1.Condition{Type: v1alpha1.ConditionStalled, Status: metav1.ConditionTrue, Reason: valid.Reason, Message: valid.Message}
	}
	return metav1.Condition{
		Type: v1alpha1.ConditionStalled, Status: metav1.ConditionFalse, Reason: v1alpha1.ReasonNotStalled, Message: "nothing waits for a person",
	}
}

// some tells the first of several things, and counts the others: as many as have room in some bytes, at least one, and at most maxTold.
func some[T any](all []T, tell func(T) string, separator string, room int) string {
	texts := make([]string, min(len(all), maxTold))
	for i := range texts {
		texts[i] = text.Visible(tell(all[i]))
	}
	for n := len(texts); ; n-- {
		told := strings.Join(texts[:n], separator)
		if n < len(all) {
			told += fmt.Sprintf("%sand %d more", separator, len(all)-n)
		}
		if n <= 1 || len(told) <= room {
			return told
		}
	}
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
