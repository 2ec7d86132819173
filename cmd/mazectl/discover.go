package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/utils/ptr"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/deliver"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/pysource"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/report"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/evolution"
)

const discoverHelp = `Find the functions in Python files that are decorated as tasks of Maze, without running or importing them, and make a MazeTask
of each. They are printed, written to a folder, or applied to a cluster.

DIR is a folder with Python files, at any depth, or one such file. Files and folders whose names begin with __ or a dot are left
out. A file that cannot be read or is not Python costs itself a finding, and the others nothing.

Modules are named from the package root: as Python would, from the first folder without an __init__.py, from DIR upwards. Nothing
outside of it is read; symbolic links are followed within it.

--output-dir writes a file for each task and a kustomization.yaml, only what differs, and removes what it wrote for tasks that are
gone. Other files are left alone. --check writes nothing, prints the differences and what they mean to those who use the tasks, and
exits with 1 if there are any; with --fail-on, only if one is breaking, or may be.

--apply shows a plan, with what it breaks, and makes it so, with server-side apply; with --fail-on, not if it breaks something.
What --ignore, comments and annotations silence of that is not told, and is no reason for --fail-on.
First the API server is asked about all of it in a dry run; if it refuses a part, the plan says why, and nothing is applied. A function that
only moved within its file is not applied again. --prune deletes the MazeTasks of this --source-name whose functions are gone. It keeps
those in files that are not below a DIR, or that could not be read, and those whose functions are still there with an error.

--watch goes on with that whenever a file changes, until it is stopped. It is made to run beside git-sync: DIR may be below a symbolic
link that comes to point elsewhere. Whatever fails is told and tried again.

-o task-meta prints one JSON object: task name to what the registry would publish as the original's _task_meta.

Findings go to the standard error, or to --output-file, in the formats of "lint".

` + silencing + `

It exits with 0 if there is no error; with 1 if there is one, or a warning and --strict (the rest is done all the same), if --check found
differences, or if the cluster refused a task; and with 2 if it could not do what it was asked to.`

const discoverExamples = `  # What is there?
  %s discover tools/

  # Keep manifests of it in git, and see in CI that they are up to date
  %s discover tools/ --output-dir deploy/tasks
  %s discover tools/ --output-dir deploy/tasks --check

  # Make the cluster have these tasks, and no others that came from here before
  %s discover tools/ -n vision --source-name tools --apply --prune --dry-run
  %s discover tools/ -n vision --source-name tools --apply --prune

  # Beside git-sync, in a cluster
  %s discover /git/current/tools --source-name tools --watch --prune`

type discoverOptions struct {
	sources  pysource.Options
	to       deliver.Options
	findings report.Options
	// watch has the files watched, and the tasks applied again whenever one changes.
	watch bool
	// failOn is the flag of that name: which changes are not made, or are a failure of --check.
	failOn string
	// changed are the flags that the user gave.
	changed map[string]bool
}

func newDiscoverCommand(program string, t terminal.Terminal) *cobra.Command {
	o := discoverOptions{
		sources: pysource.Options{Judge: newJudge(), HasFlags: true}, to: deliver.Options{Cluster: genericclioptions.NewConfigFlags(false)},
	}
	o.to.Cluster.CacheDir = nil // nothing is discovered
	c := &cobra.Command{
		Use:     "discover DIR...",
		Short:   "Find tasks in Python files, and make MazeTasks of them",
		Long:    discoverHelp,
		Example: strings.ReplaceAll(discoverExamples, "%s", program),
		RunE: func(c *cobra.Command, dirs []string) error {
			o.to.Dirs, o.changed = dirs, map[string]bool{}
			for _, name := range []string{"output", "namespace"} {
				o.changed[name] = c.Flags().Changed(name)
			}
			return o.run(c.Context(), t)
		},
	}
	flags := c.Flags()
	flags.StringVarP(&o.to.Output, "output", "o", deliver.EncodingYAML, "`FORMAT`: "+strings.Join(deliver.Encodings, ", "))
	flags.StringVar(&o.findings.Format, "output-format", report.Formats()[0], "`FORMAT` of the findings: "+strings.Join(report.Formats(), ", "))
	flags.StringVar(&o.findings.File, "output-file", "", "`FILE` to write the findings to, instead of the standard error")
	o.findings.Flag = "--output-format"
	addFindingFlags(c, &o.findings)
	flags.StringVar(&o.to.OutputDir, "output-dir", "", "`FOLDER` to keep a file for each task in")
	flags.BoolVar(&o.to.Check, "check", false, "only tell how --output-dir differs")
	flags.StringVar(&o.sources.PackageRoot, "package-root", "", "`FOLDER` that modules are named from; by default where Python would look for them")
	flags.StringSliceVar(&o.sources.Exclude, "exclude", nil,
		"`PATTERN` of files and folders to leave out, by name (test_*) or by path from the package root (tools/**/demo.py); can be repeated")
	flags.StringVar(&o.to.SourceName, "source-name", "",
		"`NAME` of what DIR has, for the label "+pysource.LabelSource+"; --prune needs it, to know what came from there before")
	flags.StringVar(&o.sources.Image, "image", "", "container `IMAGE` that has the code of DIR, for run.image of all tasks")
	flags.BoolVar(&o.to.AllowEmpty, "allow-empty", false, "let --prune and --output-dir remove every task that there is")
	flags.BoolVar(&o.watch, "watch", false, "apply again whenever a file changes; implies --apply")
	flags.DurationVar(&o.to.Resync, "resync", time.Minute, "with --watch, look again after this `TIME` even if nothing seems to have changed")
	flags.BoolVar(&o.sources.ParseAll, "parse-all", false,
		"parse every file, also those without a name of Maze's decorators: finds those that another file renames, and takes longer")
	o.addPlanFlags(c)
	addDecoratorFlag(c, &o.sources.Claims)
	o.to.Cluster.AddFlags(c.PersistentFlags())
	c.PersistentFlags().Lookup("namespace").Usage = "Namespace of the MazeTasks"
	complete(c, "output", deliver.Encodings)
	complete(c, "output-format", report.Formats())
	return c
}

