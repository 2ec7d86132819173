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

var errLost = errors.New("connection reset by peer")

// sharded is a registry of three tasks for GPUs in several shards. All of them change with the nodes.
func sharded(t *testing.T) *bench {
	b := newBench(t)
	b.options.ShardSize = smallShards
	for i := range 3 {
		b.add(fmt.Sprintf("t%d", i), fmt.Sprintf("k%d", i), func(t *v1alpha1.MazeTask) { t.Spec.Resources.Type = v1alpha1.ResourceTypeGPU })
	}
	b.published()
	if len(b.shards()) < 2 {
		t.Fatalf("want some shards, got %v", b.shards())
	}
	return b
}

// onNodes changes the nodes.
func (b *bench) onNodes(state int) {
	b.nodes = resolverOf(state)
	b.changes++
}

// shards returns the names of the shards that there are.
func (b *bench) shards() []string {
	var names []string
	for name := range b.api.configMaps {
		if registry.IsShardName(name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// all is an observation of all tasks.
func (b *bench) all() serving.Observation {
	seen := b.observation(slices.Collect(maps.Keys(b.api.tasks))...)
	seen.Complete = true
	return seen
}

// leave makes a shard as a dead process leaves it.
func (b *bench) leave(name string) {
	b.t.Helper()
	_, err := b.api.create(&corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: registry.Labels(registry.RoleShard)}, Data: map[string]string{"x": "y"}, Immutable: ptr.To(true),
	}, operator, &call{})
	if err != nil {
		b.t.Fatal(err)
	}
}

// TestEachFenceWrites: of two leftovers, one after the other, each is deleted after a write of the index that changes its resourceVersion.
func TestEachFenceWrites(t *testing.T) {
	b := newBench(t)
	b.add("a", "x", nil)
	b.published("a")
	for i := range 2 {
		b.leave(fmt.Sprintf("maze-registry-0-000000000%d", i))
		before := b.api.configMaps[registry.ConfigMapName].ResourceVersion
		for range 2 {
			b.published()
			b.now = b.now.Add(5 * time.Second)
		}
		if now := b.api.configMaps[registry.ConfigMapName].ResourceVersion; len(b.shards()) > 0 || now == before {
			t.Errorf("leftover %d: the shards are %v, and the index is as of %s, before it was %s", i, b.shards(), now, before)
		}
	}
}

// TestLateIndexWrite: a write of the index of which no answer came arrives late, after its shards have turned out not to be needed. It must
// find them, or be refused.
func TestLateIndexWrite(t *testing.T) {
	other := sharded(t)
	other.onNodes(1)
	before := other.shards()
	other.published()
	needed := slices.DeleteFunc(other.shards(), func(name string) bool { return slices.Contains(before, name) })
	for passes := range 4 {
		t.Run(fmt.Sprintf("%d passes", passes), func(t *testing.T) {
			b := sharded(t)
			b.leave(needed[0]) // so that the index is written once before, to make it anew
			b.onNodes(1)
			var late *call
			b.answer = func(c *call) bool {
				if c.verb != serving.Update || c.object.Name != registry.ConfigMapName || c.object.Annotations[registry.FenceAnnotation] != "" {
					return false
				}
				late, c.err = c, errLost
				return true
			}
			if p, _ := b.pass(); p.Published() || late == nil || !slices.Contains(b.sent, "delete "+needed[0]) {
				t.Fatalf("published %t, sent %v", p.Published(), b.sent)
			}
			b.answer = nil
			b.onNodes(0)
			for range passes {
				b.published()
			}
			_, _ = b.api.do(late)
			expect(t, "entries", 3, len(b.entries()))
			b.published()
			expect(t, "entries", 3, len(b.entries()))
		})
	}
}

// losesAnswers has updates be carried out, and their answers be lost.
func (b *bench) losesAnswers() {
	b.answer = func(c *call) bool {
		if c.verb != serving.Update {
			return false
		}
		_, _ = b.api.do(c)
		c.err = errLost
		return true
	}
}

// TestLostAnswer: the index was written, and no answer came. No entry is written again, and the shards from before are deleted behind a
// fence: the write that was found may be another process's of equal content, and that one goes on from it.
func TestLostAnswer(t *testing.T) {
	b := sharded(t)
	before := b.shards()
	b.restart()
	b.published()
	b.onNodes(1)
	b.losesAnswers()
	p, outcomes := b.pass()
	if !errors.Is(p.Failure(), errLost) || len(outcomes) != 3 {
		t.Fatalf("failure %v, outcomes %v", p.Failure(), reasons(outcomes))
	}
	b.answer = nil
	b.sweep = false
	expect(t, "outcomes", map[string]string{"t0": "Valid Served", "t1": "Valid Served", "t2": "Valid Served"}, reasons(b.published()))
	expect(t, "requests", []string{"get maze-registry"}, b.sent)
	b.sweep = true
	b.published()
	var want []string
	for _, name := range before {
		want = append(want, "delete "+name)
	}
	want = append(want, "update maze-registry")
	expect(t, "requests", want, slices.Sorted(slices.Values(b.sent)))
}

// TestLostAnswerGivesUp: the index was written, and no answer came. The shards that it ceased to name are never named again: another process may
// have sent their deletion since.
func TestLostAnswerGivesUp(t *testing.T) {
	b := sharded(t)
	before := maps.Clone(b.api.configMaps)
	b.onNodes(1)
	b.sweep = false
	b.losesAnswers()
	b.pass()
	b.answer = nil
	b.onNodes(0)
	b.published()
	expect(t, "entries", 3, len(b.entries()))
	for _, name := range b.shards() {
		if last := before[name]; last != nil && last.UID == b.api.configMaps[name].UID {
			t.Errorf("%s is named again", name)
		}
	}
}

// TestContended: others are always quicker. The pass ends, and says so.
func TestContended(t *testing.T) {
	b := newBench(t)
	b.add("a", "x", nil)
	b.published("a")
	b.add("a", "", described("edited"))
	b.restart()
	b.answer = func(c *call) bool {
		if c.verb == serving.Update {
			b.api.edit(c.object.Name, func(c *corev1.ConfigMap) { c.Annotations["example.com/n"] = b.api.next() })
		}
		return false
	}
	p, outcomes := b.pass()
	if !errors.Is(p.Failure(), serving.ErrContended) || len(b.sent) > 200 {
		t.Errorf("failure %v after %d requests", p.Failure(), len(b.sent))
	}
	expect(t, "outcomes", map[string]string{"a": "Valid Publishing"}, reasons(outcomes))
}

// TestDisturbed: a pass that cannot put right what a hand has done says that the registry is disturbed, until one can.
func TestDisturbed(t *testing.T) {
	cases := map[string]func(*bench){
		"A shard is gone": func(b *bench) { _ = b.api.delete(b.shards()[0], "", hand, nil) },
		"The index is edited": func(b *bench) {
			b.api.edit(registry.ConfigMapName, func(c *corev1.ConfigMap) { c.Data[registry.IndexKey] = "{" })
		},
	}
	for name, edit := range cases {
		t.Run(name, func(t *testing.T) {
			b := sharded(t)
			edit(b)
			b.answer = func(c *call) bool {
				c.err = errLost
				return c.verb != serving.Get
			}
			p, outcomes := b.run(b.all())
			if !p.Disturbed() {
				t.Error("not disturbed")
			}
			if o := outcomes["t0"]; name == "The index is edited" && (o == nil || o.Registered.Reason != v1alpha1.ReasonPublishing || o.Entry != nil) {
				t.Errorf("got the outcomes %v", reasons(outcomes))
			}
			b.answer = nil
			if p, _ := b.pass(); !p.Disturbed() || !p.Published() {
				t.Errorf("as it is put right: disturbed %t, published %t", p.Disturbed(), p.Published())
			}
			if p, _ := b.pass(); p.Disturbed() {
				t.Errorf("after that: disturbed")
			}
		})
	}
}

// TestShardReplaced: a hand has put another object in a shard's place. It does not count, however much it looks like the shard.
func TestShardReplaced(t *testing.T) {
	cases := map[string]func(*corev1.ConfigMap){
		"The same, made anew": func(*corev1.ConfigMap) {},
		"Other entries": func(c *corev1.ConfigMap) {
			for name := range c.Data {
				c.Data[name] = strings.Replace(c.Data[name], `"type":"gpu"`, `"type":"cpu"`, 1)
			}
		},
		"One entry more":  func(c *corev1.ConfigMap) { c.Data["other"] = "{}" },
		"Binary data":     func(c *corev1.ConfigMap) { c.BinaryData = map[string][]byte{"x": {1}} },
		"Not immutable":   func(c *corev1.ConfigMap) { c.Immutable = nil },
		"Without a label": func(c *corev1.ConfigMap) { delete(c.Labels, registry.RoleLabel) },
		"With an owner":   func(c *corev1.ConfigMap) { c.OwnerReferences = []metav1.OwnerReference{{Name: "x", UID: "x"}} },
		"With a finalizer": func(c *corev1.ConfigMap) {
			c.Finalizers = []string{"example.com/hold"}
		},
	}
	for name, edit := range cases {
		for _, restart := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, restart %t", name, restart), func(t *testing.T) {
				b := sharded(t)
				entries, shard := b.entries(), b.shards()[0]
				live := b.api.configMaps[shard]
				next := &corev1.ConfigMap{
					ObjectMeta: metav1.ObjectMeta{Name: shard, Labels: registry.Labels(registry.RoleShard)}, Data: maps.Clone(live.Data), Immutable: ptr.To(true),
				}
				edit(next)
				_ = b.api.delete(shard, "", hand, nil)
				if _, err := b.api.create(next, operator, &call{}); err != nil {
					t.Fatal(err)
				}
				if restart {
					b.restart()
				}
				p, _ := b.pass()
				if !p.Published() || p.Disturbed() == restart {
					t.Errorf("published %t, disturbed %t, failure %v", p.Published(), p.Disturbed(), p.Failure())
				}
				expect(t, "entries", entries, b.entries())
				after := b.api.configMaps[shard]
				if !ptr.Deref(after.Immutable, false) || len(after.BinaryData)+len(after.Finalizers)+len(after.OwnerReferences) > 0 ||
					!registry.HasRole(after, registry.RoleShard) {
					t.Errorf("got %+v", after)
				}
				b.published()
				b.published()
				expect(t, "requests of a pass with nothing to do", 0, len(b.sent))
			})
		}
	}
}
