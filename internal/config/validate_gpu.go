package config

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/maze-agent/maregister/api/config/v1alpha1"
)

const (
	// maxGPUs is more than one node has.
	maxGPUs    = 64
	maxBackend = 253

	gpuCount         = "write the number of GPUs on one node, from 1 to %d"
	labelValueAdvice = "write at most 63 letters, digits, '-', '_' and '.', a letter or digit first and last"
)

// minMemory and maxMemory bound the memory of one GPU: none has 1Ti.
var minMemory, maxMemory = resource.MustParse("1Mi"), *resource.NewQuantity(1<<40-1, resource.BinarySI)

func (f *file) gpu(path string, gpu *v1alpha1.GPU) {
	f.resourceName(path+".resourceName", string(gpu.ResourceName))
	choice(f, path+".match", gpu.Match, v1alpha1.MatchExact, v1alpha1.MatchNominal)
	choice(f, path+".dynamicResources", gpu.DynamicResources, v1alpha1.DynamicResourcesAuto, v1alpha1.DynamicResourcesIgnore)
	choice(f, path+".sharing.timeSlicing", gpu.Sharing.TimeSlicing, v1alpha1.SharingDeny, v1alpha1.SharingAllow)
	choice(f, path+".sharing.mps", gpu.Sharing.MPS, v1alpha1.SharingDeny, v1alpha1.SharingAllow)
	choice(f, path+".sharing.provider", gpu.Sharing.Provider, v1alpha1.ProviderNone, v1alpha1.ProviderHAMi, v1alpha1.ProviderKAI)
	f.evenBackends(path+".evenBackends", gpu.EvenBackends)
	f.accelerators(path+".accelerators", gpu.Accelerators)
	f.tolerations(path+".tolerations", gpu.Tolerations)
	f.profiles(path+".profiles", gpu.Profiles)
}

// resourceName checks that a name is of an extended resource, as Kubernetes tells them, and of whole GPUs.
func (f *file) resourceName(path, name string) {
	const inQuotas = "requests."
	f.refuse(path, !strings.Contains(name, "/") || strings.HasPrefix(name, inQuotas) || len(validation.IsQualifiedName(inQuotas+name)) > 0,
		"is %s: write the domain and the name of an extended resource, such as nvidia.com/gpu", quote(name))
	f.refuse(path, strings.Contains(name, "kubernetes.io/"),
		"is %s: the domain kubernetes.io is Kubernetes' own; write the resource of a device plugin, such as nvidia.com/gpu", quote(name))
	f.refuse(path, strings.HasPrefix(name, "nvidia.com/mig-"),
		"is %s, which is a MIG slice: write the resource of whole GPUs, such as nvidia.com/gpu; slices are found beside it", quote(name))
	f.refuse(path, strings.HasSuffix(name, ".shared"),
		"is %s, which are shared GPUs: write it without .shared, and say with gpu.sharing whether they may be used", quote(name))
}

func (f *file) evenBackends(path string, names []string) {
	f.each(path, len(names), maxEvenBackends, "backends: keep at most %d", func(at string, i int) {
		f.refuse(at, strings.TrimSpace(names[i]) == "" || len(names[i]) > maxBackend, "is %s: write the backend of a task, such as vllm", quote(names[i]))
		f.again(path, i, slices.IndexFunc(names[:i], func(b string) bool { return strings.EqualFold(b, names[i]) }), "", names[i], keepOne)
	})
}

// accelerators checks the rows that say which GPUs the nodes with a label have.
func (f *file) accelerators(path string, rows []v1alpha1.Accelerator) {
	f.each(path, len(rows), maxAccelerators, "accelerators: keep at most %d", func(at string, i int) {
		row := rows[i]
		f.require(at, "label", "the key of a label, such as cloud.google.com/gke-accelerator")
		f.refuse(at+".label", len(validation.IsQualifiedName(row.Label)) > 0,
			"is %s: write the key of a label of nodes, such as cloud.google.com/gke-accelerator", quote(row.Label))
		f.require(at, "value", "the label's value, such as nvidia-l4")
		f.refuse(at+".value", row.Value == "" || len(validation.IsValidLabelValue(row.Value)) > 0, "is %s: %s", quote(row.Value), labelValueAdvice)
		f.memory(at, row.Memory)
		f.refuse(at+".count", row.Count < 0 || row.Count > maxGPUs, "is %d: "+gpuCount+", or leave it out", row.Count, maxGPUs)
		same := func(a v1alpha1.Accelerator) bool {
			return a.Label == row.Label && a.Value == row.Value && a.Label != ""
		}
		f.again(path, i, slices.IndexFunc(rows[:i], same), ".value", row.Value, keepOne)
	})
}

func (f *file) memory(parent string, memory resource.Quantity) {
	f.require(parent, "memory", "the memory of one GPU, such as 23034Mi")
	f.size(parent+".memory", memory, minMemory, maxMemory, "Mi", "write the memory of one GPU, from 1Mi to below 1Ti")
}

