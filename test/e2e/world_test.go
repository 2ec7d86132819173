package e2e

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	schedulingv1 "k8s.io/component-helpers/scheduling/corev1"
	"k8s.io/component-helpers/scheduling/corev1/nodeaffinity"
	"k8s.io/dynamic-resource-allocation/cel"
	"k8s.io/dynamic-resource-allocation/structured"
	"k8s.io/klog/v2"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/devices"
	"github.com/maze-agent/maregister/internal/placement"
)

// world is a cluster, with the operator's configuration, and what the operator knows of it.
type world struct {
	config  placement.Config
	nodes   []*corev1.Node
	classes []*resourcev1.DeviceClass
	slices  []*resourcev1.ResourceSlice
	rules   []*resourcev1.DeviceTaintRule
	// devices are what there is behind slices, by pool and name. about names what each node with devices is.
	devices map[string]gpuDevice
	about   map[string]string

	inventory *placement.Inventory
}

// Kinds of worlds: the others have nodes with device plugins only.
const (
	onlyDevices = iota
	mixedDevices
)

// world makes a cluster: of nodes with device plugins, of nodes whose devices are published, or of both.
func (g generator) world(kind int) *world {
	w := &world{config: g.config(), devices: map[string]gpuDevice{}, about: map[string]string{}}
	if kind != onlyDevices {
		w.nodes = g.cluster()
	}
	if kind == onlyDevices || kind == mixedDevices {
		all := deviceClasses()
		for _, k := range g.Perm(len(all))[:1+g.IntN(len(all))] {
			w.classes = append(w.classes, all[k])
		}
		for range 1 + g.IntN(4) {
			g.addMachine(w)
		}
	}
	w.read()
	return w
}

// addMachine adds a node whose devices are published. It may be of use to nobody, for some other reason.
func (g generator) addMachine(w *world) {
	m := pick(g, machines...)
	if !g.oneIn(8) {
		m.devices = discoveredDevices(m.devices)
	}
	name := fmt.Sprintf("node-%d", len(w.nodes))
	node, slice := m.object(name)
	node.Labels[corev1.LabelArchStable] = pick(g, "amd64", "amd64", "amd64", "arm64")
	switch g.IntN(12) {
	case 0:
		node.Spec.Unschedulable = true
	case 1:
		node.Status.Allocatable[corev1.ResourcePods] = resource.MustParse("0")
	case 2:
		node.Spec.Taints = []corev1.Taint{pick(g, corev1.Taint{Key: resourceGPU, Effect: corev1.TaintEffectNoSchedule},
			corev1.Taint{Key: "sku", Value: "gpu", Effect: corev1.TaintEffectNoSchedule}, corev1.Taint{Key: "reserved", Effect: corev1.TaintEffectNoExecute})}
	case 3:
		if m.devices[0].memory > 0 { // else only the label tells it, and is believed
			node.Labels[acceleration] = "nvidia-h100-80gb"
		}
	}
	w.nodes, w.about[name] = append(w.nodes, node), m.name
	w.slices = append(w.slices, withCounters(slice)...)
	for j, d := range m.devices {
		w.devices[fmt.Sprintf("%s/gpu-%d", name, j)] = d
	}
	if m.name == "ruled" {
		w.rules = append(w.rules, taintRule("rule-"+name, slice.Spec.Driver, name, fmt.Sprintf("gpu-%d", g.IntN(4))))
	}
}

// read reads the cluster as the operator does.
func (w *world) read() {
	builder := placement.NewBuilder(w.config)
	for _, node := range w.nodes {
		builder.Set(node)
	}
	published := devices.Published{Classes: w.classes, Rules: w.rules, ImplicitNames: true}
	for _, slice := range w.slices {
		published.Slices = append(published.Slices, devices.Compact(slice))
	}
	builder.SetDevices(devices.NewInventory(published))
	w.inventory = builder.Inventory()
}

// objects are what a cluster has besides nodes.
func (w *world) objects() []client.Object {
	var all []client.Object
	for _, class := range w.classes {
		all = append(all, class.DeepCopy())
	}
	for _, slice := range w.slices {
		all = append(all, slice.DeepCopy())
	}
	for _, rule := range w.rules {
		all = append(all, rule.DeepCopy())
	}
	return all
}

