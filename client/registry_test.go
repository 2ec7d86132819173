package client

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2"
	"sigs.k8s.io/controller-runtime/pkg/manager"
)

// patience is how long a test waits for what should come at once.
const patience = 20 * time.Second

// quiet is a test's context without a log.
func quiet(t *testing.T) context.Context {
	return klog.NewContext(t.Context(), logr.Discard())
}

// started returns a Registry that reads what the test tells it, until the test ends.
func started(t *testing.T) (*Registry, func(all tasks)) {
	t.Helper()
	r := newRegistry("namespace vision", func(ctx context.Context, _ *Registry) { <-ctx.Done() })
	ctx, cancel := context.WithCancel(klog.NewContext(context.Background(), logr.Discard()))
	done := make(chan error)
	go func() { done <- r.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	var p publisher
	var f fold
	return r, func(all tasks) {
		f.replace(nil)
		setAll(&f, p.publish(t, all))
		s, ok, err := f.snapshot()
		r.tell(ctx, s, ok, err)
	}
}

func receive(t *testing.T, changes <-chan Change) Change {
	t.Helper()
	select {
	case change, ok := <-changes:
		if !ok {
			t.Fatal("the channel is closed")
		}
		return change
	case <-time.After(patience):
		t.Fatal("no change came")
	}
	return Change{}
}

// brief is a change without its snapshots.
func brief(c Change) map[string][]string {
	return map[string][]string{"added": c.Added, "changed": c.Changed, "removed": c.Removed}
}

func TestSubscribeTellsOfEveryChange(t *testing.T) {
	r, publish := started(t)
	changes := r.Subscribe(t.Context())
	var last Snapshot
	for i, step := range []struct {
		tasks tasks
		want  map[string][]string
	}{
		{tasks{"b": 1, "a": 1}, map[string][]string{"added": {"a", "b"}, "changed": nil, "removed": nil}},
		{tasks{"b": 2, "c": 1}, map[string][]string{"added": {"c"}, "changed": {"b"}, "removed": {"a"}}},
		{tasks{}, map[string][]string{"added": nil, "changed": nil, "removed": {"b", "c"}}},
	} {
		publish(step.tasks)
		change := receive(t, changes)
		if diff := cmp.Diff(step.want, brief(change)); diff != "" {
			t.Errorf("change %d (-want +got):\n%s", i, diff)
		}
		if change.From != last || change.To != r.Snapshot() {
			t.Errorf("change %d does not lead from the last snapshot to that of now", i)
		}
		last = change.To
	}
	if late := receive(t, r.Subscribe(t.Context())); late.From != (Snapshot{}) || late.To != last {
		t.Error("a late subscriber is not told of the snapshot of now")
	}
}

// TestSlowSubscriber: it holds up nobody, and what it missed becomes one change to the newest state.
func TestSlowSubscriber(t *testing.T) {
	r, publish := started(t)
	slow, quick := r.Subscribe(t.Context()), r.Subscribe(t.Context())
	all := tasks{"first": 1, "stays": 1}
	publish(all)
	receive(t, slow)
	receive(t, quick)
	delete(all, "first")
	for i := range 100 {
		all["edited"] = int64(i + 1)
		all[fmt.Sprintf("new_%03d", i)] = 1
		if i%2 == 1 {
			delete(all, fmt.Sprintf("new_%03d", i-1))
		}
		publish(all)
		if change := receive(t, quick); change.To.Generation() != r.Snapshot().Generation() {
			t.Fatalf("the quick one is told of generation %d, not %d", change.To.Generation(), r.Snapshot().Generation())
		}
	}
	change := receive(t, slow)
	for last := change; last.To != r.Snapshot(); last = receive(t, slow) { // the first may have been on offer from before
		if last.To.Generation() >= r.Snapshot().Generation() {
			t.Fatal("it leads past the end")
		}
	}
	got := tasks{}
	for _, name := range r.Snapshot().Names() {
		got[name], _ = func() (int64, bool) { entry, ok := r.Get(name); return entry.Kubernetes.Generation, ok }()
	}
	if diff := cmp.Diff(all, got); diff != "" {
		t.Errorf("tasks (-want +got):\n%s", diff)
	}
	select {
	case more := <-slow:
		t.Errorf("want no more changes, got %v", brief(more))
	default:
	}
}

func TestSubscriptionsEnd(t *testing.T) {
	r, publish := started(t)
	publish(tasks{"a": 1})
	ctx, cancel := context.WithCancel(t.Context())
	changes := r.Subscribe(ctx) // nobody receives
	cancel()
	for open := true; open; {
		select {
		case _, open = <-changes:
		case <-time.After(patience):
			t.Fatal("the channel stays open")
		}
	}
	short := newRegistry("folder /tasks", func(context.Context, *Registry) {})
	changes = short.Subscribe(t.Context())
	if err := short.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, open := <-changes; open {
		t.Error("a change came from nowhere")
	}
	if err := short.Start(t.Context()); err == nil {
		t.Error("want an error from a second Start")
	}
}

func TestWaitForSync(t *testing.T) {
	cases := map[string]struct {
		follow  func(ctx context.Context, r *Registry)
		idle    bool
		wantErr string
	}{
		"synced": {follow: func(ctx context.Context, r *Registry) { r.tell(ctx, Snapshot{}, true, nil) }},
		"synced, and an error since": {follow: func(ctx context.Context, r *Registry) {
			r.tell(ctx, Snapshot{}, true, nil)
			r.tell(ctx, Snapshot{}, true, errGone)
		}},
		"not started":   {idle: true, wantErr: "the registry of namespace vision was not read: Start was not called: context canceled"},
		"stopped":       {follow: func(context.Context, *Registry) {}, wantErr: "the registry of namespace vision was not read: the Registry was stopped"},
		"no connection": {follow: func(ctx context.Context, r *Registry) { r.hear(ctx, errors.New("refused")) }, wantErr: "stopped: refused"},
		"nothing good": {follow: func(ctx context.Context, r *Registry) { r.tell(ctx, Snapshot{}, false, errors.New("format 2")) },
			wantErr: "stopped: format 2"},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			r := newRegistry("namespace vision", tc.follow)
			ctx, cancel := context.WithCancel(quiet(t))
			defer cancel()
			if tc.idle {
				cancel()
			} else if err := r.Start(ctx); err != nil {
				t.Fatal(err)
			}
			err := r.WaitForSync(ctx)
			if (err == nil) != (tc.wantErr == "") || err != nil && !strings.HasSuffix(err.Error(), tc.wantErr) {
				t.Errorf("want the error %q, got %v", tc.wantErr, err)
			}
		})
	}
}

