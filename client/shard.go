package client

import (
	"fmt"
	"runtime"
	"sync"
	"weak"

	"github.com/maze-agent/maregister/internal/registry"
)

// shard holds the entries of one ConfigMap. What has the same digest is the same shard, in all readers of a process.
type shard struct {
	digest string
	tasks  int

	parsing sync.Once
	data    map[string]string // until it is parsed
	records []*record
	err     error
}

// shards are those that any reader of this process holds, by digest.
var shards = struct {
	sync.Mutex
	known map[string]weak.Pointer[shard]
}{known: map[string]weak.Pointer[shard]{}}

// shardOf returns the shard of a ConfigMap's data, whose keys are those that the API server lets a ConfigMap have: with others, two
// shards could have one digest.
func shardOf(data map[string]string) *shard {
	digest := registry.ContentDigest(data)
	shards.Lock()
	defer shards.Unlock()
	if known := shards.known[digest].Value(); known != nil {
		return known
	}
	fresh := &shard{digest: digest, tasks: len(data), data: data}
	if _, ok := data[registry.IndexKey]; ok {
		fresh.tasks--
	}
	shards.known[digest] = weak.Make(fresh)
	runtime.AddCleanup(fresh, forget, digest)
	return fresh
}

// forget drops a digest of which nobody holds the shard.
func forget(digest string) {
	shards.Lock()
	defer shards.Unlock()
	if shards.known[digest].Value() == nil {
		delete(shards.known, digest)
	}
}

// parse decodes the entries, in no order. known gives the record of a name that the reader has, or nil: it is kept where the entry is
// the same.
func (s *shard) parse(known func(name string) *record) ([]*record, error) {
	s.parsing.Do(func() {
		s.records, s.err = parse(s.data, known)
		s.data = nil
	})
	return s.records, s.err
}

func parse(data map[string]string, known func(name string) *record) ([]*record, error) {
	records := make([]*record, 0, len(data))
	for name, text := range data {
		if name == registry.IndexKey {
			continue
		}
		digest := registry.EntryDigest(text)
		if old := known(name); old != nil && old.digest == digest {
			records = append(records, old)
			continue
		}
		entry, err := registry.DecodeEntry(text)
		if err != nil {
			return nil, fmt.Errorf("the entry %q: %w", name, err)
		}
		if entry.Name != name {
			return nil, fmt.Errorf("the entry %q has the name %q", name, entry.Name)
		}
		records = append(records, &record{name: name, digest: digest, entry: entry})
	}
	return records, nil
}
