package serving_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/internal/serving"
)

// TestSourceVersion: a view that is older than the registry's source decides nothing, unless that source is not of this cluster.
func TestSourceVersion(t *testing.T) {
	cases := map[string]struct {
		source string
		view   string
		want   bool // published
	}{
		"A later view":           {source: "98", view: "99", want: true},
		"The same view":          {source: "99", view: "99", want: true},
		"An older view":          {source: "99", view: "98"},
		"Older by a digit":       {source: "100", view: "99"},
		"A source of the future": {source: "100000", view: "400", want: true},
		"Likewise, and a view that is older than the index": {source: "100000", view: "99"},
		"A source that is none":                             {source: "x", view: "400", want: true},
		"Likewise, and a view older than the index":         {source: "x", view: "99"},
		"No source": {source: "", view: "400", want: true},
		"No source, and a view that is older than the index": {source: "", view: "99"},
		"A view that is no more":                             {source: "3", view: "2"},
		"A source that is zeroes":                            {source: "000", view: "400", want: true},
		"Zeroes, and a view that is older than the index":    {source: "000", view: "99"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.add("a", "x", nil)
			b.published("a")
			b.api.edit(registry.ConfigMapName, func(c *corev1.ConfigMap) { setSource(c, tc.source) })
			b.add("a", "", described("edited"))
			b.restart()
			b.api.version = max(b.api.version, 200)
			b.api.edit(registry.ConfigMapName, func(c *corev1.ConfigMap) { c.Annotations["example.com/x"] = "y" }) // after the source
			seen := b.observation()
			seen.View, seen.Source = tc.view, tc.view
			p, outcomes := b.run(seen)
			if p.Published() != tc.want || p.Behind() == tc.want || (len(outcomes) > 0) != tc.want || p.Wrote() != tc.want {
				t.Errorf("published %t, behind %t, outcomes %v, wrote %t: want published %t", p.Published(), p.Behind(), reasons(outcomes), p.Wrote(), tc.want)
			}
		})
	}
}

// TestSourceWhileRunning: a process does not wait for a view that is as late as what it has written or seen itself.
func TestSourceWhileRunning(t *testing.T) {
	t.Run("Its own source is later than its view", func(t *testing.T) {
		b := newBench(t)
		b.add("a", "x", nil)
		b.api.version += 10
		seen := b.observation("a")
		seen.View = b.api.tasks["a"].ResourceVersion
		for i := range 3 {
			b.add("a", "", described(fmt.Sprintf("edit %d", i)))
			next := b.observation("a")
			next.View = seen.View
			if p, _ := b.run(next); !p.Published() {
				t.Errorf("edit %d: published %t, behind %t, failure %v", i, p.Published(), p.Behind(), p.Failure())
			}
		}
	})
	t.Run("A hand has taken the source away", func(t *testing.T) {
		b := newBench(t)
		b.add("a", "x", nil)
		b.published("a")
		seen := b.observation("a")
		b.api.edit(registry.ConfigMapName, func(c *corev1.ConfigMap) { setSource(c, "") })
		next := b.observation()
		next.View, next.Source, next.Complete, next.Tasks = seen.View, seen.Source, true, seen.Tasks
		if p, _ := b.run(next); !p.Published() {
			t.Errorf("published %t, behind %t, failure %v", p.Published(), p.Behind(), p.Failure())
		}
	})
}

// TestOrphans: what a dead process has left is deleted a while later, and only after the index was written again: so no index that a
// dead process has sent can name it.
func TestOrphans(t *testing.T) {
	b := newBench(t)
	b.add("a", "x", nil)
	b.published("a")
	orphan := registry.Split([]registry.Item{{Name: "x", Text: "1"}, {Name: "k1", Text: strings.Repeat("2", 1000)}}, 1024+1003)[0].ConfigMap(namespace)
	if _, err := b.api.create(orphan, operator, &call{}); err != nil {
		t.Fatal(err)
	}
	b.restart()
	seen := b.observation()
	seen.Now = b.now
	b.run(seen)
	b.run(seen)
	if b.api.configMaps[orphan.Name] == nil || slices.ContainsFunc(b.sent, func(s string) bool { return !strings.HasPrefix(s, "get") }) {
		t.Errorf("at once: sent %v", b.sent)
	}
	b.now = b.now.Add(5 * time.Second)
	b.published()
	expect(t, "requests", []string{"get " + orphan.Name, "update maze-registry", "delete " + orphan.Name}, b.sent)
	b.published()
	expect(t, "requests after that", 0, len(b.sent))
	if b.memory.HasGarbage() {
		t.Error("garbage is remembered")
	}
}

