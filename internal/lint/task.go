package lint

import (
	"encoding/json"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/placement"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/internal/task"
)

// ofReasons are the rules of what the operator says of a task: by the reasons of Accepted=False, and TaskTooLarge of
// Registered=False.
var ofReasons = map[string]string{
	v1alpha1.ReasonInvalidName:        finding.InvalidTaskName,
	v1alpha1.ReasonInvalidSchema:      finding.InvalidSchema,
	v1alpha1.ReasonSchemaTooLarge:     finding.SchemaTooLarge,
	v1alpha1.ReasonRemoteRefForbidden: finding.RemoteRefForbidden,
	v1alpha1.ReasonRefCycle:           finding.RefCycle,
	v1alpha1.ReasonUnsupportedPattern: finding.UnsupportedPattern,
	v1alpha1.ReasonNumberOutOfRange:   finding.NumberOutOfRange,
	v1alpha1.ReasonNameConflict:       finding.NameConflict,
	v1alpha1.ReasonTaskTooLarge:       finding.TaskTooLarge,
}

// RuleOf gives the code of the rule that a MazeTask breaks for which the operator gives this reason. Empty if there is none.
func RuleOf(reason string) string { return ofReasons[reason] }

// judgeTask judges a MazeTask, first as the API server, then as the operator. It returns the task with the CRD's defaults and the
// operator's verdict, or nil and no verdict if one of them refuses the task.
func (l *Linter) judgeTask(o *object, set *set) (*v1alpha1.MazeTask, task.Verdict) {
	before := len(o.file.findings)
	o.reportKeys()
	admitted, refusal := l.admission.Admit(o.content)
	o.refuse(l.admission, refusal)
	set.addObject(o)
	if admitted == nil {
		return nil, task.Verdict{}
	}
	refused := o.file.errorsSince(before) // for what does not keep the operator from judging it
	verdict := task.Judge(&admitted.Spec)
	if !verdict.Accepted {
		for _, problem := range verdict.Problems {
			o.report(RuleOf(problem.Reason), o.place.pointer(problem.Pointer).at, "%s", oneLine(problem.Message))
		}
		return nil, task.Verdict{}
	}
	for _, warning := range verdict.Warnings {
		o.report(finding.PythonTypeName, o.place.pointer(warning.Pointer).at, "%s", oneLine(warning.Message))
	}
	if size, err := entrySize(admitted, verdict); err != nil || size > registry.Capacity(registry.DefaultShardSize) {
		o.reportTooLarge(size, err)
		return nil, task.Verdict{}
	}
	if refused {
		return nil, task.Verdict{}
	}
	set.addTask(o, admitted)
	return admitted, verdict
}

func (o *object) reportTooLarge(size int, err error) {
	if err != nil {
		o.report(finding.TaskTooLarge, o.place.at, "the entry cannot be written: %s", oneLine(err.Error()))
		return
	}
	o.report(finding.TaskTooLarge, o.place.at, "the entry would have about %d bytes, and a ConfigMap of the registry holds %d; shorten the "+
		"descriptions and the schemas", size, registry.Capacity(registry.DefaultShardSize))
}

// entrySize is about what the entry of a task takes of a ConfigMap: what depends on a cluster, its nodes above all, is not in it.
func entrySize(t *v1alpha1.MazeTask, verdict task.Verdict) (int, error) {
	const uid = "00000000-0000-0000-0000-000000000000"
	t = t.DeepCopy()
	t.UID, t.Generation = uid, 1
	resolution := placement.Resolve(placement.RequirementOf(&t.Spec.Resources), placement.NewBuilder(placement.DefaultConfig()).Inventory())
	parameters := registry.Interface{Input: json.RawMessage(verdict.Input.JSON()), Output: json.RawMessage(verdict.Output.JSON())}
	entry, err := registry.NewEntry(t, parameters, resolution.Placement, registry.DefaultPredictorRules())
	if err != nil {
		return 0, err
	}
	item, err := entry.Encode()
	if err != nil {
		return 0, err
	}
	return len(item.Name) + len(item.Text), nil
}
