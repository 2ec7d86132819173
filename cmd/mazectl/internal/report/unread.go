package report

import (
	"path/filepath"

	utilerrors "k8s.io/apimachinery/pkg/util/errors"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/finding"
)

// NotRead is why a file or a folder could not be read. It is an error, and a finding besides: whoever only sees the report, as in CI,
// would take it for a good one.
type NotRead struct {
	file string
	error
}

// Unread returns why a file or a folder could not be read.
func Unread(file string, err error) NotRead { return NotRead{file, err} }

// Unwrap returns what kept it from being read.
func (n NotRead) Unwrap() error { return n.error }

// Finding returns it as a finding.
func (n NotRead) Finding() finding.Finding {
	file := filepath.ToSlash(n.file)
	if file == terminal.StdinArgument {
		file = terminal.StdinName
	}
	return finding.New(finding.Unreadable, file, finding.Position{}, "", "%s%s",
		terminal.Plain(terminal.Cause(n.error).Error()), terminal.WhatToDo(n.file, n.error))
}

// ErrorsOf returns the errors of files that could not be read.
func ErrorsOf(all []NotRead) []error {
	errs := make([]error, len(all))
	for i, one := range all {
		errs[i] = one
	}
	return errs
}

// Unread returns what to exit with for files that could not be read: nothing if there are none, the errors if people have not seen
// them as findings, and else ErrUnread.
func (o *Options) Unread(all []NotRead) error {
	switch {
	case len(all) == 0:
		return nil
	case o.ForPeople() && o.selection.Has(finding.Unreadable):
		return ErrUnread
	}
	return utilerrors.NewAggregate(ErrorsOf(all))
}

// FindingsOf returns the findings of files that could not be read.
func FindingsOf(all []NotRead) []finding.Finding {
	findings := make([]finding.Finding, len(all))
	for i, one := range all {
		findings[i] = one.Finding()
	}
	return findings
}
