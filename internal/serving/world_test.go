package serving_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apiequality "k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/placement"
	"github.com/maze-agent/maregister/internal/registry"
	"github.com/maze-agent/maregister/internal/serving"
	"github.com/maze-agent/maregister/internal/task"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// dice makes every choice of a step from bytes. After the last byte, each choice is the first one.
type dice struct {
	bytes []byte
	next  int
}

// n returns a number below k, which is at most 256.
func (d *dice) n(k int) int {
	if d.next >= len(d.bytes) {
		return 0
	}
	d.next++
	return int(d.bytes[d.next-1]) % k
}

// one reports whether a chance of 1 in k came true.
func (d *dice) one(k int) bool { return d.n(k) == k-1 }

// profile is what can happen in a history.
type profile struct {
	shardSize                                     int
	hands, faults, crashes, late, stale, two, big bool
	// foreign: ConfigMaps of others have the registry's names.
	foreign bool
}

func newProfile(d *dice) profile {
	p := profile{shardSize: []int{1024 + 3000, 1024 + 1700, 1024 + 8000}[d.n(3)]}
	bits := d.n(256)
	p.faults, p.crashes, p.late, p.stale, p.two = bits&1 > 0, bits&2 > 0, bits&4 > 0, bits&8 > 0, bits&16 > 0
	p.hands, p.foreign, p.big = bits&32 > 0, bits&64 > 0, bits&128 > 0
	if p.hands || p.foreign { // half of the histories have no hands
		p.hands, p.foreign = p.hands && d.n(2) == 0, p.foreign && d.n(2) == 0
	}
	return p
}

// taskKey is one generation of a task.
type taskKey struct {
	uid        types.UID
	generation int64
}

// fact is what is true of one generation of a task.
type fact struct {
	task    *v1alpha1.MazeTask
	verdict task.Verdict
	// fits reports whether its entry fits into a shard, on all nodes.
	fits bool
}

// violation is a broken invariant.
type violation struct{ message string }

// world is a namespace, its hands, and the processes of the operator.
type world struct {
	profile
	dice  *dice
	api   *apiServer
	audit *audit
	procs [2]*process
	late  []*call
	now   time.Time
	// nodes holds the state of the nodes at each revision.
	nodes []int
	facts map[taskKey]*fact
	// nth numbers the edits, and processes the processes.
	nth, processes int
	// touched reports whether hands have changed anything in the registry.
	touched bool
	// calm reports whether all faults have stopped.
	calm bool
	// others holds the names of the ConfigMaps that others have made.
	others map[string]bool
	trace  func(string)
}

func newWorld(d *dice, trace func(string)) *world {
	w := &world{
		profile: newProfile(d), dice: d, api: newAPIServer(), now: noon, nodes: []int{0}, facts: map[taskKey]*fact{}, others: map[string]bool{}, trace: trace,
	}
	w.audit = newAudit(w)
	w.api.changed, w.api.now = w.audit.changed, func() time.Time { return w.now }
	for i := range w.procs {
		if i == 0 || w.two {
			w.procs[i] = w.newProcess(i)
		}
	}
	return w
}

func (w *world) options() serving.Options {
	return serving.Options{ShardSize: w.shardSize, Predictors: registry.DefaultPredictorRules()}
}

func (w *world) logf(format string, args ...any) {
	if w.trace != nil {
		w.trace(fmt.Sprintf("%d: ", w.api.version) + fmt.Sprintf(format, args...))
	}
}

func (w *world) failf(format string, args ...any) {
	w.logf(format, args...)
	panic(violation{fmt.Sprintf(format, args...)})
}

const taskNames, taskKeys = 7, 5

// Kinds of spec.
const (
	goodSpec = iota
	badSpec
	largeSpec
)

