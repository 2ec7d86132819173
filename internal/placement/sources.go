package placement

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Labels of GPU Feature Discovery: the name of a resource, a dot, and one of the suffixes. The labels of whole GPUs begin with
// nvidia.com/gpu, however the resource was renamed (NVIDIA/k8s-device-plugin, internal/lm/resource.go).
const (
	gpuLabels    = "nvidia.com/gpu"
	migResources = "nvidia.com/mig-"

	// suffixMemory: NVML's total divided by 2^20, which is MiB, of one GPU or MIG slice.
	suffixMemory = ".memory"
	// suffixProduct: the card's name; of a MIG slice, followed by its profile.
	suffixProduct = ".product"
	// suffixCount: how many GPUs or slices there are. Of GPUs of several models, those of one of them, which one is left to chance.
	suffixCount = ".count"
	// suffixReplicas: into how many each GPU is shared. 0 if all are in MIG mode and given as slices, 0 or 1 if it is not shared.
	suffixReplicas = ".replicas"
	// suffixSharing: how it is shared.
	suffixSharing = ".sharing-strategy"
	// suffixSlices: only on MIG slices, how many compute slices one has.
	suffixSlices = ".slices.gi"
	// suffixPresent: gpu-operator's, on nodes that have GPUs.
	suffixPresent = ".present"
)

var labelSuffixes = []string{
	suffixMemory, suffixProduct, suffixCount, suffixReplicas, suffixSharing, suffixSlices, suffixPresent, suffixMajor, suffixMinor,
}

// Labels of clouds.
const (
	// The memory of a GPU in MiB, and the number of GPUs: 0 of instances that have a part of one (g6f). Of Karpenter and of EKS Auto Mode.
	karpenterMemory, karpenterCount = "karpenter.k8s.aws/instance-gpu-memory", "karpenter.k8s.aws/instance-gpu-count"
	eksMemory, eksCount             = "eks.amazonaws.com/instance-gpu-memory", "eks.amazonaws.com/instance-gpu-count"

	// GKE's: how GPUs are shared, between how many Pods, the profile of MIG slices, and the number of GPUs.
	gkeSharing   = "cloud.google.com/gke-gpu-sharing-strategy"
	gkeClients   = "cloud.google.com/gke-max-shared-clients-per-gpu"
	gkePartition = "cloud.google.com/gke-gpu-partition-size"
	gkeCount     = "cloud.google.com/gke-accelerator-count"

	gkeTimeSharing = "time-sharing"
	gkeMPS         = "mps"

	// hamiAnnotation is on nodes whose GPUs HAMi shares; it holds the GPUs.
	hamiAnnotation = "hami.io/node-nvidia-register"
)

var cloudLabels = []string{
	karpenterMemory, karpenterCount, eksMemory, eksCount, gkeSharing, gkeClients, gkePartition, gkeCount,
}

// platforms are beginnings of labels that every node of a platform has. A node that Slim made has of each only the beginning.
const (
	platformKarpenter = "karpenter.k8s.aws/"
	platformEKSAuto   = "eks.amazonaws.com/instance-"
	platformGKE       = "cloud.google.com/gke-"
	platformAKS       = "kubernetes.azure.com/"
)

// platformOf returns the platform that a label shows. It is empty for none.
func platformOf(label string) string {
	for _, platform := range []string{platformKarpenter, platformEKSAuto, platformGKE, platformAKS} {
		if strings.HasPrefix(label, platform) {
			return platform
		}
	}
	return ""
}

// Trust is what the memory of a GPU was read from, the most trusted first.
type Trust int

const (
	// TrustNone is for GPUs whose memory is not known.
	TrustNone Trust = iota
	// TrustDevices is for devices in ResourceSlices. It vouches for a DeviceClass, and selects no nodes.
	TrustDevices
	// TrustDiscovery is for a label of GPU Feature Discovery.
	TrustDiscovery
	// TrustCloud is for a cloud's label that tells the memory.
	TrustCloud
	// TrustTable is for a cloud's label that names the GPU, whose memory a table has.
	TrustTable
	// TrustProfile is for a profile of the configuration.
	TrustProfile
)

