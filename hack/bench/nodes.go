package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/flowcontrol"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/test/testutil"
)

const (
	// beatsPerSecond is the rate of updates that change nothing which matters, and beating is how long they go on.
	beatsPerSecond = 500
	beating        = 30 * time.Second
	// kubeletPeriod is how often a kubelet updates the status of a node where nothing has changed.
	kubeletPeriod = 5 * time.Minute
	// beatWorkers is enough for an API server that takes a tenth of a second.
	beatWorkers = 50
)

// nodesResult is what phase f found.
type nodesResult struct {
	nodes, tasks, waiting int
	// real are the updates at the rate of kubelets, and many those at beatsPerSecond.
	real, many beatResult
	// judged is the time from the create of the first node of a new class until no task waits.
	judged       time.Duration
	judgedWrites requests
	peakMemory   float64
}

// beatResult is what updates of nodes cost.
type beatResult struct {
	updates int
	// elapsed is how long they took, and cpu the CPU time meanwhile.
	elapsed time.Duration
	cpu     usage
	// writes are those of anything else.
	writes requests
}

// pools are the nodes of phase f, as far as they have GPUs. None hosts the largest tasks.
var pools = []struct {
	product string
	memory  int64
	gpus    int
}{{"", 0, 0}, {"Tesla-T4", 15360, 1}, {"NVIDIA-L4", 23034, 1}, {"Tesla-V100-PCIE-32GB", 32768, 1}}

// runNodes is phase f.
func (b *bench) runNodes(ctx context.Context, s *stage) error {
	const namespace = "placed"
	result := &nodesResult{nodes: b.nodes, tasks: b.tasks}
	progress("%d nodes", b.nodes)
	err := inParallel(ctx, b.workers, b.nodes, func(ctx context.Context, i int) error { return testutil.CreateNode(ctx, s.client, newNode(i)) })
	if err != nil {
		return err
	}
	w, err := b.serve(ctx, s, namespace)
	if err != nil {
		return err
	}
	defer w.stop()
	if result.waiting = w.countWaiting(); result.waiting == 0 {
		return fmt.Errorf("of %d tasks none waits for a node: take more of them", b.tasks)
	}
	for _, rate := range []struct {
		perSecond float64
		result    *beatResult
	}{{float64(b.nodes) / kubeletPeriod.Seconds(), &result.real}, {beatsPerSecond, &result.many}} {
		update := func(ctx context.Context, i int) error { return s.updateNode(ctx, i, b.nodes) }
		if err := b.beat(ctx, s, "nodes", rate.perSecond, update, rate.result); err != nil {
			return err
		}
	}
	if err := result.addClass(ctx, s, w); err != nil {
		return err
	}
	result.peakMemory = peakMemoryOf(s.actor.pid())
	b.results.nodes = result
	_, err = compareRegistry(ctx, s.client, namespace)
	return err
}

// serve starts the operator, and waits until it serves all tasks in a namespace. The caller stops the watcher.
func (b *bench) serve(ctx context.Context, s *stage, namespace string) (*watcher, error) {
	if err := s.startOperator(b.options); err != nil {
		return nil, err
	}
	if err := s.warmUp(ctx); err != nil {
		return nil, err
	}
	w, err := s.openNamespace(ctx, namespace, nil)
	if err != nil {
		return nil, err
	}
	if _, err := b.runBurst(ctx, s, w, newTasks(namespace, 0, b.tasks, b.seed), allServed, nothing); err != nil {
		w.stop()
		return nil, err
	}
	return w, nil
}

// newNode returns a node with more to it than the operator reads: labels, and a list of images.
func newNode(number int) *corev1.Node {
	pool, name := pools[number%len(pools)], fmt.Sprintf("node-%05d", number)
	node := testutil.NewNode(name)
	if pool.gpus > 0 {
		node = testutil.NewGPUNode(name, pool.product, pool.memory, pool.gpus)
	}
	memory := node.Status.Allocatable.Memory()
	memory.Set(memory.Value() - int64(number%100)<<12) // machines of one type differ
	node.Status.Allocatable[corev1.ResourceMemory] = *memory
	for i := range 10 {
		node.Labels[fmt.Sprintf("feature.node.kubernetes.io/cpu-cpuid.FEATURE%02d", i)] = "true"
	}
	for i := range 5 {
		node.Status.Images = append(node.Status.Images, corev1.ContainerImage{
			Names: []string{fmt.Sprintf("registry.example.com/team/image-%d@sha256:%s", i, strings.Repeat("0", 64))}, SizeBytes: 1 << 28,
		})
	}
	return node
}

