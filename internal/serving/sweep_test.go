package serving_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/internal/serving"
)

// given returns a registry that has given up its first shards, which are still there, and their names.
func given(t *testing.T) (*bench, []string) {
	b := sharded(t)
	before := b.shards()
	b.sweep = false
	b.onNodes(1)
	b.published()
	b.sweep = true
	return b, before
}

// without checks that none of some ConfigMaps is there, and that the memory has no garbage.
func (b *bench) without(names []string) {
	b.t.Helper()
	for _, name := range names {
		if b.api.configMaps[name] != nil {
			b.t.Errorf("%s is still there", name)
		}
	}
	if b.memory.HasGarbage() {
		b.t.Error("garbage is remembered")
	}
}

// unmark takes the operator's marks off a ConfigMap: whoever does that keeps it.
func (b *bench) unmark(name string) {
	b.api.edit(name, func(c *corev1.ConfigMap) { c.Labels = nil })
	b.api.strip(name)
}

// refusals are answers that say that an object is gone, or another one.
var refusals = map[string]error{
	"NotFound": apierrors.NewNotFound(configMapResource, "x"),
	"Conflict": apierrors.NewConflict(configMapResource, "x", errors.New("a proxy says so")),
}

// TestDoubtedDeletion: an answer which says that a shard is gone, and is not true, is not believed. One that comes again and again is a failure.
func TestDoubtedDeletion(t *testing.T) {
	for name, refusal := range refusals {
		for _, always := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				b, before := given(t)
				refused := 0
				b.answer = func(c *call) bool {
					if c.verb != serving.Delete || !always && refused > 0 {
						return false
					}
					refused++
					c.err = refusal
					return true
				}
				p, _ := b.pass()
				if got := errors.Is(p.Failure(), refusal); got != always || !p.Published() {
					t.Errorf("published %t, failure %v", p.Published(), p.Failure())
				}
				b.answer = nil
				b.published()
				b.without(before)
			})
		}
	}
}

// TestDeletedShardsAreRemembered: a cache that is behind shows shards that are deleted. Nothing is done about it, and after a while they are
// forgotten.
func TestDeletedShardsAreRemembered(t *testing.T) {
	b, before := given(t)
	behind := b.observation().Shards
	b.published()
	b.without(before)
	var sent []string
	for range 3 {
		b.now = b.now.Add(5 * time.Second)
		seen := b.observation()
		seen.Shards = behind
		b.run(seen)
		sent = append(sent, b.sent...)
	}
	expect(t, "requests", nil, sent)
	b.now = b.now.Add(2 * time.Minute)
	b.published()
	expect(t, "dropped shards that are remembered", 0, b.memory.Dropped())
}

// TestOrphanThatGoes: what a cache has shown as an orphan goes, is made anew or is taken over before the operator deletes it.
func TestOrphanThatGoes(t *testing.T) {
	const orphan = "maze-registry-0-0000000000"
	cases := map[string]struct {
		hand func(*bench)
		// behind reports whether the cache does not show that yet.
		behind   bool
		wantSent []string
		wantKept bool
	}{
		"It goes": {hand: func(b *bench) { _ = b.api.delete(orphan, "", hand, nil) }},
		"It goes, and the cache does not show it": {
			hand: func(b *bench) { _ = b.api.delete(orphan, "", hand, nil) }, behind: true, wantSent: []string{"get " + orphan},
		},
		"It is made anew": {
			hand: func(b *bench) {
				_ = b.api.delete(orphan, "", hand, nil)
				b.leave(orphan)
			},
			behind: true, wantSent: []string{"get " + orphan}, wantKept: true,
		},
		"Someone keeps it": {
			hand: func(b *bench) { b.unmark(orphan) }, behind: true, wantSent: []string{"get " + orphan}, wantKept: true,
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.add("a", "x", nil)
			b.published("a")
			b.leave(orphan)
			b.published()
			last := b.observation().Shards
			tc.hand(b)
			b.now = b.now.Add(5 * time.Second)
			seen := b.observation()
			if tc.behind {
				seen.Shards = last
			}
			if p, _ := b.run(seen); p.Failure() != nil {
				t.Error(p.Failure())
			}
			expect(t, "requests", tc.wantSent, b.sent)
			expect(t, "kept", tc.wantKept, b.api.configMaps[orphan] != nil)
			expect(t, "has garbage", false, b.memory.HasGarbage())
		})
	}
}