// source tells the memory of the GPUs of one resource, and selects nodes by it: what it reads as enough, it selects.
type source struct {
	trust Trust
	// label is the one that it reads, of a profile nothing.
	label   string
	profile *Profile
	// platform is the one on whose clusters it selects nodes that need not be there yet. Empty if it does on all.
	platform string
	// class is the DeviceClass that hands out the devices.
	class string
}

// reading holds what a source reports for a node.
type reading struct {
	// memory is that of one GPU in MiB, and count the number of GPUs that it vouches for. 0 if it does not tell, -1 for a count of none.
	memory, count int64
	// problem says why the label cannot be read.
	problem string
	ok      bool
}

// sourcesOf returns the sources for a resource, the most trusted first.
func (c *Config) sourcesOf(name corev1.ResourceName) []source {
	prefix := labelsOf(name)
	all := []source{{trust: TrustDiscovery, label: prefix + suffixMemory}}
	if strings.HasPrefix(string(name), migResources) {
		return all
	}
	all = append(all,
		source{trust: TrustCloud, label: karpenterMemory, platform: platformKarpenter},
		source{trust: TrustCloud, label: eksMemory, platform: platformEKSAuto})
	for _, label := range c.acceleratorLabels() {
		s := source{trust: TrustTable, label: label}
		switch label {
		case gkeAccelerator:
			s.platform = platformGKE
		case instanceType:
			s.platform = platformAKS
		}
		all = append(all, s)
	}
	if name == c.ResourceName {
		for i := range c.Profiles {
			all = append(all, source{trust: TrustProfile, profile: &c.Profiles[i]})
		}
	}
	return all
}

// labelsOf returns what the labels about a resource begin with.
func labelsOf(name corev1.ResourceName) string {
	text := strings.TrimSuffix(string(name), sharedResource)
	if strings.HasPrefix(text, migResources) || !strings.HasPrefix(text, "nvidia.com/") {
		return text
	}
	return gpuLabels
}

// read returns what the source reports for a node.
func (s *source) read(c *Config, labels map[string]string) reading {
	switch s.trust {
	case TrustDiscovery:
		return readDiscovery(labels, s.label)
	case TrustCloud:
		told := numberOf(labels, s.label)
		if told <= 0 || told >= memoryCeiling {
			return reading{}
		}
		count := numberOf(labels, countLabel(s.label))
		if count == 0 {
			count = -1
		}
		return reading{memory: awsLeast(told), count: max(-1, count), ok: true}
	case TrustTable:
		row := c.accelerator(s.label, labels[s.label])
		if row == nil {
			return reading{}
		}
		count := row.Count
		if s.label == gkeAccelerator {
			count = max(0, numberOf(labels, gkeCount))
		}
		return reading{memory: row.Memory, count: count, ok: true}
	default:
		if s.profile == nil || len(s.profile.NodeSelector) == 0 || !includes(labels, s.profile.NodeSelector) {
			return reading{}
		}
		return reading{memory: s.profile.Memory, count: s.profile.Count, ok: true}
	}
}

func countLabel(memoryLabel string) string {
	return strings.TrimSuffix(memoryLabel, "memory") + "count"
}

func readDiscovery(labels map[string]string, key string) reading {
	text, ok := labels[key]
	if !ok {
		return reading{}
	}
	memory, err := strconv.ParseInt(text, 10, 64)
	if err != nil || memory < 1 || memory >= memoryCeiling {
		return reading{problem: malformedLabel(key, text, "a number of MiB"), ok: true}
	}
	return reading{memory: memory, count: max(0, numberOf(labels, countLabel(key))), ok: true}
}

// malformed is the word that messages have for a label that cannot be read.
const malformed = "LabelMalformed"

func malformedLabel(key, text, want string) string {
	return fmt.Sprintf("%s: its label %s is %q and not %s; correct it, or update GPU Feature Discovery", malformed, key, text, want)
}

