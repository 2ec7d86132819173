package caches

import (
	"runtime"
	"testing"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

func TestInterner(t *testing.T) {
	var placements interner[v1alpha1.Placement]
	if placements.intern(nil) != nil {
		t.Error("intern(nil) is not nil")
	}
	one, two, other := placements.intern(placementOf(1)), placements.intern(placementOf(1)), placements.intern(placementOf(2))
	if one != two || one == other {
		t.Errorf("of two equal values and another: %p, %p, %p", one, two, other)
	}
	runtime.KeepAlive(one)
	runtime.KeepAlive(other)
	for range 100 {
		runtime.GC()
		placements.mu.Lock()
		n := len(placements.known)
		placements.mu.Unlock()
		if n == 0 {
			return
		}
		runtime.Gosched()
	}
	t.Errorf("values that nobody uses are kept: %d", len(placements.known))
}

func placementOf(gpus int32) *v1alpha1.Placement {
	return &v1alpha1.Placement{GPU: &v1alpha1.GPUPlacement{Count: gpus}}
}
