// Package diff reads two versions of tasks from wherever they are, and makes findings of what an edit means to those who use them.
package diff

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"golang.org/x/sync/errgroup"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/discover"
	"github.com/maze-agent/maregister/internal/evolution"
	"github.com/maze-agent/maregister/internal/finding"
)

// Options say what to compare.
type Options struct {
	// Old and New are the versions, as the user gave them: see ParseSource.
	Old, New string
	// Partial says that New has only a part of the tasks: those that it does not have stay as they are in Old.
	Partial bool
	// Workflows are files and folders of workflows, to see which of them an edit breaks.
	Workflows []string
	// Claims are decorators in Python sources that count as Maze's.
	Claims discover.Claims
	// Cluster leads to the cluster, and to the namespace to compare. Namespace is that if the user gave it.
	Cluster   *genericclioptions.ConfigFlags
	Namespace string

	judged *judgedFiles
}

// Result is what was found.
type Result struct {
	// Edits are what became of each task.
	Edits []evolution.Edit
	// Findings tell of all that has changed.
	Findings []finding.Finding
	// Ignores is what the files of the new version silence, as far as it is about changes.
	Ignores []finding.Ignore
	// Whole says that all tasks of the files were compared, so that it is known which of the ignores silence nothing.
	Whole bool
	// Inputs are the files that were read.
	Inputs []string
	// Notes are for the user.
	Notes []string
	// Workflows is how many were checked, and Broken how many of them an edit breaks. Invalid is how many others use edited tasks, and were
	// wrong before.
	Workflows, Broken, Invalid int

	old, new *side
	flows    *flows
}

// Run compares the versions.
func (o *Options) Run(ctx context.Context, stdin io.Reader) (*Result, error) {
	sources, err := o.parse()
	if err != nil {
		return nil, err
	}
	flows, err := o.readFlows(ctx, stdin, sources)
	if err != nil {
		return nil, err
	}
	o.judged = &judgedFiles{byContent: map[contentKey]*judgedFile{}}
	sides := [2]*side{}
	errs := [2]error{}
	var readers errgroup.Group
	for i, source := range sources {
		readers.Go(func() error {
			sides[i], errs[i] = source.read(ctx, stdin, o, &side{backwards: i == 0})
			return nil // both errors are told
		})
	}
	_ = readers.Wait()
	o.countAbsent(ctx, sources, &sides, &errs)
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	r := &Result{old: sides[0], new: sides[1], flows: flows}
	r.old.inNamespaceOf(r.new)
	r.new.inNamespaceOf(r.old)
	r.old.hide(r.new)
	r.new.hide(r.old)
	if o.Partial {
		r.new.keep(r.old)
	}
	flows.leaveElsewhere(cmp.Or(o.Namespace, r.namespace()))
	r.Workflows = len(flows.All)
	r.Edits = evolution.Match(r.old.versions, r.new.versions)
	broken := flows.brokenBy(r.Edits, r.old.isRegistry)
	r.Findings = finding.Sort(append(r.findings(broken), broken.found...))
	r.Broken, r.Invalid = broken.count, broken.invalid
	r.Ignores = r.new.ignores
	r.Whole = o.Namespace == "" && !r.old.isRegistry && len(r.new.lost) == 0
	for _, one := range sides {
		r.Inputs = append(r.Inputs, one.inputs...)
		for _, note := range one.allNotes() {
			if !slices.Contains(r.Notes, note) { // both versions may have the same file
				r.Notes = append(r.Notes, note)
			}
		}
	}
	r.Inputs = append(r.Inputs, flows.Names()...)
	r.Notes = append(r.Notes, flows.Notes...)
	r.noteRemoved()
	return r, nil
}

// namespace returns the one whose registry is compared. Empty if none is, or two that are of different ones.
func (r *Result) namespace() string {
	if r.old.isRegistry && r.new.isRegistry && r.old.namespace != r.new.namespace {
		return ""
	}
	return cmp.Or(r.old.namespace, r.new.namespace)
}

// noteRemoved notes that tasks of a registry count as removed, which may be from other sources than those of the new version.
func (r *Result) noteRemoved() {
	if !r.old.isRegistry || r.new.isRegistry {
		return
	}
	removed := 0
	for i := range r.Edits {
		if r.Edits[i].Fate == evolution.TaskRemoved {
			removed++
		}
	}
	if removed > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("%s of %s: not in %s, and so removed; give --partial if tasks of other sources are to stay",
			terminal.Plural(removed, "task"), r.old.name, r.new.name))
	}
}

// parse reads the arguments.
func (o *Options) parse() ([2]Source, error) {
	var sources [2]Source
	isStdin := func(name string) bool { return name == terminal.StdinArgument }
	stdins := len(o.Workflows) - len(slices.DeleteFunc(slices.Clone(o.Workflows), isStdin))
	for i, argument := range []string{o.Old, o.New} {
		source, err := ParseSource(argument)
		if err != nil {
			return sources, err
		}
		if source.Path == terminal.StdinArgument {
			stdins++
		}
		sources[i] = source
	}
	if stdins > 1 {
		return sources, errors.New("the standard input can be read once: give - only once, and files otherwise")
	}
	for i := range sources { // the same files as they were
		other := sources[1-i]
		if sources[i].kind == gitSource && sources[i].Path == "" {
			if other.kind != pathSource && other.kind != gitSource || other.Path == "" || other.Path == terminal.StdinArgument {
				return sources, fmt.Errorf("%s does not say which files: give a path, as in %s:deploy/tasks", sources[i].given, sources[i].given)
			}
			sources[i].Path = other.Path
		}
	}
	return sources, nil
}

// Source returns the text of a file that a finding is in, or nil if it cannot be had.
func (r *Result) Source(name string) []byte {
	if content := r.flows.content(name); content != nil {
		return content
	}
	if content := r.new.content(name); content != nil {
		return content
	}
	return r.old.content(name)
}

// Summary counts what became of the tasks.
func (r *Result) Summary() string {
	count := map[evolution.Fate]int{}
	for _, edit := range r.Edits {
		count[edit.Fate]++
	}
	text := fmt.Sprintf("%d added, %d changed, %d removed, %d unchanged", count[evolution.TaskAdded], count[evolution.TaskEdited],
		count[evolution.TaskRemoved], count[evolution.TaskUnchanged])
	if n := count[evolution.TaskRenamed]; n > 0 {
		text += fmt.Sprintf(", %d renamed", n)
	}
	if n := count[evolution.TaskIncomparable]; n > 0 {
		text += fmt.Sprintf(", %d not comparable", n)
	}
	if r.flows.asked {
		text += fmt.Sprintf("; breaks %d of %s", r.Broken, terminal.Plural(r.Workflows, "workflow"))
		if r.Invalid > 0 {
			text += fmt.Sprintf(" (not valid before: %d)", r.Invalid)
		}
	}
	return text
}

// Verdict returns the worst of what was found.
func (r *Result) Verdict() evolution.Verdict {
	worst := evolution.Compatible
	for _, edit := range r.Edits {
		worst = max(worst, edit.Verdict)
	}
	return worst
}
