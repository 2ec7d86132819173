package testutil

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// Scheduler is a kube-scheduler that serves a control plane.
type Scheduler struct {
	command *exec.Cmd
	folder  string
	log     bytes.Buffer
}

// StartScheduler starts a kube-scheduler. The caller stops it.
func StartScheduler(plane *ControlPlane) (*Scheduler, error) {
	kubeconfig, err := plane.Kubeconfig()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", "kube-scheduler-")
	if err != nil {
		return nil, err
	}
	s := &Scheduler{folder: folder}
	path := filepath.Join(folder, "kubeconfig")
	if err := os.WriteFile(path, kubeconfig, 0o600); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	s.command = exec.Command(filepath.Join(os.Getenv(assetsVariable), "kube-scheduler"),
		"--kubeconfig", path, "--leader-elect=false", "--secure-port=0", "--kube-api-qps=1000", "--kube-api-burst=1000")
	s.command.Stdout, s.command.Stderr = &s.log, &s.log
	if err := s.command.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start kube-scheduler: %w", err), os.RemoveAll(folder))
	}
	return s, nil
}

// Stop ends the process and removes its files.
func (s *Scheduler) Stop() error {
	err := s.command.Process.Signal(syscall.SIGTERM)
	var ended *exec.ExitError
	if waiting := s.command.Wait(); waiting != nil && !errors.As(waiting, &ended) {
		err = errors.Join(err, waiting)
	}
	return errors.Join(err, os.RemoveAll(s.folder))
}
