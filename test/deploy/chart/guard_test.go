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
	"github.com/maze-agent/maregister/test/testutil"
)

// TestGuardWithoutMazeWorkflows: where MazeWorkflows are not served, the deletion guard keeps neither a task, nor a namespace, nor the
// release from being deleted. The namespace controller is a real one.
func TestGuardWithoutMazeWorkflows(t *testing.T) {
	c := useCluster(t)
	c.namespace(t, releaseNamespace)
	c.shell(t, "kubectl apply --server-side -f config/crd/registry.mazeagent.net_mazetasks.yaml")
	t.Cleanup(func() {
		definition := &apiextensionsv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: crdName}}
		if err := c.Delete(context.Background(), definition); err != nil {
			t.Error(err)
		}
		c.expectGone(t, definition)
	})
	c.installWithoutPods(t, `{crds: {enabled: false}, deletionGuard: {enabled: true}}`)
	eventually(t, "MazeTasks are served", func(ctx context.Context) (bool, error) { return c.List(ctx, &v1alpha1.MazeTaskList{}) == nil, nil })
	guarded := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "guarded"}}
	task, marker := newTask(guarded.Name, "caption"), newTask(guarded.Name, "marker")
	c.create(t, guarded, task, marker)
	c.expectMarked(t, marker)
	for _, served := range []*v1alpha1.MazeTask{task, marker} {
		served.Status.Entry = &v1alpha1.EntryReference{ConfigMap: "maze-registry", Key: served.Name, Digest: "sha256:0", Generation: 1}
		if err := c.Status().Update(t.Context(), served); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Delete(t.Context(), task); err != nil {
		t.Error(err)
	}
	if err := c.Delete(t.Context(), guarded); err != nil {
		t.Fatal(err)
	}
	c.expectGone(t, guarded)
}

// expectMarked waits until the API server follows the policies that there are.
func (c *cluster) expectMarked(t *testing.T, marker *v1alpha1.MazeTask) {
	t.Helper()
	policy, err := testutil.MarkerPolicy()
	if err != nil {
		t.Fatal(err)
	}
	for _, object := range policy {
		c.create(t, object)
		t.Cleanup(func() {
			if err := c.Delete(context.Background(), object); err != nil {
				t.Error(err)
			}
		})
	}
	eventually(t, "the API server follows policies", func(ctx context.Context) (bool, error) {
		err := c.Delete(ctx, marker, client.DryRunAll)
		return err != nil && strings.Contains(err.Error(), testutil.MarkerRefusal), nil
	})
}

func (c *cluster) create(t *testing.T, objects ...client.Object) {
	t.Helper()
	for _, object := range objects {
		if err := c.Create(t.Context(), object); err != nil {
			t.Fatal(err)
		}
	}
}

func (c *cluster) expectGone(t *testing.T, object client.Object) {
	t.Helper()
	eventually(t, object.GetName()+" is gone", func(ctx context.Context) (bool, error) {
		err := c.Get(ctx, client.ObjectKeyFromObject(object), object)
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
