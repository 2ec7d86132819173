package serving_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/internal/serving"
)

const smallShards = 1024 + 1700 // room for one or two entries

// described edits a task's description.
func described(text string) func(*v1alpha1.MazeTask) {
	return func(t *v1alpha1.MazeTask) { t.Spec.Description, t.Spec.InputParameters = text, nil }
}

// broken makes a task's spec invalid.
func broken(t *v1alpha1.MazeTask) {
	t.Spec.InputParameters = &apiextensionsv1.JSON{Raw: []byte(`{"x":{"type":5}}`)}
}

// pass runs a pass on all that has changed.
func (b *bench) pass(changed ...string) (*serving.Pass, map[string]*serving.Outcome) {
	b.t.Helper()
	b.now = b.now.Add(time.Second)
	return b.run(b.observation(changed...))
}

// published runs a pass that must publish: if another has written the index, the one after that.
func (b *bench) published(changed ...string) map[string]*serving.Outcome {
	b.t.Helper()
	p, outcomes := b.pass(changed...)
	if p.Behind() && b.memory.NeedsAll() {
		p, outcomes = b.pass()
	}
	if !p.Published() {
		b.t.Fatalf("not published: conflict %t, behind %t, failure %v", p.Registry().Conflict, p.Behind(), p.Failure())
	}
	return outcomes
}

// report writes the statuses.
func (b *bench) report(outcomes map[string]*serving.Outcome) {
	for name, o := range outcomes {
		if o != nil {
			next := b.api.tasks[name].DeepCopy()
			next.Status = o.Status(&next.Status, metav1.Time{Time: b.now})
			b.api.storeTask(name, next)
		}
	}
}

// restart starts another process.
func (b *bench) restart() { b.memory = &serving.Memory{} }

// entries returns what the registry serves: which task's generation under which name.
func (b *bench) entries() map[string]string {
	b.t.Helper()
	index := b.api.configMaps[registry.ConfigMapName]
	if index == nil {
		return nil
	}
	all, err := registry.Parse(index, func(name string) *corev1.ConfigMap { return b.api.configMaps[name] })
	if err != nil {
		b.t.Fatalf("the registry is torn: %v", err)
	}
	out := map[string]string{}
	for name, text := range all {
		e, err := registry.DecodeEntry(text)
		if err != nil {
			b.t.Fatalf("entry %s: %v", name, err)
		}
		out[name] = fmt.Sprintf("%s@%d", e.Kubernetes.Name, e.Kubernetes.Generation)
	}
	return out
}

// reasons returns the reasons of Accepted and Registered of each task.
func reasons(outcomes map[string]*serving.Outcome) map[string]string {
	out := map[string]string{}
	for name, o := range outcomes {
		if o == nil {
			out[name] = "gone"
			continue
		}
		out[name] = o.Accepted.Reason + " " + o.Registered.Reason
	}
	return out
}

func expect[T any](t *testing.T, what string, want, got T) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s: -want, +got:\n%s", what, diff)
	}
}

// TestOutcomes follows tasks through what can become of them.
func TestOutcomes(t *testing.T) {
	b := newBench(t)
	expect(t, "without tasks", map[string]string{}, reasons(b.published()))
	expect(t, "requests without tasks", 0, len(b.sent))

	b.add("a", "x", nil)
	b.add("bad", "y", broken)
	b.add("large", "z", described(strings.Repeat("x", registry.MinShardSize)))
	expect(t, "the first tasks", map[string]string{"a": "Valid Served", "bad": "InvalidSchema InvalidSpec", "large": "Valid TaskTooLarge"},
		reasons(b.published("a", "bad", "large")))
	expect(t, "entries", map[string]string{"x": "a@1"}, b.entries())
	expect(t, "a pass with nothing to do", map[string]string{}, reasons(b.published()))

	b.add("a", "", broken)
	expect(t, "a bad edit", map[string]string{"a": "InvalidSchema ServingLastAccepted"}, reasons(b.published("a")))
	expect(t, "entries", map[string]string{"x": "a@1"}, b.entries())
	b.add("a", "", described(strings.Repeat("x", registry.MinShardSize)))
	expect(t, "too large now", map[string]string{"a": "Valid TaskTooLarge"}, reasons(b.published("a")))
	expect(t, "entries", map[string]string{"x": "a@1"}, b.entries())
	b.add("a", "", described("good"))
	expect(t, "mended", map[string]string{"a": "Valid Served"}, reasons(b.published("a")))
	expect(t, "entries", map[string]string{"x": "a@4"}, b.entries())

	b.add("b", "x", nil)
	outcomes := b.published("b")
	expect(t, "a newer task", map[string]string{"a": "NameConflict Superseded", "b": "Valid Served"}, reasons(outcomes))
	expect(t, "who was overwritten", "a", outcomes["b"].Overwrote)
	if o := outcomes["a"]; o.Placement == nil || o.Entry != nil || !strings.Contains(o.Accepted.Message, "MazeTask b has the same spec.name x") {
		t.Errorf("the older task: got %+v", o)
	}
	b.add("a", "", broken)
	expect(t, "a bad edit of the loser", map[string]string{"a": "InvalidSchema InvalidSpec"}, reasons(b.published("a")))
	b.api.deleteTask("b", b.now)
	expect(t, "the winner goes", map[string]string{"a": "InvalidSchema InvalidSpec", "b": "gone"}, reasons(b.published("b")))
	expect(t, "entries", map[string]string{}, b.entries())

	b.add("a", "", func(t *v1alpha1.MazeTask) { described("good")(t); t.Finalizers = []string{"example.com/hold"} })
	expect(t, "mended", map[string]string{"a": "Valid Served"}, reasons(b.published("a")))
	b.api.deleteTask("a", b.now)
	expect(t, "on its way out", map[string]string{"a": "Valid Terminating"}, reasons(b.published("a")))
	expect(t, "entries", map[string]string{}, b.entries())
}

