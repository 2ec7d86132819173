// Package statuses writes the statuses of objects: of the very object that was judged, and not from a cache that is behind.
package statuses

import (
	"context"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/resourceversion"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Workers is the number of statuses of a kind that are written at a time. It keeps an API server on a few cores busy; more only queue
// there.
const Workers = 16

// A status that could not be written is tried again after firstRetry, then after twice as long each time, up to lastRetry.
const (
	firstRetry = 20 * time.Millisecond
	lastRetry  = 8 * time.Second
)

// NewRetries returns the rate limiter of a controller that writes statuses.
func NewRetries[T comparable]() workqueue.TypedRateLimiter[T] {
	return workqueue.NewTypedItemExponentialFailureRateLimiter[T](firstRetry, lastRetry)
}

// Writer writes the statuses of one kind.
type Writer struct {
	client client.Client
	// retries returns when to try again what the API server refused because the object had changed.
	retries workqueue.TypedRateLimiter[types.NamespacedName]
	// written holds the mark of the last status written, by object, until the cache has seen it: so that a cache that is behind does not
	// make us write it again.
	written sync.Map
}

// mark is of a status that was written.
type mark struct {
	// version is the resourceVersion that the object got.
	version string
	// awaited reports whether somebody was told that the cache is behind, and waits for the object.
	awaited bool
}

// NewWriter returns a writer.
func NewWriter(to client.Client) *Writer {
	return &Writer{client: to, retries: NewRetries[types.NamespacedName]()}
}

// Forget drops what is known of an object that is gone.
func (w *Writer) Forget(object types.NamespacedName) {
	w.written.Delete(object)
	w.retries.Forget(object)
}

// IsBehind reports whether the cached object lacks the status that was written last. Then IsOwn reports false once it comes, so that it
// is looked at. It may just have come: who waits for it looks into the cache again after this.
func (w *Writer) IsBehind(object client.Object) bool {
	key := client.ObjectKeyFromObject(object)
	last, written := w.written.Load(key)
	if !written {
		return false
	}
	version := last.(mark).version
	if order, err := resourceversion.CompareResourceVersion(object.GetResourceVersion(), version); err == nil && order < 0 {
		w.written.CompareAndSwap(key, last, mark{version, true})
		return true
	}
	w.written.CompareAndDelete(key, last)
	return false
}

// IsOwn reports whether an object is as the last status written has left it, and nobody waits for it, so that it need not be looked at.
func (w *Writer) IsOwn(object client.Object) bool {
	last, written := w.written.Load(client.ObjectKeyFromObject(object))
	return written && last.(mark) == mark{object.GetResourceVersion(), false}
}

// Settled notes that an object's status is as it should be.
func (w *Writer) Settled(object types.NamespacedName) { w.retries.Forget(object) }

// Write updates the status of the very object that was judged: the API server refuses it if the object has changed since. It takes only
// the status from an update of a status, so nothing else need be in update. It returns a time where the object has changed or gone:
// after that it is to be looked at again, as no event is certain to follow.
func (w *Writer) Write(ctx context.Context, update client.Object) (again time.Duration, err error) {
	key := client.ObjectKeyFromObject(update)
	switch err := w.client.Status().Update(ctx, update); {
	case apierrors.IsConflict(err), apierrors.IsNotFound(err):
		return w.retries.When(key), nil
	case err != nil:
		return 0, fmt.Errorf("update the status: %w", err)
	}
	w.written.Store(key, mark{update.GetResourceVersion(), false})
	w.Settled(key)
	return 0, nil
}
