package devices

import (
	"cmp"
	"context" //nolint:depguard // the library asks for one, and never waits
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
	"k8s.io/dynamic-resource-allocation/cel"
	"k8s.io/utils/ptr"
)

const (
	// maxRequested is how many devices a Pod can ask for: more is an error of kube-scheduler.
	maxRequested = resourcev1.AllocationResultsMaxSize
	// maxCompiled is how many selectors are kept compiled.
	maxCompiled = 256
)

// Supply is what one DeviceClass hands out on one node.
type Supply struct {
	// Class is the DeviceClass's name, Resources the names by which a container asks for its devices: the class's own extended resource
	// first, if it has the name for itself, and the implicit one, deviceclass.resource.kubernetes.io/CLASS.
	Class     string
	Resources []string
	// Count is how many devices one Pod can get, at most 32. AtLeast reports whether it may get more: the devices share counters.
	Count   int
	AtLeast bool
	// Memory is the least memory of any device of the class on the node, in MiB, rounded down. 0 where a device does not tell.
	Memory int64
	// Partitions reports whether a device is a part of a GPU, such as MIG's. Shared reports whether several Pods get the same one.
	Partitions bool
	Shared     bool
	// Products are the devices' product names, sorted, each once.
	Products []string
}

// Class is a DeviceClass, and what it hands out anywhere.
type Class struct {
	Name      string
	Resources []string
	// Memory is the least memory of any device that it selects on any node, in MiB: what a request guarantees. 0 where a device does not
	// tell, or there is none.
	Memory int64
	// Devices is how many devices it selects.
	Devices int
	// Failure says why no Pod of this class is scheduled: a selector that is none, or that fails on a device. Empty if it works.
	Failure string
}

// Inventory holds what there is to hand out. It is not changed.
type Inventory struct {
	classes []class
	pools   []*pool
}

// class is a DeviceClass with its compiled selectors.
type class struct {
	Class
	selectors []cel.CompilationResult
}

// NewInventory reads what there is. Whatever it is given, a class or slice that cannot be used is left out: see Classes for those.
func NewInventory(classes []*resourcev1.DeviceClass, published []*resourcev1.ResourceSlice, rules []*resourcev1.DeviceTaintRule) *Inventory {
	inventory := &Inventory{classes: compile(classes), pools: poolsOf(published, rules)}
	for i := range inventory.classes {
		inventory.judge(&inventory.classes[i])
	}
	return inventory
}

// compile returns the classes by name, with their selectors.
func compile(declared []*resourcev1.DeviceClass) []class {
	cache := cel.NewCache(maxCompiled, cel.Features{EnableConsumableCapacity: true})
	winners := winnersOf(declared)
	var classes []class
	for _, c := range declared {
		next := class{Class: Class{Name: c.Name}}
		if name := ptr.Deref(c.Spec.ExtendedResourceName, ""); name != "" && winners[name] == c.Name {
			next.Resources = append(next.Resources, name)
		}
		next.Resources = append(next.Resources, resourcev1.ResourceDeviceClassPrefix+c.Name)
		for _, selector := range c.Spec.Selectors {
			if selector.CEL == nil {
				next.Failure = "a selector has no CEL expression"
				continue
			}
			compiled := cache.GetOrCompile(selector.CEL.Expression)
			if compiled.Error != nil {
				next.Failure = compiled.Error.Error()
			}
			next.selectors = append(next.selectors, compiled)
		}
		classes = append(classes, next)
	}
	slices.SortFunc(classes, func(a, b class) int { return cmp.Compare(a.Name, b.Name) })
	return classes
}

// winnersOf returns the class that hands out each extended resource: of several, the newest one, then the first by name.
func winnersOf(declared []*resourcev1.DeviceClass) map[string]string {
	winners := map[string]*resourcev1.DeviceClass{}
	for _, c := range declared {
		name := ptr.Deref(c.Spec.ExtendedResourceName, "")
		last := winners[name]
		if last == nil || last.CreationTimestamp.Before(&c.CreationTimestamp) ||
			last.CreationTimestamp.Equal(&c.CreationTimestamp) && c.Name < last.Name {
			winners[name] = c
		}
	}
	names := map[string]string{}
	for name, c := range winners {
		names[name] = c.Name
	}
	return names
}

