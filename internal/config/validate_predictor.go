package config

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/maze-agent/maregister/api/config/v1alpha1"
)

const (
	maxPredictorRules = 64
	// maxToolType, in characters, is that of spec.predictor.
	maxToolType = 253
)

// partOfName is what the name of a task can contain: see spec.name.
var partOfName = regexp.MustCompile(`^[-._A-Za-z0-9]{1,253}$`)

func (f *file) predictorRules(path *field.Path, rules []v1alpha1.PredictorRule) {
	if _, given := f.places[path.String()]; !given || f.wrong[path.String()] {
		return // they are the defaults
	}
	if len(rules) > maxPredictorRules {
		f.invalid(path, "has %d rules: keep at most %d", len(rules), maxPredictorRules)
		return
	}
	for i, rule := range rules {
		at := path.Index(i)
		if f.wrong[at.String()] {
			continue
		}
		if f.has(at, "contains", "a part of the names of tasks, such as llm_process") && !partOfName.MatchString(rule.Contains) {
			f.invalid(at.Child("contains"), "is %s: write a part of the names of tasks, such as llm_process: at most 253 letters, digits, '-', '_' and '.'",
				quote(rule.Contains))
		}
		if n := utf8.RuneCountInString(rule.ToolType); f.has(at, "toolType", "malearn's tool type, such as llm_process") && (n < 1 || n > maxToolType) {
			f.invalid(at.Child("toolType"), "is %s: write malearn's tool type, such as llm_process: at most %d characters", quote(rule.ToolType), maxToolType)
		}
		f.reachable(path, rules, i)
	}
}

// reachable checks that no earlier rule applies wherever this one does.
func (f *file) reachable(path *field.Path, rules []v1alpha1.PredictorRule, i int) {
	at := path.Index(i).Child("contains")
	for j, earlier := range rules[:i] {
		switch text := rules[i].Contains; {
		case earlier.Contains == "": // it is wrong itself
		case text == earlier.Contains:
			f.invalid(at, "is %s, as is %s: keep one", quote(text), path.Index(j).Child("contains"))
		case strings.Contains(text, earlier.Contains):
			f.invalid(at, "is %s, of which %s, %s, is a part, so that this rule never counts: move it before that one, or remove it",
				quote(text), path.Index(j).Child("contains"), quote(earlier.Contains))
		}
	}
}
