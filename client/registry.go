package client

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"k8s.io/klog/v2"
)

// Registry follows the published registry of one namespace. Make one with New or NewFromFolder, and run Start. All methods may be
// called at any time and by any number of goroutines.
type Registry struct {
	// of names what is followed, for messages.
	of string
	// follow reports every state, until ctx ends.
	follow func(ctx context.Context, r *Registry)

	mu       sync.Mutex
	started  bool
	snapshot Snapshot
	// refused is why what is published is not served, and cut why nothing is seen of it. Nil where all is well.
	refused, cut error
	// changed is closed, and replaced, when there is another snapshot.
	changed chan struct{}

	synced  chan struct{}
	syncing sync.Once
	stopped chan struct{}
}

func newRegistry(of string, follow func(ctx context.Context, r *Registry)) *Registry {
	return &Registry{of: of, follow: follow, changed: make(chan struct{}), synced: make(chan struct{}), stopped: make(chan struct{})}
}

// Start follows the registry until ctx ends, and then returns nil. It may be called once. It is what controller-runtime calls a
// Runnable: a manager can be given the Registry.
//
// What it cannot read, it logs with the logger of ctx (klog.FromContext), and goes on.
func (r *Registry) Start(ctx context.Context) error {
	r.mu.Lock()
	again := r.started
	r.started = true
	r.mu.Unlock()
	if again {
		return errors.New("a Registry can be started once")
	}
	defer close(r.stopped)
	r.follow(ctx, r)
	return nil
}

// NeedLeaderElection returns false: every replica of a manager of controller-runtime may read.
func (*Registry) NeedLeaderElection() bool { return false }

// WaitForSync waits until the registry was read for the first time. A namespace without the ConfigMap maze-registry has no task yet, and
// counts as read. The error, once ctx ends, says what stood in the way, such as a missing right.
func (r *Registry) WaitForSync(ctx context.Context) error {
	select {
	case <-r.synced:
		return nil
	default:
	}
	var ended error
	select {
	case <-r.synced:
		return nil
	case <-ctx.Done():
		ended = context.Cause(ctx)
	case <-r.stopped:
		ended = errors.New("the Registry was stopped")
	}
	r.mu.Lock()
	started := r.started
	r.mu.Unlock()
	reason := r.Err()
	switch {
	case !started:
		return fmt.Errorf("the registry of %s was not read: Start was not called: %w", r.of, ended)
	case reason == nil:
		return fmt.Errorf("the registry of %s was not read: %w", r.of, ended)
	default:
		return fmt.Errorf("the registry of %s was not read: %w: %w", r.of, ended, reason)
	}
}

// Snapshot returns the registry as it is known now: without tasks before the first sync.
func (r *Registry) Snapshot() Snapshot {
	now, _ := r.current()
	return now
}

// Get returns a task's entry by its spec.name, from the snapshot of now.
func (r *Registry) Get(name string) (Entry, bool) { return r.Snapshot().Get(name) }

// List returns all entries of the snapshot of now, sorted by name.
func (r *Registry) List() []Entry { return r.Snapshot().List() }

// Err returns why the snapshot may be out of date: the API server does not answer or refuses, or what is published cannot be read, is of
// another format, or is gone. The last good snapshot is served meanwhile. Nil while all is well.
func (r *Registry) Err() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return errors.Join(r.cut, r.refused)
}

// Subscribe returns a channel of changes. The first one leads from a registry without tasks to the snapshot of now, each later one from
// where the one before led. A receiver may take its time: what happens meanwhile becomes one change, to the newest snapshot, and nobody
// waits for it. The channel is closed when ctx ends or Start returns.
func (r *Registry) Subscribe(ctx context.Context) <-chan Change {
	changes := make(chan Change)
	go func() {
		defer close(changes)
		var from Snapshot
		for {
			to, changed := r.current()
			var ready chan<- Change
			var change Change
			if to != from {
				ready, change = changes, changeBetween(from, to)
			}
			select {
			case ready <- change:
				from = to
			case <-changed:
			case <-ctx.Done():
				return
			case <-r.stopped:
				return
			}
		}
	}()
	return changes
}

// current returns the snapshot of now, and a channel that is closed when there is another one.
func (r *Registry) current() (Snapshot, <-chan struct{}) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.snapshot, r.changed
}

// tell takes the outcome of a fold.
func (r *Registry) tell(ctx context.Context, next Snapshot, ok bool, err error) {
	err = bounded(err)
	r.mu.Lock()
	isNews := !sameError(r.refused, err)
	r.refused = err
	if ok && next != r.snapshot {
		r.snapshot = next
		close(r.changed)
		r.changed = make(chan struct{})
	}
	r.mu.Unlock()
	if ok {
		r.syncing.Do(func() { close(r.synced) })
	}
	if err != nil && isNews {
		klog.FromContext(ctx).Error(err, "What is published cannot be read; the last good registry stays", "registry", r.of, "generation", next.Generation())
	}
}

// hear takes an error of the connection, or nil where there is one.
func (r *Registry) hear(ctx context.Context, err error) {
	r.mu.Lock()
	isNews := !sameError(r.cut, err)
	r.cut = err
	r.mu.Unlock()
	if err != nil && isNews {
		klog.FromContext(ctx).Error(err, "Trying again", "registry", r.of)
	}
}

func sameError(a, b error) bool {
	return (a == nil) == (b == nil) && (a == nil || a.Error() == b.Error())
}

// maxMessage is the most bytes of an error that are reported: it can quote what anyone has written.
const maxMessage = 500

// bounded cuts an error short.
func bounded(err error) error {
	if err == nil || len(err.Error()) <= maxMessage {
		return err
	}
	return errors.New(strings.ToValidUTF8(err.Error()[:maxMessage], "") + "…") // the cut may go through a character
}
