package diff

import (
	"fmt"
	"path"
	"strings"

	"github.com/maze-agent/maregister/internal/evolution"
	"github.com/maze-agent/maregister/internal/finding"
)

// findings returns what an edit means, a finding a change. broken tells which workflows an edit breaks.
func (r *Result) findings(broken *brokenWorkflows) []finding.Finding {
	var all []finding.Finding
	for i := range r.Edits {
		edit := &r.Edits[i]
		if rule, what := fateOf(edit); rule != "" {
			all = append(all, r.about(edit, rule, "%s%s", what, broken.sentence(cause{edit, wholeTask})))
		}
		for j, change := range edit.Changes {
			f := r.about(edit, change.Rule(), "task %s: %s%s", edit.New.Name, change, broken.sentence(cause{edit, j}))
			r.point(&f, edit, &change)
			all = append(all, f)
		}
	}
	return all
}

// fateOf returns the rule by which it is told what became of a task, and the sentence, with what to do. Empty for one that both versions have.
func fateOf(edit *evolution.Edit) (rule, what string) {
	switch edit.Fate {
	case evolution.TaskAdded:
		return finding.TaskAdded, fmt.Sprintf("task %s is new", edit.New.Name)
	case evolution.TaskRemoved:
		return finding.TaskRemoved, fmt.Sprintf("task %s is removed: a workflow that runs it is refused; keep it until none does", edit.Old.Name)
	case evolution.TaskRenamed:
		return finding.TaskRenamed, fmt.Sprintf("task %s is removed, and %s is added with the same parameters: a workflow that runs %s is refused; "+
			"keep both until none does", edit.Old.Name, edit.New.Name, edit.Old.Name)
	case evolution.TaskIncomparable:
		return finding.IncomparableTask, fmt.Sprintf("task %s cannot be compared: %s", edit.Version().Name, edit.Why)
	default:
		return "", ""
	}
}

// about makes a finding about a task: at the new version, or where the old one was.
func (r *Result) about(edit *evolution.Edit, rule, format string, args ...any) finding.Finding {
	message := fmt.Sprintf(format, args...)
	was := r.old.of(edit.Old)
	if is := r.new.of(edit.New); is != nil {
		f := finding.New(rule, is.file, is.position, is.object, "%s", message)
		if was != nil && was.position != (finding.Position{}) {
			f.Related = []finding.Related{{File: r.old.displayed(was.file), Position: was.position, Message: "the old version is here"}}
		}
		return f
	}
	f := finding.New(rule, was.file, was.position, was.object, "%s", message)
	if r.old.revision != "" { // the file may be another one now, or gone
		f.Position = finding.Position{}
		f.Related = []finding.Related{{File: r.old.displayed(was.file), Position: was.position, Message: "it was here"}}
	}
	return f
}

// displayed returns a file's name with the revision that it is of.
func (s *side) displayed(file string) string {
	if s.revision == "" {
		return file
	}
	return s.revision + ":" + file
}

// fields are where the sides of a task are declared.
var fields = map[evolution.Side]string{evolution.Input: "inputParameters", evolution.Output: "outputParameters"}

// point sets a finding's place to that of what has changed, as far as it is known.
func (r *Result) point(f *finding.Finding, edit *evolution.Edit, change *evolution.Change) {
	is := r.new.of(edit.New)
	if is == nil || is.places == nil {
		return
	}
	if change.Side != "" {
		if pointer, at := is.places.Parameter(fields[change.Side], change.Parameter); pointer != "" {
			f.Pointer, f.Position = pointer, at
		}
		return
	}
	for pointer := "/spec/" + pointerOf.Replace(change.Parameter); pointer != "/spec"; pointer = path.Dir(pointer) {
		if at, ok := is.places[pointer]; ok {
			f.Pointer, f.Position = pointer, at
			return
		}
	}
}

// pointerOf makes a JSON pointer below spec of the path to a field, such as run.env[0].value.
var pointerOf = strings.NewReplacer(".", "/", "[", "/", "]", "")
