package placement

import (
	"fmt"
	"maps"
	"math/bits"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// state is what of a node may change at any moment, without the node becoming another.
type state int

const (
	stateReady state = iota
	stateCordoned
	stateNotReady
	// stateRestarting: the device plugin reports no healthy GPU at present; the kubelet keeps the capacity for some minutes. The node takes Pods
	// without GPUs.
	stateRestarting
	// stateUnplugged: the same, and the capacity is gone, too: the kubelet has just started, the plugin is gone, or GPUs are given by Dynamic
	// Resource Allocation. Only the labels still tell of GPUs.
	stateUnplugged
)

// stateOf reads a node's state. A node without a condition Ready, as in a manifest, is ready.
func (c *Config) stateOf(node *corev1.Node) state {
	if node.Spec.Unschedulable {
		return stateCordoned
	}
	if slices.ContainsFunc(node.Spec.Taints, func(t corev1.Taint) bool { return keepsOff(&t) && c.isPassing(&t) }) {
		return stateNotReady
	}
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady && condition.Status != corev1.ConditionTrue {
			return stateNotReady
		}
	}
	_, plug := c.plugged(node)
	return plug
}

// plugged returns the GPUs that an empty node gives as soon as its device plugin runs, and whether it does at present. The kubelet keeps the
// capacity when a plugin ends, with nothing allocatable, and sets both to 0 after some minutes, or when it starts itself.
func (c *Config) plugged(node *corev1.Node) (map[corev1.ResourceName]int64, state) {
	given, kept, left := map[corev1.ResourceName]int64{}, map[corev1.ResourceName]int64{}, map[corev1.ResourceName]int64{}
	for name, quantity := range node.Status.Allocatable {
		if !c.isGPU(name) {
			continue
		}
		left[name] = c.labelled(node.Labels, name)
		if capacity := node.Status.Capacity[name]; capacity.Sign() > 0 {
			kept[name] = capacity.Value()
		}
		if quantity.Sign() > 0 {
			given[name] = quantity.Value()
		}
	}
	positive := func(counts map[corev1.ResourceName]int64) bool {
		maps.DeleteFunc(counts, func(_ corev1.ResourceName, n int64) bool { return n <= 0 })
		return len(counts) > 0
	}
	switch {
	case len(given) > 0:
		return given, stateReady
	case positive(kept):
		return kept, stateRestarting
	case positive(left):
		return left, stateUnplugged
	default:
		return nil, stateReady
	}
}

// labelled returns the number of units of a resource that GPU Feature Discovery reports. It is 0 if it reports none.
func (*Config) labelled(labels map[string]string, name corev1.ResourceName) int64 {
	prefix := labelsOf(name)
	count, replicas := numberOf(labels, prefix+suffixCount), int64(1)
	if _, ok := labels[prefix+suffixReplicas]; ok {
		replicas = numberOf(labels, prefix+suffixReplicas)
	}
	if numberOf(labels, prefix+suffixMemory) <= 0 || count > maxReplicas || replicas > maxReplicas {
		return 0
	}
	return max(0, count) * max(0, replicas)
}

// numberOf reads a label that is a number. It is -1 if there is none, or it is not one.
func numberOf(labels map[string]string, key string) int64 {
	n, err := strconv.ParseInt(labels[key], 10, 64)
	if err != nil || n < 0 {
		return -1
	}
	return n
}

// Slim leaves of a node what Set reads, and what a cache needs to know it by.
func (c *Config) Slim(node *corev1.Node) *corev1.Node {
	out := &corev1.Node{}
	out.Name, out.UID, out.ResourceVersion = node.Name, node.UID, node.ResourceVersion
	out.Spec.Unschedulable, out.Spec.Taints = node.Spec.Unschedulable, node.Spec.Taints
	for name, value := range node.Labels {
		read := c.compares(name, value) || !c.IgnoreDevices && (slices.Contains(deviceLabels, name) || slices.Contains(topologyLabels, name))
		if read || c.DaemonSets {
			setLabel(out, name, value)
		}
		if platform := platformOf(name); platform != "" && !read {
			setLabel(out, platform, "")
		}
	}
	if _, shared := node.Annotations[hamiAnnotation]; shared {
		out.Annotations = map[string]string{hamiAnnotation: ""}
	}
	out.Status.Allocatable = corev1.ResourceList{}
	for name, quantity := range node.Status.Allocatable {
		if !c.counts(name) {
			continue
		}
		out.Status.Allocatable[name] = quantity
		if capacity := node.Status.Capacity[name]; quantity.Sign() <= 0 && capacity.Sign() > 0 && c.isGPU(name) {
			if out.Status.Capacity == nil {
				out.Status.Capacity = corev1.ResourceList{}
			}
			out.Status.Capacity[name] = capacity
		}
	}
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady {
			out.Status.Conditions = []corev1.NodeCondition{{Type: condition.Type, Status: condition.Status}}
		}
	}
	return out
}

