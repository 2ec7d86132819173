package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"sigs.k8s.io/yaml"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/cluster"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/pysource"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/runtask"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/nearest"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/internal/task"
)

const runHelp = `Run one task, print its outputs as a line of JSON, and exit with the executor's exit code: 0 if it succeeded, 1 if it raised an
exception, and others that docs/run.md has; with 2 if it could not be run. What the task prints goes to the standard error.

TASK is the name of a task of the cluster's registry. It runs as a Job with the task's placement, image, timeout, retries and
variables, whose log is followed. The Job stays for an hour; it is deleted if this command is stopped. --dry-run prints it.

With --local, the task runs in the Python of this machine, which needs the package maregister: no Pod, no placement. It is found in
Python files (--tasks), in a registry (--registry: a folder where one is mounted, or a JSON file), or in the cluster's. TASK may also
be package.module:function, which needs none of them.

--arg NAME=VALUE gives an argument. A VALUE that is JSON is that, such as 3, true or ["a"]; what is none is a text, and so is
what a parameter takes only as a text. --args FILE has a JSON object of arguments; - is the standard input.`

const runExamples = `  # See a function work, without a cluster
  %s run split_text --local --tasks tools --arg text="One sentence. And another."

  # The same as a Pod
  %s run split_text -n vision --arg text="One sentence. And another."
  %s run split_text -n vision --image registry.example.com/tools:v2 --dry-run`

type runCommand struct {
	cluster   *genericclioptions.ConfigFlags
	job       runtask.JobOptions
	local     runtask.Local
	arguments runtask.Arguments
	isLocal   bool
	dryRun    bool
	// tasks are folders and files with Python sources.
	tasks []string
	// args is a file of arguments.
	args         string
	env, envFrom []string
}

