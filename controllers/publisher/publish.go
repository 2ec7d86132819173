package publisher

import (
	"context"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/serving"
)

// requestsAtOnce is the number of requests of one registry that are under way at a time.
const requestsAtOnce = 4

// publish carries out what a pass asks for until the registry is as decided, or a request has failed. It returns requests that nobody
// waits for, which tidy up.
func (p *Publisher) publish(ctx context.Context, pass *serving.Pass) []*serving.Request {
	requests := pass.Next()
	for len(requests) > 0 && !pass.Published() {
		p.sendAll(ctx, requests)
		requests = pass.Next()
	}
	if pass.Wrote() && pass.Published() {
		state := pass.Registry()
		log.FromContext(ctx).Info("Wrote the registry", "indexGeneration", state.Generation, "tasks", state.Tasks, "shards", state.Shards)
	}
	return requests
}

// maxGarbage is the most shards that are left to be deleted later, because a change of a task waits: 16 MiB at the default size.
const maxGarbage = 64

// tidy carries out what publish has left, as long as no change of a task is due: the deletions of what many writes in a row have left
// take longer than a single task is to wait.
func (p *Publisher) tidy(ctx context.Context, namespace string, pass *serving.Pass, requests []*serving.Request) {
	for len(requests) > 0 {
		p.sendAll(ctx, requests)
		requests = pass.Next()
		if pass.Published() && pass.Garbage() <= maxGarbage && p.batcher.isDue(namespace, p.Clock.Now()) {
			return
		}
	}
}

// sendAll sends requests, some at a time, and hands each its answer.
func (p *Publisher) sendAll(ctx context.Context, requests []*serving.Request) {
	objects, errs := make([]*corev1.ConfigMap, len(requests)), make([]error, len(requests))
	var wait sync.WaitGroup
	slots := make(chan struct{}, requestsAtOnce)
	for i, request := range requests {
		slots <- struct{}{}
		wait.Go(func() {
			objects[i], errs[i] = p.send(ctx, request)
			<-slots
		})
	}
	wait.Wait()
	for i, request := range requests {
		request.Answer(objects[i], errs[i])
	}
}

// send sends one request.
func (p *Publisher) send(ctx context.Context, request *serving.Request) (*corev1.ConfigMap, error) {
	object := request.ConfigMap
	var err error
	switch request.Verb {
	case serving.Get:
		object = &corev1.ConfigMap{}
		if err = p.Live.Get(ctx, client.ObjectKeyFromObject(request.ConfigMap), object); apierrors.IsForbidden(err) {
			p.Refusals.Note(request.ConfigMap.Namespace, err) // a watch, which goes on for minutes, is refused later
		}
	case serving.Create:
		err = p.Client.Create(ctx, object)
	case serving.Update:
		err = p.Client.Update(ctx, object)
	case serving.Delete:
		err = p.Client.Delete(ctx, object, client.Preconditions{UID: &object.UID, ResourceVersion: &object.ResourceVersion})
	default:
		err = fmt.Errorf("no such request: %s", request.Verb)
	}
	return object, err
}

// patience with failures that say nothing about the registry, such as an API server that restarts: only then is it told in a status.
const failurePatience = 5 * time.Second

// announce notes the outcomes of a pass, tells what the registry serves, and wakes the task controller where outcomes changed.
func (p *Publisher) announce(ctx context.Context, namespace string, state *namespaceState, pass *serving.Pass) error {
	outcomes := pass.Outcomes()
	if err := pass.Failure(); err != nil && !isRefusal(err) && (state.failing.IsZero() || p.Clock.Since(state.failing) < failurePatience) {
		for name, outcome := range outcomes {
			if outcome != nil && outcome.Registered.Reason == v1alpha1.ReasonPublishing {
				delete(outcomes, name) // the next try, soon, tells more
			}
		}
	}
	changed := p.Ledger.Apply(namespace, outcomes)
	p.Announce(namespace, pass.Served(), changed)
	for _, key := range changed {
		select {
		case p.Wake <- event.TypedGenericEvent[types.NamespacedName]{Object: key}:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// isRefusal reports whether the API server has refused a request for what it is.
func isRefusal(err error) bool {
	return apierrors.IsForbidden(err) || apierrors.IsInvalid(err) || apierrors.IsRequestEntityTooLargeError(err) || apierrors.IsMethodNotSupported(err)
}
