package main

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/place"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/report"
)

// addFindingFlags gives a command the flags of findings.
func addFindingFlags(c *cobra.Command, o *report.Options) {
	flags := c.Flags()
	flags.StringVar(&o.Format, "output-format", report.Formats()[0], "`FORMAT` of the findings: "+strings.Join(report.Formats(), ", "))
	flags.StringVar(&o.File, "output-file", "", "`FILE` to write the findings to, instead of the standard output")
	flags.BoolVar(&o.ExitZero, "exit-zero", false, "exit with 0 although there are findings")
	if err := c.RegisterFlagCompletionFunc("output-format", cobra.FixedCompletions(report.Formats(), cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // there is no such flag
	}
}

// addNodeFlags gives a command the flags of the nodes to judge by.
func addNodeFlags(c *cobra.Command, o *place.NodeOptions) {
	flags := c.Flags()
	flags.StringVar(&o.Nodes, "nodes", place.ClusterNodes, "`FILE` of the nodes to judge by, as made by: kubectl get nodes -o yaml; or cluster")
	flags.StringVar(&o.Config, "config", "", "`FILE` with the operator's configuration; its defaults without one")
}