// profiles checks each profile, and that no two have one name or select the same nodes.
func (f *file) profiles(path string, profiles []v1alpha1.GPUProfile) {
	f.each(path, len(profiles), maxProfiles, "profiles: keep at most %d", func(at string, i int) {
		p := &profiles[i]
		f.require(at, "name", "a name such as l4")
		f.refuse(at+".name", len(validation.IsDNS1123Label(p.Name)) > 0,
			"is %s: write at most 63 lower-case letters, digits and '-', a letter or digit first and last, such as l4-spot", quote(p.Name))
		f.again(path, i, slices.IndexFunc(profiles[:i], func(q v1alpha1.GPUProfile) bool { return q.Name == p.Name }), ".name", p.Name,
			"give each profile a name of its own")
		f.memory(at, p.Memory)
		f.require(at, "count", "the number of GPUs on one node")
		f.refuse(at+".count", p.Count < 1 || p.Count > maxGPUs, "is %d: "+gpuCount, p.Count, maxGPUs)
		choice(f, at+".memoryType", p.MemoryType, v1alpha1.MemoryDedicated, v1alpha1.MemoryUnified)
		f.nodeSelector(at, p.NodeSelector)
		first := slices.IndexFunc(profiles[:i], func(q v1alpha1.GPUProfile) bool { return maps.Equal(q.NodeSelector, p.NodeSelector) })
		f.refuse(at+".nodeSelector", first >= 0, "is that of %s: write labels that only the nodes of one pool have, or keep one of the two profiles",
			item(path, first))
		f.tolerations(at+".tolerations", p.Tolerations)
	})
}

// nodeSelector checks the labels by which a profile selects nodes.
func (f *file) nodeSelector(profile string, labels map[string]string) {
	path := profile + ".nodeSelector"
	f.require(profile, "nodeSelector", "the labels that only the nodes of the pool have")
	f.refuse(path, len(labels) == 0, "is empty: write the labels that only the nodes of the pool have")
	f.refuse(path, len(labels) > maxNodeSelector, "has %d labels: keep at most %d", len(labels), maxNodeSelector)
	if f.wrong[path] {
		return
	}
	for key, value := range labels {
		at := label(path, key)
		f.refuse(at, len(validation.IsQualifiedName(key)) > 0, "is not a label of nodes: write a label's key, such as cloud.google.com/gke-accelerator")
		f.refuse(at, len(validation.IsValidLabelValue(value)) > 0, "is %s: %s", quote(value), labelValueAdvice)
	}
}

var (
	tolerationOperators = []corev1.TolerationOperator{"", corev1.TolerationOpExists, corev1.TolerationOpEqual}
	taintEffects        = []corev1.TaintEffect{"", corev1.TaintEffectNoSchedule, corev1.TaintEffectPreferNoSchedule, corev1.TaintEffectNoExecute}
)

// tolerations checks tolerations as the API server does, which sees them only in Pods.
func (f *file) tolerations(path string, tolerations []corev1.Toleration) {
	f.each(path, len(tolerations), maxTolerations, "tolerations: keep at most %d", func(at string, i int) {
		t := &tolerations[i]
		f.tolerationKey(at, t.Key)
		f.refuse(at+".operator", !slices.Contains(tolerationOperators, t.Operator), "is %s: write Exists or Equal", quote(t.Operator))
		f.refuse(at+".value", t.Operator == corev1.TolerationOpExists && t.Value != "",
			"is %s, but the operator Exists takes none: remove it, or write operator: Equal", quote(t.Value))
		f.refuse(at+".value", len(validation.IsValidLabelValue(t.Value)) > 0, "is %s: %s", quote(t.Value), labelValueAdvice)
		f.refuse(at+".effect", !slices.Contains(taintEffects, t.Effect),
			"is %s: write NoSchedule, PreferNoSchedule or NoExecute, or leave it out for all of them", quote(t.Effect))
		if t.TolerationSeconds != nil && t.Effect != corev1.TaintEffectNoExecute && !f.wrong[at+".effect"] {
			f.invalid(at+".tolerationSeconds", "is %d, but only taints with the effect NoExecute are tolerated for a time: remove it, or write effect: NoExecute",
				*t.TolerationSeconds)
		}
	})
}

func (f *file) tolerationKey(toleration, key string) {
	path := toleration + ".key"
	f.require(toleration, "key", "the key of a taint; without one, a Pod would tolerate every taint")
	f.refuse(path, key == "", "is empty, so that a Pod would tolerate every taint: write the key of one")
	f.refuse(path, strings.HasPrefix(key, "node.kubernetes.io/"),
		"is %s, by which Kubernetes keeps Pods off nodes that are not well: remove the toleration", quote(key))
	f.refuse(path, len(validation.IsQualifiedName(key)) > 0, "is %s: write the key of a taint, such as nvidia.com/gpu or dedicated", quote(key))
}
