package dag

import (
	"cmp"
	"slices"
)

// layout says where the parts of a picture are, in layers from top to bottom, as Sugiyama, Tagawa and Toda draw hierarchies: lines that
// go round in a cycle are turned, nodes are put below those that they wait for, in an order with few crossings, and then close to
// the middle of their neighbours. All of it is in integers, so that it is the same on every machine.
//
// Nodes are in the even layers. In the odd ones, each line has a point with the room for its labels, so that these do not overlap.
type layout struct {
	points        []point // those of the nodes first
	routes        []route // of the lines
	width, height int
}

// point is a node, or a place that a line leads through.
type point struct {
	layer int
	// left and right are how much room there has to be beside x. y is the upper end.
	left, right, height int
	x, y                int
	above, below        []int
	at                  int // its place in the layer
}

// route is the way of a line, from top to bottom.
type route struct {
	points []int
	// upwards says that the line leads from the last point to the first.
	upwards bool
}

const (
	layerGap = 22
	pointGap = 18
	// sweeps is how often the order and the places are improved.
	sweeps = 8
)

// arrange makes the layout. nodes have their sizes, rooms are those of the lines' labels.
func arrange(nodes []point, lines []line, rooms []point) *layout {
	l := &layout{points: nodes, routes: make([]route, len(lines))}
	l.turn(lines)
	l.layer(lines)
	l.route(lines, rooms)
	layers := l.layers()
	l.order(layers)
	l.place(layers, len(nodes))
	return l
}

// turn finds the lines that lead back to where one comes from, depth first.
func (l *layout) turn(lines []line) {
	const fresh, entered, left = 0, 1, 2
	n := len(l.points)
	next, waits, state := make([][]int, n), make([]int, n), make([]int, n)
	for i, line := range lines {
		next[line.from] = append(next[line.from], i)
		waits[line.to]++
	}
	starts := make([]int, n)
	for i := range starts {
		starts[i] = i
	}
	slices.SortStableFunc(starts, func(a, b int) int { return cmp.Compare(min(waits[a], 1), min(waits[b], 1)) })
	for _, start := range starts {
		if state[start] != fresh {
			continue
		}
		state[start] = entered
		for frames := []frame{{node: start}}; len(frames) > 0; {
			f := &frames[len(frames)-1]
			if f.done == len(next[f.node]) {
				state[f.node] = left
				frames = frames[:len(frames)-1]
				continue
			}
			i := next[f.node][f.done]
			f.done++
			switch to := lines[i].to; state[to] {
			case entered:
				l.routes[i].upwards = true
			case fresh:
				state[to] = entered
				frames = append(frames, frame{node: to})
			}
		}
	}
}

// ends returns the upper and the lower node of a line.
func (l *layout) ends(lines []line, i int) (upper, lower int) {
	if l.routes[i].upwards {
		return lines[i].to, lines[i].from
	}
	return lines[i].from, lines[i].to
}

// layer puts every node below all that it waits for, and those that wait for nothing as low as can be.
func (l *layout) layer(lines []line) {
	n := len(l.points)
	next, waits := make([][]int, n), make([]int, n)
	for i := range lines {
		if upper, lower := l.ends(lines, i); upper != lower {
			next[upper] = append(next[upper], lower)
			waits[lower]++
		}
	}
	var sorted []int
	for i, count := range waits {
		if count == 0 {
			sorted = append(sorted, i)
		}
	}
	first := len(sorted)
	for done := 0; done < len(sorted); done++ {
		i := sorted[done]
		for _, to := range next[i] {
			l.points[to].layer = max(l.points[to].layer, l.points[i].layer+2)
			if waits[to]--; waits[to] == 0 {
				sorted = append(sorted, to)
			}
		}
	}
	for _, i := range sorted[:first] {
		for at, to := range next[i] {
			if lowest := l.points[to].layer - 2; at == 0 || lowest < l.points[i].layer {
				l.points[i].layer = lowest
			}
		}
	}
}

