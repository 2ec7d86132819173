package config

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"github.com/maze-agent/maregister/api/config/v1alpha1"
)

const (
	maxProfiles     = 64
	maxTolerations  = 32
	maxNodeSelector = 16
	maxGPUs         = 64
)

var (
	minMemory = resource.MustParse("1Mi")
	// memoryCeiling is more than any GPU has.
	memoryCeiling = resource.MustParse("1Ti")
)

func (f *file) profiles(path *field.Path, profiles []v1alpha1.GPUProfile) {
	if len(profiles) > maxProfiles {
		f.invalid(path, "has %d profiles: keep at most %d", len(profiles), maxProfiles)
		return
	}
	for i := range profiles {
		p, at := &profiles[i], path.Index(i)
		if f.wrong[at.String()] {
			continue
		}
		f.profileName(at, p.Name)
		f.memory(at, &p.Memory)
		if f.has(at, "count", "the number of GPUs on one node") && (p.Count < 1 || p.Count > maxGPUs) {
			f.invalid(at.Child("count"), "is %d: write the number of GPUs on one node, from 1 to %d", p.Count, maxGPUs)
		}
		choice(f, at.Child("memoryType"), p.MemoryType, v1alpha1.MemoryDedicated, v1alpha1.MemoryUnified)
		f.nodeSelector(at, p.NodeSelector)
		f.tolerations(at.Child("tolerations"), p.Tolerations)
		f.distinct(path, profiles, i)
	}
}

func (f *file) profileName(profile *field.Path, name string) {
	if f.has(profile, "name", "a name such as l4") && len(validation.IsDNS1123Label(name)) > 0 {
		f.invalid(profile.Child("name"), "is %s: write at most 63 lower-case letters, digits and '-', a letter or digit first and last, such as l4-spot",
			quote(name))
	}
}

func (f *file) memory(profile *field.Path, memory *resource.Quantity) {
	if f.has(profile, "memory", "the memory of one GPU, such as 23034Mi") && (memory.Cmp(minMemory) < 0 || memory.Cmp(memoryCeiling) >= 0) {
		f.invalid(profile.Child("memory"), "is %s: write the memory of one GPU, from 1Mi to below 1Ti%s",
			memory, meant(memory, "Mi", minMemory, memoryCeiling))
	}
}

func (f *file) nodeSelector(profile *field.Path, labels map[string]string) {
	path := profile.Child("nodeSelector")
	switch {
	case !f.has(profile, "nodeSelector", "the labels that only the nodes of the pool have"):
	case len(labels) == 0:
		f.invalid(path, "is empty: write the labels that only the nodes of the pool have")
	case len(labels) > maxNodeSelector:
		f.invalid(path, "has %d labels: keep at most %d", len(labels), maxNodeSelector)
	default:
		for key, value := range labels {
			f.label(path.Key(printable(key)), key, value)
		}
	}
}

func (f *file) label(path *field.Path, key, value string) {
	switch {
	case len(validation.IsQualifiedName(key)) > 0:
		f.invalid(path, "is not a label of nodes: write a label's key, such as cloud.google.com/gke-accelerator")
	case len(validation.IsValidLabelValue(value)) > 0:
		f.invalid(path, "is %s: %s", quote(value), labelValueAdvice)
	}
}

const labelValueAdvice = "write at most 63 letters, digits, '-', '_' and '.', a letter or digit first and last"

// distinct checks that a profile has a name and nodes that those before it do not have.
func (f *file) distinct(path *field.Path, profiles []v1alpha1.GPUProfile, i int) {
	for j := range i {
		if profiles[i].Name != "" && profiles[i].Name == profiles[j].Name {
			f.invalid(path.Index(i).Child("name"), "is %s, as is %s: give each profile a name of its own", quote(profiles[i].Name), path.Index(j).Child("name"))
		}
		if len(profiles[i].NodeSelector) > 0 && maps.Equal(profiles[i].NodeSelector, profiles[j].NodeSelector) {
			f.invalid(path.Index(i).Child("nodeSelector"), "is that of %s: write labels that only the nodes of one pool have, or keep one of the two profiles",
				path.Index(j))
		}
	}
}

func (f *file) tolerations(path *field.Path, tolerations []corev1.Toleration) {
	if len(tolerations) > maxTolerations {
		f.invalid(path, "has %d tolerations: keep at most %d", len(tolerations), maxTolerations)
		return
	}
	for i := range tolerations {
		if at := path.Index(i); !f.wrong[at.String()] {
			f.toleration(at, &tolerations[i])
		}
	}
}

var (
	tolerationOperators = []corev1.TolerationOperator{"", corev1.TolerationOpExists, corev1.TolerationOpEqual}
	taintEffects        = []corev1.TaintEffect{"", corev1.TaintEffectNoSchedule, corev1.TaintEffectPreferNoSchedule, corev1.TaintEffectNoExecute}
)

func (f *file) toleration(path *field.Path, t *corev1.Toleration) {
	f.tolerationKey(path, t.Key)
	switch {
	case !slices.Contains(tolerationOperators, t.Operator):
		f.invalid(path.Child("operator"), "is %s: write Exists or Equal", quote(string(t.Operator)))
	case t.Operator == corev1.TolerationOpExists && t.Value != "":
		f.invalid(path.Child("value"), "is %s, but the operator Exists takes none: remove it, or write operator: Equal", quote(t.Value))
	case len(validation.IsValidLabelValue(t.Value)) > 0:
		f.invalid(path.Child("value"), "is %s: %s", quote(t.Value), labelValueAdvice)
	}
	switch {
	case !slices.Contains(taintEffects, t.Effect):
		f.invalid(path.Child("effect"), "is %s: write NoSchedule, PreferNoSchedule or NoExecute, or leave it out for all of them", quote(string(t.Effect)))
	case t.TolerationSeconds != nil && t.Effect != corev1.TaintEffectNoExecute:
		f.invalid(path.Child("tolerationSeconds"), "is %d, but only taints with the effect NoExecute are tolerated for a time: remove it, or write effect: NoExecute",
			*t.TolerationSeconds)
	}
}

func (f *file) tolerationKey(toleration *field.Path, key string) {
	path := toleration.Child("key")
	switch {
	case !f.has(toleration, "key", "the key of a taint; without one, a Pod would tolerate every taint"):
	case key == "":
		f.invalid(path, "is empty, so that a Pod would tolerate every taint: write the key of one")
	case strings.HasPrefix(key, "node.kubernetes.io/"):
		f.invalid(path, "is %s, by which Kubernetes keeps Pods off nodes that are not well: remove the toleration", quote(key))
	case len(validation.IsQualifiedName(key)) > 0:
		f.invalid(path, "is %s: write the key of a taint, such as nvidia.com/gpu or dedicated", quote(key))
	}
}