// taskIn returns what a task needs, near what the nodes and the devices have.
func (g generator) taskIn(w *world) v1alpha1.Resources {
	r := g.task(w.nodes)
	if len(w.devices) > 0 && r.GPUMemory != nil && g.oneIn(2) {
		memory := w.devices[pick(g, slices.Sorted(maps.Keys(w.devices))...)].memory
		memory = memory*pick(g, int64(1), 1, 2, 3, 5)/pick(g, int64(1), 1, 2, 4) + pick(g, int64(-1), 0, 0, 1)
		r.GPUMemory = resource.NewQuantity(max(1, memory)<<20, resource.BinarySI)
	}
	if len(w.devices) > 0 && r.GPURequirements != nil && g.oneIn(2) {
		r.GPURequirements = &v1alpha1.GPURequirements{Products: []string{"NVIDIA-H100-80GB-HBM3"}}
	}
	return r
}

// bindable returns the nodes to which kube-scheduler may bind a Pod with a placement, and the devices that it then hands out, by the rules of its
// filters for taints, affinity and resources, and by its allocator of devices. It returns one node that is "" if there are none.
func (w *world) bindable(placed *v1alpha1.Placement) map[string][]string {
	pod := podOf(placed, "pod")
	affinity := nodeaffinity.GetRequiredNodeAffinity(pod)
	bound := map[string][]string{}
	for _, node := range withDaemonSets(w.nodes, w.config.Reserve) {
		matches, err := affinity.Match(node)
		_, tainted := schedulingv1.FindMatchingUntoleratedTaint(klog.Logger{}, node.Spec.Taints, pod.Spec.Tolerations, func(t *corev1.Taint) bool {
			return t.Effect != corev1.TaintEffectPreferNoSchedule
		}, false)
		fits := node.Status.Allocatable.Pods().Sign() > 0
		wanted := map[string]int64{} // by DeviceClass
		for name, want := range pod.Spec.Containers[0].Resources.Requests {
			has := node.Status.Allocatable[name]
			if class := w.classOf(name); class != "" && has.Sign() <= 0 {
				wanted[class] += want.Value()
				continue
			}
			fits = fits && want.Cmp(has) <= 0
		}
		if err != nil || !matches || tainted || !fits || node.Spec.Unschedulable {
			continue
		}
		handed, enough, err := w.hand(node, wanted)
		if err != nil {
			return map[string][]string{"": nil} // the Pod is scheduled nowhere
		}
		if enough {
			bound[node.Name] = handed
		}
	}
	if len(bound) == 0 {
		return map[string][]string{"": nil}
	}
	return bound
}

// classOf returns the DeviceClass whose devices a resource is. It is empty if there is none.
func (w *world) classOf(name corev1.ResourceName) string {
	implicit, is := strings.CutPrefix(string(name), resourcev1.ResourceDeviceClassPrefix)
	for _, class := range w.classes {
		if is && class.Name == implicit || ptr.Deref(class.Spec.ExtendedResourceName, "") == string(name) {
			return class.Name
		}
	}
	return ""
}

// List and Get are for the allocator.
func (w *world) List() ([]*resourcev1.DeviceClass, error) { return w.classes, nil }

func (w *world) Get(name string) (*resourcev1.DeviceClass, error) {
	return w.classes[slices.IndexFunc(w.classes, func(c *resourcev1.DeviceClass) bool { return c.Name == name })], nil
}

var compiledSelectors = cel.NewCache(100, cel.Features{EnableConsumableCapacity: true})

// hand asks kube-scheduler's allocator for devices of an empty node: so many of each class. An error is for a Pod that is scheduled nowhere.
func (w *world) hand(node *corev1.Node, wanted map[string]int64) (handed []string, enough bool, err error) {
	if len(wanted) == 0 {
		return nil, true, nil
	}
	of := structured.Features{ConsumableCapacity: true, DeviceBindingAndStatus: true, DeviceTaints: true, PartitionableDevices: true, PrioritizedList: true}
	allocator, err := structured.NewAllocator(context.Background(), of, structured.AllocatedState{}, w, w.tainted(), compiledSelectors)
	if err != nil {
		return nil, false, err
	}
	claim := &resourcev1.ResourceClaim{}
	for class, n := range wanted {
		claim.Spec.Devices.Requests = append(claim.Spec.Devices.Requests, resourcev1.DeviceRequest{Name: "r", Exactly: &resourcev1.ExactDeviceRequest{
			DeviceClassName: class, AllocationMode: resourcev1.DeviceAllocationModeExactCount, Count: n,
		}})
		if n > resourcev1.AllocationResultsMaxSize {
			return nil, false, nil
		}
	}
	results, err := allocator.Allocate(context.Background(), node, []*resourcev1.ResourceClaim{claim})
	if err != nil || len(results) == 0 {
		return nil, false, err
	}
	for _, result := range results[0].Devices.Results {
		handed = append(handed, result.Pool+"/"+result.Device)
	}
	return handed, true, nil
}

