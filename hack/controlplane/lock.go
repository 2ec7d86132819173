package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// lock waits until no other process fills the cache. The kernel gives the lock up when its holder dies.
func (p *provisioner) lock(ctx context.Context) (unlock func(), err error) {
	path := filepath.Join(p.dir, ".lock")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, err
	}
	defer p.report.clear()
	started := time.Now()
	var told time.Time
	for {
		// Not the blocking form: that one could not be interrupted.
		err := syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = file.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			_ = file.Close()
			return nil, &os.PathError{Op: "lock", Path: path, Err: err}
		}
		if time.Since(told) >= p.report.every {
			told = time.Now()
			p.report.status("another process is getting the control plane binaries into %s, waiting for it: %s",
				p.dir, elapsed(started))
		}
		select {
		case <-ctx.Done():
			_ = file.Close()
			return nil, errInterrupted
		case <-time.After(200 * time.Millisecond):
		}
	}
}
