package devices

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/dynamic-resource-allocation/cel"
	"k8s.io/utils/ptr"
)

// TestNext: an inventory that takes over what has not changed tells what one tells that reads everything, and Changes names every node of which
// something else is told.
func TestNext(t *testing.T) {
	expressions := []string{
		wholeGPU, anyMIG, ofMemory("20Gi"), ofMemory("60Gi"), "device.driver ==", `device.capacity['gpu.nvidia.com'].memory.compareTo(quantity('40Gi')) >= 0`,
		`device.attributes['gpu.nvidia.com'].?uuid.orValue('') == 'GPU-3'`, `device.attributes['gpu.nvidia.com'].exists(k, k == 'uuid')`,
	}
	for seed := range uint64(12) {
		random := rand.New(rand.NewPCG(seed, 1))
		var published Published
		var inventory *Inventory
		for step := range 60 {
			published.change(random, expressions)
			next := inventory.Next(published)
			fresh := NewInventory(published)
			if diff := cmp.Diff(fresh.Classes(), next.Classes()); diff != "" {
				t.Fatalf("seed %d, step %d: classes: -want +got:\n%s", seed, step, diff)
			}
			changed, every := next.Changes(inventory)
			for i := range 5 {
				node := nodeOf(fmt.Sprintf("node-%d", i), i)
				got := next.Node(node, all)
				if diff := cmp.Diff(fresh.Node(node, all), got); diff != "" {
					t.Fatalf("seed %d, step %d: %s: -want +got:\n%s", seed, step, node.Name, diff)
				}
				if inventory == nil || every || slices.Contains(changed, node.Name) {
					continue
				}
				if diff := cmp.Diff(inventory.Node(node, all), got); diff != "" {
					t.Fatalf("seed %d, step %d: %s has changed, and Changes does not name it: -before +after:\n%s", seed, step, node.Name, diff)
				}
			}
			inventory = next
		}
	}
}

func nodeOf(name string, i int) *corev1.Node {
	return &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{corev1.LabelTopologyZone: []string{"here", "there"}[i%2]}}}
}

// change changes something of what is published.
func (p *Published) change(random *rand.Rand, expressions []string) {
	p.Slices, p.Classes, p.Rules = slices.Clone(p.Slices), slices.Clone(p.Classes), slices.Clone(p.Rules)
	switch what := random.IntN(20); {
	case what < 4 && len(p.Classes) > 0:
		p.Classes = slices.Delete(p.Classes, 0, 1)
	case what < 7:
		name := fmt.Sprintf("class-%d", random.IntN(6))
		p.Classes = slices.DeleteFunc(p.Classes, func(c *resourcev1.DeviceClass) bool { return c.Name == name })
		p.Classes = append(p.Classes, deviceClass(name, []string{"", "nvidia.com/gpu"}[random.IntN(2)], expressions[random.IntN(len(expressions))]))
	case what < 8:
		p.Rules = nil
		if random.IntN(2) == 0 {
			p.Rules = []*resourcev1.DeviceTaintRule{{Spec: resourcev1.DeviceTaintRuleSpec{
				DeviceSelector: &resourcev1.DeviceTaintSelector{Pool: ptr.To("pool-1")}, Taint: resourcev1.DeviceTaint{Effect: resourcev1.DeviceTaintEffectNoSchedule},
			}}}
		}
	case what < 11 && len(p.Slices) > 0:
		at := random.IntN(len(p.Slices))
		p.Slices = slices.Delete(p.Slices, at, at+1)
	default:
		next := Compact(randomSlice(random))
		p.Slices = append(slices.DeleteFunc(p.Slices, func(s *Slice) bool { return s.Name == next.Name }), next)
	}
}

