package main

import (
	"fmt"
	"os"

	"golang.org/x/term"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/cli-runtime/pkg/printers"
)

// terminal is where a command reads and writes, and how what it writes for people should look.
type terminal struct {
	genericiooptions.IOStreams
	color bool
	// width is the longest line for people, in columns.
	width int
}

const (
	// pipeWidth is for what is no terminal, so that a file has the same text wherever it is made.
	pipeWidth = 120
	minWidth  = 60
	maxWidth  = 160
)

// newTerminal looks whether the standard output is a terminal that shows colours, and whether the user wants them (NO_COLOR).
func newTerminal(streams genericiooptions.IOStreams) terminal {
	t := terminal{IOStreams: streams, color: printers.AllowsColorOutput(streams.Out), width: pipeWidth}
	if file, ok := streams.Out.(*os.File); ok {
		if width, _, err := term.GetSize(int(file.Fd())); err == nil {
			t.width = min(max(width, minWidth), maxWidth)
		}
	}
	return t
}

// color is an ANSI escape sequence. Empty for none.
type color string

const (
	red        color = "\x1b[31m"
	green      color = "\x1b[32m"
	yellow     color = "\x1b[33m"
	bold       color = "\x1b[1m"
	colorReset       = "\x1b[0m"
)

// paint returns a text in a colour, if the terminal shows colours.
func (t terminal) paint(c color, text string) string {
	if !t.color || c == "" || text == "" {
		return text
	}
	return string(c) + text + colorReset
}

// say tells a user something besides the result.
func (t terminal) say(kind, text string) { fmt.Fprintln(t.ErrOut, kind, printers.EscapeTerminal(text)) }
