package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/catalogue"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/cluster"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/report"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/workflows"
	"github.com/maze-agent/maregister/internal/dag"
	"github.com/maze-agent/maregister/internal/nearest"
)

const (
	usesText = "text"
	usesJSON = "json"
)

// usesOutputs are the values of -o.
var usesOutputs = []string{usesText, usesJSON}

type usesOptions struct {
	task    string
	files   []string
	output  string
	cluster workflows.Cluster
}

func newUsesCommand(program string, t terminal.Terminal) *cobra.Command {
	o := usesOptions{cluster: workflows.Cluster{Instead: "give files of workflows"}}
	c := &cobra.Command{
		Use:   "uses TASK [FILE|DIR|cluster:[NAMESPACE]...]",
		Short: "Tell which workflows run a task, and what they pass and read",
		Long: `Tell which nodes of workflows run a task: who has to be asked before it is changed or removed. A line has the place, the node, the
arguments that it passes, and the outputs of it that other nodes read.

The workflows are the MazeWorkflows of the namespace of kubectl's flags, or, with -A, of all. FILE has a workflow in JSON or YAML; it may be
- for the standard input. A DIR is searched for .json, .jsonl, .ndjson, .yaml and .yml, with the folders in it but those whose names begin
with a dot; what is no workflow there is passed over. Beside files, cluster:NAMESPACE names those of the cluster, too, and cluster: those
of the namespace of kubectl's flags.

A file may have several workflows: documents between lines of ---, values of JSON one after the other, or a list, which is an array, or what
"kubectl get mazeworkflows -o yaml" prints. Other objects in it are passed over. Where the cluster is read, it is told if the registry of
the namespace does not have the task.

-o json prints an array of {workflow, object, node, task, position, pointer, arguments, outputs}. There is an object where the workflow is a
MazeWorkflow, and a position where it is in a file.

It exits with 0, whether the task is used or not, and with 2 if something could not be read, or the namespace does not exist.`,
		Example: strings.ReplaceAll(`  # Who runs it in the cluster?
  %s uses image_caption -n vision

  # Who runs it in git?
  %s uses image_caption workflows/

  # May the input "lang" go?
  %s uses image_caption workflows/ -o json | jq '.[] | select(.arguments | index("lang"))'`, "%s", program),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) < 1 || strings.TrimSpace(args[0]) == "" {
				return errors.New("no TASK: give the name of a task, as in: uses image_caption workflows/")
			}
			o.task, o.files = args[0], args[1:]
			isGiven := o.cluster.AllNamespaces || c.Flags().Changed("namespace")
			if !slices.ContainsFunc(o.files, workflows.IsCluster) && (isGiven || len(o.files) == 0) {
				o.files = append(o.files, workflows.ClusterPrefix)
			}
			return o.run(c.Context(), t)
		},
	}
	c.Flags().StringVarP(&o.output, "output", "o", usesText, "`FORMAT`: "+strings.Join(usesOutputs, ", "))
	complete(c, "output", usesOutputs)
	c.Flags().BoolVarP(&o.cluster.AllNamespaces, "all-namespaces", "A", false, "the MazeWorkflows of all namespaces of the cluster")
	o.cluster.Flags = genericclioptions.NewConfigFlags(false)
	o.cluster.Flags.CacheDir = nil // nothing is discovered
	o.cluster.Flags.AddFlags(c.PersistentFlags())
	c.PersistentFlags().Lookup("namespace").Usage = "Namespace of the MazeWorkflows; beside files, it has these read, too"
	c.ValidArgsFunction = cobra.FixedCompletions(workflowExtensions, cobra.ShellCompDirectiveFilterFileExt)
	return c
}

// useReport is what "uses" prints for programs. Its fields stay; others may be added.
type useReport struct {
	Workflow string `json:"workflow"`
	Object   string `json:"object,omitempty"`
	dag.Use
	// label tells the workflow from the others of its file.
	label string
}

