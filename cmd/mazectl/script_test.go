package main

import (
	"context"
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
)

var update = flag.Bool("update", false, "write what commands print into testdata/script instead of comparing it")

// What a script sets in its environment to have mazectl see a terminal: a script has none.
const (
	envColor = "TERMINAL_COLOR" // yes
	envWidth = "TERMINAL_WIDTH" // in columns
)

// TestMain lets scripts run mazectl, and run it as kubectl does, as programs of their own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"mazectl": program, "kubectl-maze": program, "kubectl-maze.exe": program, "kubectl_complete-maze": program,
	})
}

// program is main, with the terminal that the environment describes.
func program() {
	t := terminal.New(genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr})
	width, _ := strconv.Atoi(os.Getenv(envWidth)) // 0 if it is not set
	t = t.Look(os.Getenv(envColor) != "", width)
	name, err := os.Executable() // os.Args[0] has lost its folder
	if err != nil {
		panic(err)
	}
	os.Exit(run(context.Background(), name, os.Args[1:], t)) //nolint:revive // it is the main function of another program
}

// TestScripts runs the scripts in testdata/script, one a behaviour. See DEVELOPMENT.md.
func TestScripts(t *testing.T) {
	repository, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		UpdateScripts:       *update,
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Setenv("KUBECONFIG", os.DevNull)
			env.Setenv("PACKAGE", filepath.Join(repository, "python", "src"))
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){"exits": exits, "input": input},
	})
}

// exits runs a program that has to exit with a code: exits CODE PROGRAM [ARG...]. What it prints is compared as after exec.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM [ARG...]")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	code := 0
	err = ts.Exec(args[1], args[2:]...)
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if code != want {
		ts.Fatalf("exit code %d, want %d", code, want)
	}
}

// input copies files and folders into the folder of the script, under the same name: input NAME... A name is that of something
// in testdata, or begins with examples/ and is that of the repository.
func input(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: input NAME...")
	}
	for _, name := range args {
		from := filepath.Join("testdata", name)
		if strings.HasPrefix(name, "examples/") {
			from = filepath.Join("..", "..", name)
		}
		to := ts.MkAbs(name)
		info, err := os.Stat(from)
		ts.Check(err)
		if info.IsDir() {
			ts.Check(os.CopyFS(to, os.DirFS(from)))
			continue
		}
		content, err := os.ReadFile(from)
		ts.Check(err)
		ts.Check(os.MkdirAll(filepath.Dir(to), 0o755))
		ts.Check(os.WriteFile(to, content, 0o644))
	}
}
