package faults

import (
	"fmt"
	"os"
	"os/exec"
	"sync"
	"syscall"
	"time"
)

// restartDelay is how long it takes until a process that ended is started again.
const restartDelay = 100 * time.Millisecond

// slot is where a manager process runs, as in a Pod: when the process ends, the next one is started, with the same name and UID.
type slot struct {
	name   string
	binary string
	args   func() []string
	env    []string
	log    *os.File
	// started is told of every process before it runs.
	started func(incarnation int)

	mu          sync.Mutex
	command     *exec.Cmd
	ended       chan struct{} // closed when the process that runs has ended
	incarnation int
	up          bool
}

// start starts the process, which from now on is started again when it ends.
func (s *slot) start() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.up = true
	return s.spawnLocked()
}

func (s *slot) spawnLocked() error {
	s.incarnation++
	s.started(s.incarnation)
	command := exec.Command(s.binary, s.args()...)
	command.Env = s.env
	command.Stdout, command.Stderr = s.log, s.log
	command.SysProcAttr = childAttributes()
	fmt.Fprintf(s.log, "--- %s%d starts at %s\n", s.name, s.incarnation, time.Now().Format(time.StampMilli))
	if err := command.Start(); err != nil {
		return fmt.Errorf("start the manager: %w", err)
	}
	ended := make(chan struct{})
	s.command, s.ended = command, ended
	go s.await(command, ended)
	return nil
}

// await starts the process again when it has ended.
func (s *slot) await(command *exec.Cmd, ended chan struct{}) {
	_ = command.Wait() // how it ended does not matter
	close(ended)
	time.AfterFunc(restartDelay, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.up && s.command == command {
			if err := s.spawnLocked(); err != nil {
				fmt.Fprintln(s.log, err)
			}
		}
	})
}

// signal sends a signal to the process of an incarnation; 0 stands for whichever runs.
func (s *slot) signal(incarnation int, signal syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.command != nil && (incarnation == 0 || incarnation == s.incarnation) {
		_ = s.command.Process.Signal(signal) // it may have ended
	}
}

// stop ends the process for good, or until start is called. It waits until the process has ended.
func (s *slot) stop(signal syscall.Signal) {
	s.mu.Lock()
	s.up = false
	ended, command := s.ended, s.command
	s.mu.Unlock()
	if command == nil {
		return
	}
	_ = command.Process.Signal(signal) // it may have ended
	select {
	case <-ended:
	case <-time.After(20 * time.Second):
		_ = command.Process.Kill() // it may have ended
		<-ended
	}
}

// restart ends the process and starts the next one.
func (s *slot) restart(signal syscall.Signal) error {
	s.stop(signal)
	return s.start()
}
