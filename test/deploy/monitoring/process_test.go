package monitoring

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/maze-agent/maregister/test/testutil"
)

// tool builds a program that hack/monitoring/go.mod names, unless it is in Go's cache, and returns its path.
func tool(t testing.TB, name string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "go", "tool", "-n", name)
	command.Dir = filepath.Join(testutil.Root(), "hack", "monitoring")
	command.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	var stderr bytes.Buffer
	command.Stderr = &stderr
	output, err := command.Output()
	if err != nil {
		t.Fatalf("build %s: %v\n%s", name, err, &stderr)
	}
	return strings.TrimSpace(string(output))
}

// buildManager compiles cmd/manager.
func buildManager(t testing.TB) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "manager")
	command := exec.CommandContext(t.Context(), "go", "build", "-o", path, "./cmd/manager")
	command.Dir = testutil.Root()
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("build the manager: %v\n%s", err, output)
	}
	return path
}

// start runs a program until the test ends. Its log is shown if the test fails.
func start(t testing.TB, path string, arguments ...string) *os.Process {
	t.Helper()
	command := exec.CommandContext(context.WithoutCancel(t.Context()), path, arguments...)
	var log bytes.Buffer
	command.Stdout, command.Stderr = &log, &log
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Signal(syscall.SIGTERM) // it may have ended, which its log then tells
		var ended *exec.ExitError
		if err := command.Wait(); err != nil && !errors.As(err, &ended) {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("%s logged:\n%s", filepath.Base(path), log.Bytes())
		}
	})
	return command.Process
}

// freeAddress returns a loopback address on which nobody listens.
func freeAddress(t testing.TB) (host, port string) {
	t.Helper()
	address, err := testutil.FreeAddress()
	if err != nil {
		t.Fatal(err)
	}
	host, port, err = net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return host, port
}

// kubeconfigOf writes a kubeconfig file of a cluster administrator.
func kubeconfigOf(t testing.TB, plane *testutil.ControlPlane) string {
	t.Helper()
	content, err := plane.Kubeconfig()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