func newRunCommand(program string, t terminal.Terminal) *cobra.Command {
	o := &runCommand{cluster: genericclioptions.NewConfigFlags(false)}
	o.cluster.CacheDir = nil // nothing is discovered
	c := &cobra.Command{
		Use:     "run TASK",
		Short:   "Run a task, as a Job or in this Python",
		Long:    runHelp,
		Example: strings.ReplaceAll(runExamples, "%s", program),
		RunE: func(c *cobra.Command, names []string) error {
			if len(names) != 1 {
				return errors.New("name one TASK, such as image_caption")
			}
			o.local.Task = names[0]
			return o.run(c.Context(), t, c.Flags().Changed)
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	flags := c.Flags()
	flags.StringArrayVar(&o.arguments.Named, "arg", nil, "argument `NAME=VALUE`; can be repeated")
	flags.StringVar(&o.args, "args", "", "`FILE` with a JSON object of arguments, or -")
	flags.BoolVar(&o.isLocal, "local", false, "run it in the Python of this machine")
	flags.StringVar(&o.local.Python, "python", "python3", "with --local, the Python `PROGRAM`")
	flags.StringSliceVar(&o.tasks, "tasks", nil, "with --local, `DIR` with Python files that have the task; can be repeated")
	flags.StringVar(&o.local.Registry, "registry", "", "with --local, `PATH` of a mounted registry, or of a JSON file with ConfigMaps or MazeTasks")
	flags.BoolVar(&o.dryRun, "dry-run", false, "print the Job, and create nothing")
	flags.StringVar(&o.job.Image, "image", "", "container `IMAGE`, in place of the task's")
	flags.StringVar(&o.job.Claim, "volume", "", "PersistentVolumeClaim, `CLAIM`, for files")
	flags.StringArrayVar(&o.env, "env", nil, "variable `NAME=VALUE` of the Pod; can be repeated")
	flags.StringArrayVar(&o.envFrom, "env-from", nil, "`secret/NAME` or configmap/NAME, whose keys become variables; can be repeated")
	flags.StringArrayVar(&o.job.PullSecrets, "pull-secret", nil, "Secret, by its `NAME`, by which the image is pulled; can be repeated")
	flags.StringVar(&o.job.ServiceAccount, "service-account", "", "service account, by its `NAME`, for the Pod")
	o.cluster.AddFlags(c.PersistentFlags())
	c.PersistentFlags().Lookup("namespace").Usage = "Namespace of the registry and the Job"
	return c
}

// Flags of one way to run a task.
var (
	onlyLocal = []string{"python", "tasks", "registry"}
	onlyJob   = []string{"dry-run", "image", "volume", "env", "env-from", "pull-secret", "service-account"}
)

// validate refuses flags that do not go together.
func (o *runCommand) validate(changed func(name string) bool) error {
	wrong, advice := onlyLocal, "is for --local: give that, too, or leave it out"
	if o.isLocal {
		wrong, advice = onlyJob, "is for a Job: leave out --local, or it"
	}
	if i := slices.IndexFunc(wrong, changed); i >= 0 {
		return fmt.Errorf("--%s %s", wrong[i], advice)
	}
	if changed("tasks") && changed("registry") {
		return errors.New("--tasks and --registry do not go together: the task comes from one of them")
	}
	if strings.Contains(o.local.Task, ":") && !o.isLocal {
		return fmt.Errorf("%s is an entry point, and a Job is made of a task: give its name, or --local", o.local.Task)
	}
	for _, text := range o.env {
		variable, err := runtask.ParseEnv(text)
		if err != nil {
			return err
		}
		o.job.Env = append(o.job.Env, variable)
	}
	for _, text := range o.envFrom {
		source, err := runtask.ParseEnvFrom(text)
		if err != nil {
			return err
		}
		o.job.EnvFrom = append(o.job.EnvFrom, source)
	}
	return nil
}

func (o *runCommand) run(ctx context.Context, t terminal.Terminal, changed func(name string) bool) error {
	err := o.validate(changed)
	if err == nil {
		err = o.readArguments(t.In)
	}
	if err != nil {
		return err
	}
	var outcome runtask.Outcome
	if o.isLocal {
		outcome, err = o.runLocal(ctx, t)
	} else {
		outcome, err = o.runJob(ctx, t)
	}
	switch {
	case err != nil:
		return err
	case outcome.Code != 0:
		return exitCode(outcome.Code)
	case outcome.Outputs != nil:
		_, err = fmt.Fprintf(t.Out, "%s\n", outcome.Outputs)
	}
	if len(outcome.Omitted) > 0 {
		t.Say("note:", "too large for a termination message: "+strings.Join(outcome.Omitted, ", ")+"; with --volume, result.json there has them")
	}
	return err
}

// readArguments reads the file of arguments.
func (o *runCommand) readArguments(stdin io.Reader) (err error) {
	switch o.args {
	case "":
	case terminal.StdinArgument:
		o.arguments.Object, err = io.ReadAll(stdin)
	default:
		o.arguments.Object, err = os.ReadFile(o.args)
	}
	return err
}

// runLocal runs the task in a Python of this machine.
func (o *runCommand) runLocal(ctx context.Context, t terminal.Terminal) (runtask.Outcome, error) {
	var input json.RawMessage
	var err error
	switch {
	case len(o.tasks) > 0:
		input, err = o.findLocal(ctx)
	case o.local.Registry == "" && !strings.Contains(o.local.Task, ":"):
		var entry *registry.Entry
		if entry, err = o.entry(ctx); err == nil {
			input = entry.Schema.Input
			o.local.Entries, err = json.Marshal(map[string]*registry.Entry{entry.Name: entry})
		}
	}
	if err == nil {
		o.local.Arguments, err = o.arguments.JSON(input)
	}
	if err != nil {
		return runtask.Outcome{}, err
	}
	return o.local.Run(ctx, t)
}

// findLocal finds the task in Python files, and returns the schema of its parameters.
func (o *runCommand) findLocal(ctx context.Context) (json.RawMessage, error) {
	found, err := pysource.FindStable(ctx, pysource.Options{}, o.tasks)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, manifest := range pysource.Manifests(found.Tasks, "", "") {
		spec := &manifest.Object.Spec
		names = append(names, spec.Name)
		if spec.Name != o.local.Task {
			continue
		}
		o.local.Path = found.Root
		if o.local.Entries, err = json.Marshal(manifest.Object); err != nil {
			return nil, err
		}
		verdict := task.Judge(spec)
		if !verdict.Accepted {
			return nil, errors.New(verdict.Message())
		}
		return json.RawMessage(verdict.Input.JSON()), nil
	}
	if strings.Contains(o.local.Task, ":") {
		o.local.Path = found.Root
		return nil, nil
	}
	err = noTask(o.local.Task, strings.Join(o.tasks, ", "), names)
	if found.Refused > 0 {
		err = fmt.Errorf("%w; mazectl lint tells of %s that cannot be a task", err, terminal.Plural(found.Refused, "function"))
	}
	return nil, err
}

// noTask says that there is no task of a name, and which may be meant.
func noTask(name, where string, known []string) error {
	advice := nearest.Question(nearest.Name(name, known))
	if advice == "" && len(known) > 0 {
		const most = 10
		slices.Sort(known)
		advice = "; there are " + strings.Join(known[:min(len(known), most)], ", ")
	}
	return fmt.Errorf("no task is called %q in %s%s", name, where, advice)
}

// entry returns the task's entry of the cluster's registry.
func (o *runCommand) entry(ctx context.Context) (*registry.Entry, error) {
	const advice = cluster.Advice + ", or give --local with --tasks or --registry"
	connection, err := cluster.Connect(o.cluster)
	if err != nil {
		return nil, fmt.Errorf("%w; %s", err, advice)
	}
	o.job.Namespace = connection.Namespace
	entries, err := runtask.Entries(ctx, connection.Config, connection.Namespace)
	if err != nil {
		return nil, fmt.Errorf("%w; %s", err, advice)
	}
	text, ok := entries[o.local.Task]
	if !ok {
		var names []string
		for name := range entries {
			names = append(names, name)
		}
		return nil, noTask(o.local.Task, "the registry of namespace "+connection.Namespace, names)
	}
	entry, err := registry.DecodeEntry(text)
	return &entry, err
}

// runJob runs the task as a Job, or prints that.
func (o *runCommand) runJob(ctx context.Context, t terminal.Terminal) (runtask.Outcome, error) {
	entry, err := o.entry(ctx)
	if err != nil {
		return runtask.Outcome{}, err
	}
	arguments, err := o.arguments.JSON(entry.Schema.Input)
	if err != nil {
		return runtask.Outcome{}, err
	}
	job, err := runtask.NewJob(entry, arguments, &o.job)
	if err != nil {
		return runtask.Outcome{}, err
	}
	if o.dryRun {
		text, err := yaml.Marshal(job)
		if err == nil {
			_, err = t.Out.Write(text)
		}
		return runtask.Outcome{}, err
	}
	connection, err := cluster.Connect(o.cluster)
	if err != nil {
		return runtask.Outcome{}, err
	}
	return runtask.Run(ctx, connection.Config, job, t)
}

// exitCode is an error that says what to exit with, and that everything was said.
type exitCode int

// Error implements error.
func (c exitCode) Error() string { return fmt.Sprintf("exit code %d", int(c)) }