// beat updates objects of a resource at a steady rate.
func (*bench) beat(
	ctx context.Context, s *stage, resource string, perSecond float64, update func(ctx context.Context, i int) error, result *beatResult,
) error {
	if err := calm(ctx, s.apiServer); err != nil {
		return err
	}
	before, err := s.settle(ctx, quiet)
	if err != nil {
		return err
	}
	progress("%.0f updates of %s a second for %s", perSecond, resource, beating)
	result.updates = int(perSecond * beating.Seconds())
	usageBefore, start := s.usage(), time.Now()
	limiter := flowcontrol.NewTokenBucketRateLimiter(float32(perSecond), int(min(perSecond, beatWorkers))+1)
	err = inParallel(ctx, beatWorkers, result.updates, func(ctx context.Context, i int) error {
		if err := limiter.Wait(ctx); err != nil {
			return err
		}
		return update(ctx, i)
	})
	if err != nil {
		return err
	}
	result.elapsed, result.cpu = time.Since(start), s.usage().since(usageBefore)
	after, err := s.settle(ctx, quiet)
	if err != nil {
		return err
	}
	result.writes = after.since(before)
	for k := range result.writes {
		if k.resource == resource {
			delete(result.writes, k)
		}
	}
	return nil
}

// updateNode changes what no placement depends on: every other time the heartbeat of a condition.
func (s *stage) updateNode(ctx context.Context, i, nodes int) error {
	request := s.raw.CoreV1().RESTClient().Patch(types.StrategicMergePatchType).Resource("nodes").Name(fmt.Sprintf("node-%05d", i%nodes))
	if i/nodes%2 == i%2 {
		body := fmt.Sprintf(`{"status":{"conditions":[{"type":"Ready","status":"True","lastHeartbeatTime":%q}]}}`, time.Now().UTC().Format(time.RFC3339))
		request = request.SubResource("status").Body([]byte(body))
	} else {
		request = request.Body(fmt.Appendf(nil, `{"metadata":{"annotations":{"example.com/beat":"%d"}}}`, i))
	}
	if err := request.Do(ctx).Error(); err != nil {
		return fmt.Errorf("update a node: %w", err)
	}
	return nil
}

// rate returns how many updates a second there were.
func (r *beatResult) rate() float64 { return float64(r.updates) / max(r.elapsed.Seconds(), 1e-9) }

// addClass brings the first node of a class that hosts every task.
func (r *nodesResult) addClass(ctx context.Context, s *stage, w *watcher) error {
	before, err := s.readRequests(ctx)
	if err != nil {
		return err
	}
	progress("the first node of a new class, for which %d tasks wait", r.waiting)
	reached := w.expect(func(w *watcher) bool { return len(w.waiting) == 0 })
	start := time.Now()
	if err := testutil.CreateNode(ctx, s.client, testutil.NewGPUNode("new", "NVIDIA-A100-SXM4-80GB", 81920, 8)); err != nil {
		return err
	}
	end, err := w.await(ctx, reached)
	if err != nil {
		return err
	}
	r.judged = end.Sub(start)
	after, err := s.settle(ctx, quiet)
	r.judgedWrites = after.since(before)
	return err
}

// isWaiting reports whether no node can host a task.
func isWaiting(task *v1alpha1.MazeTask) bool {
	return meta.IsStatusConditionFalse(task.Status.Conditions, v1alpha1.ConditionPlaceable)
}

func (r *nodesResult) print(p *report) {
	p.line("\nf: %d nodes and %d tasks", r.nodes, r.tasks)
	for _, beats := range []*beatResult{&r.real, &r.many} {
		p.line("  %-40s %8.0f", "heartbeats and annotations a second", beats.rate())
		p.line("  %-40s %8.4f cores", "  CPU of the operator meanwhile", ratio(beats.cpu.actor, beats.elapsed))
		p.line("  %-40s %8.3f cores", "  CPU of the API server and etcd", ratio(beats.cpu.apiServer+beats.cpu.etcd, beats.elapsed))
		p.line("  %-40s %8.3f cores", "  CPU of this program", ratio(beats.cpu.bench, beats.elapsed))
		p.printWrites("  Writes, but of nodes, meanwhile", beats.writes)
		p.target(fmt.Sprintf("f, status writes for %.0f heartbeats a second", beats.rate()), float64(beats.writes.count(kind.statusWrite)), 0)
		p.target(fmt.Sprintf("f, CPU for %.0f heartbeats a second, cores", beats.rate()), ratio(beats.cpu.actor, beats.elapsed), maxHeartbeatCores)
	}
	p.line("  %-40s %8d", "tasks that wait for a node", r.waiting)
	p.line("  %-40s %8.2f s", "until none does, after a node came", r.judged.Seconds())
	p.line("  %-40s %8s", "peak memory of the operator", mebibytes(r.peakMemory))
	p.printWrites("Writes after the node came", r.judgedWrites)
	p.target("f, missing of 500 heartbeats a second", max(0, beatsPerSecond-r.many.rate()), beatsPerSecond/20)
	p.target("f, waiting tasks judged anew, seconds", r.judged.Seconds(), maxJudging)
}