// judge applies a class to each device, and notes what that comes to.
func (i *Inventory) judge(c *class) {
	if c.Failure != "" {
		return
	}
	for _, pool := range i.pools {
		for _, d := range pool.devices {
			matches, err := c.selects(d)
			if err != nil {
				c.Failure = fmt.Sprintf("it fails on device %s of driver %s: %v", d.Name, pool.driver, err)
				return
			}
			if !matches {
				continue
			}
			if c.Devices++; c.Devices == 1 || d.memory < c.Memory {
				c.Memory = d.memory
			}
			d.classes = append(d.classes, c.Name)
		}
	}
}

// selects reports whether a device is of a class. CEL's own limit of cost bounds the time.
func (c *class) selects(d *device) (bool, error) {
	for _, selector := range c.selectors {
		matches, _, err := selector.DeviceMatches(context.Background(), cel.Device{
			Driver: d.pool.driver, Attributes: d.Attributes, Capacity: d.Capacity, AllowMultipleAllocations: d.AllowMultipleAllocations,
		})
		if err != nil || !matches {
			return false, err
		}
	}
	return true, nil
}

// Classes returns all classes, by name.
func (i *Inventory) Classes() []Class {
	var classes []Class
	for _, c := range i.classes {
		classes = append(classes, c.Class)
	}
	return classes
}

// Supplies returns what each class hands out on a node, by class. What a device plugin offers on it does not count: where a node has an
// allocatable amount of a resource, kube-scheduler takes no device for it.
func (i *Inventory) Supplies(node *corev1.Node) []Supply {
	var there []*device
	for _, pool := range i.pools {
		there = append(there, pool.on(node)...)
	}
	var supplies []Supply
	for k := range i.classes {
		c := &i.classes[k]
		if c.Failure != "" {
			continue
		}
		var usable []*device
		for _, d := range there {
			if !d.tainted && slices.Contains(d.classes, c.Name) {
				usable = append(usable, d)
			}
		}
		if len(usable) > 0 {
			supplies = append(supplies, supplyOf(c, usable))
		}
	}
	return supplies
}

// supplyOf counts what a class hands out of some devices.
func supplyOf(c *class, usable []*device) Supply {
	supply := Supply{Class: c.Name, Resources: c.Resources, Memory: usable[0].memory}
	for _, d := range usable {
		supply.Memory = min(supply.Memory, d.memory)
		supply.Partitions = supply.Partitions || d.partition
		supply.Shared = supply.Shared || d.shared
		if d.product != "" {
			supply.Products = append(supply.Products, d.product)
		}
	}
	slices.Sort(supply.Products)
	supply.Products = slices.Compact(supply.Products)
	supply.Count, supply.AtLeast = count(usable)
	return supply
}

// count returns how many of some devices one Pod can get. Those that share counters are taken the smallest first, while the counters last:
// that is a lower bound, as another choice may leave more.
func count(usable []*device) (n int, atLeast bool) {
	usable = slices.Clone(usable)
	slices.SortStableFunc(usable, func(a, b *device) int { return cmp.Compare(a.memory, b.memory) })
	left := map[*pool]counters{}
	for _, d := range usable {
		if len(d.ConsumesCounters) > 0 {
			if left[d.pool] == nil {
				left[d.pool] = d.pool.counters.clone()
			}
			if !left[d.pool].take(d.ConsumesCounters) {
				atLeast = true
				continue
			}
		}
		n++
	}
	return min(n, maxRequested), atLeast && n < maxRequested
}

// matches reports whether a node is the one of a name, or one of a selector, or whether all are meant.
func matches(node *corev1.Node, name *string, selector *corev1.NodeSelector, all *bool) bool {
	switch {
	case name != nil:
		return *name == node.Name
	case selector != nil:
		parsed, err := nodeaffinity.NewNodeSelector(selector)
		return err == nil && parsed.Match(node)
	default:
		return ptr.Deref(all, false)
	}
}
