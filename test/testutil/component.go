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

// Component is a process of the control plane that is a client of the API server.
type Component struct {
	command *exec.Cmd
	folder  string
	log     bytes.Buffer
}

// StartScheduler starts a kube-scheduler. The caller stops it.
func StartScheduler(plane *ControlPlane) (*Component, error) {
	return startComponent(plane, "kube-scheduler")
}

// StartControllerManager starts a kube-controller-manager that leaves nodes alone, which no kubelet keeps alive. The caller stops it.
func StartControllerManager(plane *ControlPlane) (*Component, error) {
	return startComponent(plane, "kube-controller-manager", "--controllers=*,-node-lifecycle-controller")
}

func startComponent(plane *ControlPlane, name string, args ...string) (*Component, error) {
	kubeconfig, err := plane.Kubeconfig()
	if err != nil {
		return nil, err
	}
	folder, err := os.MkdirTemp("", name+"-")
	if err != nil {
		return nil, err
	}
	c := &Component{folder: folder}
	path := filepath.Join(folder, "kubeconfig")
	if err := os.WriteFile(path, kubeconfig, 0o600); err != nil {
		return nil, errors.Join(err, os.RemoveAll(folder))
	}
	c.command = exec.Command(filepath.Join(os.Getenv(assetsVariable), name), append(args,
		"--kubeconfig", path, "--leader-elect=false", "--secure-port=0", "--kube-api-qps=1000", "--kube-api-burst=1000")...)
	c.command.Stdout, c.command.Stderr = &c.log, &c.log
	if err := c.command.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", name, err), os.RemoveAll(folder))
	}
	return c, nil
}

// Stop ends the process and removes its files.
func (c *Component) Stop() error {
	err := c.command.Process.Signal(syscall.SIGTERM)
	var ended *exec.ExitError
	if waiting := c.command.Wait(); waiting != nil && !errors.As(waiting, &ended) {
		err = errors.Join(err, waiting)
	}
	return errors.Join(err, os.RemoveAll(c.folder))
}
