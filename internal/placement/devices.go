package placement

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/devices"
)

const (
	// maxDevices is the largest number of devices that a Pod can ask for.
	maxDevices = resourcev1.AllocationResultsMaxSize
	// maxTried is the number of devices on a node from which on kube-scheduler takes long to find out that they are too few: it tries each
	// choice of them, 2^n, and nothing else meanwhile. 17 of 16 take it a second.
	maxTried = 10
	// maxProducts is how many product names a class of nodes is called by.
	maxProducts = 3
)

// Labels by which nodes whose GPUs are told by slices are selected, besides those that other nodes are selected by.
const (
	draDriver   = "nvidia.com/gpu.deploy.dra-driver"
	gkeNoPlugin = "gke-no-default-nvidia-gpu-device-plugin"
)

// deviceLabels tell nodes apart whose GPUs are told by slices.
var deviceLabels = []string{draDriver, gkeNoPlugin, instanceType}

// topologyLabels are labels by which a ResourceSlice may select nodes. Nodes of one class differ in them.
var topologyLabels = []string{
	corev1.LabelTopologyZone, corev1.LabelTopologyRegion, corev1.LabelHostname, corev1.LabelArchStable, corev1.LabelOSStable,
}

// reads reports whether a node that Slim made has the label of a key, if the node has it.
func (c *Config) reads(label string) bool {
	return slices.Contains(deviceLabels, label) || slices.Contains(topologyLabels, label) || c.selects(label, "")
}

// SetDevices takes over what Dynamic Resource Allocation hands out now: nil for nothing. It returns what Set does.
func (b *Builder) SetDevices(published *devices.Inventory) bool {
	var names []string
	all := published == nil
	if !all {
		names, all = published.Changes(b.devices)
	}
	b.devices = published
	if all {
		names = sortedKeys(b.nodes)
	}
	changed := false
	for _, name := range names {
		if known, ok := b.nodes[name]; ok && b.Set(known.node) {
			changed = true
		}
	}
	return changed
}

// SetUnread takes over why it is not known what Dynamic Resource Allocation hands out, and on what a verdict depends where it is known, which is not
// read. Both are empty if all is known.
func (b *Builder) SetUnread(why, assumed string) {
	if b.unread != why || b.assumed != assumed {
		b.unread, b.assumed = why, assumed
		b.revision++
	}
}

// described is a node as it is counted.
type described struct {
	// key is equal for nodes of one class.
	key   string
	state state
	// plain has what a node has in common with others of its class. common adds its devices, too: each as an amount of the resource by which a
	// Pod asks for them, which is what kube-scheduler makes of it.
	plain, common *corev1.Node
	devices       []supply
	// reserve is what DaemonSets take of it.
	reserve Reserve
}

// describe reads a node, what is published for it, and what DaemonSets take of it.
func (c *Config) describe(node *corev1.Node, published *devices.Inventory, daemons []*DaemonSet) described {
	slim := c.Slim(node)
	d := c.describeGPUs(slim, published)
	if d.reserve = c.reserveOf(slim, d.plain.Spec.Taints, daemons); d.reserve != c.Reserve {
		d.key += fmt.Sprintf("reserve %d %d", d.reserve.MilliCPU, d.reserve.Memory)
	}
	return d
}

// describeGPUs reads a node that Slim made, and what is published for it.
func (c *Config) describeGPUs(slim *corev1.Node, published *devices.Inventory) described {
	d := described{devices: c.deviceSupplies(slim, published)}
	if len(d.devices) > 0 {
		c.dropUnplugged(slim, d.devices)
	}
	d.plain, d.state = c.classify(slim), c.stateOf(slim)
	if len(d.devices) == 0 {
		d.common, d.key = d.plain, keyOf(d.plain)
		return d
	}
	for _, label := range deviceLabels {
		if value, ok := slim.Labels[label]; ok {
			setLabel(d.plain, label, value)
		}
	}
	common := *d.plain
	common.Status.Allocatable = maps.Clone(d.plain.Status.Allocatable)
	var key strings.Builder
	for i := range d.devices {
		s := &d.devices[i]
		if s.count > 0 {
			common.Status.Allocatable[s.resource] = *resource.NewQuantity(s.count, resource.DecimalSI)
		}
		fmt.Fprintf(&key, "%q %q %d %d %d %d %d %t %t %t %q %q %q %q ", s.resource, s.source.class, s.count, s.memory, s.largest, s.capability,
			s.newest, s.slice, s.doubtful, s.unnamed, s.sharing, s.unusable, s.products, s.models)
	}
	d.common, d.key = &common, keyOf(&common)+key.String()
	return d
}

