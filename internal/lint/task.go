package lint

import (
	"encoding/json"
	"maps"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/jsontree"
	"github.com/maze-agent/maregister/internal/placement"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/internal/schema"
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

// RuleOf returns the code of the rule that a MazeTask breaks for which the operator gives this reason. Empty if there is none.
func RuleOf(reason string) string { return ofReasons[reason] }

// ofWarnings are the rules of what the operator warns of, by the kinds of the warnings.
var ofWarnings = map[string]string{
	schema.KindPythonType:     finding.PythonTypeName,
	schema.KindTranslated:     finding.TranslatedSchema,
	schema.KindNullDefault:    finding.NullDefault,
	schema.KindUnknownKeyword: finding.UnknownKeyword,
	schema.KindContradiction:  finding.ContradictoryKeywords,
	schema.KindFalseSchema:    finding.ContradictoryKeywords,
}

// WarningRuleOf returns the code of the rule of a warning of the operator, by its kind. Empty if there is none.
func WarningRuleOf(kind string) string { return ofWarnings[kind] }

// judgeTask judges a MazeTask, as the API server and as the operator: also what of it the operator would say after the first one's
// complaints. It returns the task with the CRD's defaults and the operator's verdict, or nil and no verdict if one of them refuses the task.
func (l *Linter) judgeTask(o *object, set *set) (*v1alpha1.MazeTask, task.Verdict) {
	before, errors := len(o.file.findings), o.file.errors
	pasted, leftOut := o.pasted(), maps.Clone(o.file.leftOut)
	o.reportKeys()
	admitted, refusal := l.admission.Admit(o.content)
	o.refuse(l.admission, refusal)
	set.addObject(o)
	verdict := o.judgeSpec(admitted, refusal)
	if admitted != nil && verdict.Accepted {
		verdict.Accepted = o.fits(admitted, verdict)
	}
	o.reportSwitches(before)
	if len(pasted) > 0 {
		o.file.leftOut = leftOut // what follows from it
		o.reportPasted(before, pasted)
	}
	if admitted == nil || !verdict.Accepted || o.file.errors > errors {
		return nil, task.Verdict{}
	}
	set.addTask(o, admitted)
	return admitted, verdict
}

// judgeSpec reports what the operator says of a spec. Where the API server refuses it, that is what the operator would say of the parameters.
func (o *object) judgeSpec(admitted *v1alpha1.MazeTask, refusal Refusal) task.Verdict {
	spec := &v1alpha1.MazeTaskSpec{}
	switch {
	case admitted != nil:
		spec = &admitted.Spec
	case refusal.tooLarge():
		return task.Verdict{}
	default:
		declared, _ := o.content["spec"].(map[string]any)
		spec.InputParameters, spec.OutputParameters = parametersOf(declared["inputParameters"]), parametersOf(declared["outputParameters"])
	}
	verdict := task.Judge(spec)
	told := o.asWritten(spec, &verdict)
	for _, problem := range verdict.Problems {
		if problem.Reason == v1alpha1.ReasonInvalidName && admitted == nil {
			continue // that is the API server's to say, too
		}
		if rule := RuleOf(problem.Reason); o.file.full(rule) {
			o.file.leaveOut(rule, 1)
			continue
		}
		at, message := o.place.pointer(problem.Pointer), told[problem.Pointer]
		at.path = o.place.path + problem.Pointer
		if message != "" && (at.node == nil || at.node.IsJSON(at.text) && !isSwitch(at.node)) {
			o.report(RuleOf(problem.Reason), at, "%s", message)
			continue
		}
		o.reportValue(RuleOf(problem.Reason), at, oneLine(problem.Message))
	}
	for _, warning := range verdict.Warnings {
		at := o.place.pointer(warning.Pointer)
		if warning.Kind == schema.KindFalseSchema && at.node != nil && isSwitch(at.node) {
			continue // MZ116 says what YAML makes of the word
		}
		o.reportValue(ofWarnings[warning.Kind], at, oneLine(warning.Message))
	}
	return verdict
}

// parametersOf returns the declaration of parameters that are an object. Nil for all else, of which the API server speaks.
func parametersOf(value any) *apiextensionsv1.JSON {
	if _, ok := value.(map[string]any); !ok {
		return nil
	}
	raw, err := json.Marshal(value)
	if err != nil { // cannot be: it was decoded from JSON or YAML
		return nil
	}
	return &apiextensionsv1.JSON{Raw: raw}
}

// asWritten returns the messages of problems with numbers as they are written, by the pointers of the problems. The operator sees what
// the API server stores, where 18446744073709551615 has become 18446744073709552000: its verdict counts, and what it would say of
// the number that is written is better understood.
func (o *object) asWritten(spec *v1alpha1.MazeTaskSpec, verdict *task.Verdict) map[string]string {
	if len(verdict.Problems) == 0 {
		return nil
	}
	written := spec.DeepCopy()
	changed := false
	for name, declared := range map[string]**apiextensionsv1.JSON{"inputParameters": &written.InputParameters, "outputParameters": &written.OutputParameters} {
		at, _ := o.place.member("spec")
		if at, ok := at.member(name); ok && *declared != nil && hasOtherNumber(at.node, at.text) {
			(*declared).Raw, changed = jsontree.AppendJSON(nil, at.node, at.text), true
		}
	}
	if !changed {
		return nil
	}
	reasons := map[string]string{}
	for _, problem := range verdict.Problems {
		reasons[problem.Pointer] = problem.Reason
	}
	told := map[string]string{}
	again := task.Judge(written)
	for _, problem := range again.Problems {
		if reasons[problem.Pointer] == problem.Reason {
			told[problem.Pointer] = oneLine(problem.Message)
		}
	}
	return told
}

// fits reports whether the entry of a task fits into a ConfigMap of the registry, and reports it if not.
func (o *object) fits(admitted *v1alpha1.MazeTask, verdict task.Verdict) bool {
	capacity := registry.Capacity(registry.DefaultShardSize)
	if atMost(admitted, verdict) <= capacity {
		return true
	}
	size, err := entrySize(admitted, verdict)
	switch {
	case err != nil:
		o.report(finding.TaskTooLarge, o.place, "the entry cannot be written: %s", oneLine(err.Error()))
	case size > capacity:
		o.report(finding.TaskTooLarge, o.place, "the entry would have about %d bytes, and a ConfigMap of the registry holds %d; shorten the "+
			"descriptions and the schemas", size, capacity)
	default:
		return true
	}
	return false
}

// atMost returns more bytes than the entry of a task can have, without making the entry: nearly all tasks are small.
func atMost(t *v1alpha1.MazeTask, verdict task.Verdict) int {
	const escaped, rest = 6, 8 << 10 // a byte is six at most, as \u003c; the rest are names, the placement and the members' own names
	spec := &t.Spec
	total := len(spec.Name) + len(spec.Description) + len(spec.EntryPoint) + len(spec.Predictor) + len(spec.Resources.ModelName) + len(spec.Resources.Backend)
	for _, part := range []any{spec.Run, spec.Deprecated} {
		if encoded, err := json.Marshal(part); err == nil {
			total += len(encoded)
		}
	}
	for _, declared := range []*apiextensionsv1.JSON{spec.InputParameters, spec.OutputParameters} {
		if declared != nil {
			total += len(declared.Raw)
		}
	}
	return (total+len(verdict.Input.JSON())+len(verdict.Output.JSON()))*escaped + rest
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
