package chart

import (
	"context"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// TestGuardOutlivesItsCRD: while the deletion guard is there, but MazeWorkflows are no more, a namespace goes with its tasks, and then the
// release. The namespace controller and the API server are real ones.
func TestGuardOutlivesItsCRD(t *testing.T) {
	c := useCluster(t)
	c.namespace(t, releaseNamespace)
	c.installWithoutPods(t, `deletionGuard: {enabled: true}`)
	guarded := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "guarded"}}
	task := newTask(guarded.Name, "caption")
	w := newWorkflow(guarded.Name, "album", "caption")
	for _, object := range []client.Object{guarded, task, w} {
		if err := c.Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
	task.Status.Entry = &v1alpha1.EntryReference{ConfigMap: "maze-registry", Key: "caption", Digest: "sha256:0", Generation: 1}
	if err := c.Status().Update(t.Context(), task); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the guard keeps the task", func(ctx context.Context) (bool, error) {
		err := c.Delete(ctx, task, client.DryRunAll)
		return err != nil && strings.Contains(err.Error(), "MazeWorkflow album runs task caption"), nil
	})

	definition := &apiextensionsv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: "mazeworkflows.registry.mazeagent.net"}}
	if err := c.Delete(t.Context(), definition); err != nil {
		t.Fatal(err)
	}
	eventually(t, "MazeWorkflows are gone", func(ctx context.Context) (bool, error) {
		err := c.Get(ctx, client.ObjectKeyFromObject(definition), definition)
		return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
	})
	if err := c.Delete(t.Context(), guarded); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the namespace is gone", func(ctx context.Context) (bool, error) {
		err := c.Get(ctx, client.ObjectKeyFromObject(guarded), guarded)
		return apierrors.IsNotFound(err), client.IgnoreNotFound(err)
	})
}

// newWorkflow returns a workflow of one node.
func newWorkflow(namespace, name, function string) *v1alpha1.MazeWorkflow {
	return &v1alpha1.MazeWorkflow{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec:       v1alpha1.MazeWorkflowSpec{Nodes: []v1alpha1.WorkflowNode{{ID: "t1", Func: function}}},
	}
}