func (o *usesOptions) run(ctx context.Context, t terminal.Terminal) error {
	if !slices.Contains(usesOutputs, o.output) {
		return fmt.Errorf("--output %q is none of %s", o.output, strings.Join(usesOutputs, ", "))
	}
	found := workflows.Read(ctx, t.In, &o.cluster, o.files)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	uses, users := []useReport{}, 0
	var others []string
	for _, w := range found.All {
		before := len(uses)
		for _, use := range w.Uses {
			if use.Runs(o.task) {
				use.Task = o.task
				uses = append(uses, useReport{w.Name, w.Object(), use, w.Label()})
			} else if use.Task != "" {
				others = append(others, use.Task)
			}
		}
		if len(uses) > before {
			users++
		}
	}
	if err := o.print(t, uses); err != nil {
		return err
	}
	for _, note := range found.Notes {
		t.Say("note:", note)
	}
	summary := fmt.Sprintf("task %s is run by %s of %s", terminal.Plain(o.task), terminal.Plural(len(uses), "node"), terminal.Plural(len(found.All), "workflow"))
	if len(uses) > 0 {
		summary = fmt.Sprintf("task %s is run by %s in %d of %s", terminal.Plain(o.task), terminal.Plural(len(uses), "node"), users,
			terminal.Plural(len(found.All), "workflow"))
	} else if meant := nearest.Name(o.task, others); meant != "" {
		summary += nearest.Question(meant)
	}
	if len(found.All) > 0 || len(found.Errs) == 0 { // else nothing is known
		fmt.Fprintln(t.ErrOut, summary)
	}
	if slices.ContainsFunc(o.files, workflows.IsCluster) && len(found.Errs) == 0 {
		if err := o.tellPublications(ctx, t, found); err != nil {
			found.Errs = append(found.Errs, report.Unread(workflows.ClusterPrefix, err))
		}
	}
	return unread(t, found.Errs)
}

// tellPublications tells which registries of the cluster do not have the task, as far as the user may know. It returns an error for a
// namespace of which nothing shows that it exists.
func (o *usesOptions) tellPublications(ctx context.Context, t terminal.Terminal, found *workflows.Found) error {
	connection, err := cluster.Connect(o.cluster.Flags)
	if err != nil {
		return err
	}
	all, err := catalogue.Publications(ctx, connection, found.Namespaces, o.task)
	if err != nil {
		if !apierrors.IsForbidden(err) {
			t.Say("note:", "whether a registry has the task is not known: "+err.Error())
		}
		return nil
	}
	isPublished := slices.ContainsFunc(all, func(p catalogue.Publication) bool { return p.HasTask })
	if o.cluster.AllNamespaces {
		if !isPublished && len(all) > 0 {
			t.Say("note:", fmt.Sprintf("no registry of the cluster has a task %s: it was never published, or is gone", o.task))
		}
		return nil
	}
	advice := catalogue.Advice{Instead: o.cluster.Instead, Namespace: "with -n"}
	for _, p := range all {
		switch {
		case p.HasTask:
		case p.HasRegistry:
			t.Say("note:", fmt.Sprintf("the registry of namespace %s has no task %s: it was never published there, or is gone%s", p.Namespace, o.task,
				nearest.Question(nearest.Name(o.task, p.Others))))
		case p.IsTaken:
			t.Say("note:", (&catalogue.TakenError{Namespace: p.Namespace}).Error())
		case !found.HasObjectOf(p.Namespace) && connection.Existence(ctx, p.Namespace) == cluster.Unknown:
			return fmt.Errorf("namespace %s has no MazeWorkflow and no registry, if it exists at all; %s", p.Namespace,
				catalogue.WhereRegistriesAre(ctx, connection, advice))
		default:
			t.Say("note:", fmt.Sprintf("namespace %s has no registry, so no task is published there; %s", p.Namespace,
				catalogue.WhereRegistriesAre(ctx, connection, advice)))
		}
	}
	return nil
}

// unread tells which files could not be read. It returns nil if all could.
func unread(t terminal.Terminal, errs []report.NotRead) error {
	if len(errs) == 0 {
		return nil
	}
	for _, err := range errs {
		t.Say("error:", err.Error())
	}
	return report.ErrUnread
}

func (o *usesOptions) print(t terminal.Terminal, uses []useReport) error {
	if o.output == usesJSON {
		return terminal.WriteJSON(t.Out, uses)
	}
	for _, use := range uses {
		line := t.Paint(terminal.Bold, report.Where(use.Workflow, use.Position)) + ": "
		if use.label != "" {
			line += terminal.Plain(use.label) + ": "
		}
		line += fmt.Sprintf("node %q", use.Node)
		if len(use.Arguments) > 0 {
			line += " passes " + strings.Join(use.Arguments, ", ")
		}
		if len(use.Outputs) > 0 {
			line += "; read of its result: " + strings.Join(use.Outputs, ", ")
		}
		fmt.Fprintln(t.Out, line)
	}
	return nil
}
