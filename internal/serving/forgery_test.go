package serving_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/placement"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/internal/serving"
)

// forge changes the entry of a name so that the index, its digests and counts fit it.
func (b *bench) forge(key string, edit func(*registry.Entry)) {
	b.t.Helper()
	b.api.edit(registry.ConfigMapName, func(c *corev1.ConfigMap) {
		e, err := registry.DecodeEntry(c.Data[key])
		if err != nil {
			b.t.Fatal(err)
		}
		edit(&e)
		item, err := e.Encode()
		if err != nil {
			b.t.Fatal(err)
		}
		index, err := registry.DecodeIndex(c)
		if err != nil {
			b.t.Fatal(err)
		}
		c.Data[key] = item.Text
		index.Shards[0].Digest = registry.ContentDigest(c.Data)
		c.Data[registry.IndexKey], _ = index.Encode()
	})
}

// TestForgedRegistry: who may write ConfigMaps can make a registry that fits together. A restarted process serves an entry on, for a task
// whose present generation is refused, only if the task's status names it.
func TestForgedRegistry(t *testing.T) {
	describe := func(text string) func(*registry.Entry) {
		return func(e *registry.Entry) { e.Description = &text }
	}
	unreported := func(s *v1alpha1.MazeTaskStatus) { *s = v1alpha1.MazeTaskStatus{ObservedGeneration: -1} }
	const last, none = "InvalidSchema ServingLastAccepted", "InvalidSchema InvalidSpec"
	cases := map[string]struct {
		// forge edits the registry, and tell the status, after generation 1 was served and told of.
		forge func(*registry.Entry)
		tell  func(*v1alpha1.MazeTaskStatus)
		// nodes changes the nodes before the operator stops.
		nodes bool
		torn  bool
		want  string
	}{
		"As it was":              {want: last},
		"Another description":    {forge: describe("forged"), want: none},
		"Another generation":     {forge: func(e *registry.Entry) { e.Kubernetes.Generation = 2 }, want: none},
		"A generation to come":   {forge: func(e *registry.Entry) { e.Kubernetes.Generation = 3 }, want: none},
		"Another object":         {forge: func(e *registry.Entry) { e.Kubernetes.UID = "other" }, want: none},
		"Another predictor":      {forge: func(e *registry.Entry) { e.Predictor = ptr.To("x") }, want: none},
		"A status without entry": {tell: func(s *v1alpha1.MazeTaskStatus) { s.Entry = nil }, want: none},
		"A status of another name": {tell: func(s *v1alpha1.MazeTaskStatus) {
			s.Entry = &v1alpha1.EntryReference{ConfigMap: s.Entry.ConfigMap, Key: "z", Generation: 1, Digest: s.Entry.Digest}
		}, want: none},
		"Placed anew since the status":                 {nodes: true, want: last},
		"Placed anew since the status, and forged":     {nodes: true, forge: describe("forged"), want: none},
		"Placed anew since a status without placement": {nodes: true, tell: func(s *v1alpha1.MazeTaskStatus) { s.Placement = nil }, want: none},
		"No status yet":                        {tell: unreported, want: last},
		"No status yet, and of no generation":  {tell: unreported, forge: func(e *registry.Entry) { e.Kubernetes.Generation = 0 }, want: none},
		"No status yet, and too large":         {tell: unreported, forge: describe(strings.Repeat("x", registry.MinShardSize)), want: none},
		"No status yet, and torn":              {tell: unreported, torn: true, want: none},
		"Torn, and the status names the entry": {torn: true, want: last},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			gpu := func(t *v1alpha1.MazeTask) { t.Spec.Resources.Type = v1alpha1.ResourceTypeGPU }
			b.add("a", "x", gpu)
			b.report(b.published("a"))
			if tc.nodes {
				b.nodes = resolverOf(1)
				b.changes++
				b.published("a")
			}
			b.add("a", "", broken)
			b.report(b.published("a"))
			told := b.api.tasks["a"].DeepCopy()
			if tc.nodes { // the status is from before
				before := resolverOf(0)(placement.RequirementOf(&told.Spec.Resources)).Placement
				e, _ := registry.Decode(b.api.configMaps[registry.ConfigMapName].Data["x"])
				old, _ := e.WithPlacement(before)
				told.Status.Placement, told.Status.Entry.Digest = &before, old.Digest
			}
			if tc.tell != nil {
				tc.tell(&told.Status)
			}
			b.api.storeTask("a", told)
			if tc.forge != nil {
				b.forge("x", tc.forge)
			}
			if tc.torn {
				b.api.edit(registry.ConfigMapName, func(c *corev1.ConfigMap) { c.Data["other"] = "{}" })
			}
			b.restart()
			outcomes := b.published()
			expect(t, "outcome", tc.want, reasons(outcomes)["a"])
			want := map[string]string{}
			if tc.want == last {
				want["x"] = "a@1"
			}
			expect(t, "entries", want, b.entries())
			entry := b.api.configMaps[registry.ConfigMapName].Data["x"]
			if decoded, err := registry.DecodeEntry(entry); tc.want == last && (err != nil || decoded.Description != nil) {
				t.Errorf("got the entry %s: %v", entry, err)
			}
		})
	}
}

