package dag

import (
	"fmt"
	"slices"
	"strings"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/jsontree"
)

// checkOrder finds what can never start: nodes that wait for each other in a cycle, and what waits for those.
func (c *checker) checkOrder() {
	next := make([][]int, len(c.graph.Nodes)) // the nodes that wait for a node
	waits := make([]int, len(c.graph.Nodes))
	for _, e := range c.graph.Edges {
		next[e.From] = append(next[e.From], e.To)
		waits[e.To]++
	}
	var ready []int
	for i, n := range waits {
		if n == 0 {
			ready = append(ready, i)
		}
	}
	for len(ready) > 0 {
		i := ready[len(ready)-1]
		ready = ready[:len(ready)-1]
		for _, to := range next[i] {
			if waits[to]--; waits[to] == 0 {
				ready = append(ready, to)
			}
		}
	}
	stuck := make([]bool, len(waits))
	someAre := false
	for i, n := range waits {
		stuck[i] = n > 0
		someAre = someAre || stuck[i]
	}
	if someAre {
		c.reportStuck(next, stuck)
	}
}

// reportStuck reports each cycle once, and each node that waits for one.
func (c *checker) reportStuck(next [][]int, stuck []bool) {
	places := map[[2]int]*jsontree.Node{} // where an edge from one node to another is written
	for _, e := range slices.Backward(c.graph.Edges) {
		places[[2]int{e.From, e.To}] = e.at
	}
	groups := components(next, stuck)
	waits := make([]bool, len(stuck)) // whether a node waits for itself
	for _, members := range groups {
		for _, i := range members {
			waits[i] = true
		}
	}
	ways, more := cycles(next, groups, maxCycles)
	for _, way := range ways {
		start := c.graph.Nodes[way[0]]
		c.report(finding.Cycle, start.at, start, "the node waits for itself: %s; remove one of the references or edges", c.way(way))
		c.relateWay(way, places)
	}
	if more > 0 {
		c.report(finding.Cycle, c.graph.nodesAt, nil, "nodes wait for each other in %d more circles; correct those that are told first", more)
	}
	cause := make([]int, len(stuck)) // the node that keeps a node from starting
	var queue []int
	for i := range stuck {
		if waits[i] {
			queue = append(queue, i)
		}
	}
	for ; len(queue) > 0; queue = queue[1:] {
		for _, to := range next[queue[0]] {
			if stuck[to] && !waits[to] && cause[to] == 0 {
				cause[to] = queue[0] + 1
				queue = append(queue, to)
			}
		}
	}
	for i, n := range c.graph.Nodes {
		if cause[i] > 0 {
			c.report(finding.UnreachableNode, n.at, n, "the node can never start: it waits for node %s, which %s", quote(c.graph.Nodes[cause[i]-1].ID),
				map[bool]string{true: "waits for itself", false: "can never start"}[waits[cause[i]-1]])
		}
	}
}

// maxSteps is how many nodes of a cycle are told.
const maxSteps = 12

// relateWay adds to a finding where each node of a cycle waits for the one before. places has where edges are written.
func (c *checker) relateWay(way []int, places map[[2]int]*jsontree.Node) {
	for i, to := range way[:min(len(way), maxSteps)] {
		from := way[(i+len(way)-1)%len(way)]
		c.relate(places[[2]int{from, to}], fmt.Sprintf("node %s waits for node %s here", quote(c.graph.Nodes[to].ID), quote(c.graph.Nodes[from].ID)))
	}
}

// way tells of nodes one after the other, the first again at the end.
func (c *checker) way(nodes []int) string {
	const most = maxSteps
	var shown []string
	for i, id := range append(nodes, nodes[0]) {
		if i == most-1 && len(nodes) > most {
			shown = append(shown, fmt.Sprintf("… %d more …", len(nodes)-i))
		}
		if i < most-1 || len(nodes) <= most || i == len(nodes) {
			shown = append(shown, clip(c.graph.Nodes[id].ID))
		}
	}
	return strings.Join(shown, " → ")
}
