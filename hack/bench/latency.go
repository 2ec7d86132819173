package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

const (
	// yardstickSize is the size in bytes of the ConfigMap whose updates the latency is compared with.
	yardstickSize = 64 << 10
	// yardstickUpdates is how often it is updated.
	yardstickUpdates = 50
	// singleNamespace is where the tasks of phase d are.
	singleNamespace = "single"
)

// durations are sorted times.
type durations []time.Duration

// percentile returns the smallest time that p percent of the times do not exceed.
func (d durations) percentile(p int) time.Duration {
	if len(d) == 0 {
		return 0
	}
	return d[max(0, (len(d)*p+99)/100-1)]
}

// latencies are the times of single tasks, from the create request to the moment at which the watcher saw them Ready and in the
// registry, and of the ConfigMap updates between them.
type latencies struct {
	tasks, yardstick durations
	// cpu is the CPU time of all this, deletes included.
	cpu usage
}

// besideResult is what phase d found beside a number of tasks.
type besideResult struct {
	// tasks is that number, and filled how long it took to bring those that were not there before.
	tasks  int
	filled time.Duration
	latencies
	// resident is the operator's memory at rest, in MiB, before the single tasks.
	resident float64
	restart  *restartResult
}

// runSingle is phase d. The number of others grows; a single task is deleted again before the next one, so that beside none there is none.
func (b *bench) runSingle(ctx context.Context, s *stage) error {
	if err := s.startOperator(b.options); err != nil {
		return err
	}
	if err := s.warmUp(ctx); err != nil {
		return err
	}
	w, err := s.openNamespace(ctx, singleNamespace, nil)
	if err != nil {
		return err
	}
	defer w.stop()
	there := 0
	for _, beside := range b.beside {
		result, err := b.measureBeside(ctx, s, w, there, beside)
		if err != nil {
			return fmt.Errorf("beside %d tasks: %w", beside, err)
		}
		b.results.beside = append(b.results.beside, result)
		there = beside
	}
	return nil
}

// measureBeside fills the namespace up, and measures single tasks, the memory and a restart.
func (b *bench) measureBeside(ctx context.Context, s *stage, w *watcher, there, beside int) (*besideResult, error) {
	result := &besideResult{tasks: beside}
	start := time.Now()
	if err := b.fill(ctx, s, w, there, beside); err != nil {
		return nil, fmt.Errorf("fill the namespace: %w", err)
	}
	result.filled = time.Since(start)
	if err := s.calmDown(ctx); err != nil {
		return nil, err
	}
	var err error
	if result.resident, err = s.rest(ctx, b.rest); err != nil {
		return nil, err
	}
	progress("%d single tasks beside %d", b.single, beside)
	if result.latencies, err = s.measureLatency(ctx, w, newTasks(singleNamespace, beside, b.single, b.seed)); err != nil {
		return nil, err
	}
	if beside == 0 {
		return result, nil // the registry is empty
	}
	if _, err := compareRegistry(ctx, s.client, singleNamespace); err != nil {
		return nil, err
	}
	if result.restart, err = b.measureRestart(ctx, s); err != nil {
		return nil, fmt.Errorf("restart: %w", err)
	}
	return result, nil
}

// fillWorkers is how many creates are under way while a namespace is filled.
const fillWorkers = 32

// fill creates tasks with many workers until there are as many as wanted, and waits until all are served.
func (b *bench) fill(ctx context.Context, s *stage, w *watcher, there, want int) error {
	if there == want {
		return nil
	}
	progress("filling the namespace up to %d tasks", want)
	reached := w.expect(allServed(want))
	tasks := newTasks(singleNamespace, there, want-there, b.seed)
	err := inParallel(ctx, fillWorkers, len(tasks), func(ctx context.Context, i int) error {
		if err := s.client.Create(ctx, tasks[i]); err != nil {
			return fmt.Errorf("create a task: %w", err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	_, err = w.await(ctx, reached)
	return err
}

// measureLatency takes both times in turn, so that whatever else the machine does slows both. Each task is deleted again, and the next
// one waits until it is out of the registry.
func (s *stage) measureLatency(ctx context.Context, w *watcher, tasks []*v1alpha1.MazeTask) (latencies, error) {
	var measured latencies
	yardstick := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceDefault, GenerateName: "yardstick-"}}
	if err := s.client.Create(ctx, yardstick); err != nil {
		return measured, fmt.Errorf("create a ConfigMap: %w", err)
	}
	usageBefore := s.usage()
	for i, task := range tasks {
		if i*yardstickUpdates/len(tasks) != (i-1)*yardstickUpdates/len(tasks) || i == 0 {
			elapsed, err := s.updateYardstick(ctx, yardstick, i)
			if err != nil {
				return measured, err
			}
			measured.yardstick = append(measured.yardstick, elapsed)
		}
		elapsed, err := s.applyOne(ctx, w, task)
		if err != nil {
			return measured, err
		}
		measured.tasks = append(measured.tasks, elapsed)
	}
	measured.cpu = s.usage().since(usageBefore)
	slices.Sort(measured.tasks)
	slices.Sort(measured.yardstick)
	return measured, nil
}

// applyOne creates a task, and returns how long it took to be served. It deletes it after that.
func (s *stage) applyOne(ctx context.Context, w *watcher, task *v1alpha1.MazeTask) (time.Duration, error) {
	reached := w.expect(oneServed(task))
	start := time.Now()
	if err := s.client.Create(ctx, task); err != nil {
		return 0, fmt.Errorf("create a task: %w", err)
	}
	end, err := w.await(ctx, reached)
	if err != nil {
		return 0, fmt.Errorf("wait for a single task: %w", err)
	}
	gone := w.expect(oneGone(task))
	if err := s.client.Delete(ctx, task); err != nil {
		return 0, fmt.Errorf("delete a task: %w", err)
	}
	if _, err := w.await(ctx, gone); err != nil {
		return 0, fmt.Errorf("wait until a single task is gone: %w", err)
	}
	return end.Sub(start), nil
}

// updateYardstick updates a ConfigMap and returns the time that it took.
func (s *stage) updateYardstick(ctx context.Context, yardstick *corev1.ConfigMap, number int) (time.Duration, error) {
	text := fmt.Sprintf("%08d", number)
	yardstick.Data = map[string]string{"text": strings.Repeat(text, yardstickSize/len(text))}
	start := time.Now()
	if err := s.client.Update(ctx, yardstick); err != nil {
		return 0, fmt.Errorf("update a ConfigMap: %w", err)
	}
	return time.Since(start), nil
}
