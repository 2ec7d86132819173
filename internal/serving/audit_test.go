package serving_test

import (
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/internal/serving"
)

// audit checks, after each write, what holds at every moment.
type audit struct {
	world *world
	// trusted reports whether an operator has written what the index holds, and deletions counts how often it was deleted.
	trusted   bool
	deletions int
	// generation is the highest of the index since a hand has changed it, and contents holds what each of them was.
	generation int64
	contents   map[int64]string
	// entries holds the highest generation that was published of each UID, and dropped the UIDs that were unpublished as their task was gone.
	entries map[types.UID]int64
	dropped map[types.UID]bool
	// broken holds the shards, by name, that a hand has deleted, changed or made, and revived the UIDs that a hand's index has named.
	broken  map[string]bool
	revived map[string]bool
	// made holds the UIDs of ConfigMaps that hands have made and the operator must not touch.
	made map[types.UID]bool
	// decoded holds entries by their text.
	decoded map[string]*registry.Entry
	// forged holds the digests of entries that hands have written, and believed of which generations a process had to believe one: a status may
	// vouch for it since.
	forged   map[string]taskKey
	believed map[taskKey]bool
}

func newAudit(w *world) *audit {
	a := &audit{world: w, broken: map[string]bool{}, made: map[types.UID]bool{}, decoded: map[string]*registry.Entry{}, forged: map[string]taskKey{},
		believed: map[taskKey]bool{},
		revived:  map[string]bool{}}
	a.reset()
	return a
}

// reset forgets what was published: a hand has changed the index.
func (a *audit) reset() {
	a.trusted, a.generation, a.contents = false, 0, map[int64]string{}
	a.entries, a.dropped = map[types.UID]int64{}, map[types.UID]bool{}
}

func (a *audit) changed(c change) {
	if c.by == operator {
		a.operatorWrote(c)
	}
	if c.name == registry.ConfigMapName {
		a.indexChanged(c)
	} else {
		a.shardChanged(c)
	}
	if a.trusted {
		a.checkWhole()
	}
}

// operatorWrote checks that nothing foreign is touched, and that what is written has the label.
func (a *audit) operatorWrote(c change) {
	w := a.world
	if c.before != nil && a.made[c.before.UID] {
		w.failf("%s touches the ConfigMap %s of someone else", c.call, c.name)
	}
	// A write names the version that it changes, so the process has seen whose it is.
	if c.before != nil && !registry.Owned(c.before) {
		w.failf("%s changes the ConfigMap %s, which nothing marks as the operator's", c.call, c.name)
	}
	switch {
	case c.name == registry.ConfigMapName && c.after == nil && !ptr.Deref(c.before.Immutable, false):
		w.failf("%s deletes an index that could be corrected", c.call)
	case c.after == nil:
	case c.name == registry.ConfigMapName && c.call.verb == serving.Create && !registry.HasRole(c.after, registry.RoleIndex),
		c.name != registry.ConfigMapName && c.call.verb == serving.Create && !registry.HasRole(c.after, registry.RoleShard):
		w.failf("%s writes a ConfigMap without the label", c.call)
	}
	if c.name != registry.ConfigMapName && c.after != nil && (!registry.IsShardName(c.name) || !ptr.Deref(c.after.Immutable, false) && c.before == nil) {
		w.failf("%s writes something that is no shard", c.call)
	}
}

func (a *audit) shardChanged(c change) {
	switch {
	case c.by == operator && c.before == nil:
		delete(a.broken, c.name)
	case c.by == operator && c.after == nil && c.call.deletions != a.deletions:
		a.broken[c.name] = true // a hand has deleted the index by which no other process could name this shard any more
	case c.by == hand && (c.before == nil || c.after == nil || !sameData(c.before, c.after)):
		a.broken[c.name] = true
		if a.world.two { // no process believes what another one has published and told of nowhere, if the registry is not whole
			clear(a.entries)
		}
		if c.before != nil { // what it held may be in no other place
			for _, text := range c.before.Data {
				if e := a.decoded[text]; e != nil {
					delete(a.entries, e.Kubernetes.UID)
				}
			}
		}
	}
}

