package registry

import (
	"crypto/sha256"
	"slices"
	"strings"
)

// Tree distributes entries over as few shards as splitting the too large ones in halves gives: a trie over the bits of the SHA-256 of
// their names. See isOne for which are too large. It is immutable. With returns another tree that shares all shards that stay the same, so
// that a change costs what the shard costs that holds it, and not what the registry does. Which tree it is depends on the entries alone.
type Tree struct {
	capacity int
	root     *branch
	// shards are those of all branches, sorted by prefix.
	shards []*Shard
}

// branch holds the entries whose names' bits share a prefix.
type branch struct {
	// size is the size of the entries in a ConfigMap's data, in bytes. tasks is their number.
	size, tasks int
	// shard holds all entries where they fit into one. Otherwise halves holds those whose next bit is 0 and 1; nil for none.
	shard  *Shard
	halves [2]*branch
}

// NewTree returns the tree without entries, for shards of a size in bytes.
func NewTree(shardSize int) *Tree {
	return newTree(Capacity(shardSize), leaf(nil, ""), 0)
}

// edit puts an entry in place of the one of its name, or removes that where item is nil.
type edit struct {
	hash [sha256.Size]byte
	name string
	item *Item
}

// bit returns bit n of the name's hash.
func (e *edit) bit(n int) byte { return e.hash[n/8] >> (7 - n%8) & 1 }

// newTree returns the tree of a branch that has about as many shards as it had before.
func newTree(capacity int, root *branch, before int) *Tree {
	t := &Tree{capacity: capacity, root: root, shards: make([]*Shard, 0, before+1)}
	root.walk(func(shard *Shard) { t.shards = append(t.shards, shard) })
	return t
}

// With returns the tree in which each named entry is the given one, and is gone where that is nil. Every entry must fit.
func (t *Tree) With(edits map[string]*Item) *Tree {
	sorted := make([]edit, 0, len(edits))
	for name, item := range edits {
		sorted = append(sorted, edit{sha256.Sum256([]byte(name)), name, item})
	}
	slices.SortFunc(sorted, func(a, b edit) int { return slices.Compare(a.hash[:], b.hash[:]) })
	root := t.with(t.root, sorted, "")
	switch root {
	case t.root:
		return t
	case nil:
		root = leaf(nil, "")
	}
	return newTree(t.capacity, root, len(t.shards))
}

// with applies edits, sorted by hash, to the entries of a prefix. It returns nil for no entries, and the same branch for no change.
func (t *Tree) with(b *branch, edits []edit, prefix string) *branch {
	switch {
	case len(edits) == 0:
		return b
	case b == nil:
		return t.build(edits, prefix)
	case b.shard != nil:
		return t.withShard(b, edits, prefix)
	}
	next := &branch{}
	for bit, part := range halve(edits, len(prefix)) {
		next.halves[bit] = t.with(b.halves[bit], part, prefix+string('0'+rune(bit)))
	}
	if next.halves == b.halves {
		return b
	}
	return t.joined(next, prefix)
}

// withShard applies edits to a branch that is one shard.
func (t *Tree) withShard(b *branch, edits []edit, prefix string) *branch {
	items := make(map[string]*Item, len(b.shard.Items)+len(edits))
	for i := range b.shard.Items {
		items[b.shard.Items[i].Name] = &b.shard.Items[i]
	}
	changed := false
	for i := range edits {
		e := &edits[i]
		last := items[e.name]
		changed = changed || (last == nil) != (e.item == nil) || last != nil && last.Digest != e.item.Digest
		items[e.name] = e.item
	}
	if !changed {
		return b
	}
	all, size := make([]Item, 0, len(items)), 0
	for _, item := range items {
		if item != nil {
			all = append(all, *item)
			size += item.Size()
		}
	}
	switch {
	case len(all) == 0:
		return nil
	case t.isOne(len(all), size, prefix):
		return leaf(all, prefix)
	}
	whole := make([]edit, len(all))
	for i := range all {
		whole[i] = edit{sha256.Sum256([]byte(all[i].Name)), all[i].Name, &all[i]}
	}
	slices.SortFunc(whole, func(a, b edit) int { return slices.Compare(a.hash[:], b.hash[:]) })
	return t.build(whole, prefix)
}

// build returns the branch of new entries. Removals among them do nothing.
func (t *Tree) build(edits []edit, prefix string) *branch {
	tasks, size := 0, 0
	for i := range edits {
		if edits[i].item != nil {
			tasks++
			size += edits[i].item.Size()
		}
	}
	switch {
	case tasks == 0:
		return nil
	case t.isOne(tasks, size, prefix):
		items := make([]Item, 0, tasks)
		for i := range edits {
			if edits[i].item != nil {
				items = append(items, *edits[i].item)
			}
		}
		return leaf(items, prefix)
	}
	next := &branch{}
	for bit, part := range halve(edits, len(prefix)) {
		next.halves[bit] = t.with(nil, part, prefix+string('0'+rune(bit)))
	}
	return t.joined(next, prefix)
}

