// Package terminal is where mazectl reads and writes, and how what people read looks: its width, its colours, its columns.
package terminal

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/cli-runtime/pkg/printers"
)

// Terminal is where a command reads and writes, and how what it writes for people should look.
type Terminal struct {
	genericiooptions.IOStreams
	Color bool
	// Width is the longest line for people, in columns.
	Width int
	// errColor and errWidth are those of the standard error.
	errColor bool
	errWidth int
}

const (
	// PipeWidth is for what is no terminal, so that a file has the same text wherever it is made.
	PipeWidth = 120
	// MinWidth and maxWidth bound the width of a terminal.
	MinWidth = 60
	maxWidth = 160
)

// New looks whether the standard output is a terminal that shows colours, and whether the user wants them (NO_COLOR).
func New(streams genericiooptions.IOStreams) Terminal {
	t := Terminal{IOStreams: streams}
	t.Color, t.Width = look(streams.Out)
	t.errColor, t.errWidth = look(streams.ErrOut)
	return t
}

// look returns whether a stream shows colours, and how wide it is.
func look(stream io.Writer) (color bool, width int) {
	if file, ok := stream.(*os.File); ok {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil {
			return printers.AllowsColorOutput(stream), min(max(width, MinWidth), maxWidth)
		}
	}
	return printers.AllowsColorOutput(stream), PipeWidth
}

// Look returns the terminal with other colours and widths than it was seen to have.
func (t Terminal) Look(color bool, width int) Terminal {
	t.Color, t.errColor = t.Color || color, t.errColor || color
	if width > 0 {
		t.Width, t.errWidth = width, width
	}
	return t
}

// Beside returns the terminal for what is written beside the result: to the standard error.
func (t Terminal) Beside() Terminal {
	t.Out, t.Color, t.Width = t.ErrOut, t.errColor, t.errWidth
	return t
}

// Color is an ANSI escape sequence. Empty for none.
type Color string

// The colours in which mazectl writes.
const (
	Red        Color = "\x1b[31m"
	Green      Color = "\x1b[32m"
	Yellow     Color = "\x1b[33m"
	Bold       Color = "\x1b[1m"
	colorReset       = "\x1b[0m"
)

// Paint returns a text in a colour, if the terminal shows colours.
func (t Terminal) Paint(c Color, text string) string {
	if !t.Color || c == "" || text == "" {
		return text
	}
	return string(c) + text + colorReset
}

// Say tells a user something besides the result.
func (t Terminal) Say(kind, text string) { fmt.Fprintln(t.ErrOut, kind, Visible(text)) }
