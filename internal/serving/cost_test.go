package serving_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/placement"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/internal/serving"
)

// bench drives the passes of one process, without faults.
type bench struct {
	t       testing.TB
	api     *apiServer
	memory  *serving.Memory
	now     time.Time
	nodes   serving.Resolver
	changes uint64 // of the nodes
	options serving.Options
	sweep   bool
	// answer answers a request. It is api.do unless a test has another.
	answer func(*call) bool
	sent   []string
	// contested has each pass told that others change the registry again and again.
	contested bool
}

// requestsAtOnce is the most requests that a pass may ask for at once.
const requestsAtOnce = 8

func newBench(t testing.TB) *bench {
	b := &bench{t: t, api: newAPIServer(), memory: &serving.Memory{}, now: noon, changes: 1}
	b.options = serving.Options{ShardSize: registry.MinShardSize, Predictors: registry.DefaultPredictorRules()}
	b.api.now = func() time.Time { return b.now }
	b.nodes = resolverOf(0)
	b.sweep = true
	return b
}

// resolverOf resolves by a state of the nodes: cpu tasks anywhere, gpu tasks to as many GPUs as the state says.
func resolverOf(state int) serving.Resolver {
	known := map[placement.Requirement]*placement.Resolution{}
	return func(r placement.Requirement) *placement.Resolution {
		if known[r] == nil {
			known[r] = (&world{}).resolution(r, state)
		}
		return known[r]
	}
}

// observation is what there is: the tasks that are named, or all of them.
func (b *bench) observation(changed ...string) serving.Observation {
	version := strconv.FormatInt(b.api.version, 10)
	seen := serving.Observation{
		Now: b.now, Tasks: map[string]*v1alpha1.MazeTask{}, Complete: b.memory.NeedsAll(), View: version, Source: version, IndexView: version, ShardView: version,
		Nodes: b.nodes, NodesRevision: b.changes, Sweep: b.sweep,
	}
	if seen.Complete {
		for name, t := range b.api.tasks {
			seen.Tasks[name] = t
		}
	}
	for _, name := range changed {
		seen.Tasks[name] = b.api.tasks[name]
	}
	for name, object := range b.api.configMaps {
		meta := &metav1.PartialObjectMetadata{ObjectMeta: object.ObjectMeta}
		switch {
		case name == registry.ConfigMapName:
			seen.Index = meta
		case registry.HasRole(object, registry.RoleShard):
			seen.Shards = append(seen.Shards, meta)
		}
	}
	return seen
}

// run runs a pass. It returns it, and what became of the tasks.
func (b *bench) run(seen serving.Observation) (*serving.Pass, map[string]*serving.Outcome) {
	b.t.Helper()
	pass, err := serving.Begin(namespace, b.options, b.memory, seen)
	if err != nil {
		b.t.Fatalf("Begin(...): %v", err)
	}
	b.sent = nil
	for requests := pass.Next(); len(requests) > 0; requests = pass.Next() {
		if len(requests) > requestsAtOnce || len(b.sent) > 100_000 {
			b.t.Fatalf("%d requests at once, %d before", len(requests), len(b.sent))
		}
		for _, r := range requests {
			c := &call{verb: r.Verb, object: r.ConfigMap.DeepCopy(), process: &process{}}
			b.sent = append(b.sent, fmt.Sprintf("%s %s", r.Verb, r.ConfigMap.Name))
			if b.answer == nil || !b.answer(c) {
				c.answer, c.err = b.api.do(c)
			}
			r.Answer(c.answer, c.err)
		}
	}
	if b.contested {
		pass.Contest()
	}
	outcomes := pass.Outcomes()
	b.memory = pass.Remember()
	return pass, outcomes
}

// add makes a task, or its next generation.
func (b *bench) add(name, key string, edit func(*v1alpha1.MazeTask)) {
	t := b.api.tasks[name]
	if t == nil {
		t = &v1alpha1.MazeTask{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID("uid-" + name)}}
		t.CreationTimestamp = metav1.Time{Time: b.now}
		t.Spec = v1alpha1.MazeTaskSpec{Name: key, Resources: v1alpha1.Resources{Type: v1alpha1.ResourceTypeCPU}}
	} else {
		t = t.DeepCopy()
	}
	t.Generation++
	if edit != nil {
		edit(t)
	}
	b.api.storeTask(name, t)
}

