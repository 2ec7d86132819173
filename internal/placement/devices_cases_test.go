package placement

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/maze-agent/maregister/internal/devices"
)

// Selectors of NVIDIA's driver, and of classes by memory.
const (
	ofNVIDIA = `device.driver == 'gpu.nvidia.com' && `
	ofType   = ofNVIDIA + `device.attributes['gpu.nvidia.com'].?type.orValue('') `
	memoryOf = `device.capacity['gpu.nvidia.com'].memory`
)

func deviceClass(name, extended string, selector string) *resourcev1.DeviceClass {
	c := &resourcev1.DeviceClass{ObjectMeta: metav1.ObjectMeta{Name: name}}
	c.Spec.Selectors = []resourcev1.DeviceSelector{{CEL: &resourcev1.CELDeviceSelector{Expression: selector}}}
	if extended != "" {
		c.Spec.ExtendedResourceName = &extended
	}
	return c
}

// wholeGPUs is NVIDIA's class for whole GPUs. Its chart chooses the name.
func wholeGPUs(extended string) *resourcev1.DeviceClass {
	return deviceClass("gpu.nvidia.com", extended, ofType+`== 'gpu'`)
}

// tier is a class of the devices of some types that have so much memory.
func tier(name, least string, types string) *resourcev1.DeviceClass {
	return deviceClass(name, "", fmt.Sprintf("%s in [%s] && has(%s) && %s.compareTo(quantity('%s')) >= 0", ofType, types, memoryOf, memoryOf, least))
}

type deviceOption func(*resourcev1.Device)

// gpuDevice is a device as NVIDIA's driver publishes it. An empty memory is not told.
func gpuDevice(product, memory string, options ...deviceOption) resourcev1.Device {
	d := resourcev1.Device{Attributes: map[resourcev1.QualifiedName]resourcev1.DeviceAttribute{
		"type": {StringValue: ptr.To("gpu")}, "productName": {StringValue: ptr.To(product)},
	}}
	if memory != "" {
		d.Capacity = map[resourcev1.QualifiedName]resourcev1.DeviceCapacity{"memory": {Value: resource.MustParse(memory)}}
	}
	for _, option := range options {
		option(&d)
	}
	return d
}

func ofMIG(d *resourcev1.Device) {
	d.Attributes["type"] = resourcev1.DeviceAttribute{StringValue: ptr.To("mig")}
}

func deviceTaint(d *resourcev1.Device) {
	d.Taints = []resourcev1.DeviceTaint{{Key: "sick", Effect: resourcev1.DeviceTaintEffectNoSchedule}}
}

// sharable lets several Pods have a device, and hands each so much by default.
func sharable(byDefault string) deviceOption {
	return func(d *resourcev1.Device) {
		d.AllowMultipleAllocations = ptr.To(true)
		memory := d.Capacity["memory"]
		memory.RequestPolicy = &resourcev1.CapacityRequestPolicy{Default: ptr.To(resource.MustParse(byDefault))}
		d.Capacity["memory"] = memory
	}
}

func consumes(amount string) deviceOption {
	return func(d *resourcev1.Device) {
		d.ConsumesCounters = []resourcev1.DeviceCounterConsumption{{CounterSet: "gpu-0", Counters: map[string]resourcev1.Counter{
			"memory-slices": {Value: resource.MustParse(amount)},
		}}}
	}
}

func h100s(n int, options ...deviceOption) []resourcev1.Device {
	return timesDevice(n, gpuDevice("H100", "81559Mi", options...))
}

func timesDevice(n int, d resourcev1.Device) []resourcev1.Device {
	all := make([]resourcev1.Device, n)
	for i := range all {
		all[i] = d
	}
	return all
}

// machine is a node with what its driver publishes.
type machine struct {
	node    *corev1.Node
	devices []resourcev1.Device
	edit    func(*resourcev1.ResourceSliceSpec)
	more    []*resourcev1.ResourceSlice
}

func dra(gpus []resourcev1.Device, options ...nodeOption) machine {
	return machine{node: cpuNode(options...), devices: gpus}
}

func plain(node *corev1.Node) machine { return machine{node: node} }

