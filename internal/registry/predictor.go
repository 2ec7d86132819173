package registry

import (
	"slices"
	"strings"
)

// PredictorRules find malearn's tool type by a task's name: the first rule counts that applies.
type PredictorRules []PredictorRule

// PredictorRule gives a tool type to the tasks whose names contain a text. Case counts.
type PredictorRule struct {
	Contains string
	ToolType string
}

// DefaultPredictorRules are those of the original, the map in DAGTaskPredictor.get_mapped_tool_type.
func DefaultPredictorRules() PredictorRules {
	return PredictorRules{
		{Contains: "llm_process", ToolType: "llm_process"},
		{Contains: "llm_fuse", ToolType: "llm_fuse2In1"},
		{Contains: "vlm_process", ToolType: "vlm_process"},
		{Contains: "speech_process", ToolType: "speech_process"},
	}
}

// of returns the rule for a name. Empty if there is none.
func (rules PredictorRules) of(name string) PredictorRule {
	i := slices.IndexFunc(rules, func(rule PredictorRule) bool { return strings.Contains(name, rule.Contains) })
	if i < 0 {
		return PredictorRule{}
	}
	return rules[i]
}

// WithPredictorRules returns the same entry as these rules would have made it. A tool type that the task's spec named stays.
func (i Item) WithPredictorRules(rules PredictorRules) (Item, error) {
	e, err := i.Entry()
	if err != nil {
		return Item{}, err
	}
	if named := e.Predictor != nil && e.Kubernetes.PredictorRule == ""; named {
		return i, nil
	}
	e.applyPredictorRules(rules)
	return e.Encode()
}

// applyPredictorRules sets the tool type of a task whose spec names none.
func (e *Entry) applyPredictorRules(rules PredictorRules) {
	rule := rules.of(e.Name)
	e.Predictor, e.Kubernetes.PredictorRule = text(rule.ToolType), rule.Contains
}
