package placement

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/cel"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/defaulting"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	celconfig "k8s.io/apiserver/pkg/apis/cel"
	"sigs.k8s.io/yaml"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

func some(nodes ...*corev1.Node) []*corev1.Node { return nodes }

func times(n int, node *corev1.Node) []*corev1.Node {
	nodes := make([]*corev1.Node, n)
	for i := range nodes {
		nodes[i] = node
	}
	return nodes
}

// cpuNode is a node without GPU.
func cpuNode(options ...nodeOption) *corev1.Node {
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"kubernetes.io/os": "linux"}},
		Status: corev1.NodeStatus{Allocatable: corev1.ResourceList{
			corev1.ResourceCPU: resource.MustParse("64"), corev1.ResourceMemory: resource.MustParse("512Gi"), corev1.ResourcePods: resource.MustParse("110"),
		}},
	}
	for _, option := range options {
		option(node)
	}
	return node
}

// gpuNode is a node with 8 GPUs of so many MiB each, labelled as GPU Feature Discovery does.
func gpuNode(product string, memory int64, options ...nodeOption) *corev1.Node {
	return cpuNode(append([]nodeOption{
		gpus(8), label("nvidia.com/gpu.product", product), label("nvidia.com/gpu.memory", strconv.FormatInt(memory, 10)),
		label("nvidia.com/gpu.replicas", "1"), label("nvidia.com/gpu.sharing-strategy", "none"), label("nvidia.com/gpu.present", "true"),
	}, options...)...)
}

func h100(options ...nodeOption) *corev1.Node { return gpuNode("H100", 81559, options...) }
func a100() *corev1.Node                      { return gpuNode("A100", 81920) }

// migSingle is a node whose GPUs are all partitioned alike.
func migSingle(profile string, memory int64) *corev1.Node {
	return gpuNode("H100-MIG-"+profile, memory, gpus(56), label("nvidia.com/gpu.slices.gi", "1"))
}

// migMixed is a node whose slices have resources of their own. The labels of whole GPUs still tell of the cards.
func migMixed(profile string, memory int64) *corev1.Node {
	name := "nvidia.com/mig-" + profile
	return gpuNode("H100", 81559, gpus(0), label("nvidia.com/gpu.replicas", "0"), quantity(name, "14"), label(name+".memory", strconv.FormatInt(memory, 10)),
		label(name+".product", "H100-MIG-"+profile), label(name+".replicas", "1"), label(name+".sharing-strategy", "none"))
}

func gpus(n int) nodeOption { return quantity("nvidia.com/gpu", strconv.Itoa(n)) }

func cpu(cores string) nodeOption { return quantity("cpu", cores) }

func quantity(name, value string) nodeOption {
	return func(n *corev1.Node) { n.Status.Allocatable[corev1.ResourceName(name)] = resource.MustParse(value) }
}

func label(name, value string) nodeOption { return func(n *corev1.Node) { n.Labels[name] = value } }

func noLabels() nodeOption { return func(n *corev1.Node) { n.Labels = nil } }

// shared shares each GPU of a node in four.
func shared(strategy string) nodeOption {
	const replicas = 4
	return func(n *corev1.Node) {
		n.Labels["nvidia.com/gpu.replicas"], n.Labels["nvidia.com/gpu.sharing-strategy"] = strconv.Itoa(replicas), strategy
		gpus(8 * replicas)(n)
	}
}

// renamed returns the node's GPUs as another resource.
func renamed(name string) nodeOption {
	return func(n *corev1.Node) {
		n.Status.Allocatable[corev1.ResourceName(name)] = n.Status.Allocatable["nvidia.com/gpu"]
		delete(n.Status.Allocatable, "nvidia.com/gpu")
	}
}

// inventory counts nodes under names of their own.
func inventory(edit func(*Config), nodes ...*corev1.Node) *Inventory {
	config := DefaultConfig()
	if edit != nil {
		edit(&config)
	}
	builder := NewBuilder(config)
	for i, node := range nodes {
		named := node.DeepCopy()
		named.Name = fmt.Sprintf("node-%d", i)
		builder.Set(named)
	}
	return builder.Inventory()
}

// admit does what the API server does with spec.resources, by the CRD and the API server's own packages. It returns the
// resources with their defaults, or why they are refused.
func admit(t *testing.T, text string) (*v1alpha1.Resources, string) {
	t.Helper()
	schema := resourcesSchema(t)
	var value map[string]any
	if err := yaml.Unmarshal([]byte(text), &value); err != nil {
		t.Fatal(err)
	}
	for name, v := range value {
		if number, ok := v.(float64); ok { // the API server's decoder keeps integers
			value[name] = int64(number)
		}
	}
	defaulting.Default(value, schema)
	errs, _ := cel.NewValidator(schema, false, celconfig.PerCallLimit).Validate(context.Background(), nil, schema, value, nil, celconfig.RuntimeCELCostBudget)
	if len(errs) > 0 {
		return nil, errs.ToAggregate().Error()
	}
	encoded, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	var resources v1alpha1.Resources
	if err := json.Unmarshal(encoded, &resources); err != nil {
		t.Fatal(err)
	}
	return &resources, ""
}

func resourcesSchema(t *testing.T) *structuralschema.Structural {
	t.Helper()
	content, err := os.ReadFile("../../config/crd/registry.mazeagent.net_mazetasks.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(content, &crd); err != nil {
		t.Fatal(err)
	}
	var internal apiextensions.JSONSchemaProps
	if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(crd.Spec.Versions[0].Schema.OpenAPIV3Schema, &internal, nil); err != nil {
		t.Fatal(err)
	}
	whole, err := structuralschema.NewStructural(&internal)
	if err != nil {
		t.Fatal(err)
	}
	spec := whole.Properties["spec"]
	resources := spec.Properties["resources"]
	return &resources
}
