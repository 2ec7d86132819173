package serving_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/registry"
)

// lastAccepted is a registry that serves the first generation of a task for GPUs, as the second one is refused. The description has n bytes.
func lastAccepted(t *testing.T, shardSize, n int) *bench {
	b := newBench(t)
	b.options.ShardSize = shardSize
	b.add("a", "x", func(t *v1alpha1.MazeTask) {
		described(strings.Repeat("x", n))(t)
		t.Spec.Resources.Type = v1alpha1.ResourceTypeGPU
	})
	b.report(b.published("a"))
	b.add("a", "", broken)
	b.report(b.published("a"))
	return b
}

// largest returns the length of the longest description that fits.
func largest(t *testing.T) int {
	for n := 1700; n > 0; n-- {
		b := newBench(t)
		b.options.ShardSize = smallShards
		b.add("a", "x", func(t *v1alpha1.MazeTask) {
			described(strings.Repeat("x", n))(t)
			t.Spec.Resources.Type = v1alpha1.ResourceTypeGPU
		})
		if b.published("a"); len(b.entries()) == 1 {
			return n
		}
	}
	t.Fatal("nothing fits")
	return 0
}

func (b *bench) entry() registry.Item {
	b.t.Helper()
	item, err := registry.Decode(b.api.configMaps[registry.ConfigMapName].Data["x"])
	if err != nil {
		b.t.Fatalf("entry x: %v", err)
	}
	return item
}

const servingLast = "InvalidSchema ServingLastAccepted"

// TestLastAcceptedFollowsNodes: the entry that is served on for a refused generation is placed anew, with and without a restart, unless it would
// not fit any more.
func TestLastAcceptedFollowsNodes(t *testing.T) {
	for name, n := range map[string]int{"It fits": 0, "It would not fit": largest(t)} {
		for _, restart := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				b := lastAccepted(t, smallShards, n)
				before := b.entry()
				b.onNodes(1)
				if restart {
					b.restart()
				}
				outcomes := b.published()
				o := outcomes["a"]
				if o == nil || o.Entry == nil || o.Entry.Generation != 1 || o.Entry.Digest != b.entry().Digest {
					t.Fatalf("got the outcome %+v", o)
				}
				expect(t, "outcomes", map[string]string{"a": servingLast}, reasons(outcomes))
				expect(t, "as before", n > 0, b.entry().Text == before.Text)
				b.onNodes(0)
				b.published()
				expect(t, "entry on the nodes from before", before.Text, b.entry().Text)
			})
		}
	}
}

// TestLastAcceptedFollowsRules: an operator with other rules for predictors applies them to what it serves on, unless that would not fit.
func TestLastAcceptedFollowsRules(t *testing.T) {
	for name, n := range map[string]int{"It fits": 0, "It would not fit": largest(t)} {
		t.Run(name, func(t *testing.T) {
			b := lastAccepted(t, smallShards, n)
			b.restart()
			b.options.Predictors = registry.PredictorRules{{Contains: "x", ToolType: strings.Repeat("y", 50)}}
			outcomes := b.published()
			expect(t, "outcomes", map[string]string{"a": servingLast}, reasons(outcomes))
			want := ""
			if n == 0 {
				want = b.options.Predictors[0].ToolType
			}
			expect(t, "tool type", want, outcomes["a"].Predictor)
			expect(t, "tool type of the entry", want, b.entry().Predictor)
		})
	}
}

// TestOverwrote: a task that takes a name says from whom, as long as it has it.
func TestOverwrote(t *testing.T) {
	b := newBench(t)
	steps := []struct {
		name string
		edit func(*v1alpha1.MazeTask)
		want map[string]string // of those that are served
	}{
		{name: "z", want: map[string]string{"z": ""}},
		{name: "m", want: map[string]string{"m": "z"}},
		{name: "m", edit: described("edited"), want: map[string]string{"m": "z"}},
		{name: "n", want: map[string]string{"n": "m"}},
		{name: "z", edit: described("edited"), want: map[string]string{"n": "m"}},
	}
	last := map[string]string{}
	for i, step := range steps {
		b.add(step.name, "x", step.edit)
		for name, o := range b.published(step.name) {
			if delete(last, name); o.Registered.OK {
				last[name] = o.Overwrote
			}
		}
		if !maps.Equal(step.want, last) {
			t.Errorf("step %d: want %v, got %v", i, step.want, last)
		}
	}
	b.restart()
	expect(t, "after a restart", "z", b.published()["n"].Overwrote) // the last of those that claim it in vain
}

// TestForeignShards: others' ConfigMaps have the names of two shards. The tasks of each are told which one, and all others are served.
func TestForeignShards(t *testing.T) {
	b := many(t, 12, smallShards)
	shards := b.shards()
	held := map[string]string{} // by task
	for _, name := range []string{shards[0], shards[len(shards)-1]} {
		for key := range b.api.configMaps[name].Data {
			held["task-"+strings.TrimPrefix(key, "key-")] = name
		}
	}
	for _, name := range append(shards, registry.ConfigMapName) {
		_ = b.api.delete(name, "", hand, nil)
	}
	b.foreign(shards[0])
	b.foreign(shards[len(shards)-1])
	b.restart()
	p, outcomes := b.pass()
	if p.Failure() != nil || len(outcomes) != 12 {
		t.Fatalf("failure %v, outcomes %v", p.Failure(), reasons(outcomes))
	}
	for name, o := range outcomes {
		foreign := held[name]
		if o.Registered.OK != (foreign == "") || !strings.Contains(o.Registered.Message, "ConfigMap "+foreign) {
			t.Errorf("%s: want ConfigMap %q told, got %+v", name, foreign, o.Registered)
		}
	}
	expect(t, "entries", 12-len(held), len(b.entries()))
	if names := b.shards(); !slices.Contains(names, shards[0]) {
		t.Errorf("the shards are %v", names)
	}
}
