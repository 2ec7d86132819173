package registry

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/util/validation"
)

var seedFlag = flag.Uint64("seed", 0, "repeats TestSplit with the seed that a failure shows")

// TestSplit checks what is to hold of every split on random sets of entries.
func TestSplit(t *testing.T) {
	seed := *seedFlag
	if seed == 0 {
		seed = uint64(time.Now().UnixNano())
	}
	for round := range uint64(100) {
		random := rand.New(rand.NewPCG(seed, round))
		items, shardSize := randomItems(random)
		t.Run(fmt.Sprintf("%d entries in shards of %d", len(items), shardSize), func(t *testing.T) {
			t.Logf("repeat with -seed=%d; this is round %d", seed, round)
			shards := Split(items, shardSize)
			shuffled := slices.Clone(items)
			random.Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
			if diff := cmp.Diff(shards, Split(shuffled, shardSize)); diff != "" {
				t.Errorf("Split(...) of the same items in another order: -first, +second:\n%s", diff)
			}
			checkUnion(t, items, shards)
			checkPrefixes(t, shards)
			checkNames(t, shards)
			checkSplitNoFurtherThanNeeded(t, items, shards, Capacity(shardSize))
		})
	}
}

// randomItems makes entries of sizes up to the largest that fits, in shards that hold none, one, a few or all of them.
func randomItems(random *rand.Rand) (items []Item, shardSize int) {
	shardSize = []int{1400, 2 << 10, 4 << 10, MinShardSize}[random.IntN(4)]
	largest := []int{300, Capacity(shardSize)}[random.IntN(2)]
	for i := range random.IntN(120) {
		name := fmt.Sprintf("%s%d", strings.Repeat("Task.x_y-", random.IntN(8)), i)
		items = append(items, itemOf(name, len(name)+random.IntN(min(largest, Capacity(shardSize))-len(name)+1)))
	}
	if len(items) > 0 && random.IntN(2) == 0 {
		items[0] = itemOf("full", Capacity(shardSize))
	}
	return items, shardSize
}

func checkUnion(t *testing.T, items []Item, shards []*Shard) {
	t.Helper()
	var got []Item
	for _, shard := range shards {
		if !slices.IsSortedFunc(shard.Items, byName) {
			t.Errorf("shard %s: want its entries sorted by name", shard.Name)
		}
		got = append(got, shard.Items...)
	}
	want := slices.Clone(items)
	slices.SortFunc(want, byName)
	slices.SortFunc(got, byName)
	if diff := cmp.Diff(want, got, cmp.Transformer("empty", func(items []Item) []Item { return append([]Item{}, items...) })); diff != "" {
		t.Errorf("the shards' entries together: -want, +got:\n%s", diff)
	}
}

func byName(a, b Item) int { return strings.Compare(a.Name, b.Name) }

func checkPrefixes(t *testing.T, shards []*Shard) {
	t.Helper()
	for i, shard := range shards {
		for _, item := range shard.Items {
			if bits := bitsOf(item.Name); !strings.HasPrefix(bits, shard.Prefix) {
				t.Errorf("shard %s with prefix %q: %s has the bits %s", shard.Name, shard.Prefix, item.Name, bits[:len(shard.Prefix)])
			}
		}
		if i > 0 && (shards[i-1].Prefix >= shard.Prefix || strings.HasPrefix(shard.Prefix, shards[i-1].Prefix)) {
			t.Errorf("want prefixes sorted and none a part of another, got %q before %q", shards[i-1].Prefix, shard.Prefix)
		}
	}
}

// bitsOf is the SHA-256 of a name, as text.
func bitsOf(name string) string {
	sum := sha256.Sum256([]byte(name))
	return fmt.Sprintf("%0256b", new(big.Int).SetBytes(sum[:]))
}

func checkNames(t *testing.T, shards []*Shard) {
	t.Helper()
	seen := map[string]bool{}
	for _, shard := range shards {
		want := ConfigMapName
		if shard.Prefix != "" {
			want = "maze-registry-" + shard.Prefix + "-" + strings.TrimPrefix(shard.Digest, "sha256:")[:10]
		}
		if shard.Name != want || seen[shard.Name] {
			t.Errorf("shard %q: want the name %s, once, got %s", shard.Prefix, want, shard.Name)
		}
		seen[shard.Name] = true
		if errs := validation.IsDNS1123Subdomain(shard.Name); len(errs) > 0 {
			t.Errorf("shard %s: %v", shard.Name, errs)
		}
		if want := ContentDigest(shard.Data()); shard.Digest != want {
			t.Errorf("shard %s: want the digest of its data, %s, got %s", shard.Name, want, shard.Digest)
		}
	}
}

// checkSplitNoFurtherThanNeeded: every shard fits and is not empty, and nothing was split that would have fit.
func checkSplitNoFurtherThanNeeded(t *testing.T, items []Item, shards []*Shard, capacity int) {
	t.Helper()
	below := sizesBelow(items)
	if total := below[""]; total <= capacity && (len(shards) != 1 || shards[0].Prefix != "") {
		t.Errorf("%d bytes fit into %d: want one shard without a prefix, got %d, the first with %q", total, capacity, len(shards), shards[0].Prefix)
	}
	for _, shard := range shards {
		size := 0
		for _, item := range shard.Items {
			size += len(item.Name) + len(item.Text)
		}
		if size > capacity {
			t.Errorf("shard %s: want at most %d bytes, got %d", shard.Name, capacity, size)
		}
		if shard.Prefix == "" {
			continue
		}
		if size > capacity/2 && len(shard.Items) > 1 {
			t.Errorf("shard %s: want at most %d bytes of several entries in one of several shards, got %d", shard.Name, capacity/2, size)
		}
		if len(shard.Items) == 0 {
			t.Errorf("shard %s is empty", shard.Name)
		}
		parent := shard.Prefix[:len(shard.Prefix)-1]
		if size := below[parent]; size <= capacity/2 {
			t.Errorf("shard %s: the entries below %q have %d bytes and fit into %d", shard.Name, parent, size, capacity/2)
		}
	}
}

