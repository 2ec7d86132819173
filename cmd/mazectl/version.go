package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/version"
)

func newVersionCommand(t terminal.Terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of this program",
		Args:  cobra.NoArgs,
		Run: func(c *cobra.Command, _ []string) {
			fmt.Fprintln(t.Out, c.Root().DisplayName(), version.String())
		},
	}
}
