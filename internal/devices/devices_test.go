package devices

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
)

const nvidia = "gpu.nvidia.com"

// Selectors of NVIDIA's driver, and of classes by memory as docs/placement.md writes them.
const (
	wholeGPU = `device.driver == 'gpu.nvidia.com' && device.attributes['gpu.nvidia.com'].type == 'gpu'`
	anyMIG   = `device.driver == 'gpu.nvidia.com' && device.attributes['gpu.nvidia.com'].type == 'mig'`
)

func ofMemory(least string) string {
	return fmt.Sprintf(`device.driver == 'gpu.nvidia.com' && has(device.capacity['gpu.nvidia.com'].memory) && `+
		`device.capacity['gpu.nvidia.com'].memory.compareTo(quantity('%s')) >= 0`, least)
}

// all reads each label of a node.
func all(string) bool { return true }

func deviceClass(name, extended string, selectors ...string) *resourcev1.DeviceClass {
	c := &resourcev1.DeviceClass{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if extended != "" {
		c.Spec.ExtendedResourceName = &extended
	}
	for _, s := range selectors {
		c.Spec.Selectors = append(c.Spec.Selectors, resourcev1.DeviceSelector{CEL: &resourcev1.CELDeviceSelector{Expression: s}})
	}
	return c
}

func gpu(name, memory string, edits ...func(*resourcev1.Device)) resourcev1.Device {
	d := resourcev1.Device{Name: name, Attributes: map[resourcev1.QualifiedName]resourcev1.DeviceAttribute{
		"type": {StringValue: ptr.To("gpu")}, "productName": {StringValue: ptr.To("NVIDIA of " + memory)},
	}}
	if memory != "" {
		d.Capacity = map[resourcev1.QualifiedName]resourcev1.DeviceCapacity{"memory": {Value: resource.MustParse(memory)}}
	}
	for _, edit := range edits {
		edit(&d)
	}
	return d
}

func mig(d *resourcev1.Device) {
	d.Attributes["type"] = resourcev1.DeviceAttribute{StringValue: ptr.To("mig")}
}

func taint(effect resourcev1.DeviceTaintEffect) func(*resourcev1.Device) {
	return func(d *resourcev1.Device) {
		d.Taints = append(d.Taints, resourcev1.DeviceTaint{Key: "bad", Effect: effect})
	}
}

func consumes(slices string) func(*resourcev1.Device) {
	return func(d *resourcev1.Device) {
		d.ConsumesCounters = []resourcev1.DeviceCounterConsumption{{
			CounterSet: "gpu-0", Counters: map[string]resourcev1.Counter{"memory-slices": {Value: resource.MustParse(slices)}},
		}}
	}
}

func sharable(byDefault string) func(*resourcev1.Device) {
	return func(d *resourcev1.Device) {
		d.AllowMultipleAllocations = ptr.To(true)
		memory := d.Capacity["memory"]
		memory.RequestPolicy = &resourcev1.CapacityRequestPolicy{Default: ptr.To(resource.MustParse(byDefault))}
		d.Capacity["memory"] = memory
	}
}

// sliceOf returns the only slice of node1's pool.
func sliceOf(devices ...resourcev1.Device) *resourcev1.ResourceSlice {
	return &resourcev1.ResourceSlice{ObjectMeta: metav1.ObjectMeta{Name: "s"}, Spec: resourcev1.ResourceSliceSpec{
		Driver: nvidia, NodeName: ptr.To("node1"), Devices: devices,
		Pool: resourcev1.ResourcePool{Name: "node1", Generation: 1, ResourceSliceCount: 1},
	}}
}

func compacted(slices ...*resourcev1.ResourceSlice) []*Slice {
	var out []*Slice
	for _, slice := range slices {
		out = append(out, Compact(slice))
	}
	return out
}

func edited(slice *resourcev1.ResourceSlice, edit func(*resourcev1.ResourceSliceSpec)) *resourcev1.ResourceSlice {
	edit(&slice.Spec)
	return slice
}

func several(n int, memory string) []resourcev1.Device {
	var devices []resourcev1.Device
	for i := range n {
		devices = append(devices, gpu(fmt.Sprintf("gpu-%d", i), memory))
	}
	return devices
}

// summary says what is handed out, in one line a supply.
func summary(supplies []Supply) string {
	var lines []string
	for _, s := range supplies {
		line := fmt.Sprintf("%s: %d of %d MiB", s.Class, s.Count, s.Memory)
		for word, is := range map[string]bool{" at least": s.AtLeast} {
			if is {
				line += word
			}
		}
		if s.Partitions {
			line += ", partitions"
		}
		if s.Shared {
			line += ", shared"
		}
		if s.Divided {
			line += ", divided"
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

func TestSupplies(t *testing.T) {
	tier := deviceClass("gpu-20gi", "", ofMemory("20Gi"))
	whole := deviceClass("gpu.nvidia.com", "nvidia.com/gpu", wholeGPU)
	cases := map[string]struct {
		classes []*resourcev1.DeviceClass
		slices  []*resourcev1.ResourceSlice
		rules   []*resourcev1.DeviceTaintRule
		want    string
	}{
		"Four of one kind (cases 1 to 5)": {
			classes: []*resourcev1.DeviceClass{whole}, slices: []*resourcev1.ResourceSlice{sliceOf(several(4, "81559Mi")...)},
			want: "gpu.nvidia.com: 4 of 81559 MiB",
		},
		"Two kinds on one node (case 8)": {
			classes: []*resourcev1.DeviceClass{whole, deviceClass("gpu-40gi", "", ofMemory("40Gi"))},
			slices:  []*resourcev1.ResourceSlice{sliceOf(gpu("a", "15360Mi"), gpu("b", "15360Mi"), gpu("c", "143771Mi"))},
			want:    "gpu-40gi: 1 of 143771 MiB\ngpu.nvidia.com: 3 of 15360 MiB",
		},
		"Static MIG (case 15)": {
			classes: []*resourcev1.DeviceClass{tier, deviceClass("mig.nvidia.com", "", anyMIG), whole},
			slices:  []*resourcev1.ResourceSlice{sliceOf(gpu("m0", "40448Mi", mig), gpu("m1", "9984Mi", mig), gpu("m2", "9984Mi", mig))},
			want:    "gpu-20gi: 1 of 40448 MiB, partitions\nmig.nvidia.com: 3 of 9984 MiB, partitions",
		},
		"Dynamic MIG (case 16)": {
			classes: []*resourcev1.DeviceClass{tier},
			slices: []*resourcev1.ResourceSlice{edited(sliceOf(gpu("whole", "81559Mi", consumes("8")), gpu("half-0", "40448Mi", mig, consumes("4")),
				gpu("half-1", "40448Mi", mig, consumes("4")), gpu("seventh", "9984Mi", mig, consumes("1"))), func(s *resourcev1.ResourceSliceSpec) {
				s.SharedCounters = []resourcev1.CounterSet{{Name: "gpu-0", Counters: map[string]resourcev1.Counter{
					"memory-slices": {Value: resource.MustParse("8")},
				}}}
			})},
			want: "gpu-20gi: 2 of 40448 MiB, partitions",
		},
		"Counters of another set make the pool invalid": {
			classes: []*resourcev1.DeviceClass{whole},
			slices:  []*resourcev1.ResourceSlice{sliceOf(gpu("a", "80Gi", consumes("1")), gpu("b", "80Gi"))},
		},
		"A GPU without memory (case 17)": {
			classes: []*resourcev1.DeviceClass{whole, tier}, slices: []*resourcev1.ResourceSlice{sliceOf(gpu("a", ""))},
			want: "gpu.nvidia.com: 1 of 0 MiB",
		},
		"All tainted (case 18)": {
			classes: []*resourcev1.DeviceClass{whole},
			slices: []*resourcev1.ResourceSlice{sliceOf(gpu("a", "80Gi", taint(resourcev1.DeviceTaintEffectNoSchedule)),
				gpu("b", "80Gi", taint(resourcev1.DeviceTaintEffectNoExecute)), gpu("c", "80Gi", taint(resourcev1.DeviceTaintEffectNone)))},
			want: "gpu.nvidia.com: 1 of 81920 MiB",
		},
		"Tainted by a rule": {
			classes: []*resourcev1.DeviceClass{whole}, slices: []*resourcev1.ResourceSlice{sliceOf(several(3, "80Gi")...)},
			rules: []*resourcev1.DeviceTaintRule{
				{Spec: resourcev1.DeviceTaintRuleSpec{
					DeviceSelector: &resourcev1.DeviceTaintSelector{Driver: ptr.To(nvidia), Pool: ptr.To("node1"), Device: ptr.To("gpu-1")},
					Taint:          resourcev1.DeviceTaint{Key: "sick", Effect: resourcev1.DeviceTaintEffectNoSchedule},
				}},
				{Spec: resourcev1.DeviceTaintRuleSpec{
					DeviceSelector: &resourcev1.DeviceTaintSelector{Pool: ptr.To("node2")},
					Taint:          resourcev1.DeviceTaint{Key: "sick", Effect: resourcev1.DeviceTaintEffectNoSchedule},
				}},
			},
			want: "gpu.nvidia.com: 2 of 81920 MiB",
		},
		"A pool with a missing slice (case 19)": {
			classes: []*resourcev1.DeviceClass{whole},
			slices: []*resourcev1.ResourceSlice{edited(sliceOf(several(2, "80Gi")...), func(s *resourcev1.ResourceSliceSpec) {
				s.Pool.ResourceSliceCount = 2
			})},
		},
		"An old generation (case 19)": {
			classes: []*resourcev1.DeviceClass{whole},
			slices: []*resourcev1.ResourceSlice{sliceOf(several(4, "80Gi")...), edited(sliceOf(several(1, "80Gi")...),
				func(s *resourcev1.ResourceSliceSpec) { s.Pool.Generation = 2 })},
			want: "gpu.nvidia.com: 1 of 81920 MiB",
		},
		"No class (case 19)":  {slices: []*resourcev1.ResourceSlice{sliceOf(several(4, "80Gi")...)}},
		"A device name twice": {classes: []*resourcev1.DeviceClass{whole}, slices: []*resourcev1.ResourceSlice{sliceOf(gpu("a", "80Gi"), gpu("a", "80Gi"))}},
		"Shared by default":   {classes: []*resourcev1.DeviceClass{whole}, slices: []*resourcev1.ResourceSlice{sliceOf(gpu("a", "80Gi", sharable("0")))}, want: "gpu.nvidia.com: 1 of 81920 MiB, shared"},
		"Shared by default, each a part": {
			classes: []*resourcev1.DeviceClass{whole}, slices: []*resourcev1.ResourceSlice{sliceOf(gpu("a", "80Gi", sharable("20Gi")))},
			want: "gpu.nvidia.com: 1 of 20480 MiB, divided",
		},
		"More by default than there is": {
			classes: []*resourcev1.DeviceClass{whole}, slices: []*resourcev1.ResourceSlice{sliceOf(gpu("a", "80Gi", sharable("81Gi")), gpu("b", "80Gi"))},
			want: "gpu.nvidia.com: 1 of 81920 MiB",
		},
		"Shared, and nothing is counted": {
			classes: []*resourcev1.DeviceClass{whole},
			slices:  []*resourcev1.ResourceSlice{sliceOf(gpu("a", "", func(d *resourcev1.Device) { d.AllowMultipleAllocations = ptr.To(true) }))},
			want:    "gpu.nvidia.com: 1 of 0 MiB, shared",
		},
		"Sharable, all by default (case 20)": {
			classes: []*resourcev1.DeviceClass{whole}, slices: []*resourcev1.ResourceSlice{sliceOf(gpu("a", "80Gi", sharable("80Gi")))},
			want: "gpu.nvidia.com: 1 of 81920 MiB",
		},
		"More than a Pod can ask for (case 20)": {
			classes: []*resourcev1.DeviceClass{whole}, slices: []*resourcev1.ResourceSlice{sliceOf(several(40, "80Gi")...)},
			want: "gpu.nvidia.com: 32 of 81920 MiB",
		},
		"Another node's": {
			classes: []*resourcev1.DeviceClass{whole},
			slices:  []*resourcev1.ResourceSlice{edited(sliceOf(several(1, "80Gi")...), func(s *resourcev1.ResourceSliceSpec) { s.NodeName = ptr.To("node2") })},
		},
		"By a selector, for all, and by each device": {
			classes: []*resourcev1.DeviceClass{whole},
			slices: []*resourcev1.ResourceSlice{
				edited(sliceOf(gpu("a", "80Gi")), func(s *resourcev1.ResourceSliceSpec) {
					s.Pool.Name, s.NodeName, s.NodeSelector = "selected", nil, zone("here")
				}),
				edited(sliceOf(gpu("a", "70Gi")), func(s *resourcev1.ResourceSliceSpec) {
					s.Pool.Name, s.NodeName, s.NodeSelector = "elsewhere", nil, zone("there")
				}),
				edited(sliceOf(gpu("a", "60Gi")), func(s *resourcev1.ResourceSliceSpec) {
					s.Pool.Name, s.NodeName, s.AllNodes = "all", nil, ptr.To(true)
				}),
				edited(sliceOf(gpu("a", "50Gi", func(d *resourcev1.Device) { d.NodeName = ptr.To("node1") }),
					gpu("b", "40Gi", func(d *resourcev1.Device) { d.NodeName = ptr.To("node2") })), func(s *resourcev1.ResourceSliceSpec) {
					s.Pool.Name, s.NodeName, s.PerDeviceNodeSelection = "each", nil, ptr.To(true)
				}),
			},
			want: "gpu.nvidia.com: 3 of 51200 MiB",
		},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node1", Labels: map[string]string{corev1.LabelTopologyZone: "here"}}}
			got := summary(NewInventory(Published{Classes: tc.classes, Slices: compacted(tc.slices...), Rules: tc.rules, ImplicitNames: true}).Node(node, all).Supplies)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func zone(name string) *corev1.NodeSelector {
	return &corev1.NodeSelector{NodeSelectorTerms: []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{
		{Key: corev1.LabelTopologyZone, Operator: corev1.NodeSelectorOpIn, Values: []string{name}},
	}}}}
}

// TestClasses: which names a class has, and why it may not work.
func TestClasses(t *testing.T) {
	at := func(c *resourcev1.DeviceClass, seconds int64) *resourcev1.DeviceClass {
		c.CreationTimestamp = metav1.NewTime(time.Unix(seconds, 0))
		return c
	}
	classes := []*resourcev1.DeviceClass{
		at(deviceClass("old", "nvidia.com/gpu", wholeGPU), 1), at(deviceClass("new", "nvidia.com/gpu", wholeGPU), 2),
		at(deviceClass("same-age", "nvidia.com/gpu", wholeGPU), 2), deviceClass("broken", "", "device.driver =="),
		deviceClass("unguarded", "", `device.capacity['gpu.nvidia.com'].memory.compareTo(quantity('40Gi')) >= 0`), deviceClass("none", "", "false"),
		{ObjectMeta: metav1.ObjectMeta{Name: "empty-selector"}, Spec: resourcev1.DeviceClassSpec{Selectors: []resourcev1.DeviceSelector{{}}}},
	}
	var got []string
	for _, c := range NewInventory(Published{Classes: classes, Slices: compacted(sliceOf(gpu("a", "80Gi"), gpu("b", "")))}).Classes() {
		failure, _, _ := strings.Cut(c.Failure, ":")
		got = append(got, strings.Join([]string{c.Name, strings.Join(c.Resources, " "), fmt.Sprint(c.Devices, c.Memory), failure}, " | "))
	}
	want := []string{
		"broken | deviceclass.resource.kubernetes.io/broken | 0 0 | compilation failed",
		"empty-selector | deviceclass.resource.kubernetes.io/empty-selector | 0 0 | a selector has no CEL expression",
		"new | nvidia.com/gpu deviceclass.resource.kubernetes.io/new | 2 0 | ",
		"none | deviceclass.resource.kubernetes.io/none | 0 0 | ",
		"old | deviceclass.resource.kubernetes.io/old | 2 0 | ",
		"same-age | deviceclass.resource.kubernetes.io/same-age | 2 0 | ",
		"unguarded | deviceclass.resource.kubernetes.io/unguarded | 1 81920 | it fails on device b of driver gpu.nvidia.com",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestUnusableClass: a class that fails on a device of any node hands out nothing on any.
func TestUnusableClass(t *testing.T) {
	other := edited(sliceOf(gpu("b", "")), func(s *resourcev1.ResourceSliceSpec) { s.NodeName, s.Pool.Name = ptr.To("node2"), "node2" })
	class := deviceClass("unguarded", "", `device.capacity['gpu.nvidia.com'].memory.compareTo(quantity('40Gi')) >= 0`)
	node := &corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node1"}}
	published := Published{Classes: []*resourcev1.DeviceClass{class}, Slices: compacted(sliceOf(gpu("a", "80Gi")))}
	if got := NewInventory(published).Node(node, all).Supplies; len(got) != 1 || got[0].Count != 1 || got[0].Failure != "" {
		t.Errorf("alone: %v", got)
	}
	published.Slices = append(published.Slices, Compact(other))
	if got := NewInventory(published).Node(node, all).Supplies; len(got) != 1 || got[0].Count != 0 || got[0].Failure == "" {
		t.Errorf("beside a device on which it fails: %v", got)
	}
}

// taking has a device take an amount from a counter.
func taking(set, counter string, amount resource.Quantity) func(*resourcev1.Device) {
	return func(d *resourcev1.Device) {
		d.ConsumesCounters = []resourcev1.DeviceCounterConsumption{{CounterSet: set, Counters: map[string]resourcev1.Counter{counter: {Value: amount}}}}
	}
}

// TestLongQuantities: what would take minutes to read as a quantity is not read. Each of these takes minutes, if it is.
func TestLongQuantities(t *testing.T) {
	const own, attribute = "a selector has a quantity with a long exponent", "it fails on device a of driver gpu.nvidia.com: its attribute size is a quantity with a long"
	for expression, want := range map[string]string{
		`quantity('1e-99999999').isGreaterThan(quantity('1'))`:    own,
		`isQuantity('1e-99999999')`:                               own,
		`['1e-99999999'].all(x, isQuantity(x))`:                   own,
		`isQuantity('1e-9' + '9999999')`:                          own,
		`['1e-9', '9999999'].map(x, x + x).all(x, isQuantity(x))`: own,
		`isQuantity(['1e-9', '9999999'].join())`:                  own,
		`isQuantity(string(device.driver))`:                       own,
		`isQuantity(device.attributes['gpu.nvidia.com'].size)`:    attribute,
		`device.attributes['gpu.nvidia.com'].exists(k, isQuantity(device.attributes['gpu.nvidia.com'].?size.orValue('')))`:      attribute,
		`device.attributes['gpu.nvidia.com'].size == '1e-99999999'`:                                                             "",
		`device.capacity['gpu.nvidia.com'].memory.compareTo(quantity('1e9')) >= 0`:                                              "",
		`device.driver + '/' == 'x' || device.capacity['gpu.nvidia.com'].memory.isLessThan(quantity('1Gi'))`:                    "",
		`quantity(device.attributes['gpu.nvidia.com'].?type.orValue('') == 'gpu' ? '1Gi' : '2Gi').isLessThan(quantity('1e12'))`: attribute,
	} {
		slice := sliceOf(gpu("a", "80Gi", func(d *resourcev1.Device) {
			d.Attributes["size"] = resourcev1.DeviceAttribute{StringValue: ptr.To("1e-99999999")}
		}))
		inventory := NewInventory(Published{Classes: []*resourcev1.DeviceClass{deviceClass("c", "", expression)}, Slices: compacted(slice)})
		if got := inventory.Class("c").Failure; want == "" && got != "" || !strings.HasPrefix(got, want) {
			t.Errorf("%s: want %q, got %q", expression, want, got)
		}
	}
}

// smallExponent leaves out quantities such as 1e-99999999, which take minutes to read: no API server passes one on as a capacity.
var smallExponent = regexp.MustCompile(`^[^eE]{0,40}([eE][-+]?[0-9]{0,3})?$`)

// FuzzSupplies: whatever classes and devices say, nothing panics, and no supply is negative or larger than a Pod can ask for.
func FuzzSupplies(f *testing.F) {
	f.Add(wholeGPU, "type", "gpu", "memory", "80Gi", int64(1), "8")
	f.Add("device.attributes['x'].all(a, a != '')", "gpu.nvidia.com/type", "mig", "gpu.nvidia.com/memory", "-1", int64(-5), "-8")
	f.Add("true", "", "", "", "1e999", int64(0), "0")
	f.Fuzz(func(t *testing.T, expression, attribute, value, capacity, amount string, generation int64, counter string) {
		const most = 300 // long texts take the parsers of CEL and of quantities time, and show nothing that short ones do not
		if len(expression)+len(attribute)+len(value)+len(capacity) > most || !smallExponent.MatchString(amount) || !smallExponent.MatchString(counter) {
			t.Skip()
		}
		quantity, err := resource.ParseQuantity(amount)
		counted, wrong := resource.ParseQuantity(counter)
		if err != nil || wrong != nil {
			t.Skip()
		}
		slice := edited(sliceOf(gpu("a", "80Gi", func(d *resourcev1.Device) {
			d.Attributes[resourcev1.QualifiedName(attribute)] = resourcev1.DeviceAttribute{StringValue: &value}
			d.Capacity[resourcev1.QualifiedName(capacity)] = resourcev1.DeviceCapacity{Value: quantity}
			d.ConsumesCounters = []resourcev1.DeviceCounterConsumption{{CounterSet: value, Counters: map[string]resourcev1.Counter{attribute: {Value: counted}}}}
		}), gpu("b", ""), gpu("c", "80Gi", taking(value, attribute, quantity)), gpu("d", "80Gi", taking(value, attribute, counted))),
			func(s *resourcev1.ResourceSliceSpec) {
				s.Pool.Generation = generation
				s.SharedCounters = []resourcev1.CounterSet{{Name: value, Counters: map[string]resourcev1.Counter{attribute: {Value: quantity}}}}
			})
		inventory := NewInventory(Published{
			Classes: []*resourcev1.DeviceClass{deviceClass("c", attribute, expression)}, Slices: compacted(slice),
		})
		for _, s := range inventory.Node(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "node1"}}, all).Supplies {
			if s.Count < 0 || s.Count > maxRequested || s.Memory < 0 {
				t.Fatalf("%+v", s)
			}
		}
	})
}
