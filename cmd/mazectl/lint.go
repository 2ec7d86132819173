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
	utilerrors "k8s.io/apimachinery/pkg/util/errors"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/catalogue"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/report"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/lint"
)

func newLintCommand(program string, t terminal.Terminal) *cobra.Command {
	var options report.Options
	c := &cobra.Command{
		Use:   "lint FILE|DIR...",
		Short: "Tell what the API server or the operator would refuse, in manifests and Python sources",
		Long: `Judge MazeTasks before they are in a cluster, offline, as the API server and the operator would: by the CRD's schema and its rules
with the API server's own packages, then by the operator's own checks, and against each other.

FILE has MazeTasks in YAML or JSON, or is a Python source with decorated functions; it may be - for manifests on the standard
input. A DIR is searched, with the folders in it but those whose names begin with a dot, for .yaml, .yml and .json files that
mention MazeTasks, and for .py files. Other objects than MazeTasks are skipped.

Every finding has the code of a rule; "rule CODE" explains it. It exits with 0 if nothing is wrong, with 1 if there are findings,
warnings included, and with 2 if something could not be read. What depends on a cluster is left open: "place" tells which nodes
could host a task.`,
		Example: strings.ReplaceAll(`  # Everything below a folder
  %s lint tasks/

  # What kustomize makes
  kubectl kustomize config/samples | %s lint -

  # In a pull request on GitHub, with annotations
  %s lint tasks/ --output-format github

  # For code scanning
  %s lint tasks/ --output-format sarif --output-file lint.sarif --exit-zero`, "%s", program),
		RunE: func(c *cobra.Command, args []string) error { return runLint(c.Context(), t, options, args) },
	}
	addFindingFlags(c, &options)
	c.ValidArgsFunction = cobra.FixedCompletions([]string{"yaml", "yml", "json", "py"}, cobra.ShellCompDirectiveFilterFileExt)
	return c
}

func runLint(ctx context.Context, t terminal.Terminal, options report.Options, args []string) error {
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
	result := linter.Lint(files.Manifests)
	declared, found, err := catalogue.Declared(ctx, files.Python)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if failed, ok := errors.AsType[report.NotRead](err); ok {
		files.Errs = append(files.Errs, failed)
	}
	all := finding.Sort(slices.Concat(result.Findings, found, linter.Declared(declared), report.FindingsOf(files.Errs)))
	err = report.Write(t, options, all, files.Source)
	if len(files.Errs) > 0 {
		if errors.Is(err, report.ErrFindings) {
			err = nil
		}
		return utilerrors.NewAggregate(append(report.ErrorsOf(files.Errs), err))
	}
	if err == nil || errors.Is(err, report.ErrFindings) {
		fmt.Fprintln(t.ErrOut, lintSummary(&result, len(files.Manifests), len(declared), all))
	}
	return err
}

// lintSummary counts what was judged.
func lintSummary(result *lint.Result, files, declared int, findings []finding.Finding) string {
	text := fmt.Sprintf("%s in %s of manifests", terminal.Plural(result.Objects, "MazeTask"), terminal.Plural(files, "file"))
	if declared > 0 {
		text += fmt.Sprintf(", %s in Python sources", terminal.Plural(declared, "task"))
	}
	text += ": " + report.Count(findings)
	if len(result.Skipped) > 0 {
		kinds := slices.SortedFunc(maps.Keys(result.Skipped), func(a, b string) int {
			return cmp.Or(cmp.Compare(result.Skipped[b], result.Skipped[a]), strings.Compare(a, b))
		})
		const maxKinds = 5
		var shown []string
		for _, kind := range kinds[:min(len(kinds), maxKinds)] {
			shown = append(shown, fmt.Sprintf("%d %s", result.Skipped[kind], terminal.Plain(kind)))
		}
		if len(kinds) > maxKinds {
			shown = append(shown, "and more")
		}
		text += "; skipped: " + strings.Join(shown, ", ")
	}
	return text
}
