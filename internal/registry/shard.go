package registry

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// indexReserve is the space that is kept free in a ConfigMap of entries for an index beside them, in bytes.
const indexReserve = 1 << 10

// nameDigits is the number of hexadecimal digits of its digest in a shard's name: 40 bits.
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

// Fits reports whether an entry can be published with the given size of shards, in bytes.
func Fits(item Item, shardSize int) bool { return item.Size() <= Capacity(shardSize) }

// Capacity returns the number of bytes of entries, keys included, that a shard of the given size in bytes holds.
func Capacity(shardSize int) int { return shardSize - indexReserve }

// Split returns the shards of some entries: those of their Tree. Every entry must fit, and no two may have one name. The order of the
// entries does not matter.
func Split(items []Item, shardSize int) []*Shard {
	edits := make(map[string]*Item, len(items))
	for i := range items {
		edits[items[i].Name] = &items[i]
	}
	return NewTree(shardSize).With(edits).Shards()
}

// newShard returns the shard of entries that are sorted by name.
func newShard(items []Item, prefix string) *Shard {
	shard := &Shard{Name: ConfigMapName, Prefix: prefix, Items: items, Digest: itemsDigest(items)}
	if prefix != "" {
		shard.Name = fmt.Sprintf("%s-%s-%s", ConfigMapName, prefix, strings.TrimPrefix(shard.Digest, digestPrefix)[:nameDigits])
	}
	return shard
}

// Data returns the entries as a ConfigMap's data.
func (s *Shard) Data() map[string]string {
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
