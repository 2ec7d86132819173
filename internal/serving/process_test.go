package serving_test

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/placement"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/internal/serving"
)

// process is one run of the operator. It drives passes as a publisher does.
type process struct {
	name   string
	memory *serving.Memory
	// tasks, index, shards and nodes are how far its caches are: positions in the logs.
	tasks, index, shards, nodes int
	// pending holds the tasks that have changed since the last pass.
	pending map[string]bool
	// resolutions holds what each requirement is resolved to.
	resolutions map[placement.Requirement]*placement.Resolution

	pass     *serving.Pass
	taskView map[string]*v1alpha1.MazeTask
	batch    []*call
	// behind is since when its passes are behind: the zero time while they are not.
	behind time.Time
	// deletions is how often the index had been deleted when the process last knew whether it is there.
	deletions int

	// published holds what it has published last. What it has taken out, it forgets.
	published map[taskKey]bool

	// outcomes accumulates what passes have told, and unreported holds what is not in a status yet.
	outcomes   map[string]*serving.Outcome
	unreported map[string]bool
}

// call is a request of a process.
type call struct {
	request *serving.Request
	verb    serving.Verb
	object  *corev1.ConfigMap
	process *process
	// taskView is what the process saw of the tasks in this pass, and deletions as in process.
	taskView  map[string]*v1alpha1.MazeTask
	deletions int

	// publishes holds what it has published, which the process knows once it has an answer.
	publishes []taskKey

	sent   bool
	answer *corev1.ConfigMap
	err    error
}

func (c *call) String() string { return fmt.Sprintf("%s %s %s", c.process, c.verb, c.object.Name) }

func (p *process) String() string { return p.name }

func (w *world) newProcess(i int) *process {
	w.processes++
	p := &process{
		name: fmt.Sprintf("process %d.%d", i, w.processes), published: map[taskKey]bool{}, memory: &serving.Memory{}, pending: map[string]bool{},
		resolutions: map[placement.Requirement]*placement.Resolution{}, outcomes: map[string]*serving.Outcome{}, unreported: map[string]bool{},
		tasks: len(w.api.tasksLog) - 1, index: len(w.api.mapsLog) - 1, shards: len(w.api.mapsLog) - 1, nodes: len(w.nodes) - 1,
	}
	if w.stale { // its caches may begin in the past
		for _, position := range []*int{&p.tasks, &p.index, &p.shards, &p.nodes} {
			*position -= min(*position, []int{0, 0, 1, 2, 5, 10}[w.dice.n(6)])
		}
	}
	return p
}

// crash ends a process. What it has in hand is lost, or arrives late.
func (w *world) crash(p *process) {
	for _, c := range p.batch {
		if !c.sent && w.profile.late && w.dice.one(2) {
			w.keep(c)
		}
	}
	for i := range w.procs {
		if w.procs[i] == p {
			w.procs[i] = w.newProcess(i)
			w.logf("%s dies, %s starts", p, w.procs[i])
		}
	}
}

// keep notes a request that is to arrive late.
func (w *world) keep(c *call) {
	c.sent = true
	if c.verb != serving.Get {
		w.late = append(w.late, c)
		w.logf("%s is kept", c)
	}
}

// look lets a process's caches move forward.
func (w *world) look(p *process) {
	forward := func(position *int, end int) {
		last := *position
		*position = end
		if w.stale {
			*position = min(end, last+[]int{end - last, end - last, 0, 1, 3}[w.dice.n(5)])
		}
	}
	forward(&p.index, len(w.api.mapsLog)-1)
	forward(&p.shards, len(w.api.mapsLog)-1)
	forward(&p.nodes, len(w.nodes)-1)
	from := p.tasks
	forward(&p.tasks, len(w.api.tasksLog)-1)
	for i := from; i < p.tasks; i++ {
		before, after := w.api.tasksLog[i].objects, w.api.tasksLog[i+1].objects
		for name := range w.api.tasksLog[i+1].objects {
			if before[name] != after[name] {
				p.pending[name] = true
			}
		}
		for name := range before {
			if after[name] == nil {
				p.pending[name] = true
			}
		}
	}
}

// resolver resolves requirements on the nodes as a process sees them. What does not change keeps its pointer.
func (w *world) resolver(p *process) serving.Resolver {
	state := w.nodes[p.nodes]
	known := map[placement.Requirement]*placement.Resolution{}
	return func(r placement.Requirement) *placement.Resolution {
		if known[r] == nil {
			next := w.resolution(r, state)
			if last := p.resolutions[r]; last != nil && apiequality.Semantic.DeepEqual(last, next) {
				next = last
			}
			known[r], p.resolutions[r] = next, next
		}
		return known[r]
	}
}

// viewVersion is a resourceVersion up to which a cache at a position has seen all: its own, or that of a bookmark.
func (w *world) viewVersion(version int64, after int64) string {
	if w.calm || w.dice.one(4) {
		version = after - 1
	}
	return strconv.FormatInt(version, 10)
}

