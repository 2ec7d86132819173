package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// stopPatience is how long a process may take to end after SIGTERM.
const stopPatience = 20 * time.Second

// process is a child that logs into a file.
type process struct {
	command  *exec.Cmd
	log      string
	stopping atomic.Bool
	exited   chan struct{}
}

// startProcess starts a process. lost is called should it end before it is stopped.
func startProcess(log string, lost func(error), binary string, arguments ...string) (*process, error) {
	file, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	p := &process{command: exec.Command(binary, arguments...), log: log, exited: make(chan struct{})}
	p.command.Stdout, p.command.Stderr = file, file
	p.command.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // a Ctrl-C is for us, who then end the child
	if err := p.command.Start(); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", binary, err), file.Close())
	}
	go func() {
		defer close(p.exited)
		_ = p.command.Wait() // the state says it
		if !p.stopping.Load() {
			lost(fmt.Errorf("%s ended by itself: %s", filepath.Base(binary), p.command.ProcessState))
		}
		_ = file.Close() // the log is only to be read by us
	}()
	return p, nil
}

func (p *process) pid() int { return p.command.Process.Pid }

// stop ends the process. It is an error if it had to be killed.
func (p *process) stop() error {
	p.stopping.Store(true)
	select {
	case <-p.exited:
		return nil
	default:
	}
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop %s: %w", p.command.Path, err)
	}
	select {
	case <-p.exited:
		return nil
	case <-time.After(stopPatience):
		return errors.Join(fmt.Errorf("%s did not end within %s of SIGTERM", p.command.Path, stopPatience), p.command.Process.Kill())
	}
}

// endOfLog returns the last lines that the process logged.
func (p *process) endOfLog() string {
	const lines = 10
	content, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	all := bytes.Split(bytes.TrimSpace(content), []byte("\n"))
	return string(bytes.Join(all[max(0, len(all)-lines):], []byte("\n")))
}

// What follows reads /proc, as described in proc(5). Elsewhere than on Linux it finds nothing, and the figures are left out.

// childrenOf returns the process ids of a process's children, by command name.
func childrenOf(pid int) map[string]int {
	children := map[string]int{}
	paths, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, path := range paths {
		name, fields := statOf(path)
		if len(fields) > 1 && fields[1] == strconv.Itoa(pid) {
			child, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			children[name] = child
		}
	}
	return children
}

// tick is the unit of CPU times: USER_HZ.
const tick = time.Second / 100

// cpuOf returns the CPU time that a process has used, in user and in system mode.
func cpuOf(pid int) time.Duration {
	const userTime, systemTime = 11, 12
	_, fields := statOf(fmt.Sprintf("/proc/%d/stat", pid))
	if len(fields) <= systemTime {
		return 0
	}
	user, _ := strconv.Atoi(fields[userTime])
	system, _ := strconv.Atoi(fields[systemTime])
	return time.Duration(user+system) * tick
}

// cpuOfMachine returns the CPU time that all processes and the kernel have used.
func cpuOfMachine() time.Duration {
	const idle, waiting, afterSoftIRQ = 3, 4, 7
	content, _ := os.ReadFile("/proc/stat")
	line, _, _ := strings.Cut(string(content), "\n")
	fields := strings.Fields(strings.TrimPrefix(line, "cpu "))
	sum := 0
	for i := range min(len(fields), afterSoftIRQ) {
		if i != idle && i != waiting {
			ticks, _ := strconv.Atoi(fields[i])
			sum += ticks
		}
	}
	return time.Duration(sum) * tick
}

// statOf returns a process's command name and the fields after it, the state first.
func statOf(path string) (name string, fields []string) {
	content, err := os.ReadFile(path)
	if err != nil {
		return "", nil
	}
	before, after, _ := strings.Cut(string(content), " (")
	end := strings.LastIndex(after, ") ")
	if before == "" || end < 0 {
		return "", nil
	}
	return after[:end], strings.Fields(after[end+2:])
}

// peakMemoryOf returns a process's largest resident set so far, in MiB.
func peakMemoryOf(pid int) float64 { return memoryOf(pid, "VmHWM:") }

// residentMemoryOf returns a process's resident set, in MiB.
func residentMemoryOf(pid int) float64 { return memoryOf(pid, "VmRSS:") }

func memoryOf(pid int, field string) float64 {
	content, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, after, _ := strings.Cut(string(content), field)
	value, _, _ := strings.Cut(strings.TrimSpace(after), " kB")
	kibibytes, _ := strconv.Atoi(value)
	return float64(kibibytes) / 1024
}
