package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// A reporter tells a person what is going on.
type reporter struct {
	w io.Writer
	// terminal is true where a status may overwrite the one before it.
	terminal bool
	every    time.Duration
}

func newReporter(f *os.File) *reporter {
	info, err := f.Stat()
	if err == nil && info.Mode()&os.ModeCharDevice != 0 {
		return &reporter{w: f, terminal: true, every: time.Second}
	}
	return &reporter{w: f, every: 15 * time.Second}
}

// clearLine moves a terminal's cursor to the start of the line and empties the line.
const clearLine = "\r\x1b[K"

// line writes a line that stays.
func (r *reporter) line(format string, args ...any) {
	r.clear()
	fmt.Fprintf(r.w, format+"\n", args...)
}

// status writes a line that, on a terminal, the next one replaces.
func (r *reporter) status(format string, args ...any) {
	if r.terminal {
		r.clear()
		fmt.Fprintf(r.w, format, args...)
		return
	}
	r.line(format, args...)
}

// clear takes the last status off a terminal.
func (r *reporter) clear() {
	if r.terminal {
		fmt.Fprint(r.w, clearLine)
	}
}

func elapsed(since time.Time) string {
	return time.Since(since).Round(time.Second).String()
}

// runChild runs a command to its end and reports its status at intervals. When ctx ends, the command and the processes
// that it has started are interrupted.
func (r *reporter) runChild(ctx context.Context, cmd *exec.Cmd, what string, status func() string) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	defer r.clear()
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	started := time.Now()
	ticker := time.NewTicker(r.every)
	defer ticker.Stop()
	interrupted := ctx.Done()
	var kill <-chan time.Time
	for {
		select {
		case err := <-done:
			return err
		case <-ticker.C:
			r.status("%s: %s, %s", what, elapsed(started), status())
		case <-interrupted:
			interrupted = nil
			kill = time.After(5 * time.Second)
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGINT)
		case <-kill:
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		}
	}
}

const tailLines = 20

// A buildLog follows the output of `go list` and `go build -v`: it copies all of it to a file, counts the packages and
// the downloads, and keeps the last of the other lines, which say what went wrong.
type buildLog struct {
	file io.Writer

	mu         sync.Mutex
	partial    []byte
	downloads  int
	total      int
	uncompiled map[string]bool // nil until they are known
	tail       []string
}

// expect tells the log which packages are going to be compiled.
func (l *buildLog) expect(packages []string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.total = len(packages)
	l.uncompiled = make(map[string]bool, len(packages))
	for _, pkg := range packages {
		l.uncompiled[pkg] = true
	}
}

func (l *buildLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.partial = append(l.partial, b...)
	for {
		line, rest, found := bytes.Cut(l.partial, []byte("\n"))
		if !found {
			break
		}
		l.add(string(line))
		l.partial = rest
	}
	return l.file.Write(b)
}

func (l *buildLog) add(line string) {
	switch {
	case strings.HasPrefix(line, "go: downloading "):
		l.downloads++
	case l.uncompiled[line]:
		delete(l.uncompiled, line)
	case strings.TrimSpace(line) != "":
		l.tail = append(l.tail, line)
		l.tail = l.tail[max(0, len(l.tail)-tailLines):]
	}
}

// status returns how far the build is.
func (l *buildLog) status() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.uncompiled == nil:
		return fmt.Sprintf("%d modules downloaded", l.downloads)
	case len(l.uncompiled) == 0:
		return "all packages compiled, linking"
	}
	compiled := l.total - len(l.uncompiled)
	return fmt.Sprintf("%d of %d packages compiled (%d%%)", compiled, l.total, 100*compiled/l.total)
}

// lastLines returns the last lines of the output that are not progress.
func (l *buildLog) lastLines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.partial) > 0 {
		l.add(string(l.partial))
		l.partial = nil
	}
	return l.tail
}
