package placement

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/utils/ptr"
)

// capability sets a device's compute capability.
func capability(version string) deviceOption {
	return func(d *resourcev1.Device) {
		d.Attributes["cudaComputeCapability"] = resourcev1.DeviceAttribute{VersionValue: ptr.To(version)}
	}
}

// TestDeviceKinds: what GPUs must be besides their memory, where their devices tell it.
func TestDeviceKinds(t *testing.T) {
	whole := []*resourcev1.DeviceClass{wholeGPUs("nvidia.com/gpu")}
	hopper := slices.Concat(whole, []*resourcev1.DeviceClass{deviceClass("hopper", "",
		ofType+`== 'gpu' && device.attributes['gpu.nvidia.com'].cudaComputeCapability.compareTo(semver('9.0.0')) >= 0`)})
	gpus := func(product, memory, version string, options ...nodeOption) machine {
		return dra(timesDevice(2, gpuDevice(product, memory, capability(version))), options...)
	}
	t4 := gpus("Tesla T4", "15360Mi", "7.5.0")
	a100 := gpus("NVIDIA A100-SXM4-80GB", "81920Mi", "8.0.0", label(instanceType, "p4de.24xlarge"))
	h100 := gpus("NVIDIA H100 80GB HBM3", "81559Mi", "9.0.0", label(instanceType, "p5.48xlarge"))
	bareA100, bareH100 := gpus("NVIDIA A100-SXM4-80GB", "81920Mi", "8.0.0"), gpus("NVIDIA H100 80GB HBM3", "81559Mi", "9.0.0")
	mute := dra(h100s(2))
	mute.devices[0].Attributes = map[resourcev1.QualifiedName]resourcev1.DeviceAttribute{"type": {StringValue: ptr.To("gpu")}}
	mixed := dra([]resourcev1.Device{gpuDevice("NVIDIA L4", "23034Mi", capability("8.9.0")), gpuDevice("Tesla T4", "15360Mi", capability("7.5.0"))})
	l4 := plain(node(capable("NVIDIA-L4", "23034", "1", "8", "9"), "nvidia.com/gpu=1"))
	gkeT4 := plain(node(gkeAccelerator+"=nvidia-tesla-t4", "nvidia.com/gpu=1"))
	arm := gpus("NVIDIA GH200 480GB", "97871Mi", "9.0.0", label("kubernetes.io/arch", "arm64"))

	for _, tc := range []struct {
		what                      string
		classes                   []*resourcev1.DeviceClass
		machines                  []machine
		needs                     string
		want, gpus, verdict, says string
	}{
		{"capable", whole, []machine{h100}, `minComputeCapability: '8.9'`, "1 nvidia.com/gpu", "", isTrue, ""},
		{"too old", whole, []machine{t4}, `minComputeCapability: '8.0'`, "1 nvidia.com/gpu", "*", isFalse,
			"its DeviceClass gpu.nvidia.com hands out devices with compute capability 7.5, needs 8.0"},
		{"untold", whole, []machine{mute}, `minComputeCapability: '8.0'`, "1 nvidia.com/gpu", "*", isNoLabel,
			"its ResourceSlices do not tell the compute capability of each device of DeviceClass gpu.nvidia.com"},
		{"a product", whole, []machine{h100}, `products: [NVIDIA-H100-80GB-HBM3]`, "1 nvidia.com/gpu", "", isTrue, ""},
		{"another product", whole, []machine{h100}, `products: [NVIDIA-L4]`, "1 nvidia.com/gpu", "*", isFalse,
			"hands out NVIDIA-H100-80GB-HBM3, which gpuRequirements.products does not name"},
		{"a product that is not told", whole, []machine{mute}, `products: [H100]`, "1 nvidia.com/gpu", "*", isNoLabel, "do not tell the product of each device"},
		{"two kinds, told apart by a label", whole, []machine{a100, h100}, `minComputeCapability: '9.0'`, "1 nvidia.com/gpu", "instance-type in p5.48xlarge", isTrue, ""},
		{"two kinds that no label tells apart", whole, []machine{bareA100, bareH100}, `minComputeCapability: '9.0'`, "1 nvidia.com/gpu", "*", isNoLabel,
			"create a DeviceClass that selects those with 4096Mi or more, and compute capability 9.0 or more"},
		{"and a class of one of them", hopper, []machine{bareA100, bareH100}, `minComputeCapability: '9.0'`, "1 R/hopper", "", isTrue, "by the devices of DeviceClass hopper"},
		{"two kinds on one node", whole, []machine{mixed}, `minComputeCapability: '8.0'`, "1 nvidia.com/gpu", "*", isFalse,
			"hands out devices with compute capability 7.5 to 8.9, and a Pod may get any of them: create a DeviceClass that selects those with 8.0 or more"},
		{"two products on one node", whole, []machine{mixed}, `products: [Tesla-T4]`, "1 nvidia.com/gpu", "*", isFalse,
			"and a Pod may get any of them: create a DeviceClass that selects only those that it names"},
		{"beside a device plugin whose GPUs will do", whole, []machine{l4, t4}, `minComputeCapability: '8.0'`, "1 nvidia.com/gpu",
			"memory > 4095, compute.major > 7", isTrue, "by the label nvidia.com/gpu.memory"},
		{"beside a device plugin whose GPUs will not do", whole, []machine{l4, h100}, `minComputeCapability: '9.0'`, "1 nvidia.com/gpu",
			"memory > 4095, compute.major > 8 | instance-type in p5.48xlarge", isTrue, "by the devices of DeviceClass gpu.nvidia.com"},
		{"beside a device plugin whose GPUs have no label that tells", whole, []machine{gkeT4, bareH100}, `minComputeCapability: '8.0'`, "1 R/gpu.nvidia.com",
			"", isTrue, "by the devices of DeviceClass gpu.nvidia.com"},
		{"an architecture", whole, []machine{h100, arm}, `architecture: arm64`, "1 nvidia.com/gpu", "arch in arm64", isTrue, ""},
	} {
		t.Run(tc.what, func(t *testing.T) {
			resources, refusal := admit(t, `{type: gpu, gpuMemory: 4Gi, gpuRequirements: {`+tc.needs+`}}`)
			if refusal != "" {
				t.Fatal(refusal)
			}
			got := Resolve(RequirementOf(resources), inventoryWith(nil, tc.classes, tc.machines...))
			asks := strings.ReplaceAll(asked(&got.Placement), resourcev1.ResourceDeviceClassPrefix, "R/")
			selects := strings.ReplaceAll(selected(&got.Placement), ", time-sliced", "")
			if tc.gpus == "*" {
				selects = "*"
			}
			if diff := cmp.Diff([]string{tc.want, tc.gpus}, []string{asks, selects}); diff != "" {
				t.Errorf("placement: -want, +got:\n%s", diff)
			}
			message := got.Verdict.Message()
			if verdict := fmt.Sprintf("%s/%s", got.Verdict.Status, got.Verdict.Reason); verdict != tc.verdict || !strings.Contains(message, tc.says) {
				t.Errorf("want %s %q, got %s: %s", tc.verdict, tc.says, verdict, message)
			}
		})
	}
}

