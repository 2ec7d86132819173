package discover

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/maze-agent/maregister/internal/discover/syntax"
	"github.com/maze-agent/maregister/internal/finding"
)

// linker turns modules into tasks.
type linker struct {
	storeys *storeys
	// shown returns how a message names a file.
	shown    func(path string) string
	findings []finding.Finding
	tasks    []Task
	// overwritten counts the declarations that are lost to later ones.
	overwritten int
}

// Link finds the tasks of modules. load returns any other module of the package root, by its dotted name, or nil if there is none.
// The order of the modules does not matter.
func Link(modules []*Module, load func(name string) *Module) Result {
	return LinkShown(modules, load, func(path string) string { return path })
}

// LinkShown is Link with other names of files in messages: as a user would write them, and not below the package root.
func LinkShown(modules []*Module, load func(name string) *Module, shown func(path string) string) Result {
	l := &linker{storeys: newStoreys(load), shown: shown}
	modules = slices.Clone(modules)
	slices.SortFunc(modules, func(a, b *Module) int { return cmp.Compare(a.Path(), b.Path()) })
	for _, m := range modules {
		if m.Broken() {
			l.findings = append(l.findings, *m.file.Problem)
		}
		for _, f := range m.file.Functions {
			l.function(m.file, f)
		}
	}
	tasks, overwritten := l.unique()
	return Result{Tasks: tasks, Overwritten: overwritten, Findings: finding.Sort(l.findings)}
}

// function adds the task that a function is, by the decorator that is applied last.
func (l *linker) function(m *syntax.Module, f *syntax.Function) {
	for _, decorator := range f.Decorators {
		d := l.storeys.declarationOf(m, f, decorator)
		if d == nil {
			continue
		}
		if d.check() && l.isSeen(d) {
			l.tasks = append(l.tasks, d.task())
		}
		l.findings = append(l.findings, d.findings...)
		return
	}
}

// isSeen reports whether the function is still what its name is bound to once the module has run.
func (l *linker) isSeen(d *declaration) bool {
	bindings := d.module.Bindings[d.function.Name]
	i := slices.IndexFunc(bindings, func(b *syntax.Binding) bool { return b.Function == d.function })
	i += 1 + slices.IndexFunc(bindings[i+1:], func(b *syntax.Binding) bool { return !b.Conditional })
	if later := bindings[i]; later.Function != d.function {
		l.overwrite(d.module.Path, d.function.At, d.object(), "the name "+d.function.Name+" is bound", d.module.Path, later.Position())
		return false
	}
	return true
}

// overwrite notes that a declaration is lost to a later one.
func (l *linker) overwrite(file string, at finding.Position, object, what, laterFile string, later finding.Position) {
	f := finding.New(finding.DuplicateFunction, file, at, object,
		"%s again at %s:%d, which overwrites this task: give one of the two another name", what, l.shown(laterFile), later.Line)
	f.Related = []finding.Related{{File: laterFile, Position: later, Message: "the later one"}}
	l.findings = append(l.findings, f)
	l.overwritten++
}

// unique returns the tasks with each name once: the last one by file and position.
func (l *linker) unique() (tasks []Task, overwritten int) {
	slices.SortStableFunc(l.tasks, func(a, b Task) int {
		return cmp.Or(cmp.Compare(a.Spec.Name, b.Spec.Name), cmp.Compare(a.File, b.File), cmp.Compare(a.Position.Line, b.Position.Line))
	})
	for i, task := range l.tasks {
		if i+1 < len(l.tasks) && l.tasks[i+1].Spec.Name == task.Spec.Name {
			later := l.tasks[i+1]
			l.overwrite(task.File, task.Position, task.Function, fmt.Sprintf("the task %q is declared", task.Spec.Name), later.File, later.Position)
			continue
		}
		tasks = append(tasks, task)
	}
	return tasks, l.overwritten
}
