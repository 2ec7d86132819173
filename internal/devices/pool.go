package devices

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/utils/ptr"
)

// Names that drivers of GPUs use, without their domain: dra-driver-nvidia-gpu, deviceinfo.go.
const (
	memoryCapacity   = "memory"
	typeAttribute    = "type"
	productAttribute = "productName"
	partitionType    = "mig"
)

// gpuTypes are the types of devices that are GPUs or parts of them, and that containers use: NVIDIA's and AMD's. Devices that tell their memory
// are GPUs, too.
var gpuTypes = []string{"gpu", partitionType, "amdgpu", "amdgpu-partition"}

// mebibyte is in bytes.
const mebibyte = 1 << 20

// pool holds the devices of one driver's pool.
type pool struct {
	driver   string
	name     string
	devices  []*device
	counters counters
}

// device is one of a pool.
type device struct {
	*resourcev1.Device
	pool  *pool
	slice *resourcev1.ResourceSlice
	// memory is in MiB, rounded down. 0 where the device does not tell.
	memory    int64
	partition bool
	shared    bool
	gpu       bool
	product   string
	// tainted reports whether it is handed out to nobody.
	tainted bool
	// classes are those that select it.
	classes []string
}

// counters holds what is left of a pool's counters, by set and name.
type counters map[string]map[string]resource.Quantity

func (c counters) clone() counters {
	out := counters{}
	for set, values := range c {
		out[set] = maps.Clone(values)
	}
	return out
}

// take takes what a device consumes. It reports whether there was enough of all; else nothing is taken.
func (c counters) take(consumed []resourcev1.DeviceCounterConsumption) bool {
	for _, of := range consumed {
		for name, amount := range of.Counters {
			left, there := c[of.CounterSet][name]
			if !there || left.Cmp(amount.Value) < 0 {
				return false
			}
		}
	}
	for _, of := range consumed {
		for name, amount := range of.Counters {
			left := c[of.CounterSet][name]
			left.Sub(amount.Value)
			c[of.CounterSet][name] = left
		}
	}
	return true
}

// brokenPool is a pool of GPUs that cannot be used, and what is amiss with it.
type brokenPool struct{ driver, what string }

// poolsOf returns the pools that can be used, by driver and name: complete ones, of the newest generation, in which no name is there twice.
// The second value says by the nodes' names what is amiss with the others.
func poolsOf(all []*resourcev1.ResourceSlice, rules []*resourcev1.DeviceTaintRule) ([]*pool, map[string]brokenPool) {
	type key struct{ driver, name string }
	newest := map[key][]*resourcev1.ResourceSlice{}
	for _, slice := range all {
		k := key{slice.Spec.Driver, slice.Spec.Pool.Name}
		known := newest[k]
		switch {
		case len(known) == 0 || known[0].Spec.Pool.Generation < slice.Spec.Pool.Generation:
			newest[k] = []*resourcev1.ResourceSlice{slice}
		case known[0].Spec.Pool.Generation == slice.Spec.Pool.Generation:
			newest[k] = append(known, slice)
		}
	}
	var pools []*pool
	broken := map[string]brokenPool{}
	amiss := func(k key, members []*resourcev1.ResourceSlice, what string) {
		p := &pool{driver: k.driver, name: k.name}
		text := fmt.Sprintf("its pool %s of driver %s %s", k.name, k.driver, what)
		for _, slice := range members {
			name := ptr.Deref(slice.Spec.NodeName, "")
			if name == "" || !slices.ContainsFunc(slice.Spec.Devices, func(d resourcev1.Device) bool { return p.device(slice, &d, nil).gpu }) {
				continue
			}
			if last := broken[name].what; last == "" || text < last {
				broken[name] = brokenPool{k.driver, text}
			}
		}
	}
	for k, members := range newest {
		if want := members[0].Spec.Pool.ResourceSliceCount; int64(len(members)) != want {
			amiss(k, members, fmt.Sprintf("has %d of %d ResourceSlices", len(members), want))
			continue
		}
		slices.SortFunc(members, func(a, b *resourcev1.ResourceSlice) int { return cmp.Compare(a.Name, b.Name) })
		p := &pool{driver: k.driver, name: k.name, counters: counters{}}
		if p.add(members, rules) {
			pools = append(pools, p)
		} else {
			amiss(k, members, "has two devices of one name")
		}
	}
	slices.SortFunc(pools, func(a, b *pool) int { return cmp.Or(cmp.Compare(a.driver, b.driver), cmp.Compare(a.name, b.name)) })
	return pools, broken
}

