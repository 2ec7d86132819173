package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"time"
)

// mazectlRun is one run of mazectl.
type mazectlRun struct {
	command string
	elapsed time.Duration
	// peakMemory is in MiB.
	peakMemory float64
	output     []byte
}

// runMazectl runs mazectl to its end. That there are findings is no error.
func runMazectl(ctx context.Context, binary string, arguments ...string) (mazectlRun, error) {
	const findings = 1
	run := mazectlRun{command: binary + " " + strings.Join(arguments, " ")}
	var stdout, stderr bytes.Buffer
	command := exec.CommandContext(ctx, binary, arguments...)
	command.Stdout, command.Stderr = &stdout, &stderr
	begin := time.Now()
	if err := command.Start(); err != nil {
		return run, fmt.Errorf("start %s: %w", binary, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	// A child's rusage would count the memory of this process too, from before it became the child's.
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			run.peakMemory = max(run.peakMemory, peakMemoryOf(command.Process.Pid))
			continue
		case err := <-ended:
			run.elapsed, run.output = time.Since(begin), stdout.Bytes()
			if err != nil && command.ProcessState.ExitCode() != findings {
				return run, fmt.Errorf("%s: %w\n%s", run.command, err, stderr.String())
			}
		}
		return run, nil
	}
}

// decode reads what the run printed as JSON.
func (r *mazectlRun) decode(into any) error {
	if err := json.Unmarshal(r.output, into); err != nil {
		return fmt.Errorf("read what %s printed: %w", r.command, err)
	}
	return nil
}
