package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/catalogue"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/report"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/workflows"
	"github.com/maze-agent/maregister/internal/dag"
	"github.com/maze-agent/maregister/internal/finding"
)

type dagCheckOptions struct {
	catalogue.Options
	findings report.Options
	options  dag.Options
	files    []string
}

func newDAGCheckCommand(program string, t terminal.Terminal) *cobra.Command {
	o := dagCheckOptions{}
	c := &cobra.Command{
		Use:   "check FILE...",
		Short: "Check workflows against the tasks of manifests, of a registry or of a cluster",
		Long: `Check workflows before they run: that every node runs a task that there is, passes what the task takes, and refers to nodes
and outputs that there are; that outputs can feed what they are wired to; and that no node waits for itself. All that is wrong is
told at once, with the node, the place and the code of a rule; "rule CODE" explains it.

FILE has a workflow in JSON or YAML; it may be - for the standard input. The tasks are those of --tasks, of --registry, or, without
these, of the registry in the cluster and namespace of kubectl's flags, for which the right to list ConfigMaps is enough.

For Maze itself, which is the default for workflows whose "schema" is Maze's, what it refuses or cannot run is reported, too. --target
says what is to run a workflow.

--placeable also reports nodes whose task no node of the cluster can host now: as the operator says it in the condition Placeable of
the cluster's MazeTasks, or, with --tasks, --registry, --nodes or --config, by the nodes that --nodes names.

The key registry.mazeagent.net/ignore in the "metadata" of a workflow, a node or an edge has codes of rules that are silenced there,
as have comments in YAML. What silences nothing is told.

It exits with 0 if there is no error, with 1 if there is one, or a warning and --strict, and with 2 if something could not be read.`,
		Example: strings.ReplaceAll(`  # Against the registry of kubectl's current cluster and namespace
  %s dag check workflow.json

  # Offline, against the manifests in git
  %s dag check workflow.json --tasks deploy/tasks

  # Offline, against a registry as it was
  kubectl get configmaps -n vision -l 'registry.mazeagent.net/registry in (index,shard)' -o json > registry.json
  %s dag check workflow.json --registry registry.json

  # Could the cluster run it now?
  %s dag check workflow.json -n vision --placeable`, "%s", program),
		RunE: func(c *cobra.Command, files []string) error {
			o.files = files
			noteTaskFlags(c, &o.Options)
			return o.run(c.Context(), t)
		},
	}
	addOutputFlag(c, &o.findings)
	addFindingFlags(c, &o.findings)
	addTaskFlags(c, &o.Options)
	addTargetFlag(c, &o.options)
	c.ValidArgsFunction = cobra.FixedCompletions(workflowExtensions, cobra.ShellCompDirectiveFilterFileExt)
	return c
}

func (o *dagCheckOptions) run(ctx context.Context, t terminal.Terminal) error {
	if len(o.files) == 0 {
		return errors.New("no FILE: give files of workflows in JSON or YAML, or - for the standard input")
	}
	if err := o.findings.Check(); err != nil {
		return err
	}
	if err := o.Validate(o.files); err != nil {
		return err
	}
	files, failed := workflows.ReadFiles(ctx, t.In, o.files)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	all, counts := report.FindingsOf(failed), edgeCounts{}
	var ignores []finding.Ignore
	known := &catalogue.Catalogue{}
	if len(files) > 0 { // whoever has none need not have tasks
		var err error
		if known, err = o.Read(ctx, t); err != nil {
			return utilerrors.NewAggregate(append(report.ErrorsOf(failed), terminal.Errors(err)...))
		}
	}
	if err := t.RefuseOverwriting(o.findings.File, slices.Concat(o.files, o.Inputs())); err != nil {
		return err
	}
	tasks := known.Tasks()
	for _, w := range files {
		graph, found := dag.Check(w.Name, w.Content, tasks, o.options)
		counts.add(graph)
		all, ignores = append(all, found...), append(ignores, dag.Ignores(w.Name, w.Content)...)
	}
	chosen := o.findings.Choose(finding.Sort(all), ignores)
	err := report.Write(t, &o.findings, chosen, func(name string) []byte {
		if i := slices.IndexFunc(files, func(w workflows.File) bool { return w.Name == name }); i >= 0 {
			return files[i].Content
		}
		return nil
	})
	if err != nil && !errors.Is(err, report.ErrFindings) {
		return utilerrors.NewAggregate(append(report.ErrorsOf(failed), err))
	}
	if len(files) > 0 {
		fmt.Fprintf(t.ErrOut, "%s in %s, against %s: %s\n", &counts, terminal.Plural(len(files), "file"), known, chosen.Count())
	}
	if unread := o.findings.Unread(failed); unread != nil {
		return unread
	}
	return err
}
