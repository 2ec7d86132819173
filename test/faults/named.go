package faults

import (
	"context"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// Named is a plan that stays reproducible, because it once showed a fault of the operator.
type Named struct {
	Name string
	// Why says what was wrong, and what is right.
	Why string
	// MayMiss reports whether the fault need not strike: an operator that keeps the promise may do nothing that it could strike.
	MayMiss bool
	Faults  []Fault
	Scenario
}

// namedPlan returns the named plan of a name, nil if there is none.
func namedPlan(name string) *Plan {
	for i, n := range namedPlans() {
		if n.Name == name {
			n.Scenario.Name, n.Named = n.Name, true
			return &Plan{Name: name, Number: uint64(i), Scenario: &n.Scenario, Faults: n.Faults}
		}
	}
	return nil
}

// namedPlans returns all of them.
func namedPlans() []*Named {
	return append(append(shardPlans(), answerPlans()...), processPlans()...)
}

// shardPlans are those of shards that are deleted and wanted again, and of what has their names.
func shardPlans() []*Named {
	again := func(object string) func(context.Context, *run) error {
		return creates(object, describeAs("first", entrySize))
	}
	create := do("create 16", createsMany(0, 16))
	reused := "A shard that was deleted was taken from the cache, which had it still, and an index named it. " +
		"A shard that we deleted, or that a restart has not confirmed, is never taken from the cache."
	h100 := nodeShape{"h100", "H100", 81559, 2, false}
	many60 := many(0, 10, func(o string) func(context.Context, *run) error {
		return creates(o, describeAs("first", entrySize), onGPUs("60Gi"))
	})
	return []*Named{
		{Name: "torn-by-return", Why: reused, MayMiss: true, Faults: []Fault{{Kind: WatchLag, Target: ShardReads, Step: 1, For: 1500 * time.Millisecond}},
			Scenario: Scenario{Sharded: true, Steps: []Step{
				create, do("delete a task", removes("task-03"), settled, waits(2*time.Second)),
				do("make it anew, and delete it", again("task-03"), settled, removes("task-03")),
			}}},
		{Name: "torn-by-node", Why: reused + " A node that goes and comes back does the same.", MayMiss: true,
			Faults: []Fault{{Kind: WatchLag, Target: ShardReads, Step: 1, For: 2500 * time.Millisecond}},
			Scenario: Scenario{Sharded: true, Variable: true, NodesChange: true, Nodes: []nodeShape{{"a100", "A100", 40960, 4, false}}, Steps: []Step{
				do("create 10", many60, settled),
				do("a node comes", addsNode(h100), settled, waits(3*time.Second)),
				do("it goes, and comes back", dropsNode(h100), settled, addsNode(h100)),
			}}},
		{Name: "torn-by-restart", Why: reused, Faults: []Fault{{Kind: StaleLists, Stale: []Target{ShardReads}, Step: 3, Since: 2, For: 3 * time.Second}},
			Scenario: Scenario{Sharded: true, Steps: []Step{
				create, do("delete a task", removes("task-03"), settled), do("make it anew", again("task-03"), settled),
				do("delete it while the manager starts", removes("task-03")),
			}}},
		{Name: "stale-collection", Why: "After a restart on an old list of tasks and index, shards were deleted that the live index names. " +
			"A deletion is as safe as an update: it follows an index write, or the live index is seen at the observed resourceVersion.",
			Faults: []Fault{{Kind: StaleLists, Stale: []Target{TaskReads, IndexReads}, Step: 2, Since: 1, For: 3 * time.Second}},
			Scenario: Scenario{Sharded: true, Steps: []Step{
				create, do("edit 3", many(2, 5, func(o string) func(context.Context, *run) error { return editsTask(o, describeAs("second", entrySize)) }), settled),
				do("wait", waits(4*time.Second)),
			}}},
		{Name: "late-deletion", Why: "A dead manager's deletion of a shard arrives after the next manager has taken the shard into its registry: " +
			"the UID is the same. What is taken over has to be made safe from it first.",
			Faults: []Fault{{Kind: Late, Target: ShardDelete, Step: 2, Nth: 1, For: 3 * time.Second}},
			Scenario: Scenario{Sharded: true, Steps: []Step{
				create, do("delete a task", removes("task-03"), settled),
				do("make it anew, and delete it when the manager is dead", again("task-03"), awaitsStruck, removes("task-03")), do("wait", waits(4*time.Second)),
			}}},
		{Name: "foreign-shard", Why: "After a foreign ConfigMap of a shard's name was removed, nothing was tried again, and every task said " +
			"RegistryConflict. It is tried again within seconds, and only the tasks of that shard say so.",
			Scenario: Scenario{Sharded: true, Steps: []Step{
				create, {Name: "someone has the name of the next shard", Do: foreignShard},
				do("it goes", func(ctx context.Context, r *run) error { return r.deleteConfigMap(ctx, r.foreign) }),
			}}},
	}
}

// answerPlans are those of answers that do not say what happened, or that no event follows.
func answerPlans() []*Named {
	create := do("create", creates("one"), creates("two"), settled)
	edit := func(word string) func(context.Context, *run) error { return editsTask("one", describeAs(word, 50)) }
	refused := "Each event doubled the time to the next try of what was refused, so nothing was published for minutes after that was over. " +
		"Tries are at most 5 to 15 s apart."
	twice := "The index's generation was used twice after an answer was lost: what the process remembered was preferred to what is published."
	unset := "A 409 or 404 that no event follows left the status as it was. It is tried again."
	edits := []Step{create, do("edit", edit("second"), settled), do("edit again", edit("third"), settled), do("and again", edit("fourth"))}
	return []*Named{
		{Name: "refused-while-edited", Why: refused, Faults: []Fault{{Kind: WritesRefused, Step: 1, For: 5 * time.Second}},
			Scenario: Scenario{Steps: []Step{create, do("wait", waits(5*time.Second))}}},
		{Name: "status-refused-while-edited", Why: "What is true of the registry has to be true of statuses. " + refused,
			Faults:   []Fault{{Kind: StatusRefused, Step: 1, For: 5 * time.Second}},
			Scenario: Scenario{Steps: []Step{create, do("wait", waits(5*time.Second))}}},
		{Name: "source-of-the-future", Why: "A source-resource-version of the future stopped a namespace's publishing while anything in the cluster was written. " +
			"It is compared with the live version, and replaced at once.",
			Scenario: Scenario{Steps: []Step{
				create, {Name: "others write", Do: makeNoise},
				do("the source is from the future", harmsIndex(fromTheFuture), edit("second")),
			}}},
		{Name: "source-taken-away", Why: "A manager that starts with an old list of tasks, beside an index from which a user has taken the annotations, " +
			"published the entry from before an edit. Where the index does not say from which version it is made, the list has to be as new as the index.",
			Faults: []Fault{{Kind: StaleLists, Stale: []Target{TaskReads}, Step: 2, Since: 1, For: 1200 * time.Millisecond}}, MayMiss: true,
			Scenario: Scenario{Steps: []Step{
				create, do("edit", edit("second"), settled),
				do("take the annotations, and restart", harmsIndex(func(c *corev1.ConfigMap) { c.Annotations = nil }), restarts(syscall.SIGKILL)),
			}}},
		{Name: "generation-twice-by-reset", Why: twice, Faults: []Fault{{Kind: ResetAfter, Target: IndexWrite, Step: 1, Nth: 1}}, Scenario: Scenario{Steps: edits}},
		{Name: "generation-twice-by-504", Why: twice, Faults: []Fault{{Kind: TimeoutDone, Target: IndexWrite, Step: 1, Nth: 1}}, Scenario: Scenario{Steps: edits}},
		{Name: "spoiled-loser", Why: "A restart changed the status of a task that lost its name and then got a bad edit, and its promotion was lost. " +
			"There is one behaviour, with and without a restart.",
			Scenario: Scenario{Steps: []Step{
				do("create", creates("old", named("shared")), settled), do("create a newer one", later, creates("young", named("shared")), settled),
				do("spoil the loser", editsTask("old", spoil(v1alpha1.ReasonRemoteRefForbidden)), settled), quietRestart(), promotion("old", "young"),
			}}},
		{Name: "workflow-own-status", Why: "A workflow's task changed while the watch had not brought the workflow's own status yet, and when it did, nobody " +
			"judged the workflow again.",
			Faults: []Fault{{Kind: WatchDelay, Target: FlowReads, Step: 1, For: 3 * time.Second}},
			Scenario: Scenario{Workflows: true, Steps: []Step{
				do("create", creates("one"), createsWorkflow("first", "one"), settled),
				do("delete the task and make it anew", removes("one"), waits(500*time.Millisecond), creates("one", renamesInput)),
			}}},
		{Name: "status-conflict", Why: unset, Faults: []Fault{{Kind: Conflict, Target: StatusWrite, Step: 1, Nth: 1}},
			Scenario: Scenario{Steps: []Step{create, do("edit", edit("second"))}}},
		{Name: "status-not-found", Why: unset, Faults: []Fault{{Kind: NotFound, Target: StatusWrite, Step: 1, Nth: 1}},
			Scenario: Scenario{Steps: []Step{create, do("edit", edit("second"))}}},
	}
}

// processPlans are those of two processes.
func processPlans() []*Named {
	create := do("create 10", createsMany(0, 10), settled)
	edits := func(from, to int) func(context.Context, *run) error {
		return many(from, to, func(o string) func(context.Context, *run) error {
			return func(ctx context.Context, r *run) error {
				pause(ctx, 300*time.Millisecond)
				return r.edit(ctx, o, describeAs("again", entrySize+r.random.IntN(20)))
			}
		})
	}
	two := Scenario{Elects: true, Second: true, Sharded: true}
	with := func(steps ...Step) Scenario { s := two; s.Steps = steps; return s }
	return []*Named{
		{Name: "stopped-leader", Why: "A leader that was stopped for 20 s and continued fought the new one for 10 s, and the index's generation went back.",
			Faults: []Fault{{Kind: Stopped, Step: 1, For: 20 * time.Second}},
			Scenario: with(create, do("edit for 36 s", edits(0, 10), edits(0, 10), edits(0, 10), edits(0, 10), edits(0, 10), edits(0, 10), edits(0, 10), edits(0, 10),
				edits(0, 10), edits(0, 10), edits(0, 10), edits(0, 10)))},
		{Name: "two-leaders", Why: "Two processes that both write deleted each other's shards.",
			Faults: []Fault{{Kind: TwoLeaders, Step: 1, For: 6 * time.Second}},
			Scenario: Scenario{Sharded: true, Steps: []Step{
				create, do("change", edits(0, 5), many(5, 9, removes), edits(0, 5), createsMany(5, 9), edits(0, 5)),
			}}},
		{Name: "handover-late-index", Why: "The index write of a dead leader that arrives when the next one leads is refused.",
			Faults:   []Fault{{Kind: Late, Target: IndexWrite, Step: 1, Nth: 1, For: 19 * time.Second}},
			Scenario: with(create, do("edit", edits(0, 2)), do("wait", waits(20*time.Second)), do("edit again", edits(2, 4)))},
		{Name: "handover-slow-delete", Why: "A leader that ends while its deletion of a shard is on its way hands over, and the shard may be wanted again.",
			Faults: []Fault{{Kind: SlowBefore, Target: ShardDelete, Step: 2, Nth: 1, For: 4 * time.Second}},
			Scenario: with(create, do("delete a task", removes("task-03"), settled),
				do("make it anew, end the leader and delete it", creates("task-03", describeAs("first", entrySize)), awaitsStruck,
					restarts(syscall.SIGTERM), removes("task-03")), do("wait", waits(5*time.Second)))},
	}
}
