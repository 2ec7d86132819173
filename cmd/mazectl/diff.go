package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/utils/ptr"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/diff"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/report"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
)

const diffHelp = `Compare two versions of tasks, and tell what was added, removed and changed, and what that means to those who use them. A change
breaks somebody if a call, or a result, shows it: then it is told with that. Inputs may widen, and outputs may narrow.

OLD and NEW are each

  PATH                     a file or a folder of MazeTasks in YAML or JSON and of Python sources, as "lint" reads them; - for manifests
                           on the standard input; a folder where maze-registry is mounted
  git:REVISION             NEW, or OLD, as it was in a revision of its git repository
  git:REVISION:PATH        a file or a folder as it was in a revision; PATH is from the working folder
  registry:PATH            a registry in a file, as "dag check --registry" takes it
  cluster:[NAMESPACE]      the registry of a namespace in the cluster of kubectl's flags

A task that NEW does not have is removed; with --partial it stays, as where NEW is one of several sources that share a namespace.

A task is known by its namespace and spec.name; where a manifest has no namespace, by spec.name. Placement and what the operator's
configuration decides are compared where both versions are registries.

With --workflows, workflows are checked with the old tasks and with the new ones, and those that an edit breaks are told; one that was not
valid before is told as such (MZ346). FILE may have several, and may be - for the standard input. Where OLD or NEW is cluster:, the
MazeWorkflows of its namespace are checked, too; --workflows cluster:[NAMESPACE] has them checked against other versions. A namespace
without a registry counts as one without tasks.

Every finding has the code of a rule; "rule CODE" explains it: errors are what breaks somebody (MZ301 and following), warnings what may
(MZ321), notes the rest (MZ341). A comment or an annotation in NEW silences rules of changes there, as for "lint".

It exits with 0 if nothing breaks, with 1 for what --fail-on says, and with 2 if something could not be read.`

const diffExamples = `  # What does my edit mean?
  %s diff git:HEAD deploy/tasks

  # In CI: what a pull request breaks, with annotations, and which workflows
  %s diff git:origin/main deploy/tasks --workflows workflows/ -o github

  # Only the workflows that would break
  %s diff git:origin/main deploy/tasks --workflows workflows/ --select workflow-broken

  # Before a release is applied: against what the cluster serves
  %s diff cluster:vision deploy/tasks

  # Two registries
  %s diff registry:before.json registry:after.json`

// What --fail-on takes.
const (
	failOnBreaking = "breaking"
	failOnUnknown  = "unknown"
	failOnAny      = "any"
)

var (
	failOns = []string{failOnBreaking, failOnUnknown, failOnAny}
	// failOnsOfPlans are those for what discover would do.
	failOnsOfPlans = failOns[:2]
)

type diffOptions struct {
	diff.Options
	findings report.Options
	failOn   string
}

func newDiffCommand(program string, t terminal.Terminal) *cobra.Command {
	o := diffOptions{}
	o.Cluster = genericclioptions.NewConfigFlags(false)
	o.Cluster.CacheDir = nil // nothing is discovered
	c := &cobra.Command{
		Use:     "diff OLD NEW",
		Short:   "Tell what an edit of tasks breaks, and which workflows",
		Long:    diffHelp,
		Example: strings.ReplaceAll(diffExamples, "%s", program),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) != 2 {
				return errors.New("OLD and NEW, and nothing else: give two versions of tasks, as in: diff git:HEAD deploy/tasks")
			}
			o.Old, o.New = args[0], args[1]
			if c.Flags().Changed("namespace") {
				o.Namespace = ptr.Deref(o.Cluster.Namespace, "")
			}
			return o.run(c.Context(), t)
		},
	}
	addOutputFlag(c, &o.findings)
	addFindingFlags(c, &o.findings)
	addDecoratorFlag(c, &o.Claims)
	flags := c.Flags()
	flags.StringVar(&o.failOn, "fail-on", failOnBreaking, "exit with 1 for changes that are `WHAT`: "+strings.Join(failOns, ", "))
	o.Cluster.AddFlags(c.PersistentFlags())
	c.PersistentFlags().Lookup("namespace").Usage = "Namespace of the tasks; of files, those of all namespaces without it"
	complete(c, "fail-on", failOns)
	addWorkflowsFlag(c, &o.Workflows)
	flags.BoolVar(&o.Partial, "partial", false, "NEW has only a part of the tasks: those that it does not have stay as they are in OLD")
	c.ValidArgsFunction = completeSources
	return c
}

// addWorkflowsFlag adds the flag of the workflows that edits may break.
func addWorkflowsFlag(c *cobra.Command, files *[]string) {
	c.Flags().StringSliceVar(files, "workflows", nil, "`FILE|DIR` with workflows, to tell which of them break; can be repeated")
	if err := c.RegisterFlagCompletionFunc("workflows", cobra.FixedCompletions(workflowExtensions, cobra.ShellCompDirectiveFilterFileExt)); err != nil {
		panic(err) // there is no such flag
	}
}

// completeSources completes a version: files, or the beginnings of all else.
func completeSources(_ *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	if len(args) >= 2 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	var out []string
	for _, kind := range []string{"git:", "registry:", "cluster:"} {
		if typed != "" && strings.HasPrefix(kind, typed) {
			out = append(out, kind)
		}
	}
	if len(out) > 0 {
		return out, cobra.ShellCompDirectiveNoSpace
	}
	return nil, cobra.ShellCompDirectiveDefault
}

func (o *diffOptions) run(ctx context.Context, t terminal.Terminal) error {
	if !slices.Contains(failOns, o.failOn) {
		return fmt.Errorf("--fail-on %q is none of %s", o.failOn, strings.Join(failOns, ", "))
	}
	o.findings.Strict = o.findings.Strict || o.failOn == failOnUnknown
	o.findings.AnyFails = o.failOn == failOnAny
	if err := o.findings.Check(); err != nil {
		return err
	}
	result, err := o.Run(ctx, t.In)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err != nil {
		return utilerrors.NewAggregate(terminal.Errors(err))
	}
	if err := t.RefuseOverwriting(o.findings.File, result.Inputs); err != nil {
		return err
	}
	chosen := o.findings.Choose(result.Findings, result.Ignores)
	o.findings.OfChanges, o.findings.Whole = true, result.Whole
	err = report.Write(t, &o.findings, chosen, result.Source)
	if err != nil && !errors.Is(err, report.ErrFindings) {
		return err
	}
	for _, note := range result.Notes {
		t.Say("note:", note)
	}
	text := chosen.Count()
	if len(chosen.Findings) == 0 && len(result.Findings) == 0 {
		text = "nothing has changed"
	}
	fmt.Fprintf(t.ErrOut, "%s: %s\n", result.Summary(), text)
	return err
}