// randomSlice returns the slice of a pool, which mostly is of the node of its number.
func randomSlice(random *rand.Rand) *resourcev1.ResourceSlice {
	number, part := random.IntN(5), random.IntN(2)
	var devices []resourcev1.Device
	for i := range random.IntN(4) {
		d := gpu(fmt.Sprintf("gpu-%d-%d", part*random.IntN(2), i), []string{"15360Mi", "40960Mi", "81559Mi", ""}[random.IntN(4)])
		d.Attributes["uuid"] = resourcev1.DeviceAttribute{StringValue: ptr.To(fmt.Sprintf("GPU-%d", random.IntN(5)))}
		if random.IntN(5) == 0 {
			mig(&d)
		}
		if random.IntN(9) == 0 {
			taint(resourcev1.DeviceTaintEffectNoSchedule)(&d)
		}
		devices = append(devices, d)
	}
	slice := sliceOf(devices...)
	slice.Name = fmt.Sprintf("slice-%d-%d", number, part)
	slice.Spec.NodeName, slice.Spec.Pool.Name = ptr.To(fmt.Sprintf("node-%d", number)), fmt.Sprintf("pool-%d", number)
	slice.Spec.Pool.Generation, slice.Spec.Pool.ResourceSliceCount = int64(1+random.IntN(2)), int64(1+random.IntN(2))
	switch random.IntN(12) {
	case 0:
		slice.Spec.NodeName, slice.Spec.AllNodes = nil, ptr.To(true)
	case 1:
		slice.Spec.NodeName, slice.Spec.NodeSelector = nil, zone("here")
	}
	return slice
}

// TestDistinguishes: a selector is asked once for each kind of devices only if it names what it reads, and that tells no device from another.
func TestDistinguishes(t *testing.T) {
	cache := cel.NewCache(maxCompiled, cel.Features{EnableConsumableCapacity: true})
	for expression, want := range map[string]bool{
		wholeGPU:                          false,
		ofMemory("40Gi"):                  false,
		`true`:                            false,
		`device.driver == 'uuid'`:         false,
		`device.allowMultipleAllocations`: false,
		`'type' in device.attributes['gpu.nvidia.com'] && device.attributes['gpu.nvidia.com'].?type.orValue('').startsWith('g')`:        false,
		`device.attributes[?'gpu.nvidia.com'].?type.orValue('') == 'gpu'`:                                                               false,
		`has(device.attributes['gpu.nvidia.com'].productName) && ['a'].exists(x, device.attributes['gpu.nvidia.com'].productName == x)`: false,
		`cel.bind(m, device.capacity['gpu.nvidia.com'].memory, m.isGreaterThan(quantity('1Gi')))`:                                       false,
		`device.attributes['gpu.nvidia.com'].uuid == 'GPU-1'`:                                                                           true,
		`device.attributes['gpu.nvidia.com']['uuid'] == 'GPU-1'`:                                                                        true,
		`device.attributes['gpu.nvidia.com']['uu' + 'id'] == 'GPU-1'`:                                                                   true,
		`'uuid' in device.attributes['gpu.nvidia.com']`:                                                                                 true,
		`has(device.attributes['gpu.nvidia.com'].uuid)`:                                                                                 true,
		`device.attributes['resource.kubernetes.io'].?pciBusID.orValue('') == 'x'`:                                                      true,
		`cel.bind(a, device.attributes['gpu.nvidia.com'], a.uuid == 'GPU-1')`:                                                           true,
		`device.attributes['gpu.nvidia.com'].exists(k, k == 'uuid')`:                                                                    true,
		`[device].exists(d, d.attributes['gpu.nvidia.com'].uuid == 'GPU-1')`:                                                            true,
		`size(device.attributes['gpu.nvidia.com']) > 3`:                                                                                 true,
		`'gpu.nvidia.com' in device.attributes`:                                                                                         true,
		`device.attributes['gpu.nvidia.com'] == device.attributes['x']`:                                                                 true,
	} {
		compiled := cache.GetOrCompile(expression)
		if compiled.Error != nil {
			t.Errorf("%s: %v", expression, compiled.Error)
			continue
		}
		if got := distinguishes(treeOf(compiled.Environment, expression)); got != want {
			t.Errorf("%s: got %t, want %t", expression, got, want)
		}
	}
}