func TestErr(t *testing.T) {
	r, publish := started(t)
	publish(tasks{"a": 1})
	before := r.Snapshot()
	r.hear(quiet(t), errors.New("refused"))
	r.tell(quiet(t), before, true, errGone)
	if got, want := fmt.Sprint(r.Err()), "refused\nConfigMap maze-registry is gone"; got != want {
		t.Errorf("want %q, got %q", want, got)
	}
	if r.Snapshot() != before {
		t.Error("the last good snapshot does not stay")
	}
	r.hear(quiet(t), nil)
	publish(tasks{"a": 2})
	if err := r.Err(); err != nil || r.Snapshot() == before {
		t.Errorf("all is well again: %v", err)
	}
}

// A manager of controller-runtime can run it.
var (
	_ manager.Runnable               = (*Registry)(nil)
	_ manager.LeaderElectionRunnable = (*Registry)(nil)
)

func TestNewNeedsOneNamespace(t *testing.T) {
	if _, err := New(&rest.Config{}, ""); err == nil || !strings.Contains(err.Error(), "name one") {
		t.Errorf("want an error, got %v", err)
	}
}

// TestSnapshotsDoNotChange: whatever a caller does to what it was given.
func TestSnapshotsDoNotChange(t *testing.T) {
	r, publish := started(t)
	publish(tasks{"a": 1, "b": 1})
	s := r.Snapshot()
	list := s.List()
	got, _ := s.Get("a")
	list = append(list, got)
	for i := range list {
		e := &list[i]
		for _, text := range []*string{e.Description, e.Resources.ModelName, e.Resources.Backend, e.EntryPoint, e.Predictor} {
			*text = "harmed"
		}
		for _, raw := range [][]byte{e.InputParameters, e.OutputParameters, e.Schema.Input, e.Schema.Output} {
			raw[0] = 'x'
		}
		p := &e.Kubernetes.Placement
		clear(p.Requests)
		clear(p.Limits)
		clear(p.NodeSelector)
		p.Affinity.NodeAffinity, p.Tolerations[0].Key, p.GPU.Count = nil, "harmed", 99
	}
	s.Names()[0] = "harmed"
	for _, name := range []string{"a", "b"} {
		entry, ok := s.Get(name)
		item, err := entry.Encode()
		if digest, _ := s.Digest(name); !ok || err != nil || item.Digest != digest || digest != itemOf(t, name, 1).Digest {
			t.Errorf("%s was changed: %s", name, item.Text)
		}
	}
	if _, ok := s.Get("c"); ok {
		t.Error("want no c")
	}
	if digest, ok := (Snapshot{}).Digest("a"); ok || digest != "" || (Snapshot{}).Len() != 0 || (Snapshot{}).Generation() != 0 {
		t.Error("want nothing in the zero Snapshot")
	}
	if want := maps.Clone(tasks{"a": 1, "b": 1}); cmp.Diff(want, tasksOf(t, s)) != "" {
		t.Error("the names were changed")
	}
}
