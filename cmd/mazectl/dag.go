package main

import (
	"github.com/spf13/cobra"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
)

func newDAGCommand(program string, t terminal.Terminal) *cobra.Command {
	c := &cobra.Command{
		Use:   "dag",
		Short: "Check workflows against the tasks that there are, and draw them",
		Long: `Work with workflows: DAGs whose nodes run tasks, in JSON. They are written as {"nodes": [{"id", "func", "args"}]}, with
"edges": [{"source", "target"}] or without, or in Maze's own format, maze.workflow/v1.`,
		Args: unknownCommand,
		RunE: func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	c.AddCommand(newDAGCheckCommand(program, t), newDAGDrawCommand(program, t))
	return c
}