// TestIndistinct: devices that no label tells from others which would not do leave a verdict open only if they could host the task otherwise.
func TestIndistinct(t *testing.T) {
	t4, big := timesDevice(1, gpuDevice("T4", "15360Mi")), h100s(2)
	karpenter := plain(node("karpenter.k8s.aws/instance-cpu=4", ""))
	for _, tc := range []struct {
		what     string
		machines []machine
		edit     func(*Requirement)
		want     string
		says     string
	}{
		{"they could", []machine{dra(t4), dra(big)}, nil, isNoLabel, "no label of their nodes tells them apart"},
		{"too little memory", []machine{dra(t4), dra(big)}, func(r *Requirement) { r.Memory = 1 << 40 }, isFalse, "needs memory 1024Gi, has 512Gi"},
		{"too few processors", []machine{dra(t4), dra(big)}, func(r *Requirement) { r.MilliCPU = 65000 }, isFalse, "needs cpu 65, has 64"},
		{"a taint", []machine{dra(t4), dra(big, taint("reserved", ""))}, nil, isFalse, "has the taint reserved"},
		{"no Pods", []machine{dra(t4), dra(big, quantity("pods", "0"))}, nil, isFalse, "takes no Pods: allocatable pods is 0"},
		{"one of two could", []machine{dra(t4), dra(big, taint("reserved", "")), dra(big)}, nil, isNoLabel, "no label of their nodes tells them apart"},
		{"Karpenter adds no devices", []machine{dra(big, taint("reserved", "")), karpenter}, nil, isFalse, "has the taint reserved"},
	} {
		t.Run(tc.what, func(t *testing.T) {
			req := gpuTask(40 << 10)
			if tc.edit != nil {
				tc.edit(&req)
			}
			got := Resolve(req, inventoryWith(nil, []*resourcev1.DeviceClass{wholeGPUs("")}, tc.machines...)).Verdict
			if verdict := fmt.Sprintf("%s/%s", got.Status, got.Reason); verdict != tc.want || !strings.Contains(got.Message(), tc.says) {
				t.Errorf("want %s %q, got %s: %s", tc.want, tc.says, verdict, got.Message())
			}
		})
	}
}

