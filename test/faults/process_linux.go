package faults

import "syscall"

// childAttributes has a child end with the harness, should that end without stopping it. A Ctrl-C is for the harness.
func childAttributes() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
