package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/nearest"
	"github.com/maze-agent/maregister/internal/version"
)

// usage shows the flags that kubectl has, too, apart: there are many, and whoever knows kubectl knows them.
const usage = `Usage:{{if and .Runnable .HasParent}}
  {{.UseLine}}{{end}}{{if .HasAvailableSubCommands}}
  {{.CommandPath}} COMMAND{{end}}{{if .HasExample}}

Examples:
{{.Example}}{{end}}{{if .HasAvailableSubCommands}}

Commands:{{range .Commands}}{{if .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{.LocalNonPersistentFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailablePersistentFlags}}

Flags for the cluster, as kubectl has them:
{{.PersistentFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableSubCommands}}

"{{.CommandPath}} COMMAND --help" tells more about a command.{{end}}
`

// kubectlPrefix begins the names of kubectl's plugins: kubectl runs kubectl-maze for "kubectl maze".
const kubectlPrefix = "kubectl-"

func newRootCommand(program string, t terminal.Terminal) *cobra.Command {
	name := "mazectl"
	annotations := map[string]string{}
	if plugin, ok := strings.CutPrefix(strings.TrimSuffix(filepath.Base(program), ".exe"), kubectlPrefix); ok {
		name = kubectlPrefix + plugin
		annotations[cobra.CommandDisplayNameAnnotation] = "kubectl " + plugin
	}
	root := &cobra.Command{
		Use:         name,
		Annotations: annotations,
		Short:       "Work with the tasks of the Maze agent framework",
		Long: `Work with the tasks of the Maze agent framework, declared as MazeTasks: before they are in a cluster, and where no operator is.

Results go to standard output, notes and errors to standard error. It exits with 0 if nothing is wrong, or only what is a warning; with 1
if there are errors, or warnings and --strict; and with 2 if it could not do what it was asked to.`,
		SilenceErrors:     true,
		SilenceUsage:      true,
		Version:           version.Get().Version,
		Args:              unknownCommand,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.SetVersionTemplate(versionLine(root))
	root.Flags().Bool("version", false, "print the version of this program")
	root.SetIn(t.In)
	root.SetOut(t.Out)
	root.SetErr(t.ErrOut)
	root.SetUsageTemplate(usage)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		if unknown, ok := errors.AsType[*pflag.NotExistError](err); ok {
			if meant := nearest.Name(unknown.GetSpecifiedName(), flagsOf(c)); meant != "" {
				return fmt.Errorf("%w%s", err, nearest.Question("--"+meant))
			}
		}
		return fmt.Errorf(`%w; see "%s --help"`, err, c.CommandPath())
	})
	program = root.DisplayName()
	root.AddCommand(newDiscoverCommand(program, t), newLintCommand(program, t), newDAGCommand(program, t), newPlaceCommand(program, t),
		newDiffCommand(program, t), newUsesCommand(program, t), newRunCommand(program, t),
		newRuleCommand(program, t), newVersionCommand(t))
	root.InitDefaultCompletionCmd()
	if completion, _, err := root.Find([]string{"completion"}); err == nil {
		completion.Args = cobra.OnlyValidArgs // without it, a shell that there is no completion for is no error
		completion.RunE = func(*cobra.Command, []string) error {
			return errors.New("completion for which shell? bash, zsh, fish or powershell")
		}
	}
	return root
}

// flagsOf returns the names of the flags that a command takes.
func flagsOf(c *cobra.Command) []string {
	var all []string
	c.Flags().VisitAll(func(f *pflag.Flag) { all = append(all, f.Name) })
	return all
}

// unknownCommand refuses what is no command of a group of commands.
func unknownCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var known []string
	for _, command := range c.Commands() {
		known = append(known, command.Name())
	}
	if meant := nearest.Name(args[0], known); meant != "" {
		return fmt.Errorf("unknown command %q for %q%s", args[0], c.CommandPath(), nearest.Question(meant))
	}
	return fmt.Errorf(`unknown command %q for %q; see "%s --help"`, args[0], c.CommandPath(), c.CommandPath())
}
