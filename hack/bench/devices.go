package main

import (
	"context"
	"fmt"
	"time"

	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/test/testutil"
)

const (
	// cardsOfNode is the number of GPUs of each node of phase j, and smallCard and largeCard are their memory in MiB, at first and after the change.
	cardsOfNode = 8
	smallCard   = 4096
	largeCard   = 81920
)

// devicesResult is what phase j found.
type devicesResult struct {
	nodes, tasks, waiting int
	// beats are updates of slices that change nothing.
	beats beatResult
	// judged is the time from the change of a slice until no task waits.
	judged       time.Duration
	judgedWrites requests
	peakMemory   float64
}

// runDevices is phase j.
func (b *bench) runDevices(ctx context.Context, s *stage) error {
	const namespace = "placed"
	result := &devicesResult{nodes: b.nodes, tasks: b.tasks}
	progress("%d nodes with a ResourceSlice each", b.nodes)
	for _, class := range []*resourcev1.DeviceClass{
		testutil.NewGPUClass("gpu.nvidia.com", "nvidia.com/gpu", ""), testutil.NewGPUClass("gpu-60gi", "", "60Gi"), testutil.NewGPUClass("gpu-20gi", "", "20Gi"),
	} {
		if err := s.client.Create(ctx, class); err != nil {
			return fmt.Errorf("create a DeviceClass: %w", err)
		}
	}
	err := inParallel(ctx, b.workers, b.nodes, func(ctx context.Context, i int) error {
		node := newNode(i * len(pools)) // the first pool has no device plugin
		node.Name = nodeName(i)
		if err := testutil.CreateNode(ctx, s.client, node); err != nil {
			return err
		}
		return s.client.Create(ctx, testutil.NewGPUSlice(node.Name, cardsOfNode, smallCard))
	})
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
	update := func(ctx context.Context, i int) error {
		body := fmt.Appendf(nil, `{"metadata":{"annotations":{"example.com/beat":"%d"}}}`, i)
		slice := testutil.NewGPUSlice(nodeName(i%b.nodes), 0, 0)
		return s.client.Patch(ctx, slice, client.RawPatch(types.MergePatchType, body))
	}
	if err := b.beat(ctx, s, "resourceslices", beatsPerSecond, update, &result.beats); err != nil {
		return err
	}
	if err := result.changeSlice(ctx, s, w); err != nil {
		return err
	}
	result.peakMemory = peakMemoryOf(s.actor.pid())
	b.results.devices = result
	_, err = compareRegistry(ctx, s.client, namespace)
	return err
}

func nodeName(number int) string { return fmt.Sprintf("node-%05d", number) }

// changeSlice publishes GPUs of a node that host every task.
func (r *devicesResult) changeSlice(ctx context.Context, s *stage, w *watcher) error {
	before, err := s.readRequests(ctx)
	if err != nil {
		return err
	}
	progress("larger GPUs on one node, for which %d tasks wait", r.waiting)
	slice := testutil.NewGPUSlice(nodeName(0), cardsOfNode, largeCard)
	old := &resourcev1.ResourceSlice{}
	if err := s.client.Get(ctx, client.ObjectKeyFromObject(slice), old); err != nil {
		return fmt.Errorf("read a ResourceSlice: %w", err)
	}
	slice.ResourceVersion = old.ResourceVersion
	reached := w.expect(func(w *watcher) bool { return len(w.waiting) == 0 })
	start := time.Now()
	if err := s.client.Update(ctx, slice); err != nil {
		return fmt.Errorf("change a ResourceSlice: %w", err)
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

func (r *devicesResult) print(p *report) {
	p.line("\nj: %d nodes with a ResourceSlice of %d GPUs each, and %d tasks", r.nodes, cardsOfNode, r.tasks)
	p.line("  %-40s %8.0f", "updates of slices a second", r.beats.rate())
	p.line("  %-40s %8.4f cores", "  CPU of the operator meanwhile", ratio(r.beats.cpu.actor, r.beats.elapsed))
	p.printWrites("  Writes, but of slices, meanwhile", r.beats.writes)
	p.line("  %-40s %8d", "tasks that wait for a device", r.waiting)
	p.line("  %-40s %8.2f s", "until none does, after a slice changed", r.judged.Seconds())
	p.line("  %-40s %8s", "peak memory of the operator", mebibytes(r.peakMemory))
	p.printWrites("Writes after the slice changed", r.judgedWrites)
	p.target(fmt.Sprintf("j, status writes for %.0f updates of slices a second", r.beats.rate()), float64(r.beats.writes.count(kind.statusWrite)), 0)
	p.target("j, waiting tasks judged anew, seconds", r.judged.Seconds(), maxJudging)
}
