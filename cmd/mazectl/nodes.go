package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/pager"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/terminal"
	"github.com/maze-agent/maregister/internal/config"
	"github.com/maze-agent/maregister/internal/placement"
)

// clusterNodes stands for the nodes of the cluster where a file of nodes is asked for.
const clusterNodes = "cluster"

// maxPods is what a kubelet allows unless it is configured otherwise.
const maxPods = 110

// inventories are the nodes to judge by.
type inventories struct {
	// before is nil unless nodes come or go.
	before, after         *placement.Inventory
	nodes, added, drained int
}

// inventoryOptions say which nodes there are, and which come and go.
type inventoryOptions struct {
	nodeOptions
	// add are files of nodes that would come.
	add []string
	// drain is a label selector of nodes that would go. Nil for none.
	drain *string
}

// inventories gathers the nodes that there are, and those that there would be.
func (o *inventoryOptions) inventories(ctx context.Context, r *reader) (inventories, error) {
	var out inventories
	selector, err := o.drained()
	if err != nil {
		return out, err
	}
	rules, err := o.placementConfig(ctx)
	if err != nil {
		return out, err
	}
	added, err := readNodes(ctx, r, o.add)
	if err != nil {
		return out, err
	}
	for i := range added {
		if err := complete(&added[i]); err != nil {
			return out, err
		}
	}
	existing, err := o.existing(ctx, r)
	if err != nil {
		return out, err
	}
	kept := slices.DeleteFunc(slices.Clone(existing), func(node corev1.Node) bool {
		return selector.Matches(labels.Set(node.Labels))
	})
	out.added, out.drained = len(added), len(existing)-len(kept)
	if o.drain != nil && out.drained == 0 {
		r.note("--drain %s matches none of the %d nodes, so none goes; see their labels with: kubectl get nodes --show-labels", selector, len(existing))
	}
	if len(o.add) > 0 || o.drain != nil {
		out.before = inventoryOf(rules, existing)
	}
	all := slices.Concat(kept, added)
	out.nodes, out.after = len(all), inventoryOf(rules, all)
	return out, nil
}

// drained returns the selector of the nodes that would go.
func (o *inventoryOptions) drained() (labels.Selector, error) {
	if o.drain == nil {
		return labels.Nothing(), nil
	}
	selector, err := labels.Parse(*o.drain)
	if err != nil {
		return nil, fmt.Errorf("--drain %q is not a label selector: %w", *o.drain, err)
	}
	if selector.Empty() { // it would match all of them: more likely an unset variable
		return nil, errors.New("--drain is empty; give a label selector, such as pool=t4")
	}
	return selector, nil
}

// nodeOptions say which nodes to judge by, and how the operator would.
type nodeOptions struct {
	cluster *genericclioptions.ConfigFlags
	// nodes is a file, or clusterNodes.
	nodes string
	// config is a file. Empty for the operator's defaults.
	config string
}

// placementConfig returns how the operator maps GPU memory to GPUs.
func (o *nodeOptions) placementConfig(ctx context.Context) (placement.Config, error) {
	c := config.Default()
	if o.config != "" {
		content, err := terminal.Until(ctx, func() ([]byte, error) { return os.ReadFile(o.config) })
		if err != nil {
			return placement.Config{}, fmt.Errorf("read --config: %w", err)
		}
		if c, err = config.Load(o.config, content); err != nil {
			return placement.Config{}, err
		}
	}
	return config.Placement(c), nil
}

// existing returns the nodes that there are.
func (o *nodeOptions) existing(ctx context.Context, r *reader) ([]corev1.Node, error) {
	if o.nodes != clusterNodes {
		return readNodes(ctx, r, []string{o.nodes})
	}
	nodes, err := o.listNodes(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the cluster's nodes: %w; choose a cluster with --kubeconfig or --context, or give --nodes a file, "+
			"as made by: kubectl get nodes -o yaml", err)
	}
	return nodes, nil
}

func (o *nodeOptions) listNodes(ctx context.Context) ([]corev1.Node, error) {
	cluster, err := o.cluster.ToRESTConfig()
	if err != nil {
		return nil, err
	}
	client, err := corev1client.NewForConfig(cluster)
	if err != nil {
		return nil, err
	}
	var nodes []corev1.Node
	list := pager.New(pager.SimplePageFunc(func(options metav1.ListOptions) (runtime.Object, error) {
		return client.Nodes().List(ctx, options)
	}))
	err = list.EachListItem(ctx, metav1.ListOptions{}, func(object runtime.Object) error {
		if node, ok := object.(*corev1.Node); ok {
			nodes = append(nodes, *node)
		}
		return nil
	})
	return nodes, err
}

// readNodes reads the nodes of files. Any error ends it: a verdict by half of the nodes would be wrong.
func readNodes(ctx context.Context, r *reader, names []string) ([]corev1.Node, error) {
	manifests, errs := r.read(ctx, corev1.SchemeGroupVersion.WithKind("Node"), names)
	nodes := make([]corev1.Node, len(manifests))
	for i, m := range manifests {
		if err := decode(m.Object, &nodes[i]); err != nil {
			errs = append(errs, fmt.Errorf("%s: Node %s cannot be read: %w", m.source, m.GetName(), err))
		}
		if nodes[i].Status.Allocatable == nil { // the API server's default
			nodes[i].Status.Allocatable = nodes[i].Status.Capacity
		}
	}
	return nodes, utilerrors.NewAggregate(errs)
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

// inventoryOf counts every node, also those without a name, or with one that another has: several may be copies of a manifest.
func inventoryOf(rules placement.Config, nodes []corev1.Node) *placement.Inventory {
	builder := placement.NewBuilder(rules)
	for i, node := range nodes {
		node.Name = strconv.Itoa(i)
		builder.Set(&node)
	}
	return builder.Inventory()
}
