// Package terminal is where mazectl reads and writes, and how what people read looks: its width, its colours, its columns.
package terminal

import (
	"fmt"
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
	t := Terminal{IOStreams: streams, Color: printers.AllowsColorOutput(streams.Out), Width: PipeWidth}
	if file, ok := streams.Out.(*os.File); ok {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil {
			t.Width = min(max(width, MinWidth), maxWidth)
		}
	}
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
func (t Terminal) Say(kind, text string) { fmt.Fprintln(t.ErrOut, kind, printers.EscapeTerminal(text)) }
