//go:build !linux

package faults

import "syscall"

// childAttributes keeps a Ctrl-C from a child: it is for the harness, which then ends the child.
func childAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
