package placement

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/klog/v2"
)

// passingTaints are patterns of the keys of taints that come and go with a node's state. Who sets them:
var passingTaints = []string{
	"node.kubernetes.io/*",                              // Kubernetes' node lifecycle controller
	"node.cloudprovider.kubernetes.io/*",                // cloud controller managers
	"ToBeDeletedByClusterAutoscaler*",                   // cluster-autoscaler, before it removes a node
	"DeletionCandidateOfClusterAutoscaler*",             //
	"*startup-taint.cluster-autoscaler.kubernetes.io/*", // whoever prepares a node that cluster-autoscaler added
	"*ignore-taint.cluster-autoscaler.kubernetes.io/*",  //
	"*status-taint.cluster-autoscaler.kubernetes.io/*",  //
	"karpenter.sh/disrupted", "karpenter.sh/disruption", // Karpenter, before it removes a node
	"karpenter.sh/unregistered",                   // Karpenter, until a node has its labels
	"node.cilium.io/agent-not-ready",              // Cilium, until its agent runs
	"*.csi.aws.com/agent-not-ready",               // AWS' CSI drivers, likewise
	"cloud.google.com/impending-node-termination", // GKE, before a node ends
	"aws-node-termination-handler/*",              // AWS' node termination handler, likewise
	"node.cluster.x-k8s.io/*",                     // Cluster API, until a node is set up, or before it is replaced
	"nvidia.com/gpu-driver-upgrade*",              // GPU operator, while it upgrades the driver
	"kured.dev/*", "weave.works/kured-*",          // Kured, before it reboots a node
	"readiness.k8s.io/*", "network.kubernetes.io/not-ready", // controllers that wait for a node's agents
}

// isPassing reports whether a taint comes and goes with the node's state. One that gpu tasks tolerate by configuration does not matter, and
// counts as one that stays.
func (c *Config) isPassing(taint *corev1.Taint) bool {
	matches := func(pattern string) bool { return globMatches(pattern, taint.Key) }
	if !slices.ContainsFunc(passingTaints, matches) && !slices.ContainsFunc(c.PassingTaints, matches) {
		return false
	}
	return !slices.ContainsFunc(c.Tolerations, func(t corev1.Toleration) bool { return t.ToleratesTaint(klog.Logger{}, taint, false) })
}

// keepsOff reports whether kube-scheduler keeps Pods off a node with this taint, and does not only prefer others.
func keepsOff(taint *corev1.Taint) bool {
	return taint.Effect == corev1.TaintEffectNoSchedule || taint.Effect == corev1.TaintEffectNoExecute
}

// globMatches reports whether a text matches a pattern, in which * stands for any text. It takes time in proportion to the text for each *.
func globMatches(pattern, text string) bool {
	head, rest, wild := strings.Cut(pattern, "*")
	if !wild {
		return pattern == text
	}
	text, ok := strings.CutPrefix(text, head)
	for ok {
		part, next, more := strings.Cut(rest, "*")
		if !more {
			return strings.HasSuffix(text, part)
		}
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text, rest = text[i+len(part):], next
	}
	return false
}
