package main

import (
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// progress is a bar on a terminal, and nothing elsewhere. It may be moved by several goroutines.
type progress struct {
	terminal *os.File // nil if there is none

	mutex sync.Mutex
	bar   *progressbar.ProgressBar
	done  int
}

func newProgress(t terminal) *progress {
	if file, ok := t.ErrOut.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		return &progress{terminal: file}
	}
	return &progress{}
}

// set tells how far it is.
func (p *progress) set(done, total int) {
	if p.terminal == nil {
		return
	}
	p.mutex.Lock()
	defer p.mutex.Unlock()
	if p.bar == nil {
		p.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(p.terminal), progressbar.OptionSetDescription("reading Python files"), progressbar.OptionShowCount(),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish(), progressbar.OptionUseANSICodes(true))
	}
	p.done = max(p.done, done)
	_ = p.bar.Set(p.done) // a bar that cannot be drawn stops nothing
}

// finish removes the bar.
func (p *progress) finish() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