// TestHeldShards: a finalizer or an owner that others give a shard does not keep it from being deleted.
func TestHeldShards(t *testing.T) {
	hold := func(c *corev1.ConfigMap) { c.Finalizers = []string{"example.com/hold"} }
	t.Run("One that is given up", func(t *testing.T) {
		b, before := given(t)
		b.api.edit(before[0], hold)
		b.published()
		b.published()
		b.without(before)
	})
	t.Run("One that a process finds as it starts, and does not need", func(t *testing.T) {
		b := sharded(t)
		before := b.shards()
		b.api.edit(before[0], hold)
		b.restart()
		b.onNodes(1)
		for range 3 {
			b.published()
		}
		b.without(before)
	})
	t.Run("One that a dead process has left", func(t *testing.T) {
		b := sharded(t)
		const orphan = "maze-registry-0-0000000000"
		b.leave(orphan)
		b.api.edit(orphan, hold)
		for range 3 {
			b.published()
			b.now = b.now.Add(5 * time.Second)
		}
		b.without([]string{orphan})
	})
}

// TestShardThatSomeoneKeeps: someone takes the operator's marks off a shard that is given up. It is theirs then, whatever the operator had in
// hand.
func TestShardThatSomeoneKeeps(t *testing.T) {
	refused := func(verb serving.Verb, name string) func(*call) bool {
		return func(c *call) bool {
			c.err = errLost
			return c.verb == verb && c.object.Name == name
		}
	}
	cases := map[string]func(b *bench, name string){
		"At once": func(*bench, string) {},
		"After its name was needed again, and could not be read": func(b *bench, name string) {
			b.onNodes(0)
			b.answer = refused(serving.Get, name)
			if p, _ := b.pass(); !errors.Is(p.Failure(), errLost) || !slices.Contains(b.sent, "get "+name) {
				b.t.Fatalf("failure %v, sent %v", p.Failure(), b.sent)
			}
			b.onNodes(1)
		},
		"After it could not be deleted": func(b *bench, name string) {
			b.onNodes(0)
			deleted := false
			b.answer = func(c *call) bool {
				switch {
				case c.object.Name != name:
					return false
				case c.verb == serving.Delete:
					c.err, deleted = refusals["Conflict"], true
				case deleted:
					c.err = errLost
				}
				return c.err != nil
			}
			if p, _ := b.pass(); !errors.Is(p.Failure(), errLost) || !deleted {
				b.t.Fatalf("failure %v, sent %v", p.Failure(), b.sent)
			}
			b.onNodes(1)
		},
	}
	for name, before := range cases {
		t.Run(name, func(t *testing.T) {
			b, shards := given(t)
			b.sweep = false
			before(b, shards[0])
			b.answer = nil
			b.unmark(shards[0])
			b.sweep = true
			for range 3 {
				if p, _ := b.pass(); p.Failure() != nil {
					t.Error(p.Failure())
				}
			}
			if b.api.configMaps[shards[0]] == nil {
				t.Errorf("%s is deleted", shards[0])
			}
			b.without(shards[1:])
		})
	}
}

// TestSweepIsBounded: however much there is to delete, so many requests are sent at once.
func TestSweepIsBounded(t *testing.T) {
	b := many(t, 100, smallShards)
	for name := range b.api.tasks {
		b.api.deleteTask(name, b.now)
	}
	seen := b.observation()
	seen.Complete = true
	b.run(seen)
	b.published()
	expect(t, "shards", 0, len(b.shards()))
	index, _ := registry.DecodeIndex(b.api.configMaps[registry.ConfigMapName])
	expect(t, "tasks", 0, index.Tasks)
}
