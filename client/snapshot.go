package client

import (
	"bytes"
	"cmp"
	"encoding/json"
	"slices"
	"strings"
)

// Snapshot is a registry as it was at one moment, whole. It never changes, and any number of goroutines may use it. The zero
// value is a registry without tasks. Those of a [Registry] are equal (==) if they are of one moment.
type Snapshot struct{ contents *contents }

// contents are shared by all copies of a Snapshot.
type contents struct {
	generation int64
	// records are sorted by name.
	records []*record
}

// record is an entry, decoded. It is shared by the snapshots that have it, and never changes.
type record struct {
	name, digest string
	entry        Entry
}

// Generation counts the states of the registry, as the operator numbers them. 0 where the namespace has no registry yet.
func (s Snapshot) Generation() int64 {
	if s.contents == nil {
		return 0
	}
	return s.contents.generation
}

// Len is the number of tasks.
func (s Snapshot) Len() int { return len(s.records()) }

// Get returns a task's entry by its spec.name. The entry is the caller's own copy.
func (s Snapshot) Get(name string) (Entry, bool) {
	found := s.find(name)
	if found == nil {
		return Entry{}, false
	}
	return clone(found.entry), true
}

// Digest returns the digest of a task's entry by its spec.name: what the MazeTask's status.entry.digest says while this entry is
// published.
func (s Snapshot) Digest(name string) (string, bool) {
	found := s.find(name)
	if found == nil {
		return "", false
	}
	return found.digest, true
}

// Names returns the tasks' names, sorted.
func (s Snapshot) Names() []string {
	names := make([]string, 0, s.Len())
	for _, r := range s.records() {
		names = append(names, r.name)
	}
	return names
}

// List returns all entries, sorted by name. They are the caller's own copies.
func (s Snapshot) List() []Entry {
	entries := make([]Entry, 0, s.Len())
	for _, r := range s.records() {
		entries = append(entries, clone(r.entry))
	}
	return entries
}

func (s Snapshot) records() []*record {
	if s.contents == nil {
		return nil
	}
	return s.contents.records
}

func (s Snapshot) find(name string) *record {
	records := s.records()
	i, found := slices.BinarySearchFunc(records, name, func(r *record, name string) int { return cmp.Compare(r.name, name) })
	if !found {
		return nil
	}
	return records[i]
}

// Change leads from one snapshot to a later one.
type Change struct {
	// From and To are the snapshots.
	From, To Snapshot
	// Added, Changed and Removed are names of tasks, sorted: those that only To has, those whose entries differ, and those that
	// only From has.
	Added, Changed, Removed []string
}

// changeBetween compares two snapshots.
func changeBetween(from, to Snapshot) Change {
	change := Change{From: from, To: to}
	before, after := from.records(), to.records()
	for len(before) > 0 || len(after) > 0 {
		switch order := compareFirst(before, after); {
		case order < 0:
			change.Removed = append(change.Removed, before[0].name)
			before = before[1:]
		case order > 0:
			change.Added = append(change.Added, after[0].name)
			after = after[1:]
		default:
			if before[0].digest != after[0].digest {
				change.Changed = append(change.Changed, after[0].name)
			}
			before, after = before[1:], after[1:]
		}
	}
	return change
}

// compareFirst compares the first names of two sorted lists, at least one of which has one. What is not there comes last.
func compareFirst(a, b []*record) int {
	switch {
	case len(b) == 0:
		return -1
	case len(a) == 0:
		return 1
	default:
		return strings.Compare(a[0].name, b[0].name)
	}
}

// clone copies an entry, so that nobody can change a snapshot.
func clone(e Entry) Entry {
	for _, text := range []**string{&e.Description, &e.Resources.ModelName, &e.Resources.Backend, &e.EntryPoint, &e.Predictor} {
		if *text != nil {
			copied := **text
			*text = &copied
		}
	}
	for _, raw := range []*json.RawMessage{&e.InputParameters, &e.OutputParameters, &e.Schema.Input, &e.Schema.Output} {
		*raw = bytes.Clone(*raw)
	}
	e.Kubernetes.Placement = *e.Kubernetes.Placement.DeepCopy()
	return e
}
