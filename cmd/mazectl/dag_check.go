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
	"github.com/maze-agent/maregister/internal/lint"
	"github.com/maze-agent/maregister/internal/text"
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

FILE has a workflow in JSON or YAML, or several: documents between lines of ---, values of JSON one after the other, or a list, which is an
array, or what "kubectl get mazeworkflows -o yaml" prints. It may be - for the standard input. A MazeWorkflow is also judged as the API
server does it, and other objects are skipped. The tasks are those of --tasks, of --registry, or, without these, of the registry in the
cluster and namespace of kubectl's flags, for which the right to list ConfigMaps is enough.

For Maze itself, which is the default for workflows whose "schema" is Maze's, what it refuses or cannot run is reported, too. --target
says what is to run a workflow.

--placeable also reports nodes whose task no node of the cluster can host now: as the operator says it in the condition Placeable of
the cluster's MazeTasks, or, with --tasks, --registry, --nodes or --config, by the nodes that --nodes names.

The key registry.mazeagent.net/ignore in the "metadata" of a workflow, a node or an edge, or in the annotations of a MazeWorkflow, has
codes of rules that are silenced there, as have comments in YAML. What silences nothing is told.

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
	checker := workflowChecker{tasks: known.Tasks(), namespace: known.Namespace, options: o.options}
	for _, w := range files {
		checker.check(w)
	}
	all, ignores := append(report.FindingsOf(failed), checker.findings...), checker.ignores
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
		if checker.elsewhere > 0 {
			checker.notes = append(checker.notes, fmt.Sprintf("%s: of other namespaces than %s, and checked with its tasks; choose theirs with -n",
				terminal.Plural(checker.elsewhere, "MazeWorkflow"), checker.namespace))
		}
		for _, note := range checker.notes {
			t.Say("note:", note)
		}
		fmt.Fprintf(t.ErrOut, "%s in %s, against %s: %s%s\n", &checker.counts, checker.files(len(files)), known, chosen.Count(),
			skipped(checker.others))
	}
	if unread := o.findings.Unread(failed); unread != nil {
		return unread
	}
	return err
}

// maxFileFindings is how many findings are told of a file. Of more, the rest is counted, as package dag does of a workflow.
const maxFileFindings = 20_000

// workflowChecker checks the workflows of files.
type workflowChecker struct {
	tasks *dag.Tasks
	// namespace is that of the tasks, if they are a registry's, and elsewhere counts the MazeWorkflows of other namespaces.
	namespace string
	elsewhere int
	options   dag.Options
	linter    lint.Linter
	counts    edgeCounts
	findings  []finding.Finding
	ignores   []finding.Ignore
	notes     []string
	// workflows is how many there are, and others counts the other objects of the files, by kind and apiVersion.
	workflows int
	others    map[string]int
}

// check checks the workflows of a file.
func (c *workflowChecker) check(w workflows.File) {
	read := dag.Read(w.Name, w.Content)
	told, leftOut := slices.Clone(read.Findings), 0
	for _, d := range read.Documents {
		graph, found := c.linter.CheckWorkflow(d, c.tasks, c.options)
		d.Forget()
		c.counts.add(graph)
		if d.IsObject() && c.namespace != "" && d.Namespace != "" && d.Namespace != c.namespace {
			c.elsewhere++
		}
		most := len(found)
		if len(read.Documents) > 1 { // of one, package dag has counted
			most = min(most, max(0, maxFileFindings-len(told)))
		}
		told, leftOut = append(told, found[:most]...), leftOut+len(found)-most
	}
	if leftOut > 0 {
		told = append(told, finding.New(finding.DAGTooLarge, w.Name, text.Start, "",
			"%d more findings are left out; correct those that are told first", leftOut))
	}
	c.findings = append(c.findings, told...)
	c.ignores = append(c.ignores, read.Ignores()...)
	c.workflows += len(read.Documents)
	switch {
	case len(read.Documents) > 0:
	case len(read.Others) > 0:
		c.findings = append(c.findings, finding.New(finding.MalformedDAG, w.Name, text.Start, "the workflow",
			`the file has no workflow, but %s; "mazectl lint" checks MazeTasks`, workflows.OthersOf(read)))
	default:
		c.notes = append(c.notes, w.Name+" has no workflow: it is an empty list")
	}
	if c.others == nil {
		c.others = map[string]int{}
	}
	for kind, n := range read.Others {
		c.others[kind] += n
	}
}

// files counts the files, and the workflows if there are not as many.
func (c *workflowChecker) files(n int) string {
	if c.workflows == n {
		return terminal.Plural(n, "file")
	}
	return terminal.Plural(c.workflows, "workflow") + " of " + terminal.Plural(n, "file")
}