// dropUnplugged leaves out the resources that nodes with devices do not allocate: what is left there of a device plugin is not restarting, and labels
// only repeat what slices tell. One that has a capacity may be restarting, unless its devices are handed out by the same name.
func (c *Config) dropUnplugged(node *corev1.Node, handed []supply) {
	maps.DeleteFunc(node.Status.Allocatable, func(name corev1.ResourceName, allocatable resource.Quantity) bool {
		capacity := node.Status.Capacity[name]
		drop := c.isGPU(name) && allocatable.Sign() <= 0 && capacity.Sign() <= 0 ||
			slices.ContainsFunc(handed, func(s supply) bool { return s.resource == name })
		if drop {
			delete(node.Status.Capacity, name)
		}
		return drop
	})
}

// allSupplies returns what a node offers by its device plugin, and by its devices. Where slices describe GPUs, labels only repeat it.
func (c *Config) allSupplies(d *described) []supply {
	all := c.suppliesOf(d.plain)
	if len(d.devices) == 0 {
		return all
	}
	return append(slices.DeleteFunc(all, func(s supply) bool { return s.unallocatable }), d.devices...)
}

// markAlike numbers what DeviceClasses hand out alike, of one class of nodes.
func (c *Config) markAlike(supplies []supply) {
	var first []*supply
	for i := range supplies {
		s := &supplies[i]
		if !s.devices || s.unusable != "" || c.isGPU(s.resource) {
			continue
		}
		at := slices.IndexFunc(first, func(f *supply) bool {
			return f.count == s.count && f.memory == s.memory && f.slice == s.slice && f.sharing == s.sharing && f.unified == s.unified &&
				f.atLeast == s.atLeast && f.largest == s.largest && f.unlabelled == s.unlabelled && f.unvouched == s.unvouched &&
				f.capability == s.capability && f.newest == s.newest && f.unnamed == s.unnamed && slices.Equal(f.models, s.models)
		})
		if at < 0 {
			at = len(first)
			first = append(first, s)
		}
		s.alike = at + 1
	}
}

// deviceSupplies returns what DeviceClasses hand out on a node that Slim made: by the extended resource of each, and by its implicit one, which
// no device plugin offers. It returns one of which there are none where GPUs are published and no class hands them out.
func (c *Config) deviceSupplies(node *corev1.Node, published *devices.Inventory) []supply {
	if published == nil || c.IgnoreDevices {
		return nil
	}
	told := published.Node(node, c.reads)
	plugged := slices.ContainsFunc(sortedKeys(node.Status.Allocatable), func(name corev1.ResourceName) bool {
		allocatable, capacity := node.Status.Allocatable[name], node.Status.Capacity[name]
		return c.isGPU(name) && (allocatable.Sign() > 0 || capacity.Sign() > 0)
	})
	var all []supply
	for i := range told.Supplies {
		handed := &told.Supplies[i]
		if !c.isOurs(published.Class(handed.Class)) {
			continue
		}
		names := handed.Resources
		if len(names) == 0 {
			names = []string{resourcev1.ResourceDeviceClassPrefix + handed.Class}
		}
		for _, name := range names {
			if implicit := strings.HasPrefix(name, resourcev1.ResourceDeviceClassPrefix); !implicit && !c.isGPU(corev1.ResourceName(name)) {
				continue // a device plugin may give other things by this name; the implicit one is enough
			}
			if allocatable := node.Status.Allocatable[corev1.ResourceName(name)]; allocatable.Sign() <= 0 {
				all = append(all, c.deviceSupply(node, handed, corev1.ResourceName(name), plugged))
			}
		}
	}
	if len(all) == 0 && !plugged && slices.ContainsFunc(told.Drivers, c.isMaker) {
		none := supply{resource: c.ResourceName, labels: labelsOf(c.ResourceName), devices: true, replicas: 1, unusable: told.Problem}
		if none.unusable == "" {
			none.unusable = fmt.Sprintf("its GPUs are told by ResourceSlices, and no DeviceClass selects them: create one with extendedResourceName: %s",
				c.ResourceName)
		} else {
			none.unusable += ", so kube-scheduler leaves its devices out: look after the driver"
		}
		all = append(all, none)
	}
	return all
}

