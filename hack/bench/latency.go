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
)

// durations are sorted times.
type durations []time.Duration

// percentile gives the smallest time that p percent of the times do not exceed.
func (d durations) percentile(p int) time.Duration {
	if len(d) == 0 {
		return 0
	}
	return d[max(0, (len(d)*p+99)/100-1)]
}

// latencies are the times of single tasks, from the create request to the moment at which the watcher saw them Ready and in the
// registry, and of the ConfigMap updates between them.
type latencies struct {
	// beside is the number of tasks that were in the namespace before.
	beside           int
	tasks, yardstick durations
}

// runLatency is phase d. crowded watches the namespace that has the tasks of phase b.
func (b *bench) runLatency(ctx context.Context, s *stage, crowded *watcher) error {
	own, err := s.openNamespace(ctx, "single", nil)
	if err != nil {
		return err
	}
	defer own.stop()
	for _, place := range []struct {
		w      *watcher
		beside int
	}{{own, 0}, {crowded, b.tasks}} {
		progress("%d single tasks beside %d", b.single, place.beside)
		measured, err := s.measureLatency(ctx, place.w, newTasks(place.w.namespace, place.beside, b.single, b.seed))
		if err != nil {
			return err
		}
		measured.beside = place.beside
		b.results.latency = append(b.results.latency, measured)
		if _, err := compareRegistry(ctx, s.client, place.w.namespace); err != nil {
			return err
		}
	}
	return nil
}

// measureLatency takes both times in turn, so that whatever else the machine does slows both.
func (s *stage) measureLatency(ctx context.Context, w *watcher, tasks []*v1alpha1.MazeTask) (latencies, error) {
	var measured latencies
	yardstick := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: metav1.NamespaceDefault, GenerateName: "yardstick-"}}
	if err := s.client.Create(ctx, yardstick); err != nil {
		return measured, fmt.Errorf("create a ConfigMap: %w", err)
	}
	for i, task := range tasks {
		if i*yardstickUpdates/len(tasks) != (i-1)*yardstickUpdates/len(tasks) || i == 0 {
			elapsed, err := s.updateYardstick(ctx, yardstick, i)
			if err != nil {
				return measured, err
			}
			measured.yardstick = append(measured.yardstick, elapsed)
		}
		reached := w.expect(oneServed(task))
		start := time.Now()
		if err := s.client.Create(ctx, task); err != nil {
			return measured, fmt.Errorf("create a task: %w", err)
		}
		end, err := w.await(ctx, reached)
		if err != nil {
			return measured, fmt.Errorf("wait for a single task: %w", err)
		}
		measured.tasks = append(measured.tasks, end.Sub(start))
	}
	slices.Sort(measured.tasks)
	slices.Sort(measured.yardstick)
	return measured, nil
}

// updateYardstick updates a ConfigMap and gives the time that it took.
func (s *stage) updateYardstick(ctx context.Context, yardstick *corev1.ConfigMap, number int) (time.Duration, error) {
	text := fmt.Sprintf("%08d", number)
	yardstick.Data = map[string]string{"text": strings.Repeat(text, yardstickSize/len(text))}
	start := time.Now()
	if err := s.client.Update(ctx, yardstick); err != nil {
		return 0, fmt.Errorf("update a ConfigMap: %w", err)
	}
	return time.Since(start), nil
}
