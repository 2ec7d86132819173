package devices

import (
	"cmp"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
)

// maxRequested is how many devices a Pod can ask for: more is an error of kube-scheduler.
const maxRequested = resourcev1.AllocationResultsMaxSize

// Supply is what one DeviceClass hands out on one node.
type Supply struct {
	// Class is the DeviceClass's name, Resources the names by which a container asks for its devices: the class's own extended resource
	// first, if it has the name for itself, and the implicit one, deviceclass.resource.kubernetes.io/CLASS.
	Class     string
	Resources []string
	// Count is how many devices one Pod can get, at most 32. AtLeast reports whether it may get more, which took too long to find out: the
	// devices share counters.
	Count   int
	AtLeast bool
	// Memory is the least memory of any device of the class on the node, in MiB, rounded down. 0 where a device does not tell. Largest is
	// that of the device with the most.
	Memory, Largest int64
	// Capability is the least compute capability of any of them: a hundred times the major version, and the minor one. 0 where one does not tell.
	// Newest is the greatest.
	Capability, Newest int64
	// Partitions reports whether a device is a part of a GPU, such as MIG's. Shared reports whether several Pods get the same one, and may use all
	// of its memory, and Divided whether each of them gets a part of the memory, which Memory then is.
	Partitions bool
	Shared     bool
	Divided    bool
	// Products are the devices' product names, sorted, each once. Unnamed reports whether a device tells none. Drivers are their drivers.
	Products []string
	Unnamed  bool
	Drivers  []string
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

// Node returns what each class hands out on a node, by class. What a device plugin offers on it does not count: where a node has an
// allocatable amount of a resource, kube-scheduler takes no device for it. reads reports whether the node has those of its labels with a key.
func (i *Inventory) Node(node *corev1.Node, reads func(label string) bool) Node {
	var there []found
	for _, pools := range [][]*judged{i.byNode[node.Name], i.others} {
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
			out.Drivers = insert(out.Drivers, d.driver)
		}
	}
	for k := range i.classes {
		c := &i.classes[k]
		switch {
		case len(there) == 0:
		case c.Failure != "":
			out.Supplies = append(out.Supplies, Supply{Class: c.Name, Resources: c.Resources, Failure: c.Failure})
		default:
			out.Supplies = append(out.Supplies, i.suppliesOf(c, k, there)...)
		}
	}
	return out
}

// suppliesOf counts what a class hands out of some devices: at most one supply, and none if it selects none of them. at is the class's place.
func (i *Inventory) suppliesOf(c *class, at int, there []found) []Supply {
	supply := Supply{Class: c.Name, Resources: c.Resources}
	var usable []found
	for _, d := range there {
		picked := d.of.picks[at]
		switch {
		case picked == nil || !picked.devices[d.at]:
			continue
		case d.tainted:
			supply.Tainted++
			continue
		case d.overdrawn:
			continue // an ordinary request is for more than it has
		}
		if len(usable) == 0 {
			supply.Memory, supply.Capability = d.memory, d.capability
		}
		supply.Memory, supply.Largest = min(supply.Memory, d.memory), max(supply.Largest, d.memory)
		supply.Capability, supply.Newest = min(supply.Capability, d.capability), max(supply.Newest, d.capability)
		usable = append(usable, d)
		supply.Partitions = supply.Partitions || d.partition
		supply.Shared = supply.Shared || d.shared && !d.divided
		supply.Divided = supply.Divided || d.divided
		supply.Others = supply.Others || !d.gpu
		supply.Uncertain = cmp.Or(supply.Uncertain, d.uncertain)
		supply.Drivers = insert(supply.Drivers, d.driver)
		if supply.Unnamed = supply.Unnamed || d.product == ""; d.product != "" {
			supply.Products = insert(supply.Products, d.product)
		}
	}
	if len(usable)+supply.Tainted == 0 {
		return nil
	}
	supply.Count, supply.AtLeast = i.memory.counts.count(usable)
	return []Supply{supply}
}
