package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/catalogue"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/pysource"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/report"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/discover"
	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/lint"
)

func newLintCommand(program string, t terminal.Terminal) *cobra.Command {
	var options report.Options
	sources := pysource.Options{Judge: newJudge()}
	c := &cobra.Command{
		Use:   "lint FILE|DIR...",
		Short: "Tell what the API server or the operator would refuse, in manifests and Python sources",
		Long: `Judge MazeTasks and MazeWorkflows before they are in a cluster, offline, as the API server and the operator would: by the CRDs'
schemas and their rules with the API server's own packages, then by the operator's own checks, and against each other. A MazeWorkflow is
checked with the MazeTasks of the same files and namespace; for tasks from elsewhere, see "dag check".

FILE has MazeTasks and MazeWorkflows in YAML or JSON, or is a Python source with decorated functions; it may be - for manifests on the
standard input. A DIR is searched, with the folders in it but those whose names begin with a dot, for .yaml, .yml and .json files that
mention them, and for .py files. Other objects are skipped.

Every finding has the code of a rule; "rule CODE" explains it. What depends on a cluster is left open: "place" tells which nodes could
host a task.

` + silencing + `

It exits with 0 if there is no error, with 1 if there is one, or a warning and --strict, and with 2 if something could not be read.`,
		Example: strings.ReplaceAll(`  # Everything below a folder
  %s lint tasks/

  # What kustomize makes
  kubectl kustomize config/samples | %s lint -

  # In a pull request on GitHub, with annotations
  %s lint tasks/ -o github

  # For code scanning
  %s lint tasks/ -o sarif --output-file lint.sarif --exit-zero`, "%s", program),
		RunE: func(c *cobra.Command, args []string) error { return runLint(c.Context(), t, &options, sources, args) },
	}
	addOutputFlag(c, &options)
	addFindingFlags(c, &options)
	addDecoratorFlag(c, &sources.Claims)
	c.ValidArgsFunction = cobra.FixedCompletions([]string{"yaml", "yml", "json", "py"}, cobra.ShellCompDirectiveFilterFileExt)
	return c
}

func runLint(ctx context.Context, t terminal.Terminal, options *report.Options, sources pysource.Options, args []string) error {
	if len(args) == 0 {
		return errors.New("no FILE or DIR: give files or folders of MazeTasks or Python sources, or - for the standard input")
	}
	if err := options.Check(); err != nil {
		return err
	}
	files := catalogue.Files{Stdin: t.In}
	files.Collect(ctx, args)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := t.RefuseOverwriting(options.File, files.Names); err != nil {
		return err
	}
	linter, err := lint.New()
	if err != nil {
		return err
	}
	declared, err := catalogue.Declared(ctx, sources, files.Python)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	linter.Elsewhere = elsewhere(declared.Tasks)
	result := linter.Lint(files.Manifests)
	if failed, ok := errors.AsType[report.NotRead](err); ok {
		files.Errs = append(files.Errs, failed)
	}
	all := finding.Sort(slices.Concat(result.Findings, declared.Findings, report.FindingsOf(files.Errs)))
	chosen := options.Choose(all, slices.Concat(result.Ignores, declared.Ignores))
	err = report.Write(t, options, chosen, files.Source)
	if err != nil && !errors.Is(err, report.ErrFindings) {
		return err
	}
	notes := slices.Concat(files.Notes, files.Unfollowed)
	if result.Objects+result.WorkflowObjects+len(declared.Tasks) == 0 {
		notes = slices.Concat(notes, files.Elsewhere, declared.Notes)
	}
	for _, note := range notes {
		t.Say("note:", note)
	}
	fmt.Fprintln(t.ErrOut, lintSummary(&result, len(files.Manifests), len(declared.Tasks), &chosen))
	if unread := options.Unread(files.Errs); unread != nil {
		return unread
	}
	return err
}

// elsewhere returns tasks of Python sources as those of manifests are compared with.
func elsewhere(tasks []discover.Task) []lint.Declared {
	all := make([]lint.Declared, len(tasks))
	for i, one := range tasks {
		all[i] = lint.Declared{Name: one.Spec.Name, Deprecated: one.Spec.Deprecated, File: one.File, Position: one.Position, Object: one.Function}
	}
	return all
}

// lintSummary counts what was judged.
func lintSummary(result *lint.Result, files, declared int, chosen *report.Chosen) string {
	objects := terminal.Plural(result.Objects, "MazeTask")
	if result.WorkflowObjects > 0 {
		objects += " and " + terminal.Plural(result.WorkflowObjects, "MazeWorkflow")
	}
	text := fmt.Sprintf("%s in %s of manifests", objects, terminal.Plural(files, "file"))
	if declared > 0 {
		text += fmt.Sprintf(", %s in Python sources", terminal.Plural(declared, "task"))
	}
	text += ": " + chosen.Count()
	return text + skipped(result.Skipped)
}

// skipped counts the objects that nothing was said of, as the end of a summary. Empty for none.
func skipped(objects map[string]int) string {
	if len(objects) == 0 {
		return ""
	}
	kinds := slices.SortedFunc(maps.Keys(objects), func(a, b string) int {
		return cmp.Or(cmp.Compare(objects[b], objects[a]), strings.Compare(a, b))
	})
	const maxKinds = 5
	var shown []string
	for _, kind := range kinds[:min(len(kinds), maxKinds)] {
		shown = append(shown, fmt.Sprintf("%d %s", objects[kind], terminal.Plain(kind)))
	}
	if len(kinds) > maxKinds {
		shown = append(shown, "and more")
	}
	return "; skipped: " + strings.Join(shown, ", ")
}
