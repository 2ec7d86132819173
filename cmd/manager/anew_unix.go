//go:build unix

package main

import (
	"context"
	"fmt"
	"os/signal"
	"syscall"
)

func replaceProcess(ctx context.Context, program string, arguments, environment []string) error {
	// From here on a signal ends this process at once: nobody would read it any more, and the next program does not know of it.
	signal.Reset()
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err := syscall.Exec(program, arguments, environment); err != nil {
		return fmt.Errorf("start %s anew: %w", program, err)
	}
	return nil
}
