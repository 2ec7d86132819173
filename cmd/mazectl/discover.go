package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/utils/ptr"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/pysource"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/report"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
)

const discoverHelp = `Find the functions in Python files that are decorated as tasks of Maze, without running or importing them, and make a MazeTask
of each. They are printed, written to a folder, or applied to a cluster.

DIR is a folder with Python files, at any depth, or one such file. Files and folders whose names begin with __ or a dot are left
out. A file that cannot be read or is not Python costs itself a finding, and the others nothing.

Modules are named from the package root: as Python would, from the first folder without an __init__.py, from DIR upwards. Nothing
outside of it is read; symbolic links are followed within it.

--output-dir writes a file for each task and a kustomization.yaml, only what differs, and removes what it wrote for tasks that are
gone. Other files are left alone. --check writes nothing, prints the differences, and exits with 1 if there are any.

--apply shows a plan and makes it so, with server-side apply. First the API server is asked about all of it in a dry run; if it
refuses a part, nothing is applied. A function that only moved within its file is not applied again. --prune deletes the MazeTasks
of this --source-name whose functions are gone. It keeps those in files that are not below a DIR, or that could not be read, and
those whose functions are still there with an error.

--watch goes on with that whenever a file changes, until it is stopped. It is made to run beside git-sync: DIR may be below a symbolic
link that comes to point elsewhere. Whatever fails is told and tried again.

-o task-meta prints one JSON object: task name to what the registry would publish as the original's _task_meta.

It exits with 0 if every function was understood, 1 if there are findings with the severity error (the rest is done all the
same), or if the cluster refused a task, and 2 if it could not do what it was asked to.`

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
	pysource.Options
	cluster *genericclioptions.ConfigFlags
	dirs    []string
	// changed are the flags that the user gave.
	changed map[string]bool

	output, outputDir, sourceName      string
	check, apply, prune, dryRun, watch bool
	allowEmpty, forceConflicts         bool
	resync                             time.Duration
}

func newDiscoverCommand(program string, t terminal.Terminal) *cobra.Command {
	o := discoverOptions{cluster: genericclioptions.NewConfigFlags(false)}
	o.cluster.CacheDir = nil // nothing is discovered
	c := &cobra.Command{
		Use:     "discover DIR...",
		Short:   "Find tasks in Python files, and make MazeTasks of them",
		Long:    discoverHelp,
		Example: strings.ReplaceAll(discoverExamples, "%s", program),
		RunE: func(c *cobra.Command, dirs []string) error {
			o.dirs, o.changed = dirs, map[string]bool{}
			for _, name := range []string{"output", "namespace"} {
				o.changed[name] = c.Flags().Changed(name)
			}
			return o.run(c.Context(), t)
		},
	}
	flags := c.Flags()
	flags.StringVarP(&o.output, "output", "o", encodingYAML, "`FORMAT`: "+strings.Join(encodings, ", "))
	flags.StringVar(&o.outputDir, "output-dir", "", "`FOLDER` to keep a file for each task in")
	flags.BoolVar(&o.check, "check", false, "only tell how --output-dir differs")
	flags.StringVar(&o.PackageRoot, "package-root", "", "`FOLDER` that modules are named from; by default where Python would look for them")
	flags.StringSliceVar(&o.Exclude, "exclude", nil,
		"`PATTERN` of files and folders to leave out, by name (test_*) or by path from the package root (tools/**/demo.py); can be repeated")
	flags.StringVar(&o.sourceName, "source-name", "",
		"`NAME` of what DIR has, for the label "+pysource.LabelSource+"; --prune needs it, to know what came from there before")
	flags.BoolVar(&o.apply, "apply", false, "apply the tasks to the cluster")
	flags.BoolVar(&o.prune, "prune", false, "with --apply, delete the tasks of this --source-name that are gone")
	flags.BoolVar(&o.allowEmpty, "allow-empty", false, "let --prune and --output-dir remove every task that there is")
	flags.BoolVar(&o.dryRun, "dry-run", false, "with --apply, only show the plan")
	flags.BoolVar(&o.forceConflicts, "force-conflicts", false, "with --apply, take over fields that others manage")
	flags.BoolVar(&o.watch, "watch", false, "apply again whenever a file changes; implies --apply")
	flags.DurationVar(&o.resync, "resync", time.Minute, "with --watch, look again after this `TIME` even if nothing seems to have changed")
	flags.BoolVar(&o.ParseAll, "parse-all", false,
		"parse every file, also those without a name of Maze's decorators: finds those that another file renames, and takes longer")
	o.cluster.AddFlags(c.PersistentFlags())
	c.PersistentFlags().Lookup("namespace").Usage = "Namespace of the MazeTasks"
	if err := c.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(encodings, cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // there is no such flag
	}
	return c
}

