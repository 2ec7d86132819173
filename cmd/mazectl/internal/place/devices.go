package place

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/client-go/discovery"
	resourcev1client "k8s.io/client-go/kubernetes/typed/resource/v1"
	"k8s.io/client-go/rest"

	"github.com/maze-agent/maregister/cmd/mazectl/internal/cluster"
	"github.com/maze-agent/maregister/internal/devices"
	"github.com/maze-agent/maregister/internal/placement"
)

// Nodes are nodes, and the devices that Dynamic Resource Allocation publishes for them.
type Nodes struct {
	Nodes   []corev1.Node
	Devices devices.Published
}

// nodeKind is the kind of nodes.
var nodeKind = corev1.SchemeGroupVersion.WithKind("Node")

// deviceKinds are the kinds of objects that describe devices.
var deviceKinds = []schema.GroupVersionKind{
	resourcev1.SchemeGroupVersion.WithKind("DeviceClass"), resourcev1.SchemeGroupVersion.WithKind("ResourceSlice"),
	resourcev1.SchemeGroupVersion.WithKind("DeviceTaintRule"),
}

// decode adds what a manifest declares. Kinds that are neither nodes nor devices are left out.
func (n *Nodes) decode(m *Manifest) error {
	var into any
	switch m.GetKind() {
	case "Node":
		n.Nodes = append(n.Nodes, corev1.Node{})
		into = &n.Nodes[len(n.Nodes)-1]
	case "DeviceClass":
		n.Devices.Classes = append(n.Devices.Classes, &resourcev1.DeviceClass{})
		into = n.Devices.Classes[len(n.Devices.Classes)-1]
	case "ResourceSlice":
		slice := &resourcev1.ResourceSlice{}
		into = slice
		defer func() { n.Devices.Slices = append(n.Devices.Slices, devices.Compact(slice)) }()
	case "DeviceTaintRule":
		n.Devices.Rules = append(n.Devices.Rules, &resourcev1.DeviceTaintRule{})
		into = n.Devices.Rules[len(n.Devices.Rules)-1]
	}
	if err := Decode(m.Object, into); err != nil {
		return fmt.Errorf("%s: %s %s cannot be read: %w", m.source, m.GetKind(), m.GetName(), err)
	}
	return nil
}

// with returns both.
func (n Nodes) with(other Nodes) Nodes {
	return Nodes{
		Nodes: slices.Concat(n.Nodes, other.Nodes),
		Devices: devices.Published{
			Classes: slices.Concat(n.Devices.Classes, other.Devices.Classes), Slices: slices.Concat(n.Devices.Slices, other.Devices.Slices),
			Rules: slices.Concat(n.Devices.Rules, other.Devices.Rules), ImplicitNames: n.Devices.ImplicitNames,
		},
	}
}

// without leaves out some nodes, and what is published for them by their names.
func (n Nodes) without(goes func(*corev1.Node) bool) Nodes {
	gone := map[string]bool{}
	kept := n
	kept.Nodes = slices.DeleteFunc(slices.Clone(n.Nodes), func(node corev1.Node) bool {
		if goes(&node) {
			gone[node.Name] = true
			return true
		}
		return false
	})
	kept.Devices.Slices = slices.DeleteFunc(slices.Clone(n.Devices.Slices), func(s *devices.Slice) bool { return gone[s.NodeName()] })
	return kept
}

// implicitNames reports whether the nodes show that Pods can ask for any DeviceClass: a kubelet is never newer than the API server.
func (n *Nodes) implicitNames() bool {
	return slices.ContainsFunc(n.Nodes, func(node corev1.Node) bool { return devices.ImplicitNames(node.Status.NodeInfo.KubeletVersion) })
}

// InventoryOf counts every node, also those without a name, or with one that another has: several may be copies of a manifest. What is published
// for the devices of a node belongs to the first of its name.
func InventoryOf(rules placement.Config, known Nodes) *placement.Inventory {
	builder := placement.NewBuilder(rules)
	seen := map[string]bool{"": true}
	for i, node := range known.Nodes {
		if seen[node.Name] {
			node.Name = "#" + strconv.Itoa(i) // no node can be called so
		}
		seen[node.Name] = true
		builder.Set(&node)
	}
	if len(known.Devices.Classes)+len(known.Devices.Slices) > 0 {
		published := known.Devices
		published.ImplicitNames = published.ImplicitNames || known.implicitNames()
		builder.SetDevices(devices.NewInventory(published))
	}
	return builder.Inventory()
}

// leftOut is the note to a user who may not read what is published.
const leftOut = "GPUs of Dynamic Resource Allocation are left out: %v"

// listDevices lists what the cluster publishes, if it serves that. A user who may not list it gets a verdict without, and a note.
func listDevices(ctx context.Context, config *rest.Config, r *Reader) (devices.Published, error) {
	var out devices.Published
	asked, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return out, err
	}
	served, err := asked.ServerResourcesForGroupVersion(resourcev1.SchemeGroupVersion.String())
	switch {
	case apierrors.IsNotFound(err):
		return out, nil
	case apierrors.IsForbidden(err):
		r.Note(leftOut, err)
		return out, nil
	case err != nil:
		return out, fmt.Errorf("find out whether the cluster serves %s: %w", resourcev1.SchemeGroupVersion, err)
	}
	version, err := asked.ServerVersion()
	if err != nil {
		return out, fmt.Errorf("find out the cluster's version: %w", err)
	}
	out.ImplicitNames = devices.ImplicitNames(version.GitVersion)
	client, err := resourcev1client.NewForConfig(config)
	if err != nil {
		return out, err
	}
	serves := func(name string) bool {
		return slices.ContainsFunc(served.APIResources, func(r metav1.APIResource) bool { return r.Name == name })
	}
	err = errors.Join(
		each(ctx, serves("deviceclasses"), func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			return client.DeviceClasses().List(ctx, o)
		}, func(c *resourcev1.DeviceClass) { out.Classes = append(out.Classes, c) }),
		each(ctx, serves("resourceslices"), func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			return client.ResourceSlices().List(ctx, o)
		}, func(s *resourcev1.ResourceSlice) { out.Slices = append(out.Slices, devices.Compact(s)) }),
		each(ctx, serves("devicetaintrules"), func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			return client.DeviceTaintRules().List(ctx, o)
		}, func(r *resourcev1.DeviceTaintRule) { out.Rules = append(out.Rules, r) }))
	if apierrors.IsForbidden(err) {
		r.Note(leftOut, err)
		return devices.Published{}, nil
	}
	return out, err
}

// each takes what a list has, if it is served.
func each[T runtime.Object](ctx context.Context, served bool, list func(context.Context, metav1.ListOptions) (runtime.Object, error), take func(T)) error {
	if !served {
		return nil
	}
	return cluster.Each(ctx, list, func(one T) error {
		take(one)
		return nil
	})
}

// readNodes reads the nodes of files, and what is published for them. Any error ends it: a verdict by half of the nodes would be wrong.
func readNodes(ctx context.Context, r *Reader, names []string) (Nodes, error) {
	var out Nodes
	if err := describedNodes(ctx, names); err != nil {
		return out, err
	}
	manifests, errs := r.Read(ctx, nodeKind, names, deviceKinds...)
	for i := range manifests {
		if err := out.decode(&manifests[i]); err != nil {
			errs = append(errs, err)
		}
	}
	for i := range out.Nodes {
		if status := &out.Nodes[i].Status; status.Allocatable == nil { // the API server's default
			status.Allocatable = status.Capacity
		}
	}
	return out, utilerrors.NewAggregate(errs)
}