// slice is the only one of its node's pool.
func (m *machine) slice(name string) *resourcev1.ResourceSlice {
	s := &resourcev1.ResourceSlice{ObjectMeta: metav1.ObjectMeta{Name: name}}
	s.Spec = resourcev1.ResourceSliceSpec{
		Driver: "gpu.nvidia.com", NodeName: &name, Pool: resourcev1.ResourcePool{Name: name, Generation: 1, ResourceSliceCount: 1},
	}
	for i, d := range m.devices {
		d.Name = fmt.Sprintf("gpu-%d", i)
		s.Spec.Devices = append(s.Spec.Devices, d)
	}
	if m.edit != nil {
		m.edit(&s.Spec)
	}
	return s
}

// publish returns the nodes under names of their own, with what is published for them.
func publish(classes []*resourcev1.DeviceClass, machines ...machine) ([]*corev1.Node, devices.Published) {
	published := devices.Published{Classes: classes, ImplicitNames: true}
	var nodes []*corev1.Node
	for i := range machines {
		node := machines[i].node.DeepCopy()
		node.Name = fmt.Sprintf("node-%d", i)
		nodes = append(nodes, node)
		if machines[i].devices != nil {
			published.Slices = append(published.Slices, devices.Compact(machines[i].slice(node.Name)))
		}
		for _, s := range machines[i].more {
			s.Spec.NodeName, s.Spec.Pool.Name = &node.Name, node.Name
			published.Slices = append(published.Slices, devices.Compact(s))
		}
	}
	return nodes, published
}

func inventoryWith(edit func(*Config), classes []*resourcev1.DeviceClass, machines ...machine) *Inventory {
	config := DefaultConfig()
	if edit != nil {
		edit(&config)
	}
	nodes, published := publish(classes, machines...)
	builder := NewBuilder(config)
	for _, node := range nodes {
		builder.Set(node)
	}
	builder.SetDevices(devices.NewInventory(published))
	return builder.Inventory()
}

