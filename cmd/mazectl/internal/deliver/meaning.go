package deliver

import (
	"encoding/json"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/diff"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/evolution"
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

// tellMeaning tells what changes of manifests mean, and returns the worst verdict. Files have one task each.
func tellMeaning(t terminal.Terminal, changes []fileChange) evolution.Verdict {
	var before, after []*v1alpha1.MazeTask
	for _, change := range changes {
		before = append(before, tasksOf(decodeTask(change.before))...)
		after = append(after, tasksOf(decodeTask(change.after))...)
	}
	meaning := diff.Objects(before, after)
	for _, line := range meaning.Lines {
		t.Say("plan:", line)
	}
	return meaning.Verdict
}

// countVerdicts counts the steps with a verdict, or a worse one.
func countVerdicts(steps []step, from evolution.Verdict) int {
	n := 0
	for _, s := range steps {
		if s.meaning.Verdict >= from {
			n++
		}
	}
	return n
}

// unwantedError is that some of the steps of a plan would break who uses a task, which the user does not want.
type unwantedError struct {
	// texts say which objects, and what of it, in the order of the plan.
	texts  []string
	count  int
	failOn evolution.Verdict
}

// Error returns how many there are. It does not tell which.
func (e *unwantedError) Error() string {
	what := "would break who uses a task"
	if e.failOn == evolution.Unknown {
		what = "may break who uses a task"
	}
	return fmt.Sprintf("%s %s, and --fail-on %s is given, so nothing was applied", terminal.Plural(e.count, "change"), what, e.failOn)
}

// unwanted returns an unwantedError if the user does not want some of the steps to be taken.
func (o *Options) unwanted(steps []step) error {
	if o.FailOn == evolution.Compatible {
		return nil
	}
	err := &unwantedError{count: countVerdicts(steps, o.FailOn), failOn: o.FailOn}
	if err.count == 0 {
		return nil
	}
	for _, s := range steps {
		if s.meaning.Verdict >= o.FailOn {
			for _, line := range s.meaning.Lines {
				err.texts = append(err.texts, fmt.Sprintf("%s: MazeTask %s: %s", s.place, s.name, line))
			}
		}
	}
	return err
}
