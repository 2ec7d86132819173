package devices

import (
	"cmp"
	"context" //nolint:depguard // the library asks for one, and never waits
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/util/version"
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
	// Memory is the least memory of any device of the class on the node, in MiB, rounded down. 0 where a device does not tell. Largest is
	// that of the device with the most.
	Memory, Largest int64
	// Partitions reports whether a device is a part of a GPU, such as MIG's. Shared reports whether several Pods get the same one.
	Partitions bool
	Shared     bool
	// Products are the devices' product names, sorted, each once. Drivers are their drivers.
	Products, Drivers []string
	// Others reports whether a device is not known as a GPU: it tells no memory, and is of no type of GPUs.
	Others bool
	// Tainted is how many devices of the class are handed out to nobody.
	Tainted int
	// Uncertain is a label by which a slice selects its nodes, and which the caller does not read: the devices may be there or not.
	Uncertain string
	// Failure is the class's. A Pod that asks for it is scheduled nowhere as soon as kube-scheduler looks at such a node.
	Failure string
}

// Node is what is published for one node.
type Node struct {
	// Supplies are what classes hand out, by class. Of a class that fails there is one on each node with devices, with nothing but Failure.
	Supplies []Supply
	// Drivers are those that publish GPUs for the node, sorted, whether a class selects them or not.
	Drivers []string
	// Problem says why devices that are published for the node are not there for kube-scheduler. Empty if there are none.
	Problem string
}

// Published is what a cluster publishes.
type Published struct {
	Classes []*resourcev1.DeviceClass
	Slices  []*resourcev1.ResourceSlice
	Rules   []*resourcev1.DeviceTaintRule
	// ImplicitNames reports whether Pods can ask for a class that has no extended resource of its own: where the API server is of version
	// 1.36 or later. A class that has one shows it, too, as earlier API servers drop the field.
	ImplicitNames bool
}

// Class is a DeviceClass, and what it hands out anywhere.
type Class struct {
	Name      string
	Resources []string
	// Drivers are those of GPUs that it selects on any node, sorted.
	Drivers []string
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
	// byNode are the pools with devices for a node by its name, others those with devices for any node. broken says by node's name what is
	// amiss with pools that cannot be used.
	byNode map[string][]*pool
	others []*pool
	broken map[string]brokenPool
}

// class is a DeviceClass with its compiled selectors.
type class struct {
	Class
	selectors []cel.CompilationResult
}

// NewInventory reads what there is. Whatever it is given, a class or slice that cannot be used is left out: see Classes for those.
func NewInventory(published Published) *Inventory {
	pools, broken := poolsOf(published.Slices, published.Rules)
	inventory := &Inventory{classes: compile(&published), pools: pools, broken: broken, byNode: map[string][]*pool{}}
	for _, p := range inventory.pools {
		names, only := p.nodes()
		if !only {
			inventory.others = append(inventory.others, p)
			continue
		}
		for _, name := range names {
			inventory.byNode[name] = append(inventory.byNode[name], p)
		}
	}
	for i := range inventory.classes {
		inventory.judge(&inventory.classes[i])
	}
	return inventory
}

