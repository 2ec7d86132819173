package faults

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// past is a history that a test makes by hand.
type past struct {
	events     []Event
	hand       *handiwork
	generation int64
	source     int
}

// of names an entry: MazeTask, its UID and its generation. The name in the registry is the task's.
type of struct {
	task       string
	uid        types.UID
	generation int64
	key        string // the name in the registry, if another
	more       string // makes the entry another one
}

func (o of) text() string {
	name := o.task
	if o.key != "" {
		name = o.key
	}
	return fmt.Sprintf(`{"description":%q,"kubernetes":{"generation":%d,"name":%q,"uid":%q},"name":%q}`, o.more, o.generation, o.task, o.uid, name)
}

func (p *past) add(e Event) {
	e.Version = uint64(len(p.events) + 1)
	p.events = append(p.events, e)
}

// task adds a version of a task.
func (p *past) task(name string, uid types.UID, generation int64, edits ...edit) *past {
	t := &v1alpha1.MazeTask{ObjectMeta: metav1.ObjectMeta{Name: name, UID: uid, Generation: generation}, Spec: v1alpha1.MazeTaskSpec{Name: name}}
	for _, edit := range edits {
		edit(t)
	}
	p.add(Event{Task: t})
	return p
}

// workflow adds a version of a workflow, which was valid last against some tasks.
func (p *past) workflow(valid metav1.ConditionStatus, tasks ...v1alpha1.WorkflowTask) *past {
	w := &v1alpha1.MazeWorkflow{ObjectMeta: metav1.ObjectMeta{Name: "w"}}
	w.Status.Tasks = tasks
	w.Status.Conditions = []metav1.Condition{
		{Type: v1alpha1.ConditionValid, Status: valid, LastTransitionTime: metav1.Unix(int64(len(p.events)), 0)},
	}
	p.add(Event{Workflow: w})
	return p
}

func (p *past) gone(name string, uid types.UID) *past {
	p.task(name, uid, 1)
	p.events[len(p.events)-1].Deleted = true
	return p
}

func dataOf(entries []of) map[string]string {
	data := map[string]string{}
	for _, e := range entries {
		var named struct{ Name string }
		_ = json.Unmarshal([]byte(e.text()), &named) // it was just encoded
		data[named.Name] = e.text()
	}
	return data
}

// configMap returns one as the operator writes it.
func configMap(name, role string, data map[string]string) *corev1.ConfigMap {
	return &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, UID: types.UID("uid of " + name), Labels: map[string]string{roleLabel: role, managedByLabel: "maregister"},
			Annotations: map[string]string{sourceAnnotation: "1"},
		},
		Data: data,
	}
}

// publish adds an index with the entries in it.
func (p *past) publish(entries ...of) *past {
	data := dataOf(entries)
	return p.index(data, part{Name: indexName, Tasks: len(data), Digest: contentDigest(data)})
}

// index adds an index that names parts. data is what it holds besides.
func (p *past) index(data map[string]string, parts ...part) *past {
	p.generation++
	p.source++
	i := index{Format: 1, Generation: p.generation, Shards: parts}
	for _, part := range parts {
		i.Tasks += part.Tasks
	}
	text, _ := json.Marshal(i) // it can be encoded
	c := configMap(indexName, "index", withLabels(data, map[string]string{indexKey: string(text)}))
	c.Annotations = map[string]string{sourceAnnotation: fmt.Sprint(p.source)}
	p.add(Event{ConfigMap: c})
	return p
}

// shard adds a shard, and returns how the index names it.
func (p *past) shard(name string, entries ...of) part {
	data := dataOf(entries)
	p.add(Event{ConfigMap: configMap(name, "shard", data)})
	return part{Name: name, Prefix: "0", Tasks: len(data), Digest: contentDigest(data)}
}

// shardGone deletes the shard maze-registry-0-a.
func (p *past) shardGone() *past {
	p.add(Event{ConfigMap: configMap("maze-registry-0-a", "shard", nil), Deleted: true})
	return p
}

// byHand makes the last event a user's.
func (p *past) byHand() *past {
	e := &p.events[len(p.events)-1]
	if e.Deleted {
		p.hand.deletes(e.ConfigMap.UID)
	} else {
		p.hand.written[e.Version] = true
	}
	return p
}