// many is a namespace of so many published tasks, of which ten ask for a GPU.
func many(t testing.TB, n, shardSize int) *bench {
	b := newBench(t)
	b.options.ShardSize = shardSize
	for i := range n {
		b.add(fmt.Sprintf("task-%d", i), fmt.Sprintf("key-%d", i), func(t *v1alpha1.MazeTask) {
			if i < 10 {
				t.Spec.Resources.Type = v1alpha1.ResourceTypeGPU
			}
		})
		b.api.tasksLog = b.api.tasksLog[:1]
	}
	if pass, _ := b.run(b.observation()); !pass.Published() {
		t.Fatalf("not published: %v", pass.Failure())
	}
	return b
}

// TestCost counts what a pass allocates beside few tasks and beside many: for one edit, and for nothing.
func TestCost(t *testing.T) {
	cost := func(n int) (one, nothing float64) {
		b := many(t, n, 64<<10)
		b.run(b.observation())
		seen := b.observation()
		nothing = testing.AllocsPerRun(5, func() {
			if _, outcomes := b.run(seen); len(outcomes) != 0 || len(b.sent) != 0 {
				t.Fatalf("got the outcomes %v and the requests %v", outcomes, b.sent)
			}
		})
		edit := 0
		one = testing.AllocsPerRun(5, func() {
			edit++
			next := b.api.tasks["task-50"].DeepCopy()
			next.Generation, next.Spec.Description = int64(edit)+1, fmt.Sprintf("edit %d", edit)
			seen.Tasks = map[string]*v1alpha1.MazeTask{"task-50": next}
			if _, outcomes := b.run(seen); len(outcomes) != 1 || !outcomes["task-50"].Registered.OK {
				t.Fatalf("got the outcomes %v", outcomes)
			}
		})
		return one, nothing
	}
	few, fewNothing := cost(100)
	lots, lotsNothing := cost(20_000)
	t.Logf("one change beside 20,000 tasks makes %.0f allocations, beside 100 makes %.0f; nothing makes %.0f and %.0f", lots, few, lotsNothing, fewNothing)
	// The index has a line for each of the 400 shards of 20,000 tasks, which is encoded and decoded, and the caches show each.
	if lots > 3*few+10_000 {
		t.Errorf("one change beside 20,000 tasks makes %.0f allocations, beside 100 makes %.0f", lots, few)
	}
	if lotsNothing > fewNothing+400 {
		t.Errorf("nothing beside 20,000 tasks makes %.0f allocations, beside 100 makes %.0f", lotsNothing, fewNothing)
	}
}

// TestNodesTouchWhatTheyChange: a change of the nodes concerns the tasks alone whose placement or verdict it changes.
func TestNodesTouchWhatTheyChange(t *testing.T) {
	b := many(t, 2000, 64<<10)
	b.run(b.observation())
	asked := 0
	next := resolverOf(1)
	last := b.nodes
	b.nodes = func(r placement.Requirement) *placement.Resolution {
		asked++
		if r.Type == v1alpha1.ResourceTypeCPU {
			return last(r)
		}
		return next(r)
	}
	b.changes++
	_, outcomes := b.run(b.observation())
	if len(outcomes) != 10 {
		t.Errorf("want the outcomes of ten gpu tasks, got %d", len(outcomes))
	}
	for name, o := range outcomes {
		if o.Placement.GPU == nil || o.Placement.GPU.Count != 2 || !o.Registered.OK {
			t.Errorf("%s: got the outcome %v", name, o)
		}
	}
	if asked != 2 {
		t.Errorf("want two requirements resolved, got %d", asked)
	}
	b.changes++ // the same again
	if _, outcomes := b.run(b.observation()); len(outcomes) > 0 || len(b.sent) > 0 {
		t.Errorf("another revision with the same nodes: got the outcomes of %d tasks, and the requests %v", len(outcomes), b.sent)
	}
}

// TestManyShards: how many shards there are is no reason to give up, be it when they are written or when a restart reads them.
func TestManyShards(t *testing.T) {
	b := many(t, 1200, 1024+1700)
	index, err := registry.DecodeIndex(b.api.configMaps[registry.ConfigMapName])
	if err != nil || len(index.Shards) < 600 {
		t.Fatalf("want at least 600 shards, got %d: %v", len(index.Shards), err)
	}
	b.memory = &serving.Memory{}
	if pass, outcomes := b.run(b.observation()); !pass.Published() || pass.Wrote() || len(outcomes) != 1200 {
		t.Errorf("a restart: published %t, wrote %t, %d outcomes, %v", pass.Published(), pass.Wrote(), len(outcomes), pass.Failure())
	}
}
