package placement

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// Class is a set of nodes that are alike in everything that decides about a placement. Only their memory may differ a little:
// that of machines of one type does, by some KiB.
type Class struct {
	// Name is the product that the nodes' labels name, or what else they are known by. Several classes may have one name.
	Name string
	// Nodes is how many there are; of these, Cordoned and NotReady ones take no Pod at present, and Restarting and Unplugged ones none with a GPU:
	// their device plugin tells of none, while the capacity, or only the labels, still do.
	Nodes, Cordoned, NotReady, Restarting, Unplugged int

	// key is equal for nodes of one class.
	key string
	// node has the labels, taints and allocatable resources of all of them, as far as they matter, and the memory of the
	// largest. open is the same of those that take Pods with GPUs at present, and openCPU of those that take Pods without: nil if none does.
	node, open, openCPU *corev1.Node
	// reserve is what DaemonSets take of each.
	reserve Reserve
	// room is the rest of the largest.
	room Reserve
	// supplies are all that give GPUs, each by a resource of its own, and byName the same, sorted by resource. ways are those that differ in more than
	// the resource's name.
	supplies []supply
	byName   []*supply
	ways     []way
	// most is the most GPU memory, in MiB, that one task could have of a node.
	most int64
	// foreign are accelerators that they have beside those, sorted.
	foreign []corev1.ResourceName
	// profiles are those whose labels they have, by their place in the configuration.
	profiles []int
}

// way is a supply, and the ones like it, by other DeviceClasses: same has all of them, in order, the supply first.
type way struct {
	*supply
	same []*supply
}

// index finds out what is asked often about the supplies.
func (c *Class) index() {
	c.byName, c.ways, c.most = nil, nil, 0
	for i := range c.supplies {
		s := &c.supplies[i]
		s.place = i
		c.byName = append(c.byName, s)
		at := slices.IndexFunc(c.ways, func(w way) bool { return s.alike > 0 && w.alike == s.alike })
		if at < 0 {
			at = len(c.ways)
			c.ways = append(c.ways, way{supply: s})
		}
		c.ways[at].same = append(c.ways[at].same, s)
	}
	slices.SortStableFunc(c.byName, func(a, b *supply) int { return cmp.Compare(a.resource, b.resource) })
	for _, w := range c.ways {
		c.most = max(c.most, w.most())
	}
}

// hasRoom reports whether a node, when it is empty but for what is reserved, has the processors and the memory that a demand asks for. More memory may
// be needed where GPUs use the node's.
func (c *Class) hasRoom(d *demand) bool {
	return (d.MilliCPU == 0 || c.room.MilliCPU >= d.MilliCPU) && (d.Memory == 0 || c.room.Memory >= d.Memory)
}

// supplyOf returns the nodes' supply of a resource. It is nil if there is none.
func (c *Class) supplyOf(name corev1.ResourceName) *supply {
	i, found := slices.BinarySearchFunc(c.byName, name, func(s *supply, name corev1.ResourceName) int { return cmp.Compare(s.resource, name) })
	if !found {
		return nil
	}
	return c.byName[i]
}

// Equal reports whether two classes are of the same nodes.
func (c *Class) Equal(other *Class) bool { return c.key == other.key }

// accelerated reports whether the nodes have GPUs or the like, be they of use or not.
func (c *Class) accelerated() bool { return len(c.supplies) > 0 || len(c.foreign) > 0 }

// openFor returns a node that takes Pods at present, with or without GPUs. It is nil if none does.
func (c *Class) openFor(p *plan) *corev1.Node {
	if p.count == 0 {
		return c.openCPU
	}
	return c.open
}

// offer is a supply of a class.
type offer struct {
	class  *Class
	supply *supply
}

func (inv *Inventory) noteOffers(class *Class) {
	for i := range class.supplies {
		s := &class.supplies[i]
		inv.offers[s.resource] = append(inv.offers[s.resource], offer{class, s})
		if s.failed && inv.failed == nil {
			inv.failed = s
		}
	}
}
