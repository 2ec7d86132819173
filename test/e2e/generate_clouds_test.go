package e2e

import (
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"
)

// truthAnnotation is what a node's units of a resource really are: the least memory of one in MiB, and whether several are of several cards. The
// generator knows it, and the operator does not read it: a device plugin gives the cards, whatever the labels say.
const truthAnnotation = "truth"

// truth is the content of the annotation. sharing is by what of the configuration shares have to be allowed, and "-" for none.
type truth struct {
	memory  int64
	whole   bool
	sharing string
}

func setTruth(node *corev1.Node, memory int64, whole bool) { setShares(node, memory, whole, "-") }

func setShares(node *corev1.Node, memory int64, whole bool, sharing string) {
	node.Annotations = map[string]string{truthAnnotation: fmt.Sprintf("%d %t %s", memory, whole, sharing)}
}

func truthOf(node *corev1.Node) (truth, bool) {
	var t truth
	_, err := fmt.Sscanf(node.Annotations[truthAnnotation], "%d %t %s", &t.memory, &t.whole, &t.sharing)
	return t, err == nil
}

// kinds of nodes whose labels do not tell the truth plainly.
func (g generator) clouds() []func(*corev1.Node) {
	return []func(*corev1.Node){
		g.gke, g.gke, g.gkeShared, g.gkeShared, g.gkePartition, g.karpenter, g.fraction, g.aks, g.aks, g.hami, g.hami, g.models, g.models, g.stale, g.contradicted, g.foreign, g.contradicted, g.foreign, g.toldOnly,
	}
}

func (g generator) gke(node *corev1.Node) {
	c := pick(g, card{"nvidia-l4", 23034}, card{"nvidia-tesla-t4", 15360}, card{"nvidia-h100-80gb", 81559}, card{"nvidia-a100-80gb", 81920})
	count := pick(g, 1, 2, 8)
	node.Labels[acceleration], node.Labels["cloud.google.com/gke-accelerator-count"] = c.product, strconv.Itoa(count)
	allocate(node, resourceGPU, count)
	setTruth(node, c.memory, true)
}

func (g generator) gkeShared(node *corev1.Node) {
	g.gke(node)
	t, _ := truthOf(node)
	cards := node.Status.Allocatable.Name(resourceGPU, "").Value()
	clients, strategy := pick(g, 2, 4), pick(g, "time-sharing", "mps")
	node.Labels["cloud.google.com/gke-gpu-sharing-strategy"] = strategy
	node.Labels["cloud.google.com/gke-max-shared-clients-per-gpu"] = strconv.Itoa(clients)
	if g.oneIn(2) {
		label(node, resourceGPU, "shared", t.memory, 1, "none")
		node.Labels[resourceGPU+".count"] = strconv.FormatInt(cards, 10)
	}
	allocate(node, resourceGPU, int(cards)*clients)
	if strategy == "mps" {
		setShares(node, t.memory/int64(clients), false, "mps")
		return
	}
	setShares(node, t.memory, false, "time-slicing")
}

func (g generator) gkePartition(node *corev1.Node) {
	p := pick(g, slice{"1g.5gb", 4864}, slice{"3g.20gb", 19968}, slice{"7g.40gb", 40192})
	node.Labels[acceleration], node.Labels["cloud.google.com/gke-gpu-partition-size"] = "nvidia-tesla-a100", p.profile
	allocate(node, resourceGPU, pick(g, 1, 2, 7))
	setTruth(node, p.memory, false)
}

// awsCard has what AWS tells, and what there is.
type awsCard struct {
	name         string
	told, memory int64
}

func (g generator) karpenter(node *corev1.Node) {
	c := pick(g, awsCard{"t4", 16384, 15360}, awsCard{"l4", 22888, 23034}, awsCard{"a10g", 22888, 23028}, awsCard{"l40s", 45776, 46068},
		awsCard{"h100", 81920, 81559}, awsCard{"h200", 144384, 143771},
		awsCard{"of-tomorrow", 65536, 61440})
	count := pick(g, 1, 4, 8)
	g.tellAWS(node, c.name, c.told, count)
	allocate(node, resourceGPU, count)
	setTruth(node, c.memory, true)
	if g.oneIn(3) {
		label(node, resourceGPU, c.name, c.memory, 1, "none")
		node.Labels[resourceGPU+".count"] = strconv.Itoa(count)
	}
}

func (g generator) tellAWS(node *corev1.Node, name string, memory int64, count int) {
	prefix := pick(g, "karpenter.k8s.aws/instance-gpu-", "eks.amazonaws.com/instance-gpu-")
	node.Labels[prefix+"name"], node.Labels[prefix+"memory"], node.Labels[prefix+"count"] = name, strconv.FormatInt(memory, 10), strconv.Itoa(count)
}

func (g generator) fraction(node *corev1.Node) {
	memory := pick(g, int64(2861), 5722, 11444)
	g.tellAWS(node, "l4", memory, 0)
	allocate(node, resourceGPU, 1)
	setShares(node, memory, false, "mps")
}

func (g generator) aks(node *corev1.Node) {
	t := pick(g, "Standard_NC4as_T4_v3 1 15360", "Standard_NC64as_T4_v3 4 15360", "Standard_NC24ads_A100_v4 1 81920", "Standard_ND96isr_H100_v5 8 81559")
	var name string
	var count int
	var memory int64
	_, _ = fmt.Sscan(t, &name, &count, &memory) // of the line above
	node.Labels["node.kubernetes.io/instance-type"], node.Labels["kubernetes.azure.com/agentpool"] = name, "gpu"
	allocate(node, resourceGPU, count)
	setTruth(node, memory, true)
}

func (g generator) hami(node *corev1.Node) {
	c, count := pick(g, cards...), pick(g, 1, 8)
	if g.oneIn(2) {
		label(node, resourceGPU, c.product, c.memory, 1, "none")
		node.Labels[resourceGPU+".count"] = strconv.Itoa(count)
	}
	allocate(node, resourceGPU, 10*count)
	setShares(node, c.memory, false, "time-slicing")
	node.Annotations["hami.io/node-nvidia-register"] = "GPU-1,10,23034,100,NVIDIA,0,true:"
}

// models is a node with cards of two models, of which GPU Feature Discovery tells one.
func (g generator) models(node *corev1.Node) {
	one, other, count := pick(g, cards...), pick(g, cards...), pick(g, 1, 2, 4)
	label(node, resourceGPU, one.product, one.memory, 1, "none")
	node.Labels[resourceGPU+".count"] = strconv.Itoa(count)
	allocate(node, resourceGPU, count+pick(g, 1, 2, 4))
	setTruth(node, min(one.memory, other.memory), true)
}

// stale is a node whose cards are all in MIG mode, and of which the kubelet still has whole ones.
func (g generator) stale(node *corev1.Node) {
	g.migMixed(node)
	node.Labels[resourceGPU+".count"] = "2"
	allocate(node, resourceGPU, 2)
}

// contradicted is a node of a profile, or of a cloud's accelerator, whose own labels tell of less.
func (g generator) contradicted(node *corev1.Node) {
	g.whole(node)
	node.Labels[acceleration] = "nvidia-h100-80gb"
}

func (g generator) foreign(node *corev1.Node) {
	allocate(node, pick(g, "amd.com/gpu", "habana.ai/gaudi"), 8)
}

func (g generator) toldOnly(node *corev1.Node) {
	c := pick(g, cards...)
	label(node, resourceGPU, c.product, c.memory, 1, "none")
	node.Labels[resourceGPU+".count"] = "8"
}
