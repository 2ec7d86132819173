package devices

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"unique"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"
)

// Slice is a ResourceSlice without what nobody reads. Devices that differ in nothing but which one they are share what describes them: a cluster
// of thousands of GPUs has some dozen kinds. It is not changed once it is made, and it has the metadata by which a cache knows it.
type Slice struct {
	metav1.TypeMeta
	metav1.ObjectMeta

	driver     string
	pool       string
	generation int64
	// of is the number of slices that the pool has.
	of       int64
	nodes    scope
	each     bool
	devices  []published
	counters []resourcev1.CounterSet
}

// DeepCopyObject returns the slice itself: nobody changes it.
func (s *Slice) DeepCopyObject() runtime.Object { return s }

// published is a device of a slice. kind is its encoded description, and identity the encoded attributes that only tell which device it is.
type published struct {
	name     string
	kind     unique.Handle[string]
	identity string
}

// scope says which nodes something is for: the one of a name, those of a selector, or all.
type scope struct {
	name     *string
	selector *corev1.NodeSelector
	all      bool
}

// identities are names of attributes, without their domains, that tell which of several alike devices one is: those of the drivers of NVIDIA
// (dra-driver-nvidia-gpu, deviceinfo.go), AMD (k8s-gpu-dra-driver, deviceinfo.go) and Intel (intel-resource-drivers-for-kubernetes, types.go), and
// of Kubernetes. What is missing here costs memory, and nothing else.
var identities = []string{
	"uuid", "parentUUID", "minor", "parentMinor", "index", "parentIndex", "pciBusID", "pcieRoot", "pciBusId", "serial",
	"cardIndex", "renderIndex", "pciAddr", "parentPciAddr", "deviceID", "parentDeviceID", "pciAddress", "pciRoot",
}

// isIdentity reports whether an attribute only tells which device it is of.
func isIdentity(name string) bool {
	return slices.Contains(identities, name[strings.LastIndex(name, "/")+1:])
}

// described is what kinds of devices differ in.
type described struct {
	Driver string            `json:"driver"`
	Device resourcev1.Device `json:"device"`
}

// Compact returns a slice without what nobody reads.
func Compact(slice *resourcev1.ResourceSlice) *Slice {
	spec := &slice.Spec
	out := &Slice{
		ObjectMeta: metav1.ObjectMeta{Name: slice.Name, UID: slice.UID, ResourceVersion: slice.ResourceVersion},
		driver:     unique.Make(spec.Driver).Value(), pool: spec.Pool.Name, generation: spec.Pool.Generation, of: spec.Pool.ResourceSliceCount,
		nodes:    scope{spec.NodeName, spec.NodeSelector, ptr.Deref(spec.AllNodes, false)},
		each:     ptr.Deref(spec.PerDeviceNodeSelection, false),
		devices:  make([]published, len(spec.Devices)),
		counters: spec.SharedCounters,
	}
	for i := range spec.Devices {
		out.devices[i] = compact(spec.Driver, &spec.Devices[i])
	}
	return out
}

func compact(driver string, device *resourcev1.Device) published {
	which := map[resourcev1.QualifiedName]resourcev1.DeviceAttribute{}
	kind := described{Driver: driver, Device: resourcev1.Device{
		Attributes: maps.Clone(device.Attributes), Capacity: device.Capacity, ConsumesCounters: device.ConsumesCounters, Taints: withoutTimes(device.Taints),
		NodeName: device.NodeName, NodeSelector: device.NodeSelector, AllNodes: device.AllNodes, AllowMultipleAllocations: device.AllowMultipleAllocations,
	}}
	maps.DeleteFunc(kind.Device.Attributes, func(name resourcev1.QualifiedName, value resourcev1.DeviceAttribute) bool {
		if !isIdentity(string(name)) {
			return false
		}
		which[name] = value
		return true
	})
	out := published{name: unique.Make(device.Name).Value(), kind: unique.Make(encode(&kind))}
	if len(which) > 0 {
		out.identity = encode(which)
	}
	return out
}

// withoutTimes leaves out when devices were tainted.
func withoutTimes(taints []resourcev1.DeviceTaint) []resourcev1.DeviceTaint {
	taints = slices.Clone(taints)
	for i := range taints {
		taints[i].TimeAdded = nil
	}
	return taints
}

// NodeName returns the name of the only node that the slice is for. It is empty if there is none.
func (s *Slice) NodeName() string { return ptr.Deref(s.nodes.name, "") }

// encode returns the JSON of a value of Kubernetes' API. Equal values have the same. For what cannot be encoded it returns nothing, which cannot be decoded.
func encode(value any) string {
	content, err := json.Marshal(value)
	if err != nil {
		return ""
	}
	return string(content)
}

// Alike reports whether two slices differ in nothing that matters, but in when and how often they were written.
func (s *Slice) Alike(other *Slice) bool {
	return s.Name == other.Name && s.driver == other.driver && s.pool == other.pool && s.generation == other.generation && s.of == other.of &&
		s.each == other.each && slices.Equal(s.devices, other.devices) &&
		encode(s.counters) == encode(other.counters) && s.nodes.alike(&other.nodes)
}

func (n *scope) alike(other *scope) bool {
	return ptr.Equal(n.name, other.name) && n.all == other.all && encode(n.selector) == encode(other.selector)
}
