package placement

import (
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

// daemonSet is one of a Pod with some requests, for nodes with some labels.
func daemonSet(cpu, memory string, selector map[string]string, tolerations ...corev1.Toleration) *DaemonSet {
	set := &appsv1.DaemonSet{}
	spec := &set.Spec.Template.Spec
	spec.NodeSelector, spec.Tolerations = selector, tolerations
	requests := corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu), corev1.ResourceMemory: resource.MustParse(memory)}
	spec.Containers = []corev1.Container{{Name: "agent", Image: "agent", Resources: corev1.ResourceRequirements{Requests: requests}}}
	always := corev1.ContainerRestartPolicyAlways
	spec.InitContainers = []corev1.Container{{Name: "sidecar", RestartPolicy: &always, Resources: corev1.ResourceRequirements{
		Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("50m")},
	}}}
	return NewDaemonSet(SlimDaemonSet(set))
}

// TestDaemonSets: what DaemonSets request counts on the nodes on which they run, if it is more than what is configured.
func TestDaemonSets(t *testing.T) {
	everything := corev1.Toleration{Operator: corev1.TolerationOpExists}
	gpuOnly := map[string]string{"example.com/driver": "true"}
	big := func(options ...nodeOption) *corev1.Node {
		return gpuNode("T4", 15360, append([]nodeOption{gpus(4), cpu("4")}, options...)...)
	}
	for name, tc := range map[string]struct {
		sets []*DaemonSet
		node *corev1.Node
		cpu  int64
		// want is the verdict, and says is in its message.
		want, says string
	}{
		"none":                         {nil, big(), 3800, isTrue, ""},
		"none, above the reserve":      {nil, big(), 3801, isFalse, "has 4 of which DaemonSets take 200m (reserve)"},
		"less than is configured":      {[]*DaemonSet{daemonSet("100m", "1Mi", nil)}, big(), 3800, isTrue, ""},
		"several":                      {[]*DaemonSet{daemonSet("200m", "1Mi", nil), daemonSet("300m", "1Mi", nil)}, big(), 3401, isFalse, "DaemonSets take 600m"},
		"and what is left":             {[]*DaemonSet{daemonSet("200m", "1Mi", nil), daemonSet("300m", "1Mi", nil)}, big(), 3400, isTrue, ""},
		"of other nodes":               {[]*DaemonSet{daemonSet("2", "1Gi", gpuOnly)}, big(), 3800, isTrue, ""},
		"by a label that nobody reads": {[]*DaemonSet{daemonSet("2", "1Gi", gpuOnly)}, big(label("example.com/driver", "true")), 2000, isFalse, "DaemonSets take 2050m"},
		"which does not tolerate":      {[]*DaemonSet{daemonSet("2", "1Gi", nil)}, big(taint("nvidia.com/gpu", "")), 3800, isTrue, ""},
		"which tolerates all":          {[]*DaemonSet{daemonSet("2", "1Gi", nil, everything)}, big(taint("nvidia.com/gpu", "")), 2000, isFalse, "DaemonSets take 2050m"},
		"no limit to what they ask": {[]*DaemonSet{daemonSet("8E", "8E", nil), daemonSet("8E", "8E", nil)}, big(), 1, isFalse,
			"of which DaemonSets take"},
	} {
		t.Run(name, func(t *testing.T) {
			config := DefaultConfig()
			config.DaemonSets = true
			builder := NewBuilder(config)
			builder.Set(config.Slim(tc.node)) // as a cache has it
			builder.SetDaemonSets(tc.sets)
			got := Resolve(Requirement{Type: "gpu", MilliCPU: tc.cpu, GPUMemory: 4096}, builder.Inventory()).Verdict
			if verdict := string(got.Status) + "/" + got.Reason; verdict != tc.want || !strings.Contains(got.Message(), tc.says) {
				t.Errorf("want %s %q, got %s: %s", tc.want, tc.says, verdict, got.Message())
			}
			if builder.SetDaemonSets(tc.sets) {
				t.Error("the same DaemonSets are a change")
			}
			if _, known := builder.Inventory().ClassOf(tc.node); !known {
				t.Error("its node is of no class")
			}
		})
	}
}

// TestDaemonSetsKeepClasses: labels that are kept for DaemonSets alone make no other classes, and hide no platform.
func TestDaemonSetsKeepClasses(t *testing.T) {
	with, without := DefaultConfig(), DefaultConfig()
	with.DaemonSets = true
	for _, n := range []*corev1.Node{
		node(gfd("H100", "81559", "8")+"example.com/driver=true", "nvidia.com/gpu=8"),
		node("karpenter.k8s.aws/instance-cpu=4 kubernetes.azure.com/agentpool=a", ""),
		node("karpenter.k8s.aws/instance-gpu-memory=22888 karpenter.k8s.aws/instance-gpu-count=1", "nvidia.com/gpu=1"),
	} {
		want := without.describe(without.Slim(n), nil, nil)
		for _, given := range []*corev1.Node{n, with.Slim(n), with.Slim(with.Slim(n))} {
			if got := with.describe(given, nil, nil); got.key != want.key {
				t.Errorf("want the class %s, got %s", want.key, got.key)
			}
		}
	}
}
