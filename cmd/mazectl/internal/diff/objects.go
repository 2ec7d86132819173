package diff

import (
	"slices"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/evolution"
	"github.com/maze-agent/maregister/internal/finding"
	taskjudge "github.com/maze-agent/maregister/internal/task"
)

// Meaning is what changes of objects mean, as lines of a plan: what changes of the parameters, and that a task goes.
type Meaning []Line

// Line is one change, as a finding that is in no file.
type Line struct {
	finding.Finding
	Verdict evolution.Verdict
	// Task is the task's name, the new one if there is one.
	Task string
}

// String returns the change with its verdict.
func (l Line) String() string { return l.Verdict.String() + ": " + l.Message }

// Verdict returns the worst of the lines. Compatible if there are none.
func (m Meaning) Verdict() evolution.Verdict {
	worst := evolution.Compatible
	for i := range m {
		worst = max(worst, m[i].Verdict)
	}
	return worst
}

// Choose leaves out the lines of meanings that choose leaves out. place returns where a task is, if it is in a file.
func Choose(
	meanings []*Meaning, place func(task string) (string, finding.Position), choose func([]finding.Finding) []finding.Finding,
) {
	type key struct { // what decides whether a finding is left out
		rule, file string
		at         finding.Position
	}
	keyOf := func(f *finding.Finding) key { return key{f.Rule, f.File, f.Position} }
	var all []finding.Finding
	for _, meaning := range meanings {
		for i := range *meaning {
			line := &(*meaning)[i]
			line.File, line.Position = place(line.Task)
			all = append(all, line.Finding)
		}
	}
	chosen := map[key]bool{}
	for _, f := range choose(all) {
		chosen[keyOf(&f)] = true
	}
	for _, meaning := range meanings {
		*meaning = slices.DeleteFunc(*meaning, func(l Line) bool { return !chosen[keyOf(&l.Finding)] })
	}
}

// Objects compares objects of one namespace as they are with what they would be.
func Objects(before, after []*v1alpha1.MazeTask) Meaning {
	var m Meaning
	edits := evolution.Match(versionsOf(before), versionsOf(after))
	for i := range edits {
		edit := &edits[i]
		tell := func(rule string, verdict evolution.Verdict, format string, args ...any) {
			found := finding.New(rule, "", finding.Position{}, "", format, args...)
			m = append(m, Line{found, verdict, edit.Version().Name})
		}
		if rule, what := fateOf(edit); rule != "" && edit.Fate != evolution.TaskAdded {
			tell(rule, edit.Verdict, "%s", what)
		}
		for _, change := range edit.Changes {
			if change.Kind != evolution.Told {
				tell(change.Rule(), change.Verdict, "task %s: %s", edit.New.Name, change)
			}
		}
	}
	return m
}

func versionsOf(objects []*v1alpha1.MazeTask) []evolution.Version {
	versions := make([]evolution.Version, len(objects))
	for i, object := range objects {
		versions[i] = versionOf(object)
	}
	return versions
}

// versionOf returns the task of an object.
func versionOf(object *v1alpha1.MazeTask) evolution.Version {
	version := evolution.Version{Name: object.Spec.Name}
	verdict := taskjudge.Judge(&object.Spec)
	if !verdict.Accepted {
		version.Refused = "the operator refuses it"
		if len(verdict.Problems) > 0 {
			version.Refused = verdict.Problems[0].Message
		}
		return version
	}
	entry, err := EntryOf(object, &verdict)
	if err != nil {
		version.Refused = err.Error()
	}
	version.Entry = entry
	return version
}
