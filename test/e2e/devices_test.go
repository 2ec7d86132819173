package e2e

import (
	"context"
	"fmt"
	"slices"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/test/testutil"
)

// machine is a kind of nodes, with the devices that its driver publishes: their types and their memory in MiB.
type machine struct {
	name    string
	devices []gpuDevice
	labels  map[string]string
	// plugin is the number of GPUs that a device plugin offers. -1 for none that was ever there.
	plugin int64
}

type gpuDevice struct {
	kind    string
	memory  int64
	tainted bool
	// shared lets several Pods have it, each of which takes so much of its memory for itself, in MiB. counters is what it takes of 8 that its node has.
	shared   bool
	share    int64
	counters int64
	// capability is the compute capability. Empty if the driver does not tell it.
	capability string
}

func several(n int, d gpuDevice) []gpuDevice { return slices.Repeat([]gpuDevice{d}, n) }

func discovered(product, memory, count string) map[string]string {
	return map[string]string{
		"nvidia.com/gpu.product": product, "nvidia.com/gpu.memory": memory, "nvidia.com/gpu.count": count,
		"nvidia.com/gpu.replicas": "1", "nvidia.com/gpu.sharing-strategy": "none",
	}
}

// machines are those of the cases of Dynamic Resource Allocation.
var machines = []machine{
	{"h100", several(4, gpuDevice{kind: "gpu", memory: 81559}), nil, -1},
	{"h100-typed", several(4, gpuDevice{kind: "gpu", memory: 81559}), map[string]string{corev1.LabelInstanceTypeStable: "p5.24xlarge"}, -1},
	{"h100-driver", several(2, gpuDevice{kind: "gpu", memory: 81559}), map[string]string{"nvidia.com/gpu.deploy.dra-driver": "true"}, -1},
	{"h100-labelled", several(4, gpuDevice{kind: "gpu", memory: 81559}), discovered("H100", "81559", "4"), 0},
	{"h100-sick", several(2, gpuDevice{kind: "gpu", memory: 81559, tainted: true}), nil, -1},
	{"t4", several(4, gpuDevice{kind: "gpu", memory: 15360}), nil, -1},
	{"t4-typed", several(4, gpuDevice{kind: "gpu", memory: 15360}), map[string]string{corev1.LabelInstanceTypeStable: "g4dn.12xlarge"}, -1},
	{"mixed", []gpuDevice{{kind: "gpu", memory: 15360}, {kind: "gpu", memory: 15360}, {kind: "gpu", memory: 143771}}, nil, -1},
	{"mig", []gpuDevice{{kind: "mig", memory: 40448}, {kind: "mig", memory: 9984}, {kind: "mig", memory: 9984}}, nil, -1},
	{"gb10", several(1, gpuDevice{kind: "gpu", memory: 0}), nil, -1},
	{"both", several(4, gpuDevice{kind: "gpu", memory: 81559}), discovered("H100", "81559", "1"), 1},
	{"shared", several(2, gpuDevice{kind: "gpu", memory: 81559, shared: true}), nil, -1},
	{"dynamic-mig", []gpuDevice{{kind: "gpu", memory: 81559, counters: 8}, {kind: "mig", memory: 40448, counters: 4}, {kind: "mig", memory: 40448, counters: 4},
		{kind: "mig", memory: 9984, counters: 1}}, nil, -1},
	{"parts", several(2, gpuDevice{kind: "gpu", memory: 81559, shared: true, share: 20480}), nil, -1},
	{"two-of-four", several(4, gpuDevice{kind: "gpu", memory: 81559, counters: 3}), nil, -1},
	{"one-or-two", []gpuDevice{{kind: "gpu", memory: 81559, counters: 8}, {kind: "gpu", memory: 81559, counters: 4}, {kind: "gpu", memory: 81559, counters: 4}}, nil, -1},
	{"NVIDIA H100 80GB HBM3", several(4, gpuDevice{kind: "gpu", memory: 81559, capability: "9.0.0"}), nil, -1},
	{"ruled", several(3, gpuDevice{kind: "gpu", memory: 81559}), nil, -1}, // a rule taints some
}

