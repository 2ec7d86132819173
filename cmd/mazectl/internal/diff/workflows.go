package diff

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/report"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/workflows"
	"github.com/maze-agent/maregister/internal/dag"
	"github.com/maze-agent/maregister/internal/evolution"
	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/registry"
)

// flows are the workflows that may use the tasks.
type flows struct {
	*workflows.Found
	// asked says that they were asked for, be there any or not.
	asked bool
}

// readFlows reads the workflows, and those of the cluster if a version is its registry. All that are named have to be there: who forgets one
// would be told that nothing breaks.
func (o *Options) readFlows(ctx context.Context, stdin io.Reader, sources [2]Source) (*flows, error) {
	from := &workflows.Cluster{Flags: o.Cluster, FilesReplace: true, Instead: "give files of workflows"}
	found := workflows.Read(ctx, stdin, from, o.Workflows)
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if len(found.Errs) > 0 {
		return nil, utilerrors.NewAggregate(report.ErrorsOf(found.Errs))
	}
	asked := len(o.Workflows) > 0
	isCluster := func(s Source) bool { return s.kind == clusterSource }
	if at := slices.IndexFunc(sources[:], isCluster); at >= 0 && !slices.ContainsFunc(o.Workflows, workflows.IsCluster) {
		asked, from.Instead = true, advice.Instead
		switch err := found.AddCluster(ctx, from, sources[at].namespace); {
		case workflows.IsAbsent(err), apierrors.IsForbidden(err):
			found.Notes = append(found.Notes, "the cluster's workflows are not counted: "+err.Error()+"; give files of workflows by --workflows")
		case err != nil:
			return nil, err
		}
	}
	return &flows{found, asked}, nil
}

// leaveElsewhere leaves out the workflows of other namespaces than the one that is compared, and notes how many these are. They run other
// tasks. It leaves out none where the namespace is empty.
func (f *flows) leaveElsewhere(namespace string) {
	before := len(f.All)
	if namespace != "" {
		f.All = slices.DeleteFunc(f.All, func(w workflows.Workflow) bool { return w.Namespace != "" && w.Namespace != namespace })
	}
	if left := before - len(f.All); left > 0 {
		f.Notes = append(f.Notes, fmt.Sprintf("%s of other namespaces than %s: not checked", terminal.Plural(left, "workflow"), namespace))
	}
}

// content returns the text of a workflow's file. Nil if it is none.
func (f *flows) content(name string) []byte {
	at := slices.IndexFunc(f.All, func(w workflows.Workflow) bool { return w.Name == name && !w.IsObject })
	if at < 0 {
		return nil
	}
	return f.All[at].Content
}

// brokenWorkflows are the workflows that edits break.
type brokenWorkflows struct {
	edits []evolution.Edit
	// scopes are what workflows see of the edits, by their namespaces.
	scopes map[string]*scope
	// complete says that the old tasks are all that there were: what runs another one was not valid.
	complete bool
	// byCause has their names, in the order of the files.
	byCause map[cause][]string
	found   []finding.Finding
	// count is how many workflows the edits break, and invalid how many of the others were wrong before, and still are.
	count, invalid int
}

// cause is a change by which an edit breaks workflows: an index of its changes, or wholeTask.
type cause struct {
	edit   *evolution.Edit
	change int
}

// wholeTask is that a task is gone, or has another name.
const wholeTask = -1

// scope is what the workflows of a namespace see of the edits.
type scope struct {
	// old and new are the tasks, as package dag takes them, by name.
	old, new      map[string]dag.Task
	before, after *dag.Tasks
	// edits are those that changed a task, by its old name.
	edits map[string][]*evolution.Edit
}

// brokenBy checks the workflows with the old tasks and with the new ones. What is wrong with the new ones alone is the fault of an edit: of
// those that show it by themselves, or of all together.
func (f *flows) brokenBy(edits []evolution.Edit, complete bool) *brokenWorkflows {
	b := &brokenWorkflows{edits: edits, scopes: map[string]*scope{}, complete: complete, byCause: map[cause][]string{}}
	for i := range f.All {
		w := &f.All[i]
		seen := b.scopeOf(w.Namespace)
		if used := seen.usedBy(w); len(used) > 0 {
			b.check(w, seen, used)
		}
	}
	return b
}

