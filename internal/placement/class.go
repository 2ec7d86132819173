package placement

import (
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Class is a set of nodes that are alike in everything that decides about a placement. Only their memory may differ a little:
// that of machines of one type does, by some KiB.
type Class struct {
	// Name is the product that the nodes' labels name, or what else they are known by. Several classes may have one name.
	Name string
	// Nodes is how many there are; of these, Cordoned and NotReady ones take no Pod at present.
	Nodes, Cordoned, NotReady int

	// key is equal for nodes of one class.
	key string
	// node has the labels, taints and allocatable resources of all of them, as far as they matter, and the memory of the
	// largest. open is the same of those that take Pods at present: nil if none does.
	node, open *corev1.Node
	// supplies are the ways in which they give GPUs.
	supplies []supply
}

// Equal says whether two classes are of the same nodes.
func (c *Class) Equal(other *Class) bool { return c.key == other.key }

// state is what of a node may change at any moment, without the node becoming another.
type state int

const (
	stateReady state = iota
	stateCordoned
	stateNotReady
)

// transientTaints are the prefixes of the keys of taints that come and go with a node's state: those of Kubernetes' node
// lifecycle and cloud provider controllers, of the cluster autoscaler and of Karpenter.
var transientTaints = []string{
	"node.kubernetes.io/", "node.cloudprovider.kubernetes.io/", "ToBeDeletedByClusterAutoscaler",
	"DeletionCandidateOfClusterAutoscaler", "karpenter.sh/disrupted", "karpenter.sh/unregistered",
}

// stateOf reads a node's state. A node without a condition Ready, as in a manifest, is ready.
func stateOf(node *corev1.Node) state {
	if node.Spec.Unschedulable {
		return stateCordoned
	}
	if slices.ContainsFunc(node.Spec.Taints, func(t corev1.Taint) bool { return isTransient(t) && keepsOff(&t) }) {
		return stateNotReady
	}
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady && condition.Status != corev1.ConditionTrue {
			return stateNotReady
		}
	}
	return stateReady
}

func isTransient(taint corev1.Taint) bool {
	return slices.ContainsFunc(transientTaints, func(prefix string) bool { return strings.HasPrefix(taint.Key, prefix) })
}

// keepsOff says whether kube-scheduler keeps Pods off a node with this taint, and does not only prefer others.
func keepsOff(taint *corev1.Taint) bool {
	return taint.Effect == corev1.TaintEffectNoSchedule || taint.Effect == corev1.TaintEffectNoExecute
}

// Slim leaves of a node what Set reads, and what a cache needs to know it by.
func (c *Config) Slim(node *corev1.Node) *corev1.Node {
	out := &corev1.Node{}
	out.Name, out.UID, out.ResourceVersion = node.Name, node.UID, node.ResourceVersion
	out.Spec.Unschedulable, out.Spec.Taints = node.Spec.Unschedulable, node.Spec.Taints
	for name, value := range node.Labels {
		if c.selects(name) {
			if out.Labels == nil {
				out.Labels = map[string]string{}
			}
			out.Labels[name] = value
		}
	}
	out.Status.Allocatable = corev1.ResourceList{}
	for name, quantity := range node.Status.Allocatable {
		if c.counts(name) {
			out.Status.Allocatable[name] = quantity
		}
	}
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			out.Status.Conditions = []corev1.NodeCondition{{Type: condition.Type, Status: condition.Status}}
		}
	}
	return out
}

// Alike says whether two nodes that Slim made differ in nothing that Set reads. It is much cheaper than Set.
func Alike(a, b *corev1.Node) bool {
	return a.Name == b.Name && a.Spec.Unschedulable == b.Spec.Unschedulable &&
		maps.Equal(a.Labels, b.Labels) &&
		slices.EqualFunc(a.Spec.Taints, b.Spec.Taints, func(x, y corev1.Taint) bool { return x.MatchTaint(&y) && x.Value == y.Value }) &&
		maps.EqualFunc(a.Status.Allocatable, b.Status.Allocatable, resource.Quantity.Equal) &&
		slices.EqualFunc(a.Status.Conditions, b.Status.Conditions, func(x, y corev1.NodeCondition) bool { return x.Type == y.Type && x.Status == y.Status })
}

// classify leaves of a node what it has in common with others of its class.
func (c *Config) classify(node *corev1.Node) *corev1.Node {
	slim := c.Slim(node)
	out := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Labels: slim.Labels}, Status: corev1.NodeStatus{Allocatable: slim.Status.Allocatable}}
	for _, taint := range slim.Spec.Taints {
		if keepsOff(&taint) && !isTransient(taint) {
			out.Spec.Taints = append(out.Spec.Taints, corev1.Taint{Key: taint.Key, Value: taint.Value, Effect: taint.Effect})
		}
	}
	slices.SortFunc(out.Spec.Taints, func(a, b corev1.Taint) int { return strings.Compare(a.ToString(), b.ToString()) })
	return out
}

// selects says whether a placement may select by a node label.
func (c *Config) selects(label string) bool {
	if strings.HasPrefix(label, gpuLabels) || strings.HasPrefix(label, migResources) {
		return slices.ContainsFunc(labelSuffixes, func(suffix string) bool { return strings.HasSuffix(label, suffix) })
	}
	return slices.ContainsFunc(c.Profiles, func(p Profile) bool { _, ok := p.NodeSelector[label]; return ok })
}

// counts says whether a placement may request a resource.
func (c *Config) counts(name corev1.ResourceName) bool {
	return name == corev1.ResourceCPU || name == corev1.ResourceMemory || name == corev1.ResourcePods || c.isGPU(name)
}

// keyOf gives a text that is equal for nodes of one class, from a classified node.
func keyOf(node *corev1.Node) string {
	var key strings.Builder
	for _, name := range sortedKeys(node.Labels) {
		fmt.Fprintf(&key, "%q=%q ", name, node.Labels[name])
	}
	for i := range node.Spec.Taints {
		fmt.Fprintf(&key, "%q ", node.Spec.Taints[i].ToString())
	}
	for _, name := range sortedKeys(node.Status.Allocatable) {
		quantity := node.Status.Allocatable[name]
		switch name {
		case corev1.ResourcePods:
			fmt.Fprintf(&key, "pods %t ", quantity.Sign() > 0) // an empty node takes a Pod, or never does
		case corev1.ResourceMemory:
			fmt.Fprintf(&key, "memory about %d ", about(quantity.Value()))
		default:
			fmt.Fprintf(&key, "%q:%s ", name, quantity.String())
		}
	}
	return key.String()
}

// about rounds to six leading bits, which is by less than 1.6 percent.
func about(n int64) int64 {
	const leading = 6
	shift := bits.Len64(uint64(max(0, n))) - leading
	if shift <= 0 {
		return n
	}
	return (n>>(shift-1) + 1) >> 1 << shift
}
