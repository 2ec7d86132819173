package placement

import (
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

// FuzzDevices: whatever slices and classes say, there is a placement that a Pod can have, it is always the same, and it never asks for more
// devices than a node has where some node has enough.
func FuzzDevices(f *testing.F) {
	f.Add("device.driver == 'gpu.nvidia.com'", "gpu", "80Gi", "nvidia.com/gpu", "0", "", int64(40<<10), byte(4))
	f.Add("device.capacity['gpu.nvidia.com'].memory.compareTo(quantity('1Gi')) >= 0", "mig", "-1", "", "1e3", "nvidia.com/gpu.deploy.dra-driver", int64(1), byte(33))
	f.Add("device.attributes['x'].all(a, a.startsWith('b'))", "\xff", "9223372036854775807", "x.com/gpu", "8", "zone", int64(0), byte(255))
	f.Add("true", "", "0", "nvidia.com/mig-1g.10gb", "9e18", "\x00", int64(1<<30), byte(0))
	f.Fuzz(func(t *testing.T, selector, kind, memory, extended, allocatable, key string, mebibytes int64, flags byte) {
		if !smallExponent.MatchString(memory) || !smallExponent.MatchString(allocatable) || mebibytes < 0 || mebibytes > 1<<30 {
			t.Skip()
		}
		amount, err := resource.ParseQuantity(memory)
		given, wrong := resource.ParseQuantity(allocatable)
		if err != nil || wrong != nil {
			t.Skip()
		}
		device := gpuDevice("hostile\xff", "1Gi")
		device.Attributes["type"] = resourcev1.DeviceAttribute{StringValue: &kind}
		device.Capacity["memory"] = resourcev1.DeviceCapacity{Value: amount, RequestPolicy: &resourcev1.CapacityRequestPolicy{Default: &given}}
		if flags&1 != 0 {
			device.AllowMultipleAllocations = ptr.To(true)
		}
		hostile := dra(timesDevice(int(flags>>2), device), label(key, kind), quantity(extended, allocatable))
		hostile.edit = func(s *resourcev1.ResourceSliceSpec) {
			if flags&2 != 0 {
				s.NodeName = nil
				s.NodeSelector = &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{oneOf(key, kind)}}}}
			}
		}
		classes := []*resourcev1.DeviceClass{wholeGPUs("nvidia.com/gpu"), deviceClass("hostile", extended, selector)}
		inv := inventoryWith(func(c *Config) { c.TimeSlicing = flags&4 != 0 }, classes, hostile, dra(h100s(2)), plain(h100()))
		req := gpuTask(mebibytes)
		got, fits := Explain(req, inv)
		if again := Resolve(req, inv); !again.Verdict.Equal(got.Verdict) {
			t.Errorf("Resolve says %v and Explain %v", again.Verdict, got.Verdict)
		}
		wantPlausible(t, req, &got)
		for _, fit := range fits {
			if fit.Why == "" && got.Verdict.Status != metav1.ConditionTrue {
				t.Errorf("%s fits, and the verdict is %+v", fit.Class.Name, got.Verdict)
			}
		}
		if _, published := inv.handedOut[got.Placement.GPU.ResourceName]; published && got.Verdict.Status == metav1.ConditionTrue && got.Placement.GPU.Count > maxDevices {
			t.Errorf("it asks for %d devices", got.Placement.GPU.Count)
		}
	})
}

// BenchmarkResolveDevices is one requirement beside 50 classes of nodes whose GPUs are told by slices, and some DeviceClasses, each of which selects the
// devices of fewer nodes.
func BenchmarkResolveDevices(b *testing.B) {
	for _, n := range []int{10, 50} {
		classes := []*resourcev1.DeviceClass{wholeGPUs("nvidia.com/gpu")}
		for i := range n - 1 {
			least := fmt.Sprintf("%dGi", 10+(i+1)*90/n)
			classes = append(classes, tier(fmt.Sprintf("gpu-%d", i), least, "'gpu'"))
		}
		var machines []machine
		for i := range 50 {
			machines = append(machines, dra(timesDevice(8, gpuDevice(fmt.Sprintf("GPU-%d", i), fmt.Sprintf("%dMi", 10000+2000*i))),
				label(instanceType, fmt.Sprintf("type-%d", i))))
		}
		inv := inventoryWith(nil, classes, machines...)
		busy := gpuTask(40 << 10)
		busy.MilliCPU = 1 << 20
		for name, req := range map[string]Requirement{
			"fits": gpuTask(40 << 10), "several": gpuTask(200000), "fits nowhere": gpuTask(1 << 20), "too few processors": busy,
		} {
			b.Run(fmt.Sprintf("%d classes, %s", n, name), func(b *testing.B) {
				for b.Loop() {
					Resolve(req, inv)
				}
			})
		}
	}
}
