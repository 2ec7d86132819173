package placement

import (
	"maps"

	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
	"k8s.io/klog/v2"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// pod is what kube-scheduler looks at, of a Pod that has a placement.
type pod struct {
	affinity    nodeaffinity.RequiredNodeAffinity
	tolerations []corev1.Toleration
	requests    corev1.ResourceList
	// requested are the names of the requests, sorted.
	requested []corev1.ResourceName
}

// placementPod puts a placement into a Pod, as whoever runs the task does.
func placementPod(placement *v1alpha1.Placement) *pod {
	p := &corev1.Pod{Spec: corev1.PodSpec{
		NodeSelector: placement.NodeSelector,
		Tolerations:  placement.Tolerations,
		Containers: []corev1.Container{{
			Resources: corev1.ResourceRequirements{Requests: placement.Requests, Limits: placement.Limits},
		}},
	}}
	if placement.Affinity != nil {
		p.Spec.Affinity = &corev1.Affinity{NodeAffinity: placement.Affinity.NodeAffinity}
	}
	requests := maps.Clone(placement.Requests) // the Pod's, as it has one container, whose limits are among its requests
	delete(requests, hamiMemory)               // no node has it: HAMi's scheduler counts it, and kube-scheduler's part of that ignores it
	return &pod{
		affinity:    nodeaffinity.GetRequiredNodeAffinity(p),
		tolerations: p.Spec.Tolerations,
		requests:    requests,
		requested:   sortedKeys(requests),
	}
}

// fits reports whether a node, when it is empty but for what is reserved, can host the Pod. Nil is no node.
func (p *pod) fits(node *corev1.Node, reserve Reserve) bool {
	if node == nil {
		return false
	}
	_, tainted := p.untolerated(node)
	_, short := p.short(node, reserve)
	return !tainted && !short && p.matches(node)
}

// matches reports whether the node selector and the required node affinity select a node.
func (p *pod) matches(node *corev1.Node) bool {
	matches, err := p.affinity.Match(node)
	return matches && err == nil
}

// untolerated returns a taint that keeps the Pod off.
func (p *pod) untolerated(node *corev1.Node) (corev1.Taint, bool) {
	return schedulingv1.FindMatchingUntoleratedTaint(klog.Logger{}, node.Spec.Taints, p.tolerations, keepsOff, false)
}

// short returns a resource that an empty node has not enough of.
func (p *pod) short(node *corev1.Node, reserve Reserve) (corev1.ResourceName, bool) {
	if pods, ok := node.Status.Allocatable[corev1.ResourcePods]; !ok || pods.Sign() <= 0 {
		return corev1.ResourcePods, true
	}
	for _, name := range p.requested {
		if p.lacksOf(node, name, reserve) {
			return name, true
		}
	}
	return "", false
}

// lacksOf reports whether an empty node has not enough of a requested resource, beside what is reserved.
func (p *pod) lacksOf(node *corev1.Node, name corev1.ResourceName, reserve Reserve) bool {
	want, has := p.requests[name], node.Status.Allocatable[name]
	switch {
	case want.Cmp(has) > 0:
		return true
	case name == corev1.ResourceCPU && reserve.MilliCPU > 0:
		return has.MilliValue()-want.MilliValue() < reserve.MilliCPU
	case name == corev1.ResourceMemory && reserve.Memory > 0:
		return has.Value()-want.Value() < reserve.Memory
	default:
		return false
	}
}
