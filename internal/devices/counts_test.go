package devices

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/dynamic-resource-allocation/cel"
	"k8s.io/dynamic-resource-allocation/structured"
	"k8s.io/utils/ptr"
)

// oneClass is a cluster's only DeviceClass.
type oneClass struct{ *resourcev1.DeviceClass }

func (c oneClass) List() ([]*resourcev1.DeviceClass, error) {
	return []*resourcev1.DeviceClass{c.DeviceClass}, nil
}
func (c oneClass) Get(string) (*resourcev1.DeviceClass, error) { return c.DeviceClass, nil }

// allocatable reports whether kube-scheduler's allocator hands out so many devices of a class on an empty node, with the features of 1.37.
func allocatable(t *testing.T, class *resourcev1.DeviceClass, slices []*resourcev1.ResourceSlice, node *corev1.Node, n int64) bool {
	t.Helper()
	of := structured.Features{
		AdminAccess: true, ConsumableCapacity: true, DeviceBindingAndStatus: true, DeviceTaints: true, PartitionableDevices: true, PrioritizedList: true,
	}
	cache := cel.NewCache(10, cel.Features{EnableConsumableCapacity: true})
	allocator, err := structured.NewAllocator(t.Context(), of, structured.AllocatedState{}, oneClass{class}, slices, cache)
	if err != nil {
		t.Fatal(err)
	}
	claim := &resourcev1.ResourceClaim{Spec: resourcev1.ResourceClaimSpec{Devices: resourcev1.DeviceClaim{Requests: []resourcev1.DeviceRequest{{
		Name: "r", Exactly: &resourcev1.ExactDeviceRequest{DeviceClassName: class.Name, AllocationMode: resourcev1.DeviceAllocationModeExactCount, Count: n},
	}}}}}
	results, err := allocator.Allocate(t.Context(), node, []*resourcev1.ResourceClaim{claim})
	return err == nil && len(results) > 0
}

// randomPools returns what some drivers publish for node1: devices that take from counters, alone and together, that are tainted, or shared.
func randomPools(random *rand.Rand) []*resourcev1.ResourceSlice {
	var all []*resourcev1.ResourceSlice
	for pool := range 1 + random.IntN(2) {
		name := fmt.Sprintf("pool-%d", pool)
		spec := resourcev1.ResourceSliceSpec{
			Driver: nvidia, NodeName: ptr.To("node1"), Pool: resourcev1.ResourcePool{Name: name, Generation: 1, ResourceSliceCount: 1},
		}
		sets := random.IntN(4)
		if sets > 0 {
			spec.Pool.ResourceSliceCount = 2
		}
		devices := &resourcev1.ResourceSlice{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: spec}
		counted := &resourcev1.ResourceSlice{ObjectMeta: metav1.ObjectMeta{Name: name + "-counters"}, Spec: spec}
		amounts := func(most int) map[string]resourcev1.Counter {
			out := map[string]resourcev1.Counter{}
			for k := range 1 + random.IntN(2) {
				out[fmt.Sprintf("c%d", k)] = resourcev1.Counter{Value: *resource.NewQuantity(int64(random.IntN(most)), resource.DecimalSI)}
			}
			return out
		}
		for k := range sets {
			all := amounts(9)
			all["c1"] = resourcev1.Counter{Value: resource.MustParse("4")}
			counted.Spec.SharedCounters = append(counted.Spec.SharedCounters, resourcev1.CounterSet{Name: fmt.Sprintf("set-%d", k), Counters: all})
		}
		for k := range 1 + random.IntN(6) {
			d := gpu(fmt.Sprintf("gpu-%d", k), []string{"80Gi", "40Gi", "20Gi"}[random.IntN(3)])
			taken := random.Perm(sets)
			for _, set := range taken[:min(len(taken), random.IntN(3))] {
				d.ConsumesCounters = append(d.ConsumesCounters, resourcev1.DeviceCounterConsumption{CounterSet: fmt.Sprintf("set-%d", set), Counters: amounts(6)})
			}
			if random.IntN(8) == 0 {
				taint(resourcev1.DeviceTaintEffectNoSchedule)(&d)
			}
			if random.IntN(6) == 0 {
				sharable([]string{"0", "10Gi", "80Gi"}[random.IntN(3)])(&d)
			}
			devices.Spec.Devices = append(devices.Spec.Devices, d)
		}
		if random.IntN(20) == 0 && sets > 0 {
			counted.Spec.SharedCounters = append(counted.Spec.SharedCounters, counted.Spec.SharedCounters[0])
		}
		all = append(all, devices)
		if sets > 0 {
			all = append(all, counted)
		}
	}
	return all
}