// TestOldViewShowsNoOrphan: a cache that is behind shows a shard whose name another one has had since. It is gone, so nothing is done about it.
func TestOldViewShowsNoOrphan(t *testing.T) {
	b := newBench(t)
	b.options.ShardSize = smallShards
	for i := range 3 {
		b.add(fmt.Sprintf("t%d", i), fmt.Sprintf("k%d", i), func(t *v1alpha1.MazeTask) { t.Spec.Resources.Type = v1alpha1.ResourceTypeGPU })
	}
	b.published()
	first := slices.Sorted(maps.Keys(b.api.configMaps))
	b.nodes = resolverOf(1)
	b.changes++
	b.published()
	b.published() // deletes those from before
	seen := b.observation()
	shown := 0
	for _, name := range first {
		if b.api.configMaps[name] == nil {
			shown++
			seen.Shards = append(seen.Shards, &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{
				Name: name, UID: "of-a-dead-process", ResourceVersion: "1", Labels: registry.Labels(registry.RoleShard),
			}})
		}
	}
	if shown == 0 {
		t.Fatal("want deleted shards")
	}
	var sent []string
	for range 3 {
		b.run(seen)
		sent = append(sent, b.sent...)
		seen.Now = seen.Now.Add(5 * time.Second)
	}
	expect(t, "requests", nil, sent)
}

// TestShardsAreMadeAnew: a shard that is needed again after the index has ceased to name it is another object.
func TestShardsAreMadeAnew(t *testing.T) {
	b := newBench(t)
	b.options.ShardSize, b.sweep = smallShards, false
	for i := range 3 {
		b.add(fmt.Sprintf("t%d", i), fmt.Sprintf("k%d", i), func(t *v1alpha1.MazeTask) { t.Spec.Resources.Type = v1alpha1.ResourceTypeGPU })
	}
	b.published()
	first := maps.Clone(b.api.configMaps)
	states := []int{1, 0}
	for _, state := range states {
		b.nodes = resolverOf(state)
		b.changes++
		b.published()
		b.entries()
	}
	again := 0
	for name, object := range b.api.configMaps {
		if last := first[name]; last != nil && name != registry.ConfigMapName {
			again++
			index, _ := registry.DecodeIndex(b.api.configMaps[registry.ConfigMapName])
			named := slices.ContainsFunc(index.Shards, func(ref registry.ShardRef) bool { return ref.Name == name })
			if named && last.UID == object.UID {
				t.Errorf("shard %s is used again", name)
			}
		}
	}
	if again == 0 {
		t.Error("want the shards from before, made anew")
	}
}

// TestFenceKeepsNewShards: a process has died before it wrote the index. The next one makes that one's shard anew, after the index was written
// as it is, and each other shard once.
func TestFenceKeepsNewShards(t *testing.T) {
	b := newBench(t)
	b.options.ShardSize = smallShards
	b.add("t0", "k0", nil)
	b.published("t0")
	for i := range 5 {
		b.add(fmt.Sprintf("t%d", i), fmt.Sprintf("k%d", i), nil)
	}
	b.answer = func(c *call) bool {
		c.err = errors.New("no route to host")
		return c.verb == serving.Update
	}
	b.pass("t0", "t1", "t2", "t3", "t4")
	var left []string
	for name := range b.api.configMaps {
		if registry.IsShardName(name) {
			left = append(left, name)
		}
	}
	slices.Sort(left)
	if len(left) < 2 {
		t.Fatalf("want some shards, got %v", left)
	}
	for _, name := range left[1:] {
		_ = b.api.delete(name, "", hand, nil)
	}
	b.answer = nil
	b.restart()
	b.published()
	want := map[string]int{"update maze-registry": 2, "delete " + left[0]: 1}
	for _, name := range left {
		want["create "+name] = 1
	}
	got := map[string]int{}
	for _, request := range b.sent {
		if !strings.HasPrefix(request, "get") {
			got[request]++
		}
	}
	expect(t, "writes", want, got)
}

// TestImmutableIndex: an index that a hand has made immutable is made anew, and its generation goes on.
func TestImmutableIndex(t *testing.T) {
	b := newBench(t)
	b.add("a", "x", nil)
	b.published("a")
	b.add("a", "", described("edited"))
	b.published("a")
	b.api.edit(registry.ConfigMapName, func(c *corev1.ConfigMap) { c.Immutable, c.Finalizers = ptr.To(true), []string{"example.com/hold"} })
	b.add("a", "", described("edited again"))
	b.published("a")
	expect(t, "entries", map[string]string{"x": "a@3"}, b.entries())
	index, err := registry.DecodeIndex(b.api.configMaps[registry.ConfigMapName])
	if err != nil || index.Generation != 3 {
		t.Errorf("want generation 3, got %d: %v", index.Generation, err)
	}
}

// TestLargestGeneration: after the largest generation of an index, which a hand can set, come other ones, each once.
func TestLargestGeneration(t *testing.T) {
	b := newBench(t)
	b.add("a", "x", nil)
	b.published("a")
	b.api.edit(registry.ConfigMapName, func(c *corev1.ConfigMap) {
		index, _ := registry.DecodeIndex(c)
		index.Generation = 1<<53 - 1
		c.Data[registry.IndexKey], _ = index.Encode()
	})
	seen := map[int64]bool{}
	for i := range 4 {
		b.add("a", "", described(fmt.Sprintf("edit %d", i)))
		b.published("a")
		index, err := registry.DecodeIndex(b.api.configMaps[registry.ConfigMapName])
		if err != nil || seen[index.Generation] {
			t.Errorf("edit %d: generation %d: %v", i, index.Generation, err)
		}
		seen[index.Generation] = true
	}
	b.published()
	expect(t, "requests of a pass with nothing to do", 0, len(b.sent))
}
