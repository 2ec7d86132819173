package main

import (
	"fmt"
	"strings"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/dag"
)

// edgeCounts counts the nodes and edges of workflows, by what is known of the edges.
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
