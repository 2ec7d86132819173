package runtask

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
)

// Local says how a task is run in a Python of this machine.
type Local struct {
	// Python is the interpreter.
	Python string
	// Task is a task's name, or an entry point.
	Task string
	// Registry is a file or a folder that the executor reads. Empty for the content of Entries, and for none if that is nil, too.
	Registry string
	Entries  []byte
	// Path is a folder in which packages are looked for, besides where Python looks. Empty for none.
	Path      string
	Arguments []byte
}

// patience is how long the executor has to end once it was told to: its grace, and some more.
const patience = 15 * time.Second

// Run runs the task. What the task prints goes to the standard error.
func (l *Local) Run(ctx context.Context, t terminal.Terminal) (Outcome, error) {
	folder, err := os.MkdirTemp("", "mazectl-run-")
	if err != nil {
		return Outcome{}, err
	}
	defer func() { _ = os.RemoveAll(folder) }() // it is temporary
	environment, err := l.environment(folder)
	if err != nil {
		return Outcome{}, err
	}
	command := exec.CommandContext(ctx, l.Python, "-m", "maregister", "run", l.Task)
	command.Env = append(os.Environ(), environment...)
	command.Stdin, command.Stdout, command.Stderr = t.In, t.ErrOut, t.ErrOut
	command.Cancel = func() error { return command.Process.Signal(syscall.SIGTERM) }
	command.WaitDelay = patience
	err = command.Run()
	exit, isExit := errors.AsType[*exec.ExitError](err)
	if err != nil && !isExit {
		return Outcome{}, fmt.Errorf("start Python: %w; name another one with --python", err)
	}
	content, readErr := os.ReadFile(filepath.Join(folder, resultFile))
	switch {
	case isExit && readErr != nil && exit.ExitCode() == 1:
		return Outcome{}, fmt.Errorf("%s has no package maregister: pip install it, or put python/src of a clone into PYTHONPATH", l.Python)
	case isExit:
		return Outcome{Code: max(exit.ExitCode(), 1)}, nil
	case readErr != nil:
		return Outcome{}, readErr
	}
	var result struct{ Outputs json.RawMessage }
	if err := json.Unmarshal(content, &result); err != nil {
		return Outcome{}, fmt.Errorf("read the result: %w", err)
	}
	return Outcome{Outputs: result.Outputs}, nil
}

const resultFile = "result.json"

// environment returns the variables of the executor's contract.
func (l *Local) environment(folder string) ([]string, error) {
	registry := l.Registry
	if l.Entries != nil {
		registry = filepath.Join(folder, "registry.json")
		if err := os.WriteFile(registry, l.Entries, 0o600); err != nil {
			return nil, err
		}
	}
	arguments := filepath.Join(folder, "arguments.json")
	if err := os.WriteFile(arguments, l.Arguments, 0o600); err != nil {
		return nil, err
	}
	all := []string{
		"MAZE_ARGS=", "MAZE_ARGS_FILE=" + arguments, "MAZE_REFERENCES=literal", "MAZE_RESULT=" + filepath.Join(folder, resultFile), "MAZE_TASK=",
	}
	if registry != "" {
		absolute, err := filepath.Abs(registry)
		if err != nil {
			return nil, err
		}
		all = append(all, "MAZE_REGISTRY="+absolute)
	}
	if l.Path != "" {
		path := strings.TrimSuffix(l.Path+string(os.PathListSeparator)+os.Getenv("PYTHONPATH"), string(os.PathListSeparator))
		all = append(all, "PYTHONPATH="+path)
	}
	return all, nil
}
