package serving_test

import (
	"fmt"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/utils/ptr"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/placement"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/internal/serving"
)

// standing is what a task comes to, whatever other tasks there are.
type standing struct {
	task *v1alpha1.MazeTask
	fact *fact
	// item is the entry by which it claims its name, and own reports whether it is of the present generation.
	item *registry.Item
	own  bool
}

// expectation is what the registry of a namespace is to be in the end: the executable specification.
type expectation struct {
	standings map[string]*standing
	// owners holds the task that is served under each name.
	owners map[string]string
}

func (w *world) placementOn(f *fact, state int) v1alpha1.Placement {
	return w.resolution(placement.RequirementOf(&f.task.Spec.Resources), state).Placement
}

// expect returns what the registry is to be, where served are the entries that it serves: only by them a task without an entry of its
// present generation is served.
func (w *world) expect(served map[string]string) expectation {
	e := expectation{map[string]*standing{}, map[string]string{}}
	state := w.nodes[len(w.nodes)-1]
	var claims []*standing
	for name, t := range w.api.tasks {
		s := &standing{task: t, fact: w.facts[taskKey{t.UID, t.Generation}]}
		e.standings[name] = s
		switch {
		case t.DeletionTimestamp != nil:
		case s.fact.verdict.Accepted && s.fact.fits:
			item := w.item(s.fact, w.placementOn(s.fact, state))
			s.item, s.own = &item, true
		default:
			s.item = w.lastAccepted(t, served[t.Spec.Name], state)
		}
		if s.item != nil {
			claims = append(claims, s)
		}
	}
	slices.SortFunc(claims, func(a, b *standing) int {
		if order := a.task.CreationTimestamp.Compare(b.task.CreationTimestamp.Time); order != 0 {
			return order
		}
		return strings.Compare(a.task.Name, b.task.Name)
	})
	for _, s := range claims { // the last one has the name
		e.owners[s.task.Spec.Name] = s.task.Name
	}
	return e
}

func (w *world) lastAccepted(t *v1alpha1.MazeTask, text string, state int) *registry.Item {
	item, err := registry.Decode(text)
	if err != nil || item.UID != t.UID {
		return nil
	}
	f := w.facts[taskKey{item.UID, item.Generation}]
	if f == nil {
		return &item
	}
	moved, err := item.WithPlacement(w.placementOn(f, state))
	if err != nil {
		panic(err)
	}
	return &moved
}

func (e expectation) items() []registry.Item {
	var items []registry.Item
	for _, owner := range e.owners {
		items = append(items, *e.standings[owner].item)
	}
	return items
}

// isVouchedFor reports whether the status of each task that is served by an earlier generation lets a process that has just started
// believe that entry.
func (w *world) isVouchedFor(served map[string]string) bool {
	for _, t := range w.api.tasks {
		item, err := registry.Decode(served[t.Spec.Name])
		if err != nil || item.UID != t.UID || item.Generation > t.Status.ObservedGeneration {
			continue
		}
		if t.Status.Entry == nil || t.Status.Entry.Generation != item.Generation {
			return false
		}
	}
	return true
}

func (w *world) checkEnd(p *process, served map[string]string) {
	e := w.expect(served)
	if w.foreignIndex() {
		w.checkOutcomes(p, e, nil)
		return
	}
	index := w.api.configMaps[registry.ConfigMapName]
	if index == nil {
		if len(w.api.tasks) > 0 {
			w.failf("there is no registry")
		}
		if orphans := w.audit.orphans(); len(orphans) > 0 {
			w.failf("orphans without a registry: %v", orphans)
		}
		return
	}
	entries, err := registry.Parse(index, func(name string) *corev1.ConfigMap { return w.api.configMaps[name] })
	if err != nil {
		w.failf("in the end: %v", err)
	}
	w.checkMarks(index)
	want := map[string]string{}
	for _, item := range e.items() {
		want[item.Name] = item.Text
	}
	shards := registry.Split(e.items(), w.shardSize)
	blocked := false
	for _, shard := range shards {
		if live := w.api.configMaps[shard.Name]; live != nil && !registry.Owned(live) {
			blocked = true
		}
	}
	if !blocked {
		if diff := cmp.Diff(want, entries); diff != "" {
			w.failf("in the end: -specification, +registry:\n%s", diff)
		}
		decoded, _ := registry.DecodeIndex(index)
		for i, shard := range shards {
			if len(decoded.Shards) != len(shards) || decoded.Shards[i].Name != shard.Name || decoded.Shards[i].Digest != shard.Digest {
				w.failf("in the end: the shards are %v", decoded.Shards)
			}
		}
	}
	if orphans := w.audit.orphans(); len(orphans) > 0 {
		w.failf("orphans: %v", orphans)
	}
	w.checkOutcomes(p, e, entries)
}

