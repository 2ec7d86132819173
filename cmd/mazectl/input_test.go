package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
)

// TestInterrupted: whoever presses Ctrl-C while a pipe is read that never ends need not do so twice.
func TestInterrupted(t *testing.T) {
	inRoot(t)
	pipe := filepath.Join(t.TempDir(), "pipe.json")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	cases := map[string][]string{
		"dag check, standard input": {"dag", "check", "-", dagTasks},
		"dag check, pipe":           {"dag", "check", pipe, dagTasks},
		"dag check, tasks":          {"dag", "check", meeting, "--tasks", pipe},
		"dag check, registry":       {"dag", "check", meeting, "--registry", pipe},
		"dag check, registry piped": {"dag", "check", meeting, "--registry=-"},
		"dag check, nodes":          {"dag", "check", meeting, dagTasks, "--placeable", "--nodes", pipe},
		"dag check, config":         {"dag", "check", meeting, dagTasks, "--placeable", t4Node, "--config", pipe},
		"dag draw, standard input":  {"dag", "draw", "-"},
		"lint, standard input":      {"lint", "-"},
		"place, standard input":     {"place", "-", t4Node},
		"place, nodes":              {"place", "examples/dag/tasks", "--nodes=-"},
	}
	for name, args := range cases {
		t.Run(name, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			stdin, never := io.Pipe()
			t.Cleanup(func() { _ = never.Close() })
			streams, _, out, errOut := genericiooptions.NewTestIOStreams()
			streams.In = stdin
			code := make(chan int, 1)
			go func() { code <- run(ctx, "mazectl", args, terminal.New(streams)) }()
			if strings.Contains(strings.Join(args, " "), filepath.Dir(pipe)) {
				open(t, pipe)
			} else if _, err := never.Write([]byte("{")); err != nil { // ends when it is being read
				t.Fatal(err)
			}
			cancel()
			select {
			case got := <-code:
				if got != exitFailed || !strings.HasPrefix(errOut.String(), "error: ") || out.Len() > 0 {
					t.Errorf("exit code %d:\n%s%s", got, out, errOut)
				}
			case <-time.After(time.Minute):
				t.Fatal("it goes on reading")
			}
		})
	}
}

// open opens a pipe to write into it, which ends when it is being read.
func open(t *testing.T, pipe string) {
	t.Helper()
	file, err := os.OpenFile(pipe, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = file.Close() })
}