// validate refuses flags that do not go together.
func (o *discoverOptions) validate() error {
	o.apply = o.apply || o.watch
	switch {
	case len(o.dirs) == 0:
		return errors.New("no DIR: give folders of Python files")
	case !slices.Contains(encodings, o.output):
		return fmt.Errorf("--output %q is none of %s", o.output, strings.Join(encodings, ", "))
	case o.check && o.outputDir == "":
		return errors.New("--check compares the manifests with those of --output-dir: give that, too; --apply --dry-run compares with the cluster")
	case o.changed["output"] && (o.apply || o.outputDir != ""):
		return errors.New("--output is for printing the manifests: leave it out with --apply and --output-dir")
	case o.apply && o.outputDir != "":
		return errors.New("--apply and --output-dir do not go together: call it for one, then for the other")
	case !o.apply && (o.prune || o.dryRun || o.forceConflicts):
		return errors.New("--prune, --dry-run and --force-conflicts say how to apply: give --apply, too")
	case o.watch && o.dryRun:
		return errors.New("--watch and --dry-run do not go together: a dry run ends")
	case o.prune && o.sourceName == "":
		return errors.New("--prune needs --source-name, and the same as when the tasks were applied: it deletes only what came from there")
	case o.resync <= 0:
		return fmt.Errorf("--resync %s is not a time to wait: give one such as 1m", o.resync)
	}
	return pysource.CheckSource(o.sourceName)
}

func (o *discoverOptions) run(ctx context.Context, t terminal.Terminal) error {
	if err := o.validate(); err != nil {
		return err
	}
	if o.watch {
		return o.runWatch(ctx, t)
	}
	bar := terminal.NewProgress(t)
	options := o.Options
	options.Progress = bar.Set
	f, err := pysource.FindStable(ctx, options, o.dirs)
	bar.Finish()
	if err != nil {
		return err
	}
	report.Say(t, f.Findings)
	err = o.deliver(ctx, t, f)
	fmt.Fprintln(t.ErrOut, summaryOf(f))
	if err == nil && slices.ContainsFunc(f.Findings, report.IsError) {
		return report.ErrFindings
	}
	return err
}

// deliver brings the tasks to where the user wants them.
func (o *discoverOptions) deliver(ctx context.Context, t terminal.Terminal, f *pysource.Found) error {
	namespace := ""
	if o.changed["namespace"] {
		namespace = ptr.Deref(o.cluster.Namespace, "")
	}
	switch {
	case o.apply:
		return o.applyOnce(ctx, t, f)
	case o.outputDir != "":
		folder := &manifestFolder{path: o.outputDir, namespace: namespace, source: o.sourceName}
		return o.writeFolder(t, folder, f)
	}
	content, err := encodeManifests(pysource.Manifests(f.Tasks, namespace, o.sourceName), o.output)
	if err != nil {
		return err
	}
	_, err = t.Out.Write(content)
	return err
}

func (o *discoverOptions) writeFolder(t terminal.Terminal, folder *manifestFolder, f *pysource.Found) error {
	changes, total, err := folder.changes(pysource.Manifests(f.Tasks, folder.namespace, folder.source), func(name string, spec v1alpha1.MazeTaskSpec) bool {
		why := whyKeepFile(f, spec)
		if why != "" {
			t.Say("note:", fmt.Sprintf("%s is kept: %s", filepath.Join(o.outputDir, name), why))
		}
		return why != ""
	})
	if err != nil {
		return err
	}
	removed := len(slices.DeleteFunc(slices.Clone(changes), func(c fileChange) bool { return c.after != nil }))
	if err := o.checkEmpty(f, "--output-dir", terminal.Plural(removed, "manifest")+" in "+o.outputDir, removed); err != nil {
		return err
	}
	written := len(changes) - removed
	if !o.check {
		if err := folder.write(changes); err != nil {
			return fmt.Errorf("write --output-dir: %w", err)
		}
		fmt.Fprintf(t.ErrOut, "%s: %d written, %d removed, %d unchanged\n", o.outputDir, written, removed, total-written)
		return nil
	}
	if len(changes) == 0 {
		return nil
	}
	text, err := folder.diff(changes)
	if err != nil {
		return err
	}
	fmt.Fprint(t.Out, t.PaintDiff(text))
	t.Say("note:", fmt.Sprintf("the Python files say something else than %s; the same call without --check corrects that", terminal.Plural(len(changes), "manifest")))
	return report.ErrFindings
}

func summaryOf(f *pysource.Found) string {
	return fmt.Sprintf("%s, %s, %d overwritten, %s",
		terminal.Plural(f.Files, "file"), terminal.Plural(len(f.Tasks), "task"), f.Overwritten, terminal.Plural(len(f.Findings), "finding"))
}