func condition(of string, status metav1.ConditionStatus, generation, second int64) edit {
	return func(t *v1alpha1.MazeTask) {
		t.Status.Conditions = append(t.Status.Conditions, metav1.Condition{
			Type: of, Status: status, ObservedGeneration: generation, LastTransitionTime: metav1.NewTime(time.Unix(second, 0)),
		})
	}
}

func bad(t *v1alpha1.MazeTask) { t.Spec.Source = &v1alpha1.Source{Path: v1alpha1.ReasonInvalidSchema} }

func TestReplayFindsWhatIsViolated(t *testing.T) {
	ready := func(generation int64) edit {
		return condition(v1alpha1.ConditionReady, metav1.ConditionTrue, generation, 1)
	}
	shared := named("shared")
	cases := map[string]struct {
		history func(p *past)
		want    Invariant // "": nothing
	}{
		"Nothing": {history: func(*past) {}},
		"A task that is published, then Ready": {history: func(p *past) {
			p.task("a", "1", 1).publish(of{task: "a", uid: "1", generation: 1}).task("a", "1", 1, ready(1))
		}},
		"An older entry while the task gets a bad edit": {history: func(p *past) {
			p.task("a", "1", 1).publish(of{task: "a", uid: "1", generation: 1}).task("a", "1", 2, bad).publish(of{task: "a", uid: "1", generation: 1})
		}},
		"Shards first, then the index": {history: func(p *past) {
			p.task("a", "1", 1)
			p.index(nil, p.shard("maze-registry-0-a", of{task: "a", uid: "1", generation: 1}))
			p.task("b", "2", 1)
			p.index(nil, p.shard("maze-registry-0-b", of{task: "a", uid: "1", generation: 1}, of{task: "b", uid: "2", generation: 1}))
			p.shardGone()
		}},
		"The index before its shard": {history: func(p *past) {
			p.task("a", "1", 1)
			p.index(nil, part{Name: "maze-registry-0-a", Tasks: 1})
			p.shard("maze-registry-0-a", of{task: "a", uid: "1", generation: 1})
		}, want: Whole},
		"A shard that is deleted while the index names it": {history: func(p *past) {
			p.task("a", "1", 1)
			p.index(nil, p.shard("maze-registry-0-a", of{task: "a", uid: "1", generation: 1}))
			p.shardGone()
		}, want: Whole},
		"The same by a user": {history: func(p *past) {
			p.task("a", "1", 1)
			p.index(nil, p.shard("maze-registry-0-a", of{task: "a", uid: "1", generation: 1}))
			p.shardGone().byHand()
		}},
		"A shard with another digest than the index says": {history: func(p *past) {
			p.task("a", "1", 1)
			named := p.shard("maze-registry-0-a", of{task: "a", uid: "1", generation: 1})
			named.Digest = "sha256:other"
			p.index(nil, named)
		}, want: Whole},
		"An index that says another number of tasks": {history: func(p *past) {
			p.task("a", "1", 1)
			data := dataOf([]of{{task: "a", uid: "1", generation: 1}})
			p.index(data, part{Name: indexName, Tasks: 2, Digest: contentDigest(data)})
		}, want: Whole},
		"An entry of a task that never was": {history: func(p *past) {
			p.publish(of{task: "a", uid: "1", generation: 1})
		}, want: TrueEntry},
		"An entry of a generation that never was": {history: func(p *past) {
			p.task("a", "1", 1).publish(of{task: "a", uid: "1", generation: 2})
		}, want: TrueEntry},
		"An entry of a generation that is not valid": {history: func(p *past) {
			p.task("a", "1", 1).task("a", "1", 2, bad).publish(of{task: "a", uid: "1", generation: 2})
		}, want: TrueEntry},
		"A task with two entries": {history: func(p *past) {
			p.task("a", "1", 1).publish(of{task: "a", uid: "1", generation: 1}, of{task: "a", uid: "1", generation: 1, key: "b"})
		}, want: Once},
		"An entry's generation goes back": {history: func(p *past) {
			p.task("a", "1", 1).task("a", "1", 2).publish(of{task: "a", uid: "1", generation: 2}).publish(of{task: "a", uid: "1", generation: 1})
		}, want: EntryForward},
		"A deleted task comes back": {history: func(p *past) {
			p.task("a", "1", 1).publish(of{task: "a", uid: "1", generation: 1}).gone("a", "1").publish().publish(of{task: "a", uid: "1", generation: 1})
		}, want: NoReturn},
		"A task that is deleted at once is published after that": {history: func(p *past) {
			p.task("a", "1", 1).gone("a", "1").publish(of{task: "a", uid: "1", generation: 1}).publish()
		}},
		"A superseded task that is deleted with its winner is promoted for a moment": {history: func(p *past) {
			p.task("a", "1", 1, shared).publish(of{task: "a", uid: "1", generation: 1, key: "shared"})
			p.task("b", "2", 1, shared).publish(of{task: "b", uid: "2", generation: 1, key: "shared"})
			p.gone("b", "2").gone("a", "1").publish(of{task: "a", uid: "1", generation: 1, key: "shared"}).publish()
		}},
		"It is superseded when it was deleted already, as the view lags": {history: func(p *past) {
			p.task("a", "1", 1, shared).publish(of{task: "a", uid: "1", generation: 1, key: "shared"})
			p.task("b", "2", 1, shared).gone("b", "2").gone("a", "1").publish(of{task: "b", uid: "2", generation: 1, key: "shared"})
			p.publish(of{task: "a", uid: "1", generation: 1, key: "shared"}).publish()
		}},
		"And again": {history: func(p *past) {
			p.task("a", "1", 1, shared).publish(of{task: "a", uid: "1", generation: 1, key: "shared"})
			p.gone("a", "1").publish().publish(of{task: "a", uid: "1", generation: 1, key: "shared"})
		}, want: NoReturn},
		"The index's generation goes back": {history: func(p *past) {
			p.task("a", "1", 1).publish().publish(of{task: "a", uid: "1", generation: 1})
			p.generation = 0
			p.publish()
		}, want: IndexForward},
		"The index's generation stands for two contents": {history: func(p *past) {
			p.task("a", "1", 1).publish()
			p.generation--
			p.publish(of{task: "a", uid: "1", generation: 1})
		}, want: IndexForward},
		"The index's generation begins anew after a user deleted it": {history: func(p *past) {
			p.task("a", "1", 1).publish().publish(of{task: "a", uid: "1", generation: 1})
			p.add(Event{ConfigMap: configMap(indexName, "index", nil), Deleted: true})
			p.byHand()
			p.generation = 0
			p.publish(of{task: "a", uid: "1", generation: 1})
		}},
		"The source goes back": {history: func(p *past) {
			p.publish().publish()
			p.source = 0
			p.publish()
		}, want: SourceForward},
		"An entry changes while its task does not": {history: func(p *past) {
			p.task("a", "1", 1).publish(of{task: "a", uid: "1", generation: 1}).publish(of{task: "a", uid: "1", generation: 1, more: "other"})
		}, want: SameBytes},
		"Ready before it is published": {history: func(p *past) {
			p.task("a", "1", 1).publish().task("a", "1", 1, ready(1))
		}, want: ReadyIsServed},
		"Ready for a generation while an older one is served": {history: func(p *past) {
			p.task("a", "1", 1).publish(of{task: "a", uid: "1", generation: 1}).task("a", "1", 2).task("a", "1", 2, ready(2))
		}, want: ReadyIsServed},
		"Ready for an older generation than is served": {history: func(p *past) {
			p.task("a", "1", 1).task("a", "1", 2).publish(of{task: "a", uid: "1", generation: 2}).task("a", "1", 2, ready(1))
		}},
		"Ready lands after another task took the name": {history: func(p *past) {
			p.task("a", "1", 1, shared).publish(of{task: "a", uid: "1", generation: 1, key: "shared"})
			p.task("b", "2", 1, shared).publish(of{task: "b", uid: "2", generation: 1, key: "shared"}).task("a", "1", 1, shared, ready(1))
		}},
		"Ready of a task that was never served, of whose name another is": {history: func(p *past) {
			p.task("b", "2", 1, shared).publish(of{task: "b", uid: "2", generation: 1, key: "shared"}).task("a", "1", 1, shared, ready(1))
		}, want: ReadyIsServed},
		"A time of transition moves without a change": {history: func(p *past) {
			p.task("a", "1", 1, condition(v1alpha1.ConditionAccepted, metav1.ConditionTrue, 1, 1))
			p.task("a", "1", 1, condition(v1alpha1.ConditionAccepted, metav1.ConditionTrue, 1, 2))
		}, want: Transition},
		"A time of transition goes back": {history: func(p *past) {
			p.task("a", "1", 1, condition(v1alpha1.ConditionAccepted, metav1.ConditionTrue, 1, 2))
			p.task("a", "1", 1, condition(v1alpha1.ConditionAccepted, metav1.ConditionFalse, 1, 1))
		}, want: Transition},
		"A time of transition moves with a change": {history: func(p *past) {
			p.task("a", "1", 1, condition(v1alpha1.ConditionAccepted, metav1.ConditionTrue, 1, 1))
			p.task("a", "1", 1, condition(v1alpha1.ConditionAccepted, metav1.ConditionFalse, 1, 2))
		}},
		"A workflow that is no longer valid forgets its tasks": {history: func(p *past) {
			p.workflow(metav1.ConditionTrue, v1alpha1.WorkflowTask{Name: "a", Interface: "1"}).workflow(metav1.ConditionFalse)
		}, want: LastValidStays},
		"A workflow's status is removed by hand": {history: func(p *past) {
			p.workflow(metav1.ConditionTrue).add(Event{Workflow: &v1alpha1.MazeWorkflow{ObjectMeta: metav1.ObjectMeta{Name: "w"}}})
			p.workflow(metav1.ConditionFalse)
		}},
		"An index without labels": {history: func(p *past) {
			p.publish()
			p.events[0].ConfigMap.Labels = nil
		}, want: Labelled},
		"A shard with the label of an index": {history: func(p *past) {
			p.shard("maze-registry-0-a")
			p.events[0].ConfigMap.Labels[roleLabel] = "index"
		}, want: Labelled},
		"A ConfigMap of another name": {history: func(p *past) { p.shard("other") }, want: Labelled},
		"Someone else's ConfigMap is overwritten": {history: func(p *past) {
			p.add(Event{ConfigMap: &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: indexName, UID: "uid of maze-registry"}}})
			p.byHand().publish()
		}, want: ForeignAlone},
		"Someone else's ConfigMap is deleted": {history: func(p *past) {
			p.add(Event{ConfigMap: &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "maze-registry-0-a", UID: "uid of maze-registry-0-a"}}})
			p.byHand().shardGone()
		}, want: ForeignAlone},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			p := &past{hand: newHandiwork()}
			tc.history(p)
			violations := newReplay(p.hand, false).run(p.events)
			found := func(i Invariant) bool {
				return slices.ContainsFunc(violations, func(v Violation) bool { return v.Invariant == i })
			}
			if tc.want == "" && len(violations) > 0 || tc.want != "" && !found(tc.want) {
				t.Errorf("replay: want %q, got %v", tc.want, violations)
			}
		})
	}
}