// route leads the lines through the layers. If that would be too many points, long lines go straight on behind their labels.
func (l *layout) route(lines []line, rooms []point) {
	budget := 4*(len(l.points)+len(lines)) + 10_000
	for i := range lines {
		upper, lower := l.ends(lines, i)
		r := &l.routes[i]
		if upper == lower { // drawn beside its node
			continue
		}
		last := upper
		r.points = []int{upper}
		through := func(p point) {
			p.above = []int{last}
			l.points = append(l.points, p)
			l.points[last].below = append(l.points[last].below, len(l.points)-1)
			last = len(l.points) - 1
			r.points = append(r.points, last)
		}
		room := rooms[i]
		room.layer = l.points[upper].layer + 1
		through(room)
		span := l.points[lower].layer - room.layer - 1
		if budget -= span; budget >= 0 {
			for k := range span {
				through(point{layer: room.layer + 1 + k, left: pointGap / 2, right: pointGap / 2})
			}
		}
		l.points[last].below = append(l.points[last].below, lower)
		l.points[lower].above = append(l.points[lower].above, last)
		r.points = append(r.points, lower)
	}
}

func (l *layout) layers() [][]int {
	var layers [][]int
	for i := range l.points {
		p := &l.points[i]
		for len(layers) <= p.layer {
			layers = append(layers, nil)
		}
		p.at = len(layers[p.layer])
		layers[p.layer] = append(layers[p.layer], i)
	}
	return layers
}

// order sorts each layer by the mean place of the neighbours above, then below, and again.
func (l *layout) order(layers [][]int) {
	key := make([]int, len(l.points))
	for sweep := range sweeps {
		downwards := sweep%2 == 0
		for k := range layers {
			layer := layers[k]
			if !downwards {
				layer = layers[len(layers)-1-k]
			}
			for _, i := range layer {
				neighbours := l.points[i].above
				if !downwards {
					neighbours = l.points[i].below
				}
				key[i] = mean(neighbours, l.points[i].at, func(n int) int { return l.points[n].at })
			}
			slices.SortStableFunc(layer, func(a, b int) int { return cmp.Compare(key[a], key[b]) })
			for at, i := range layer {
				l.points[i].at = at
			}
		}
	}
}

// mean returns the mean of a property, times a thousand; that of the one that asks if there are no neighbours.
func mean(neighbours []int, own int, of func(int) int) int {
	const scale = 1000
	if len(neighbours) == 0 {
		return own * scale
	}
	sum := 0
	for _, n := range neighbours {
		sum += of(n)
	}
	return sum * scale / len(neighbours)
}

// place sets where every point is: as near to the mean of its neighbours as the order and the room allow.
func (l *layout) place(layers [][]int, nodes int) {
	for _, layer := range layers {
		l.spread(layer, func(*point) []int { return nil })
	}
	above := func(p *point) []int { return p.above }
	below := func(p *point) []int { return p.below }
	for range sweeps {
		for _, layer := range layers {
			l.spread(layer, above)
		}
		for _, layer := range slices.Backward(layers) {
			l.spread(layer, below)
		}
	}
	left, y := l.points[0].x-l.points[0].left, 0
	for i := range l.points {
		left = min(left, l.points[i].x-l.points[i].left)
	}
	for _, layer := range layers {
		height := 0
		for _, i := range layer {
			height = max(height, l.points[i].height)
		}
		for _, i := range layer {
			p := &l.points[i]
			p.x, p.y = p.x-left, y
			if i >= nodes { // lines go straight down beside nodes and labels
				p.height = height
			}
			l.width = max(l.width, p.x+p.right)
		}
		y += height + layerGap
	}
	l.height = y - layerGap
}

// block are points that touch each other, and where the first of them would like to be: a sum of so many wishes.
type block struct{ sum, count int }

// spread solves, for a layer, the least squares of the distances to where the points would like to be, under the order and the room
// between them, by pooling those that would overlap.
func (l *layout) spread(layer []int, neighbours func(*point) []int) {
	var blocks []block
	offsets := make([]int, len(layer))
	for at, i := range layer {
		p := &l.points[i]
		if at > 0 {
			before := &l.points[layer[at-1]]
			offsets[at] = offsets[at-1] + before.right + pointGap + p.left
		}
		const scale = 1000
		wish := mean(neighbours(p), p.x, func(n int) int { return l.points[n].x })/scale - offsets[at]
		next := block{wish, 1}
		for len(blocks) > 0 {
			last := blocks[len(blocks)-1]
			if last.sum*next.count < next.sum*last.count {
				break
			}
			next = block{last.sum + next.sum, last.count + next.count}
			blocks = blocks[:len(blocks)-1]
		}
		blocks = append(blocks, next)
	}
	at := 0
	for _, b := range blocks {
		for range b.count {
			l.points[layer[at]].x = floorDivide(b.sum, b.count) + offsets[at]
			at++
		}
	}
}

func floorDivide(a, b int) int {
	if a < 0 {
		return -((-a + b - 1) / b)
	}
	return a / b
}
