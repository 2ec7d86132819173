// Package place reads tasks and nodes as kubectl reads manifests, and tells which of the nodes could host which of the tasks.
package place

import (
	"context"
	"errors"
	"fmt"
	"os"
	"regexp"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/cluster"
	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/config"
	"github.com/maze-agent/maregister/internal/placement"
)

// ClusterNodes stands for the nodes of the cluster where a file of nodes is asked for.
const ClusterNodes = "cluster"

// maxPods is what a kubelet allows unless it is configured otherwise.
const maxPods = 110

// Inventories are the nodes to judge by.
type Inventories struct {
	// before is nil unless nodes come or go.
	before, after         *placement.Inventory
	nodes, added, drained int
	// rules and all are what after was made of.
	rules placement.Config
	all   Nodes
}

// InventoryOptions say which nodes there are, and which come and go.
type InventoryOptions struct {
	NodeOptions
	// Add are files of nodes that would come.
	Add []string
	// Drain is a label selector of nodes that would go. Nil for none.
	Drain *string
}

// Inventories collects the nodes that there are, and those that there would be.
func (o *InventoryOptions) Inventories(ctx context.Context, r *Reader) (Inventories, error) {
	var out Inventories
	selector, err := o.drained()
	if err != nil {
		return out, err
	}
	rules, err := o.PlacementConfig(ctx)
	if err != nil {
		return out, err
	}
	added, err := readNodes(ctx, r, o.Add)
	if err != nil {
		return out, err
	}
	for i := range added.Nodes {
		if err := complete(&added.Nodes[i]); err != nil {
			return out, err
		}
	}
	existing, err := o.Existing(ctx, r)
	if err != nil {
		return out, err
	}
	kept := existing.without(func(node *corev1.Node) bool { return selector.Matches(labels.Set(node.Labels)) })
	out.added, out.drained = len(added.Nodes), len(existing.Nodes)-len(kept.Nodes)
	if o.Drain != nil && out.drained == 0 {
		r.Note("--drain %s matches none of the %d nodes, so none goes; see their labels with: kubectl get nodes --show-labels", selector, len(existing.Nodes))
	}
	if len(o.Add) > 0 || o.Drain != nil {
		out.before = InventoryOf(rules, existing)
	}
	all := kept.with(added)
	out.nodes, out.after = len(all.Nodes), InventoryOf(rules, all)
	out.rules, out.all = rules, all
	return out, nil
}

// drained returns the selector of the nodes that would go.
func (o *InventoryOptions) drained() (labels.Selector, error) {
	if o.Drain == nil {
		return labels.Nothing(), nil
	}
	selector, err := labels.Parse(*o.Drain)
	if err != nil {
		return nil, fmt.Errorf("--drain %q is not a label selector: %w", *o.Drain, err)
	}
	if selector.Empty() { // it would match all of them: more likely an unset variable
		return nil, errors.New("--drain is empty; give a label selector, such as pool=t4")
	}
	return selector, nil
}

// NodeOptions say which nodes to judge by, and how the operator would.
type NodeOptions struct {
	Cluster *genericclioptions.ConfigFlags
	// Nodes is a file, or clusterNodes.
	Nodes string
	// Config is a file. Empty for the operator's defaults.
	Config string
}

// PlacementConfig returns how the operator maps GPU memory to GPUs.
func (o *NodeOptions) PlacementConfig(ctx context.Context) (placement.Config, error) {
	c := config.Default()
	if o.Config != "" {
		content, err := terminal.Until(ctx, func() ([]byte, error) { return os.ReadFile(o.Config) })
		if err != nil {
			return placement.Config{}, fmt.Errorf("read --config: %w", err)
		}
		if c, err = config.Load(o.Config, content); err != nil {
			return placement.Config{}, err
		}
	}
	return config.Placement(c), nil
}

// Existing returns the nodes that there are, and what is published for them.
func (o *NodeOptions) Existing(ctx context.Context, r *Reader) (Nodes, error) {
	if o.Nodes != ClusterNodes {
		nodes, err := readNodes(ctx, r, []string{o.Nodes})
		if err == nil && len(nodes.Nodes) == 0 {
			err = r.nothingIn(o.Nodes, nodeKind)
		}
		return nodes, err
	}
	nodes, err := o.listNodes(ctx, r)
	if err != nil {
		return Nodes{}, fmt.Errorf("list the cluster's nodes: %w; %s, or give --nodes a file, as made by: kubectl get nodes -o yaml", err, cluster.Advice)
	}
	return nodes, nil
}

func (o *NodeOptions) listNodes(ctx context.Context, r *Reader) (Nodes, error) {
	var nodes Nodes
	connection, err := cluster.Connect(o.Cluster)
	if err != nil {
		return nodes, err
	}
	client, err := corev1client.NewForConfig(connection.Config)
	if err != nil {
		return nodes, err
	}
	list := func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
		return client.Nodes().List(ctx, options)
	}
	err = cluster.Each(ctx, list, func(node *corev1.Node) error {
		nodes.Nodes = append(nodes.Nodes, *node)
		return nil
	})
	if err != nil {
		return nodes, err
	}
	nodes.Devices, err = listDevices(ctx, connection.Config, r)
	return nodes, err
}

// describedNodes returns an error if a file is what people read.
func describedNodes(ctx context.Context, names []string) error {
	for _, name := range names {
		if described, err := terminal.Until(ctx, func() (bool, error) { return isDescription(name), nil }); err == nil && described {
			return fmt.Errorf("%s is what kubectl describe node prints, for people; give the nodes as made by: kubectl get nodes -o yaml", name)
		}
	}
	return nil
}

var (
	describedName        = regexp.MustCompile(`(?m)^Name:\s+\S`)
	describedAllocatable = regexp.MustCompile(`(?m)^Allocatable:\s*$`)
)

// isDescription reports whether a file is what "kubectl describe node" prints.
func isDescription(name string) bool {
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() {
		return false // what else there is reads it, and tells why it cannot
	}
	content, err := os.ReadFile(name)
	return err == nil && describedName.Match(content) && describedAllocatable.Match(content)
}

// complete fills in what whoever writes a node by hand leaves out.
func complete(node *corev1.Node) error {
	allocatable := node.Status.Allocatable
	if len(allocatable) == 0 {
		return fmt.Errorf("a Node of --add %s does not say what Pods can have of it: give it status.allocatable, such as "+
			"{cpu: 8, memory: 32Gi, nvidia.com/gpu: 1}", node.Name)
	}
	if _, ok := allocatable[corev1.ResourcePods]; !ok {
		allocatable[corev1.ResourcePods] = *resource.NewQuantity(maxPods, resource.DecimalSI)
	}
	return nil
}
