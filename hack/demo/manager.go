package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/maze-agent/maregister/test/testutil"
)

// manager is bin/manager as a process.
type manager struct {
	kubeconfig, logPath string

	end   context.CancelCauseFunc
	ended chan struct{}
}

// start starts the manager. The context that it returns ends with the given one, or with the manager.
func (m *manager) start(ctx context.Context) (managed context.Context, err error) {
	log, err := os.Create(m.logPath)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	managed, m.end = context.WithCancelCause(ctx)
	cmd := exec.CommandContext(managed, filepath.Join(testutil.Root(), "bin", "manager"),
		"--kubeconfig", m.kubeconfig,
		"--leader-elect=false", "--metrics-bind-address=0", "--health-probe-bind-address=0",
		"--zap-encoder=console")
	cmd.Stdout, cmd.Stderr = log, log
	// A process group of its own: Ctrl-C in a terminal reaches only us, and we stop things in their order.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 10 * time.Second
	if err := cmd.Start(); err != nil {
		m.end(err)
		return nil, err
	}
	m.ended = make(chan struct{})
	go func() {
		_ = cmd.Wait() // how it ended is in the state
		m.end(fmt.Errorf("the manager ended by itself: %s", cmd.ProcessState))
		close(m.ended)
	}()
	return managed, nil
}

// stop ends the manager, if it was started, and waits for that.
func (m *manager) stop() {
	if m.ended != nil {
		m.end(nil)
		<-m.ended
	}
}

// folder returns the folder of all the demo's files.
func (m *manager) folder() string { return filepath.Dir(m.logPath) }

// logTail returns the last lines of the manager's log.
func (m *manager) logTail() string {
	const most = 20
	content, err := os.ReadFile(m.logPath)
	if err != nil {
		return err.Error()
	}
	lines := strings.Split(strings.TrimSpace(string(content)), "\n")
	return strings.Join(lines[max(0, len(lines)-most):], "\n")
}
