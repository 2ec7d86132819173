package serving_test

import (
	"testing"

	corev1 "k8s.io/api/core/v1"

	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/internal/serving"
)

// contest runs a pass of which the program says that others change the registry again and again.
func (b *bench) contest(seen serving.Observation) map[string]*serving.Outcome {
	b.contested = true
	defer func() { b.contested = false }()
	_, outcomes := b.run(seen)
	return outcomes
}

// TestContest: while others change the registry again and again, each task that has an entry says so, and where its last entry is. Once they
// stop, each says again what it said before.
func TestContest(t *testing.T) {
	b := newBench(t)
	b.add("a", "x", nil)
	b.add("bad", "y", broken)
	b.report(b.published("a", "bad"))
	contested := map[string]string{"a": "Valid RegistryConflict", "bad": "InvalidSchema InvalidSpec"}
	outcomes := b.contest(b.observation())
	expect(t, "outcomes", contested, reasons(outcomes))
	if o := outcomes["a"]; o.Entry == nil || o.Entry.Generation != 1 || o.Placement == nil {
		t.Errorf("got %+v", o)
	}
	expect(t, "Registry().Conflict", true, b.memory.Registry().Conflict)
	expect(t, "outcomes while it lasts", map[string]string{"a": "Valid RegistryConflict"}, reasons(b.contest(b.observation())))
	expect(t, "outcomes after it", map[string]string{"a": "Valid Served", "bad": "InvalidSchema InvalidSpec"}, reasons(b.published()))
	expect(t, "Registry().Conflict after it", false, b.memory.Registry().Conflict)
	expect(t, "outcomes after that", map[string]string{}, reasons(b.published()))
}

// TestContestWhileBehind: others give the index a source that no view reaches. So nothing can be decided, and each task says what its status
// has, and that others change the registry.
func TestContestWhileBehind(t *testing.T) {
	b := newBench(t)
	b.add("a", "x", nil)
	b.add("going", "y", nil)
	b.report(b.published("a", "going"))
	view := b.observation().View
	edit := func() {
		b.api.edit(registry.ConfigMapName, func(c *corev1.ConfigMap) { setSource(c, "x") })
	}
	edit()
	b.restart()
	held := b.api.tasks["going"].DeepCopy()
	held.DeletionTimestamp, held.Finalizers = &held.CreationTimestamp, []string{"example.com/hold"}
	b.api.storeTask("going", held)
	behind := func() serving.Observation {
		seen := b.observation()
		seen.View, seen.Source = view, view
		return seen
	}
	_, outcomes := b.run(behind())
	expect(t, "outcomes at first", map[string]string{}, reasons(outcomes))

	b.add("new", "z", nil)
	status := b.api.tasks["a"].Status
	outcomes = b.contest(behind())
	expect(t, "outcomes", map[string]string{"a": "Valid RegistryConflict", "new": "Valid RegistryConflict"}, reasons(outcomes))
	expect(t, "entry", status.Entry, outcomes["a"].Entry)
	expect(t, "tool type", status.Predictor, outcomes["a"].Predictor)
	expect(t, "placement", status.Placement, outcomes["a"].Placement)

	b.api.deleteTask("new", b.now)
	expect(t, "outcomes once one is gone", map[string]string{"a": "Valid RegistryConflict"}, reasons(b.contest(behind())))
	expect(t, "outcomes after it", map[string]string{"a": "Valid Served", "going": "Valid Terminating", "new": "gone"}, reasons(b.published()))
	expect(t, "outcomes after that", map[string]string{}, reasons(b.published()))
}

// TestViewBeforeLive: after the tasks were read from the API server, a cache that has not seen as much yet is no ground to decide on.
func TestViewBeforeLive(t *testing.T) {
	b := newBench(t)
	b.add("a", "x", nil)
	b.published("a")
	cache := b.observation("a")
	b.add("a", "", described("edited"))
	live := b.observation("a")
	live.Complete, live.Live = true, true
	if p, _ := b.run(live); !p.Published() {
		t.Fatalf("not published: %v", p.Failure())
	}
	p, outcomes := b.run(cache)
	if !p.Behind() || len(outcomes) > 0 || len(b.sent) > 0 || !b.memory.NeedsAll() {
		t.Errorf("behind %t, outcomes %v, sent %v, needs all %t", p.Behind(), reasons(outcomes), b.sent, b.memory.NeedsAll())
	}
	expect(t, "entries", map[string]string{"x": "a@2"}, b.entries())
	b.published()
	expect(t, "entries", map[string]string{"x": "a@2"}, b.entries())
}
