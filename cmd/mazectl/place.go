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

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/place"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/report"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/lint"
)

type placeCommand struct {
	place.InventoryOptions
	files []string
	// everywhere takes the tasks of all namespaces of the cluster, in place of files.
	everywhere bool
	recursive  bool
	summary    bool
	classes    bool
	output     string
}

func newPlaceCommand(program string, t terminal.Terminal) *cobra.Command {
	o := placeCommand{InventoryOptions: place.InventoryOptions{NodeOptions: place.NodeOptions{Cluster: genericclioptions.NewConfigFlags(false)}}}
	o.Cluster.CacheDir = nil // nothing is discovered
	var drain string
	c := &cobra.Command{
		Use:   "place FILE... | -A",
		Short: "Tell which nodes could host tasks, and why others could not",
		Long: `Tell for each MazeTask what its Pod would ask for, and of each class of nodes whether an empty one could host it, or why not:
what the operator writes into the condition Placeable. With --add and --drain, tell also what becomes of the tasks when nodes
come and go:

  unlocked   some node can host the task only then
  stranded   some node can host it now, and none is known to then
  moved      some node can host it now and then, with another placement
  changed    none can now or then, for another reason
  unchanged

FILE has MazeTasks in YAML or JSON; it may be a folder, a URL, or - for the standard input. With -A, the tasks are those of the
cluster, of all namespaces. What the API server would refuse counts as a task that no node can host. Nothing is written to the
cluster.

With --suggest-device-classes, print instead the few DeviceClasses by which more of the tasks could run on the GPUs that Dynamic
Resource Allocation hands out: by memory, and by what gpuRequirements ask for. To see what they would change, give them to --add.

With --summary, tell instead how many tasks have which verdict, how many each class of nodes could host, and which tasks one more
node would unlock: one of each profile in the operator's configuration, then some that clouds sell, the cheaper ones first. A node
is left out if one before it unlocks as much.

-o json and yaml print {tasks: [{namespace, name, task, change, before, after, classes}]}. task is spec.name. before and after
have status, reason and message of the condition Placeable, and the placement. classes have name, nodes, unavailable (cordoned
or not ready), fits, why, and before (nodes, fits, why). change and before are there with --add or --drain only. With --summary,
they print {verdicts: [{status, reason, count, tasks}], changes: [{change, count, tasks}], classes: [{name, nodes, unavailable,
tasks}], unlocks: [{pool, count, tasks}]}.

It exits with 0 if every task can be placed, or that is not known (Unknown); with 1 if some task cannot, or is stranded; with 2 if
something could not be read.`,
		Example: strings.ReplaceAll(`  # Where could these tasks run, on the nodes of kubectl's current cluster?
  %s place tasks.yaml

  # The same offline, by a file of nodes
  kubectl get nodes -o yaml > nodes.yaml
  %s place tasks/ -R --nodes nodes.yaml

  # What would one more pool of nodes unlock? Its labels and status.allocatable are enough.
  %s place tasks/ --add h100-node.yaml

  # How is the whole cluster, and what would one more node of each kind unlock?
  %s place -A --summary

  # What would be stranded without the old pool?
  kubectl get mazetasks -A -o yaml | %s place - --drain cloud.google.com/gke-nodepool=t4`, "%s", program),
		RunE: func(c *cobra.Command, files []string) error {
			o.files = files
			if c.Flags().Changed("drain") {
				o.Drain = &drain
			}
			return o.run(c.Context(), t)
		},
	}
	o.addFlags(c, &drain)
	return c
}