// compile returns the classes by name, with their selectors.
func compile(published *Published) []class {
	cache := cel.NewCache(maxCompiled, cel.Features{EnableConsumableCapacity: true})
	declared := published.Classes
	winners := winnersOf(declared)
	implicit := published.ImplicitNames || slices.ContainsFunc(declared, func(c *resourcev1.DeviceClass) bool { return c.Spec.ExtendedResourceName != nil })
	var classes []class
	for _, c := range declared {
		next := class{Class: Class{Name: c.Name}}
		if name := ptr.Deref(c.Spec.ExtendedResourceName, ""); name != "" && winners[name] == c.Name {
			next.Resources = append(next.Resources, name)
		}
		if implicit {
			next.Resources = append(next.Resources, resourcev1.ResourceDeviceClassPrefix+c.Name)
		}
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

// maxCost bounds what CEL may cost for one class, over all devices. Selectors that people write cost some 30 a device.
const maxCost = 50_000_000

// judge applies a class to each device, and notes what that comes to.
func (i *Inventory) judge(c *class) {
	if c.Failure != "" {
		return
	}
	defer func() { slices.Sort(c.Drivers) }()
	var cost uint64
	for _, pool := range i.pools {
		for _, d := range pool.devices {
			matches, spent, err := c.selects(d)
			cost += spent
			switch {
			case err != nil && c.Failure == "": // go on: which devices it selects says what it is for
				c.Failure = fmt.Sprintf("it fails on device %s of driver %s: %v", d.Name, pool.driver, err)
			case cost > maxCost:
				c.Failure = "its selectors cost too much to try them on all devices"
				return
			case matches:
				c.note(d)
			}
		}
	}
}

// note notes a device that a class selects.
func (c *class) note(d *device) {
	if c.Devices++; c.Devices == 1 || d.memory < c.Memory {
		c.Memory = d.memory
	}
	if d.gpu && !slices.Contains(c.Drivers, d.pool.driver) {
		c.Drivers = append(c.Drivers, d.pool.driver)
	}
	d.classes = append(d.classes, c.Name)
}

// selects reports whether a device is of a class, and what it cost to know. CEL's own limit of cost bounds the time of each.
func (c *class) selects(d *device) (matches bool, cost uint64, err error) {
	for _, selector := range c.selectors {
		matches, details, err := selector.DeviceMatches(context.Background(), cel.Device{
			Driver: d.pool.driver, Attributes: d.Attributes, Capacity: d.Capacity, AllowMultipleAllocations: d.AllowMultipleAllocations,
		})
		if details != nil {
			cost += ptr.Deref(details.ActualCost(), 0)
		}
		if err != nil || !matches {
			return false, cost, err
		}
	}
	return true, cost, nil
}

// Classes returns all classes, by name.
func (i *Inventory) Classes() []Class {
	var classes []Class
	for _, c := range i.classes {
		classes = append(classes, c.Class)
	}
	return classes
}

// Class returns the class of a name. It is nil if there is none.
func (i *Inventory) Class(name string) *Class {
	k, found := slices.BinarySearchFunc(i.classes, name, func(c class, name string) int { return cmp.Compare(c.Name, name) })
	if !found {
		return nil
	}
	return &i.classes[k].Class
}

// Node returns what each class hands out on a node, by class. What a device plugin offers on it does not count: where a node has an
// allocatable amount of a resource, kube-scheduler takes no device for it. reads reports whether the node has those of its labels with a key.
func (i *Inventory) Node(node *corev1.Node, reads func(label string) bool) Node {
	var there []found
	for _, pools := range [][]*pool{i.byNode[node.Name], i.others} {
		for _, pool := range pools {
			there = append(there, pool.on(node, reads)...)
		}
	}
	out := Node{Problem: i.broken[node.Name].what}
	if driver := i.broken[node.Name].driver; driver != "" {
		out.Drivers = []string{driver}
	}
	for _, d := range there {
		if d.gpu {
			out.Drivers = insert(out.Drivers, d.pool.driver)
		}
	}
	for k := range i.classes {
		c := &i.classes[k]
		switch {
		case len(there) == 0:
		case c.Failure != "":
			out.Supplies = append(out.Supplies, Supply{Class: c.Name, Resources: c.Resources, Failure: c.Failure})
		default:
			out.Supplies = append(out.Supplies, suppliesOf(c, there)...)
		}
	}
	return out
}

// suppliesOf counts what a class hands out of some devices: at most one supply, and none if it selects none of them.
func suppliesOf(c *class, there []found) []Supply {
	supply := Supply{Class: c.Name, Resources: c.Resources}
	var usable []*device
	for _, d := range there {
		switch {
		case !slices.Contains(d.classes, c.Name):
			continue
		case d.tainted:
			supply.Tainted++
			continue
		}
		if len(usable) == 0 || d.memory < supply.Memory {
			supply.Memory = d.memory
		}
		usable = append(usable, d.device)
		supply.Largest = max(supply.Largest, d.memory)
		supply.Partitions = supply.Partitions || d.partition
		supply.Shared = supply.Shared || d.shared
		supply.Others = supply.Others || !d.gpu
		supply.Uncertain = cmp.Or(supply.Uncertain, d.uncertain)
		supply.Drivers = insert(supply.Drivers, d.pool.driver)
		if d.product != "" {
			supply.Products = insert(supply.Products, d.product)
		}
	}
	if len(usable)+supply.Tainted == 0 {
		return nil
	}
	supply.Count, supply.AtLeast = count(usable)
	return []Supply{supply}
}

// insert adds to a sorted set.
func insert(set []string, value string) []string {
	if i, found := slices.BinarySearch(set, value); !found {
		return slices.Insert(set, i, value)
	}
	return set
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

// matches reports whether a node is the one of a name, or one of a selector, or whether all are meant. It returns a label of which it is not
// known whether the node has it, if the selector asks for one: then it reports true.
func matches(node *corev1.Node, reads func(string) bool, name *string, selector *corev1.NodeSelector, all *bool) (is bool, uncertain string) {
	switch {
	case name != nil:
		return *name == node.Name, ""
	case selector != nil:
		for _, term := range selector.NodeSelectorTerms {
			for _, r := range term.MatchExpressions {
				if !reads(r.Key) {
					return true, r.Key
				}
			}
		}
		parsed, err := nodeaffinity.NewNodeSelector(selector)
		return err == nil && parsed.Match(node), ""
	default:
		return ptr.Deref(all, false), ""
	}
}

// ImplicitNames reports whether an API server of a version lets Pods ask for a DeviceClass that has no extended resource of its own: since 1.36,
// where DRAExtendedResource is on. A version that cannot be read is an earlier one.
func ImplicitNames(gitVersion string) bool {
	v, err := version.ParseGeneric(gitVersion)
	return err == nil && v.AtLeast(version.MajorMinor(1, 36))
}
