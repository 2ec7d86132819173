package dag

import "slices"

// maxCycles is how many cycles are told. Of more, the others are counted.
const maxCycles = 100

// cycles returns independent cycles: each is a way round that begins with its first node, and has an edge that no earlier one has.
// A component of n nodes and m edges has m-n+1 of them. One of each component comes first, then the others, component by component;
// of more than most of them, it returns how many are left out.
//
// They are found by an ear decomposition. What is covered begins with a shortest cycle, and grows by one way at a time that leaves
// what is covered and comes back to it. A shortest way within what was covered before makes a cycle of each.
func cycles(next [][]int, components [][]int, most int) (ways [][]int, more int) {
	in := make([]int, len(next)) // the component of a node, counted from 1
	for number, members := range components {
		for _, i := range members {
			in[i] = number + 1
		}
	}
	s := &search{next: next, in: in, before: make([]int, len(next)), reached: make([]int, len(next))}
	var begun []*ears
	for _, members := range components {
		left := s.edges(members) - len(members) + 1
		if more += left; len(ways) < most {
			e := &ears{search: s, covered: map[int]bool{}, closed: map[int][]int{}, left: left}
			ways = append(ways, e.first(slices.Min(members)))
			begun = append(begun, e)
		}
	}
	for _, e := range begun {
		for e.left > 0 && len(ways) < most {
			ways = append(ways, e.another())
		}
	}
	return ways, more - len(ways)
}

// search looks for shortest ways within components, by breadth-first search.
type search struct {
	next [][]int
	in   []int
	// before is the node before one that was reached, and reached the number of the search that did.
	before, reached []int
	number          int
}

// edges returns how many edges there are between the nodes of a component, of several from one node to another only one.
func (s *search) edges(members []int) int {
	count := 0
	for _, from := range members {
		seen := map[int]bool{}
		for _, to := range s.next[from] {
			if s.in[to] == s.in[from] && !seen[to] {
				seen[to] = true
				count++
			}
		}
	}
	return count
}

// way returns a shortest way from a node to one that is a goal, both included, along the edges that next returns. It has one node at
// least; a goal from which it begins counts only when it is come back to.
func (s *search) way(from int, next func(int) []int, isGoal func(int) bool) []int {
	s.number++
	for queue := []int{from}; len(queue) > 0; queue = queue[1:] {
		for _, to := range next(queue[0]) {
			if s.in[to] != s.in[from] {
				continue
			}
			if isGoal(to) {
				way := []int{to, queue[0]}
				for way[len(way)-1] != from {
					way = append(way, s.before[way[len(way)-1]])
				}
				slices.Reverse(way)
				return way
			}
			if s.reached[to] != s.number && to != from {
				s.reached[to], s.before[to] = s.number, queue[0]
				queue = append(queue, to)
			}
		}
	}
	return []int{from} // cannot be: within a component there is a way
}

func (s *search) all(i int) []int { return s.next[i] }

// ears finds the cycles of one component.
type ears struct {
	*search
	// covered are the nodes of the cycles that were found, and closed their edges.
	covered map[int]bool
	closed  map[int][]int
	// order are the covered nodes as they came. The edges of those before at are closed, and those of that one before edge.
	order    []int
	at, edge int
	// left is how many cycles are not found yet.
	left int
}

// first returns a shortest cycle through a node.
func (e *ears) first(start int) []int {
	e.cover([]int{start})
	way := e.way(start, e.all, func(i int) bool { return i == start })
	e.close(way)
	return way[:len(way)-1]
}

// another returns a cycle with an edge that none has yet.
func (e *ears) another() []int {
	from, to := e.open()
	ear := []int{from, to}
	if !e.covered[to] {
		ear = append(ear[:1], e.way(to, e.all, func(i int) bool { return e.covered[i] })...)
	}
	cycle := slices.Clone(ear)
	if last := ear[len(ear)-1]; last != from {
		cycle = append(cycle, e.way(last, func(i int) []int { return e.closed[i] }, func(i int) bool { return i == from })[1:]...)
	}
	cycle = cycle[:len(cycle)-1] // it ends where it begins
	e.close(ear)
	start := slices.Index(cycle, slices.Min(cycle))
	return slices.Concat(cycle[start:], cycle[:start])
}

// open returns an edge that leaves a covered node and is in no cycle yet.
func (e *ears) open() (from, to int) {
	for ; e.at < len(e.order); e.at, e.edge = e.at+1, 0 {
		from := e.order[e.at]
		for ; e.edge < len(e.next[from]); e.edge++ {
			if to := e.next[from][e.edge]; e.in[to] == e.in[from] && !slices.Contains(e.closed[from], to) {
				return from, to
			}
		}
	}
	return e.order[0], e.order[0] // cannot be: there are as many as are left
}

// close notes the edges of a way, and that its nodes are covered.
func (e *ears) close(way []int) {
	for i, to := range way[1:] {
		e.closed[way[i]] = append(e.closed[way[i]], to)
	}
	e.cover(way)
	e.left--
}

func (e *ears) cover(nodes []int) {
	for _, i := range nodes {
		if !e.covered[i] {
			e.covered[i] = true
			e.order = append(e.order, i)
		}
	}
}
