// Package report writes findings, whichever command found them, in each of the formats.
package report

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/finding"
)

// ErrFindings is that everything was done, and something was found that a user has to look at.
var ErrFindings = errors.New("there are findings")

// Options say how findings are written.
type Options struct {
	Format string
	// File is where they are written to. Empty for the standard output.
	File string
	// ExitZero is for findings that are no failure.
	ExitZero bool
}

// format writes findings. source returns the text of a file, or nil if it cannot be had.
type format func(w io.Writer, t terminal.Terminal, findings []finding.Finding, source func(name string) []byte) error

// formats are the values of --output-format, in the order that help has them in.
var formats = []struct {
	name  string
	write format
}{
	{"full", writeFull},
	{"concise", writeConcise},
	{"json", writeFindingsJSON},
	{"github", writeGitHub},
	{"junit", writeJUnit},
	{"sarif", writeSARIF},
}

// Formats returns the values of --output-format, in the order that help has them in.
func Formats() []string {
	names := make([]string, len(formats))
	for i, format := range formats {
		names[i] = format.name
	}
	return names
}

// Check refuses options that make no sense, before anything is done.
func (o *Options) Check() error {
	if !slices.Contains(Formats(), o.Format) {
		return fmt.Errorf("--output-format %q is none of %s", o.Format, strings.Join(Formats(), ", "))
	}
	return nil
}

// Write writes findings as the options say, to the standard output or a file. source returns the text of a file that a
// finding is in, or nil if it cannot be had. It returns ErrFindings if there are any, unless the options say otherwise.
func Write(t terminal.Terminal, o Options, findings []finding.Finding, source func(name string) []byte) error {
	at := slices.IndexFunc(formats, func(format struct {
		name  string
		write format
	}) bool {
		return format.name == o.Format
	})
	if at < 0 {
		return o.Check()
	}
	if o.File != "" {
		t.Color, t.Width = false, terminal.PipeWidth
	}
	var out bytes.Buffer
	if err := formats[at].write(&out, t, findings, source); err != nil {
		return fmt.Errorf("write the findings: %w", err)
	}
	if err := t.Output(o.File, out.Bytes()); err != nil {
		return err
	}
	if len(findings) > 0 && !o.ExitZero {
		return ErrFindings
	}
	return nil
}

// Count returns how many there are of which severity, for a summary.
func Count(findings []finding.Finding) string {
	n := map[finding.Severity]int{}
	for _, f := range findings {
		n[f.Severity]++
	}
	switch errs, warnings := n[finding.SeverityError], n[finding.SeverityWarning]; {
	case len(findings) == 0:
		return "nothing is wrong"
	case warnings == 0:
		return terminal.Plural(errs, "error")
	case errs == 0:
		return terminal.Plural(warnings, "warning")
	default:
		return terminal.Plural(errs, "error") + ", " + terminal.Plural(warnings, "warning")
	}
}

// IsError reports whether a finding is an error, and no warning.
func IsError(f finding.Finding) bool { return f.Severity == finding.SeverityError }
