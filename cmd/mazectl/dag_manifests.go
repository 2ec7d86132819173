package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"

	utilerrors "k8s.io/apimachinery/pkg/util/errors"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/lint"
	"github.com/maze-agent/maregister/internal/placement"
	taskjudge "github.com/maze-agent/maregister/internal/task"
)

// readManifests reads the tasks of manifests and Python sources. What the API server or the operator would refuse is left out.
func (s *taskSource) readManifests(ctx context.Context, stdin io.Reader, tell func(string, ...any)) (*catalogue, error) {
	files := lintFiles{stdin: stdin}
	files.collect(ctx, s.manifests)
	if len(files.errs) > 0 { // findings by a part of the tasks would be wrong
		return nil, utilerrors.NewAggregate(errorsOf(files.errs))
	}
	s.sources = files.names
	declared, found, err := lintPython(ctx, files.python)
	if err != nil {
		return nil, err
	}
	linter, err := lint.New()
	if err != nil {
		return nil, err
	}
	sources := files.manifests
	for _, m := range taskManifests(declared, "", "") { // judged as if each had its manifest
		content, err := json.Marshal(m.object)
		if err != nil {
			return nil, err
		}
		sources = append(sources, lint.Source{Name: m.place(), Content: content})
	}
	result := linter.Lint(sources)
	tellLeftOut(tell, &result, slices.Concat(result.Findings, found))
	known := &catalogue{byName: map[string]knownTask{}, from: s.inNamespace(names(s.manifests))}
	s.addTasks(known, result.Tasks, tell)
	if len(known.byName) == 0 {
		return nil, fmt.Errorf("no task of %s can be used", known.from)
	}
	return known, nil
}

// tellLeftOut says which tasks cannot be used.
func tellLeftOut(tell func(string, ...any), result *lint.Result, findings []finding.Finding) {
	const most = 10
	wrong := slices.DeleteFunc(findings, func(f finding.Finding) bool {
		return !isError(f) || f.Rule == finding.DuplicateObject || f.Rule == finding.NameConflict
	})
	for _, f := range wrong[:min(len(wrong), most)] {
		tell("%s: %s %s", where(f.File, f.Position), f.Rule, f.Message)
	}
	if n := result.Objects - len(result.Tasks); n > 0 || len(wrong) > most {
		tell("%s left out, which the API server or the operator would refuse; \"lint\" tells all about that", plural(n, "task"))
	}
}

// addTasks takes the tasks of the namespace. Of several with one name, the last one counts.
func (s *taskSource) addTasks(known *catalogue, tasks []lint.Task, tell func(string, ...any)) {
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
				name, where(other.File, other.Position), where(one.File, one.Position), advice)
		}
		first[name] = one
		verdict := taskjudge.Judge(&one.Spec)
		if !verdict.Accepted {
			tell("%s is left out: %s", name, verdict.Message) // cannot be: it is judged already
			continue
		}
		known.byName[name] = knownTask{
			input: verdict.Input.JSON(), output: verdict.Output.JSON(), object: one.Name, requirement: placement.RequirementOf(&one.Spec.Resources),
		}
	}
}