func TestLeaseViolations(t *testing.T) {
	lease := func(holder string) *coordinationv1.Lease {
		return &coordinationv1.Lease{Spec: coordinationv1.LeaseSpec{HolderIdentity: ptr.To(holder)}}
	}
	begin := time.Unix(100, 0)
	gone := Event{Version: 15, Deleted: true, At: begin, ConfigMap: configMap("maze-registry-0-a", "shard", nil)}
	events := []Event{{Version: 1, Lease: lease("x")}, {Version: 10, Lease: lease("y")}, gone}
	deletion := func(process string) *call {
		return &call{process: process, target: ShardDelete, name: "maze-registry-0-a", write: true, status: 200, at: begin}
	}
	write := func(process string, version uint64, after time.Duration, delayed bool) *call {
		return &call{process: process, target: IndexWrite, write: true, status: 200, resourceVersion: version, at: begin.Add(after), delayed: delayed}
	}
	held := []*call{
		{process: "a", target: LeaseWrite, write: true, status: 200, holder: "x", resourceVersion: 1},
		{process: "b", target: LeaseWrite, write: true, status: 200, holder: "y", resourceVersion: 10},
	}
	cases := map[string]struct {
		call *call
		want int
	}{
		"The holder":                         {write("a", 5, 0, false), 0},
		"The next holder":                    {write("b", 15, 0, false), 0},
		"The next holder deletes":            {deletion("b"), 0},
		"The holder before deletes":          {deletion("a"), 1},
		"The holder before":                  {write("a", 15, 0, false), 1},
		"The holder to be":                   {write("b", 5, 0, false), 1},
		"A request that was held on its way": {write("a", 15, 0, true), 0},
		"A process that was just continued":  {write("a", 15, 11*time.Second, false), 0},
		"And goes on":                        {write("a", 15, 14*time.Second, false), 1},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			got := leaseViolations(events, append(slices.Clone(held), tc.call), []time.Time{begin.Add(10 * time.Second)})
			if len(got) != tc.want {
				t.Errorf("leaseViolations(...): want %d, got %v", tc.want, got)
			}
		})
	}
}
