package faults

import (
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// settled waits until all is as it should be, for a while.
func settled(ctx context.Context, r *run) error {
	r.settles(ctx, 8*time.Second)
	return ctx.Err()
}

func waits(length time.Duration) func(context.Context, *run) error {
	return func(ctx context.Context, _ *run) error {
		pause(ctx, length)
		return ctx.Err()
	}
}

// awaitsStruck waits until the plan's fault has struck.
func awaitsStruck(ctx context.Context, r *run) error {
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end) && len(r.injector.fired()) == 0; {
		pause(ctx, 5*time.Millisecond)
	}
	return ctx.Err()
}

func addsNode(n nodeShape) func(context.Context, *run) error {
	return func(ctx context.Context, r *run) error { return r.addNode(ctx, n) }
}

func dropsNode(n nodeShape) func(context.Context, *run) error {
	return func(ctx context.Context, r *run) error { return r.removeNode(ctx, n.name) }
}

func harmsIndex(change func(*corev1.ConfigMap)) func(context.Context, *run) error {
	return func(ctx context.Context, r *run) error { return r.harmConfigMap(ctx, indexName, change) }
}

// makeNoise writes something that has nothing to do with tasks, a hundred times a second and more until the plan ends.
func makeNoise(ctx context.Context, r *run) error {
	noise := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: "default", Name: "noise-" + r.namespace}}
	if err := r.h.k8s.Create(ctx, noise); err != nil {
		return err
	}
	for writer := range 2 {
		go func() {
			for i := 0; pause(r.life, 4*time.Millisecond); i++ {
				patch := fmt.Sprintf(`{"data":{"writer-%d":"%d"}}`, writer, i)
				_ = r.h.k8s.Patch(r.life, noise.DeepCopy(), client.RawPatch("application/merge-patch+json", []byte(patch))) // one is not missed
			}
		}()
	}
	return nil
}

// foreignShard creates a ConfigMap of someone else with the name of the next shard that the manager writes, while it writes it. Then it
// checks that the tasks of that shard say so, and no others.
func foreignShard(ctx context.Context, r *run) error {
	var once sync.Once
	named := make(chan string, 1)
	r.injector.setHook(func(c *call) {
		if c.target == ShardCreate {
			once.Do(func() {
				if err := r.createForeign(r.life, c.name); err == nil {
					named <- c.name
				}
			})
		}
	})
	if err := r.edit(ctx, "task-03", describeAs("second", entrySize)); err != nil {
		return err
	}
	select {
	case r.foreign = <-named:
	case <-time.After(10 * time.Second):
		return fmt.Errorf("the manager created no shard")
	}
	r.injector.setHook(nil)
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end) && len(r.inConflict()) == 0; {
		pause(ctx, 20*time.Millisecond)
	}
	pause(ctx, 500*time.Millisecond)
	prefix := strings.Split(strings.TrimPrefix(r.foreign, indexName+"-"), "-")[0]
	conflicting := r.inConflict()
	if hasPrefix("task_03", prefix) && !slices.Contains(conflicting, "task_03") { // a shard that is split has two parts
		r.violated(InTheEnd, "task_03 does not say RegistryConflict, while %s is someone else's", r.foreign)
	}
	for _, name := range conflicting {
		if !hasPrefix(name, prefix) {
			r.violated(InTheEnd, "%s says RegistryConflict, and is not of the shard %s", name, r.foreign)
		}
	}
	return nil
}

// inConflict returns the names of the tasks that say RegistryConflict.
func (r *run) inConflict() []string {
	tasks, _ := r.observer.state()
	var out []string
	for _, t := range tasks {
		if strings.HasSuffix(conditionOf(t, v1alpha1.ConditionRegistered), v1alpha1.ReasonRegistryConflict) {
			out = append(out, t.Spec.Name)
		}
	}
	slices.Sort(out)
	return out
}

// hasPrefix reports whether the SHA-256 of a name begins with bits.
func hasPrefix(name, bits string) bool {
	var all strings.Builder
	for _, b := range sha256.Sum256([]byte(name)) {
		fmt.Fprintf(&all, "%08b", b)
	}
	return strings.HasPrefix(all.String(), bits)
}
