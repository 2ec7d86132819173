package main

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
)

// reporter tells people how far the nodes are: a line for each change, and no other.
type reporter struct {
	out io.Writer
	now func() time.Time
	// width is that of the longest id.
	width int
	// told is what was told last of each node, by id, and of what went wrong, by "".
	told map[string]string
}

func newReporter(out io.Writer, now func() time.Time, w *workflow) *reporter {
	r := &reporter{out: out, now: now, told: map[string]string{}}
	for _, n := range w.nodes {
		r.width = max(r.width, len(n.ID))
	}
	return r
}

// tell tells what is new of the nodes.
func (r *reporter) tell(all []progress) {
	for _, p := range all {
		r.line(p.node.ID, p.text)
	}
}

// fault tells of an error, unless it was told last; nil says that all is well again.
func (r *reporter) fault(err error) {
	if err == nil {
		delete(r.told, "")
		return
	}
	r.line("", err.Error())
}

func (r *reporter) line(id, text string) {
	if r.told[id] == text {
		return
	}
	r.told[id] = text
	fmt.Fprintf(r.out, "%s  %-*s  %s\n", r.now().Format(time.TimeOnly), r.width, id, printable(text))
}

// printable has no characters that would control a terminal, nor line breaks: some of the text is other people's.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, text)
}

// summary says in a line what became of the nodes: "3 nodes: 2 succeeded, 1 failed".
func summary(all []progress) string {
	counts := map[phase]int{}
	for _, p := range all {
		counts[p.phase]++
	}
	var parts []string
	for _, ph := range []phase{succeeded, failed, cancelled, running, pending, starting, waiting} {
		if counts[ph] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[ph], ph))
		}
	}
	nodes := "nodes"
	if len(all) == 1 {
		nodes = "node"
	}
	return fmt.Sprintf("%d %s: %s", len(all), nodes, strings.Join(parts, ", "))
}
