// Command mazectl works with MazeTasks where the operator does not: in a terminal and in CI. As kubectl-maze in the PATH it is
// "kubectl maze".
package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"strings"
	"syscall"

	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/cli-runtime/pkg/genericiooptions"
)

// What mazectl exits with. Scripts rely on it.
const (
	exitFine     = 0
	exitFindings = 1
	exitFailed   = 2
)

// errFindings says that everything was done, and something was found that a user has to look at.
var errFindings = errors.New("there are findings")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[0], os.Args[1:], newTerminal(genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr}))
	stop()
	os.Exit(code)
}

// run does what the arguments say and returns what to exit with. program is how it was called.
func run(ctx context.Context, program string, args []string, t terminal) int {
	root := newRootCommand(program, t) //nolint:contextcheck // cobra hands the context to the commands
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil:
		return exitFine
	case errors.Is(err, errFindings):
		return exitFindings
	}
	all := []error{err}
	if aggregate, ok := errors.AsType[utilerrors.Aggregate](err); ok {
		all = aggregate.Errors()
	}
	for _, err := range all {
		t.say("error:", strings.TrimPrefix(err.Error(), "error ")) // as some of cli-runtime's begin
	}
	return exitFailed
}
