package catalogue

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	utilerrors "k8s.io/apimachinery/pkg/util/errors"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/pysource"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/report"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/dag"
	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/lint"
	"github.com/maze-agent/maregister/internal/placement"
	"github.com/maze-agent/maregister/internal/registry"
)

// readManifests reads the tasks of manifests and Python sources. What the API server or the operator would refuse is left out.
func (s *Options) readManifests(ctx context.Context, stdin io.Reader, tell func(string, ...any)) (*Catalogue, error) {
	m, err := s.collectManifests(ctx, stdin)
	if err != nil {
		return nil, err
	}
	linter, err := lint.New()
	if err != nil {
		return nil, err
	}
	linter.TasksOnly = true
	for _, note := range m.notes {
		tell("%s", note)
	}
	result := linter.Lint(m.sources)
	known := &Catalogue{byName: map[string]knownTask{}, refused: map[string]string{}, from: s.inNamespace(names(s.Manifests))}
	m.tellLeftOut(tell, &result, known.refused)
	s.addTasks(known, result.Tasks, m.where, tell)
	switch {
	case len(known.byName) > 0:
		return known, nil
	case result.Skipped["ConfigMap (v1)"] > 0:
		return nil, fmt.Errorf("%s has ConfigMaps and no task that can be used; give a registry by --registry instead of --tasks", known.from)
	}
	return nil, fmt.Errorf("no task of %s can be used", known.from)
}

// someManifests are the manifests to take tasks from, in the order of the flags.
type someManifests struct {
	sources []lint.Source
	// made are the names of those that were made of Python sources. They have the line in them.
	made map[string]bool
	// findings are those of the Python sources.
	findings []finding.Finding
	// notes tell where there was nothing to read.
	notes []string
}

// collectManifests reads what --tasks names, one after the other: of tasks with one name, the last one counts.
func (s *Options) collectManifests(ctx context.Context, stdin io.Reader) (*someManifests, error) {
	m := &someManifests{made: map[string]bool{}}
	files := Files{Stdin: stdin}
	for _, name := range s.Manifests {
		manifests, sources := len(files.Manifests), len(files.Python)
		files.Collect(ctx, []string{name})
		if len(files.Errs) > 0 { // findings by a part of the tasks would be wrong
			return nil, utilerrors.NewAggregate(report.ErrorsOf(files.Errs))
		}
		m.sources = append(m.sources, files.Manifests[manifests:]...)
		declared, err := Declared(ctx, pysource.Options{Claims: s.Claims}, files.Python[sources:])
		if err != nil {
			return nil, err
		}
		left, _ := finding.Silence(declared.Findings, declared.Ignores)
		m.findings = append(m.findings, left...)
		for _, one := range pysource.Manifests(declared.Tasks, "", "") { // judged as if each had its manifest
			content, err := json.Marshal(one.Object)
			if err != nil {
				return nil, err
			}
			m.made[one.Place()] = true
			m.sources = append(m.sources, lint.Source{Name: one.Place(), Content: content})
		}
	}
	s.sources, m.notes = files.Names, slices.Concat(files.Notes, files.Unfollowed)
	return m, nil
}

// where tells of a place in a manifest, or where the task is declared of which it was made.
func (m *someManifests) where(file string, at finding.Position) string {
	if m.made[file] {
		at = finding.Position{}
	}
	return report.Where(file, at)
}

// tellLeftOut tells the user which tasks cannot be used and why, and what else of the files is not as it may have been meant. refused gets the
// former, by the names of the tasks.
func (m *someManifests) tellLeftOut(tell func(string, ...any), result *lint.Result, refused map[string]string) {
	var notes []string
	var told []finding.Finding // with the tasks that they are of
	for _, r := range result.Refused {
		wrong := slices.DeleteFunc(slices.Clone(r.Findings), func(f finding.Finding) bool { return !report.IsError(f) })
		if len(wrong) == 0 { // cannot be: something refused it
			continue
		}
		told = append(told, r.Findings...)
		name := "a task without a name"
		if r.Name != "" {
			name = "task " + r.Name
		}
		refused[r.Name] = fmt.Sprintf("%s, and is left out: %s", m.where(r.File, r.Position), wrong[0].Rule)
		note := fmt.Sprintf("%s of %s is left out: %s %s", name, m.where(r.File, r.Position), wrong[0].Rule, wrong[0].Message)
		if more := len(wrong) - 1; more > 0 {
			note += fmt.Sprintf(", and %d more", more)
		}
		notes = append(notes, note)
	}
	told = finding.Sort(told)
	ofManifests, _ := finding.Silence(result.Findings, result.Ignores)
	for _, f := range finding.Sort(slices.Concat(ofManifests, m.findings)) {
		_, isTold := slices.BinarySearchFunc(told, f, finding.Compare)
		setAside := f.Rule == finding.DuplicateObject || f.Rule == finding.NameConflict || isTold
		if report.IsError(f) && !setAside || f.Rule == finding.BooleanKey {
			notes = append(notes, fmt.Sprintf("%s: %s %s", m.where(f.File, f.Position), f.Rule, f.Message))
		}
	}
	const most = 10
	for _, note := range notes[:min(len(notes), most)] {
		tell("%s", note)
	}
	if n := len(result.Refused); n > 0 || len(notes) > most {
		tell("%s left out, which the API server or the operator would refuse; \"lint\" tells all about that", terminal.Plural(n, "task"))
	}
}

// addTasks takes the tasks of the namespace. Of several with one name, the last one counts.
func (s *Options) addTasks(known *Catalogue, tasks []lint.Task, at func(string, finding.Position) string, tell func(string, ...any)) {
	first := map[string]lint.Task{}
	for _, one := range tasks {
		if s.namespace() != "" && one.Namespace != "" && one.Namespace != s.namespace() {
			continue
		}
		name := one.Spec.Name
		if other, ok := first[name]; ok {
			advice := "rename one of them"
			if other.Namespace != one.Namespace {
				advice = "choose a namespace with -n"
			}
			tell("two tasks are called %s: in %s and in %s, which is the one that counts here; %s",
				name, at(other.File, other.Position), at(one.File, one.Position), advice)
		}
		first[name] = one
		input, output := one.Verdict.Input, one.Verdict.Output
		known.byName[name] = knownTask{
			Task: dag.Task{
				Input: input.JSON(), Output: output.JSON(), InputSchema: input, OutputSchema: output, Deprecated: one.Spec.Deprecated,
				Execution: dag.Execution{
					EntryPoint: one.Spec.EntryPoint, Resources: registry.ResourcesOf(&one.Spec.Resources), Run: runOptionsOf(one.Spec.Run),
				},
			},
			object: one.Name, requirement: placement.RequirementOf(&one.Spec.Resources),
		}
	}
}
