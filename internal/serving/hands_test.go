package serving_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/maze-agent/maregister/internal/registry"
)

// stepHand lets someone change a ConfigMap.
func (w *world) stepHand() {
	var edits []func()
	if w.hands {
		edits = append(edits, w.handIndex, w.handShard, w.handIndex, w.handShard, w.handMeta, w.handForges, w.handCopies)
	}
	if w.foreign {
		edits = append(edits, w.otherShard, w.otherShard, w.otherGoes, w.otherIndex)
	}
	w.touched = true
	edits[w.dice.n(len(edits))]()
}

// handIndex edits the content of the index.
func (w *world) handIndex() {
	live := w.api.configMaps[registry.ConfigMapName]
	if live == nil || w.others[live.Name] {
		return
	}
	edits := []struct {
		name string
		edit func(*corev1.ConfigMap)
	}{
		{"removes the index key", func(c *corev1.ConfigMap) { delete(c.Data, registry.IndexKey) }},
		{"garbles the index key", func(c *corev1.ConfigMap) { c.Data[registry.IndexKey] = "{" }},
		{"sets another generation", func(c *corev1.ConfigMap) { w.handGeneration(c) }},
		{"garbles the entries", func(c *corev1.ConfigMap) {
			for name := range c.Data {
				if name != registry.IndexKey {
					c.Data[name] += " "
				}
			}
		}},
		{"removes an entry", func(c *corev1.ConfigMap) {
			delete(c.Data, fmt.Sprintf("k%d", w.dice.n(taskKeys)))
		}},
		{"adds binary data", func(c *corev1.ConfigMap) { c.BinaryData = map[string][]byte{"x": {1}} }},
		{"sets a source of the future", func(c *corev1.ConfigMap) { setSource(c, fmt.Sprint(w.api.version+1000)) }},
		{"sets a source of the past", func(c *corev1.ConfigMap) { setSource(c, "3") }},
		{"garbles the source", func(c *corev1.ConfigMap) { setSource(c, "x") }},
		{"makes it immutable", func(c *corev1.ConfigMap) { c.Immutable = ptr.To(true) }},
		{"reverts it", func(c *corev1.ConfigMap) { w.revert(c) }},
		{"deletes it", nil},
	}
	e := edits[w.dice.n(len(edits))]
	w.logf("a hand at the index: %s", e.name)
	if e.edit == nil {
		_ = w.api.delete(live.Name, "", hand, nil)
		return
	}
	w.api.edit(live.Name, e.edit)
}

func setSource(c *corev1.ConfigMap, source string) {
	if c.Annotations == nil {
		c.Annotations = map[string]string{}
	}
	c.Annotations[registry.SourceAnnotation] = source
}

func (w *world) handGeneration(c *corev1.ConfigMap) {
	index, err := registry.DecodeIndex(c)
	if err != nil {
		return
	}
	index.Generation = max(1, index.Generation+[]int64{-1, 1, 100, -100}[w.dice.n(4)])
	c.Data[registry.IndexKey], _ = index.Encode()
}

// revert makes the index hold what it held some time ago.
func (w *world) revert(c *corev1.ConfigMap) {
	at := len(w.api.mapsLog) - 1 - w.dice.n(20)
	if at < 0 {
		return
	}
	if old := w.api.mapsLog[at].objects[c.Name]; old != nil && registry.Owned(old) {
		c.Data = maps.Clone(old.Data)
	}
}

