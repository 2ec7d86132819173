package dag

import (
	"fmt"
	"slices"
	"strings"

	"github.com/maze-agent/maregister/internal/finding"
	"github.com/maze-agent/maregister/internal/jsontree"
)

// checkOrder finds what can never start: nodes that wait for each other in a circle, and what waits for those.
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

// reportStuck tells of each circle once, with a shortest way round, and of each node that waits for one.
func (c *checker) reportStuck(next [][]int, stuck []bool) {
	places := map[[2]int]*jsontree.Node{} // where an edge from one node to another is written
	for _, e := range slices.Backward(c.graph.Edges) {
		places[[2]int{e.From, e.To}] = e.at
	}
	circle := make([]int, len(stuck)) // the circle that a node is in, counted from 1
	for number, members := range circles(next, stuck) {
		start := slices.Min(members)
		for _, i := range members {
			circle[i] = number + 1
		}
		way := wayRound(next, circle, start)
		c.report(finding.Cycle, c.graph.Nodes[start].at, c.graph.Nodes[start], "the node waits for itself: %s; remove one of the references or edges", c.way(way))
		c.relateWay(way, places)
	}
	cause := make([]int, len(stuck)) // the node that keeps a node from starting
	var queue []int
	for i := range stuck {
		if circle[i] > 0 {
			queue = append(queue, i)
		}
	}
	for ; len(queue) > 0; queue = queue[1:] {
		for _, to := range next[queue[0]] {
			if stuck[to] && circle[to] == 0 && cause[to] == 0 {
				cause[to] = queue[0] + 1
				queue = append(queue, to)
			}
		}
	}
	for i, n := range c.graph.Nodes {
		if cause[i] > 0 {
			c.report(finding.UnreachableNode, n.at, n, "the node can never start: it waits for node %s, which %s", quote(c.graph.Nodes[cause[i]-1].ID),
				map[bool]string{true: "waits for itself", false: "can never start"}[circle[cause[i]-1] > 0])
		}
	}
}

// maxSteps is how many nodes of a circle are told.
const maxSteps = 12

// relateWay adds to a finding where each node of a circle waits for the one before. places has where edges are written.
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

// wayRound is a shortest way from a node through its circle and back to it, by breadth-first search.
func wayRound(next [][]int, circle []int, start int) []int {
	before := map[int]int{}
	for queue := []int{start}; len(queue) > 0; queue = queue[1:] {
		for _, to := range next[queue[0]] {
			if to == start {
				way := []int{queue[0]}
				for way[len(way)-1] != start {
					way = append(way, before[way[len(way)-1]])
				}
				slices.Reverse(way)
				return way
			}
			if _, seen := before[to]; !seen && circle[to] == circle[start] {
				before[to] = queue[0]
				queue = append(queue, to)
			}
		}
	}
	return []int{start} // cannot be: in a circle there is a way back
}

// circles gives the strongly connected components in which nodes wait for each other or themselves, by Tarjan's algorithm
// without recursion: hostile workflows are deep.
func circles(next [][]int, stuck []bool) [][]int {
	t := tarjan{next: next, stuck: stuck, index: make([]int, len(next)), low: make([]int, len(next)), onStack: make([]bool, len(next))}
	for i := range next {
		if stuck[i] && t.index[i] == 0 {
			t.visit(i)
		}
	}
	slices.SortFunc(t.found, func(a, b []int) int { return slices.Min(a) - slices.Min(b) })
	return t.found
}

type tarjan struct {
	next       [][]int
	stuck      []bool
	index, low []int
	onStack    []bool
	stack      []int
	counter    int
	found      [][]int
}

// frame is a node that is being visited, and how many of its successors were.
type frame struct{ node, done int }

func (t *tarjan) visit(start int) {
	frames := []frame{t.enter(start)}
	for len(frames) > 0 {
		f := &frames[len(frames)-1]
		if f.done < len(t.next[f.node]) {
			to := t.next[f.node][f.done]
			f.done++
			switch {
			case !t.stuck[to]:
			case t.index[to] == 0:
				frames = append(frames, t.enter(to))
			case t.onStack[to]:
				t.low[f.node] = min(t.low[f.node], t.index[to])
			}
			continue
		}
		done := f.node
		frames = frames[:len(frames)-1]
		if len(frames) > 0 {
			above := frames[len(frames)-1].node
			t.low[above] = min(t.low[above], t.low[done])
		}
		if t.low[done] == t.index[done] {
			t.leave(done)
		}
	}
}

func (t *tarjan) enter(node int) frame {
	t.counter++
	t.index[node], t.low[node] = t.counter, t.counter
	t.stack, t.onStack[node] = append(t.stack, node), true
	return frame{node: node}
}

// leave takes a whole component off the stack.
func (t *tarjan) leave(root int) {
	at := len(t.stack) - 1
	for t.stack[at] != root {
		at--
	}
	component := slices.Clone(t.stack[at:])
	t.stack = t.stack[:at]
	for _, i := range component {
		t.onStack[i] = false
	}
	if len(component) > 1 || slices.Contains(t.next[root], root) {
		t.found = append(t.found, component)
	}
}