// spec makes a spec of a kind, unlike all others.
func (w *world) spec(key string, kind int) v1alpha1.MazeTaskSpec {
	w.nth++
	s := v1alpha1.MazeTaskSpec{
		Name: key, Description: fmt.Sprintf("edit %d ", w.nth) + strings.Repeat(".", 100*w.dice.n(3)),
		Resources: v1alpha1.Resources{Type: v1alpha1.ResourceTypeCPU, CPU: ptr.To(resource.MustParse("1")), Memory: ptr.To(resource.MustParse("1Gi"))},
	}
	switch w.dice.n(3) {
	case 1:
		s.Resources.Type = v1alpha1.ResourceTypeGPU
	case 2:
		s.Resources.Type, s.Resources.GPUMemory, s.Resources.Backend = v1alpha1.ResourceTypeGPU, ptr.To(resource.MustParse("4Gi")), "vllm"
	}
	switch kind {
	case badSpec:
		s.InputParameters = &apiextensionsv1.JSON{Raw: []byte(`{"x":{"type":5}}`)}
	case largeSpec:
		s.Description += strings.Repeat("x", w.shardSize)
	}
	return s
}

func (w *world) kind() int {
	switch n := w.dice.n(8); {
	case n < 5:
		return goodSpec
	case n < 7 || !w.big:
		return badSpec
	default:
		return largeSpec
	}
}

// storeTask stores a generation of a task, and notes what is true of it.
func (w *world) storeTask(t *v1alpha1.MazeTask) {
	w.api.storeTask(t.Name, t)
	key := taskKey{t.UID, t.Generation}
	if w.facts[key] == nil {
		f := &fact{task: t, verdict: task.Judge(&t.Spec)}
		f.fits = len(t.Spec.Description) < w.shardSize // see spec: others fit on all nodes
		w.facts[key] = f
	}
}

// item is the entry of a valid generation of a task.
func (w *world) item(f *fact, p v1alpha1.Placement) registry.Item {
	entry, err := registry.NewEntry(f.task, registry.Interface{Input: f.verdict.Input.JSON(), Output: f.verdict.Output.JSON()}, p, w.options().Predictors)
	if err != nil {
		panic(err)
	}
	item, err := entry.Encode()
	if err != nil {
		panic(err)
	}
	return item
}

// stepTask changes a task.
func (w *world) stepTask() {
	name := fmt.Sprintf("t%d", w.dice.n(taskNames))
	live := w.api.tasks[name]
	if live == nil {
		next := &v1alpha1.MazeTask{ObjectMeta: metav1.ObjectMeta{
			Namespace: namespace, Name: name, UID: w.api.uid(), Generation: 1, CreationTimestamp: metav1.Time{Time: w.now.Truncate(time.Second)},
		}}
		next.Spec = w.spec(fmt.Sprintf("k%d", w.dice.n(taskKeys)), w.kind())
		next.Status.ObservedGeneration = -1
		if w.dice.one(6) {
			next.Finalizers = []string{"example.com/hold"}
		}
		w.storeTask(next)
		w.logf("create %s (%s): key %s, %s", name, next.UID, next.Spec.Name, w.describe(next))
		return
	}
	switch n := w.dice.n(8); {
	case live.DeletionTimestamp != nil:
		w.logf("finalize %s", name)
		w.api.storeTask(name, nil)
	case n < 2:
		w.logf("delete %s", name)
		w.api.deleteTask(name, w.now)
		if left := w.api.tasks[name]; left != nil {
			w.facts[taskKey{left.UID, left.Generation}] = &fact{task: left, verdict: task.Judge(&left.Spec)}
		}
	default:
		next := live.DeepCopy()
		next.Generation++
		next.Spec = w.spec(live.Spec.Name, w.kind())
		w.storeTask(next)
		w.logf("edit %s: generation %d, %s", name, next.Generation, w.describe(next))
	}
}

func (w *world) describe(t *v1alpha1.MazeTask) string {
	f := w.facts[taskKey{t.UID, t.Generation}]
	text := string(t.Spec.Resources.Type)
	switch {
	case !f.verdict.Accepted:
		text += ", bad"
	case !f.fits:
		text += ", too large"
	}
	return text
}

const nodeStates = 4

// stepNodes changes the nodes.
func (w *world) stepNodes() {
	w.nodes = append(w.nodes, w.dice.n(nodeStates))
	w.logf("nodes: state %d", w.nodes[len(w.nodes)-1])
}

