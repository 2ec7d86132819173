package config

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/maze-agent/maregister/api/config/v1alpha1"
	"github.com/maze-agent/maregister/internal/nearest"
	"github.com/maze-agent/maregister/internal/registry"
)

// The most items that lists have.
const (
	maxNamespaces     = 64
	maxPassingTaints  = 32
	maxEvenBackends   = 32
	maxAccelerators   = 256
	maxTolerations    = 32
	maxProfiles       = 64
	maxNodeSelector   = 16
	maxPredictorRules = 64
)

const keepOne = "keep one"

// validate adds a finding about each value that is wrong, of a configuration that has its defaults. Of another kind of file, it reports
// only that.
func (f *file) validate(c *v1alpha1.OperatorConfiguration) {
	for _, header := range [][3]string{{"apiVersion", c.APIVersion, typeMeta.APIVersion}, {"kind", c.Kind, typeMeta.Kind}} {
		name, got, want := header[0], header[1], header[2]
		f.require("", name, name+": "+want)
		f.refuse(name, got != want, "is %s: write %s", quote(got), want)
	}
	if c.TypeMeta != typeMeta {
		f.findings = slices.DeleteFunc(f.findings, func(found finding) bool { return found.path != "apiVersion" && found.path != "kind" })
		return
	}
	f.namespaces("watchNamespaces", c.WatchNamespaces)
	choice(f, "nodes", c.Nodes, v1alpha1.NodesWatch, v1alpha1.NodesIgnore)
	choice(f, "reserve.daemonSets", c.Reserve.DaemonSets, v1alpha1.DaemonSetsIgnore, v1alpha1.DaemonSetsRead)
	f.refuse("reserve.cpu", c.Reserve.CPU.CmpInt64(1000) >= 0,
		"is %s: write what DaemonSets take of a node, below 1k cores, such as 200m", c.Reserve.CPU)
	f.refuse("reserve.memory", c.Reserve.Memory.Cmp(maxMemory) > 0,
		"is %s: write what DaemonSets take of a node, below 1Ti, such as 256Mi", c.Reserve.Memory)
	f.passingTaints("passingTaints", c.PassingTaints)
	f.gpu("gpu", &c.GPU)
	least, most := resource.NewQuantity(registry.MinShardSize, resource.BinarySI), resource.NewQuantity(registry.MaxShardSize, resource.BinarySI)
	f.size("registry.shardSize", *c.Registry.ShardSize, *least, *most, "Ki", "write a size from "+least.String()+" to "+most.String())
	f.predictorRules("predictor.rules", c.Predictor.Rules)
}

// require adds a finding if the file does not have a field.
func (f *file) require(parent, name, advice string) {
	if _, ok := f.places[child(parent, name)]; !ok {
		f.report(f.places[parent], child(parent, name), "is missing: write %s", advice)
	}
}

// refuse adds a finding if the value of a field is wrong. Of several, and of those that could not be read, the first is kept.
func (f *file) refuse(path string, wrong bool, format string, args ...any) {
	if wrong {
		f.invalid(path, format, args...)
	}
}

// each calls check for each item of a list, or refuses the list if it has too many. It leaves out items that could not be read, and
// defaults, which are not in the file.
func (f *file) each(path string, items, most int, advice string, check func(at string, i int)) {
	if items > most {
		f.invalid(path, "has %d "+advice, items, most)
		return
	}
	for i := range items {
		at := item(path, i)
		if _, written := f.places[at]; written && !f.wrong[at] {
			check(at, i)
		}
	}
}

// again refuses a field of an item that has the value of an earlier one. first is the index of that, or negative if there is none.
func (f *file) again(list string, i, first int, field, value, advice string) {
	f.refuse(item(list, i)+field, first >= 0, "is %s, as is %s: %s", quote(value), item(list, first)+field, advice)
}

// choice checks that a value is one of two or more.
func choice[T ~string](f *file, path string, got T, of ...T) {
	names := make([]string, len(of))
	for i := range of {
		names[i] = string(of[i])
	}
	last := len(names) - 1
	f.refuse(path, !slices.Contains(of, got), "is %s: write %s or %s", quote(got), strings.Join(names[:last], ", "), names[last])
}

// size checks that a size is one from least to most. It asks whether a unit was meant that would make it one.
func (f *file) size(path string, size, least, most resource.Quantity, unit, advice string) {
	fits := func(q resource.Quantity) bool { return q.Cmp(least) >= 0 && q.Cmp(most) <= 0 }
	guess, err := resource.ParseQuantity(size.String() + unit)
	question := ""
	if err == nil && fits(guess) {
		question = nearest.Question(guess.String())
	}
	f.refuse(path, !fits(size), "is %s: %s%s", &size, advice, question)
}

func (f *file) namespaces(path string, names []string) {
	f.each(path, len(names), maxNamespaces, "namespaces: keep at most %d, or none to serve all", func(at string, i int) {
		f.refuse(at, len(validation.IsDNS1123Label(names[i])) > 0, "is %s: write the name of a namespace, such as vision", quote(names[i]))
		f.again(path, i, slices.Index(names[:i], names[i]), "", names[i], keepOne)
	})
}

// taintPattern is a taint's key in which * may stand for any text.
var taintPattern = regexp.MustCompile(`^[-._/A-Za-z0-9*]{1,317}$`)

func (f *file) passingTaints(path string, patterns []string) {
	const example = "such as example.com/not-ready*"
	f.each(path, len(patterns), maxPassingTaints, "patterns: keep at most %d", func(at string, i int) {
		pattern := patterns[i]
		f.refuse(at, !taintPattern.MatchString(pattern), "is %s: write the key of a taint, in which * stands for any text, "+example, quote(pattern))
		f.refuse(at, strings.Trim(pattern, "*") == "", "is %s, which is every taint: write the key of one, "+example, quote(pattern))
		f.again(path, i, slices.Index(patterns[:i], pattern), "", pattern, keepOne)
	})
}

// partOfName is what the name of a task can contain: see spec.name.
var partOfName = regexp.MustCompile(`^[-._A-Za-z0-9]{1,253}$`)

// maxToolType, in characters, is that of spec.predictor.
const maxToolType = 253

// predictorRules checks the rules of predictors, and that each applies somewhere where no earlier one does.
func (f *file) predictorRules(path string, rules []v1alpha1.PredictorRule) {
	f.each(path, len(rules), maxPredictorRules, "rules: keep at most %d", func(at string, i int) {
		part, toolType := rules[i].Contains, rules[i].ToolType
		f.require(at, "contains", "a part of the names of tasks, such as llm_process")
		f.refuse(at+".contains", !partOfName.MatchString(part),
			"is %s: write a part of the names of tasks, such as llm_process: at most 253 letters, digits, '-', '_' and '.'", quote(part))
		first := slices.IndexFunc(rules[:i], func(earlier v1alpha1.PredictorRule) bool {
			return earlier.Contains != "" && strings.Contains(part, earlier.Contains)
		})
		if first >= 0 && rules[first].Contains != part {
			f.invalid(at+".contains", "is %s, of which %s, %s, is a part, so that this rule never counts: move it before that one, or remove it",
				quote(part), item(path, first)+".contains", quote(rules[first].Contains))
		}
		f.again(path, i, first, ".contains", part, keepOne)
		f.require(at, "toolType", "malearn's tool type, such as llm_process")
		f.refuse(at+".toolType", toolType == "" || utf8.RuneCountInString(toolType) > maxToolType,
			"is %s: write malearn's tool type, such as llm_process: at most %d characters", quote(toolType), maxToolType)
	})
}