// discoveredDevices returns devices that tell their compute capability, as NVIDIA's driver does of each (its deviceinfo.go).
func discoveredDevices(devices []gpuDevice) []gpuDevice {
	devices = slices.Clone(devices)
	for i := range devices {
		switch devices[i].memory {
		case 0: // a GB10
			devices[i].capability = "12.1.0"
		case 15360: // a T4
			devices[i].capability = "7.5.0"
		default: // an H100 or an H200, or a part of one
			devices[i].capability = "9.0.0"
		}
	}
	return devices
}

// object returns the node, and its slice if it has devices.
func (m *machine) object(name string) (*corev1.Node, *resourcev1.ResourceSlice) {
	node := testutil.NewNode(name)
	for key, value := range m.labels {
		node.Labels[key] = value
	}
	if m.plugin >= 0 {
		node.Status.Allocatable["nvidia.com/gpu"] = *resource.NewQuantity(m.plugin, resource.DecimalSI)
	}
	if m.devices == nil {
		return node, nil
	}
	slice := &resourcev1.ResourceSlice{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: resourcev1.ResourceSliceSpec{
		Driver: "gpu.nvidia.com", NodeName: &name, Pool: resourcev1.ResourcePool{Name: name, Generation: 1, ResourceSliceCount: 1},
	}}
	for i, gpu := range m.devices {
		d := resourcev1.Device{Name: fmt.Sprintf("gpu-%d", i), Attributes: map[resourcev1.QualifiedName]resourcev1.DeviceAttribute{
			"type": {StringValue: ptr.To(gpu.kind)}, "productName": {StringValue: ptr.To(m.name)},
		}}
		if gpu.memory > 0 {
			d.Capacity = map[resourcev1.QualifiedName]resourcev1.DeviceCapacity{"memory": {Value: resource.MustParse(fmt.Sprintf("%dMi", gpu.memory))}}
		}
		if gpu.capability != "" {
			d.Attributes["cudaComputeCapability"] = resourcev1.DeviceAttribute{VersionValue: ptr.To(gpu.capability)}
		}
		if gpu.tainted {
			d.Taints = []resourcev1.DeviceTaint{{Key: "example.com/sick", Effect: resourcev1.DeviceTaintEffectNoSchedule}}
		}
		if gpu.shared {
			memory := d.Capacity["memory"]
			share := *resource.NewQuantity(gpu.share<<20, resource.BinarySI)
			memory.RequestPolicy = &resourcev1.CapacityRequestPolicy{Default: &share, ValidRange: &resourcev1.CapacityRequestPolicyRange{Min: &share}}
			d.Capacity["memory"], d.AllowMultipleAllocations = memory, ptr.To(true)
		}
		if gpu.counters > 0 {
			d.ConsumesCounters = []resourcev1.DeviceCounterConsumption{{CounterSet: "gpu", Counters: map[string]resourcev1.Counter{
				"slices": {Value: *resource.NewQuantity(gpu.counters, resource.DecimalSI)},
			}}}
		}
		slice.Spec.Devices = append(slice.Spec.Devices, d)
	}
	return node, slice
}

// withCounters returns a slice, and the one with its counters if its devices take some: a slice has either.
func withCounters(slice *resourcev1.ResourceSlice) []*resourcev1.ResourceSlice {
	if !slices.ContainsFunc(slice.Spec.Devices, func(d resourcev1.Device) bool { return len(d.ConsumesCounters) > 0 }) {
		return []*resourcev1.ResourceSlice{slice}
	}
	counters := slice.DeepCopy()
	counters.Name += "-counters"
	counters.Spec.Devices = nil
	counters.Spec.SharedCounters = []resourcev1.CounterSet{{Name: "gpu", Counters: map[string]resourcev1.Counter{"slices": {Value: resource.MustParse("8")}}}}
	slice.Spec.Pool.ResourceSliceCount, counters.Spec.Pool.ResourceSliceCount = 2, 2
	return []*resourcev1.ResourceSlice{slice, counters}
}

func deviceClass(name, selector string) *resourcev1.DeviceClass {
	return &resourcev1.DeviceClass{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: resourcev1.DeviceClassSpec{
		Selectors: []resourcev1.DeviceSelector{{CEL: &resourcev1.CELDeviceSelector{Expression: selector}}},
	}}
}

