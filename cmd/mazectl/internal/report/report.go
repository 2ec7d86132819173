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

// ErrUnread is that something could not be read, which was told already.
var ErrUnread = errors.New("something could not be read")

// ErrFindings is that everything was done, and something was found that a user has to look at.
var ErrFindings = errors.New("there are findings")

// Options say which findings are reported, and how.
type Options struct {
	// Format is one of Formats, and Flag what a user gives it by.
	Format, Flag string
	// File is where they are written to. Empty for the standard output.
	File string
	// Select and Ignore are rules as the user gave them. Select is empty for all.
	Select, Ignore []string
	// Strict has warnings be a failure, AnyFails notes, too, and ExitZero has nothing be one.
	Strict, AnyFails, ExitZero bool
	// OfChanges says that the findings are what has changed between two versions. Whole says that all of both was compared, so that it is known
	// which comments about changes silence nothing.
	OfChanges, Whole bool
	// selection is what Select and Ignore stand for. Check sets it.
	selection finding.Selection
}

// format writes findings. source returns the text of a file, or nil if it cannot be had.
type format func(w io.Writer, t terminal.Terminal, findings []finding.Finding, source func(name string) []byte) error

type namedFormat struct {
	name  string
	write format
}

// formats are the values of -o, in the order that help has them in.
var formats = []namedFormat{
	{"full", writeFull},
	{"concise", writeConcise},
	{"json", writeFindingsJSON},
	{"github", writeGitHub},
	{"junit", writeJUnit},
	{"sarif", writeSARIF},
}

// Formats returns the values of -o, in the order that help has them in.
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
		return fmt.Errorf("%s %q is none of %s", o.Flag, o.Format, strings.Join(Formats(), ", "))
	}
	var err error
	if o.selection.Select, err = finding.Prefixes(o.Select); err != nil {
		return fmt.Errorf("--select: %w", err)
	}
	if o.selection.Ignore, err = finding.Prefixes(o.Ignore); err != nil {
		return fmt.Errorf("--ignore: %w", err)
	}
	return nil
}

// Chosen are the findings that are reported, of all that there are.
type Chosen struct {
	Findings []finding.Finding
	// silenced counts those that comments, annotations and metadata silence.
	silenced int
	useless  []finding.Useless
}

// Choose leaves out what is silenced where it is, and then the rules that are not asked for. Of what is left, it joins what has one cause.
func (o *Options) Choose(findings []finding.Finding, ignores []finding.Ignore) Chosen {
	left, useless := finding.Silence(findings, ignores)
	return Chosen{finding.Join(o.selection.Of(left)), len(findings) - len(left), useless}
}

// Count returns how many there are, for a summary.
func (c *Chosen) Count() string { return c.CountOr(nothingWrong) }

// CountOr is Count with another text where there are none, as for a command that fails for something else.
func (c *Chosen) CountOr(none string) string {
	text := none
	if len(c.Findings) > 0 {
		text = Count(c.Findings)
	}
	if c.silenced == 0 {
		return text
	}
	return fmt.Sprintf("%s (%d silenced)", text, c.silenced)
}

// Write writes findings as the options say, to the standard output of a terminal or a file. source returns the text of a file that a
// finding is in, or nil if it cannot be had. It returns ErrFindings if there are errors, or other findings that are a failure by the
// options. What silences nothing is told beside.
func Write(t terminal.Terminal, o *Options, c Chosen, source func(name string) []byte) error {
	at := slices.IndexFunc(formats, func(one namedFormat) bool { return one.name == o.Format })
	if at < 0 {
		return o.Check()
	}
	if o.File != "" {
		t.Color, t.Width = false, terminal.PipeWidth
	}
	var out bytes.Buffer
	if err := formats[at].write(&out, t, c.Findings, source); err != nil {
		return fmt.Errorf("write the findings: %w", err)
	}
	if err := t.Output(o.File, out.Bytes()); err != nil {
		return err
	}
	tellUseless(t, o, c.useless)
	return o.verdict(c.Findings)
}

// verdict returns ErrFindings if findings are a failure.
func (o *Options) verdict(findings []finding.Finding) error {
	fails := func(f finding.Finding) bool {
		return IsError(f) || o.Strict && f.Severity == finding.SeverityWarning || o.AnyFails
	}
	if !o.ExitZero && slices.ContainsFunc(findings, fails) {
		return ErrFindings
	}
	return nil
}

// ForPeople reports whether people see the findings on the terminal, so that nothing of them is told a second time.
func (o *Options) ForPeople() bool {
	return o.File == "" && slices.Contains([]string{"full", "concise"}, o.Format)
}

// nothingWrong is what a summary says where there are no findings.
const nothingWrong = "nothing is wrong"

// Count returns how many there are of which severity, for a summary.
func Count(findings []finding.Finding) string {
	if len(findings) == 0 {
		return nothingWrong
	}
	n := map[finding.Severity]int{}
	for _, f := range findings {
		n[f.Severity]++
	}
	var parts []string
	for _, severity := range []finding.Severity{finding.SeverityError, finding.SeverityWarning, finding.SeverityNote} {
		if n[severity] > 0 {
			parts = append(parts, terminal.Plural(n[severity], string(severity)))
		}
	}
	return strings.Join(parts, ", ")
}

// Paint returns a text in the colour of a severity.
func Paint(t terminal.Terminal, severity finding.Severity, text string) string {
	colors := map[finding.Severity]terminal.Color{finding.SeverityError: terminal.Red, finding.SeverityWarning: terminal.Yellow}
	return t.Paint(colors[severity], text)
}

// IsError reports whether a finding is an error, and no warning or note.
func IsError(f finding.Finding) bool { return f.Severity == finding.SeverityError }
