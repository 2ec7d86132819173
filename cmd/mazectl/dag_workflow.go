package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/report"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/dag"
)

// workflow is a file to check.
type workflow struct {
	name    string
	content []byte
}

// maxWorkflow is a bit more than package dag reads, with a byte order mark: enough for it to tell that there is more.
const maxWorkflow = 64<<20 + 4

// readWorkflows reads what the arguments name. It goes on after an error.
func readWorkflows(ctx context.Context, stdin io.Reader, args []string) (all []workflow, errs []report.NotRead) {
	var seen []string
	for _, name := range args {
		if slices.Contains(seen, filepath.Clean(name)) {
			continue
		}
		seen = append(seen, filepath.Clean(name))
		read, err := readWorkflow(ctx, stdin, name)
		if err != nil {
			errs = append(errs, report.Unread(name, err))
			continue
		}
		all = append(all, read)
	}
	return all, errs
}

func readWorkflow(ctx context.Context, stdin io.Reader, name string) (workflow, error) {
	return terminal.Until(ctx, func() (workflow, error) { return openWorkflow(stdin, name) })
}

func openWorkflow(stdin io.Reader, name string) (workflow, error) {
	if name == terminal.StdinArgument {
		content, err := io.ReadAll(io.LimitReader(stdin, maxWorkflow))
		return workflow{terminal.StdinName, content}, err
	}
	file, err := os.Open(name)
	if err != nil {
		return workflow{}, err
	}
	if info, err := file.Stat(); err == nil && info.IsDir() {
		return workflow{}, errors.Join(fmt.Errorf("%s is a folder; give files of workflows", name), file.Close())
	}
	content, err := io.ReadAll(io.LimitReader(file, maxWorkflow))
	if err = errors.Join(err, file.Close()); err != nil {
		return workflow{}, fmt.Errorf("read %s: %w", name, err)
	}
	return workflow{filepath.ToSlash(name), content}, nil
}

// edgeCounts says of how many edges what is known.
type edgeCounts struct{ nodes, edges, compatible, unknown, incompatible, order int }

func (c *edgeCounts) add(g *dag.Graph) {
	c.nodes += len(g.Nodes)
	c.edges += len(g.Edges)
	for _, e := range g.Edges {
		switch {
		case e.Output == "" && e.Input == "":
			c.order++
		case e.Fit == dag.FitCompatible:
			c.compatible++
		case e.Fit == dag.FitIncompatible:
			c.incompatible++
		default:
			c.unknown++
		}
	}
}

func (c *edgeCounts) String() string {
	text := terminal.Plural(c.nodes, "node") + ", " + terminal.Plural(c.edges, "edge")
	var parts []string
	for _, part := range []struct {
		n    int
		what string
	}{{c.compatible, "compatible"}, {c.unknown, "unknown"}, {c.incompatible, "incompatible"}, {c.order, "only for the order"}} {
		if part.n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", part.n, part.what))
		}
	}
	if len(parts) == 0 {
		return text
	}
	return text + " (" + strings.Join(parts, ", ") + ")"
}