// TestDeviceCases has every case of Dynamic Resource Allocation by its number, as kube-scheduler 1.37 does with them. D is a node of 4 H100
// without labels; R/x is deviceclass.resource.kubernetes.io/x.
func TestDeviceCases(t *testing.T) {
	var (
		named    = []*resourcev1.DeviceClass{wholeGPUs("nvidia.com/gpu")}
		unnamed  = []*resourcev1.DeviceClass{wholeGPUs("")}
		tier40   = tier("gpu-40gi", "40Gi", "'gpu'")
		tiered   = append(named[:1:1], tier40)
		ofSlices = append(named[:1:1], tier("gpu-20gi", "20Gi", "'gpu', 'mig'"), tier("gpu-60gi", "60Gi", "'gpu', 'mig'"))
		bare     = append(named[:1:1], deviceClass("gpu-40gi", "", ofNVIDIA+memoryOf+`.compareTo(quantity('40Gi')) >= 0`))

		d       = dra(h100s(4))
		t4s     = dra(timesDevice(4, gpuDevice("T4", "15360Mi")))
		discovd = []nodeOption{gpus(0), label("nvidia.com/gpu.product", "H100"), label("nvidia.com/gpu.memory", "81559"), label("nvidia.com/gpu.count", "4"),
			label("nvidia.com/gpu.replicas", "1"), label("nvidia.com/gpu.sharing-strategy", "none")}
		discovered = dra(h100s(4), discovd...)
		instance   = func(m machine, name string) machine {
			m.node = m.node.DeepCopy()
			label(instanceType, name)(m.node)
			return m
		}
		mixedNode = dra([]resourcev1.Device{gpuDevice("T4", "15360Mi"), gpuDevice("T4", "15360Mi"), gpuDevice("H200", "143771Mi")})
		static    = dra([]resourcev1.Device{gpuDevice("H100", "40448Mi", ofMIG), gpuDevice("H100", "9984Mi", ofMIG), gpuDevice("H100", "9984Mi", ofMIG)})
		dynamic   = dra([]resourcev1.Device{gpuDevice("H100", "81559Mi", consumes("8")), gpuDevice("H100", "40448Mi", ofMIG, consumes("4")),
			gpuDevice("H100", "40448Mi", ofMIG, consumes("4")), gpuDevice("H100", "9984Mi", ofMIG, consumes("1"))})
		memoryless = dra(timesDevice(1, gpuDevice("GB10", "")))
	)
	dynamic.edit = func(s *resourcev1.ResourceSliceSpec) {
		s.SharedCounters = []resourcev1.CounterSet{{Name: "gpu-0", Counters: map[string]resourcev1.Counter{"memory-slices": {Value: resource.MustParse("8")}}}}
	}
	budget := dra(h100s(4, consumes("3"))) // as of a power supply: two of four at once
	budget.edit = dynamic.edit
	unequal := dra(append(h100s(1, consumes("8")), h100s(2, consumes("4"))...)) // the first that fits leaves nothing to others
	unequal.edit = dynamic.edit
	mistaken := dra(h100s(2, consumes("1")))
	half := dra(h100s(2))
	half.edit = func(s *resourcev1.ResourceSliceSpec) { s.Pool.ResourceSliceCount = 2 }
	renewed := dra(h100s(1))
	renewed.edit = func(s *resourcev1.ResourceSliceSpec) { s.Pool.Generation = 2 }
	old := (&machine{devices: h100s(4)}).slice("old")
	renewed.more = []*resourcev1.ResourceSlice{old}
	allow := func(c *Config) { c.TimeSlicing = true }
	parts := func(c *Config) { c.MPS = true }

	cases := []struct {
		number   int
		what     string
		classes  []*resourcev1.DeviceClass
		machines []machine
		config   func(*Config)
		task     string
		// want is what the Pod asks for, gpus what it asks of nodes.
		want, gpus, verdict, says string
	}{
		{1, "D, any GPU", named, []machine{d}, nil, `{type: gpu}`, "1 nvidia.com/gpu", "", isTrue, ""},
		{2, "D, 40Gi", named, []machine{d}, nil, `{type: gpu, gpuMemory: 40Gi}`, "1 nvidia.com/gpu", "", isTrue, "by the devices of DeviceClass gpu.nvidia.com"},
		{3, "D, 80Gi", named, []machine{d}, nil, `{type: gpu, gpuMemory: 80Gi}`, "2 nvidia.com/gpu", "", isTrue, "short 361Mi of one H100"},
		{4, "D, 160Gi vllm", named, []machine{d}, nil, `{type: gpu, gpuMemory: 160Gi, backend: vllm}`, "4 nvidia.com/gpu, tensor parallel 4", "", isTrue, ""},
		{5, "D, 400Gi", named, []machine{d}, nil, `{type: gpu, gpuMemory: 400Gi}`, "1 nvidia.com/gpu", "memory > 409599", isFalse,
			"needs 6 GPUs on one node, has 4 with 81559Mi each"},
		{6, "T4 and H100 with instance types, 40Gi", named, []machine{instance(t4s, "g4dn.12xlarge"), instance(d, "p5.24xlarge")}, nil,
			`{type: gpu, gpuMemory: 40Gi}`, "1 nvidia.com/gpu", "instance-type in p5.24xlarge", isTrue, ""},
		{7, "T4 and H100 without labels, class gpu-40gi", tiered, []machine{t4s, d}, nil, `{type: gpu, gpuMemory: 40Gi}`, "1 R/gpu-40gi", "", isTrue,
			"by the devices of DeviceClass gpu-40gi"},
		{7, "the same without the class: three of any", named, []machine{t4s, d}, nil, `{type: gpu, gpuMemory: 40Gi}`, "3 nvidia.com/gpu", "", isTrue, ""},
		{7, "the same with one T4", named, []machine{dra(timesDevice(1, gpuDevice("T4", "15360Mi"))), d}, nil, `{type: gpu, gpuMemory: 40Gi}`, "1 nvidia.com/gpu", "*", isNoLabel,
			"create a DeviceClass that selects those with 40960Mi or more"},
		{8, "T4, T4, H200 on one node, class gpu-40gi, 40Gi", tiered, []machine{mixedNode}, nil, `{type: gpu, gpuMemory: 40Gi}`, "1 R/gpu-40gi", "", isTrue, ""},
		{8, "the same, 280Gi", tiered, []machine{mixedNode}, nil, `{type: gpu, gpuMemory: 280Gi}`, "1 nvidia.com/gpu", "memory > 286719", isFalse, ""},
		{8, "the same without the class, 50Gi", named, []machine{mixedNode}, nil, `{type: gpu, gpuMemory: 50Gi}`, "1 nvidia.com/gpu", "memory > 51199", isFalse,
			"with 15360Mi to 143771Mi, and a Pod may get any of them: create a DeviceClass that selects those with 51200Mi or more"},
		{9, "D, class without extendedResourceName", unnamed, []machine{d}, nil, `{type: gpu, gpuMemory: 40Gi}`, "1 R/gpu.nvidia.com", "", isTrue, ""},
		{10, "D with GFD labels and allocatable 0, 40Gi", named, []machine{discovered}, nil, `{type: gpu, gpuMemory: 40Gi}`, "1 nvidia.com/gpu",
			"memory > 40959", isTrue, ""},
		{11, "D with GFD labels, 160Gi", named, []machine{discovered}, nil, `{type: gpu, gpuMemory: 160Gi}`, "3 nvidia.com/gpu", "memory > 54613, whole", isTrue, ""},
		{12, "plugin T4×4 with GFD, D, 40Gi", named, []machine{plain(gpuNode("T4", 15360, gpus(4))), d}, nil, `{type: gpu, gpuMemory: 40Gi}`,
			"1 nvidia.com/gpu", "memory > 40959 | memory not there", isTrue, ""},
		{13, "plugin H100×4 with GFD, D, a cpu node, 160Gi vllm", named, []machine{plain(h100(gpus(4))), d, plain(cpuNode())}, nil,
			`{type: gpu, gpuMemory: 160Gi, backend: vllm}`, "4 nvidia.com/gpu, tensor parallel 4", "memory > 40959, whole | memory not there", isTrue, ""},
		{14, "plugin T4×4 without GFD, D with a label, 40Gi", named, []machine{plain(gpuNode("T4", 0, gpus(4), noLabels())), dra(h100s(4), label(draDriver, "true"))},
			nil, `{type: gpu, gpuMemory: 40Gi}`, "1 nvidia.com/gpu", "memory > 40959 | deploy.dra-driver in true", isTrue, ""},
		{14, "the same without the label", named, []machine{plain(gpuNode("T4", 0, gpus(4), noLabels())), d},
			nil, `{type: gpu, gpuMemory: 40Gi}`, "1 R/gpu.nvidia.com", "", isTrue, ""},
		{15, "static MIG, 20Gi", ofSlices, []machine{static}, nil, `{type: gpu, gpuMemory: 20Gi}`, "1 R/gpu-20gi", "", isTrue, ""},
		{15, "static MIG, 60Gi", ofSlices, []machine{static}, nil, `{type: gpu, gpuMemory: 60Gi}`, "1 nvidia.com/gpu", "memory > 61439", isFalse,
			"needs 61440Mi on one GPU, has 40448Mi on a MIG slice"},
		{15, "static MIG, any by nvidia.com/gpu", named, []machine{static}, nil, `{type: gpu}`, "1 nvidia.com/gpu", "", isFalse, "no DeviceClass selects them"},
		{15, "static MIG, any", ofSlices, []machine{static}, nil, `{type: gpu}`, "1 R/gpu-20gi", "", isTrue, ""},
		{16, "dynamic MIG, 20Gi", ofSlices, []machine{dynamic}, nil, `{type: gpu, gpuMemory: 20Gi}`, "1 R/gpu-20gi", "", isTrue, ""},
		{16, "dynamic MIG, 60Gi, which two slices have", ofSlices, []machine{dynamic}, nil, `{type: gpu, gpuMemory: 60Gi}`, "1 R/gpu-60gi", "", isTrue, ""},
		{16, "dynamic MIG, 160Gi, which all its slices have", ofSlices, []machine{dynamic}, nil, `{type: gpu, gpuMemory: 160Gi}`, "1 nvidia.com/gpu", "*", isFalse, ""},
		{16, "four GPUs with counters for two, 160Gi", named, []machine{budget}, nil, `{type: gpu, gpuMemory: 150Gi}`, "2 nvidia.com/gpu", "", isTrue, ""},
		{16, "the same, three GPUs", named, []machine{budget}, nil, `{type: gpu, gpuMemory: 230Gi}`, "*", "*", isFalse, "needs 3 GPUs on one node, has 2 with 81559Mi each"},
		{16, "one with all of the counters, two with half", named, []machine{unequal}, nil, `{type: gpu, gpuMemory: 150Gi}`, "2 nvidia.com/gpu", "", isTrue, ""},
		{16, "the same, three GPUs", named, []machine{unequal}, nil, `{type: gpu, gpuMemory: 230Gi}`, "*", "*", isFalse, "needs 3 GPUs on one node, has 2 with 81559Mi each"},
		{16, "counters that are not there", named, []machine{mistaken}, nil, `{type: gpu}`, "*", "*", isFalse, "take from counters which are not there"},
		{17, "a GPU without memory, 40Gi", tiered, []machine{memoryless}, nil, `{type: gpu, gpuMemory: 40Gi}`, "1 nvidia.com/gpu", "memory > 40959", isNoLabel,
			"its ResourceSlices do not tell how much memory a device of DeviceClass gpu.nvidia.com has"},
		{17, "the same and D", tiered, []machine{memoryless, d}, nil, `{type: gpu, gpuMemory: 40Gi}`, "1 R/gpu-40gi", "", isTrue, ""},
		{17, "the same, class without guard", bare, []machine{memoryless, d}, nil, `{type: gpu, gpuMemory: 40Gi}`, "1 nvidia.com/gpu", "*", isNoLabel, "no such key: memory"},
		{17, "any GPU, the class of the resource without guard", []*resourcev1.DeviceClass{deviceClass("bare", "nvidia.com/gpu", ofNVIDIA+memoryOf+`.compareTo(quantity('40Gi')) >= 0`)},
			[]machine{memoryless, d}, nil, `{type: gpu}`, "1 nvidia.com/gpu", "*", isFalse, "no Pod of its DeviceClass bare is scheduled"},
		{18, "all devices tainted", named, []machine{dra(h100s(4, deviceTaint))}, nil, `{type: gpu}`, "1 nvidia.com/gpu", "", isFalse, "all 4 devices of its DeviceClass gpu.nvidia.com are tainted"},
		{18, "node tainted sku=gpu", named, []machine{dra(h100s(4), taint("sku", "gpu"))}, nil, `{type: gpu}`, "1 nvidia.com/gpu", "", isFalse, "has the taint sku=gpu:NoSchedule"},
		{18, "node tainted nvidia.com/gpu", named, []machine{dra(h100s(4), taint("nvidia.com/gpu", ""))}, nil, `{type: gpu}`, "1 nvidia.com/gpu", "", isTrue, ""},
		{19, "one of two slices", named, []machine{half}, nil, `{type: gpu}`, "1 nvidia.com/gpu", "", isFalse, "has 1 of 2 ResourceSlices"},
		{19, "generation 2 has one GPU, generation 1 four; 2 GPUs", named, []machine{renewed}, nil, `{type: gpu, gpuMemory: 160000Mi}`, "1 nvidia.com/gpu", "memory > 159999", isFalse, "has 81559Mi, and one GPU on a node"},
		{19, "slices without any class", nil, []machine{d}, nil, `{type: gpu}`, "1 nvidia.com/gpu", "", isFalse, "create one with extendedResourceName: nvidia.com/gpu"},
		{20, "plugin 1 and slices 4 on a node, 80Gi", named, []machine{{node: h100(gpus(1)), devices: h100s(4)}}, nil, `{type: gpu, gpuMemory: 80Gi}`, "1 nvidia.com/gpu", "memory > 81919", isFalse, ""},
		{20, "sharable with default all, ×2", named, []machine{dra(h100s(2, sharable("81559Mi")))}, nil, `{type: gpu, gpuMemory: 80Gi}`, "2 nvidia.com/gpu", "", isTrue, ""},
		{20, "default 0", named, []machine{dra(h100s(2, sharable("0")))}, nil, `{type: gpu}`, "1 nvidia.com/gpu", "*", isFalse, "gpu.sharing.timeSlicing: Allow"},
		{20, "default 0, allowed", named, []machine{dra(h100s(2, sharable("0")))}, allow, `{type: gpu}`, "1 nvidia.com/gpu", "*", isTrue, ""},
		{20, "default a part", named, []machine{dra(h100s(2, sharable("20Gi")))}, allow, `{type: gpu, gpuMemory: 10Gi}`, "*", "*", isFalse, "gpu.sharing.mps: Allow"},
		{20, "default a part, allowed, 20Gi", named, []machine{dra(h100s(2, sharable("20Gi")))}, parts, `{type: gpu, gpuMemory: 20Gi}`, "1 nvidia.com/gpu", "", isTrue, ""},
		{20, "the same, 40Gi, which the device has", named, []machine{dra(h100s(2, sharable("20Gi")))}, parts, `{type: gpu, gpuMemory: 40Gi}`, "*", "*", isFalse, "has 20480Mi on a shared GPU"},
		{20, "40 GPUs, 33 GPUs", named, []machine{dra(h100s(40))}, nil, fmt.Sprintf(`{type: gpu, gpuMemory: %dMi}`, 33*81559), "*", "*", isFalse,
			"needs 33 devices with 81559Mi each, and a Pod can ask for 32"},
	}
	for _, tc := range cases {
		t.Run(fmt.Sprintf("%d %s", tc.number, tc.what), func(t *testing.T) {
			resources, refusal := admit(t, tc.task)
			if refusal != "" {
				t.Fatal(refusal)
			}
			got := Resolve(RequirementOf(resources), inventoryWith(tc.config, tc.classes, tc.machines...))
			asks := strings.ReplaceAll(asked(&got.Placement), resourcev1.ResourceDeviceClassPrefix, "R/")
			selects := strings.ReplaceAll(selected(&got.Placement), ", time-sliced", "") // what brief says of terms that exclude nothing
			if tc.want == "*" {
				asks = "*"
			}
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
			if count := got.Placement.GPU.Count; count > maxDevices {
				t.Errorf("want %d devices at most, got %d", maxDevices, count)
			}
		})
	}
}