func (a *audit) indexChanged(c change) {
	if c.after == nil || c.before != nil && c.before.UID != c.after.UID {
		a.deletions++
	}
	switch {
	case c.by == hand && c.before != nil && c.after != nil && sameData(c.before, c.after) && a.keepsSource(c.before, c.after):
	case c.by == hand, c.after == nil:
		a.reset()
		if c.after != nil { // it may name what the operator has given up
			index, _ := registry.DecodeIndex(c.after)
			for _, ref := range index.Shards {
				a.revived[ref.Name] = true
			}
		}
	case c.before != nil && sameData(c.before, c.after): // a fence: the content is whose it was
		a.checkSource(c)
	default:
		a.checkSource(c)
		a.trusted = c.before != nil || c.call.deletions == a.deletions // else, a hand has deleted the index that had made this write fail
		a.checkIndex(c)
	}
}

// keepsSource reports whether a hand has left the source of an index as it was, or taken it away: neither is a reason to believe less. Beside
// two processes the latter is: one that was there before trusts what it has seen, and another one may have written since.
func (a *audit) keepsSource(before, after *corev1.ConfigMap) bool {
	source := after.Annotations[registry.SourceAnnotation]
	return number(source) == 0 && !a.world.two || source == before.Annotations[registry.SourceAnnotation]
}

// checkSource checks that the version of the tasks that the registry is made from does not decrease.
func (a *audit) checkSource(c change) {
	if c.before == nil {
		return
	}
	before, after := c.before.Annotations[registry.SourceAnnotation], c.after.Annotations[registry.SourceAnnotation]
	future := number(before) > number(c.before.ResourceVersion)
	if number(before) > number(after) && !future {
		a.world.failf("%s: the source version falls from %s to %s", c.call, before, after)
	}
	if number(after) > number(c.after.ResourceVersion) && !sameData(c.before, c.after) {
		a.world.failf("%s writes the source version %s, which is of the future", c.call, after)
	}
}

// checkIndex checks an index that an operator has written.
func (a *audit) checkIndex(c change) {
	w := a.world
	index, err := registry.DecodeIndex(c.after)
	if err != nil {
		w.failf("%s: %v", c.call, err)
	}
	if index.Generation < a.generation {
		w.failf("%s: the index's generation falls from %d to %d", c.call, a.generation, index.Generation)
	}
	a.generation = index.Generation
	content := ""
	for _, ref := range index.Shards {
		content += ref.Name + ref.Digest + " "
	}
	if last, known := a.contents[index.Generation]; known && last != content {
		w.failf("%s: the index's generation %d is used twice", c.call, index.Generation)
	}
	a.contents[index.Generation] = content
	if !a.trusted || a.isExcused(index) {
		return
	}
	published := map[types.UID]bool{}
	for name, text := range a.entriesOf(c.after) {
		published[a.checkEntry(c.call, name, text)] = true
	}
	live := map[types.UID]bool{}
	for _, t := range c.call.taskView {
		live[t.UID] = t.DeletionTimestamp == nil
	}
	for uid := range a.entries {
		if !published[uid] && !live[uid] {
			a.dropped[uid] = true
		}
	}
}

// entriesOf returns the entries of a registry, as far as they are there.
func (a *audit) entriesOf(index *corev1.ConfigMap) map[string]string {
	all := map[string]string{}
	if index == nil {
		return all
	}
	decoded, _ := registry.DecodeIndex(index)
	for _, ref := range decoded.Shards {
		if shard := a.world.api.configMaps[ref.Name]; shard != nil {
			maps.Copy(all, shard.Data)
		}
	}
	delete(all, registry.IndexKey)
	return all
}

// checkEntry checks an entry that an operator has published.
func (a *audit) checkEntry(c *call, name, text string) types.UID {
	w := a.world
	e := a.decoded[text]
	if e == nil {
		decoded, err := registry.DecodeEntry(text)
		if err != nil {
			w.failf("%s publishes under %s what is no entry: %v", c, name, err)
		}
		e = &decoded
		a.decoded[text] = e
	}
	uid, generation := e.Kubernetes.UID, e.Kubernetes.Generation
	if forged := a.forged[registry.EntryDigest(text)]; forged.uid != "" {
		a.believe(c.process, c.taskView, e.Kubernetes.Name, forged)
		if a.believed[forged] {
			return uid
		}
	}
	f := w.facts[taskKey{uid, generation}]
	switch {
	case f == nil || !f.verdict.Accepted || f.task.Spec.Name != name || f.task.Name != e.Kubernetes.Name ||
		f.task.Spec.Description != ptr.Deref(e.Description, ""):
		w.failf("%s publishes under %s an entry that no valid generation of a task has: %s", c, name, text)
	case a.dropped[uid]:
		w.failf("%s publishes %s of %s again, whose task is gone", c, name, uid)
	case generation < a.entries[uid] && !vouched(c.taskView[f.task.Name], generation, a.entries[uid]):
		w.failf("%s publishes generation %d of %s (%s) after %d", c, generation, uid, name, a.entries[uid])
	}
	a.entries[uid] = generation
	c.publishes = append(c.publishes, taskKey{uid, generation})
	return uid
}

