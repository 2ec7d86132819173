package registry

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// FormatVersion is the version of the index's and the entries' form. A reader refuses what it does not know.
const FormatVersion = 1

// Index says which ConfigMaps make up a registry.
type Index struct {
	// Format is FormatVersion.
	Format int `json:"format"`
	// Generation counts the states that were published in this namespace. It never decreases.
	Generation int64 `json:"generation"`
	// Tasks is the number of entries.
	Tasks int `json:"tasks"`
	// Shards are the ConfigMaps that hold the entries, sorted by prefix.
	Shards []ShardRef `json:"shards"`
}

// ShardRef names a shard.
type ShardRef struct {
	// Name is the ConfigMap's name; maze-registry itself where there is one shard.
	Name string `json:"name"`
	// Prefix are the leading bits of the SHA-256 of each of its entries' names, as text.
	Prefix string `json:"prefix"`
	// Tasks is the number of its entries.
	Tasks int `json:"tasks"`
	// Digest is ContentDigest of its entries.
	Digest string `json:"digest"`
}

// Has reports whether an entry of a name is in the shard, if it is anywhere: whether the SHA-256 of the name begins with the bits of Prefix.
func (r *ShardRef) Has(name string) bool {
	e := edit{hash: sha256.Sum256([]byte(name))}
	return r.has(&e)
}

func (r *ShardRef) has(e *edit) bool {
	if len(r.Prefix) > len(e.hash)*8 {
		return false
	}
	for n := range len(r.Prefix) {
		if r.Prefix[n] != '0'+e.bit(n) {
			return false
		}
	}
	return true
}

// ShardOf returns the shard that has the entry of a name, if there is one. It is nil if no shard can have it, which no operator writes.
func (i *Index) ShardOf(name string) *ShardRef {
	e := edit{hash: sha256.Sum256([]byte(name))}
	for n := range i.Shards {
		if i.Shards[n].has(&e) {
			return &i.Shards[n]
		}
	}
	return nil
}

// maxGeneration is the largest integer that every JSON reader takes exactly: 2^53 - 1.
const maxGeneration = 1<<53 - 1

// NewIndex returns the index of the shards. The generation is the previous index's where the content is the same, and one
// more where it is not; 1 comes after 2^53 - 1.
func NewIndex(shards []*Shard, previous Index) Index {
	index := Index{Format: FormatVersion, Generation: previous.Generation, Shards: make([]ShardRef, len(shards))}
	for i, shard := range shards {
		index.Shards[i] = ShardRef{Name: shard.Name, Prefix: shard.Prefix, Tasks: len(shard.Items), Digest: shard.Digest}
		index.Tasks += len(shard.Items)
	}
	if !slices.Equal(index.Shards, previous.Shards) {
		index.Generation = previous.Generation%maxGeneration + 1
	}
	return index
}

// Encode returns the index's text: canonical JSON. Its fields are put in order here, as decoding and encoding a thousand shards again
// for that takes longer than all else that a change of one task needs.
func (i Index) Encode() (string, error) {
	type sortedRef struct {
		Digest string `json:"digest"`
		Name   string `json:"name"`
		Prefix string `json:"prefix"`
		Tasks  int    `json:"tasks"`
	}
	sorted := struct {
		Format     int         `json:"format"`
		Generation int64       `json:"generation"`
		Shards     []sortedRef `json:"shards"`
		Tasks      int         `json:"tasks"`
	}{Format: i.Format, Generation: i.Generation, Tasks: i.Tasks}
	if i.Shards != nil {
		sorted.Shards = make([]sortedRef, len(i.Shards))
	}
	for n, ref := range i.Shards {
		sorted.Shards[n] = sortedRef{Digest: ref.Digest, Name: ref.Name, Prefix: ref.Prefix, Tasks: ref.Tasks}
	}
	encoded, err := plainJSON(sorted)
	if err != nil {
		return "", fmt.Errorf("encode the index: %w", err)
	}
	return string(encoded), nil
}

// DecodeIndex reads the index of a ConfigMap.
func DecodeIndex(configMap *corev1.ConfigMap) (Index, error) {
	encoded, ok := configMap.Data[IndexKey]
	if !ok {
		return Index{}, fmt.Errorf("ConfigMap %s has no key %s", configMap.Name, IndexKey)
	}
	var version struct { // alone, as the rest of another format may have another form
		Format int `json:"format"`
	}
	if err := json.Unmarshal([]byte(encoded), &version); err != nil {
		return Index{}, fmt.Errorf("decode %s of ConfigMap %s: %w", IndexKey, configMap.Name, err)
	}
	if version.Format != FormatVersion {
		return Index{}, fmt.Errorf("ConfigMap %s has format %d; this version reads %d", configMap.Name, version.Format, FormatVersion)
	}
	var index Index
	if err := json.Unmarshal([]byte(encoded), &index); err != nil {
		return Index{}, fmt.Errorf("decode %s of ConfigMap %s: %w", IndexKey, configMap.Name, err)
	}
	if index.Generation < 1 || index.Generation > maxGeneration {
		return Index{}, fmt.Errorf("ConfigMap %s has generation %d, which no operator writes", configMap.Name, index.Generation)
	}
	return index, nil
}