// TestDeviceGuards: what looks like a supply of devices and is none, or may be none.
func TestDeviceGuards(t *testing.T) {
	named := []*resourcev1.DeviceClass{wholeGPUs("nvidia.com/gpu")}
	selecting := func(label string) machine {
		m := dra(h100s(4))
		m.edit = func(s *resourcev1.ResourceSliceSpec) {
			s.NodeName = nil
			s.NodeSelector = &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{absent(label)}}}}
		}
		return m
	}
	driver := func(m machine, name string) machine {
		m.edit = func(s *resourcev1.ResourceSliceSpec) { s.Driver = name }
		return m
	}
	nic := resourcev1.Device{Attributes: map[resourcev1.QualifiedName]resourcev1.DeviceAttribute{"ifName": {StringValue: ptr.To("eth1")}}}
	everything := []*resourcev1.DeviceClass{deviceClass("everything", "", "true"), named[0]}
	restarting := dra(h100s(4), gpus(0), func(n *corev1.Node) {
		n.Status.Capacity = corev1.ResourceList{"nvidia.com/gpu": resource.MustParse("4")}
	})

	for name, tc := range map[string]struct {
		classes  []*resourcev1.DeviceClass
		machines []machine
		config   func(*Config)
		implicit bool
		// want is the verdict, says is in its message, and not is not among what the Pod asks for.
		want, says, not string
	}{
		"a slice for nodes by a label that is read": {named, []machine{selecting(corev1.LabelTopologyZone)}, nil, true, isTrue, "", ""},
		"a slice for nodes by a label that is not read": {named, []machine{selecting("example.com/rack")}, nil, true, isNoNode,
			"by the label example.com/rack, which is not read", ""},
		"GPUs of another maker": {[]*resourcev1.DeviceClass{deviceClass("amd", "", `device.driver == 'gpu.amd.com'`)}, []machine{driver(dra(h100s(4)), "gpu.amd.com")},
			nil, true, isNoNode, "none of the nodes has a GPU", "amd"},
		"the maker that is configured": {[]*resourcev1.DeviceClass{deviceClass("amd", "", `device.driver == 'gpu.amd.com'`)}, []machine{driver(dra(h100s(4)), "gpu.amd.com")},
			func(c *Config) { c.ResourceName = "amd.com/gpu" }, true, isTrue, "by the devices of DeviceClass amd", ""},
		"a class that selects network cards, too": {everything[:1], []machine{dra(append(h100s(1), nic))}, nil, true, isFalse, "selects devices, too, that are other ones", ""},
		"beside one of GPUs alone":                {everything, []machine{dra(append(h100s(1), nic))}, nil, true, isTrue, "by the devices of DeviceClass gpu.nvidia.com", "everything"},
		"no names, and an API server of no version": {[]*resourcev1.DeviceClass{wholeGPUs("")}, []machine{dra(h100s(4))}, nil, false, isNoNode,
			"it is not known that Kubernetes is of version 1.36 or later", ""},
		"a device plugin that restarts": {named, []machine{restarting}, nil, true, isFalse, "its device plugin and its ResourceSlices give the same GPUs", ""},
		"devices are ignored":           {named, []machine{dra(h100s(4))}, func(c *Config) { c.IgnoreDevices = true }, true, isNoNode, "none of the nodes has a GPU", ""},
		"the class's name is another device plugin's, too": {[]*resourcev1.DeviceClass{deviceClass("own", "example.com/gpu", ofType+`== 'gpu'`)},
			[]machine{plain(cpuNode(quantity("example.com/gpu", "4"))), dra(h100s(4))}, nil, true, isTrue, "DeviceClass own", "example.com/gpu"},
	} {
		t.Run(name, func(t *testing.T) {
			config := DefaultConfig()
			if tc.config != nil {
				tc.config(&config)
			}
			nodes, published := publish(tc.classes, tc.machines...)
			published.ImplicitNames = tc.implicit
			builder := NewBuilder(config)
			builder.SetDevices(devices.NewInventory(published))
			for _, node := range nodes {
				builder.Set(config.Slim(node)) // as a cache has it
			}
			got := Resolve(gpuTask(40<<10), builder.Inventory())
			if verdict := fmt.Sprintf("%s/%s", got.Verdict.Status, got.Verdict.Reason); verdict != tc.want || !strings.Contains(got.Verdict.Message(), tc.says) {
				t.Errorf("want %s %q, got %s: %s", tc.want, tc.says, verdict, got.Verdict.Message())
			}
			if asks := asked(&got.Placement); tc.not != "" && strings.Contains(asks, tc.not) {
				t.Errorf("it asks for %s", asks)
			}
		})
	}
}

// TestDevicesComeAndGo: what is published anew is taken over for all nodes, and makes a change only where it is one.
func TestDevicesComeAndGo(t *testing.T) {
	nodes, published := publish([]*resourcev1.DeviceClass{wholeGPUs("nvidia.com/gpu")}, dra(h100s(4)), plain(cpuNode()))
	builder := NewBuilder(DefaultConfig())
	for _, node := range nodes {
		builder.Set(node)
	}
	status := func() metav1.ConditionStatus { return Resolve(gpuTask(40<<10), builder.Inventory()).Verdict.Status }
	if got := status(); got != metav1.ConditionUnknown {
		t.Errorf("before: %s", got)
	}
	if !builder.SetDevices(devices.NewInventory(published)) || status() != metav1.ConditionTrue {
		t.Errorf("devices came, and it is %s", status())
	}
	if revision := builder.Revision(); builder.SetDevices(devices.NewInventory(published)) || builder.Revision() != revision {
		t.Error("the same devices are a change")
	}
	published.Slices = nil
	if !builder.SetDevices(devices.NewInventory(published)) || status() != metav1.ConditionUnknown {
		t.Errorf("devices went, and it is %s", status())
	}
}
