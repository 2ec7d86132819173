package main

import (
	"context"
	"path/filepath"

	"github.com/maze-agent/maregister/internal/finding"
)

// notRead is why a file or a folder could not be read. It is an error, and a finding besides: whoever only sees the report, as in CI,
// would take it for a good one.
type notRead struct {
	file string
	error
}

func (n notRead) Unwrap() error { return n.error }

func (n notRead) finding() finding.Finding {
	file := filepath.ToSlash(n.file)
	if file == stdinArgument {
		file = stdinName
	}
	return finding.New(finding.Unreadable, file, finding.Position{}, "", "%s", plain(cause(n.error).Error()))
}

// errorsOf gives the errors of files that could not be read.
func errorsOf(all []notRead) []error {
	errs := make([]error, len(all))
	for i, one := range all {
		errs[i] = one
	}
	return errs
}

// findingsOf gives their findings.
func findingsOf(all []notRead) []finding.Finding {
	findings := make([]finding.Finding, len(all))
	for i, one := range all {
		findings[i] = one.finding()
	}
	return findings
}

// until does what may wait for a pipe that never ends, as long as the context does not. What is waited for then is left behind: a
// read of a pipe cannot be called off.
func until[T any](ctx context.Context, do func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	if ctx.Err() != nil {
		return *new(T), context.Cause(ctx)
	}
	done := make(chan result, 1)
	go func() {
		value, err := do()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		return *new(T), context.Cause(ctx)
	}
}