func setLabel(node *corev1.Node, name, value string) {
	if node.Labels == nil {
		node.Labels = map[string]string{}
	}
	node.Labels[name] = value
}

// Alike reports whether two nodes that Slim made differ in nothing that Set reads. It is much cheaper than Set.
func Alike(a, b *corev1.Node) bool {
	return a.Name == b.Name && a.Spec.Unschedulable == b.Spec.Unschedulable &&
		maps.Equal(a.Labels, b.Labels) && maps.Equal(a.Annotations, b.Annotations) &&
		slices.EqualFunc(a.Spec.Taints, b.Spec.Taints, func(x, y corev1.Taint) bool { return x.MatchTaint(&y) && x.Value == y.Value }) &&
		maps.EqualFunc(a.Status.Allocatable, b.Status.Allocatable, resource.Quantity.Equal) &&
		maps.EqualFunc(a.Status.Capacity, b.Status.Capacity, resource.Quantity.Equal) &&
		slices.EqualFunc(a.Status.Conditions, b.Status.Conditions, func(x, y corev1.NodeCondition) bool { return x.Type == y.Type && x.Status == y.Status })
}

// classify leaves of a node what it has in common with others of its class. GPUs count as they do while the device plugin runs.
func (c *Config) classify(node *corev1.Node) *corev1.Node {
	slim := c.Slim(node)
	out := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Annotations: slim.Annotations},
		Status:     corev1.NodeStatus{Allocatable: slim.Status.Allocatable},
	}
	for name, value := range slim.Labels {
		if c.compares(name, value) || platformOf(name) == name {
			setLabel(out, name, value)
		}
	}
	gpus, _ := c.plugged(slim)
	for name, quantity := range slim.Status.Allocatable {
		if count, ok := gpus[name]; ok && quantity.Sign() <= 0 {
			out.Status.Allocatable[name] = *resource.NewQuantity(count, resource.DecimalSI)
		}
	}
	for _, taint := range slim.Spec.Taints {
		if keepsOff(&taint) && !c.isPassing(&taint) {
			out.Spec.Taints = append(out.Spec.Taints, corev1.Taint{Key: taint.Key, Value: taint.Value, Effect: taint.Effect})
		}
	}
	slices.SortFunc(out.Spec.Taints, func(a, b corev1.Taint) int { return strings.Compare(a.ToString(), b.ToString()) })
	return out
}

// compares reports whether nodes of one class have the same value of a label.
func (c *Config) compares(label, value string) bool {
	return c.selects(label, value) || label == corev1.LabelOSStable && value == windows || label == corev1.LabelArchStable
}

// selects reports whether a placement may select by a node label, or read something from it.
func (c *Config) selects(label, value string) bool {
	if slices.ContainsFunc(c.Profiles, func(p Profile) bool { _, ok := p.NodeSelector[label]; return ok }) || slices.Contains(cloudLabels, label) {
		return true
	}
	if c.accelerator(label, value) != nil || foreignLabel(label) {
		return true
	}
	return slices.ContainsFunc(labelSuffixes, func(suffix string) bool {
		prefix, ok := strings.CutSuffix(label, suffix)
		return ok && (strings.HasPrefix(prefix, gpuLabels) || strings.HasPrefix(prefix, migResources) || prefix == string(c.ResourceName))
	})
}

// counts reports whether a placement may request a resource, or a message tell of it.
func (c *Config) counts(name corev1.ResourceName) bool {
	return name == corev1.ResourceCPU || name == corev1.ResourceMemory || name == corev1.ResourcePods || c.isGPU(name) || isForeign(name)
}

// keyOf returns a text that is equal for nodes of one class, from a classified node.
func keyOf(node *corev1.Node) string {
	var key strings.Builder
	for _, name := range sortedKeys(node.Labels) {
		fmt.Fprintf(&key, "%q=%q ", name, node.Labels[name])
	}
	if len(node.Annotations) > 0 {
		key.WriteString(hamiAnnotation + " ")
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
