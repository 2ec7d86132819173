package monitoring

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// manyTasks is how many tasks a scrape is measured with.
const manyTasks = 5000

// BenchmarkScrape measures what it costs the real manager to be scraped while it has 5,000 tasks and nothing else to do: the time of a
// scrape over TLS, and the manager's CPU time for each. It fails if the operator writes anything meanwhile.
func BenchmarkScrape(b *testing.B) {
	c := newCluster(b)
	c.create(b, namespace("many"))
	createMany(b, c)
	c.startManager(b)
	ready := map[string]float64{
		`maregister_task_conditions{condition="Ready", namespace="many", status="True"}`: manyTasks,
		`maregister_registry_lag_seconds{namespace="many"}`:                              0,
	}
	eventually(b, func(ctx context.Context) error { return differences(ctx, c, ready) })
	eventually(b, func(ctx context.Context) error { return unsettled(ctx, c) })
	before, began := versionOfTasks(b, c), cpuOf(b, c.manager)
	size := 0
	for b.Loop() {
		code, body, err := get(b.Context(), c.metrics, c.token)
		if err != nil || code != 200 {
			b.Fatalf("scrape: %d, %v", code, err)
		}
		size = len(body)
	}
	b.ReportMetric(float64(cpuOf(b, c.manager)-began)/float64(b.N), "cpu-ns/op")
	b.ReportMetric(float64(size), "bytes/op")
	if after := versionOfTasks(b, c); after != before {
		b.Errorf("want no write, but the tasks went from version %s to %s", before, after)
	}
}

// createMany creates the tasks, several at a time.
func createMany(b *testing.B, c *cluster) {
	b.Helper()
	numbers := make(chan int)
	var group sync.WaitGroup
	for range 16 {
		group.Go(func() {
			for i := range numbers {
				if err := c.Create(b.Context(), newTask("many", fmt.Sprint("task-", i))); err != nil {
					b.Error(err)
				}
			}
		})
	}
	for i := range manyTasks {
		numbers <- i
	}
	close(numbers)
	group.Wait()
}

// unsettled says that some status is still to be written.
func unsettled(ctx context.Context, c *cluster) error {
	var tasks v1alpha1.MazeTaskList
	if err := c.List(ctx, &tasks); err != nil {
		return err
	}
	for i := range tasks.Items {
		if task := &tasks.Items[i]; task.Status.ObservedGeneration != task.Generation {
			return fmt.Errorf("MazeTask %s has no status yet", task.Name)
		}
	}
	return nil
}

// versionOfTasks is another one after every write to a task.
func versionOfTasks(b *testing.B, c *cluster) string {
	b.Helper()
	var tasks v1alpha1.MazeTaskList
	if err := c.List(b.Context(), &tasks); err != nil {
		b.Fatal(err)
	}
	highest := 0
	for i := range tasks.Items {
		version, err := strconv.Atoi(tasks.Items[i].ResourceVersion)
		if err != nil {
			b.Fatal(err)
		}
		highest = max(highest, version)
	}
	return strconv.Itoa(highest)
}

// cpuOf returns the CPU time that a process has used, as proc(5) tells. 0 elsewhere than on Linux.
func cpuOf(b *testing.B, process int) time.Duration {
	b.Helper()
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", process))
	if err != nil {
		return 0
	}
	const userTime, systemTime, tick = 11, 12, time.Second / 100
	_, after, _ := strings.Cut(string(content), ") ")
	fields := strings.Fields(after)
	user, _ := strconv.Atoi(fields[userTime])
	system, _ := strconv.Atoi(fields[systemTime])
	return time.Duration(user+system) * tick
}
