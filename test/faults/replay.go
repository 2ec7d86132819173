package faults

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// Invariant names what must always hold.
type Invariant string

// What must hold at every revision.
const (
	Whole          Invariant = "whole"            // an index's shards exist, with its digests, from when it is written until a newer one is
	TrueEntry      Invariant = "true-entry"       // an entry's task existed with that UID, and that generation was valid
	Once           Invariant = "once"             // a task is in one entry of the registry
	NoReturn       Invariant = "no-return"        // a dropped task that is gone is not published again
	EntryForward   Invariant = "entry-forward"    // an entry's generation does not decrease
	IndexForward   Invariant = "index-forward"    // nor does the index's, and one generation stands for one content
	SourceForward  Invariant = "source-forward"   // nor does the version of the tasks that the registry was made from
	SameBytes      Invariant = "same-bytes"       // a generation of a task has one entry, unless nodes or configuration change
	ReadyIsServed  Invariant = "ready-is-served"  // Ready=True for a generation means that the registry serves it, or a later one
	Transition     Invariant = "transition"       // lastTransitionTime moves exactly when the status of a condition changes
	Labelled       Invariant = "labelled"         // what the operator writes has its labels
	ForeignAlone   Invariant = "foreign-alone"    // a ConfigMap that is not the operator's is not touched
	HolderWrites   Invariant = "holder-writes"    // only the holder of the lease writes
	StatusForward  Invariant = "status-forward"   // the observedGeneration of a workflow does not decrease
	JudgedByServed Invariant = "judged-by-served" // a workflow is valid only against interfaces that were served
	LastValidStays Invariant = "last-valid-stays" // status.tasks of a workflow stays while it is not valid
	InTheEnd       Invariant = "in-the-end"       // the registry and the statuses are as the tasks say
	Quiet          Invariant = "quiet"            // then nothing is written
	RestartIsQuiet Invariant = "restart-quiet"    // a restart where nothing changed writes nothing
)

// Violation is a breach of an invariant at a revision.
type Violation struct {
	Invariant Invariant
	Version   uint64
	Text      string
}

// String describes the violation in a line.
func (v Violation) String() string { return fmt.Sprintf("%s @%d: %s", v.Invariant, v.Version, v.Text) }

// replay goes through a history and checks what must always hold.
type replay struct {
	hand *handiwork
	// variable says that nodes or configuration change, and with them entries.
	variable bool

	configMaps map[string]*corev1.ConfigMap
	tasks      map[types.UID]*taskPast
	byName     map[string]*v1alpha1.MazeTask
	// harmed are ConfigMaps that a user changed, and the operator has not mended yet.
	harmed map[string]bool
	// serving are the entries of the last whole registry by name. torn says that the registry is not whole now.
	serving map[string]*entry
	torn    bool
	index   indexPast
	decoded map[string]*entry
	// workflows are the workflows as they are, and interfaces the names and interfaces that were ever served.
	workflows  map[string]*v1alpha1.MazeWorkflow
	interfaces map[string]bool

	violations []Violation
}

// taskPast is what is known of a task.
type taskPast struct {
	specs   map[int64]*v1alpha1.MazeTask // a version of the task for each generation
	deleted uint64                       // when it was deleted, 0 if it is there
	highest int64                        // the highest generation that was published
	// dropped is when the registry went from having the task to not having it, and no other task of its name, last.
	dropped uint64
	present bool
	texts   map[int64]string
	// holds says that the present generation is not valid, and that an older one was in the registry since: so it has to stay.
	holds bool
}

type indexPast struct {
	generation int64
	shards     string
	source     string
}

func newReplay(hand *handiwork, variable bool) *replay {
	return &replay{
		hand: hand, variable: variable, configMaps: map[string]*corev1.ConfigMap{}, tasks: map[types.UID]*taskPast{},
		byName: map[string]*v1alpha1.MazeTask{}, harmed: map[string]bool{}, serving: map[string]*entry{}, decoded: map[string]*entry{},
		workflows: map[string]*v1alpha1.MazeWorkflow{}, interfaces: map[string]bool{},
	}
}

// run goes through events, which are sorted by version.
func (r *replay) run(events []Event) []Violation {
	for i := range events {
		switch e := &events[i]; {
		case e.ConfigMap != nil:
			r.configMap(e)
		case e.Task != nil:
			r.task(e)
		case e.Workflow != nil:
			r.workflow(e)
		}
	}
	return r.violations
}

func (r *replay) violated(i Invariant, version uint64, format string, args ...any) {
	r.violations = append(r.violations, Violation{i, version, fmt.Sprintf(format, args...)})
}

// configMap checks who changed a ConfigMap how, then the registry.
func (r *replay) configMap(e *Event) {
	name, byHand := e.ConfigMap.Name, r.hand.did(e)
	before := r.configMaps[name]
	if !byHand {
		r.authorship(e, before)
	}
	setOrDelete(r.configMaps, name, e.ConfigMap, e.Deleted)
	if byHand {
		r.harm(name)
	} else {
		mended := r.harmed[name] && !e.Deleted
		if name == indexName && !e.Deleted {
			r.indexWritten(e, r.harmed[name] || before == nil)
		}
		if mended {
			delete(r.harmed, name)
		}
	}
	r.registry(e.Version, !byHand && name == indexName)
}

// harm notes that a user changed a ConfigMap. What the operator knew of the registry may be lost with it.
func (r *replay) harm(name string) {
	if !strings.HasPrefix(name, indexName) {
		return
	}
	r.harmed[name] = true
	for _, t := range r.tasks {
		t.holds = false
	}
}

