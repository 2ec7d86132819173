package registry

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTree drives trees through random histories. After each step, a tree is the one that Split makes of the same entries, tells what
// has changed, and shares what has not.
func TestTree(t *testing.T) {
	for seed := range uint64(60) {
		t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 1))
			_, shardSize := randomItems(random)
			tree, model := NewTree(shardSize), map[string]Item{}
			for range 30 {
				edits, after := randomEdits(random, model, Capacity(shardSize))
				next := tree.With(edits)
				checkTree(t, next, after, shardSize)
				checkDiff(t, tree, next, model, after)
				checkSharing(t, tree, next)
				checkTree(t, tree, model, shardSize) // what there was before is as it was
				tree, model = next, after
			}
		})
	}
}

// randomEdits changes one entry, a few or many, to other sizes or to nothing, and some not at all.
func randomEdits(random *rand.Rand, model map[string]Item, capacity int) (map[string]*Item, map[string]Item) {
	edits, after := map[string]*Item{}, maps.Clone(model)
	largest := []int{200, capacity}[random.IntN(2)]
	for range []int{1, 1, 3, 60}[random.IntN(4)] {
		name := fmt.Sprintf("task-%d", random.IntN(120))
		if last, known := model[name]; known && random.IntN(8) == 0 {
			edits[name], after[name] = &last, last
			continue
		}
		if random.IntN(3) == 0 {
			edits[name] = nil
			delete(after, name)
			continue
		}
		item := itemOf(name, len(name)+random.IntN(largest-len(name)+1))
		edits[name], after[name] = &item, item
	}
	return edits, after
}

func checkTree(t *testing.T, tree *Tree, model map[string]Item, shardSize int) {
	t.Helper()
	items := slices.Collect(maps.Values(model))
	if diff := cmp.Diff(Split(items, shardSize), tree.Shards()); diff != "" {
		t.Fatalf("the shards: -from scratch, +step by step:\n%s", diff)
	}
	size := 0
	for _, item := range items {
		size += item.Size()
		if got := tree.Get(item.Name); got == nil || *got != item {
			t.Fatalf("Get(%s): got %v", item.Name, got)
		}
		if shard := tree.ShardOf(item.Name); shard == nil || !slices.Contains(shard.Items, item) {
			t.Fatalf("ShardOf(%s): got %v", item.Name, shard)
		}
	}
	if tree.Tasks() != len(model) || tree.Size() != size {
		t.Fatalf("want %d tasks of %d bytes, got %d of %d", len(model), size, tree.Tasks(), tree.Size())
	}
	if got := tree.Get("nobody"); got != nil {
		t.Fatalf("Get(nobody): got %v", got)
	}
}

func checkDiff(t *testing.T, before, after *Tree, was, is map[string]Item) {
	t.Helper()
	want := map[string]bool{}
	for name, item := range is {
		if last, known := was[name]; !known || last.Digest != item.Digest {
			want[name] = true
		}
	}
	for name := range was {
		if _, known := is[name]; !known {
			want[name] = true
		}
	}
	got := map[string]bool{}
	Diff(before, after, func(name string) { got[name] = true })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("Diff(...): -want, +got:\n%s", diff)
	}
}

// checkSharing reports shards that are made again although nothing in them has changed.
func checkSharing(t *testing.T, before, after *Tree) {
	t.Helper()
	known := map[string]*Shard{}
	for _, shard := range before.Shards() {
		known[shard.Name+shard.Digest] = shard
	}
	for _, shard := range after.Shards() {
		if last := known[shard.Name+shard.Digest]; last != nil && last != shard && len(shard.Items) > 0 {
			t.Fatalf("shard %s was made again", shard.Name)
		}
	}
}

// TestTreeCost counts what one change allocates beside none and beside many entries: the change's shard, and not the registry.
func TestTreeCost(t *testing.T) {
	const shardSize = MinShardSize
	cost := func(n int) float64 {
		tree := NewTree(shardSize).With(editsOf(itemsOf(n, 500)))
		edited := itemOf("task-7", 500)
		edited.Text = strings.Repeat("z", len(edited.Text))
		edited.Digest = sha(edited.Text)
		return testing.AllocsPerRun(20, func() { tree.With(map[string]*Item{"task-7": &edited}) })
	}
	few, many := cost(30), cost(20_000)
	if many > 3*few {
		t.Errorf("one change beside 20,000 entries makes %.0f allocations, beside 30 makes %.0f", many, few)
	}
}

func editsOf(items []Item) map[string]*Item {
	edits := make(map[string]*Item, len(items))
	for i := range items {
		edits[items[i].Name] = &items[i]
	}
	return edits
}