// TestRefusedWrites: what the API server refuses is an outcome of the tasks that wait for it, and of no other.
func TestRefusedWrites(t *testing.T) {
	cases := map[string]struct {
		err  error
		want string
	}{
		"403": {apierrors.NewForbidden(configMapResource, "maze-registry", errors.New("exceeded quota")),
			`the registry could not be written: configmaps "maze-registry" is forbidden: exceeded quota (Forbidden); the operator goes on trying`},
		"No answer": {errors.New("connection reset by peer"),
			"the registry could not be written: the API server does not answer; the operator goes on trying"},
		"504": {apierrors.NewTimeoutError("too slow", 1), "the registry could not be written: Timeout: too slow (Timeout); the operator goes on trying"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.add("a", "x", nil)
			b.add("b", "y", nil)
			b.published("a", "b")
			b.add("a", "", described("edited"))
			b.answer = func(c *call) bool {
				if c.verb == serving.Update {
					c.err = tc.err
				}
				return c.verb == serving.Update
			}
			for range 2 {
				p, outcomes := b.pass("a")
				expect(t, "outcomes", map[string]string{"a": "Valid Publishing"}, reasons(outcomes))
				expect(t, "message", tc.want, outcomes["a"].Registered.Message)
				if p.Published() || !errors.Is(p.Failure(), tc.err) {
					t.Errorf("published %t, failure %v", p.Published(), p.Failure())
				}
			}
			expect(t, "entries", map[string]string{"x": "a@1", "y": "b@1"}, b.entries())
			b.answer = nil
			expect(t, "outcomes once it is answered", map[string]string{"a": "Valid Served"}, reasons(b.published()))
			expect(t, "entries", map[string]string{"x": "a@2", "y": "b@1"}, b.entries())
		})
	}
}

// TestRefusedReads: without an answer there is no decision, and the next pass needs to see all.
func TestRefusedReads(t *testing.T) {
	b := newBench(t)
	b.add("a", "x", nil)
	b.answer = func(c *call) bool {
		c.err = errors.New("no route to host")
		return true
	}
	p, outcomes := b.pass("a")
	if len(outcomes) > 0 || p.Wrote() || p.Failure() == nil || !b.memory.NeedsAll() {
		t.Errorf("got the outcomes %v, wrote %t, failure %v, needs all %t", reasons(outcomes), p.Wrote(), p.Failure(), b.memory.NeedsAll())
	}
	b.answer = nil
	expect(t, "outcomes", map[string]string{"a": "Valid Served"}, reasons(b.published()))
}

func (b *bench) foreign(name string) {
	b.t.Helper()
	if _, err := b.api.create(&corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name}, Data: map[string]string{"a": "b"}}, hand, nil); err != nil {
		b.t.Fatal(err)
	}
}

