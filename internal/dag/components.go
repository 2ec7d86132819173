package dag

import "slices"

// components returns the strongly connected components in which nodes wait for each other or themselves, by Tarjan's algorithm
// without recursion: hostile workflows are deep.
func components(next [][]int, stuck []bool) [][]int {
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
