package faults

import (
	"context"
	"syscall"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// taskScenarios are those of a few tasks in one ConfigMap.
func taskScenarios() []*Scenario {
	second := describeAs("second", 50)
	remote := spoil(v1alpha1.ReasonRemoteRefForbidden)
	return []*Scenario{
		{Name: "create", About: "tasks are created one by one", Steps: []Step{
			do("create one", creates("one")), do("create two", creates("two")),
			do("create three and four", creates("three"), creates("four", tooLargeFor)),
		}},
		{Name: "edit", About: "tasks are edited", Steps: []Step{
			do("create", creates("one"), creates("two")), do("edit", editsTask("one", second)),
			do("edit again", editsTask("one", describeAs("third", 50))),
			do("edit both", editsTask("one", describeAs("fourth", 50)), editsTask("two", second)),
		}},
		{Name: "bad-edit", About: "a task gets a bad edit, and is mended", Steps: []Step{
			do("create", creates("one"), creates("two"), creates("bad", spoil(v1alpha1.ReasonInvalidSchema))),
			do("spoil", editsTask("one", remote)), do("edit the other", editsTask("two", second)),
			do("mend", editsTask("one", mend, describeAs("mended", 50)), editsTask("bad", mend)),
		}},
		{Name: "bad-edits-stay", About: "tasks get bad edits and too large ones, and stay so over a restart", Steps: []Step{
			do("create", creates("one"), creates("two"), creates("three")), do("spoil", editsTask("one", remote)),
			do("spoil again", editsTask("one", spoil(v1alpha1.ReasonUnsupportedPattern)), editsTask("two", tooLargeFor)),
			do("restart", restarts(syscall.SIGTERM)), do("edit another", editsTask("three", second)),
		}},
		{Name: "delete", About: "tasks are deleted", Steps: []Step{
			do("create", creates("one"), creates("two"), creates("three")), do("delete", removes("one")),
			do("delete the others", removes("two"), removes("three")), do("create another", creates("four")),
		}},
		{Name: "recreate", About: "a task is deleted and made anew", Steps: []Step{
			do("create", creates("one"), creates("two")), do("make anew", removes("one"), creates("one", second)),
			do("make anew, bad", removes("one"), creates("one", remote)), do("mend", editsTask("one", mend)),
			do("make anew while another changes", removes("one"), editsTask("two", second), creates("one")),
		}},
		{Name: "at-once", About: "tasks are created and deleted at once", Steps: []Step{
			do("create", creates("one")), do("create and delete", creates("two"), removes("two")),
			do("again", creates("two"), removes("two"), creates("two"), editsTask("two", second)), do("delete", removes("one")),
		}},
		{Name: "flip-flop", About: "a task has one content, then another, and the first again", Steps: []Step{
			do("create", creates("one"), creates("two")), do("there", editsTask("one", second)), do("back", editsTask("one", describeAs("first", 50))),
			do("to and fro", editsTask("one", second), editsTask("one", describeAs("first", 50)), editsTask("one", remote), editsTask("one", mend, second)),
		}},
		{Name: "idle", About: "managers restart, and nothing changes", Steps: []Step{
			do("create", creates("one"), creates("two"), creates("bad", remote), creates("old", named("shared")), creates("young", named("shared"))),
			do("spoil", editsTask("one", remote)), quietRestart(), quietRestart(),
		}},
		{Name: "namespace", About: "the namespace is deleted and made anew", Steps: []Step{
			do("create", creates("one"), creates("two")), {Name: "delete the namespace and make it anew", Do: remakeNamespace},
			do("create", creates("one"), creates("three")), do("edit", editsTask("one", second)),
		}},
	}
}

// nameScenarios are those of tasks that have one name.
func nameScenarios() []*Scenario {
	second := describeAs("second", 50)
	remote := spoil(v1alpha1.ReasonRemoteRefForbidden)
	return []*Scenario{
		{Name: "conflict", About: "two tasks have one name, and the winner goes", Steps: []Step{
			do("create", creates("old", named("shared")), creates("other")), do("create a newer one", later, creates("young", named("shared"))),
			do("edit both", editsTask("old", second), editsTask("young", second)), do("delete the winner", removes("young")),
			do("create another winner", later, creates("zulu", named("shared"))), do("delete the loser", removes("old")),
		}},
		{Name: "both-go", About: "two tasks of one name are deleted together", Steps: []Step{
			do("create", creates("old", named("shared"))), do("create a newer one", creates("young", named("shared"))),
			do("delete both", removes("young"), removes("old")), do("create", creates("one")),
		}},
		{Name: "bad-winner", About: "the winner of a name gets a bad edit, and goes", Steps: []Step{
			do("create", creates("old", named("shared"))), do("create a newer one", later, creates("young", named("shared"))),
			do("spoil the winner", editsTask("young", remote)), do("edit the loser", editsTask("old", second)),
			do("restart", restarts(syscall.SIGKILL)), do("delete the winner", removes("young")),
		}},
		{Name: "bad-loser", About: "the loser of a name gets a bad edit, the manager restarts, and the winner goes", Steps: []Step{
			do("create", creates("old", named("shared"))), do("create a newer one", later, creates("young", named("shared"))),
			do("spoil the loser", editsTask("old", remote)), quietRestart(), promotion("old", "young"), quietRestart(),
			do("mend", editsTask("old", mend)),
		}},
		{Name: "finalizers", About: "a task waits for its finalizer when it is deleted", Steps: []Step{
			do("create", creates("one", held), creates("two")), do("delete", removes("one")),
			do("create another of its name", creates("uno", named("one"))), do("restart", restarts(syscall.SIGKILL)),
			do("let go", editsTask("one", func(t *v1alpha1.MazeTask) { t.Finalizers = nil })),
		}},
	}
}

// held adds a finalizer to a task.
func held(t *v1alpha1.MazeTask) { t.Finalizers = []string{"faults.test/held"} }

// later waits until another second has begun: a creation time has no finer unit.
func later(ctx context.Context, _ *run) error {
	pause(ctx, time.Until(time.Now().Truncate(time.Second).Add(1050*time.Millisecond)))
	return ctx.Err()
}

// quietRestart restarts the manager and, if all was as it should be before, checks that it writes nothing.
func quietRestart() Step {
	return Step{Name: "restart, where nothing changes", Do: func(ctx context.Context, r *run) error {
		undisturbed := len(r.settles(ctx, 3*time.Second)) == 0 && r.undisturbed()
		pause(ctx, 300*time.Millisecond) // the answers of the last writes are on their way
		since := time.Now()
		if err := r.slots[r.leader()].restart(syscall.SIGTERM); err != nil {
			return err
		}
		if undisturbed {
			r.awaitStart(ctx, since)
			if calls := r.journal.sentSince(since); len(calls) > 0 {
				r.violated(RestartIsQuiet, "a restart wrote %s, and more: %d in all", calls[0], len(calls))
			}
		}
		return nil
	}}
}

// promotion deletes the winner of a name, and checks that the loser, whose present spec is bad, is served then exactly if its status said
// that it only waits for the winner to go. Whether a manager was restarted before is not to matter.
func promotion(loser, winner string) Step {
	return Step{Name: "delete the winner", Do: func(ctx context.Context, r *run) error {
		undisturbed := len(r.settles(ctx, 3*time.Second)) == 0 && r.undisturbed()
		tasks, _ := r.observer.state()
		said := "absent"
		if t := tasks[loser]; t != nil {
			said = conditionOf(t, v1alpha1.ConditionRegistered)
		}
		if err := r.remove(ctx, winner); err != nil {
			return err
		}
		if len(r.settles(ctx, 8*time.Second)) > 0 || !undisturbed {
			return nil
		}
		tasks, _ = r.observer.state()
		waited, promoted := said == "False/"+v1alpha1.ReasonSuperseded, tasks[loser] != nil && tasks[loser].Status.Entry != nil
		if waited != promoted {
			r.violated(InTheEnd, "MazeTask %s was Registered=%s, and promoted=%t when the winner went", loser, said, promoted)
		}
		return nil
	}}
}

// undisturbed reports whether no fault can change what happens next: all have struck that could by now, and are over.
func (r *run) undisturbed() bool {
	for i := range r.plan.Faults {
		if f := &r.plan.Faults[i]; f.Step <= len(r.versions)-1 || f.Kind == WatchLag {
			return false
		}
	}
	return true
}

// awaitStart waits until a manager that was just started has had time to look at everything.
func (r *run) awaitStart(ctx context.Context, since time.Time) {
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end) && ctx.Err() == nil; pause(ctx, 20*time.Millisecond) {
		if r.injector.openedSince(TaskReads, since) && r.injector.openedSince(IndexReads, since) {
			break
		}
	}
	pause(ctx, 1500*time.Millisecond)
}

// remakeNamespace deletes the namespace and makes it anew. It does what kube-controller-manager does: deletes all that is in it, then
// has it go.
func remakeNamespace(ctx context.Context, r *run) error {
	if err := r.deleteNamespace(ctx); err != nil {
		return err
	}
	for ctx.Err() == nil {
		if err := r.createNamespace(ctx); err == nil {
			return nil
		}
		pause(ctx, 50*time.Millisecond) // the API server has not seen yet that it is gone
	}
	return client.IgnoreNotFound(ctx.Err())
}
