package mazeworkflow

import (
	"context"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/controllers/internal/ledger"
	"github.com/maze-agent/maregister/controllers/internal/statuses"
)

// server takes each status.
type server struct{ client.Client }

func (server) Status() client.SubResourceWriter { return statusWriter{} }

type statusWriter struct{ client.SubResourceWriter }

func (statusWriter) Update(_ context.Context, object client.Object, _ ...client.SubResourceUpdateOption) error {
	object.SetResourceVersion("2")
	return nil
}

func workflowAt(version string) *v1alpha1.MazeWorkflow {
	return &v1alpha1.MazeWorkflow{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "one", UID: "u", ResourceVersion: version}}
}

// TestChanged: a workflow's own status that comes back wakes nobody, unless it comes as what was not known.
func TestChanged(t *testing.T) {
	c := New(ledger.New())
	c.statuses = statuses.NewWriter(server{})
	queue := workqueue.NewTypedRateLimitingQueue(workqueue.DefaultTypedControllerRateLimiter[reconcile.Request]())
	defer queue.ShutDown()
	if err := c.start(t.Context(), queue); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		name          string
		do            func()
		before, after client.Object
		want          bool
	}{
		{name: "a new one", after: workflowAt("1"), want: true},
		{
			name: "its own status", before: workflowAt("1"), after: workflowAt("2"),
			do: func() {
				if _, err := c.statuses.Write(t.Context(), workflowAt("1")); err != nil {
					t.Fatal(err)
				}
			},
		},
		{name: "the same, read again", do: func() { c.book.clear("") }, after: workflowAt("2"), want: true},
		{name: "an edit", before: workflowAt("2"), after: workflowAt("3"), want: true},
		{name: "it goes", before: workflowAt("3"), want: true},
	} {
		if step.do != nil {
			step.do()
		}
		c.changed(step.before, step.after)
		if got := queue.Len() == 1; got != step.want {
			t.Errorf("%s: woken: got %t, want %t", step.name, got, step.want)
		}
		for queue.Len() > 0 {
			request, _ := queue.Get()
			queue.Done(request)
		}
	}
}
