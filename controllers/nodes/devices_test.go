package nodes

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/controllers/internal/caches"
	"github.com/maze-agent/maregister/internal/devices"
	"github.com/maze-agent/maregister/internal/placement"
)

// watched is an inventory, with the number of times that it told of a change.
type watched struct {
	*Inventory
	told int
}

func newWatched() *watched {
	w := &watched{Inventory: NewInventory(placement.DefaultConfig())}
	w.Notify(func() { w.told++ })
	return w
}

// expect checks the verdict of a task that needs 60Gi, and how often a change was told of since the last call.
func (w *watched) expect(t *testing.T, what, status, says string, told int) {
	t.Helper()
	got := w.Snapshot().Resolve(placement.Requirement{Type: v1alpha1.ResourceTypeGPU, MilliCPU: 1000, GPUMemory: 60 << 10}).Verdict
	if string(got.Status) != status || !strings.Contains(got.Message(), says) || w.told != told {
		t.Errorf("%s: want %s %q, told %d times, got %s, told %d times: %s", what, status, says, told, got.Status, w.told, got.Message())
	}
	w.told = 0
}

func newNode(name string) *corev1.Node {
	return &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{corev1.LabelHostname: name}},
		Status: corev1.NodeStatus{Allocatable: corev1.ResourceList{
			corev1.ResourceCPU: resource.MustParse("64"), corev1.ResourceMemory: resource.MustParse("512Gi"), corev1.ResourcePods: resource.MustParse("110"),
		}},
	}
}

// newT4 returns a node with a GPU of a device plugin.
func newT4() *corev1.Node {
	node := newNode("t4")
	node.Labels["nvidia.com/gpu.product"], node.Labels["nvidia.com/gpu.memory"], node.Labels["nvidia.com/gpu.count"] = "T4", "15360", "1"
	node.Status.Allocatable["nvidia.com/gpu"] = resource.MustParse("1")
	return node
}

func newClass(name, extended, least string) *resourcev1.DeviceClass {
	class := &resourcev1.DeviceClass{ObjectMeta: metav1.ObjectMeta{Name: name}}
	class.Spec.Selectors = []resourcev1.DeviceSelector{{CEL: &resourcev1.CELDeviceSelector{Expression: "device.driver == 'gpu.nvidia.com' && " +
		"device.capacity['gpu.nvidia.com'].memory.compareTo(quantity('" + least + "')) >= 0"}}}
	if extended != "" {
		class.Spec.ExtendedResourceName = &extended
	}
	return class
}

// newSlice returns what NVIDIA's driver publishes.
func newSlice(node string, gpus int, mebibytes int64) *devices.Slice {
	slice := &resourcev1.ResourceSlice{ObjectMeta: metav1.ObjectMeta{Name: node}, Spec: resourcev1.ResourceSliceSpec{
		Driver: "gpu.nvidia.com", NodeName: &node, Pool: resourcev1.ResourcePool{Name: node, Generation: 1, ResourceSliceCount: 1},
	}}
	text := func(value string) resourcev1.DeviceAttribute { return resourcev1.DeviceAttribute{StringValue: &value} }
	version := func(value string) resourcev1.DeviceAttribute { return resourcev1.DeviceAttribute{VersionValue: &value} }
	for i := range gpus {
		slice.Spec.Devices = append(slice.Spec.Devices, resourcev1.Device{
			Name: fmt.Sprintf("gpu-%d", i),
			Attributes: map[resourcev1.QualifiedName]resourcev1.DeviceAttribute{
				"type": text("gpu"), "uuid": text(fmt.Sprintf("GPU-%s-%d", node, i)), "brand": text("Nvidia"), "architecture": text("Hopper"),
				"productName": text("NVIDIA H100 80GB HBM3"), "cudaComputeCapability": version("9.0.0"), "driverVersion": version("580.65.6"),
				"resource.kubernetes.io/pciBusID": text(fmt.Sprintf("0000:%02x:00.0", i)),
			},
			Capacity: map[resourcev1.QualifiedName]resourcev1.DeviceCapacity{"memory": {Value: *resource.NewQuantity(mebibytes<<20, resource.BinarySI)}},
		})
	}
	return devices.Compact(slice)
}

// TestDevices: what is published counts once all of it is there, and as long as it may be read.
func TestDevices(t *testing.T) {
	w := newWatched()
	w.NodeChanged(nil, newNode("gpu-1"))
	w.NodeChanged(nil, newT4())
	w.expect(t, "nodes", "False", "T4", 2)

	class, slice := slimClass(newClass("gpu.nvidia.com", "nvidia.com/gpu", "0")), newSlice("gpu-1", 2, 81559)
	w.classChanged(nil, class)
	w.sliceChanged(nil, slice)
	w.expect(t, "not all is there", "False", "T4", 0)
	w.report(caches.Served, "")
	w.expect(t, "all is there", "True", "DeviceClass gpu.nvidia.com", 1)

	w.sliceChanged(slice, newSlice("gpu-1", 2, 81559))
	again := class.DeepCopy()
	again.ResourceVersion = "7"
	w.classChanged(class, again)
	w.expect(t, "written again", "True", "", 0)

	w.sliceChanged(slice, newSlice("gpu-1", 2, 40960))
	w.expect(t, "smaller GPUs", "True", "it takes 2 nvidia.com/gpu", 1)
	w.classChanged(class, nil)
	w.expect(t, "no class", "False", "no DeviceClass selects them", 1)
	w.classChanged(nil, class)
	w.sliceChanged(slice, nil)
	w.expect(t, "no slice", "False", "T4", 2)

	w.sliceChanged(nil, slice)
	w.report(caches.Refused, "resourceslices")
	w.expect(t, "no right", "Unknown", "may not list and watch resourceslices.resource.k8s.io", 2)
	w.report(caches.Absent, "deviceclasses")
	w.expect(t, "no such API", "False", "T4", 1)
	w.report(caches.Unanswered, "deviceclasses")
	w.expect(t, "no answer", "Unknown", "does not answer for deviceclasses.resource.k8s.io", 1)
	w.classChanged(nil, class)
	w.report(caches.Served, "")
	w.expect(t, "read anew", "False", "T4", 2)
}

