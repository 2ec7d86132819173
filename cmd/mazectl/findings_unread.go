package main

import (
	"path/filepath"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/finding"
)

// notRead is why a file or a folder could not be read. It is an error, and a finding besides: whoever only sees the report, as in CI,
// would take it for a good one.
type notRead struct {
	file string
	error
}

// unread returns why a file or a folder could not be read.
func unread(file string, err error) notRead { return notRead{file, err} }

// Unwrap returns what kept it from being read.
func (n notRead) Unwrap() error { return n.error }

func (n notRead) finding() finding.Finding {
	file := filepath.ToSlash(n.file)
	if file == terminal.StdinArgument {
		file = terminal.StdinName
	}
	return finding.New(finding.Unreadable, file, finding.Position{}, "", "%s", terminal.Plain(terminal.Cause(n.error).Error()))
}

// errorsOf returns the errors of files that could not be read.
func errorsOf(all []notRead) []error {
	errs := make([]error, len(all))
	for i, one := range all {
		errs[i] = one
	}
	return errs
}

// findingsOf returns the findings of files that could not be read.
func findingsOf(all []notRead) []finding.Finding {
	findings := make([]finding.Finding, len(all))
	for i, one := range all {
		findings[i] = one.finding()
	}
	return findings
}