// resolution is where a requirement can run in a state of the nodes. Two states differ in the message alone.
func (*world) resolution(r placement.Requirement, state int) *placement.Resolution {
	out := &placement.Resolution{Placement: v1alpha1.Placement{Requests: corev1.ResourceList{
		corev1.ResourceCPU: *resource.NewMilliQuantity(r.MilliCPU, resource.DecimalSI), corev1.ResourceMemory: *resource.NewQuantity(r.Memory, resource.BinarySI),
	}}}
	out.Verdict = placement.Verdict{Status: metav1.ConditionTrue, Reason: v1alpha1.ReasonFeasible, Summary: "a node can host the task"}
	if r.Type != v1alpha1.ResourceTypeGPU {
		return out
	}
	count := int32(1)
	switch state {
	case 0:
		out.Verdict = placement.Verdict{Status: metav1.ConditionUnknown, Reason: v1alpha1.ReasonNoInventory, Summary: "none of the nodes has a GPU"}
	case 1:
		count = 2
		out.Placement.NodeSelector = map[string]string{"gpu": "small"}
	case 2:
		out.Verdict.Summary = "another node can host the task"
		if r.GPUMemory > 0 {
			count = 4
		}
	}
	gpus := *resource.NewQuantity(int64(count), resource.DecimalSI)
	out.Placement.Requests["nvidia.com/gpu"], out.Placement.Limits = gpus, corev1.ResourceList{"nvidia.com/gpu": gpus}
	out.Placement.GPU = &v1alpha1.GPUPlacement{Count: count, MemoryPerGPU: r.GPUMemory / int64(count), ResourceName: "nvidia.com/gpu"}
	return out
}

// stepElsewhere writes something in another namespace, or lets time pass.
func (w *world) stepElsewhere() {
	w.api.version += int64(w.dice.n(3))
	w.now = w.now.Add(time.Duration(w.dice.n(7)) * time.Second)
}

// step does one thing.
func (w *world) step() {
	w.now = w.now.Add(300 * time.Millisecond)
	switch n := w.dice.n(32); {
	case n < 18:
		w.stepProcess(w.anyProcess())
	case n < 23:
		w.stepTask()
	case n == 23:
		w.stepNodes()
	case n == 24:
		w.stepElsewhere()
	case n == 25:
		w.stepStatus()
	case n < 28:
		if w.hands || w.foreign {
			w.stepHand()
		} else {
			w.stepTask()
		}
	case n == 28:
		if w.crashes {
			w.crash(w.anyProcess())
		}
	case n < 31:
		w.deliver()
	default:
		w.runPass(w.anyProcess())
	}
}

func (w *world) anyProcess() *process {
	if w.procs[1] != nil && w.dice.one(3) {
		return w.procs[1]
	}
	return w.procs[0]
}

// deliver carries out a request that is late.
func (w *world) deliver() {
	if len(w.late) == 0 {
		return
	}
	i := w.dice.n(len(w.late))
	c := w.late[i]
	w.late = slices.Delete(w.late, i, i+1)
	_, err := w.api.do(c)
	w.logf("late: %s: %v", c, err)
}

// stepStatus writes the status of a task from the outcomes of a process.
func (w *world) stepStatus() {
	p := w.anyProcess()
	names := slices.Sorted(maps.Keys(p.unreported))
	if len(names) > 0 {
		w.report(p, names[w.dice.n(len(names))])
	}
}

// report writes the status of a task, if it still is of the generation that the outcome is of.
func (w *world) report(p *process, name string) {
	delete(p.unreported, name)
	live, outcome := w.api.tasks[name], p.outcomes[name]
	if live == nil || outcome == nil || live.UID != outcome.UID || live.Generation != outcome.Generation {
		return
	}
	next := live.DeepCopy()
	next.Status = outcome.Status(&live.Status, metav1.Time{Time: w.now})
	if apiequality.Semantic.DeepEqual(next.Status, live.Status) {
		return
	}
	w.api.storeTask(name, next)
	w.logf("%s reports %s: %s/%s", p, name, outcome.Accepted.Reason, outcome.Registered.Reason)
}

func number(version string) int64 {
	n, _ := strconv.ParseInt(version, 10, 64)
	return n
}
