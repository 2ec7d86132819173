package deliver

import (
	"encoding/json"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/diff"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/pysource"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/discover"
	"github.com/maze-agent/maregister/internal/evolution"
	"github.com/maze-agent/maregister/internal/finding"
)

// meaningOf returns what the change of an object of the cluster means. Nil is for one that goes.
func meaningOf(before, after *unstructured.Unstructured) diff.Meaning {
	return diff.Objects(tasksOf(typed(before)), tasksOf(typed(after)))
}

// tasksOf returns the tasks that are there.
func tasksOf(tasks ...*v1alpha1.MazeTask) []*v1alpha1.MazeTask {
	return slices.DeleteFunc(tasks, func(t *v1alpha1.MazeTask) bool { return t == nil })
}

// typed returns an object as a MazeTask. Nil if there is none, or it cannot be one.
func typed(object *unstructured.Unstructured) *v1alpha1.MazeTask {
	if object == nil {
		return nil
	}
	content, err := json.Marshal(object.Object)
	if err != nil {
		return nil
	}
	return decodeTask(content)
}

// decodeTask reads a manifest of a MazeTask in YAML or JSON. Nil for what is none.
func decodeTask(content []byte) *v1alpha1.MazeTask {
	task := &v1alpha1.MazeTask{}
	if len(content) == 0 || yaml.Unmarshal(content, task) != nil || task.Spec.Name == "" {
		return nil
	}
	return task
}

// choose leaves out of meanings what the user silences: by flags, by comments where a task is declared, and by ignores. So does "diff".
func (o *Options) choose(f *pysource.Found, meanings []*diff.Meaning, ignores []finding.Ignore) {
	tasks := map[string]*discover.Task{}
	for i := range f.Tasks {
		tasks[f.Tasks[i].Spec.Name] = &f.Tasks[i]
	}
	place := func(name string) (string, finding.Position) {
		task := tasks[name]
		if task == nil { // it is gone
			return "", finding.Position{}
		}
		return task.File, task.Position
	}
	ignores = slices.Concat(f.Ignores, ignores)
	diff.Choose(meanings, place, func(all []finding.Finding) []finding.Finding { return o.Findings.Choose(all, ignores).Findings })
}

// chooseSteps leaves out of a plan's meanings what the user silences, by annotations of the objects, too.
func (o *Options) chooseSteps(f *pysource.Found, steps []step) {
	var meanings []*diff.Meaning
	var ignores []finding.Ignore
	for i := range steps {
		s := &steps[i]
		meanings = append(meanings, &s.meaning)
		if s.existing == nil || s.manifest == nil {
			continue
		}
		if rules := s.existing.GetAnnotations()[finding.IgnoreKey]; rules != "" {
			at := s.manifest.Position
			ignores = append(ignores, finding.NewIgnore(s.manifest.File, at, at, at, rules))
		}
	}
	o.choose(f, meanings, ignores)
}

// tellMeaning tells what changes of manifests mean, and returns the worst verdict. Files have one task each.
func (o *Options) tellMeaning(t terminal.Terminal, f *pysource.Found, changes []fileChange) evolution.Verdict {
	var before, after []*v1alpha1.MazeTask
	for _, change := range changes {
		before = append(before, tasksOf(decodeTask(change.before))...)
		after = append(after, tasksOf(decodeTask(change.after))...)
	}
	meaning := diff.Objects(before, after)
	o.choose(f, []*diff.Meaning{&meaning}, nil)
	for _, line := range meaning {
		t.Say("plan:", line.String())
	}
	return meaning.Verdict()
}

// countVerdicts counts the steps with a verdict, or a worse one.
func countVerdicts(steps []step, from evolution.Verdict) int {
	n := 0
	for _, s := range steps {
		if s.meaning.Verdict() >= from {
			n++
		}
	}
	return n
}

// blockedError is that a plan is not carried out, as the API server refuses a part of it, or the user does not want it.
type blockedError struct {
	message string
	// texts say which objects, and why, in the order of the plan. The plan tells them, too.
	texts []string
}

// Error returns how many steps there are. It does not tell which.
func (e *blockedError) Error() string { return e.message + ", so nothing was applied" }

// blocked returns a blockedError if some steps of a plan are refused, or would break who uses a task and the user does not want that.
func (o *Options) blocked(steps []step) error {
	var refused []string
	for _, s := range steps {
		if s.refusal != "" {
			refused = append(refused, s.title()+s.refusal)
		}
	}
	if len(refused) > 0 {
		return &blockedError{"the cluster refuses " + terminal.Plural(len(refused), "task"), refused}
	}
	count := countVerdicts(steps, o.FailOn)
	if o.FailOn == evolution.Compatible || count == 0 {
		return nil
	}
	what := "would break who uses a task"
	if o.FailOn == evolution.Unknown {
		what = "may break who uses a task"
	}
	err := &blockedError{message: fmt.Sprintf("%s %s, and --fail-on %s is given", terminal.Plural(count, "change"), what, o.FailOn)}
	for _, s := range steps {
		if s.meaning.Verdict() >= o.FailOn {
			for _, line := range s.meaning {
				err.texts = append(err.texts, s.title()+line.String())
			}
		}
	}
	return err
}