func (w *world) observe(p *process) serving.Observation {
	w.look(p)
	log := w.api.tasksLog
	until := func(i int) int64 {
		if i+1 < len(log) {
			return log[i+1].version
		}
		return w.api.version + 1
	}
	seen := serving.Observation{
		Now: w.now, Tasks: map[string]*v1alpha1.MazeTask{}, Nodes: w.resolver(p), NodesRevision: uint64(p.nodes) + 1,
		View: w.viewVersion(log[p.tasks].version, until(p.tasks)), Source: strconv.FormatInt(log[p.tasks].version, 10), Sweep: w.dice.n(3) > 0,
	}
	if w.stale && p.tasks > 0 && w.dice.one(6) { // the cache has moved while it was listed
		seen.View = strconv.FormatInt(log[p.tasks-1].version, 10)
	}
	if number(seen.Source) < number(seen.View) || w.stale && w.dice.one(6) {
		seen.Source = strconv.FormatInt(until(p.tasks)-1, 10)
		if p.tasks+1 < len(log) && w.dice.one(2) {
			seen.Source = strconv.FormatInt(log[p.tasks+1].version, 10)
		}
	}
	p.taskView = log[p.tasks].objects
	if seen.Complete = p.memory.NeedsAll() || w.dice.one(8); seen.Complete {
		maps.Copy(seen.Tasks, p.taskView)
	} else {
		if w.dice.one(8) {
			p.pending[fmt.Sprintf("t%d", w.dice.n(taskNames))] = true
		}
		for name := range p.pending {
			seen.Tasks[name] = p.taskView[name]
		}
	}
	clear(p.pending)
	if !p.behind.IsZero() && w.now.Sub(p.behind) >= behindLimit {
		w.readLive(p, &seen)
	}
	w.observeMaps(p, &seen)
	return seen
}

// behindLimit is how long a process's passes may be behind before it reads the tasks from the API server, as a publisher does.
const behindLimit = 2 * time.Second

// readLive reads all tasks from the API server. The cache stays where it is.
func (w *world) readLive(p *process, seen *serving.Observation) {
	p.taskView = w.api.tasksLog[len(w.api.tasksLog)-1].objects
	seen.Tasks, seen.Complete, seen.Live = maps.Clone(p.taskView), true, true
	seen.View = strconv.FormatInt(w.api.version, 10)
	seen.Source = seen.View
}

func (w *world) observeMaps(p *process, seen *serving.Observation) {
	log := w.api.mapsLog
	until := func(i int) int64 {
		if i+1 < len(log) {
			return log[i+1].version
		}
		return w.api.version + 1
	}
	if index := log[p.index].objects[registry.ConfigMapName]; index != nil {
		seen.Index = &metav1.PartialObjectMetadata{ObjectMeta: index.ObjectMeta}
	}
	seen.IndexView = w.viewVersion(log[p.index].version, until(p.index))
	for _, name := range slices.Sorted(maps.Keys(log[p.shards].objects)) {
		if shard := log[p.shards].objects[name]; registry.HasRole(shard, registry.RoleShard) {
			seen.Shards = append(seen.Shards, &metav1.PartialObjectMetadata{ObjectMeta: shard.ObjectMeta})
		}
	}
	seen.ShardView = w.viewVersion(log[p.shards].version, until(p.shards))
}

// stepProcess takes a process one step further: it begins a pass, sends a request, answers one, or ends the pass.
func (w *world) stepProcess(p *process) {
	switch {
	case p.pass == nil:
		w.begin(p)
	case len(p.batch) == 0:
		w.ask(p)
	default:
		c := p.batch[w.dice.n(len(p.batch))]
		if !c.sent {
			if w.send(c); w.two && w.dice.one(4) {
				return // the answer comes later
			}
		}
		w.take(c)
	}
}

func (w *world) begin(p *process) {
	seen := w.observe(p)
	pass, err := serving.Begin(namespace, w.options(), p.memory, seen)
	if err != nil {
		w.failf("Begin: %v", err)
	}
	p.pass = pass
	w.audit.began(p)
	w.logf("%s begins: view %s, source %s, complete %t, tasks %v, nodes %d, index %s, shards %s, sweep %t, live %t", p, seen.View, seen.Source, seen.Complete,
		slices.Sorted(maps.Keys(seen.Tasks)), w.nodes[p.nodes], seen.IndexView, seen.ShardView, seen.Sweep, seen.Live)
}

// ask gets the next requests of a pass, or ends it.
func (w *world) ask(p *process) {
	requests := p.pass.Next()
	if len(requests) > requestsAtOnce {
		w.failf("%s asks for %d requests at once", p, len(requests))
	}
	slices.SortFunc(requests, func(a, b *serving.Request) int {
		return cmp.Or(strings.Compare(string(a.Verb), string(b.Verb)), strings.Compare(a.ConfigMap.Name, b.ConfigMap.Name),
			strings.Compare(string(a.ConfigMap.UID), string(b.ConfigMap.UID)))
	})
	for _, r := range requests {
		p.batch = append(p.batch, &call{
			request: r, verb: r.Verb, object: r.ConfigMap.DeepCopy(), process: p, taskView: p.taskView, deletions: p.deletions,
		})
	}
	if len(p.batch) == 0 {
		w.finish(p)
	}
}