// addFlags adds the flags to the command. drain takes the value of --drain.
func (o *placeCommand) addFlags(c *cobra.Command, drain *string) {
	flags := c.Flags()
	flags.BoolVarP(&o.recursive, "recursive", "R", false, "look into the folders of folders, too")
	flags.BoolVarP(&o.everywhere, "all-namespaces", "A", false, "judge the tasks of all namespaces of the cluster, in place of FILE")
	flags.BoolVar(&o.summary, "summary", false, "count tasks by verdict and by class of nodes, and tell what one more node would unlock")
	flags.BoolVar(&o.classes, "suggest-device-classes", false, "print the DeviceClasses by which tasks could run that no node is known to host")
	addNodeFlags(c, &o.NodeOptions)
	flags.StringSliceVar(&o.Add, "add", nil, "`FILE` of nodes that would come, which need no names, or DeviceClasses; can be repeated")
	flags.StringVar(drain, "drain", "", "label `SELECTOR` of nodes that would go")
	flags.StringVarP(&o.output, "output", "o", place.OutputTable, "`FORMAT`: "+strings.Join(place.Outputs, ", ")+"; wide leaves nothing out")
	o.Cluster.AddFlags(c.PersistentFlags())
	c.PersistentFlags().Lookup("namespace").Usage = "Namespace to show for manifests without one"
	c.ValidArgsFunction = cobra.FixedCompletions([]string{"yaml", "yml", "json"}, cobra.ShellCompDirectiveFilterFileExt)
	if err := c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(place.Outputs, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // there is no such flag
	}
}

func (o *placeCommand) run(ctx context.Context, t terminal.Terminal) error {
	switch {
	case o.everywhere && len(o.files) > 0:
		return errors.New("-A takes the tasks from the cluster: give either -A or FILE")
	case !o.everywhere && len(o.files) == 0:
		return errors.New("no FILE: give files or folders of MazeTasks, - for the standard input, or -A for the cluster's")
	case !slices.Contains(place.Outputs, o.output):
		return fmt.Errorf("--output %q is none of %s", o.output, strings.Join(place.Outputs, ", "))
	}
	r := &place.Reader{Stdin: t.In, Recursive: o.recursive, Note: func(format string, args ...any) {
		t.Say("note:", fmt.Sprintf(format, args...))
	}}
	manifests, errs := o.tasks(ctx, r)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if len(manifests) == 0 && len(errs) > 0 {
		return utilerrors.NewAggregate(errs)
	}
	nodes, err := o.Inventories(ctx, r)
	if err != nil {
		return utilerrors.NewAggregate(append(errs, terminal.Errors(err)...))
	}
	admission, err := lint.NewAdmission()
	if err != nil {
		return err
	}
	all := place.Judge(manifests, ptr.Deref(o.Cluster.Namespace, ""), admission, &nodes)
	if o.classes {
		return o.suggest(t, all, &nodes, errs)
	}
	if o.summary {
		err = place.WriteSummary(t, o.output, all, &nodes)
	} else {
		err = place.Write(t, o.output, all)
	}
	if err != nil {
		return err
	}
	fmt.Fprintln(t.ErrOut, place.Summary(all, &nodes))
	if len(errs) > 0 {
		return utilerrors.NewAggregate(errs)
	}
	if slices.ContainsFunc(all, place.Judged.IsFinding) {
		return report.ErrFindings
	}
	return nil
}

// suggest prints DeviceClasses in place of verdicts.
func (*placeCommand) suggest(t terminal.Terminal, all []place.Judged, nodes *place.Inventories, errs []error) error {
	served, err := place.WriteClasses(t.Out, all, nodes)
	if err != nil {
		return err
	}
	if served == 0 {
		t.Say("note:", "no DeviceClass that is not there would place another task: see why with place, without --suggest-device-classes")
	} else {
		t.Say("note:", terminal.Plural(served, "task")+" could run by these classes, which a Pod can ask for since Kubernetes 1.36")
	}
	return utilerrors.NewAggregate(errs)
}

// tasks returns the tasks to judge. It goes on after a file that cannot be read.
func (o *placeCommand) tasks(ctx context.Context, r *place.Reader) ([]place.Manifest, []error) {
	if !o.everywhere {
		return r.Read(ctx, v1alpha1.SchemeGroupVersion.WithKind("MazeTask"), o.files)
	}
	found, err := place.ClusterTasks(ctx, o.Cluster)
	if err != nil {
		return nil, []error{err}
	}
	if len(found) == 0 {
		r.Note("the cluster has no MazeTask")
	}
	return found, nil
}
