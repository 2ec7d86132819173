package client

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/maze-agent/maregister/internal/registry"
)

// fold makes snapshots of ConfigMaps that come, change and go one by one. It does nothing else, so that a test can replay any order of
// them. One goroutine uses it.
type fold struct {
	// objects are the ConfigMaps that are there, by name.
	objects map[string]*object
	// latest is the last good snapshot, and followed the index that it was made from. Nil if there was none.
	latest   Snapshot
	followed *object
}

// object is what is kept of a ConfigMap.
type object struct {
	name string
	*shard
	// index is of maze-registry only, and broken is why there is none.
	index  registry.Index
	broken error
}

// objectOf keeps what matters of a ConfigMap: nil if nothing does.
func objectOf(configMap *corev1.ConfigMap) *object {
	isIndex := configMap.Name == registry.ConfigMapName
	if !isIndex && !registry.IsShardName(configMap.Name) {
		return nil
	}
	o := &object{name: configMap.Name, shard: shardOf(configMap.Data)}
	if isIndex {
		o.index, o.broken = registry.DecodeIndex(configMap)
	}
	return o
}

func (f *fold) set(o *object) {
	if o == nil {
		return
	}
	if f.objects == nil {
		f.objects = map[string]*object{}
	}
	f.objects[o.name] = o
}

func (f *fold) remove(name string) { delete(f.objects, name) }

// replace takes what is there now, in place of all before.
func (f *fold) replace(all []*object) {
	f.objects = make(map[string]*object, len(all))
	for _, o := range all {
		f.set(o)
	}
}

// errGone is reported while the index is not there any more.
var errGone = errors.New("ConfigMap " + registry.ConfigMapName + " is gone")

// snapshot returns the registry as the ConfigMaps have it now. An error says why they have none that is whole; the last good one is then
// returned, and ok is false if there never was any.
//
// A lower generation than before is taken: the API server tells of changes in their order, so it is a later state, and it is
// how the operator puts right what a hand did to the number. A reader that refused it would be stuck with the work of that hand.
func (f *fold) snapshot() (s Snapshot, ok bool, err error) {
	index := f.objects[registry.ConfigMapName]
	switch {
	case index == nil && f.followed == nil:
		return Snapshot{}, true, nil // a namespace gets its registry with its first task
	case index == nil:
		return f.latest, true, errGone // it is kept, empty, when the last task goes, and made anew when a hand deletes it
	case index == f.followed:
		return f.latest, true, nil // shards that are deleted now belong to states before, or come back
	}
	next, err := f.follow(index)
	if err != nil {
		return f.latest, f.followed != nil, err
	}
	f.followed = index
	if f.latest.Generation() != next.generation || !slices.Equal(f.latest.records(), next.records) {
		f.latest = Snapshot{next}
	}
	return f.latest, true, nil
}

// follow collects the shards that an index names. It is an error if anything is not as the index says.
func (f *fold) follow(index *object) (*contents, error) {
	if index.broken != nil {
		return nil, index.broken
	}
	c, named := &contents{generation: index.index.Generation}, map[string]bool{}
	for _, ref := range index.index.Shards {
		part := f.objects[ref.Name]
		switch {
		case part == nil:
			return nil, fmt.Errorf("ConfigMap %q, which the index of generation %d names, is not there", ref.Name, c.generation)
		case part.digest != ref.Digest:
			return nil, fmt.Errorf("ConfigMap %q has the digest %s, the index of generation %d says %q", ref.Name, part.digest, c.generation, ref.Digest)
		case part.tasks != ref.Tasks:
			return nil, fmt.Errorf("ConfigMap %q has %d tasks, the index of generation %d says %d", ref.Name, part.tasks, c.generation, ref.Tasks)
		case named[ref.Name]: // again and again, for all that anyone knows
			return nil, fmt.Errorf("the index of generation %d names ConfigMap %q twice", c.generation, ref.Name)
		}
		named[ref.Name] = true
		records, err := part.parse(f.latest.find)
		if err != nil {
			return nil, fmt.Errorf("ConfigMap %q: %w", ref.Name, err)
		}
		c.records = append(c.records, records...)
	}
	if len(c.records) != index.index.Tasks {
		return nil, fmt.Errorf("the index of generation %d says %d tasks, its shards have %d", c.generation, index.index.Tasks, len(c.records))
	}
	slices.SortFunc(c.records, func(a, b *record) int { return strings.Compare(a.name, b.name) })
	for i := range c.records[min(1, len(c.records)):] {
		if c.records[i].name == c.records[i+1].name {
			return nil, fmt.Errorf("two shards of generation %d have an entry %q", c.generation, c.records[i].name)
		}
	}
	return c, nil
}