// TestCountsAgree: a class hands out as many devices as kube-scheduler's allocator finds, and no more, whatever counters they share.
func TestCountsAgree(t *testing.T) {
	const clusters = 200
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node1"}}
	counts := map[int]int{}
	for range clusters {
		published := randomPools(random)
		class := deviceClass("c", "", ofMemory([]string{"1Gi", "40Gi"}[random.IntN(2)]))
		inventory := NewInventory(Published{Classes: []*resourcev1.DeviceClass{class}, Slices: compacted(published...), ImplicitNames: true})
		n, all := 0, inventory.Node(node, all).Supplies
		if len(all) == 1 {
			n = all[0].Count
			if all[0].AtLeast {
				t.Fatalf("seed %d: it is not known how many of a few devices there are: %s", seed, encode(published))
			}
		}
		counts[n]++
		if n > 0 && !allocatable(t, class, published, node, int64(n)) {
			t.Fatalf("seed %d: %d are told, and are not there: %s", seed, n, encode(published))
		}
		if n < maxRequested && allocatable(t, class, published, node, int64(n+1)) {
			t.Fatalf("seed %d: %d are told, and there are more: %s", seed, n, encode(published))
		}
	}
	if len(counts) < 6 {
		t.Errorf("seed %d: the generator makes too few numbers of devices: %v", seed, counts)
	}
}

// TestCountsAreBounded: a number that takes long to find is not called certain, nor ruled out, and is the same each time.
func TestCountsAreBounded(t *testing.T) {
	const pairs = 24 // in each, one device takes all of a counter that two others share: first is what is tried first, and is wrong
	slice := sliceOf()
	for k := range pairs {
		set := fmt.Sprintf("set-%d", k)
		slice.Spec.SharedCounters = append(slice.Spec.SharedCounters, resourcev1.CounterSet{Name: set, Counters: map[string]resourcev1.Counter{
			"c": {Value: resource.MustParse("2")},
		}})
		for i, takes := range []string{"2", "1", "1"} {
			d := gpu(fmt.Sprintf("gpu-%d-%d", k, i), "80Gi")
			d.ConsumesCounters = []resourcev1.DeviceCounterConsumption{{CounterSet: set, Counters: map[string]resourcev1.Counter{"c": {Value: resource.MustParse(takes)}}}}
			slice.Spec.Devices = append(slice.Spec.Devices, d)
		}
	}
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node1"}}
	published := Published{Classes: []*resourcev1.DeviceClass{deviceClass("c", "", wholeGPU)}, Slices: compacted(slice), ImplicitNames: true}
	first := NewInventory(published).Node(node, all).Supplies[0]
	if !first.AtLeast || first.Count < pairs || first.Count > maxRequested {
		t.Errorf("want %d at least, got %+v", pairs, first)
	}
	if again := NewInventory(published).Node(node, all).Supplies[0]; again.Count != first.Count || again.AtLeast != first.AtLeast {
		t.Errorf("another time, it is %+v", again)
	}
}

// TestStepsEndASearch: the allocator asks whether to go on; a library that no longer does would never end here.
func TestStepsEndASearch(t *testing.T) {
	var usable []found
	of := &judged{pool: &pool{counters: []resourcev1.CounterSet{{Name: "s", Counters: map[string]resourcev1.Counter{"c": {Value: resource.MustParse("0")}}}}}}
	for range 40 {
		usable = append(usable, found{device: &device{kind: &kind{}}, of: of})
	}
	usable = append(usable, found{device: &device{kind: &kind{}}, of: of})
	budget := &steps{Context: context.Background(), left: 1000}
	if _, err := allocate(budget, asPublished(usable[:25]), 26); err == nil || budget.left >= 0 {
		t.Errorf("want an error after 1000 steps, got %v, %d left", err, budget.left)
	}
}
