package dag

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/maze-agent/maregister/internal/finding"
)

// TestCycles: C5, the cycles of a graph are ways round, each has an edge that no earlier one has, there are as many as are independent,
// and of more than are wanted the others are counted.
func TestCycles(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 15))
	for range 3_000 {
		n := 1 + random.IntN(7)
		next := make([][]int, n)
		for range random.IntN(3 * n) {
			from := random.IntN(n)
			next[from] = append(next[from], random.IntN(n)) // an edge may come twice
		}
		all := slices.Repeat([]bool{true}, n)
		groups := components(next, all)
		want := 0
		for _, members := range groups {
			edges := map[[2]int]bool{}
			for _, from := range members {
				for _, to := range next[from] {
					if slices.Contains(members, to) {
						edges[[2]int{from, to}] = true
					}
				}
			}
			want += len(edges) - len(members) + 1
		}
		ways, more := cycles(next, groups, want)
		if len(ways) != want || more != 0 {
			t.Fatalf("%v: got %d cycles %v and %d more, want %d", next, len(ways), ways, more, want)
		}
		checkWays(t, next, ways)
		if want == 0 {
			continue
		}
		most := random.IntN(want)
		few, more := cycles(next, groups, most)
		if len(few) != most || more != want-most {
			t.Fatalf("%v: got %d cycles and %d more, want %d and %d", next, len(few), more, most, want-most)
		}
	}
}

func checkWays(t *testing.T, next [][]int, ways [][]int) {
	t.Helper()
	seen := map[[2]int]bool{}
	for _, way := range ways {
		isNew := false
		for i, from := range way {
			to := way[(i+1)%len(way)]
			if !slices.Contains(next[from], to) {
				t.Fatalf("%v: %v is no way round", next, way)
			}
			isNew = isNew || !seen[[2]int{from, to}]
			seen[[2]int{from, to}] = true
		}
		if !isNew || slices.Min(way) != way[0] || len(slices.Compact(slices.Sorted(slices.Values(way)))) != len(way) {
			t.Fatalf("%v: %v of %v has no edge of its own, does not begin with its first node, or has one twice", next, way, ways)
		}
	}
}

// TestManyCycles: C5, of a hostile graph a hundred cycles are told, and the others are counted.
func TestManyCycles(t *testing.T) {
	const nodes = 150
	all := graphOf(nodes, func(i int) []int {
		var others []int
		for j := range nodes {
			if j != i {
				others = append(others, j)
			}
		}
		return others
	})
	_, findings := Check("w.json", []byte(all), corpusTasks(t), Options{})
	told := 0
	for _, f := range findings {
		if f.Rule == finding.Cycle {
			told++
		}
	}
	const independent = nodes*(nodes-1) - nodes + 1
	want := fmt.Sprintf("in %d more circles", independent-maxCycles)
	if told != maxCycles+1 || !slices.ContainsFunc(findings, func(f finding.Finding) bool { return strings.Contains(f.Message, want) }) {
		t.Errorf("got %d findings of cycles, want %d, one of which says %q", told, maxCycles+1, want)
	}
}
