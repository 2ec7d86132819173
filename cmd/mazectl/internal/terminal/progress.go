package terminal

import (
	"os"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// Progress is a bar on a terminal, and nothing elsewhere. It may be moved by several goroutines.
type Progress struct {
	terminal *os.File // nil if there is none

	mutex sync.Mutex
	bar   *progressbar.ProgressBar
	done  int
}

// NewProgress returns a bar for the standard error, if that is a terminal.
func NewProgress(t Terminal) *Progress {
	if file, ok := t.ErrOut.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		return &Progress{terminal: file}
	}
	return &Progress{}
}

// Set shows how far it is.
func (p *Progress) Set(done, total int) {
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

// Finish removes the bar.
func (p *Progress) Finish() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}
