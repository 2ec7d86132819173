package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func newVersionCommand(t terminal) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version of this program",
		Args:  cobra.NoArgs,
		Run: func(c *cobra.Command, _ []string) {
			info, _ := debug.ReadBuildInfo()
			fmt.Fprintln(t.Out, c.Root().DisplayName(), version(info))
		},
	}
}

// version tells what the Go toolchain wrote into the program.
func version(info *debug.BuildInfo) string {
	number, revision := "unknown", ""
	if info != nil {
		number = info.Main.Version
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				revision = ", commit " + setting.Value
			}
		}
	}
	return fmt.Sprintf("%s (%s, %s/%s%s)", number, runtime.Version(), runtime.GOOS, runtime.GOARCH, revision)
}