// joined counts what the halves of a branch hold, and makes them one shard where it has room for both.
func (t *Tree) joined(b *branch, prefix string) *branch {
	for _, half := range b.halves {
		if half != nil {
			b.size += half.size
			b.tasks += half.tasks
		}
	}
	switch {
	case b.tasks == 0:
		return nil
	case !t.isOne(b.tasks, b.size, prefix):
		return b
	}
	items := make([]Item, 0, b.tasks)
	b.walk(func(shard *Shard) { items = append(items, shard.Items...) })
	return leaf(items, prefix)
}

// isOne reports whether entries of a prefix go into one shard. The only shard of a registry may be as large as a ConfigMap is to be, so that
// small registries can be mounted. Of several, each is at most half as large: a change writes a whole shard.
func (t *Tree) isOne(tasks, size int, prefix string) bool {
	return size <= t.capacity/2 || size <= t.capacity && (prefix == "" || tasks == 1)
}

// halve parts edits, sorted by hash, at a bit that they do not share.
func halve(edits []edit, bit int) [2][]edit {
	middle, _ := slices.BinarySearchFunc(edits, byte(1), func(e edit, want byte) int { return int(e.bit(bit)) - int(want) })
	return [2][]edit{edits[:middle], edits[middle:]}
}

// leaf returns the branch of entries that fit into one shard. It sorts them.
func leaf(items []Item, prefix string) *branch {
	b := &branch{tasks: len(items)}
	for i := range items {
		b.size += items[i].Size()
	}
	slices.SortFunc(items, func(a, b Item) int { return strings.Compare(a.Name, b.Name) })
	b.shard = newShard(items, prefix)
	return b
}

func (b *branch) walk(visit func(*Shard)) {
	switch {
	case b == nil:
	case b.shard != nil:
		visit(b.shard)
	default:
		b.halves[0].walk(visit)
		b.halves[1].walk(visit)
	}
}

// Tasks returns the number of entries.
func (t *Tree) Tasks() int { return t.root.tasks }

// Size returns what the entries take of ConfigMaps' data, keys included, in bytes.
func (t *Tree) Size() int { return t.root.size }

// Shards returns the shards, sorted by prefix: at least one, as a registry without entries is an empty one. Nobody may change them.
func (t *Tree) Shards() []*Shard { return t.shards }

// HasShard reports whether one of the shards has the ConfigMap's name.
func (t *Tree) HasShard(name string) bool {
	b := t.root
	for bits := shardPrefix(name); b != nil && b.shard == nil && bits != ""; bits = bits[1:] {
		b = b.halves[bits[0]-'0']
	}
	return b != nil && b.shard != nil && b.shard.Name == name
}

// Get returns the entry of a name, nil if there is none. Nobody may change it.
func (t *Tree) Get(name string) *Item {
	shard := t.ShardOf(name)
	if shard == nil {
		return nil
	}
	i, found := slices.BinarySearchFunc(shard.Items, name, func(item Item, name string) int { return strings.Compare(item.Name, name) })
	if !found {
		return nil
	}
	return &shard.Items[i]
}

// ShardOf returns the shard that has, or would have, the entry of a name. Nil if there is none: then the entry would need a new one.
func (t *Tree) ShardOf(name string) *Shard {
	e := edit{hash: sha256.Sum256([]byte(name))}
	b := t.root
	for depth := 0; b != nil && b.shard == nil; depth++ {
		b = b.halves[e.bit(depth)]
	}
	if b == nil {
		return nil
	}
	return b.shard
}

// Diff calls visit for each name whose entry differs between two trees. Shards that they share cost nothing.
func Diff(before, after *Tree, visit func(name string)) { diff(before.root, after.root, visit) }

// diff visits each name under which two branches have other entries, or only one of them has one. It does not look into what they share.
func diff(a, b *branch, visit func(name string)) {
	switch {
	case a == b:
		return
	case a != nil && b != nil && a.shard == nil && b.shard == nil:
		diff(a.halves[0], b.halves[0], visit)
		diff(a.halves[1], b.halves[1], visit)
		return
	}
	digests := map[string]string{}
	a.walk(func(shard *Shard) {
		for i := range shard.Items {
			digests[shard.Items[i].Name] = shard.Items[i].Digest
		}
	})
	b.walk(func(shard *Shard) {
		for i := range shard.Items {
			name := shard.Items[i].Name
			if last, known := digests[name]; !known || last != shard.Items[i].Digest {
				visit(name)
			}
			delete(digests, name)
		}
	})
	for name := range digests {
		visit(name)
	}
}