// TestForeignIndex: while the index is someone else's, nothing is written, and each task with an entry says so.
func TestForeignIndex(t *testing.T) {
	b := newBench(t)
	b.foreign(registry.ConfigMapName)
	b.add("a", "x", nil)
	b.add("bad", "y", broken)
	p, outcomes := b.pass("a", "bad")
	expect(t, "outcomes", map[string]string{"a": "Valid RegistryConflict", "bad": "InvalidSchema InvalidSpec"}, reasons(outcomes))
	if p.Wrote() || !p.Registry().Conflict || p.Published() {
		t.Errorf("wrote %t, conflict %t, published %t", p.Wrote(), p.Registry().Conflict, p.Published())
	}
	_ = b.api.delete(registry.ConfigMapName, "", hand, nil)
	expect(t, "outcomes once it is gone", "Valid Served", reasons(b.published())["a"])
}

// TestForeignShard: while a shard's name is someone else's, the tasks of that shard wait, and it is looked again within seconds.
func TestForeignShard(t *testing.T) {
	b := newBench(t)
	b.options.ShardSize = smallShards
	for i := range 6 {
		b.add(fmt.Sprintf("t%d", i), fmt.Sprintf("k%d", i), nil)
	}
	b.published()
	index, _ := registry.DecodeIndex(b.api.configMaps[registry.ConfigMapName])
	name := index.Shards[1].Name
	shard := b.api.configMaps[name]
	for name := range b.api.configMaps {
		_ = b.api.delete(name, "", hand, nil)
	}
	b.foreign(name)
	b.restart()
	p, outcomes := b.pass()
	want := map[string]string{}
	for i := range 6 {
		want[fmt.Sprintf("t%d", i)] = "Valid Served"
	}
	for key := range shard.Data {
		want["t"+key[1:]] = "Valid RegistryConflict"
	}
	expect(t, "outcomes", want, reasons(outcomes))
	if p.Failure() != nil || !b.memory.HasForeignShards() {
		t.Errorf("failure %v, has foreign shards %t", p.Failure(), b.memory.HasForeignShards())
	}
	_ = b.api.delete(name, "", hand, nil)
	b.now = b.now.Add(10 * time.Second)
	for key := range shard.Data {
		want["t"+key[1:]] = "Valid Served"
	}
	outcomes = b.published()
	for name, o := range outcomes {
		expect(t, name, want[name], reasons(outcomes)[name])
		expect(t, name, true, o.Registered.OK)
	}
	expect(t, "entries", 6, len(b.entries()))
	if b.memory.HasForeignShards() {
		t.Error("foreign shards are remembered")
	}
}

// TestTooLargeFollowsNodes: an entry that does not fit is tried again with another placement.
func TestTooLargeFollowsNodes(t *testing.T) {
	b := newBench(t)
	b.options.ShardSize = smallShards
	b.nodes = resolverOf(1)
	gpu := func(n int) func(*v1alpha1.MazeTask) {
		return func(t *v1alpha1.MazeTask) {
			t.Spec.Resources.Type, t.Spec.Description = v1alpha1.ResourceTypeGPU, strings.Repeat("x", n)
		}
	}
	n := 1700
	for ; n > 0; n-- { // just too large on these nodes
		b.api, b.memory = newAPIServer(), &serving.Memory{}
		b.add("a", "x", gpu(n))
		if p, _ := b.pass("a"); p.Published() && len(b.entries()) == 1 {
			break
		}
	}
	b.api, b.memory = newAPIServer(), &serving.Memory{}
	b.add("a", "x", gpu(n+1))
	expect(t, "outcomes", map[string]string{"a": "Valid TaskTooLarge"}, reasons(b.published("a")))
	b.nodes = resolverOf(0)
	b.changes++
	expect(t, "outcomes on other nodes", map[string]string{"a": "Valid Served"}, reasons(b.published()))
}

// TestRemembered: what a memory returns about the registry.
func TestRemembered(t *testing.T) {
	b := newBench(t)
	if !b.memory.IsBare() || !b.memory.NeedsAll() || b.memory.Registry() != (serving.Registry{}) {
		t.Errorf("an empty memory: got %+v", b.memory.Registry())
	}
	b.published()
	if !b.memory.IsBare() || b.memory.NeedsAll() {
		t.Errorf("a bare namespace: is bare %t, needs all %t", b.memory.IsBare(), b.memory.NeedsAll())
	}
	b.add("a", "x", nil)
	b.add("bad", "y", broken)
	b.published("a", "bad")
	got := b.memory.Registry()
	if got.Bytes == 0 || b.memory.IsBare() {
		t.Errorf("got %+v, is bare %t", got, b.memory.IsBare())
	}
	got.Bytes = 0
	expect(t, "Registry()", serving.Registry{Exists: true, Tasks: 1, Shards: 1, Generation: 1}, got)
}