// TestAlike: what a driver writes again is no change.
func TestAlike(t *testing.T) {
	slice := func(edits ...func(*resourcev1.ResourceSlice)) *Slice {
		s := sliceOf(gpu("a", "80Gi", taint(resourcev1.DeviceTaintEffectNoSchedule)), gpu("b", "80Gi", consumes("1")))
		s.Spec.SharedCounters = []resourcev1.CounterSet{{Name: "gpu-0"}}
		for _, edit := range edits {
			edit(s)
		}
		return Compact(s)
	}
	for name, tc := range map[string]struct {
		edit func(*resourcev1.ResourceSlice)
		want bool
	}{
		"written again": {func(s *resourcev1.ResourceSlice) { s.ResourceVersion, s.Generation = "7", 3 }, true},
		"the time of a taint": {func(s *resourcev1.ResourceSlice) {
			s.Spec.Devices[0].Taints[0].TimeAdded = ptr.To(metav1.Now())
		}, true},
		"another generation": {func(s *resourcev1.ResourceSlice) { s.Spec.Pool.Generation++ }, false},
		"another memory":     {func(s *resourcev1.ResourceSlice) { s.Spec.Devices[1] = gpu("b", "81Gi", consumes("1")) }, false},
		"another name":       {func(s *resourcev1.ResourceSlice) { s.Spec.Devices[1].Name = "c" }, false},
		"another UUID": {func(s *resourcev1.ResourceSlice) {
			s.Spec.Devices[1].Attributes["uuid"] = resourcev1.DeviceAttribute{StringValue: ptr.To("x")}
		}, false},
		"no taint":            {func(s *resourcev1.ResourceSlice) { s.Spec.Devices[0].Taints = nil }, false},
		"one device less":     {func(s *resourcev1.ResourceSlice) { s.Spec.Devices = s.Spec.Devices[:1] }, false},
		"other counters":      {func(s *resourcev1.ResourceSlice) { s.Spec.SharedCounters[0].Name = "gpu-1" }, false},
		"another node":        {func(s *resourcev1.ResourceSlice) { s.Spec.NodeName = ptr.To("node2") }, false},
		"all nodes":           {func(s *resourcev1.ResourceSlice) { s.Spec.NodeName, s.Spec.AllNodes = nil, ptr.To(true) }, false},
		"selected nodes":      {func(s *resourcev1.ResourceSlice) { s.Spec.NodeName, s.Spec.NodeSelector = nil, zone("here") }, false},
		"nodes of each":       {func(s *resourcev1.ResourceSlice) { s.Spec.NodeName, s.Spec.PerDeviceNodeSelection = nil, ptr.To(true) }, false},
		"more slices of them": {func(s *resourcev1.ResourceSlice) { s.Spec.Pool.ResourceSliceCount++ }, false},
	} {
		if got := slice().Alike(slice(tc.edit)); got != tc.want {
			t.Errorf("%s: got %t, want %t", name, got, tc.want)
		}
	}
}

// BenchmarkNext is a change of one of 1,000 slices with 8 GPUs each, which 10 classes select.
func BenchmarkNext(b *testing.B) {
	var published Published
	for i := range 10 {
		published.Classes = append(published.Classes, deviceClass(fmt.Sprintf("gpu-%d", i), "", ofMemory(fmt.Sprintf("%dGi", 8*i))))
	}
	slice := func(node, cards int) *Slice {
		var devices []resourcev1.Device
		for i := range cards {
			d := gpu(fmt.Sprintf("gpu-%d", i), "81559Mi")
			d.Attributes["uuid"] = resourcev1.DeviceAttribute{StringValue: ptr.To(fmt.Sprintf("GPU-%d-%d", node, i))}
			devices = append(devices, d)
		}
		s := sliceOf(devices...)
		s.Name = fmt.Sprintf("slice-%d", node)
		s.Spec.NodeName, s.Spec.Pool.Name = ptr.To(s.Name), s.Name
		return Compact(s)
	}
	for i := range 1000 {
		published.Slices = append(published.Slices, slice(i, 8))
	}
	inventory := NewInventory(published)
	for i := 0; b.Loop(); i++ {
		published.Slices[0] = slice(0, i%9)
		next := inventory.Next(published)
		if names, all := next.Changes(inventory); all || len(names) != 1 {
			b.Fatal(names, all)
		}
		inventory = next
	}
}
