package testutil

import (
	"context"
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// NewNode returns a node of 64 cores and 512Gi without GPUs.
func NewNode(name string) *corev1.Node {
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{corev1.LabelHostname: name}},
		Status: corev1.NodeStatus{
			Allocatable: corev1.ResourceList{
				corev1.ResourceCPU: resource.MustParse("64"), corev1.ResourceMemory: resource.MustParse("512Gi"), corev1.ResourcePods: resource.MustParse("110"),
			},
			Conditions: []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}},
		},
	}
}

// NewGPUNode returns a node with so many GPUs of so many MiB each, labelled as GPU Feature Discovery does.
func NewGPUNode(name, product string, mebibytes int64, gpus int) *corev1.Node {
	node := NewNode(name)
	for suffix, value := range map[string]string{
		"product": product, "memory": strconv.FormatInt(mebibytes, 10), "count": strconv.Itoa(gpus), "replicas": "1", "sharing-strategy": "none", "present": "true",
	} {
		node.Labels["nvidia.com/gpu."+suffix] = value
	}
	node.Status.Allocatable["nvidia.com/gpu"] = *resource.NewQuantity(int64(gpus), resource.DecimalSI)
	return node
}

// CreateNode makes the API server have a node as it stands. It taints every new one as not ready. Controllers may write it, too,
// meanwhile, so patches say only what is to be.
func CreateNode(ctx context.Context, c client.Client, node *corev1.Node) error {
	want := node.DeepCopy()
	if err := c.Create(ctx, node); err != nil {
		return fmt.Errorf("create node %s: %w", node.Name, err)
	}
	before := client.MergeFrom(node.DeepCopy())
	node.Status, node.Status.Capacity = want.Status, want.Status.Allocatable
	if err := c.Status().Patch(ctx, node, before); err != nil {
		return fmt.Errorf("set the status of node %s: %w", node.Name, err)
	}
	before = client.MergeFrom(node.DeepCopy())
	node.Spec.Taints = want.Spec.Taints
	if err := c.Patch(ctx, node, before); err != nil {
		return fmt.Errorf("set the taints of node %s: %w", node.Name, err)
	}
	return nil
}