// TestForgedWhileRunning: a running process knows what it has published, whatever hands write, even if it fits together.
func TestForgedWhileRunning(t *testing.T) {
	cases := map[string]func(*bench){
		"Another description": func(b *bench) { b.forge("x", func(e *registry.Entry) { e.Description = ptr.To("forged") }) },
		"Another generation":  func(b *bench) { b.forge("x", func(e *registry.Entry) { e.Kubernetes.Generation = 7 }) },
		"No entry": func(b *bench) {
			b.api.edit(registry.ConfigMapName, func(c *corev1.ConfigMap) {
				index, _ := registry.DecodeIndex(c)
				delete(c.Data, "x")
				index.Tasks, index.Shards[0].Tasks, index.Shards[0].Digest = 0, 0, registry.ContentDigest(c.Data)
				c.Data[registry.IndexKey], _ = index.Encode()
			})
		},
	}
	for name, hand := range cases {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.add("a", "x", nil)
			b.report(b.published("a"))
			b.add("a", "", broken)
			b.report(b.published("a"))
			b.now = b.now.Add(time.Minute)
			hand(b)
			expect(t, "outcome", map[string]string{}, withoutSame(reasons(b.published("a")), "InvalidSchema ServingLastAccepted"))
			expect(t, "entries", map[string]string{"x": "a@1"}, b.entries())
			if e, err := registry.DecodeEntry(b.api.configMaps[registry.ConfigMapName].Data["x"]); err != nil || e.Description != nil {
				t.Errorf("got the entry %+v: %v", e, err)
			}
		})
	}
}

func withoutSame(all map[string]string, usual string) map[string]string {
	out := map[string]string{}
	for name, reason := range all {
		if reason != usual {
			out[name] = reason
		}
	}
	return out
}

// TestForgedIndex: an index that a hand has written may name whatever it wants. A process that starts reads shards alone, and so many of them.
func TestForgedIndex(t *testing.T) {
	names := func(n int, name string) []registry.ShardRef {
		var refs []registry.ShardRef
		for i := range n {
			refs = append(refs, registry.ShardRef{Name: fmt.Sprintf(name, i), Digest: "sha256:0"})
		}
		return refs
	}
	cases := map[string]struct {
		refs     []registry.ShardRef
		wantGets int
	}{
		"Other ConfigMaps": {refs: names(3, "kube-root-ca.crt-%d"), wantGets: 1},
		"Many shards":      {refs: names(5000, "maze-registry-0-%010x"), wantGets: 1 + 4096},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.add("a", "x", nil)
			b.published("a")
			b.api.edit(registry.ConfigMapName, func(c *corev1.ConfigMap) {
				index, _ := registry.DecodeIndex(c)
				index.Shards = tc.refs
				c.Data[registry.IndexKey], _ = index.Encode()
			})
			b.restart()
			b.published()
			gets := slices.DeleteFunc(b.sent, func(request string) bool { return !strings.HasPrefix(request, "get") })
			expect(t, "reads", tc.wantGets, len(gets))
			expect(t, "entries", map[string]string{"x": "a@1"}, b.entries())
		})
	}
}

// TestServedWhileItCannotBeWritten: a process that has just started says what the registry serves of each task, also where it cannot write it.
func TestServedWhileItCannotBeWritten(t *testing.T) {
	b := sharded(t) // no status has it
	b.add("t1", "", described("edited"))
	b.restart()
	b.answer = func(c *call) bool {
		c.err = errLost
		return c.verb != serving.Get
	}
	_, outcomes := b.pass()
	expect(t, "outcomes", map[string]string{"t0": "Valid Served", "t1": "Valid Publishing", "t2": "Valid Served"}, reasons(outcomes))
}
