package placement

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/component-helpers/resource"
	schedulingv1 "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
	"k8s.io/klog/v2"
)

// DaemonSet is what a DaemonSet takes of each node on which it runs. It is not changed once it is made.
type DaemonSet struct {
	requests    Reserve
	affinity    nodeaffinity.RequiredNodeAffinity
	tolerations []corev1.Toleration
}

// mostCores and mostMemory, in bytes, are more than any node has. They keep sums of what DaemonSets request far from overflowing.
const (
	mostCores  = 1 << 40
	mostMemory = 1 << 50
)

// NewDaemonSet reads a DaemonSet.
func NewDaemonSet(set *appsv1.DaemonSet) *DaemonSet {
	pod := &corev1.Pod{Spec: set.Spec.Template.Spec}
	requests := resource.PodRequests(pod, resource.PodResourcesOptions{})
	read := &DaemonSet{
		requests:    Reserve{MilliCPU: 1000 * mostCores, Memory: mostMemory},
		affinity:    nodeaffinity.GetRequiredNodeAffinity(pod),
		tolerations: pod.Spec.Tolerations,
	}
	if cpu := requests.Cpu(); cpu.CmpInt64(mostCores) < 0 {
		read.requests.MilliCPU = max(0, cpu.MilliValue())
	}
	if memory := requests.Memory(); memory.CmpInt64(mostMemory) < 0 {
		read.requests.Memory = max(0, memory.Value())
	}
	return read
}

// SlimDaemonSet leaves of a DaemonSet what NewDaemonSet reads, and what a cache needs to know it by.
func SlimDaemonSet(set *appsv1.DaemonSet) *appsv1.DaemonSet {
	out := &appsv1.DaemonSet{}
	out.Namespace, out.Name, out.UID, out.ResourceVersion = set.Namespace, set.Name, set.UID, set.ResourceVersion
	from, to := &set.Spec.Template.Spec, &out.Spec.Template.Spec
	to.NodeSelector, to.Tolerations, to.Overhead, to.Resources = from.NodeSelector, from.Tolerations, from.Overhead, from.Resources
	if from.Affinity != nil && from.Affinity.NodeAffinity != nil {
		to.Affinity = &corev1.Affinity{NodeAffinity: from.Affinity.NodeAffinity}
	}
	slim := func(containers []corev1.Container) []corev1.Container {
		var all []corev1.Container
		for i := range containers {
			c := &containers[i]
			all = append(all, corev1.Container{Name: c.Name, Resources: c.Resources, RestartPolicy: c.RestartPolicy})
		}
		return all
	}
	to.Containers, to.InitContainers = slim(from.Containers), slim(from.InitContainers)
	return out
}

// SetDaemonSets takes over which DaemonSets there are now. It returns what Set does.
func (b *Builder) SetDaemonSets(all []*DaemonSet) bool {
	b.daemons = all
	changed := false
	for _, name := range sortedKeys(b.nodes) {
		if b.Set(b.nodes[name].node) {
			changed = true
		}
	}
	return changed
}

// runsOn reports whether a node gets a Pod of the DaemonSet. taints are those that stay: its Pods tolerate those that come and go with the node's state.
func (d *DaemonSet) runsOn(node *corev1.Node, taints []corev1.Taint) bool {
	matches, err := d.affinity.Match(node)
	if err != nil || !matches {
		return false
	}
	_, repelled := schedulingv1.FindMatchingUntoleratedTaint(klog.Logger{}, taints, d.tolerations, keepsOff, false)
	return !repelled
}

// reserveOf returns what DaemonSets take of a node, which has all of its labels: what is configured, or what those request that run there if it is more.
func (c *Config) reserveOf(node *corev1.Node, taints []corev1.Taint, all []*DaemonSet) Reserve {
	var sum Reserve
	for _, d := range all {
		if d.runsOn(node, taints) {
			sum.MilliCPU = min(sum.MilliCPU+d.requests.MilliCPU, 1000*mostCores)
			sum.Memory = min(sum.Memory+d.requests.Memory, mostMemory)
		}
	}
	return Reserve{MilliCPU: max(c.Reserve.MilliCPU, sum.MilliCPU), Memory: max(c.Reserve.Memory, sum.Memory)}
}
