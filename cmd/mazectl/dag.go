package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/dag"
	"github.com/maze-agent/maregister/internal/dag/mazecode"
)

func newDAGCommand(program string, t terminal.Terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "dag",
		Short: "Check workflows against the tasks that there are, compile them for Maze, and draw them",
		Long: `Work with workflows: DAGs whose nodes run tasks, in JSON or YAML. They are written as {"nodes": [{"id", "func", "args"}]}, with
"edges": [{"source", "target"}] or without, in Maze's own format, maze.workflow/v1, or as Maze's Workbench saves and exports them.`,
		Args: unknownCommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newDAGCheckCommand(program, t), newDAGCompileCommand(program, t), newDAGDrawCommand(program, t))
	return c
}

// workflowExtensions are those of files with workflows.
var workflowExtensions = []string{"json", "yaml", "yml"}

func readCode() dag.CodeReader { return new(mazecode.Reader) }

// addTargetFlag adds the flag that says what is to run a workflow.
func addTargetFlag(c *cobra.Command, options *dag.Options) {
	*options = dag.Options{Target: dag.TargetAuto, ReadCode: readCode}
	c.Flags().Var((*targetValue)(&options.Target), "target", "what is to run the workflow, `NAME`: "+targetNames()+
		"; what Maze refuses or cannot run is reported for maze, and with auto for workflows whose schema is Maze's")
	if err := c.RegisterFlagCompletionFunc("target", cobra.FixedCompletions(strings.Split(targetNames(), ", "), cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // there is no such flag
	}
}

func targetNames() string {
	var names []string
	for _, t := range dag.Targets {
		names = append(names, string(t))
	}
	return strings.Join(names, ", ")
}

// targetValue is a dag.Target as the value of a flag.
type targetValue dag.Target

// String implements pflag.Value.
func (v *targetValue) String() string { return string(*v) }

// Type implements pflag.Value.
func (*targetValue) Type() string { return "string" }

// Set implements pflag.Value.
func (v *targetValue) Set(name string) error {
	if !slices.Contains(dag.Targets, dag.Target(name)) {
		return fmt.Errorf("it is none of %s", targetNames())
	}
	*v = targetValue(name)
	return nil
}
