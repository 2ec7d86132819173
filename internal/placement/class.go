package placement

import (
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
	// supplies are the ways in which they give GPUs.
	supplies []supply
	// foreign are accelerators that they have beside those, sorted.
	foreign []corev1.ResourceName
	// profiles are those whose labels they have, by their place in the configuration.
	profiles []int
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
