// Command mazectl works with MazeTasks where the operator does not: in a terminal and in CI. As kubectl-maze in the PATH it is
// "kubectl maze".
package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/report"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
)

// What mazectl exits with. Scripts rely on it.
const (
	exitFine     = 0
	exitFindings = 1
	exitFailed   = 2
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // so that a second signal ends what does not heed the first
	code := run(ctx, os.Args[0], os.Args[1:], terminal.New(genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr}))
	stop()
	os.Exit(code)
}

// completes reports whether kubectl asks, by the name that it calls the program by, for completions of "kubectl maze", and how it calls the
// plugin itself. https://kubernetes.io/docs/tasks/extend-kubectl/kubectl-plugins/
func completes(program string) (plugin string, ok bool) {
	folder, file := filepath.Split(program)
	name, ok := strings.CutPrefix(file, "kubectl_complete-")
	return folder + kubectlPrefix + name, ok
}

// run does what the arguments say and returns what to exit with. program is how it was called.
func run(ctx context.Context, program string, args []string, t terminal.Terminal) int {
	if completed, ok := completes(program); ok {
		program, args = completed, append([]string{cobra.ShellCompRequestCmd}, args...)
	}
	root := newRootCommand(program, t) //nolint:contextcheck // cobra hands the context to the commands
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return exitFine
	case errors.Is(err, report.ErrFindings):
		return exitFindings
	case errors.Is(err, report.ErrUnread):
		return exitFailed
	}
	if code, ok := errors.AsType[exitCode](err); ok {
		return int(code)
	}
	all := []error{err}
	if aggregate, ok := errors.AsType[utilerrors.Aggregate](err); ok {
		all = aggregate.Errors()
	}
	for _, err := range all {
		t.Say("error:", strings.TrimPrefix(err.Error(), "error ")) // as some of cli-runtime's begin
	}
	return exitFailed
}