// send carries out a request, unless something goes wrong.
func (w *world) send(c *call) {
	c.sent = true
	if !w.faults || !w.dice.one(5) {
		c.answer, c.err = w.api.do(c)
		w.knew(c)
		w.logf("%s: %v", c, c.err)
		return
	}
	switch n := w.dice.n(8); {
	case n < 2 && c.verb != serving.Get: // carried out, and nobody learns of it
		_, err := w.api.do(c)
		c.err = w.lost(c)
		if err == nil && n == 0 && c.verb == serving.Update {
			c.err = apierrors.NewConflict(configMapResource, c.object.Name, errors.New("a client that tried twice"))
		}
		w.logf("%s: %v, carried out, the answer is %v", c, err, c.err)
	case n < 4 && c.verb != serving.Get && w.profile.late:
		c.err = w.lost(c)
		w.keep(c)
	default:
		c.err = w.refusal(c)
		w.logf("%s: refused: %v", c, c.err)
	}
}

func (w *world) lost(c *call) error {
	switch w.dice.n(5) {
	case 0:
		return apierrors.NewTimeoutError("the server was unable to return a response in the time allotted", 1)
	case 1:
		return apierrors.NewInternalError(errors.New("etcdserver: leader changed"))
	case 2:
		return fmt.Errorf("%s %s: connection reset by peer", c.verb, c.object.Name)
	case 3:
		return apierrors.NewServiceUnavailable("the apiserver is shutting down")
	default:
		return apierrors.NewServerTimeout(configMapResource, string(c.verb), 1)
	}
}

// refusal is the answer to a request that is not carried out, true or false.
func (w *world) refusal(c *call) error {
	kinds := []func() error{
		func() error { return apierrors.NewForbidden(configMapResource, c.object.Name, errors.New("no")) },
		func() error { return w.lost(c) },
		func() error { return apierrors.NewTooManyRequests("later", 1) },
		func() error {
			return apierrors.NewConflict(configMapResource, c.object.Name, errors.New("a proxy says so"))
		},
		func() error {
			if c.verb == serving.Create {
				return apierrors.NewAlreadyExists(configMapResource, c.object.Name)
			}
			return apierrors.NewNotFound(configMapResource, c.object.Name)
		},
	}
	if c.verb == serving.Get {
		kinds = kinds[:3]
	}
	return kinds[w.dice.n(len(kinds))]()
}

// knew notes what a process learns of whether the index is there.
func (w *world) knew(c *call) {
	if c.object.Name == registry.ConfigMapName && (c.err == nil || c.verb == serving.Get && apierrors.IsNotFound(c.err)) {
		c.process.deletions = w.audit.deletions
	}
}

// take answers a request. After an error the rest of the batch may stay unsent.
func (w *world) take(c *call) {
	p := c.process
	p.batch = slices.DeleteFunc(p.batch, func(other *call) bool { return other == c })
	c.request.Answer(c.answer, c.err)
	if c.err == nil && c.verb != serving.Get && c.object.Name == registry.ConfigMapName {
		clear(p.published)
		for _, key := range c.publishes {
			p.published[key] = true
		}
	}
	if c.err != nil && w.dice.one(4) {
		p.batch = slices.DeleteFunc(p.batch, func(other *call) bool { return !other.sent })
	}
}

// finish ends a pass.
func (w *world) finish(p *process) {
	switch {
	case !p.pass.Behind():
		p.behind = time.Time{}
	case p.behind.IsZero():
		p.behind = w.now
	}
	contested := !w.calm && w.dice.one(16) // whether it lasts is the publisher's to judge
	if contested {
		p.pass.Contest()
	}
	outcomes := p.pass.Outcomes()
	for name, next := range outcomes {
		if next == nil {
			delete(p.outcomes, name)
			continue
		}
		if contested && next.Registered.OK {
			w.failf("%s: %s is told that it is served, while others change the registry again and again", p, name)
		}
		if last := p.outcomes[name]; last == nil || !last.Equal(next) {
			p.unreported[name] = true
		}
		p.outcomes[name] = next
	}
	w.logf("%s ends: published %t, behind %t, contested %t, conflict %t, failure %v, %d outcomes", p, p.pass.Published(), p.pass.Behind(), contested,
		p.pass.Registry().Conflict, p.pass.Failure(), len(outcomes))
	w.audit.finished(p, outcomes)
	p.memory, p.pass = p.pass.Remember(), nil
}

// runPass takes a process to the end of its pass.
func (w *world) runPass(p *process) {
	for i := 0; ; i++ {
		if w.stepProcess(p); p.pass == nil {
			return
		}
		if i > 2000 {
			w.failf("%s does not come to an end", p)
		}
	}
}
