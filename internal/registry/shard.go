package registry

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// indexReserve is what is kept free in a ConfigMap of entries for an index beside them, in bytes.
const indexReserve = 1 << 10

// nameDigits is how much of its digest a shard's name shows: 40 bits.
const nameDigits = 10

// Shard is a set of entries that go into one ConfigMap.
type Shard struct {
	// Name is the ConfigMap's name.
	Name string
	// Prefix are the leading bits that the SHA-256 of every entry's name has, as text: "011". Empty for the only shard.
	Prefix string
	// Items are the entries, sorted by name.
	Items []Item
	// Digest is ContentDigest of the entries.
	Digest string
}

// Fits says whether an entry can be published with the given size of shards, in bytes.
func Fits(item Item, shardSize int) bool { return item.size() <= Capacity(shardSize) }

// Capacity is how many bytes of entries, keys included, a shard of the given size in bytes holds.
func Capacity(shardSize int) int { return shardSize - indexReserve }

// Split distributes entries over as few shards as splitting the too large ones in halves gives. Every item must fit, and
// no two may have one name. The order of the items does not matter.
func Split(items []Item, shardSize int) []Shard {
	hashed := make([]hashedItem, len(items))
	for i, item := range items {
		hashed[i] = hashedItem{hash: sha256.Sum256([]byte(item.Name)), Item: item}
	}
	slices.SortFunc(hashed, func(a, b hashedItem) int { return slices.Compare(a.hash[:], b.hash[:]) })
	return split(nil, hashed, "", Capacity(shardSize))
}

type hashedItem struct {
	hash [sha256.Size]byte
	Item
}

func (h *hashedItem) bit(n int) byte { return h.hash[n/8] >> (7 - n%8) & 1 }

// split appends the shards of the items, which are sorted by hash and share the prefix.
func split(shards []Shard, items []hashedItem, prefix string, capacity int) []Shard {
	if len(items) == 0 && prefix != "" {
		return shards
	}
	size := 0
	for i := range items {
		size += items[i].size()
	}
	if size <= capacity {
		return append(shards, newShard(items, prefix))
	}
	middle, _ := slices.BinarySearchFunc(items, byte(1), func(h hashedItem, bit byte) int {
		return cmp.Compare(h.bit(len(prefix)), bit)
	})
	shards = split(shards, items[:middle], prefix+"0", capacity)
	return split(shards, items[middle:], prefix+"1", capacity)
}

func newShard(hashed []hashedItem, prefix string) Shard {
	items := make([]Item, len(hashed))
	for i := range hashed {
		items[i] = hashed[i].Item
	}
	slices.SortFunc(items, func(a, b Item) int { return strings.Compare(a.Name, b.Name) })
	shard := Shard{Name: ConfigMapName, Prefix: prefix, Items: items, Digest: itemsDigest(items)}
	if prefix != "" {
		shard.Name = fmt.Sprintf("%s-%s-%s", ConfigMapName, prefix, strings.TrimPrefix(shard.Digest, digestPrefix)[:nameDigits])
	}
	return shard
}

// Data gives the entries as a ConfigMap's data.
func (s Shard) Data() map[string]string {
	data := make(map[string]string, len(s.Items)+1)
	for _, item := range s.Items {
		data[item.Name] = item.Text
	}
	return data
}

// ContentDigest is the digest of the entries in a ConfigMap's data: "sha256:" and the SHA-256 of what sha256sum prints
// for them, one "<hexadecimal digest>  <key>" a line, sorted by key. In a folder where the ConfigMap is mounted, that
// is LC_ALL=C; sha256sum * | sha256sum.
func ContentDigest(data map[string]string) string {
	var lines strings.Builder
	for _, name := range slices.Sorted(maps.Keys(data)) {
		if name != IndexKey {
			sum := sha256.Sum256([]byte(data[name]))
			writeLine(&lines, hex.EncodeToString(sum[:]), name)
		}
	}
	return digest([]byte(lines.String()))
}

func itemsDigest(items []Item) string {
	var lines strings.Builder
	for _, item := range items {
		writeLine(&lines, strings.TrimPrefix(item.Digest, digestPrefix), item.Name)
	}
	return digest([]byte(lines.String()))
}

func writeLine(lines *strings.Builder, digest, name string) {
	lines.WriteString(digest)
	lines.WriteString("  ")
	lines.WriteString(name)
	lines.WriteString("\n")
}
