package main

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/catalogue"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/report"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/workflows"
	"github.com/maze-agent/maregister/internal/compile"
	"github.com/maze-agent/maregister/internal/dag"
	"github.com/maze-agent/maregister/internal/finding"
)

type dagCompileOptions struct {
	catalogue.Options
	findings report.Options
	compile  compile.Options
}

func newDAGCompileCommand(program string, t terminal.Terminal) *cobra.Command {
	o := dagCompileOptions{}
	c := &cobra.Command{
		Use:   "compile FILE",
		Short: "Make of a workflow what Maze itself runs",
		Long: `Check a workflow, and print it in Maze's own format, maze.workflow/v1, with code for each node: Maze knows no registry, and runs
what a node brings along. The code imports the function of the task by its entry point, so the package with the tasks has to be
installed where Maze's workers run, or to be in a folder of --python-path there. A node that has code already keeps it.

FILE has a workflow in any of the forms that "dag check" reads; it may be - for the standard input. The tasks are those of --tasks,
of --registry, or of the cluster, as for "dag check". The same workflow and tasks give the same bytes.

Findings go to the standard error, or to --output-file. If one is an error, or a warning and --strict, nothing is printed. Besides what
"dag check" tells, that is what Maze would refuse, lose or never schedule of the result; "rule CODE" explains it.

It exits with 0 if the workflow was printed, with 1 if not, and with 2 if something could not be read.`,
		Example: strings.ReplaceAll(`  %s dag compile workflow.json --tasks deploy/tasks > compiled.json

  # Tasks of Python sources, which Maze's workers have in a folder
  %s dag compile workflow.json --tasks tools --python-path /srv/agents

  # With a folder for the files that nodes hand to each other, as Maze submits it
  %s dag compile workflow.json -n vision --workspace /data/runs/7 | jq '{spec: .}' > request.json`, "%s", program),
		RunE: func(c *cobra.Command, files []string) error {
			noteTaskFlags(c, &o.Options)
			return o.run(c.Context(), t, files)
		},
	}
	addOutputFlag(c, &o.findings)
	addFindingFlags(c, &o.findings)
	addTaskFlags(c, &o.Options)
	flags := c.Flags()
	flags.Lookup("output-file").Usage = "`FILE` to write the findings to, instead of the standard error"
	flags.StringArrayVar(&o.compile.PythonPath, "python-path", nil, "`DIR` where Maze's workers find the package with the tasks; can be repeated")
	flags.Int64Var(&o.compile.GPUMemory, "gpu-mem", 0, "`MiB` of GPU memory for tasks of the type gpu that do not say how much they need")
	flags.StringVar(&o.compile.Workspace, "workspace", "", "`DIR` of the run, through which Maze's nodes hand on files")
	c.ValidArgsFunction = cobra.FixedCompletions(workflowExtensions, cobra.ShellCompDirectiveFilterFileExt)
	return c
}

func (o *dagCompileOptions) validate(files []string) error {
	switch {
	case len(files) != 1:
		return errors.New("compile takes one FILE: a workflow in JSON or YAML, or - for the standard input")
	case o.compile.GPUMemory < 0:
		return fmt.Errorf("--gpu-mem %d is negative; give MiB", o.compile.GPUMemory)
	}
	for _, folder := range o.compile.PythonPath {
		if !path.IsAbs(folder) {
			return fmt.Errorf("--python-path %q is not absolute; give a folder as Maze's workers see it", folder)
		}
	}
	if err := o.findings.Check(); err != nil {
		return err
	}
	return o.Validate(files)
}

func (o *dagCompileOptions) run(ctx context.Context, t terminal.Terminal, files []string) error {
	if err := o.validate(files); err != nil {
		return err
	}
	w, err := workflows.ReadFile(ctx, t.In, files[0])
	if err != nil {
		return err
	}
	known, err := o.Read(ctx, t)
	if err != nil {
		return err
	}
	if err := t.RefuseOverwriting(o.findings.File, slices.Concat(files, o.Inputs())); err != nil {
		return err
	}
	graph, found := dag.Check(w.Name, w.Content, known.Tasks(), dag.Options{Target: dag.TargetCompiled, GPUMemory: o.compile.GPUMemory, ReadCode: readCode})
	chosen := o.findings.Choose(found, dag.Ignores(w.Name, w.Content))
	var compiled []byte
	if !o.stops(chosen.Findings) {
		var impossible []finding.Finding // whatever is silenced
		compiled, impossible = compile.Workflow(w.Name, graph, o.compile)
		chosen.Findings = finding.Sort(append(chosen.Findings, impossible...))
	}
	err = report.Write(t.Beside(), &o.findings, chosen, func(string) []byte { return w.Content })
	if err == nil && compiled != nil {
		err = t.Output("", compiled)
	}
	if err == nil || errors.Is(err, report.ErrFindings) {
		counts := edgeCounts{}
		counts.add(graph)
		fmt.Fprintf(t.ErrOut, "%s, against %s: %s\n", &counts, known, chosen.Count())
	}
	return err
}

// stops reports whether a workflow with these findings is not compiled.
func (o *dagCompileOptions) stops(findings []finding.Finding) bool {
	return slices.ContainsFunc(findings, report.IsError) || o.findings.Strict && len(findings) > 0
}
