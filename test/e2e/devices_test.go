package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
	corev1 "k8s.io/api/core/v1"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/devices"
	"github.com/maze-agent/maregister/internal/placement"
	"github.com/maze-agent/maregister/test/testutil"
)

const deviceClusters = 40

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
	// shared lets several Pods have it, each of which takes none of it for itself. counters is what it takes of 8 that its node has.
	shared   bool
	counters int64
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
	{"plugin-t4", nil, discovered("T4", "15360", "4"), 4},
	{"plugin-h100", nil, discovered("H100", "81559", "4"), 4},
	{"plugin-bare", nil, nil, 4},
	{"cpu", nil, nil, -1},
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
		if gpu.tainted {
			d.Taints = []resourcev1.DeviceTaint{{Key: "example.com/sick", Effect: resourcev1.DeviceTaintEffectNoSchedule}}
		}
		if gpu.shared {
			memory := d.Capacity["memory"]
			none := resource.MustParse("0")
			memory.RequestPolicy = &resourcev1.CapacityRequestPolicy{Default: &none, ValidRange: &resourcev1.CapacityRequestPolicyRange{Min: &none}}
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

// A placement by devices is right if kube-scheduler agrees, and hands out devices that have enough memory.
var _ = Describe("A placement by Dynamic Resource Allocation", Ordered, func() {
	AfterEach(func(ctx context.Context) {
		for _, kind := range []client.Object{&corev1.Node{}, &resourcev1.ResourceSlice{}, &resourcev1.DeviceClass{}} {
			Expect(k8s.DeleteAllOf(ctx, kind)).To(Succeed())
		}
	})

	It(fmt.Sprintf("is what kube-scheduler makes of it, for %d clusters", deviceClusters), func(ctx context.Context) {
		seed := uint64(GinkgoRandomSeed())
		GinkgoWriter.Printf("seed %d: repeat with -ginkgo.seed=%d\n", seed, seed)
		random := rand.New(rand.NewPCG(seed, 2))
		counts := map[metav1.ConditionStatus]int{}
		for i := range deviceClusters {
			for status, n := range agreeOnDevices(ctx, random, i) {
				counts[status] += n
			}
		}
		AddReportEntry("verdicts with which kube-scheduler agreed", fmt.Sprint(counts))
		Expect(counts[metav1.ConditionTrue]).To(BeNumerically(">", deviceClusters), "the generator makes too few that are True")
		Expect(counts[metav1.ConditionFalse]+counts[metav1.ConditionUnknown]).To(BeNumerically(">", deviceClusters), "the generator makes too few that are not")
	})
})

// agreeOnDevices makes a cluster, and compares some tasks' verdicts with what kube-scheduler does. It returns how many there were of each status.
func agreeOnDevices(ctx context.Context, random *rand.Rand, number int) map[metav1.ConditionStatus]int {
	GinkgoHelper()
	for _, kind := range []client.Object{&corev1.Node{}, &resourcev1.ResourceSlice{}, &resourcev1.DeviceClass{}} {
		Expect(k8s.DeleteAllOf(ctx, kind)).To(Succeed())
	}
	published, config := devices.Published{ImplicitNames: true}, placement.DefaultConfig()
	builder := placement.NewBuilder(config)
	memory := map[string]gpuDevice{}
	about := ""
	all := deviceClasses()
	for _, k := range random.Perm(len(all))[:1+random.IntN(len(all))] {
		published.Classes = append(published.Classes, all[k])
		about += all[k].Name + " "
		Expect(k8s.Create(ctx, all[k])).To(Succeed())
	}
	for k := range 1 + random.IntN(4) {
		m := machines[random.IntN(len(machines))]
		name := fmt.Sprintf("node-%d-%d", number, k)
		about += "| " + name + " " + m.name
		node, slice := m.object(name)
		builder.Set(node.DeepCopy())
		Expect(testutil.CreateNode(ctx, k8s, node)).To(Succeed())
		if slice == nil {
			continue
		}
		for j, d := range m.devices {
			memory[fmt.Sprintf("%s/gpu-%d", name, j)] = d
		}
		for _, one := range withCounters(slice) {
			published.Slices = append(published.Slices, devices.Compact(one))
			Expect(k8s.Create(ctx, one)).To(Succeed())
		}
	}
	expectKnown(ctx, number)
	builder.SetDevices(devices.NewInventory(published))
	inventory := builder.Inventory()

	type judged struct {
		memory     int64
		resolution placement.Resolution
	}
	var tasks []judged
	for _, mebibytes := range []int64{0, 8 << 10, 20 << 10, 40 << 10, 80000, 80 << 10, 160 << 10, 400 << 10} {
		resolution := placement.Resolve(placement.Requirement{Type: v1alpha1.ResourceTypeGPU, MilliCPU: 100, GPUMemory: mebibytes}, inventory)
		tasks = append(tasks, judged{mebibytes, resolution})
	}
	// Those that are not bound come first: nothing is allocated then.
	slices.SortStableFunc(tasks, func(a, b judged) int { return len(b.resolution.Verdict.Status) - len(a.resolution.Verdict.Status) })
	counts := map[metav1.ConditionStatus]int{}
	for j, task := range tasks {
		verdict := task.resolution.Verdict
		counts[verdict.Status]++
		pod := podOf(&task.resolution.Placement, fmt.Sprintf("devices-%d-%d", number, j))
		host, handed := scheduleDevices(ctx, pod, verdict.Status == metav1.ConditionTrue)
		what := fmt.Sprintf("%s\n%dMi: %s\n%+v", about, task.memory, verdict.Message(), task.resolution.Placement)
		isBound := host != ""
		Expect(isBound).To(Equal(verdict.Status == metav1.ConditionTrue), "kube-scheduler binds to %q: %s", host, what)
		var sum int64
		for _, key := range handed {
			sum += memory[key].memory
		}
		if len(handed) > 0 && task.memory > 0 {
			Expect(sum).To(BeNumerically(">=", task.memory), "the devices %v have too little: %s", handed, what)
		}
	}
	return counts
}

// expectKnown waits until kube-scheduler knows the nodes, slices and classes that are there: it learns of each kind in its order, and the last ones
// are for a Pod of its own.
func expectKnown(ctx context.Context, number int) {
	GinkgoHelper()
	name := fmt.Sprintf("probe-%d", number)
	node, slice := (&machine{name: "probe", devices: several(1, gpuDevice{kind: "probe", memory: 0}), plugin: -1}).object(name)
	slice.Spec.Driver = "probe.example.com"
	node.Spec.Taints = []corev1.Taint{{Key: "probe", Effect: corev1.TaintEffectNoSchedule}}
	class := deviceClass(name, `device.driver == 'probe.example.com'`)
	Expect(k8s.Create(ctx, class)).To(Succeed())
	Expect(testutil.CreateNode(ctx, k8s, node)).To(Succeed())
	Expect(k8s.Create(ctx, slice)).To(Succeed())
	asks := corev1.ResourceList{corev1.ResourceName(resourcev1.ResourceDeviceClassPrefix + name): resource.MustParse("1")}
	pod := podOf(&v1alpha1.Placement{Requests: asks, Limits: asks, Tolerations: []corev1.Toleration{{Key: "probe", Operator: corev1.TolerationOpExists}}}, name)
	host, _ := scheduleDevices(ctx, pod, true)
	Expect(host).To(Equal(name))
	for _, object := range []client.Object{node, slice, class} {
		Expect(k8s.Delete(ctx, object)).To(Succeed())
	}
}

// scheduleDevices creates a Pod, and returns the node to which kube-scheduler binds it and the devices that it hands out, by node and name. One that
// should be bound may wait until the devices of another are free again. The Pod and its claim are deleted.
func scheduleDevices(ctx context.Context, pod *corev1.Pod, bound bool) (host string, handed []string) {
	GinkgoHelper()
	Expect(k8s.Create(ctx, pod)).To(Succeed())
	const patience = 15 * time.Second
	Eventually(ctx, func(g Gomega) {
		g.Expect(k8s.Get(ctx, client.ObjectKeyFromObject(pod), pod)).To(Succeed())
		decided := slices.ContainsFunc(pod.Status.Conditions, func(c corev1.PodCondition) bool {
			return c.Type == corev1.PodScheduled && c.Status == corev1.ConditionFalse
		})
		g.Expect(pod.Spec.NodeName != "" || !bound && decided).To(BeTrue(), "%+v", pod.Status.Conditions)
	}).WithTimeout(patience).Should(Succeed())
	host = pod.Spec.NodeName
	Expect(k8s.Delete(ctx, pod.DeepCopy(), client.GracePeriodSeconds(0))).To(Succeed())
	var claims resourcev1.ResourceClaimList
	Expect(k8s.List(ctx, &claims, client.InNamespace(pod.Namespace))).To(Succeed())
	for i := range claims.Items { // nobody collects what the Pod owned
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
	return host, handed
}