// checkMarks checks that each of the registry's ConfigMaps has the label by which it is found, and that shards are immutable.
func (w *world) checkMarks(index *corev1.ConfigMap) {
	decoded, _ := registry.DecodeIndex(index)
	roles := map[string]string{registry.ConfigMapName: registry.RoleIndex}
	for _, ref := range decoded.Shards {
		if ref.Name != registry.ConfigMapName {
			roles[ref.Name] = registry.RoleShard
		}
	}
	for name, role := range roles {
		object := w.api.configMaps[name]
		if !registry.HasRole(object, role) {
			w.failf("in the end: ConfigMap %s has the labels %v", name, object.Labels)
		}
		if name != registry.ConfigMapName && !ptr.Deref(object.Immutable, false) {
			w.failf("in the end: ConfigMap %s is not immutable", name)
		}
	}
}

// checkOutcomes compares the outcomes that a process has told with the specification's.
func (w *world) checkOutcomes(p *process, e expectation, entries map[string]string) {
	for name := range p.outcomes {
		if w.api.tasks[name] == nil {
			w.failf("in the end: an outcome of %s, which is gone", name)
		}
	}
	blocked := map[string]bool{}
	for _, shard := range registry.Split(e.items(), w.shardSize) {
		live := w.api.configMaps[shard.Name]
		for i := range shard.Items {
			blocked[shard.Items[i].Name] = live != nil && !registry.Owned(live) && shard.Name != registry.ConfigMapName
		}
	}
	for name, s := range e.standings {
		o := p.outcomes[name]
		if o == nil {
			w.failf("in the end: no outcome of %s", name)
		}
		if w.foreignIndex() && w.hasRefused(s.task.Spec.Name) {
			continue // what was served before is known to a process that has served it, and to no other
		}
		w.checkOutcome(name, s, e, o, entries, blocked[s.task.Spec.Name])
	}
}

// hasRefused reports whether a task with a key has a generation without an entry.
func (w *world) hasRefused(key string) bool {
	for _, t := range w.api.tasks {
		f := w.facts[taskKey{t.UID, t.Generation}]
		if t.Spec.Name == key && (!f.verdict.Accepted || !f.fits) {
			return true
		}
	}
	return false
}

func (w *world) checkOutcome(name string, s *standing, e expectation, o *serving.Outcome, entries map[string]string, blocked bool) {
	verdict := s.fact.verdict
	want := &serving.Outcome{
		UID: s.task.UID, Generation: s.task.Generation, Type: s.task.Spec.Resources.Type,
		Accepted: serving.Finding{OK: verdict.Accepted, Reason: verdict.Reason, Message: verdict.Message()},
	}
	owner := e.owners[s.task.Spec.Name]
	reason := v1alpha1.ReasonServed
	switch {
	case s.task.DeletionTimestamp != nil:
		reason = v1alpha1.ReasonTerminating
	case !s.own && owner != name:
		reason = v1alpha1.ReasonInvalidSpec
		if verdict.Accepted {
			reason = v1alpha1.ReasonTaskTooLarge
		}
	default:
		f := w.facts[taskKey{s.item.UID, s.item.Generation}]
		resolution := w.resolution(placement.RequirementOf(&f.task.Spec.Resources), w.nodes[len(w.nodes)-1])
		want.Placement, want.Placeable = &resolution.Placement, resolution.Verdict
		switch {
		case owner != name:
			reason = v1alpha1.ReasonSuperseded
			want.Accepted = serving.Finding{Reason: v1alpha1.ReasonNameConflict, Message: o.Accepted.Message}
			if !strings.Contains(o.Accepted.Message, owner) {
				w.failf("in the end: %s is told %q: want the owner %s", name, o.Accepted.Message, owner)
			}
		case entries == nil, (blocked || w.blocking() > 1) && entries[s.item.Name] != s.item.Text:
			reason = v1alpha1.ReasonRegistryConflict
			if !blocked && o.Registered.Reason == v1alpha1.ReasonPublishing { // without the tasks of one such shard, others need another such name
				reason = v1alpha1.ReasonPublishing
			}
			if left, err := registry.Decode(entries[s.item.Name]); err == nil && left.UID == s.task.UID { // what was served before still is
				want.Entry = &v1alpha1.EntryReference{
					ConfigMap: registry.ConfigMapName, Key: left.Name, Generation: left.Generation, Digest: left.Digest,
				}
			}
		default:
			want.Entry = &v1alpha1.EntryReference{
				ConfigMap: registry.ConfigMapName, Key: s.item.Name, Generation: s.item.Generation, Digest: s.item.Digest,
			}
			if entries[s.item.Name] != s.item.Text {
				w.failf("in the end: %s is not served, and its shard's name is free", name)
			}
			if !s.own {
				reason = v1alpha1.ReasonServingLastAccepted
				if verdict.Accepted {
					reason = v1alpha1.ReasonTaskTooLarge
				}
			}
		}
	}
	want.Registered = serving.Finding{OK: reason == v1alpha1.ReasonServed, Reason: reason, Message: o.Registered.Message}
	want.Overwrote = o.Overwrote // depends on which came first
	if diff := outcomeDiff(want, o); diff != "" {
		w.failf("in the end: the outcome of %s: -specification, +outcome:\n%s", name, diff)
	}
}

func outcomeDiff(want, got *serving.Outcome) string {
	if apiequality.Semantic.DeepEqual(want, got) {
		return ""
	}
	if diff := cmp.Diff(want, got); diff != "" {
		return diff
	}
	return fmt.Sprintf("want %v, got %v", want, got)
}