// newRule returns a rule that taints a device of every node.
func newRule(name, device string) *resourcev1.DeviceTaintRule {
	return &resourcev1.DeviceTaintRule{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: resourcev1.DeviceTaintRuleSpec{
		DeviceSelector: &resourcev1.DeviceTaintSelector{Device: &device},
		Taint:          resourcev1.DeviceTaint{Key: "example.com/sick", Effect: resourcev1.DeviceTaintEffectNoSchedule, TimeAdded: &metav1.Time{}},
	}}
}

// TestDeviceTaintRules: devices that a rule taints do not count as long as it is there. Where rules cannot be read, verdicts that depend on it say so.
func TestDeviceTaintRules(t *testing.T) {
	w := newWatched()
	w.NodeChanged(nil, newNode("gpu-1"))
	w.classChanged(nil, slimClass(newClass("gpu.nvidia.com", "nvidia.com/gpu", "0")))
	w.sliceChanged(nil, newSlice("gpu-1", 1, 81559))
	w.report(caches.Served, "")
	w.reportRules(caches.Absent, "devicetaintrules")
	w.expect(t, "an API server without rules", "True", "by the devices of DeviceClass gpu.nvidia.com", 3)

	w.reportRules(caches.Served, "")
	rule := slimRule(newRule("sick", "gpu-0"))
	w.ruleChanged(nil, rule)
	w.expect(t, "a rule", "False", "all 1 devices of its DeviceClass gpu.nvidia.com are tainted", 2)
	again := newRule("sick", "gpu-0")
	again.ResourceVersion, again.Status.Conditions = "7", []metav1.Condition{{Type: "EvictionInProgress"}}
	again.Spec.Taint.TimeAdded = &metav1.Time{Time: again.Spec.Taint.TimeAdded.Add(1)}
	w.ruleChanged(rule, slimRule(again))
	w.expect(t, "its status", "False", "tainted", 0)
	w.ruleChanged(rule, slimRule(newRule("sick", "gpu-7")))
	w.expect(t, "for another device", "True", "", 1)
	w.ruleChanged(nil, slimRule(newRule("all", "gpu-0")))
	w.expect(t, "another rule", "False", "tainted", 1)
	w.ruleChanged(slimRule(newRule("all", "gpu-0")), nil)
	w.expect(t, "is gone", "True", "", 1)

	w.ruleChanged(nil, rule)
	w.reportRules(caches.Refused, "devicetaintrules")
	w.expect(t, "no right", "True", "unless one of the devicetaintrules.resource.k8s.io, which the operator does not read, taints the device", 2)
	w.NodeChanged(nil, newT4())
	w.sliceChanged(newSlice("gpu-1", 1, 81559), nil)
	w.expect(t, "no devices", "False", "T4", 2)
}

// TestImplicitNames: a class without a resource name is asked for once it is known that Pods can.
func TestImplicitNames(t *testing.T) {
	w := newWatched()
	w.NodeChanged(nil, newNode("gpu-1"))
	w.classChanged(nil, slimClass(newClass("gpu.nvidia.com", "", "0")))
	w.sliceChanged(nil, newSlice("gpu-1", 1, 81559))
	w.report(caches.Served, "")
	w.expect(t, "an old API server", "Unknown", "it is not known that Kubernetes is of version 1.36 or later", 2)
	w.publish(func(p *published) bool { p.implicit = true; return true })
	w.expect(t, "a new one", "True", "DeviceClass gpu.nvidia.com", 1)
}

// BenchmarkDevices is a change of one of 5,000 slices, and what 40 requirements come to then. It reports the memory of all of them, too.
func BenchmarkDevices(b *testing.B) {
	const n = 5000
	w, config := newWatched(), placement.DefaultConfig()
	for i := range n {
		w.NodeChanged(nil, config.Slim(newNode(fmt.Sprintf("node-%d", i))))
	}
	for i := range 10 {
		w.classChanged(nil, slimClass(newClass(fmt.Sprintf("gpu-%d", i), "", fmt.Sprintf("%dGi", 8*i+1))))
	}
	w.publish(func(p *published) bool { p.implicit = true; return true })
	memory := func() float64 {
		runtime.GC()
		var stats runtime.MemStats
		runtime.ReadMemStats(&stats)
		return float64(stats.HeapAlloc) / (1 << 20)
	}
	before := memory()
	for i := range n {
		w.sliceChanged(nil, newSlice(fmt.Sprintf("node-%d", i), 8, 40960))
	}
	w.report(caches.Served, "")
	w.Snapshot()
	after := memory()
	for i := 0; b.Loop(); i++ {
		w.sliceChanged(nil, newSlice("node-0", 1+i%8, 81559))
		snapshot := w.Snapshot()
		for k := range int64(40) {
			snapshot.Resolve(placement.Requirement{Type: v1alpha1.ResourceTypeGPU, MilliCPU: 1000, GPUMemory: 4096 * (k + 1)})
		}
	}
	b.ReportMetric(after-before, "MiB")
}