// scopeOf returns what the workflows of a namespace see. One without a namespace may be of any, as may be a task.
func (b *brokenWorkflows) scopeOf(namespace string) *scope {
	if s := b.scopes[namespace]; s != nil {
		return s
	}
	s := &scope{old: map[string]dag.Task{}, new: map[string]dag.Task{}, edits: map[string][]*evolution.Edit{}}
	sees := func(v *evolution.Version) bool {
		return v != nil && v.Entry != nil && (v.Namespace == "" || namespace == "" || v.Namespace == namespace)
	}
	for i := range b.edits {
		edit := &b.edits[i]
		if !sees(edit.Old) || edit.Fate == evolution.TaskIncomparable {
			continue
		}
		s.old[edit.Old.Name] = taskOf(edit.Old.Entry)
		if edit.Fate != evolution.TaskUnchanged { // a compatible one can break an edge: a number for what was a number or a text
			s.edits[edit.Old.Name] = append(s.edits[edit.Old.Name], edit)
		}
	}
	for i := range b.edits {
		edit := &b.edits[i]
		v := edit.Version()
		if edit.Fate == evolution.TaskIncomparable && edit.Old != nil && edit.Old.Entry != nil {
			v = edit.Old // what is served as long as the new one is refused
		}
		if edit.Fate == evolution.TaskRemoved || !sees(v) {
			continue
		}
		s.new[v.Name] = taskOf(v.Entry)
		if _, there := s.old[v.Name]; !there { // whoever uses a new task already is right
			s.old[v.Name] = s.new[v.Name]
		}
	}
	s.before, s.after = dag.NewTasks(s.old), dag.NewTasks(s.new)
	b.scopes[namespace] = s
	return s
}

