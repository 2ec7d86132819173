package statuses

import (
	"context"
	"errors"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// server answers updates of statuses: with an error, or with the next resourceVersion.
type server struct {
	client.Client
	err  error
	next string
}

func (s *server) Status() client.SubResourceWriter { return &statusesOf{server: s} }

type statusesOf struct {
	client.SubResourceWriter
	server *server
}

func (w *statusesOf) Update(_ context.Context, object client.Object, _ ...client.SubResourceUpdateOption) error {
	if w.server.err == nil {
		object.SetResourceVersion(w.server.next)
	}
	return w.server.err
}

func taskAt(version string) *v1alpha1.MazeTask {
	return &v1alpha1.MazeTask{ObjectMeta: metav1.ObjectMeta{Namespace: "n", Name: "t", ResourceVersion: version}}
}

func TestWriterKnowsWhatItHasWritten(t *testing.T) {
	s := &server{next: "7"}
	w := NewWriter(s)
	if w.IsBehind(taskAt("5")) || w.IsOwn(taskAt("5")) {
		t.Error("before anything is written, a task is behind, or written")
	}
	if again, err := w.Write(t.Context(), taskAt("5")); again != 0 || err != nil {
		t.Fatalf("Write(...): got %s, %v", again, err)
	}
	if w.IsOwn(taskAt("5")) || !w.IsOwn(taskAt("7")) || !w.IsBehind(taskAt("5")) {
		t.Error("what was written is not known")
	}
	if w.IsOwn(taskAt("7")) {
		t.Error("who was told that the cache is behind is not woken by what it lacked")
	}
	if w.IsBehind(taskAt("7")) || w.IsOwn(taskAt("7")) {
		t.Error("what was written is remembered after it was seen")
	}
	if _, err := w.Write(t.Context(), taskAt("5")); err != nil || !w.IsOwn(taskAt("7")) || w.IsOwn(taskAt("8")) {
		t.Errorf("what was written is not known: %v", err)
	}
	w.Forget(client.ObjectKeyFromObject(taskAt("7")))
	if w.IsBehind(taskAt("5")) {
		t.Error("a forgotten task is behind")
	}
}

func TestWriterTriesAgain(t *testing.T) {
	s := &server{}
	w := NewWriter(s)
	gone := apierrors.NewNotFound(v1alpha1.SchemeGroupVersion.WithResource("mazetasks").GroupResource(), "t")
	changed := apierrors.NewConflict(v1alpha1.SchemeGroupVersion.WithResource("mazetasks").GroupResource(), "t", errors.New("it has changed"))
	for _, err := range []error{gone, changed} {
		s.err = err
		first, failed := w.Write(t.Context(), taskAt("5"))
		second, _ := w.Write(t.Context(), taskAt("5"))
		if failed != nil || first <= 0 || second <= first {
			t.Errorf("after %v: want growing times and no error, got %s, %s and %v", err, first, second, failed)
		}
		w.Settled(client.ObjectKeyFromObject(taskAt("5")))
	}
	s.err = errors.New("the API server does not answer")
	if again, err := w.Write(t.Context(), taskAt("5")); again != 0 || !errors.Is(err, s.err) {
		t.Errorf("after another error: got %s, %v", again, err)
	}
}
