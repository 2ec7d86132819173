package faults

import (
	"context"
	"syscall"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// What a scenario made of a workflow, besides which tasks it runs. It writes one into spec.description.
const (
	sound   = "sound"
	unsound = "unsound" // wrong by itself: a node waits for one that is not there
)

// workflowScenarios are those of workflows whose tasks change.
func workflowScenarios() []*Scenario {
	remote := spoil(v1alpha1.ReasonRemoteRefForbidden)
	all := []*Scenario{
		{Name: "workflows", About: "edits of a task break workflows and mend them, and the task goes and comes", Steps: []Step{
			do("create", creates("one"), creates("two"), createsWorkflow("first", "one", "two"), createsWorkflow("second", "two")),
			do("break", editsTask("one", renamesInput)), do("break the other", editsTask("two", renamesInput), editsTask("one", mend)),
			do("mend", editsTask("two", mend)), do("delete", removes("one")), do("restart", restarts(syscall.SIGKILL)),
			do("make anew", creates("one"), editsTask("two", renamesInput)),
		}},
		{Name: "workflow-edits", About: "workflows are edited, deleted and made anew while their task changes", Steps: []Step{
			do("create", createsWorkflow("first", "one"), createsWorkflow("second", "nobody"), creates("one")),
			do("edit", editsWorkflow("first", unsound, "one"), editsTask("one", renamesInput)),
			do("edit both", editsWorkflow("first", sound, "one"), editsWorkflow("second", sound, "two"), creates("two"), editsTask("one", mend)),
			do("delete", removesWorkflow("first")), do("make anew", createsWorkflow("first", "one", "two"), editsTask("two", renamesInput)),
		}},
		{Name: "workflow-conflict", About: "the task that has the name changes, and with it what workflows are judged by", Steps: []Step{
			do("create", creates("old", named("shared")), createsWorkflow("first", "shared")),
			do("create a newer one", later, creates("young", named("shared"), renamesInput)), do("delete the winner", removes("young")),
			do("create another winner", later, creates("zulu", named("shared"), renamesInput)), do("mend the winner", editsTask("zulu", mend)),
			do("delete both", removes("zulu"), removes("old")),
		}},
		{Name: "workflow-bad-edit", About: "a bad edit of a task breaks no workflow, and a restart writes nothing", Steps: []Step{
			do("create", creates("one"), creates("two"), createsWorkflow("first", "one"), createsWorkflow("second", "nobody", "two")),
			do("spoil", editsTask("one", remote)), quietRestart(), do("mend", editsTask("one", mend, renamesInput)), quietRestart(),
		}},
	}
	all = append(all, &Scenario{
		Name: "workflow-held", About: "a workflow waits for its finalizer when it is deleted, and others have the names of tasks", Steps: []Step{
			do("create", creates("one"), creates("two"), createsWorkflow("first", "one"), createsWorkflow("one", "two", "one"), createsWorkflow("two", "one")),
			do("hold", changesWorkflow("first", holdsFlow), changesWorkflow("two", holdsFlow)), do("delete", removesWorkflow("first")),
			do("break", editsTask("one", renamesInput)), do("delete the other", removesWorkflow("two"), removes("two")),
			do("let go", changesWorkflow("first", letsFlowGo)), do("make anew", createsWorkflow("first", "one"), creates("two"), editsTask("one", mend)),
		},
	}, &Scenario{
		Name: "workflow-status", About: "somebody changes statuses of workflows by hand while their tasks change", Steps: []Step{
			do("create", creates("one"), createsWorkflow("first", "one"), createsWorkflow("second", "one", "nobody")),
			do("spoil", spoilsStatus("first"), spoilsStatus("second")),
			do("spoil and break", spoilsStatus("first"), editsTask("one", renamesInput), spoilsStatus("second")),
			do("restart", spoilsStatus("second"), restarts(syscall.SIGKILL), spoilsStatus("first")),
			do("mend", editsTask("one", mend), creates("nobody"), spoilsStatus("second")),
		},
	})
	for _, s := range all {
		s.Workflows = true
	}
	return all
}

// renamesInput gives a task another input than the one that workflows pass.
func renamesInput(t *v1alpha1.MazeTask) {
	t.Spec.InputParameters = &apiextensionsv1.JSON{Raw: []byte(`{"picture":{"type":"filepath"}}`)}
}

// nodesOf returns a node for each task, which passes an image, and waits for one that is not there if the workflow is unsound.
func nodesOf(kind string, tasks []string) v1alpha1.MazeWorkflowSpec {
	spec := v1alpha1.MazeWorkflowSpec{Description: kind}
	for _, task := range tasks {
		spec.Nodes = append(spec.Nodes, v1alpha1.WorkflowNode{
			ID: "of-" + task, Func: task, Args: &apiextensionsv1.JSON{Raw: []byte(`{"image":"a.png"}`)},
		})
	}
	if kind == unsound {
		spec.Edges = []v1alpha1.WorkflowEdge{{Source: "not-there", Target: spec.Nodes[0].ID}}
	}
	return spec
}

func createsWorkflow(name string, tasks ...string) func(context.Context, *run) error {
	return func(ctx context.Context, r *run) error {
		return r.h.k8s.Create(ctx, &v1alpha1.MazeWorkflow{
			ObjectMeta: metav1.ObjectMeta{Namespace: r.namespace, Name: name}, Spec: nodesOf(sound, tasks),
		})
	}
}

func editsWorkflow(name, kind string, tasks ...string) func(context.Context, *run) error {
	return func(ctx context.Context, r *run) error {
		w := &v1alpha1.MazeWorkflow{}
		if err := r.h.k8s.Get(ctx, client.ObjectKey{Namespace: r.namespace, Name: name}, w); err != nil {
			return err
		}
		before := client.MergeFrom(w.DeepCopy())
		w.Spec = nodesOf(kind, tasks)
		return r.h.k8s.Patch(ctx, w, before)
	}
}

// changesWorkflow changes a workflow, and not its spec.
func changesWorkflow(name string, change func(*v1alpha1.MazeWorkflow)) func(context.Context, *run) error {
	return func(ctx context.Context, r *run) error {
		w := &v1alpha1.MazeWorkflow{}
		if err := r.h.k8s.Get(ctx, client.ObjectKey{Namespace: r.namespace, Name: name}, w); err != nil {
			return err
		}
		before := client.MergeFrom(w.DeepCopy())
		change(w)
		return r.h.k8s.Patch(ctx, w, before)
	}
}

// holdsFlow adds a finalizer to a workflow, and letsFlowGo removes it.
func holdsFlow(w *v1alpha1.MazeWorkflow)  { w.Finalizers = []string{"faults.test/held"} }
func letsFlowGo(w *v1alpha1.MazeWorkflow) { w.Finalizers = nil }

// spoilsStatus takes what the operator found out of a workflow's status.
func spoilsStatus(name string) func(context.Context, *run) error {
	return func(ctx context.Context, r *run) error {
		w := &v1alpha1.MazeWorkflow{ObjectMeta: metav1.ObjectMeta{Namespace: r.namespace, Name: name}}
		return r.h.k8s.Status().Patch(ctx, w, client.RawPatch(types.MergePatchType, []byte(`{"status":{"conditions":null,"errors":99,"tasks":null}}`)))
	}
}

func removesWorkflow(name string) func(context.Context, *run) error {
	return func(ctx context.Context, r *run) error {
		return r.h.k8s.Delete(ctx, &v1alpha1.MazeWorkflow{ObjectMeta: metav1.ObjectMeta{Namespace: r.namespace, Name: name}})
	}
}