// add adds the devices and counters of a pool's slices. It reports whether each device's name is there once.
func (p *pool) add(members []*resourcev1.ResourceSlice, rules []*resourcev1.DeviceTaintRule) bool {
	seen := map[string]bool{}
	for _, slice := range members {
		for _, set := range slice.Spec.SharedCounters {
			values := map[string]resource.Quantity{}
			for name, counter := range set.Counters {
				values[name] = counter.Value
			}
			p.counters[set.Name] = values
		}
		for i := range slice.Spec.Devices {
			declared := &slice.Spec.Devices[i]
			if seen[declared.Name] {
				return false
			}
			seen[declared.Name] = true
			p.devices = append(p.devices, p.device(slice, declared, rules))
		}
	}
	return true
}

func (p *pool) device(slice *resourcev1.ResourceSlice, declared *resourcev1.Device, rules []*resourcev1.DeviceTaintRule) *device {
	d := &device{Device: declared, pool: p, slice: slice, tainted: slices.ContainsFunc(declared.Taints, keepsOff)}
	for name, capacity := range declared.Capacity {
		if p.unqualified(string(name)) == memoryCapacity {
			d.memory = max(0, capacity.Value.Value()/mebibyte)
			d.gpu = d.gpu || d.memory > 0
			d.shared = ptr.Deref(declared.AllowMultipleAllocations, false) && leavesSome(capacity)
		}
	}
	for name, attribute := range declared.Attributes {
		switch p.unqualified(string(name)) {
		case typeAttribute:
			kind := ptr.Deref(attribute.StringValue, "")
			d.gpu = d.gpu || slices.Contains(gpuTypes, kind)
			d.partition = kind == partitionType || strings.HasSuffix(kind, "-partition")
		case productAttribute:
			d.product = ptr.Deref(attribute.StringValue, "")
		}
	}
	for _, rule := range rules {
		if s := rule.Spec.DeviceSelector; keepsOff(rule.Spec.Taint) && s != nil && p.isMeant(s, declared.Name) {
			d.tainted = true
		}
	}
	return d
}

// leavesSome reports whether a Pod that names no amount leaves some of a device's capacity to others.
func leavesSome(capacity resourcev1.DeviceCapacity) bool {
	return capacity.RequestPolicy != nil && capacity.RequestPolicy.Default != nil && capacity.RequestPolicy.Default.Cmp(capacity.Value) < 0
}

// unqualified returns a name without the driver's domain, which may be left out.
func (p *pool) unqualified(name string) string { return strings.TrimPrefix(name, p.driver+"/") }

func keepsOff(taint resourcev1.DeviceTaint) bool {
	return taint.Effect == resourcev1.DeviceTaintEffectNoSchedule || taint.Effect == resourcev1.DeviceTaintEffectNoExecute
}

// isMeant reports whether a rule is about a device: a selector without a field means any.
func (p *pool) isMeant(s *resourcev1.DeviceTaintSelector, name string) bool {
	return ptr.Deref(s.Driver, p.driver) == p.driver && ptr.Deref(s.Pool, p.name) == p.name && ptr.Deref(s.Device, name) == name
}

// found is a device that is for a node. uncertain is a label that is not known, and decides about that.
type found struct {
	*device
	uncertain string
}

// on returns the devices for a node.
func (p *pool) on(node *corev1.Node, reads func(string) bool) []found {
	var there []found
	for _, d := range p.devices {
		spec := &d.slice.Spec
		name, selector, all := spec.NodeName, spec.NodeSelector, spec.AllNodes
		if ptr.Deref(spec.PerDeviceNodeSelection, false) {
			name, selector, all = d.NodeName, d.NodeSelector, d.AllNodes
		}
		if is, uncertain := matches(node, reads, name, selector, all); is {
			there = append(there, found{d, uncertain})
		}
	}
	return there
}

// nodes returns the names of the nodes that devices are for, and false if some are for others, too.
func (p *pool) nodes() (names []string, only bool) {
	for _, d := range p.devices {
		name := d.slice.Spec.NodeName
		if ptr.Deref(d.slice.Spec.PerDeviceNodeSelection, false) {
			name = d.NodeName
		}
		if name == nil {
			return nil, false
		}
		names = insert(names, *name)
	}
	return names, true
}