// shardNames returns the shards that there are.
func (w *world) shardNames() []string {
	var names []string
	for name := range w.api.configMaps {
		if registry.IsShardName(name) && !w.others[name] {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// handShard deletes a shard, or puts another in its place.
func (w *world) handShard() {
	names := w.shardNames()
	if len(names) == 0 {
		return
	}
	name := names[w.dice.n(len(names))]
	live := w.api.configMaps[name]
	n := w.dice.n(4)
	w.logf("a hand at shard %s: way %d", name, n)
	_ = w.api.delete(name, "", hand, nil)
	next := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: registry.Labels(registry.RoleShard)}, Data: maps.Clone(live.Data), Immutable: live.Immutable,
	}
	switch n {
	case 0:
		return
	case 1: // the same, made anew
	case 2:
		next.Data["k0"] = "other"
	case 3:
		next.Immutable = nil
	}
	_, _ = w.api.create(next, hand, nil) // a finalizer may hold the old one
}

// filler is as much as annotations can hold: with one more, the API server refuses the object.
var filler = strings.Repeat("x", validation.TotalAnnotationSizeLimitB-1)

// handMeta edits the metadata of one of the registry's ConfigMaps.
func (w *world) handMeta() {
	names := append(w.shardNames(), registry.ConfigMapName)
	name := names[w.dice.n(len(names))]
	if w.api.configMaps[name] == nil || w.others[name] {
		return
	}
	edits := []func(*corev1.ConfigMap){
		func(c *corev1.ConfigMap) { delete(c.Labels, registry.RoleLabel) },
		func(c *corev1.ConfigMap) { c.Labels = nil },
		func(c *corev1.ConfigMap) { c.Labels = map[string]string{registry.RoleLabel: "mine"} },
		func(c *corev1.ConfigMap) { c.Finalizers = []string{"example.com/hold"} },
		func(c *corev1.ConfigMap) {
			c.OwnerReferences = []metav1.OwnerReference{{Name: "gone", Kind: "ConfigMap", UID: "gone"}}
		},
		func(c *corev1.ConfigMap) { c.Annotations = map[string]string{"a": filler} },
		func(c *corev1.ConfigMap) { c.Immutable = ptr.To(true) },
		nil,
	}
	n := w.dice.n(len(edits))
	w.logf("a hand at the metadata of %s: way %d", name, n)
	if edits[n] == nil {
		w.api.strip(name)
		return
	}
	w.api.edit(name, edits[n])
}

// handForges replaces an entry that the registry serves, so that everything fits together.
func (w *world) handForges() {
	live := w.api.configMaps[registry.ConfigMapName]
	if live == nil {
		return
	}
	index, err := registry.DecodeIndex(live)
	if err != nil || len(index.Shards) != 1 || index.Shards[0].Name != registry.ConfigMapName {
		return
	}
	key := fmt.Sprintf("k%d", w.dice.n(taskKeys))
	e, err := registry.DecodeEntry(live.Data[key])
	if err != nil {
		return
	}
	e.Description = ptr.To("forged")
	if w.dice.one(4) {
		e.Kubernetes.Generation = 0 // the API server counts from 1
	}
	item, err := e.Encode()
	if err != nil {
		return
	}
	w.logf("a hand forges the entry %s", key)
	w.api.edit(live.Name, func(c *corev1.ConfigMap) {
		c.Data[key] = item.Text
		index.Shards[0].Digest = registry.ContentDigest(c.Data)
		c.Data[registry.IndexKey], _ = index.Encode()
	})
	forged := taskKey{e.Kubernetes.UID, e.Kubernetes.Generation}
	w.audit.forged[item.Digest] = forged
	for state := range nodeStates { // and with the placement on other nodes
		if f := w.facts[taskKey{e.Kubernetes.UID, e.Kubernetes.Generation}]; f != nil {
			moved, _ := item.WithPlacement(w.placementOn(f, state))
			w.audit.forged[moved.Digest] = forged
		}
	}
}

// handCopies keeps a copy of a shard, label and all, under a name that is no shard's.
func (w *world) handCopies() {
	names := w.shardNames()
	if len(names) == 0 {
		return
	}
	live := w.api.configMaps[names[w.dice.n(len(names))]]
	w.other(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "copy-of-" + live.Name, Labels: live.Labels}, Data: live.Data, Immutable: live.Immutable})
}

// other makes a ConfigMap that the operator must not touch.
func (w *world) other(object *corev1.ConfigMap) {
	created, err := w.api.create(object, hand, nil)
	if err != nil {
		return
	}
	w.logf("someone makes %s", object.Name)
	w.others[object.Name] = true
	w.audit.made[created.UID] = true
}

// otherShard makes a ConfigMap that has the name of a shard that the registry needs, or may need after a change.
func (w *world) otherShard() {
	var names []string
	for _, shard := range registry.Split(w.expect(nil).items(), w.shardSize) {
		names = append(names, shard.Name)
	}
	for _, at := range w.api.mapsLog[max(0, len(w.api.mapsLog)-10):] {
		for name := range at.objects {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	names = slices.DeleteFunc(slices.Compact(names), func(name string) bool { return !registry.IsShardName(name) || w.api.configMaps[name] != nil })
	if len(names) > 0 {
		w.other(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: names[w.dice.n(len(names))]}, Data: map[string]string{"x": "y"}})
	}
}

// otherIndex makes a ConfigMap maze-registry that is someone else's, in place of the operator's.
func (w *world) otherIndex() {
	if live := w.api.configMaps[registry.ConfigMapName]; live != nil {
		_ = w.api.delete(live.Name, "", hand, nil)
	}
	w.other(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: registry.ConfigMapName}, Data: map[string]string{"x": strings.Repeat("y", 10)}})
}

// otherGoes removes a ConfigMap that is someone else's.
func (w *world) otherGoes() {
	names := slices.Sorted(maps.Keys(w.others))
	if len(names) == 0 {
		return
	}
	name := names[w.dice.n(len(names))]
	w.logf("someone removes %s", name)
	_ = w.api.delete(name, "", hand, nil)
	delete(w.others, name)
}
