package pysource

import (
	"sync"
	"sync/atomic"
)

// parallel does something for each index below n, by so many workers at a time, and waits for all.
func parallel(n, workers int, do func(worker, i int)) {
	var next atomic.Int64
	var wait sync.WaitGroup
	for worker := range min(n, workers) {
		wait.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				do(worker, int(i))
			}
		})
	}
	wait.Wait()
}
