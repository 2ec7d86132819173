package lint

import (
	"fmt"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/finding"
)

// set is what the objects of all files are together.
type set struct {
	objects map[string]written // by kind/namespace/name
	tasks   map[string]written // by namespace/spec.name
	// files has what is reported of each file. That does not count as what is wrong with an object by itself.
	files map[string]*file
}

// written is where an object is written.
type written struct {
	file, object string
	at           finding.Position
}

func newSet() *set {
	return &set{objects: map[string]written{}, tasks: map[string]written{}, files: map[string]*file{}}
}

// of returns what is reported of a file.
func (s *set) of(name string) *file {
	f := s.files[name]
	if f == nil {
		f = newFile(name)
		s.files[name] = f
	}
	return f
}

// addObject adds an object, and reports it if there is another manifest of it.
func (s *set) addObject(o *object) {
	meta, _ := o.content["metadata"].(map[string]any)
	name := text(meta["name"])
	if name == "" {
		return // the API server makes one up
	}
	at, _ := o.place.member("metadata")
	at, _ = at.member("name")
	here := written{o.file.name, o.name, at.at}
	key := text(o.content["kind"]) + "/" + text(meta["namespace"]) + "/" + name
	first, ok := s.objects[key]
	if !ok {
		s.objects[key] = here
		return
	}
	s.report(finding.DuplicateObject, here, first, fmt.Sprintf("%s is also in %s; the one that is applied last would replace the other: "+
		"give one of them another name, or remove it", o.name, first.where()))
}

// addTask adds a task, and reports it if another one of its namespace has its name in the registry.
func (s *set) addTask(o *object, task *v1alpha1.MazeTask) {
	spec, _ := o.place.member("spec")
	name, _ := spec.member("name")
	here := written{o.file.name, o.name, name.at}
	key := task.Namespace + "/" + task.Spec.Name
	first, ok := s.tasks[key]
	switch {
	case !ok:
		s.tasks[key] = here
	case first.object == here.object && task.Name != "": // a second manifest of it, which is told already
	default:
		s.report(finding.NameConflict, here, first, fmt.Sprintf("spec.name %s is also that of %s in %s; the registry serves the one that is created "+
			"last, which is not decided yet, and refuses the other: rename one of them", task.Spec.Name, first.object, first.where()))
	}
}

func (s *set) report(rule string, here, first written, message string) {
	found := s.of(here.file).report(rule, here.at, here.object, "%s", message)
	found.Related = []finding.Related{{File: first.file, Position: first.at, Message: "the first is here"}}
}

func (w written) where() string { return fmt.Sprintf("%s:%d", w.file, w.at.Line) }
