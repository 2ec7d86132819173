package deliver

import (
	"encoding/json"
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

// refuseSteps returns how many steps the user does not want to be taken.
func (o *Options) refuseSteps(steps []step) int {
	if o.FailOn == evolution.Compatible {
		return 0
	}
	return countVerdicts(steps, o.FailOn)
}
