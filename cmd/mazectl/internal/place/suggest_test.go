package place

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	resourcev1 "k8s.io/api/resource/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"github.com/maze-agent/maregister/api/v1alpha1"
	"github.com/maze-agent/maregister/internal/devices"
	"github.com/maze-agent/maregister/internal/placement"
)

// sliceOf returns what a driver publishes for a node with one GPU.
func sliceOf(node, kind, product, memory, capability string) *devices.Slice {
	return devices.Compact(&resourcev1.ResourceSlice{ObjectMeta: metav1.ObjectMeta{Name: node}, Spec: resourcev1.ResourceSliceSpec{
		Driver: "gpu.nvidia.com", NodeName: &node, Pool: resourcev1.ResourcePool{Name: node, Generation: 1, ResourceSliceCount: 1},
		Devices: []resourcev1.Device{{
			Name: "gpu-0", Capacity: map[resourcev1.QualifiedName]resourcev1.DeviceCapacity{"memory": {Value: resource.MustParse(memory)}},
			Attributes: map[resourcev1.QualifiedName]resourcev1.DeviceAttribute{
				"type": {StringValue: &kind}, "productName": {StringValue: &product}, "cudaComputeCapability": {VersionValue: ptr.To(capability)},
			},
		}},
	}})
}

// TestSuggest: each task that a class would help gets one, by what it asks for, and there is none that no placement would choose.
func TestSuggest(t *testing.T) {
	nodes := Inventories{rules: placement.DefaultConfig()}
	for _, name := range []string{"a100", "h100", "mig", "t4"} {
		node := emptyNode(64, 512)
		node.Name = name
		nodes.all.Nodes = append(nodes.all.Nodes, node)
	}
	nodes.all.Devices.Slices = []*devices.Slice{
		sliceOf("a100", "gpu", "NVIDIA A100-SXM4-80GB", "81920Mi", "8.0.0"), sliceOf("h100", "gpu", "NVIDIA H100 80GB HBM3", "81559Mi", "9.0.0"),
		sliceOf("mig", "mig", "NVIDIA A100-SXM4-80GB", "9728Mi", "8.0.0"), sliceOf("t4", "gpu", "it's a T4", "15360Mi", "7.5.0"),
	}
	for name, tc := range map[string]struct {
		memory string
		needs  *v1alpha1.GPURequirements
		want   []string
	}{
		"a slice":                                {"4Gi", nil, []string{"mig-9gi"}},
		"a card":                                 {"60Gi", nil, []string{"gpu-79gi"}},
		"the larger one":                         {"81900Mi", nil, []string{"gpu-80gi"}},
		"of a kind":                              {"60Gi", &v1alpha1.GPURequirements{MinComputeCapability: "9.0"}, []string{"gpu-79gi-cc-9-0"}},
		"of a product":                           {"60Gi", &v1alpha1.GPURequirements{Products: []string{"NVIDIA-H100-80GB-HBM3"}}, []string{"gpu-79gi-nvidia-h100-80gb-hbm3"}},
		"of a product of which there are slices": {"60Gi", &v1alpha1.GPURequirements{Products: []string{"NVIDIA-A100-SXM4-80GB"}}, []string{"gpu-80gi-nvidia-a100-sxm4-80gb"}},
		"larger than any":                        {"600Gi", nil, nil},
		"a kind that is nowhere":                 {"4Gi", &v1alpha1.GPURequirements{MinComputeCapability: "12.0"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			resources := v1alpha1.Resources{
				Type: v1alpha1.ResourceTypeGPU, CPU: ptr.To(resource.MustParse("1")), Memory: ptr.To(resource.MustParse("1Gi")),
				GPUMemory: ptr.To(resource.MustParse(tc.memory)), GPURequirements: tc.needs,
			}
			j := Judged{task: task{name: "task", requirement: placement.RequirementOf(&resources)}}
			comparison := placement.Compare(j.requirement, nil, InventoryOf(nodes.rules, nodes.all))
			j.Comparison = &comparison
			if j.After.Verdict.Status == metav1.ConditionTrue {
				t.Fatal(j.After.Verdict.Message())
			}
			var got []string
			for _, s := range nodes.suggest([]Judged{j}) {
				got = append(got, s.class.Name)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			var out strings.Builder
			if served, err := WriteClasses(&out, []Judged{j}, &nodes); err != nil || served != len(tc.want) {
				t.Errorf("%d served, %v", served, err)
			}
			if len(nodes.all.Nodes) != 4 || len(nodes.all.Devices.Classes) != 0 {
				t.Error("the cluster has changed")
			}
		})
	}
}