// isOurs reports whether a DeviceClass is of GPUs as a task expects them: it has the resource's name, or selects GPUs of its maker.
func (c *Config) isOurs(class *devices.Class) bool {
	return class != nil && (slices.Contains(class.Resources, string(c.ResourceName)) || slices.ContainsFunc(class.Drivers, c.isMaker))
}

// isMaker reports whether a driver is of the maker of the configured resource, such as gpu.nvidia.com of nvidia.com/gpu.
func (c *Config) isMaker(driver string) bool {
	domain, _, _ := strings.Cut(string(c.ResourceName), "/")
	return driver == domain || strings.HasSuffix(driver, "."+domain)
}

// deviceSupply reads what a DeviceClass hands out on a node by one name. plugged reports whether a device plugin offers GPUs of the node.
func (c *Config) deviceSupply(node *corev1.Node, handed *devices.Supply, name corev1.ResourceName, plugged bool) supply {
	s := supply{
		resource: name, labels: labelsOf(name), count: int64(handed.Count), replicas: 1, devices: true,
		memory: min(handed.Memory, memoryCeiling-1), largest: min(handed.Largest, memoryCeiling-1), slice: handed.Partitions,
		source: source{trust: TrustDevices, class: handed.Class}, atLeast: handed.AtLeast, unnamed: handed.Unnamed,
		capability: Capability(handed.Capability), newest: Capability(handed.Newest),
	}
	for _, product := range handed.Products {
		s.models = append(s.models, modelOf(product))
	}
	switch {
	case handed.Shared:
		s.sharing = sharingTimeSlicing
	case handed.Divided:
		s.sharing = sharingMPS
	}
	s.products = strings.Join(handed.Products[:min(len(handed.Products), maxProducts)], ", ")
	if s.memory == 0 {
		s.source = source{trust: TrustNone, class: handed.Class}
		s.readMemory(c, node.Labels)
	}
	switch {
	case handed.Failure != "":
		s.count, s.failed = maxDevices, true // kube-scheduler fails as soon as it looks at the node
		s.unusable = fmt.Sprintf("no Pod of its DeviceClass %s is scheduled: %s", handed.Class, handed.Failure)
	case handed.Others || name != c.ResourceName && slices.ContainsFunc(handed.Drivers, func(driver string) bool { return !c.isMaker(driver) }):
		s.unusable = fmt.Sprintf("its DeviceClass %s selects devices, too, that are other ones than gpu.resourceName names", handed.Class)
	case plugged:
		s.unusable = "its device plugin and its ResourceSlices give the same GPUs; end one of them"
	case handed.Uncertain != "":
		s.doubtful = true
		s.unusable = fmt.Sprintf("a ResourceSlice selects its nodes by the label %s, which is not read; describe the nodes by a profile", handed.Uncertain)
	case len(handed.Resources) == 0:
		s.count, s.doubtful = 0, true
		s.unusable = fmt.Sprintf("its DeviceClass %s has no extendedResourceName, and it is not known that Kubernetes is of version 1.36 or later, "+
			"where it needs none; give it one", handed.Class)
	case handed.Count == 0 && handed.Tainted > 0:
		s.unusable = fmt.Sprintf("all %d devices of its DeviceClass %s are tainted; see their ResourceSlices, and the DeviceTaintRules", handed.Tainted, handed.Class)
	case s.unusable == "":
		s.unusable = c.refusal(&s, nil)
	}
	if why := c.unmanaged(&s); why != "" && s.unusable == "" {
		s.unusable, s.unmanaged = why, true
	}
	return s
}

// meets reports whether so many of a supply as the plan takes, of one node of a class, are what the task needs.
func (p *plan) meets(class *Class, s *supply) bool {
	return s.enough(&p.demand, p.count) && len(p.Kind.mismatches(class.node.Labels, s)) == 0
}