// deviceClasses are NVIDIA's, with and without the name of its plugin's resource, some by memory, and one that fails on a device without memory.
func deviceClasses() []*resourcev1.DeviceClass {
	const ofType = `device.driver == 'gpu.nvidia.com' && device.attributes['gpu.nvidia.com'].type `
	const memory = `device.capacity['gpu.nvidia.com'].memory`
	whole := deviceClass("gpu.nvidia.com", ofType+`== 'gpu'`)
	whole.Spec.ExtendedResourceName = ptr.To("nvidia.com/gpu")
	tier := func(name, types, least string) *resourcev1.DeviceClass {
		return deviceClass(name, ofType+"in "+types+" && has("+memory+") && "+memory+".compareTo(quantity('"+least+"')) >= 0")
	}
	return []*resourcev1.DeviceClass{
		whole, deviceClass("whole", ofType+`== 'gpu'`), tier("gpu-20gi", "['gpu', 'mig']", "20Gi"), tier("gpu-40gi", "['gpu']", "40Gi"),
		deviceClass("bare", `device.driver == 'gpu.nvidia.com' && `+memory+`.compareTo(quantity('60Gi')) >= 0`),
	}
}

// expectKnown waits until kube-scheduler knows the nodes, slices, classes and rules that are there: it learns of each kind in its order, and the last
// ones are for a Pod of its own. That gets the device which the last rule does not taint.
func expectKnown(ctx context.Context, pods watch.Interface, number int) {
	GinkgoHelper()
	const driver = "probe.example.com"
	name := fmt.Sprintf("probe-%d", number)
	node, slice := (&machine{name: "probe", devices: several(2, gpuDevice{kind: "probe", memory: 0}), plugin: -1}).object(name)
	slice.Spec.Driver = driver
	node.Spec.Taints = []corev1.Taint{{Key: "probe", Effect: corev1.TaintEffectNoSchedule}}
	class := deviceClass(name, `device.driver == '`+driver+`'`)
	rule := taintRule(name, driver, name, "gpu-0")
	for _, object := range []client.Object{class, slice, rule} {
		Expect(k8s.Create(ctx, object)).To(Succeed())
	}
	Expect(testutil.CreateNode(ctx, k8s, node)).To(Succeed())
	asks := corev1.ResourceList{corev1.ResourceName(resourcev1.ResourceDeviceClassPrefix + name): resource.MustParse("1")}
	placed := &v1alpha1.Placement{Requests: asks, Limits: asks, Tolerations: []corev1.Toleration{{Key: "probe", Operator: corev1.TolerationOpExists}}}
	for i := 0; ; i++ {
		host := schedule(ctx, pods, podOf(placed, fmt.Sprintf("%s-%d", name, i)), true)
		if handed := freeClaims(ctx); host == name && slices.Equal(handed, []string{name + "/gpu-1"}) {
			break
		}
	}
	for _, object := range []client.Object{node, slice, class, rule} {
		Expect(k8s.Delete(ctx, object)).To(Succeed())
	}
}

// taintRule takes a device from everyone.
func taintRule(name, driver, pool, device string) *resourcev1.DeviceTaintRule {
	return &resourcev1.DeviceTaintRule{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: resourcev1.DeviceTaintRuleSpec{
		DeviceSelector: &resourcev1.DeviceTaintSelector{Driver: &driver, Pool: &pool, Device: &device},
		Taint:          resourcev1.DeviceTaint{Key: "example.com/sick", Effect: resourcev1.DeviceTaintEffectNoSchedule},
	}}
}

// freeClaims deletes all claims, and returns the devices that they had, by pool and name: nobody else collects what a Pod owned.
func freeClaims(ctx context.Context) (handed []string) {
	GinkgoHelper()
	var claims resourcev1.ResourceClaimList
	Expect(k8s.List(ctx, &claims, client.InNamespace(metav1.NamespaceDefault))).To(Succeed())
	for i := range claims.Items {
		claim := &claims.Items[i]
		if allocation := claim.Status.Allocation; allocation != nil {
			for _, result := range allocation.Devices.Results {
				handed = append(handed, result.Pool+"/"+result.Device)
			}
		}
		claim.Status = resourcev1.ResourceClaimStatus{}
		Expect(client.IgnoreNotFound(k8s.Status().Update(ctx, claim))).To(Succeed())
		Expect(client.IgnoreNotFound(k8s.Get(ctx, client.ObjectKeyFromObject(claim), claim))).To(Succeed())
		claim.Finalizers = nil
		Expect(client.IgnoreNotFound(k8s.Update(ctx, claim))).To(Succeed())
		Expect(client.IgnoreNotFound(k8s.Delete(ctx, claim))).To(Succeed())
	}
	return handed
}
