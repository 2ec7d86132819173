package catalogue

import (
	"slices"

	"k8s.io/utils/ptr"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/dag"
	"github.com/maze-agent/maregister/internal/registry"
)

// executionOf returns how the task of an entry is run.
func executionOf(entry *registry.Entry) dag.Execution {
	e := dag.Execution{EntryPoint: ptr.Deref(entry.EntryPoint, ""), Resources: entry.Resources, Run: runOptionsOf(entry.Run)}
	if gpu := entry.Kubernetes.Placement.GPU; gpu != nil {
		e.GPUs = gpu.Count
	}
	return e
}

// runOptionsOf returns what Maze can do of how a task says that it is run. Of the failures after which a run is started again, Maze knows
// its own kinds alone; where a task names only others, nothing is started again.
func runOptionsOf(run *v1alpha1.Run) dag.RunOptions {
	if run == nil {
		return dag.RunOptions{}
	}
	options := dag.RunOptions{MaxRetries: run.Retries}
	if run.Timeout != "" {
		options.TimeoutSeconds = ptr.To(run.Timeout.Length().Seconds())
	}
	if run.Backoff != "" {
		options.RetryBackoffSeconds = ptr.To(run.Backoff.Length().Seconds())
	}
	for _, kind := range run.RetryOn {
		if dag.IsRetried(kind) {
			options.RetryOn = append(options.RetryOn, kind)
		}
	}
	if len(run.RetryOn) > 0 && options.RetryOn == nil {
		options.MaxRetries = ptr.To[int32](0)
	}
	slices.Sort(options.RetryOn)
	return options
}
