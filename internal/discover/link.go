package discover

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/discover/syntax"
	"github.com/maze-agent/maregister/internal/finding"
)

// linker turns modules into tasks.
type linker struct {
	storeys *storeys
	// shown returns how a message names a file.
	shown    func(path string) string
	judge    func(spec *v1alpha1.MazeTaskSpec) []finding.Finding
	findings []finding.Finding
	tasks    []declaredTask
	// later holds what binds the name of a function after it for certain. It has all functions of a name, or none.
	later map[*syntax.Function]*syntax.Binding
	// overwritten counts the declarations that are lost to later ones, and refused those that are no task.
	overwritten, refused int
}

// declaredTask is a task with its declaration.
type declaredTask struct {
	Task
	declaration *declaration
}

// Link finds the tasks of modules. The order of the modules does not matter.
func Link(modules []*Module, options Options) Result {
	l := &linker{storeys: newStoreys(options), shown: options.Shown, judge: options.Judge, later: map[*syntax.Function]*syntax.Binding{}}
	if l.shown == nil {
		l.shown = func(path string) string { return path }
	}
	stop := options.Stop
	if stop == nil {
		stop = func() bool { return false }
	}
	modules = slices.Clone(modules)
	slices.SortFunc(modules, func(a, b *Module) int { return cmp.Compare(a.Path(), b.Path()) })
	for _, m := range modules {
		if m.Broken() {
			l.findings = append(l.findings, *m.file.Problem)
		}
		for _, f := range m.file.Functions {
			if stop() {
				break
			}
			l.function(m.file, f)
		}
		for _, call := range m.file.Calls {
			if f := l.storeys.byCall(m.file, call); f != nil && !stop() {
				l.findings = append(l.findings, *f)
			}
		}
	}
	result := Result{}
	for _, task := range l.unique() {
		if stop() {
			break
		}
		l.findings = append(l.findings, task.declaration.judged(l.judge)...)
		result.Tasks = append(result.Tasks, task.Task)
	}
	result.Overwritten, result.Refused, result.Findings = l.overwritten, l.refused, finding.Sort(l.findings)
	return result
}

// function adds the task that a function is, by the decorator that is applied last.
func (l *linker) function(m *syntax.Module, f *syntax.Function) {
	var noTask []finding.Finding
	for _, decorator := range f.Decorators {
		d, unclaimed := l.storeys.declarationOf(m, f, decorator)
		if unclaimed != nil {
			noTask = append(noTask, *unclaimed)
		}
		if d == nil {
			continue
		}
		switch {
		case !d.check():
			l.refused++
		case l.isSeen(d):
			l.tasks = append(l.tasks, declaredTask{d.task(), d})
		}
		l.findings = append(l.findings, d.findings...)
		return
	}
	l.findings = append(l.findings, noTask...)
}

// isSeen reports whether the function is still what its name is bound to once the module has run.
func (l *linker) isSeen(d *declaration) bool {
	if _, known := l.later[d.function]; !known {
		var next *syntax.Binding
		for _, b := range slices.Backward(d.module.Bindings[d.function.Name]) {
			if b.Function != nil {
				l.later[b.Function] = next
			}
			if !b.Conditional {
				next = b
			}
		}
	}
	if later := l.later[d.function]; later != nil {
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
func (l *linker) unique() (tasks []declaredTask) {
	slices.SortStableFunc(l.tasks, func(a, b declaredTask) int {
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
	return tasks
}