// vouched reports whether a task's status names the entry of one generation, although it was written after a later one was valid: the late
// write of a dead process has published that, and a hand could have done so, too.
func vouched(t *v1alpha1.MazeTask, generation, later int64) bool {
	return t != nil && t.Status.ObservedGeneration >= later && t.Status.Entry != nil && t.Status.Entry.Generation == generation
}

// believe notes that a process cannot know that an entry is forged: no status that it sees has its generation yet, which the task has
// had, and it has not published the true one itself.
func (a *audit) believe(p *process, view map[string]*v1alpha1.MazeTask, name string, forged taskKey) {
	if t := view[name]; !p.published[forged] && t != nil && t.UID == forged.uid && max(t.Status.ObservedGeneration, 0) < forged.generation {
		a.believed[forged] = true
	}
}

// began notes what a pass that begins has to believe, and goes on to believe when a status has told since.
func (a *audit) began(p *process) {
	for _, forged := range a.forged {
		for name := range p.taskView {
			a.believe(p, p.taskView, name, forged)
		}
	}
}

// checkWhole checks that each shard that the index names is there, unless a hand has deleted it.
func (a *audit) checkWhole() {
	index := a.world.api.configMaps[registry.ConfigMapName]
	decoded, err := registry.DecodeIndex(index)
	if err != nil {
		a.world.failf("the index: %v", err)
	}
	if a.isExcused(decoded) {
		return
	}
	if _, err := registry.Parse(index, func(name string) *corev1.ConfigMap { return a.world.api.configMaps[name] }); err != nil {
		a.world.failf("the registry is torn: %v", err)
	}
}

// isExcused reports whether a hand has deleted or made a shard that an index names, or had made an index name it.
func (a *audit) isExcused(index registry.Index) bool {
	return slices.ContainsFunc(index.Shards, func(ref registry.ShardRef) bool { return a.broken[ref.Name] || a.revived[ref.Name] })
}

// finished checks what a pass has told: what it says is served, the registry serves, unless others have changed it meanwhile.
func (a *audit) finished(p *process, outcomes map[string]*serving.Outcome) {
	w := a.world
	for name, o := range outcomes {
		if o == nil {
			continue
		}
		f := w.facts[taskKey{o.UID, o.Generation}]
		if f == nil {
			w.failf("%s: the outcome of %s is of generation %d of %s, which never was", p, name, o.Generation, o.UID)
		}
		if o.Entry != nil && a.forged[o.Entry.Digest].uid != "" {
			a.believe(p, p.taskView, name, a.forged[o.Entry.Digest])
		}
		if o.Accepted.OK && !f.verdict.Accepted {
			w.failf("%s: the outcome of %s says %s", p, name, o.Accepted.Reason)
		}
		waits := o.Registered.Reason == v1alpha1.ReasonPublishing || !o.Registered.OK && p.pass.Failure() != nil
		if o.Entry == nil || waits || p.pass.Behind() || w.two || w.profile.late || w.touched {
			continue
		}
		text := a.entriesOf(w.api.configMaps[registry.ConfigMapName])[o.Entry.Key]
		if registry.EntryDigest(text) != o.Entry.Digest {
			w.failf("%s: the outcome of %s names an entry that the registry does not serve: %s", p, name, o.Registered.Reason)
		}
	}
}

// orphans returns the operator's shards that no index names, as far as its caches show them.
func (a *audit) orphans() []string {
	named := map[string]bool{}
	if index := a.world.api.configMaps[registry.ConfigMapName]; index != nil {
		decoded, _ := registry.DecodeIndex(index)
		for _, ref := range decoded.Shards {
			named[ref.Name] = true
		}
	}
	var found []string
	for name, shard := range a.world.api.configMaps {
		if registry.IsShardName(name) && registry.HasRole(shard, registry.RoleShard) && !named[name] {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	return found
}