// addPlanFlags adds the flags of what becomes of a cluster.
func (o *discoverOptions) addPlanFlags(c *cobra.Command) {
	flags := c.Flags()
	flags.BoolVar(&o.to.Apply, "apply", false, "apply the tasks to the cluster")
	flags.BoolVar(&o.to.Prune, "prune", false, "with --apply, delete the tasks of this --source-name that are gone")
	flags.BoolVar(&o.to.DryRun, "dry-run", false, "with --apply, only show the plan")
	flags.StringVar(&o.failOn, "fail-on", "", "with --apply, apply nothing if a change is `WHAT`: "+strings.Join(failOnsOfPlans, ", ")+
		"; with --check, exit with 1 for such differences alone")
	flags.BoolVar(&o.to.ForceConflicts, "force-conflicts", false, "with --apply, take over fields that others manage")
	complete(c, "fail-on", failOnsOfPlans)
}

// validate refuses flags that do not go together.
func (o *discoverOptions) validate() error {
	o.to.Apply = o.to.Apply || o.watch
	switch {
	case len(o.to.Dirs) == 0:
		return errors.New("no DIR: give folders of Python files")
	case !slices.Contains(deliver.Encodings, o.to.Output):
		return fmt.Errorf("--output %q is none of %s", o.to.Output, strings.Join(deliver.Encodings, ", "))
	case o.to.Check && o.to.OutputDir == "":
		return errors.New("--check compares the manifests with those of --output-dir: give that, too; --apply --dry-run compares with the cluster")
	case o.changed["output"] && (o.to.Apply || o.to.OutputDir != ""):
		return errors.New("--output is for printing the manifests: leave it out with --apply and --output-dir")
	case o.to.Apply && o.to.OutputDir != "":
		return errors.New("--apply and --output-dir do not go together: call it for one, then for the other")
	case !o.to.Apply && (o.to.Prune || o.to.DryRun || o.to.ForceConflicts):
		return errors.New("--prune, --dry-run and --force-conflicts say how to apply: give --apply, too")
	case o.failOn != "" && !o.to.Apply && !o.to.Check:
		return errors.New("--fail-on is about a plan: give --apply or --check, too")
	case o.failOn != "" && !slices.Contains(failOnsOfPlans, o.failOn):
		return fmt.Errorf("--fail-on %q is none of %s", o.failOn, strings.Join(failOnsOfPlans, ", "))
	case o.watch && o.to.DryRun:
		return errors.New("--watch and --dry-run do not go together: a dry run ends")
	case o.to.Prune && o.to.SourceName == "":
		return errors.New("--prune needs --source-name, and the same as when the tasks were applied: it deletes only what came from there")
	case o.to.Resync <= 0:
		return fmt.Errorf("--resync %s is not a time to wait: give one such as 1m", o.to.Resync)
	}
	if err := pysource.CheckSource(o.to.SourceName); err != nil {
		return err
	}
	if image := o.sources.Image; image != "" {
		spec := v1alpha1.MazeTaskSpec{Name: "any", Run: &v1alpha1.Run{Image: image}}
		if found := o.sources.Judge(&spec); len(found) > 0 {
			return fmt.Errorf("--image %q: %s", image, found[0].Message)
		}
	}
	return o.findings.Check()
}

func (o *discoverOptions) run(ctx context.Context, t terminal.Terminal) error {
	if err := o.validate(); err != nil {
		return err
	}
	switch o.failOn {
	case failOnBreaking:
		o.to.FailOn = evolution.Breaking
	case failOnUnknown:
		o.to.FailOn = evolution.Unknown
	}
	o.to.Findings = o.findings
	if o.changed["namespace"] {
		o.to.Namespace = ptr.Deref(o.to.Cluster.Namespace, "")
	}
	if o.watch {
		find := func(ctx context.Context) (*pysource.Found, error) {
			return pysource.FindStable(ctx, o.sources, o.to.Dirs)
		}
		return o.to.Watch(ctx, t, find, func(f *pysource.Found) error {
			chosen, err := o.report(t, f)
			fmt.Fprintln(t.ErrOut, f.Summary(chosen.Count()))
			return err
		})
	}
	bar := terminal.NewProgress(t)
	options := o.sources
	options.Progress = bar.Set
	f, err := pysource.FindStable(ctx, options, o.to.Dirs)
	bar.Finish()
	if err != nil {
		return err
	}
	chosen, found := o.report(t, f)
	if found != nil && !errors.Is(found, report.ErrFindings) {
		return found
	}
	if err := o.to.Deliver(ctx, t, f); err != nil {
		fmt.Fprintln(t.ErrOut, f.Summary(chosen.CountOr("no findings in the files"))) // something else is wrong
		return err
	}
	fmt.Fprintln(t.ErrOut, f.Summary(chosen.Count()))
	return found
}

// report writes the findings beside the manifests, in the formats of all findings. It returns those that are reported, and ErrFindings if
// they are a failure.
func (o *discoverOptions) report(t terminal.Terminal, f *pysource.Found) (report.Chosen, error) {
	chosen := o.findings.Choose(f.Findings, f.Ignores)
	err := report.Write(t.Beside(), &o.findings, chosen, pysource.Text)
	if note := f.WhyNothing(); note != "" {
		t.Say("note:", note)
	}
	return chosen, err
}
