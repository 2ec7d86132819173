package main

import (
	"strings"

	"github.com/spf13/cobra"
)

// addFindingFlags gives a command the flags of findings.
func addFindingFlags(c *cobra.Command, o *findingOptions) {
	flags := c.Flags()
	flags.StringVar(&o.format, "output-format", formatNames()[0], "`FORMAT` of the findings: "+strings.Join(formatNames(), ", "))
	flags.StringVar(&o.file, "output-file", "", "`FILE` to write the findings to, instead of the standard output")
	flags.BoolVar(&o.exitZero, "exit-zero", false, "exit with 0 although there are findings")
	if err := c.RegisterFlagCompletionFunc("output-format", cobra.FixedCompletions(formatNames(), cobra.ShellCompDirectiveNoFileComp)); err != nil {
		panic(err) // there is no such flag
	}
}
