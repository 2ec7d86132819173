package diff

import (
	"fmt"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/evolution"
	taskjudge "github.com/maze-agent/maregister/internal/task"
)

// Meaning is what a change of one object means, as lines of a plan.
type Meaning struct {
	Verdict evolution.Verdict
	// Lines tell what changes of the parameters, and that the task goes: each with its verdict.
	Lines []string
}

// Objects compares objects of one namespace as they are with what they would be.
func Objects(before, after []*v1alpha1.MazeTask) Meaning {
	var m Meaning
	edits := evolution.Match(versionsOf(before), versionsOf(after))
	for i := range edits {
		edit := &edits[i]
		m.Verdict = max(m.Verdict, edit.Verdict)
		tell := func(verdict evolution.Verdict, format string, args ...any) {
			m.Lines = append(m.Lines, verdict.String()+": "+fmt.Sprintf(format, args...))
		}
		if fate := fateOf(edit); fate != "" && edit.Fate != evolution.TaskAdded {
			tell(edit.Verdict, "%s", fate)
		}
		for _, change := range edit.Changes {
			if change.Kind != evolution.Told {
				tell(change.Verdict, "task %s: %s", edit.New.Name, change)
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