// namesOf returns the names of the tasks that a workflow runs, or may run, sorted.
func namesOf(w *workflows.Workflow) []string {
	names := map[string]bool{}
	for i := range w.Uses {
		names[w.Uses[i].Task] = true
		for _, other := range w.Uses[i].Names {
			names[other] = true
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// usedBy returns those edits whose tasks a workflow uses, by the tasks' names.
func (s *scope) usedBy(w *workflows.Workflow) []*evolution.Edit {
	var used []*evolution.Edit
	for _, name := range namesOf(w) {
		used = append(used, s.edits[name]...)
	}
	return used
}

// check checks a workflow that uses tasks which were edited. No edit breaks one that was wrong before.
func (b *brokenWorkflows) check(w *workflows.Workflow, seen *scope, used []*evolution.Edit) {
	defer w.Forget()
	_, old := errorsOf(w, seen.before)
	graph, now := errorsOf(w, seen.after)
	known := keysOf(old)
	old = slices.DeleteFunc(old, func(f finding.Finding) bool { return f.Rule == finding.UnknownFunc && !b.complete })
	if len(old) > 0 {
		b.tellInvalid(w, old, now)
		return
	}
	wrong := slices.DeleteFunc(now, func(f finding.Finding) bool { return known[keyOf(&f)] })
	if len(wrong) == 0 {
		return
	}
	b.count++
	alone := make([]map[string]bool, len(used))
	for i, edit := range used {
		_, found := errorsOf(w, seen.with(w, edit))
		alone[i] = keysOf(found)
	}
	blamed := map[cause]bool{}
	for _, f := range wrong {
		var culprits []*evolution.Edit
		for i, edit := range used {
			if alone[i][keyOf(&f)] {
				culprits = append(culprits, edit)
			}
		}
		if len(culprits) == 0 {
			culprits = used
		}
		var names []string
		for _, edit := range culprits {
			blamed[causeOf(edit, graph, &f)] = true
			names = append(names, edit.Old.Name)
		}
		since := fmt.Sprintf("since the edit of task %s: ", strings.Join(names, " and "))
		told := b.tell(w, finding.WorkflowBroken, &f, since+f.Rule+" "+f.Message)
		if told.More = f.More; f.Cause != "" {
			told.Cause = w.Namespace + "/" + w.Title() + " " + since + f.Cause
		}
	}
	for c := range blamed {
		b.byCause[c] = append(b.byCause[c], w.Title())
	}
}

// causeOf returns the change of an edit that an error of a workflow comes from: the worst one of the parameter that the error is about, else
// that of its side as a whole, or the worst one at all where neither is known.
func causeOf(edit *evolution.Edit, graph *dag.Graph, f *finding.Finding) cause {
	if edit.Fate != evolution.TaskEdited {
		return cause{edit, wholeTask}
	}
	subject := f.Subject
	runs := func(node int) bool {
		return node >= 0 && node < len(graph.Nodes) && graph.Nodes[node].Func == edit.Old.Name
	}
	const ofParameter, ofSide, ofAny = 2, 1, 0
	closeness := func(c *evolution.Change) int {
		node, parameter := subject.Node, subject.Parameter
		if c.Side == evolution.Output {
			node, parameter = subject.Source, subject.Output
		}
		switch {
		case c.Side == "" || parameter == "" || !runs(node):
			return ofAny
		case c.Parameter == parameter || c.Was == parameter:
			return ofParameter
		case c.Parameter == "":
			return ofSide
		default:
			return ofAny
		}
	}
	best := 0
	for i := range edit.Changes {
		c, other := &edit.Changes[i], &edit.Changes[best]
		if cmp.Or(cmp.Compare(closeness(c), closeness(other)), cmp.Compare(c.Verdict, other.Verdict)) > 0 {
			best = i
		}
	}
	return cause{edit, best}
}

// tell reports what an error of a workflow means for the comparison. It returns the finding to be completed.
func (b *brokenWorkflows) tell(w *workflows.Workflow, rule string, about *finding.Finding, message string) *finding.Finding {
	told := finding.New(rule, w.Name, about.Position, about.Object, "%s", message)
	told.Pointer, told.Related = about.Pointer, about.Related
	if w.IsObject {
		told.Position, told.Related = finding.Position{}, nil
	}
	b.found = append(b.found, told)
	return &b.found[len(b.found)-1]
}

// tellInvalid reports a workflow that was wrong with the old tasks, unless it is right with the new ones.
func (b *brokenWorkflows) tellInvalid(w *workflows.Workflow, old, now []finding.Finding) {
	if len(now) == 0 {
		return
	}
	b.invalid++
	old = finding.Join(old)
	more := ""
	if len(old) > 1 {
		more = fmt.Sprintf(", and %s", terminal.Plural(len(old)-1, "more error"))
	}
	b.tell(w, finding.WorkflowInvalid, &old[0], fmt.Sprintf("the workflow was not valid before, so no edit breaks it: %s %s%s", old[0].Rule, old[0].Message, more))
}

// with returns the old tasks that a workflow uses, with one edit made.
func (s *scope) with(w *workflows.Workflow, edit *evolution.Edit) *dag.Tasks {
	tasks := map[string]dag.Task{}
	for _, name := range namesOf(w) {
		if t, ok := s.old[name]; ok {
			tasks[name] = t
		}
	}
	delete(tasks, edit.Old.Name)
	if edit.New != nil {
		tasks[edit.New.Name] = taskOf(edit.New.Entry)
	}
	return dag.NewTasks(tasks)
}

// taskOf returns an entry as package dag takes it.
func taskOf(entry *registry.Entry) dag.Task {
	return dag.Task{Input: entry.Schema.Input, Output: entry.Schema.Output}
}

// errorsOf returns the errors of a workflow by what its tasks take and put out. What runs it does not matter, nor does a key that is given
// twice, of which the API server takes the last: tasks do not change that.
func errorsOf(w *workflows.Workflow, tasks *dag.Tasks) (*dag.Graph, []finding.Finding) {
	graph, found := w.Check(tasks, dag.Options{Target: dag.TargetRegistry})
	return graph, slices.DeleteFunc(found, func(f finding.Finding) bool { return !report.IsError(f) || f.Rule == finding.DuplicateKey })
}

// keyOf tells findings apart. What a message says besides may depend on the other tasks.
func keyOf(f *finding.Finding) string {
	return fmt.Sprintf("%s %d:%d %s", f.Rule, f.Position.Line, f.Position.Column, f.Pointer)
}

func keysOf(found []finding.Finding) map[string]bool {
	keys := map[string]bool{}
	for i := range found {
		keys[keyOf(&found[i])] = true
	}
	return keys
}

// maxNamed is how many workflows a message names.
const maxNamed = 3

// sentence returns which workflows a change breaks, as the end of a message. Empty for none.
func (b *brokenWorkflows) sentence(c cause) string {
	names := b.byCause[c]
	if len(names) == 0 {
		return ""
	}
	noun := "workflows"
	if len(names) == 1 {
		noun = "workflow"
	}
	text := fmt.Sprintf("; breaks %d %s: %s", len(names), noun, strings.Join(names[:min(len(names), maxNamed)], ", "))
	if more := len(names) - maxNamed; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
