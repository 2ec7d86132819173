package faults

import (
	"context"
	"fmt"
	"syscall"

	corev1 "k8s.io/api/core/v1"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// entrySize is the size of a description of which the smallest shards hold a few.
const entrySize = 2500

// shardScenarios are those of registries with several shards.
func shardScenarios() []*Scenario {
	remote := spoil(v1alpha1.ReasonRemoteRefForbidden)
	again := func(word string) edit { return describeAs(word, entrySize) }
	edits := func(word string) func(string) func(context.Context, *run) error {
		return func(object string) func(context.Context, *run) error { return editsTask(object, again(word)) }
	}
	return []*Scenario{
		{Name: "burst", About: "many tasks come, change and go", Sharded: true, Steps: []Step{
			do("create 20", createsMany(0, 20)), do("edit 8", many(0, 8, edits("second"))), do("create 6", createsMany(20, 26)),
			do("delete 16", many(4, 20, removes)), do("edit 4", many(0, 4, edits("third"))),
		}},
		{Name: "shard-recreate", About: "a task of a sharded registry is deleted and made anew while others change", Sharded: true, Steps: []Step{
			do("create 16", createsMany(0, 16)), do("delete", removes("task-03"), editsTask("task-09", again("second"))),
			do("make anew", creates("task-03", again("first"))), do("delete again", removes("task-03")),
			do("make anew at once", creates("task-03", again("first")), removes("task-03"), editsTask("task-05", again("second"))),
			do("make anew for good", creates("task-03", again("first"))),
		}},
		{Name: "split-and-merge", About: "a registry grows out of one ConfigMap, and back", Sharded: true, Steps: []Step{
			do("create 4", createsMany(0, 4)), do("grow", createsMany(4, 12)), do("shrink", many(4, 12, removes)),
			do("grow again", createsMany(4, 12)), do("edit", many(0, 3, edits("second"))),
		}},
		{Name: "shard-flip-flop", About: "tasks of a sharded registry have one content, then another, and are bad meanwhile", Sharded: true, Steps: []Step{
			do("create 16", createsMany(0, 16)), do("there", many(0, 6, edits("second"))), do("back", many(0, 6, edits("first"))),
			do("spoil", many(2, 5, func(o string) func(context.Context, *run) error { return editsTask(o, remote) })),
			do("restart", restarts(syscall.SIGKILL)),
			do("mend", many(2, 5, func(o string) func(context.Context, *run) error { return editsTask(o, mend, again("third")) })),
		}},
		{Name: "shard-conflict", About: "tasks of a sharded registry have one name", Sharded: true, Steps: []Step{
			do("create 12", createsMany(0, 12)), do("create a newer one", later, creates("young", named("task_02"), again("young"))),
			do("edit the loser", editsTask("task-02", again("second"))), do("delete the winner", removes("young")),
			do("create and delete another", creates("youth", named("task_02"), again("youth")), removes("youth")), do("edit 3", many(3, 6, edits("second"))),
		}},
		{Name: "harmed-shards", About: "a user deletes, edits and relabels shards", Sharded: true, Relabels: true, Steps: []Step{
			do("create 16", createsMany(0, 16)), do("delete a shard", deletesShard(0)), do("take a shard's labels", relabelsShard(1)),
			do("delete and edit", deletesShard(1), editsTask("task-04", again("second"))), do("take two shards' labels", relabelsShard(0), relabelsShard(1)),
			do("create 2", createsMany(16, 18)),
		}},
		{Name: "replaced-shard", About: "a user puts something else in the place of a shard", Sharded: true, Steps: []Step{
			do("create 12", createsMany(0, 12)), do("replace a shard", replacesShard(1)), do("edit", editsTask("task-01", again("second"))),
			do("replace another", replacesShard(0), editsTask("task-02", again("second"))),
		}},
	}
}

// harmScenarios are those of registries that users change by hand.
func harmScenarios() []*Scenario {
	second := describeAs("second", 50)
	harms := func(change func(*corev1.ConfigMap)) func(context.Context, *run) error {
		return func(ctx context.Context, r *run) error { return r.harmConfigMap(ctx, indexName, change) }
	}
	return []*Scenario{
		{Name: "harmed-index", About: "a user edits the index, and deletes it", Steps: []Step{
			do("create", creates("one"), creates("two")), do("edit an entry", harms(func(c *corev1.ConfigMap) { c.Data["one"] = "{}" })),
			do("empty it", harms(func(c *corev1.ConfigMap) { c.Data = nil })), do("edit", editsTask("one", second)),
			do("delete it", func(ctx context.Context, r *run) error { return r.deleteConfigMap(ctx, indexName) }),
			do("add an entry", harms(func(c *corev1.ConfigMap) { c.Data = withLabels(c.Data, map[string]string{"ghost": "{}"}) })),
			do("edit again", editsTask("two", second)),
		}},
		{Name: "lost-labels", About: "a user takes the index's labels and annotations", Steps: []Step{
			do("create", creates("one"), creates("two")), do("take the labels", harms(func(c *corev1.ConfigMap) { c.Labels = map[string]string{"a": "b"} })),
			do("take the annotations", harms(func(c *corev1.ConfigMap) { c.Annotations = nil })), do("edit", editsTask("one", second)),
			do("take all, and restart", harms(func(c *corev1.ConfigMap) { c.Labels, c.Annotations = nil, nil }), restarts(syscall.SIGKILL)),
		}},
		{Name: "foreign-index", About: "someone else's ConfigMap has the registry's name for a time", Steps: []Step{
			do("create it", func(ctx context.Context, r *run) error { return r.createForeign(ctx, indexName) }), do("create", creates("one"), creates("two")),
			do("remove it", func(ctx context.Context, r *run) error { return r.deleteConfigMap(ctx, indexName) }), do("edit", editsTask("one", second)),
		}},
		{Name: "future-source", About: "the registry says that it is made from a version that is still to come", Steps: []Step{
			do("create", creates("one"), creates("two")), do("say so", harms(fromTheFuture)), do("edit", editsTask("one", second)),
			do("say so over a restart", harms(fromTheFuture), restarts(syscall.SIGKILL)), do("edit again", editsTask("two", second)),
		}},
	}
}

// fromTheFuture makes a registry look like one that was restored from another cluster.
func fromTheFuture(c *corev1.ConfigMap) {
	c.Annotations = withLabels(c.Annotations, map[string]string{sourceAnnotation: "900000000000"})
}

// onShard does something to a shard, if there is one.
func onShard(number int, do func(ctx context.Context, r *run, name string) error) func(context.Context, *run) error {
	return func(ctx context.Context, r *run) error {
		name, err := r.shard(ctx, number)
		if name == "" || err != nil {
			return err
		}
		return do(ctx, r, name)
	}
}

func deletesShard(number int) func(context.Context, *run) error {
	return onShard(number, func(ctx context.Context, r *run, name string) error { return r.deleteConfigMap(ctx, name) })
}

func relabelsShard(number int) func(context.Context, *run) error {
	return onShard(number, func(ctx context.Context, r *run, name string) error {
		return r.harmConfigMap(ctx, name, func(c *corev1.ConfigMap) { c.Labels = nil })
	})
}

// replacesShard deletes a shard and creates another ConfigMap of its name, with the operator's labels. The operator may be quicker.
func replacesShard(number int) func(context.Context, *run) error {
	return onShard(number, func(ctx context.Context, r *run, name string) error {
		if err := r.deleteConfigMap(ctx, name); err != nil {
			return err
		}
		return r.createFalseShard(ctx, name)
	})
}

// otherScenarios are those of nodes, configuration and several managers.
func otherScenarios() []*Scenario {
	second := describeAs("second", 50)
	t4, a100, h100 := nodeShape{"t4", "T4", 15360, 1, false}, nodeShape{"a100", "A100", 40960, 4, false}, nodeShape{"h100", "H100", 81559, 2, false}
	published := nodeShape{"h100", "H100", 81559, 2, true}
	adds := func(n nodeShape) func(context.Context, *run) error {
		return func(ctx context.Context, r *run) error { return r.addNode(ctx, n) }
	}
	drops := func(n nodeShape) func(context.Context, *run) error {
		return func(ctx context.Context, r *run) error { return r.removeNode(ctx, n.name) }
	}
	configures := func(change func(*settings)) func(context.Context, *run) error {
		return func(_ context.Context, r *run) error { r.configure(change); return nil }
	}
	createsClass := func(ctx context.Context, r *run) error { return r.createClass(ctx) }
	deletesClass := func(ctx context.Context, r *run) error { return r.deleteClass(ctx) }
	restart := restarts(syscall.SIGTERM)
	return []*Scenario{
		{Name: "nodes", About: "nodes come, change and go", Nodes: []nodeShape{t4}, Variable: true, NodesChange: true, Steps: []Step{
			do("create", creates("small", onGPUs("10Gi")), creates("large", onGPUs("60Gi")), creates("plain")), do("add A100", adds(a100)),
			do("add H100", adds(h100), editsTask("small", second)), do("remove A100", drops(a100)), do("restart and remove T4", restart, drops(t4)),
			do("relabel", func(ctx context.Context, r *run) error { return r.relabelNode(ctx, "h100", 40960) }), do("add A100 again", adds(a100)),
		}},
		{Name: "devices", About: "GPUs that Dynamic Resource Allocation hands out come and go, and the class that selects them", Nodes: []nodeShape{t4},
			Variable: true, NodesChange: true, DevicesChange: true, Steps: []Step{
				do("create", creates("small", onGPUs("10Gi")), creates("large", onGPUs("60Gi")), creates("plain")), do("publish H100", adds(published)),
				do("create the class", createsClass, editsTask("small", second)), do("delete the class", deletesClass),
				do("create the class again and restart", createsClass, restart), do("remove H100", drops(published)),
				do("publish H100 again", adds(published), editsTask("large", second)),
			}},
		{Name: "shards-and-nodes", About: "nodes change the entries of a sharded registry", Nodes: []nodeShape{a100},
			Variable: true, NodesChange: true, Sharded: true, Steps: []Step{
				do("create", many(0, 10, func(o string) func(context.Context, *run) error {
					return creates(o, describeAs("first", entrySize), onGPUs("60Gi"))
				})),
				do("add H100", adds(h100)), do("remove H100", drops(h100)), do("add H100 and edit", adds(h100), editsTask("task-03", describeAs("second", entrySize))),
				do("restart and remove H100", restart, drops(h100)),
			}},
		{Name: "configuration", About: "the configuration changes over restarts", Sharded: true, Variable: true, Steps: []Step{
			do("create", createsMany(0, 10), creates("my-llm-process")),
			do("larger shards", configures(func(s *settings) { s.shardSize = 2 * smallestShard }), restart),
			do("edit", editsTask("task-02", describeAs("second", entrySize))),
			do("other predictors", configures(func(s *settings) { s.predictors = []predictorRule{{"task_0", "vlm_process"}} }), restart),
			do("smaller shards", configures(func(s *settings) { s.shardSize = smallestShard }), restart), do("delete", removes("task-04")),
		}},
		{Name: "elected", About: "one manager waits for the lease", Elects: true, Steps: []Step{
			do("create", creates("one"), creates("two")), do("edit", later, editsTask("one", second)), do("wait", later, later), do("create", later, creates("three")),
			do("delete", removes("two")),
		}},
		{Name: "handover", About: "two managers hand the lease over while tasks of a sharded registry change",
			Elects: true, Second: true, Sharded: true, Steps: []Step{
				do("create 10", createsMany(0, 10)), do("end the leader", restarts(syscall.SIGTERM)),
				do("edit 3", many(0, 3, func(o string) func(context.Context, *run) error { return editsTask(o, describeAs("second", entrySize)) })),
				do("delete and make anew", removes("task-04"), later, creates("task-04", describeAs("first", entrySize))),
				do("end the leader and edit", restarts(syscall.SIGTERM), editsTask("task-05", describeAs("second", entrySize)), removes("task-06")),
				do("create", creates("task-06", describeAs("first", entrySize)), creates(fmt.Sprintf("task-%d", 11))),
			}},
	}
}