// tainted are the slices, with what rules add to them, as kube-scheduler's tracker does.
func (w *world) tainted() []*resourcev1.ResourceSlice {
	var all []*resourcev1.ResourceSlice
	for _, slice := range w.slices {
		slice = slice.DeepCopy()
		for _, rule := range w.rules {
			for i := range slice.Spec.Devices {
				if s := rule.Spec.DeviceSelector; *s.Pool == slice.Spec.Pool.Name && *s.Device == slice.Spec.Devices[i].Name {
					slice.Spec.Devices[i].Taints = append(slice.Spec.Devices[i].Taints, rule.Spec.Taint)
				}
			}
		}
		all = append(all, slice)
	}
	return all
}

// gives reports whether some devices are what the task asks for, and may be used.
func (w *world) gives(o oracle, handed []string) bool {
	var sum int64
	for _, key := range handed {
		d := w.devices[key]
		if d.shared && (d.share == 0 && !o.config.TimeSlicing || d.share > 0 && !o.config.MPS || len(handed) > 1) || d.kind == "mig" && len(handed) > 1 {
			return false
		}
		major, rest, _ := strings.Cut(d.capability, ".")
		minor, _, _ := strings.Cut(rest, ".")
		name, _, _ := strings.Cut(key, "/")
		if !o.isCard(major, minor, strings.ReplaceAll(w.about[name], " ", "-")) {
			return false
		}
		if d.share > 0 {
			sum += d.share
		} else {
			sum += d.memory
		}
	}
	return o.allows(int64(len(handed))) && (o.memory() == 0 || sum >= o.memory())
}

// mishanded returns what is wrong with devices that kube-scheduler hands out on a node. It is empty if nothing is.
func (w *world) mishanded(o oracle, host string, handed []string) string {
	for _, node := range w.nodes {
		if node.Name == host && !o.isHost(node) {
			return fmt.Sprintf("%s, to which kube-scheduler binds, is not what gpuRequirements asks for", host)
		}
	}
	if !w.gives(o, handed) {
		return fmt.Sprintf("the devices %v, which kube-scheduler hands out, do not give what the task needs", handed)
	}
	return ""
}

// missed returns a node whose devices could host a task which is said to fit nowhere: by a class that selects nothing else anywhere but devices that
// would do, so that no label has to tell nodes apart. It is empty if there is none, or if some node takes no Pods at present, which a placement does
// not follow.
func (w *world) missed(o oracle) string {
	if o.task.Type != v1alpha1.ResourceTypeGPU || slices.ContainsFunc(w.nodes, func(n *corev1.Node) bool { return !takesPods(n) }) {
		return ""
	}
	for _, class := range w.classes {
		for n := int64(1); n <= 4; n++ {
			ask := corev1.ResourceList{corev1.ResourceName(resourcev1.ResourceDeviceClassPrefix + class.Name): *resource.NewQuantity(n, resource.DecimalSI)}
			maps.Copy(ask, corev1.ResourceList{corev1.ResourceCPU: *o.task.CPU, corev1.ResourceMemory: *o.task.Memory})
			placed := &v1alpha1.Placement{Requests: ask, Tolerations: append([]corev1.Toleration{
				{Key: resourceGPU, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoSchedule},
			}, o.config.Tolerations...)}
			for host, handed := range w.bindable(placed) {
				plugged := slices.ContainsFunc(w.nodes, func(node *corev1.Node) bool {
					return node.Name == host && (node.Status.Allocatable.Name(resourceGPU, "").Sign() > 0 || !o.isHost(node))
				})
				if host != "" && !plugged && w.onlyGood(o, class, n) {
					return fmt.Sprintf("%s could host the task with %v, which DeviceClass %s hands out, and the placement leaves them out", host, handed, class.Name)
				}
			}
		}
	}
	return ""
}

// onlyGood reports whether any so many devices that a class selects, of whatever node, are what a task asks for.
func (w *world) onlyGood(o oracle, class *resourcev1.DeviceClass, n int64) bool {
	for _, slice := range w.slices {
		for i := range slice.Spec.Devices {
			d := &slice.Spec.Devices[i]
			matches := true
			for _, s := range class.Spec.Selectors {
				is, _, err := compiledSelectors.GetOrCompile(s.CEL.Expression).DeviceMatches(context.Background(), cel.Device{
					Driver: slice.Spec.Driver, Attributes: d.Attributes, Capacity: d.Capacity, AllowMultipleAllocations: d.AllowMultipleAllocations,
				})
				if err != nil {
					return false // it fails every Pod as soon as this node takes Pods
				}
				matches = matches && is
			}
			key := slice.Spec.Pool.Name + "/" + d.Name
			if matches && !w.gives(o, slices.Repeat([]string{key}, int(n))) {
				return false
			}
		}
	}
	return true
}