// authorship checks what the operator wrote or deleted.
func (r *replay) authorship(e *Event, before *corev1.ConfigMap) {
	c := e.ConfigMap
	if before != nil && before.UID == c.UID && !owned(before) {
		r.violated(ForeignAlone, e.Version, "ConfigMap %s is not the operator's, and was changed or deleted", c.Name)
	}
	if e.Deleted {
		return
	}
	role := "shard"
	if c.Name == indexName {
		role = "index"
	}
	if c.Labels[roleLabel] != role || c.Labels[managedByLabel] != "maregister" || !strings.HasPrefix(c.Name, indexName) {
		r.violated(Labelled, e.Version, "ConfigMap %s was written with the labels %v", c.Name, c.Labels)
	}
}

// indexWritten checks an index against the one before it, unless a user changed that.
func (r *replay) indexWritten(e *Event, afresh bool) {
	i, err := decodeIndex(e.ConfigMap)
	if err != nil {
		r.violated(Whole, e.Version, "the operator wrote an index: %v", err)
		return
	}
	now := indexPast{i.Generation, fmt.Sprint(i.Shards), e.ConfigMap.Annotations[sourceAnnotation]}
	last := r.index
	r.index = now
	if afresh {
		return
	}
	switch {
	case now.generation < last.generation:
		r.violated(IndexForward, e.Version, "the index's generation went from %d to %d", last.generation, now.generation)
	case now.generation == last.generation && now.shards != last.shards:
		r.violated(IndexForward, e.Version, "the index's generation %d stands for two contents", now.generation)
	}
	if olderVersion(now.source, last.source) {
		r.violated(SourceForward, e.Version, "the registry's source went from resourceVersion %s to %s", last.source, now.source)
	}
}

// olderVersion reports whether one resourceVersion is before another.
func olderVersion(a, b string) bool { return len(a) < len(b) || len(a) == len(b) && a < b }

// registry checks the registry as it is now.
func (r *replay) registry(version uint64, indexWritten bool) {
	if r.configMaps[indexName] == nil && len(r.serving) == 0 && !r.torn && !indexWritten {
		return // there is none yet
	}
	_, entries, err := readRegistry(r.configMaps, r.decode)
	if err != nil {
		if !r.harmed[err.name] && !r.torn {
			r.violated(Whole, version, "%v", err)
		}
		r.torn = true
		return
	}
	r.torn = false
	if !r.harmed[indexName] && r.configMaps[indexName] != nil {
		r.entries(version, entries)
	}
}

// decode reads an entry, once for each text.
func (r *replay) decode(text string) (*entry, error) {
	if e := r.decoded[text]; e != nil {
		return e, nil
	}
	e, err := decodeEntry(text)
	if err == nil {
		r.decoded[text] = e
	}
	return e, err
}

// entries checks the entries of a whole registry against those before.
func (r *replay) entries(version uint64, entries map[string]*entry) {
	holders := map[types.UID]string{}
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		e := entries[name]
		if other, twice := holders[e.Kubernetes.UID]; twice {
			r.violated(Once, version, "MazeTask %s has the entries %s and %s", e.Kubernetes.Name, other, name)
		}
		holders[e.Kubernetes.UID] = name
		r.interfaces[name+" "+e.Digest["interface"]] = true
		if r.serving[name] != e {
			r.published(version, e)
		}
	}
	for uid, t := range r.tasks {
		_, has := holders[uid]
		if t.present && !has && !isSuperseded(uid, t, entries) {
			t.dropped = version
		}
		t.present = has
		t.holds = stillHolds(uid, t, entries, has)
	}
	r.serving = entries
}

// isSuperseded reports whether another task has the name of a task.
func isSuperseded(uid types.UID, t *taskPast, entries map[string]*entry) bool {
	latest := t.latest()
	if latest == nil {
		return false
	}
	e := entries[latest.Spec.Name]
	return e != nil && e.Kubernetes.UID != uid
}

// stillHolds reports whether a task with a bad edit must keep its entry: it has it, and no other task took the name since.
func stillHolds(uid types.UID, t *taskPast, entries map[string]*entry, has bool) bool {
	latest := t.latest()
	if latest == nil || validity(latest) == valid || t.deleted != 0 || isSuperseded(uid, t, entries) {
		return false
	}
	return has || t.holds
}

// latest returns the task's newest version, nil where none was seen.
func (t *taskPast) latest() *v1alpha1.MazeTask {
	if len(t.specs) == 0 {
		return nil
	}
	return t.specs[slices.Max(slices.Collect(maps.Keys(t.specs)))]
}

// published checks an entry that is new in the registry.
func (r *replay) published(version uint64, e *entry) {
	k := &e.Kubernetes
	t := r.tasks[k.UID]
	if t == nil || t.specs[k.Generation] == nil {
		r.violated(TrueEntry, version, "the entry %s is of MazeTask %s with UID %s and generation %d, which there never was", e.Name, k.Name, k.UID, k.Generation)
		return
	}
	if v := validity(t.specs[k.Generation]); v != valid {
		r.violated(TrueEntry, version, "the entry %s is of generation %d of MazeTask %s, which is not valid (%s)", e.Name, k.Generation, k.Name, v)
	}
	if k.Generation < t.highest {
		r.violated(EntryForward, version, "the entry %s went from generation %d of MazeTask %s to %d", e.Name, t.highest, k.Name, k.Generation)
	}
	t.highest = max(t.highest, k.Generation)
	if !t.present && t.deleted != 0 && t.dropped > t.deleted {
		r.violated(NoReturn, version, "MazeTask %s was deleted @%d and dropped @%d, and its entry %s is back", k.Name, t.deleted, t.dropped, e.Name)
	}
	if last, known := t.texts[k.Generation]; known && last != e.text && !r.variable {
		r.violated(SameBytes, version, "the entry %s of generation %d changed without a change of the task", e.Name, k.Generation)
	}
	t.texts[k.Generation] = e.text
}
