package lint

import (
	"maps"
	"slices"
	"strconv"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/nearest"
)

// Declared is a task that is declared elsewhere, such as in a Python source.
type Declared struct {
	// Name is its spec.name, and Deprecated its spec.deprecated.
	Name       string
	Deprecated *v1alpha1.Deprecation
	// File, Position and Object are what a finding about it has.
	File     string
	Position finding.Position
	Object   string
}

// named is a task with which the replacements of others are compared. Its namespace is empty where nothing says which it is.
type named struct {
	namespace  string
	deprecated bool
}

// replacements has what is known of the tasks of all files, by their names.
type replacements struct {
	byName map[string][]named
	names  []string
	// comparisons is how many more names may be compared with what may be meant.
	comparisons int
}

// maxComparisons is for any number of files: about a second.
const maxComparisons = 2_000_000

// guess returns the name of a task in a namespace that was probably meant, other than the deprecated one. Empty for none.
func (r *replacements) guess(name, namespace, deprecated string) string {
	if r.comparisons -= len(r.names); r.comparisons < 0 {
		return ""
	}
	meant := nearest.Name(name, r.names)
	if there, _ := r.find(meant, namespace); !there || meant == deprecated {
		return ""
	}
	return meant
}

// find reports whether a namespace may have a task of a name, and whether one that is not deprecated.
func (r *replacements) find(name, namespace string) (there, stays bool) {
	for _, other := range r.byName[name] {
		if other.namespace == namespace || other.namespace == "" || namespace == "" {
			there, stays = true, stays || !other.deprecated
		}
	}
	return there, stays
}

// checkReplacements reports deprecated tasks whose replacement is not among the tasks, or is deprecated itself. A task that is refused
// counts as one that is there: what is wrong with it is told already.
func (l *Linter) checkReplacements(set *set, result *Result) {
	known := replacements{byName: map[string][]named{}, comparisons: maxComparisons}
	add := func(namespace, name string, deprecated *v1alpha1.Deprecation) {
		known.byName[name] = append(known.byName[name], named{namespace, deprecated != nil})
	}
	for _, one := range result.Refused {
		add("", one.Name, nil)
	}
	for _, one := range result.Tasks {
		add(one.Namespace, one.Spec.Name, one.Spec.Deprecated)
	}
	for _, one := range l.Elsewhere {
		add("", one.Name, one.Deprecated)
	}
	known.names = slices.Sorted(maps.Keys(known.byName))
	for _, one := range result.Tasks {
		if d := one.Spec.Deprecated; d != nil {
			const pointer = "/spec/deprecated/replacement"
			known.check(set, one.Spec.Name, d, one.Namespace, written{one.File, nameOfTask(one.MazeTask), one.Places[pointer]}, pointer)
		}
	}
	for _, one := range l.Elsewhere {
		if one.Deprecated != nil {
			known.check(set, one.Name, one.Deprecated, "", written{one.File, one.Object, one.Position}, "")
		}
	}
}

// check reports the replacement of a task if it is doubtful.
func (r *replacements) check(set *set, name string, d *v1alpha1.Deprecation, namespace string, at written, pointer string) {
	if d.Replacement == "" {
		return
	}
	switch there, stays := r.find(d.Replacement, namespace); {
	case !there:
		set.of(at.file).report(finding.DoubtfulReplacement, at.at, at.object, "no task of these files is called %s, which is to replace this one%s",
			strconv.Quote(d.Replacement), nearest.Question(r.guess(d.Replacement, namespace, name))).Pointer = pointer
	case !stays:
		set.of(at.file).report(finding.DoubtfulReplacement, at.at, at.object, "task %s, which is to replace this one, is deprecated, too: name the one that stays",
			strconv.Quote(d.Replacement)).Pointer = pointer
	}
}

// nameOfTask is how findings call a task, as nameOf has it.
func nameOfTask(task *v1alpha1.MazeTask) string {
	return nameOf(map[string]any{"metadata": map[string]any{
		"name": task.Name, "namespace": task.Namespace, "generateName": task.GenerateName,
	}})
}
