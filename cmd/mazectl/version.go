package main

import (
	"fmt"
	"runtime"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/version"
)

const (
	versionText = "text"
	versionJSON = "json"
)

// versionOutputs are the values of -o.
var versionOutputs = []string{versionText, versionJSON}

// versionReport is what "version" prints for programs. Its fields stay; others may be added.
type versionReport struct {
	Version string `json:"version"`
	// Commit is empty where the Go toolchain did not know it.
	Commit    string `json:"commit"`
	GoVersion string `json:"goVersion"`
	Platform  string `json:"platform"`
}

func newVersionCommand(t terminal.Terminal) *cobra.Command {
	var output string
	c := &cobra.Command{
		Use:   "version",
		Short: "Print the version of this program",
		Long: `Print the version of this program, as --version does. -o json prints {version, commit, goVersion, platform}. commit is empty where it
was not known when the program was made.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if !slices.Contains(versionOutputs, output) {
				return fmt.Errorf("--output %q is none of %s", output, strings.Join(versionOutputs, ", "))
			}
			if output == versionJSON {
				build := version.Get()
				return terminal.WriteJSON(t.Out, versionReport{build.Version, build.Revision, build.Go, runtime.GOOS + "/" + runtime.GOARCH})
			}
			fmt.Fprint(t.Out, versionLine(c.Root()))
			return nil
		},
	}
	c.Flags().StringVarP(&output, "output", "o", versionText, "`FORMAT`: "+strings.Join(versionOutputs, ", "))
	complete(c, "output", versionOutputs)
	return c
}

// versionLine is what people read of the version.
func versionLine(root *cobra.Command) string {
	return fmt.Sprintln(root.DisplayName(), version.String())
}
