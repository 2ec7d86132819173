package main

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

// errFindings is that everything was done, and something was found that a user has to look at.
var errFindings = errors.New("there are findings")

// findingOptions say how findings are written.
type findingOptions struct {
	format string
	// file is where they are written to. Empty for the standard output.
	file string
	// exitZero is for findings that are no failure.
	exitZero bool
}

// findingFormat writes findings. source returns the text of a file, or nil if it cannot be had.
type findingFormat func(w io.Writer, t terminal.Terminal, findings []finding.Finding, source func(name string) []byte) error

// findingFormats are the values of --output-format, in the order that help has them in.
var findingFormats = []struct {
	name  string
	write findingFormat
}{
	{"full", writeFull},
	{"concise", writeConcise},
	{"json", writeFindingsJSON},
	{"github", writeGitHub},
	{"junit", writeJUnit},
	{"sarif", writeSARIF},
}

// formatNames returns the values of --output-format, in the order that help has them in.
func formatNames() []string {
	names := make([]string, len(findingFormats))
	for i, format := range findingFormats {
		names[i] = format.name
	}
	return names
}

// Check refuses options that make no sense, before anything is done.
func (o *findingOptions) Check() error {
	if !slices.Contains(formatNames(), o.format) {
		return fmt.Errorf("--output-format %q is none of %s", o.format, strings.Join(formatNames(), ", "))
	}
	return nil
}

// writeFindings writes findings as the options say, to the standard output or a file. source returns the text of a file that a
// finding is in, or nil if it cannot be had. It returns errFindings if there are any, unless the options say otherwise.
func writeFindings(t terminal.Terminal, o findingOptions, findings []finding.Finding, source func(name string) []byte) error {
	at := slices.IndexFunc(findingFormats, func(format struct {
		name  string
		write findingFormat
	}) bool {
		return format.name == o.format
	})
	if at < 0 {
		return o.Check()
	}
	if o.file != "" {
		t.Color, t.Width = false, terminal.PipeWidth
	}
	var out bytes.Buffer
	if err := findingFormats[at].write(&out, t, findings, source); err != nil {
		return fmt.Errorf("write the findings: %w", err)
	}
	if err := t.Output(o.file, out.Bytes()); err != nil {
		return err
	}
	if len(findings) > 0 && !o.exitZero {
		return errFindings
	}
	return nil
}

// countFindings returns how many there are of which severity, for a summary.
func countFindings(findings []finding.Finding) string {
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

// isError reports whether a finding is an error, and no warning.
func isError(f finding.Finding) bool { return f.Severity == finding.SeverityError }