// deviceMismatches compares what devices are with what a task needs.
func (k *Kind) deviceMismatches(s *supply) []mismatch {
	var all []mismatch
	switch {
	case k.Capability == 0 || s.capability >= k.Capability:
	case s.capability == 0:
		all = append(all, mismatch{fitUntold, fmt.Sprintf("%s: its ResourceSlices do not tell the compute capability of each device of DeviceClass %s",
			v1alpha1.ReasonMemoryLabelMissing, s.source.class)})
	case s.newest >= k.Capability:
		all = append(all, mismatch{fitNo, fmt.Sprintf("its DeviceClass %s hands out devices with compute capability %s to %s, and a Pod may get any of them: "+
			"create a DeviceClass that selects those with %s or more", s.source.class, s.capability, s.newest, k.Capability)})
	default:
		all = append(all, mismatch{fitNo, fmt.Sprintf("its DeviceClass %s hands out devices with compute capability %s, needs %s",
			s.source.class, s.newest, k.Capability)})
	}
	if k.products == "" {
		return all
	}
	other := slices.IndexFunc(s.models, func(model string) bool { return !k.names(model) })
	switch {
	case other >= 0 && slices.ContainsFunc(s.models, k.names):
		all = append(all, mismatch{fitNo, fmt.Sprintf("its DeviceClass %s hands out %s, too, which gpuRequirements.products does not name, and a Pod may get "+
			"any of them: create a DeviceClass that selects only those that it names", s.source.class, s.models[other])})
	case other >= 0:
		all = append(all, mismatch{fitNo, fmt.Sprintf("its DeviceClass %s hands out %s, which gpuRequirements.products does not name",
			s.source.class, s.models[other])})
	case s.unnamed:
		all = append(all, mismatch{fitUntold, fmt.Sprintf("%s: its ResourceSlices do not tell the product of each device of DeviceClass %s",
			v1alpha1.ReasonMemoryLabelMissing, s.source.class)})
	}
	return all
}

// modelOf returns a product's name as GPU Feature Discovery writes it into a label.
func modelOf(product string) string { return strings.ReplaceAll(product, " ", "-") }

// doubts reports whether the devices of a class of nodes might do, and something about them is not known that is not their memory.
func (p *plan) doubts(class *Class) bool {
	return slices.ContainsFunc(class.ways, func(w way) bool {
		open := w.doubtful || w.unusable == "" && w.atLeast && w.adds() && w.memory > 0 && w.need(&p.demand) > w.count
		return w.devices && open && len(p.others(class)) == 0
	})
}

// withUnread adds to the verdict of a gpu task why it is not known what Dynamic Resource Allocation hands out, if it is not.
func (inv *Inventory) withUnread(p *plan, verdict Verdict) Verdict {
	if p.count > 0 && inv.unread != "" {
		verdict.Advice = inv.unread
	}
	return verdict
}

// withFailure adds to the verdict of a gpu task that a DeviceClass cannot be used, if one cannot and no clause says so.
func (inv *Inventory) withFailure(p *plan, verdict Verdict) Verdict {
	if p.count == 0 || inv.failed == nil {
		return verdict
	}
	for i := range inv.classes {
		if s, serves := p.closest(&inv.classes[i]); s != nil && s.failed && !serves {
			return verdict
		}
	}
	if verdict.Advice != "" {
		verdict.Advice += "; "
	}
	verdict.Advice += inv.failed.unusable
	return verdict
}

// deviceShortage says why devices do not meet a demand, where there is something to say of them that there is not of other GPUs.
func (s *supply) deviceShortage(d *demand) string {
	switch {
	case !s.devices:
		return ""
	case s.unusable != "":
		return s.unusable
	case s.memory == 0 && s.unified || s.count == 0:
		return ""
	case s.memory == 0 && d.memory > 0:
		return fmt.Sprintf("its ResourceSlices do not tell how much memory a device of DeviceClass %s has; describe the nodes by a profile", s.source.class)
	case s.largest >= d.memory && s.memory < d.memory:
		return fmt.Sprintf("has %d devices of DeviceClass %s with %dMi to %dMi, and a Pod may get any of them: create a DeviceClass that selects those "+
			"with %dMi or more", s.count, s.source.class, s.memory, s.largest, d.memory)
	case s.need(d) > maxDevices:
		return fmt.Sprintf("needs %d devices with %dMi each, and a Pod can ask for %d", s.need(d), s.memory, maxDevices)
	default:
		return ""
	}
}
