package faults

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// Validities of a spec besides the reasons for which it is refused. A scenario writes one into spec.source.path.
const (
	valid    = "valid"
	tooLarge = v1alpha1.ReasonTaskTooLarge
)

// validity returns what the scenario made of a spec: valid, tooLarge, or the reason why it is refused.
func validity(t *v1alpha1.MazeTask) string {
	if t.Spec.Source == nil {
		return valid
	}
	return t.Spec.Source.Path
}

// world is what a registry and statuses are judged by.
type world struct {
	tasks      map[string]*v1alpha1.MazeTask
	configMaps map[string]*corev1.ConfigMap
	workflows  map[string]*v1alpha1.MazeWorkflow
	past       map[types.UID]*taskPast
	nodes      []nodeShape
	// class reports whether there is a DeviceClass.
	class  bool
	config settings
}

// settings are the part of the operator's configuration that scenarios change.
type settings struct {
	shardSize   int
	predictors  []predictorRule
	ignoreNodes bool
}

type predictorRule struct{ contains, toolType string }

// defaultPredictors are those of docs/malearn.md.
func defaultPredictors() []predictorRule {
	return []predictorRule{
		{"llm_process", "llm_process"}, {"llm_fuse", "llm_fuse2In1"}, {"vlm_process", "vlm_process"}, {"speech_process", "speech_process"},
	}
}

// verdict collects differences.
type verdict struct{ differences []string }

func (v *verdict) differ(format string, args ...any) {
	v.differences = append(v.differences, fmt.Sprintf(format, args...))
}

// judge returns how the world differs from what the documentation promises for the time when nothing changes any more.
func (w *world) judge() []string {
	v := &verdict{}
	head := w.configMaps[indexName]
	switch {
	case head == nil && len(w.tasks) == 0:
		w.judgeWorkflows(v, nil)
		return v.differences // a namespace gets its registry with its first task
	case head != nil && !owned(head):
		w.judgeConflict(v)
		return v.differences
	}
	i, entries, err := readRegistry(w.configMaps, decodeEntry)
	if err != nil {
		v.differ("the registry is not whole: %v", err)
		return v.differences
	}
	w.judgeOwners(v, entries)
	w.judgeLayout(v, i, entries)
	for _, name := range slices.Sorted(maps.Keys(w.tasks)) {
		w.judgeStatus(v, w.tasks[name], entries)
	}
	w.judgeWorkflows(v, entries)
	return v.differences
}

// judgeConflict checks the statuses while someone else's ConfigMap has the registry's name.
func (w *world) judgeConflict(v *verdict) {
	for _, name := range slices.Sorted(maps.Keys(w.tasks)) {
		t := w.tasks[name]
		if validity(t) != valid || !t.DeletionTimestamp.IsZero() {
			continue
		}
		c := conditionOf(t, v1alpha1.ConditionRegistered)
		if c != "False/"+v1alpha1.ReasonRegistryConflict && c != "False/"+v1alpha1.ReasonSuperseded {
			v.differ("MazeTask %s is Registered=%s while the registry is someone else's", name, c)
		}
	}
}

// mustClaim reports whether a task has to be served under its name unless a newer one is.
func (w *world) mustClaim(t *v1alpha1.MazeTask) bool {
	if !t.DeletionTimestamp.IsZero() {
		return false
	}
	past := w.past[t.UID]
	return validity(t) == valid || past != nil && past.holds
}

// beats reports whether a task is served where another has the same name: the newer one by creation time, then by the object's name.
func beats(a, b *v1alpha1.MazeTask) bool {
	order := a.CreationTimestamp.Compare(b.CreationTimestamp.Time)
	return order > 0 || order == 0 && a.Name > b.Name
}

// judgeOwners checks which task each name is served of, by which generation, and what the entry says.
func (w *world) judgeOwners(v *verdict, entries map[string]*entry) {
	best := map[string]*v1alpha1.MazeTask{}
	byUID := map[types.UID]*v1alpha1.MazeTask{}
	for _, t := range w.tasks {
		byUID[t.UID] = t
		if w.mustClaim(t) && (best[t.Spec.Name] == nil || beats(t, best[t.Spec.Name])) {
			best[t.Spec.Name] = t
		}
	}
	for _, name := range slices.Sorted(maps.Keys(best)) {
		if entries[name] == nil {
			v.differ("%s is not served; MazeTask %s has to be", name, best[name].Name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(entries)) {
		e := entries[name]
		t := byUID[e.Kubernetes.UID]
		switch {
		case t == nil:
			v.differ("%s is served of MazeTask %s with UID %s, which is not there", name, e.Kubernetes.Name, e.Kubernetes.UID)
		case !t.DeletionTimestamp.IsZero():
			v.differ("%s is served of MazeTask %s, which is being deleted", name, t.Name)
		case best[name] != nil && t.UID != best[name].UID && beats(best[name], t):
			v.differ("%s is served of MazeTask %s; %s is newer", name, t.Name, best[name].Name)
		default:
			w.judgeGeneration(v, e, t)
		}
	}
}

// judgeGeneration checks that an entry is of the newest valid generation that can be known, and what it says.
func (w *world) judgeGeneration(v *verdict, e *entry, t *v1alpha1.MazeTask) {
	generation := e.Kubernetes.Generation
	if validity(t) == valid && generation != t.Generation {
		v.differ("%s is served of generation %d of MazeTask %s; generation %d is valid", e.Name, generation, t.Name, t.Generation)
		return
	}
	of := t
	if generation != t.Generation {
		past := w.past[t.UID]
		if past == nil || past.specs[generation] == nil || validity(past.specs[generation]) != valid {
			v.differ("%s is served of generation %d of MazeTask %s, which is not valid", e.Name, generation, t.Name)
			return
		}
		if generation < past.highest {
			v.differ("%s is served of generation %d of MazeTask %s, and was of %d", e.Name, generation, t.Name, past.highest)
		}
		of = past.specs[generation]
	}
	w.judgeEntry(v, e, of)
}

// judgeLayout checks how the entries are spread, the ConfigMaps' labels, and that there are no others.
func (w *world) judgeLayout(v *verdict, i *index, entries map[string]*entry) {
	wanted := wantedLayout(entries, w.config.shardSize)
	slices.SortFunc(wanted, func(a, b part) int { return cmp.Compare(a.Prefix, b.Prefix) })
	if !slices.Equal(wanted, i.Shards) {
		v.differ("the shards are %v, and should be %v", i.Shards, wanted)
	}
	named := map[string]bool{indexName: true}
	for _, p := range i.Shards {
		named[p.Name] = true
	}
	for _, name := range slices.Sorted(maps.Keys(w.configMaps)) {
		c := w.configMaps[name]
		switch {
		case !strings.HasPrefix(name, indexName):
		case !named[name] && c.Labels[roleLabel] != "": // README.md: the label says what is the operator's
			v.differ("ConfigMap %s is a shard that the index does not name", name)
		case named[name] && c.Labels[managedByLabel] != "maregister":
			v.differ("ConfigMap %s has the labels %v", name, c.Labels)
		case name == indexName && c.Labels[roleLabel] != "index", name != indexName && named[name] && c.Labels[roleLabel] != "shard":
			v.differ("ConfigMap %s has the labels %v", name, c.Labels)
		case name == indexName && c.Annotations[sourceAnnotation] == "": // a lost one is healed, too, and that is a write
			v.differ("ConfigMap %s does not say what it is made from", name)
		case named[name] && name != indexName && (c.Immutable == nil || !*c.Immutable):
			v.differ("shard %s is not immutable", name)
		}
	}
}
