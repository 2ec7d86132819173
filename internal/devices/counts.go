package devices

import (
	"context" //nolint:depguard // the library asks for one, and never waits
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync" //nolint:depguard // what was counted is remembered, for those who resolve at the same time

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/dynamic-resource-allocation/structured"
	"k8s.io/utils/ptr"
)

const (
	// maxSteps bounds how long it may take to find so many devices. kube-scheduler takes as many steps for a Pod, and gives up after ten seconds:
	// some hundred thousand steps. What it takes long to find is not called certain.
	maxSteps = 1 << 12
	// maxStepsOfAll bounds that for all nodes of an inventory, together. Those of one kind are counted once.
	maxStepsOfAll = 1 << 18
)

// counts finds out how many devices one Pod can get where they share counters, and remembers it.
type counts struct {
	mu    sync.Mutex
	known map[string]counted
	// left is how many steps may still be taken.
	left int
}

// counted is how many devices one Pod can get. atLeast reports whether it may get more.
type counted struct {
	n       int
	atLeast bool
}

// renew begins a new inventory.
func (c *counts) renew() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.left = maxStepsOfAll
	if len(c.known) > maxRemembered || c.known == nil {
		c.known = map[string]counted{}
	}
}

// count returns how many of some devices of an empty node one Pod can get, and whether it may get more.
func (c *counts) count(usable []found) (n int, atLeast bool) {
	if len(usable) == 0 || !slices.ContainsFunc(usable, func(d found) bool { return len(d.device.device.ConsumesCounters) > 0 }) {
		return min(len(usable), maxRequested), false
	}
	key := keyOf(usable)
	c.mu.Lock()
	defer c.mu.Unlock()
	if known, ok := c.known[key]; ok {
		return known.n, known.atLeast
	}
	result := c.search(usable)
	c.known[key] = result
	return result.n, result.atLeast
}

// keyOf returns a text that is equal for devices that can be had together alike.
func keyOf(usable []found) string {
	var key strings.Builder
	numbers := map[*judged]int{}
	for _, d := range usable {
		number, known := numbers[d.of]
		if !known {
			number = len(numbers)
			numbers[d.of] = number
			key.WriteString(encode(d.of.counters))
		}
		key.WriteString(" " + strconv.Itoa(number) + encode(d.kind.device.ConsumesCounters))
	}
	return key.String()
}

// search asks the allocator for more and more devices: from what it finds without trying another choice, up to what the counters allow.
func (c *counts) search(usable []found) counted {
	usable = slices.Clone(usable)
	slices.SortStableFunc(usable, func(a, b found) int { return a.of.compare(b.of.poolKey) }) // as it does
	certain, most := firstFit(usable), min(mostOf(usable), maxRequested)
	published := asPublished(usable)
	for certain < most {
		enough, err := c.ask(published, certain+1)
		switch {
		case err != nil:
			return counted{certain, !c.ruledOut(usable, certain+1)}
		case !enough:
			return counted{certain, false}
		}
		certain++
	}
	return counted{min(certain, maxRequested), false}
}

// ruledOut reports whether so many devices cannot be had, as is found out faster without those that take from no counter.
func (c *counts) ruledOut(usable []found, n int) bool {
	counting := slices.DeleteFunc(slices.Clone(usable), func(d found) bool { return len(d.kind.device.ConsumesCounters) == 0 })
	enough, err := c.ask(asPublished(counting), n-len(usable)+len(counting))
	return err == nil && !enough
}

// ask is allocate with what is left of all steps.
func (c *counts) ask(published []*resourcev1.ResourceSlice, n int) (bool, error) {
	given := min(c.left, maxSteps)
	steps := &steps{Context: context.Background(), left: given}
	enough, err := allocate(steps, published, n)
	c.left -= given - max(0, steps.left)
	return enough, err
}

// firstFit returns how many devices can be had if each is taken that still can be, in their order.
func firstFit(usable []found) int {
	n := 0
	used := map[*judged]amounts{}
	for _, d := range usable {
		if used[d.of] == nil {
			used[d.of] = amounts{}
		}
		if next := used[d.of].plus(d.kind.device.ConsumesCounters); next.within(d.of.counters) {
			used[d.of] = next
			n++
		}
	}
	return n
}

// counterKey names a counter of a pool.
type counterKey struct{ set, name string }

// amounts are of counters of one pool.
type amounts map[counterKey]resource.Quantity

// plus returns amounts with what a device takes.
func (a amounts) plus(taken []resourcev1.DeviceCounterConsumption) amounts {
	sum := maps.Clone(a)
	for _, of := range taken {
		for name, counter := range of.Counters {
			key := counterKey{of.CounterSet, name}
			amount := sum[key].DeepCopy()
			amount.Add(counter.Value)
			sum[key] = amount
		}
	}
	return sum
}

