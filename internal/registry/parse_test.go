package registry

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

func TestParseUndoesRender(t *testing.T) {
	cases := map[string]struct {
		items      []Item
		wantShards bool
	}{
		"No entries":    {},
		"One entry":     {items: itemsOf(1, 100)},
		"One ConfigMap": {items: itemsOf(10, 100)},
		"Many entries":  {items: itemsOf(500, 100), wantShards: true},
		"Large entries": {items: itemsOf(5, Capacity(MinShardSize)), wantShards: true},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := publish(t, Split(tc.items, MinShardSize))
			if got := len(p.shards) > 0; got != tc.wantShards {
				t.Errorf("shards: want %t, got %d", tc.wantShards, len(p.shards))
			}
			got, err := Parse(p.index, p.get)
			if err != nil {
				t.Fatalf("Parse(...): %v", err)
			}
			if diff := cmp.Diff(texts(tc.items), got); diff != "" {
				t.Errorf("Parse(Render(...)): -want, +got:\n%s", diff)
			}
		})
	}
}

func TestParseRefusesDamage(t *testing.T) {
	whole := Split(itemsOf(3, 100), MinShardSize)
	parts := Split([]Item{itemOf("task-0", 100), itemOf("task-4", 100), itemOf("large", Capacity(MinShardSize))}, MinShardSize)
	first := parts[0].Name
	without := func(data map[string]string, key string) string {
		changed := map[string]string{}
		for k, v := range data {
			if k != key {
				changed[k] = v
			}
		}
		return ContentDigest(changed)
	}
	with := func(data map[string]string, key, text string) string {
		changed := map[string]string{key: text}
		for k, v := range data {
			if k != key {
				changed[k] = v
			}
		}
		return ContentDigest(changed)
	}
	digestError := func(shard *Shard, got string) string {
		return fmt.Sprintf("ConfigMap %s has the digest %s, the index says %s", shard.Name, got, shard.Digest)
	}
	key := parts[0].Items[0].Name

	cases := map[string]struct {
		shards []*Shard
		damage func(t *testing.T, p published)
		want   string
	}{
		"A shard is missing": {
			shards: parts,
			damage: func(_ *testing.T, p published) { delete(p.shards, first) },
			want:   "ConfigMap " + first + " is not there",
		},
		"All shards are missing": {
			shards: parts,
			damage: func(_ *testing.T, p published) { clear(p.shards) },
			want:   "ConfigMap " + first + " is not there",
		},
		"An entry of a shard is edited": {
			shards: parts,
			damage: func(_ *testing.T, p published) { p.shards[first].Data[key] = "{}" },
			want:   digestError(parts[0], with(parts[0].Data(), key, "{}")),
		},
		"An entry of a shard is gone": {
			shards: parts,
			damage: func(_ *testing.T, p published) { delete(p.shards[first].Data, key) },
			want:   digestError(parts[0], without(parts[0].Data(), key)),
		},
		"A shard has one more entry": {
			shards: parts,
			damage: func(_ *testing.T, p published) { p.shards[first].Data["more"] = "{}" },
			want:   digestError(parts[0], with(parts[0].Data(), "more", "{}")),
		},
		"A shard's entry has another name": {
			shards: parts,
			damage: func(_ *testing.T, p published) {
				p.shards[first].Data["other"] = p.shards[first].Data[key]
				delete(p.shards[first].Data, key)
			},
			want: digestError(parts[0], func() string {
				data := parts[0].Data()
				data["other"] = data[key]
				delete(data, key)
				return ContentDigest(data)
			}()),
		},
		"Two shards are swapped": {
			shards: parts,
			damage: func(_ *testing.T, p published) {
				a, b := p.shards[parts[0].Name], p.shards[parts[1].Name]
				a.Data, b.Data = b.Data, a.Data
			},
			want: digestError(parts[0], parts[1].Digest),
		},
		"An entry beside the index is edited": {
			shards: whole,
			damage: func(_ *testing.T, p published) { p.index.Data["task-1"] = "{}" },
			want:   digestError(whole[0], with(whole[0].Data(), "task-1", "{}")),
		},
		"An entry beside the index is gone": {
			shards: whole,
			damage: func(_ *testing.T, p published) { delete(p.index.Data, "task-1") },
			want:   digestError(whole[0], without(whole[0].Data(), "task-1")),
		},
		"The index's digest is wrong": {
			shards: whole,
			damage: editIndex(func(i *Index) { i.Shards[0].Digest = "sha256:0" }),
			want:   "ConfigMap maze-registry has the digest " + whole[0].Digest + ", the index says sha256:0",
		},
		"The index counts too many": {
			shards: whole,
			damage: editIndex(func(i *Index) { i.Tasks = 4 }),
			want:   "ConfigMap maze-registry has an index of 4 tasks, the shards have 3",
		},
		"The index counts too few": {
			shards: parts,
			damage: editIndex(func(i *Index) { i.Tasks = 2 }),
			want:   "ConfigMap maze-registry has an index of 2 tasks, the shards have 3",
		},
		"The index counts less than none": {
			shards: whole,
			damage: editIndex(func(i *Index) { i.Tasks = -1 }),
			want:   "ConfigMap maze-registry has an index of -1 tasks, the shards have 3",
		},
		"The index lacks a shard": {
			shards: parts,
			damage: editIndex(func(i *Index) { i.Shards = i.Shards[:0] }),
			want:   "ConfigMap maze-registry has an index of 3 tasks, the shards have 0",
		},
		"The index names a shard twice": {
			shards: whole,
			damage: editIndex(func(i *Index) { i.Shards, i.Tasks = append(i.Shards, i.Shards[0]), 6 }),
			want:   "ConfigMap maze-registry has an index of 6 tasks, the shards have 3",
		},
		"The index counts a shard's entries wrongly": {
			shards: whole,
			damage: editIndex(func(i *Index) { i.Shards[0].Tasks = 2 }),
			want:   "ConfigMap maze-registry has 3 tasks, the index says 2",
		},
		"A later format with another form": {
			shards: whole,
			damage: func(_ *testing.T, p published) { p.index.Data[IndexKey] = `{"format":2,"shards":{}}` },
			want:   "ConfigMap maze-registry has format 2; this version reads 1",
		},
		"A later format": {
			shards: whole,
			damage: editIndex(func(i *Index) { i.Format = 2 }),
			want:   "ConfigMap maze-registry has format 2; this version reads 1",
		},
		"An illegible index": {
			shards: whole,
			damage: func(_ *testing.T, p published) { p.index.Data[IndexKey] = "{\"format\":1" },
			want:   "decode .index of ConfigMap maze-registry: unexpected end of JSON input",
		},
		"No index": {
			shards: whole,
			damage: func(_ *testing.T, p published) { delete(p.index.Data, IndexKey) },
			want:   "ConfigMap maze-registry has no key .index",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := publish(t, tc.shards)
			tc.damage(t, p)
			entries, err := Parse(p.index, p.get)
			if err == nil {
				t.Fatalf("Parse(...): want an error, got %d entries", len(entries))
			}
			if diff := cmp.Diff(tc.want, err.Error()); diff != "" {
				t.Errorf("Parse(...) error: -want, +got:\n%s", diff)
			}
		})
	}
}

// editIndex changes the index and leaves the rest.
func editIndex(edit func(*Index)) func(*testing.T, published) {
	return func(t *testing.T, p published) {
		t.Helper()
		index, err := DecodeIndex(p.index)
		if err != nil {
			t.Fatalf("DecodeIndex(...): %v", err)
		}
		edit(&index)
		if p.index.Data[IndexKey], err = index.Encode(); err != nil {
			t.Fatalf("Encode(): %v", err)
		}
	}
}

// TestParseIgnoresAnIndexInAShard: the key .index is never an entry, wherever it is.
func TestParseIgnoresAnIndexInAShard(t *testing.T) {
	items := itemsOf(3, Capacity(MinShardSize))
	p := publish(t, Split(items, MinShardSize))
	for _, shard := range p.shards {
		shard.Data[IndexKey] = "{}"
	}
	got, err := Parse(p.index, func(name string) *corev1.ConfigMap { return p.shards[name] })
	if err != nil {
		t.Fatalf("Parse(...): %v", err)
	}
	if diff := cmp.Diff(texts(items), got); diff != "" {
		t.Errorf("Parse(...): -want, +got:\n%s", diff)
	}
}
