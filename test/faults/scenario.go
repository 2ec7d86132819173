package faults

import (
	"context"
	"fmt"
	"slices"
	"syscall"
)

// Scenario is what users do.
type Scenario struct {
	Name  string
	About string
	Steps []Step
	// Named says that only named plans use it.
	Named bool
	// Sharded says that the registry has several shards; Relabels that shards are updated.
	Sharded, Relabels bool
	// Elects has managers wait for the lease; Second adds a second one.
	Elects, Second bool
	// Nodes are those of the plan at first. Variable says that nodes or configuration change, and with them entries.
	Nodes    []nodeShape
	Variable bool
	// NodesChange says that there are watches of nodes to disturb, and DevicesChange the same of slices and classes.
	NodesChange, DevicesChange bool
	// Workflows says that there are workflows, so that there are watches of them to disturb.
	Workflows bool
}

// Step is something that users do.
type Step struct {
	Name string
	Do   func(ctx context.Context, r *run) error
}

const smallestShard = 16 << 10

// initialSettings returns the operator's configuration at first.
func initialSettings() settings {
	return settings{shardSize: smallestShard, predictors: defaultPredictors()}
}

// fits reports whether a fault can strike in a scenario.
func (s *Scenario) fits(f Fault) bool {
	switch f.Target {
	case ShardCreate, ShardDelete, ShardReads:
		return s.Sharded
	case ShardUpdate:
		return s.Relabels
	case LeaseWrite:
		return s.Elects
	case NodeReads:
		return s.NodesChange
	case SliceReads, ClassReads:
		return s.DevicesChange
	case FlowReads:
		return s.Workflows
	}
	switch f.Kind {
	case LeaseBlocked:
		return s.Elects
	case TwoLeaders:
		return !s.Elects
	case StaleLists:
		return (!slices.Contains(f.Stale, ShardReads) || s.Sharded) && (!slices.Contains(f.Stale, NodeReads) || s.NodesChange) &&
			(!slices.Contains(f.Stale, SliceReads) && !slices.Contains(f.Stale, ClassReads) || s.DevicesChange) &&
			(!slices.Contains(f.Stale, FlowReads) || s.Workflows) && !s.Second
	}
	return true
}

// writesOf returns up to which write of a kind a fault may wait for.
func writesOf(target Target) int {
	switch target {
	case ShardUpdate, IndexWrite:
		return 1
	case ShardCreate, ShardDelete:
		return 3
	case StatusWrite, LeaseWrite:
		return 4
	default:
		return 2
	}
}

// do makes a step of calls that are done one after the other.
func do(name string, calls ...func(context.Context, *run) error) Step {
	return Step{Name: name, Do: func(ctx context.Context, r *run) error {
		for _, call := range calls {
			if err := call(ctx, r); err != nil {
				return err
			}
		}
		return nil
	}}
}

func creates(object string, edits ...edit) func(context.Context, *run) error {
	return func(ctx context.Context, r *run) error { return r.create(ctx, object, edits...) }
}

func editsTask(object string, edits ...edit) func(context.Context, *run) error {
	return func(ctx context.Context, r *run) error { return r.edit(ctx, object, edits...) }
}

func removes(object string) func(context.Context, *run) error {
	return func(ctx context.Context, r *run) error { return r.remove(ctx, object) }
}

func restarts(signal syscall.Signal) func(context.Context, *run) error {
	return func(_ context.Context, r *run) error { return r.slots[r.leader()].restart(signal) }
}

// many does something to so many tasks, which have the names task-00 and so on.
func many(from, to int, call func(object string) func(context.Context, *run) error) func(context.Context, *run) error {
	return func(ctx context.Context, r *run) error {
		for i := from; i < to; i++ {
			if err := call(fmt.Sprintf("task-%02d", i))(ctx, r); err != nil {
				return err
			}
		}
		return nil
	}
}

// createsMany creates tasks that fill shards.
func createsMany(from, to int) func(context.Context, *run) error {
	return many(from, to, func(object string) func(context.Context, *run) error {
		return creates(object, describeAs("first", entrySize))
	})
}

// scenarios returns all scenarios that plans are drawn from.
func scenarios() []*Scenario {
	return slices.Concat(taskScenarios(), nameScenarios(), harmScenarios(), shardScenarios(), otherScenarios(), workflowScenarios())
}