// TestDevicesAndProviders: a provider shares GPUs of device plugins, so that a class is asked for by its own name.
func TestDevicesAndProviders(t *testing.T) {
	for provider, says := range map[Provider]string{ProviderHAMi: "HAMi", ProviderKAI: "KAI Scheduler"} {
		config := func(c *Config) { c.Provider = provider }
		got := Resolve(gpuTask(8<<10), inventoryWith(config, []*resourcev1.DeviceClass{wholeGPUs("nvidia.com/gpu")}, dra(h100s(2))))
		if asks := asked(&got.Placement); asks != "1 "+resourcev1.ResourceDeviceClassPrefix+"gpu.nvidia.com" || string(got.Verdict.Status) != "True" {
			t.Errorf("%s: it asks for %s: %s", says, asks, got.Verdict.Message())
		}
		if got.Placement.SchedulerName != "" || got.Placement.Annotations != nil {
			t.Errorf("%s: %+v", says, got.Placement)
		}
	}
}

// TestUnread: where devices may not be read, nothing is said to fit nowhere, and what fits stays so.
func TestUnread(t *testing.T) {
	builder := NewBuilder(DefaultConfig())
	builder.Set(gpuNode("T4", 15360, gpus(1)))
	const missing = "the operator may not list resourceslices"
	for _, why := range []string{"", missing, ""} {
		revision := builder.Revision()
		builder.SetUnread(why, "")
		if changed := builder.Revision() != revision; changed != (why != "" || revision > 1) {
			t.Errorf("%q: changed: %t", why, changed)
		}
		inv := builder.Inventory()
		want := isFalse
		if why != "" {
			want = isNoNode
		}
		for memory, want := range map[int64]string{60 << 10: want, 4096: isTrue} {
			got := Resolve(gpuTask(memory), inv).Verdict
			if verdict := string(got.Status) + "/" + got.Reason; verdict != want || strings.Contains(got.Message(), missing) != (want == isNoNode) {
				t.Errorf("%q, %dMi: want %s, got %s: %s", why, memory, want, verdict, got.Message())
			}
		}
		if got := Resolve(Requirement{MilliCPU: 1 << 20}, inv).Verdict; string(got.Status) != "False" {
			t.Errorf("%q, cpu: %s", why, got.Message())
		}
	}
}

// TestAnyGPUBesideDevices: where any GPU will do, GPUs of device plugins are not left out for devices.
func TestAnyGPUBesideDevices(t *testing.T) {
	gone := node(strings.Replace(gfd("A100", "81920", "2"), "replicas=1", "replicas=0", 1)+"nvidia.com/gpu.replicas=0", "nvidia.com/gpu=2")
	all := func(c *Config) { c.TimeSlicing, c.MPS = true, true } // so that no label has to exclude any
	inv := inventoryWith(all, []*resourcev1.DeviceClass{wholeGPUs("nvidia.com/gpu")},
		plain(gone), plain(h100(gpus(4), cpu("64"))), dra(h100s(4), cpu("8")))
	got, fits := Explain(Requirement{Type: "gpu", MilliCPU: 32000}, inv)
	if string(got.Verdict.Status) != "True" {
		t.Errorf("%s; it asks nodes for %s", got.Verdict.Message(), selected(&got.Placement))
	}
	for _, fit := range fits {
		if host := fit.Class.node.Status.Allocatable.Cpu().Value() == 64 && fit.Class.node.Labels["nvidia.com/gpu.product"] == "H100"; host != (fit.Why == "") {
			t.Errorf("%s fits: %q", fit.Class.Name, fit.Why)
		}
	}
}

// TestLabelsBesideDevices: labels of GPU Feature Discovery on a node without device plugin say nothing against what a DeviceClass hands out there.
func TestLabelsBesideDevices(t *testing.T) {
	labelled := node(gfd("H100", "81559", "4"), "nvidia.com/gpu=0")
	got, fits := Explain(gpuTask(40<<10), inventoryWith(nil, []*resourcev1.DeviceClass{wholeGPUs("")}, machine{node: labelled, devices: h100s(4)}))
	if asks := asked(&got.Placement); asks != "1 "+resourcev1.ResourceDeviceClassPrefix+"gpu.nvidia.com" || string(got.Verdict.Status) != "True" || fits[0].Why != "" {
		t.Errorf("it asks for %s: %s; %s", asks, got.Verdict.Message(), fits[0].Why)
	}
}
