package devices

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/blang/semver/v4"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/utils/ptr"
)

// Names that drivers of GPUs use, without their domain: dra-driver-nvidia-gpu, deviceinfo.go.
const (
	memoryCapacity      = "memory"
	typeAttribute       = "type"
	productAttribute    = "productName"
	capabilityAttribute = "cudaComputeCapability"
	partitionType       = "mig"
)

// gpuTypes are the types of devices that are GPUs or parts of them, and that containers use: NVIDIA's and AMD's. Devices that tell their memory
// are GPUs, too.
var gpuTypes = []string{"gpu", partitionType, "amdgpu", "amdgpu-partition"}

// mebibyte is in bytes.
const mebibyte = 1 << 20

// kind is what devices have in common that differ in nothing but which one they are.
type kind struct {
	driver string
	device resourcev1.Device
	// memory is in MiB, rounded down. 0 where the device does not tell.
	memory    int64
	partition bool
	// shared reports whether a Pod that names no amount leaves the device to others, too, and divided whether each gets a part of the memory.
	shared, divided bool
	// overdrawn reports whether a Pod that names no amount would take more of something than there is.
	overdrawn bool
	gpu       bool
	// is is its type, as its driver writes it.
	is      string
	product string
	// capability is a hundred times the major version of the compute capability, and the minor one. 0 where the device does not tell.
	capability int64
	// tainted reports whether the slice says that it is handed out to nobody.
	tainted bool
	// flaw says why no selector can be applied to it. Empty if one can.
	flaw string
}

// kindOf reads what Compact has encoded.
func kindOf(encoded string) *kind {
	var from described
	if err := json.Unmarshal([]byte(encoded), &from); err != nil {
		return &kind{flaw: "it cannot be read: " + err.Error()}
	}
	k := &kind{driver: from.Driver, device: from.Device, tainted: slices.ContainsFunc(from.Device.Taints, keepsOff)}
	k.flaw = flawOf(from.Device.Attributes)
	k.readCapacity()
	for name, attribute := range from.Device.Attributes {
		switch k.unqualified(string(name)) {
		case typeAttribute:
			k.is = ptr.Deref(attribute.StringValue, "")
			k.gpu = k.gpu || slices.Contains(gpuTypes, k.is)
			k.partition = k.is == partitionType || strings.HasSuffix(k.is, "-partition")
		case productAttribute:
			k.product = ptr.Deref(attribute.StringValue, "")
		case capabilityAttribute:
			k.capability = capabilityOf(ptr.Deref(attribute.VersionValue, ""))
		}
	}
	return k
}

// unqualified returns a name without the driver's domain, which may be left out.
func (k *kind) unqualified(name string) string { return strings.TrimPrefix(name, k.driver+"/") }

// readCapacity reads how much memory a Pod gets that names no amount: of a device that several Pods may have, its policy says how much of each
// capacity such a Pod takes, and without a policy, it takes all.
func (k *kind) readCapacity() {
	k.shared = ptr.Deref(k.device.AllowMultipleAllocations, false)
	for name, capacity := range k.device.Capacity {
		takes := capacity.Value
		if policy := capacity.RequestPolicy; policy != nil && policy.Default != nil {
			takes = *policy.Default
		}
		rest := takes.Cmp(capacity.Value)
		k.overdrawn = k.overdrawn || rest > 0 || takes.Sign() < 0
		k.shared = k.shared && rest < 0 // else the first Pod leaves nothing to a second one
		if k.unqualified(string(name)) != memoryCapacity {
			continue
		}
		k.memory = max(0, capacity.Value.Value()/mebibyte)
		k.gpu = k.gpu || k.memory > 0
		if rest < 0 && takes.Sign() > 0 {
			k.memory, k.divided = takes.Value()/mebibyte, true
		}
	}
	k.divided = k.divided && k.shared
}

func keepsOff(taint resourcev1.DeviceTaint) bool {
	return taint.Effect == resourcev1.DeviceTaintEffectNoSchedule || taint.Effect == resourcev1.DeviceTaintEffectNoExecute
}

// capabilityOf reads a compute capability, such as 9.0.0. It is 0 for what is none.
func capabilityOf(text string) int64 {
	const major, largest = 100, 255
	version, err := semver.Parse(text)
	if err != nil || version.Major > largest || version.Minor >= major {
		return 0
	}
	return int64(version.Major*major + version.Minor)
}

// flawOf says which of some attributes no selector can read, as kube-scheduler finds out before it applies one: the first by name. Empty if
// there is none.
func flawOf(attributes map[resourcev1.QualifiedName]resourcev1.DeviceAttribute) string {
	var flawed []string
	for name, a := range attributes {
		valid := a.IntValues != nil || a.BoolValues != nil || a.StringValues != nil || a.IntValue != nil || a.BoolValue != nil || a.StringValue != nil
		versions := a.VersionValues
		if versions == nil && a.VersionValue != nil {
			versions = []string{*a.VersionValue}
		}
		if !valid {
			valid = versions != nil && !slices.ContainsFunc(versions, func(v string) bool { _, err := semver.Parse(v); return err != nil })
		}
		if !valid {
			flawed = append(flawed, string(name))
		}
	}
	if len(flawed) == 0 {
		return ""
	}
	return fmt.Sprintf("its attribute %s has no value that can be read", slices.Min(flawed))
}