// sizesBelow is what the entries whose names' bits have a prefix take of a ConfigMap's data, by prefix of at most 64 bits.
func sizesBelow(items []Item) map[string]int {
	sizes := map[string]int{}
	for _, item := range items {
		bits := bitsOf(item.Name)
		for n := range 65 {
			sizes[bits[:n]] += len(item.Name) + len(item.Text)
		}
	}
	return sizes
}

func TestSplitOfNothing(t *testing.T) {
	want := []*Shard{{Name: ConfigMapName, Digest: sha("")}}
	for name, items := range map[string][]Item{"nil": nil, "empty": {}} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(want, Split(items, DefaultShardSize)); diff != "" {
				t.Errorf("Split(...): -want, +got:\n%s", diff)
			}
		})
	}
}

func TestSplitAtTheCapacity(t *testing.T) {
	// The bits of task-0 … task-5 begin with 01100, 01111, 01111, 00010, 10001 and 11100.
	const shardSize = 2 << 10 // 1024 bytes of entries
	cases := map[string]struct {
		items []Item
		want  []string
	}{
		"All that fits":          {items: itemsOf(4, 256), want: []string{""}},
		"One that fits alone":    {items: itemsOf(1, 1024), want: []string{""}},
		"One byte too many":      {items: append(itemsOf(3, 256), itemOf("task-3", 257)), want: []string{"00", "0110", "0111"}},
		"Halves that are full":   {items: append(itemsOf(3, 170), itemOf("task-4", 515)), want: []string{"0", "1"}},
		"Two that never fit":     {items: []Item{itemOf("task-0", 1024), itemOf("task-5", 1024)}, want: []string{"0", "1"}},
		"Two that part far down": {items: itemsOf(3, 1024)[1:], want: partingPrefixes("task-1", "task-2")},
		"Halves of unlike size":  {items: itemsOf(5, 400), want: append(append([]string{"00", "0110"}, partingPrefixes("task-1", "task-2")...), "1")},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, shard := range Split(tc.items, shardSize) {
				got = append(got, shard.Prefix)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("prefixes: -want, +got:\n%s", diff)
			}
		})
	}
}

// partingPrefixes are the shortest prefixes of two names' bits that differ.
func partingPrefixes(a, b string) []string {
	n := 1
	for bitsOf(a)[:n] == bitsOf(b)[:n] {
		n++
	}
	prefixes := []string{bitsOf(a)[:n], bitsOf(b)[:n]}
	slices.Sort(prefixes)
	return prefixes
}

// TestSplitKeepsOtherShards: an edit renames the one shard that holds the entry.
func TestSplitKeepsOtherShards(t *testing.T) {
	items := itemsOf(100, 100)
	before := Split(items, 4<<10)
	edited := slices.Clone(items)
	edited[7].Text = strings.Repeat("y", len(edited[7].Text))
	edited[7].Digest = sha(edited[7].Text)
	after := Split(edited, 4<<10)
	if len(before) < 3 || len(before) != len(after) {
		t.Fatalf("want the same number of shards, at least 3; got %d and %d", len(before), len(after))
	}
	for i := range before {
		holds := strings.HasPrefix(bitsOf(items[7].Name), before[i].Prefix)
		if got := before[i].Name != after[i].Name; got != holds {
			t.Errorf("shard %s: want another name: %t, got %s", before[i].Name, holds, after[i].Name)
		}
	}
}

func TestFits(t *testing.T) {
	cases := map[string]struct {
		size, shardSize int
		want            bool
	}{
		"Small":             {size: 100, shardSize: MinShardSize, want: true},
		"To the last byte":  {size: 15 << 10, shardSize: MinShardSize, want: true},
		"One byte too many": {size: 15<<10 + 1, shardSize: MinShardSize},
		"In a larger shard": {size: 15<<10 + 1, shardSize: DefaultShardSize, want: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			if got := Fits(itemOf("task", tc.size), tc.shardSize); got != tc.want {
				t.Errorf("Fits(%d bytes, %d): want %t, got %t", tc.size, tc.shardSize, tc.want, got)
			}
		})
	}
}

// TestIndexFitsBesideEntries: a ConfigMap that is full of entries has room for the longest index of one shard.
func TestIndexFitsBesideEntries(t *testing.T) {
	shards := Split(itemsOf(100, Capacity(DefaultShardSize)/100), DefaultShardSize)
	index := NewIndex(shards, Index{Generation: 1<<63 - 2})
	rendered, err := Render("vision", shards, index, nil, "1")
	if err != nil {
		t.Fatalf("Render(...): %v", err)
	}
	size := 0
	for key, value := range rendered.Data {
		size += len(key) + len(value)
	}
	if len(rendered.Data) != 101 || size > DefaultShardSize {
		t.Errorf("want 101 keys of at most %d bytes, got %d of %d", DefaultShardSize, len(rendered.Data), size)
	}
}
