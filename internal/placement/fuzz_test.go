package placement

import (
	"regexp"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// smallExponent leaves out quantities such as 1e-99999999, which take seconds to parse: no API server passes one on.
var smallExponent = regexp.MustCompile(`^[^eE]{0,40}([eE][-+]?[0-9]{0,4})?$`)

// FuzzResolve: whatever nodes say of themselves, there is a placement that a Pod can have, and it is always the same.
func FuzzResolve(f *testing.F) {
	f.Add("15360", "1", "T4", "none", "nvidia.com/gpu", "8", "nvidia.com/gpu", int64(4096), byte(0))
	f.Add("16106127360", "4", "T4-SHARED", "time-slicing", "nvidia.com/gpu.shared", "32", "", int64(20000), byte(1))
	f.Add("81920", "4", "A100", "mps", "nvidia.com/gpu", "1e30", "sku", int64(16384), byte(2))
	f.Add("-9223372036854775809", "1e9", "X-MIG-INVALID", "mps", "nvidia.com/mig-1g.10gb", "-5", "node.kubernetes.io/x", int64(1<<30), byte(7))
	f.Add("9984", "0", "", "\x00", "nvidia.com/mig-", "0.5", "ToBeDeletedByClusterAutoscaler", int64(0), byte(8))
	f.Add("1048575", "65536", "\xff", "mps", "nvidia.com/mig-1g.10gb.me.shared", "9223372036854775807", "", int64(1<<30), byte(15))
	f.Fuzz(func(t *testing.T, memory, replicas, product, sharing, name, count, taintKey string, mebibytes int64, flags byte) {
		if !smallExponent.MatchString(count) {
			t.Skip()
		}
		quantity, err := resource.ParseQuantity(count)
		if err != nil || mebibytes < 0 || mebibytes > 1<<30 {
			t.Skip()
		}
		node := cpuNode()
		node.Name = "hostile"
		node.Spec.Taints = []corev1.Taint{{Key: taintKey, Effect: corev1.TaintEffectNoSchedule}}
		node.Status.Allocatable[corev1.ResourceName(name)] = quantity
		for suffix, value := range map[string]string{suffixMemory: memory, suffixReplicas: replicas, suffixProduct: product, suffixSharing: sharing} {
			node.Labels[gpuLabels+suffix], node.Labels[name+suffix] = value, value
		}
		for i, key := range append(cloudLabels, gkeAccelerator, instanceType, gpuLabels+suffixCount, gpuLabels+suffixSlices) { // some, by the flags
			if flags>>4&(1<<(i%4)) != 0 {
				node.Labels[key] = []string{memory, replicas, product, sharing}[i%4]
			}
		}
		node.Status.Capacity = corev1.ResourceList{corev1.ResourceName(name): resource.MustParse("4")}
		config := func(c *Config) {
			c.TimeSlicing, c.MPS, c.Nominal = flags&1 != 0, flags&2 != 0, flags&4 != 0
			c.Profiles = []Profile{{Name: "p", Memory: 23034, Count: 4, NodeSelector: map[string]string{name: product}}}
		}
		req := gpuTask(mebibytes)
		req.Backend = []string{"", "vllm"}[flags>>3&1]
		inv := inventory(config, node, h100())
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
	})
}

// wantPlausible checks what holds for every placement of a gpu task.
func wantPlausible(t *testing.T, req Requirement, got *Resolution) {
	t.Helper()
	gpu := got.Placement.GPU
	switch {
	case gpu == nil || gpu.Count < 1 || gpu.MemoryPerGPU < 0 || gpu.MemoryPerGPU >= memoryCeiling:
		t.Errorf("not GPUs that there can be: %+v", gpu)
	case got.Placement.Requests.Name(gpu.ResourceName, resource.DecimalSI).Value() != int64(gpu.Count):
		t.Errorf("asks for %v, and has %d GPUs", got.Placement.Requests, gpu.Count)
	case req.Backend == "vllm" && gpu.Count&(gpu.Count-1) != 0:
		t.Errorf("%d GPUs do not split a model evenly", gpu.Count)
	}
	if got.Verdict.Message() == "" || got.Verdict.Reason == "" || got.Verdict.Status == "" {
		t.Errorf("an empty verdict: %+v", got.Verdict)
	}
	if got.Verdict.Status == metav1.ConditionUnknown && got.Verdict.Reason == v1alpha1.ReasonFeasible {
		t.Errorf("a verdict against itself: %+v", got.Verdict)
	}
}