// requires returns what selects nodes of which the source tells that they have so many GPUs with so many MiB. It is nil if no node can be.
func (s *source) requires(c *Config, memory, count int64) []corev1.NodeSelectorRequirement {
	switch s.trust {
	case TrustDiscovery:
		if memory == 0 {
			return []corev1.NodeSelectorRequirement{}
		}
		return []corev1.NodeSelectorRequirement{above(s.label, memory-1), below(s.label, memoryCeiling)}
	case TrustCloud:
		if memory > awsLargest() {
			return nil
		}
		return []corev1.NodeSelectorRequirement{
			above(s.label, awsTold(memory)-1), below(s.label, memoryCeiling), above(countLabel(s.label), count-1),
		}
	case TrustTable:
		values := c.values(s.label, memory, count)
		if len(values) == 0 {
			return nil
		}
		return []corev1.NodeSelectorRequirement{{Key: s.label, Operator: corev1.NodeSelectorOpIn, Values: values}}
	default:
		if s.profile.Memory < memory || s.profile.Count < count {
			return nil
		}
		var all []corev1.NodeSelectorRequirement
		for _, key := range sortedKeys(s.profile.NodeSelector) {
			all = append(all, corev1.NodeSelectorRequirement{Key: key, Operator: corev1.NodeSelectorOpIn, Values: []string{s.profile.NodeSelector[key]}})
		}
		return all
	}
}

// above and below select by a label that is a number. Gt and Lt of a node affinity are strict, and compare integers.
func above(key string, n int64) corev1.NodeSelectorRequirement {
	return corev1.NodeSelectorRequirement{Key: key, Operator: corev1.NodeSelectorOpGt, Values: []string{strconv.FormatInt(n, 10)}}
}

func below(key string, n int64) corev1.NodeSelectorRequirement {
	return corev1.NodeSelectorRequirement{Key: key, Operator: corev1.NodeSelectorOpLt, Values: []string{strconv.FormatInt(n, 10)}}
}

// String says by what the memory is known, for messages.
func (s *source) String() string {
	switch s.trust {
	case TrustNone:
		return ""
	case TrustDevices:
		return "the devices of DeviceClass " + s.class
	case TrustTable:
		return "the label " + s.label + " and the table of accelerators"
	case TrustProfile:
		return "the profile " + s.profile.Name
	default:
		return "the label " + s.label
	}
}

// foreignLabels are labels of nodes with accelerators of other makers, or whose devices are known in another way. A placement selects none.
var foreignLabels = []string{
	"amd.com/gpu.vram", "amd.com/gpu.device-id", "amd.com/gpu.product-name", "amd.com/gpu.family", "beta.amd.com/gpu.vram", "beta.amd.com/gpu.device-id",
	"gpu.intel.com/product", "gpu.intel.com/family", "intel.feature.node.kubernetes.io/gpu",
	"cloud.google.com/gke-tpu-accelerator", "aws.amazon.com/neuron.present", "habana.ai/gaudi.present",
	"feature.node.kubernetes.io/pci-10de.present", "feature.node.kubernetes.io/pci-1002.present", "nvidia.com/gpu.deploy.dra-driver",
	"kubernetes.azure.com/accelerator",
}

func foreignLabel(label string) bool { return slices.Contains(foreignLabels, label) }

// foreignResources are patterns of resources that are accelerators.
var foreignResources = []string{
	"*.com/gpu", "*.com/*gpu", "*.ai/gpu", "gpu.intel.com/*", "habana.ai/*", "google.com/tpu", "aws.amazon.com/neuron*", "huawei.com/Ascend*",
	"cambricon.com/*", "hygon.com/*", "nvidia.com/*gpu*", "nvidia.com/mig-*",
}

// isForeign reports whether a resource is an accelerator, by its name.
func isForeign(name corev1.ResourceName) bool {
	return strings.Contains(string(name), "/") &&
		slices.ContainsFunc(foreignResources, func(pattern string) bool { return globMatches(pattern, string(name)) })
}