// within reports whether some counters have as much.
func (a amounts) within(sets []resourcev1.CounterSet) bool {
	for _, set := range sets {
		for name, counter := range set.Counters {
			if amount := a[counterKey{set.Name, name}]; amount.Cmp(counter.Value) > 0 {
				return false
			}
		}
	}
	return true
}

// mostOf returns a number of devices that is not exceeded: of those that share counters, what the scarcest counter allows by itself.
func mostOf(usable []found) int {
	type group struct {
		of  *judged
		set string
	}
	groups := map[group][]found{}
	entangled := map[*judged]bool{} // a device takes from several sets
	for _, d := range usable {
		entangled[d.of] = entangled[d.of] || len(d.kind.device.ConsumesCounters) > 1
	}
	most := 0
	for _, d := range usable {
		switch taken := d.kind.device.ConsumesCounters; {
		case len(taken) == 0:
			most++
		case entangled[d.of]:
			groups[group{d.of, ""}] = append(groups[group{d.of, ""}], d)
		default:
			groups[group{d.of, taken[0].CounterSet}] = append(groups[group{d.of, taken[0].CounterSet}], d)
		}
	}
	for g, members := range groups {
		least := len(members)
		for _, set := range g.of.counters {
			for name, counter := range set.Counters {
				least = min(least, fitting(members, counterKey{set.Name, name}, counter.Value))
			}
		}
		most += least
	}
	return most
}

// fitting returns for how many devices one counter is enough.
func fitting(members []found, counter counterKey, has resource.Quantity) int {
	takes := make([]resource.Quantity, len(members))
	for i, d := range members {
		takes[i] = amounts{}.plus(d.kind.device.ConsumesCounters)[counter]
	}
	slices.SortFunc(takes, func(a, b resource.Quantity) int { return a.Cmp(b) })
	var sum resource.Quantity
	for i, amount := range takes {
		if sum.Add(amount); sum.Cmp(has) > 0 {
			return i
		}
	}
	return len(members)
}

// asPublished returns devices as the allocator wants them: as all that there are, and with nothing but what they take.
func asPublished(usable []found) []*resourcev1.ResourceSlice {
	pools := map[*judged]*resourcev1.ResourceSlice{}
	var all []*resourcev1.ResourceSlice
	for i, d := range usable {
		slice := pools[d.of]
		if slice == nil {
			pool := resourcev1.ResourcePool{Name: d.of.name, Generation: 1, ResourceSliceCount: 2}
			spec := resourcev1.ResourceSliceSpec{Driver: d.of.driver, Pool: pool, AllNodes: ptr.To(true)}
			slice = &resourcev1.ResourceSlice{Spec: spec}
			counters := &resourcev1.ResourceSlice{Spec: spec}
			counters.Spec.SharedCounters = d.of.counters
			if len(d.of.counters) == 0 {
				slice.Spec.Pool.ResourceSliceCount = 1
			} else {
				all = append(all, counters)
			}
			pools[d.of] = slice
			all = append(all, slice)
		}
		slice.Spec.Devices = append(slice.Spec.Devices, resourcev1.Device{Name: strconv.Itoa(i), ConsumesCounters: d.kind.device.ConsumesCounters})
	}
	return all
}

// features are those of Kubernetes 1.37 that matter to devices which nobody has.
var features = structured.Features{PartitionableDevices: true}

// allocate reports whether kube-scheduler's allocator finds so many devices. An error is for a search that takes too long.
//
//nolint:contextcheck,nolintlint // steps is one
func allocate(steps *steps, published []*resourcev1.ResourceSlice, n int) (bool, error) {
	allocator, err := structured.NewAllocator(steps, features, structured.AllocatedState{}, anyDevice{}, published, nil)
	if err != nil {
		return false, err
	}
	claim := &resourcev1.ResourceClaim{Spec: resourcev1.ResourceClaimSpec{Devices: resourcev1.DeviceClaim{Requests: []resourcev1.DeviceRequest{{
		Name: "devices", Exactly: &resourcev1.ExactDeviceRequest{
			DeviceClassName: "any", AllocationMode: resourcev1.DeviceAllocationModeExactCount, Count: int64(n),
		},
	}}}}}
	results, err := allocator.Allocate(steps, &corev1.Node{}, []*resourcev1.ResourceClaim{claim})
	return len(results) > 0, err
}

// anyDevice has the class of all devices: what a class selects is known before.
type anyDevice struct{}

func (anyDevice) List() ([]*resourcev1.DeviceClass, error) { return nil, nil }

func (anyDevice) Get(string) (*resourcev1.DeviceClass, error) { return &resourcev1.DeviceClass{}, nil }

// steps ends a search after a number of steps: the allocator asks at each whether it should go on. In place of a deadline, so that the same
// devices always give the same count.
type steps struct {
	context.Context
	left int
}

var errTooLong = errors.New("it takes too long")

// Err implements context.Context.
func (s *steps) Err() error {
	if s.left--; s.left < 0 {
		return errTooLong
	}
	return nil
}
