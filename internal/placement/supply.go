package placement

import (
	"fmt"
	"maps"
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
	// suffixReplicas: into how many each GPU is shared. 0 or 1 if it is not.
	suffixReplicas = ".replicas"
	// suffixSharing: how it is shared.
	suffixSharing = ".sharing-strategy"
	// suffixSlices: only on MIG slices, how many compute slices one has.
	suffixSlices = ".slices.gi"
	// suffixPresent: gpu-operator's, on nodes that have GPUs.
	suffixPresent = ".present"

	sharingTimeSlicing = "time-slicing"
	sharingMPS         = "mps"

	// sharedResource ends the names of resources that are shared and for that renamed.
	sharedResource = ".shared"
	// invalidMIG ends the product's name where the GPUs of a node are not partitioned alike, as the strategy "single" wants it.
	invalidMIG = "-MIG-INVALID"
)

var labelSuffixes = []string{suffixMemory, suffixProduct, suffixReplicas, suffixSharing, suffixSlices, suffixPresent}

// memoryCeiling, in MiB, is more than any GPU has. Very old GPU Feature Discovery wrote bytes into the label; those are above.
const memoryCeiling = 1 << 20

// maxReplicas is more than any device plugin shares one GPU into. It keeps products of labels far from overflowing.
const maxReplicas = 1 << 16

// supply is one way in which nodes of a class give GPUs.
type supply struct {
	// resource is what a Pod requests.
	resource corev1.ResourceName
	// labels is what the labels about it begin with.
	labels string
	// count is how many one empty node has.
	count int64
	// memory is what one of them gives, in MiB. 0 if that is not known.
	memory int64
	// replicas is into how many a GPU is shared, at least 1.
	replicas int64
	// sharing is how, or empty.
	sharing string
	// slice says that it is a part of a GPU by MIG.
	slice bool
	// profile is the one that the nodes are of, where that and no label tells the memory.
	profile *Profile
	// unusable says why it is not used, if so, and mislabelled why its memory is not known.
	unusable, mislabelled string
	// unlabelled says that it might be used if its memory were known.
	unlabelled bool
}

// isGPU says whether a resource is a GPU or a part of one.
func (c *Config) isGPU(name corev1.ResourceName) bool {
	return name == c.ResourceName || name == c.ResourceName+sharedResource || strings.HasPrefix(string(name), migResources)
}

// suppliesOf reads the GPUs of a classified node, sorted by resource.
func (c *Config) suppliesOf(node *corev1.Node) []supply {
	var supplies []supply
	for _, name := range sortedKeys(node.Status.Allocatable) {
		if c.isGPU(name) {
			quantity := node.Status.Allocatable[name]
			supplies = append(supplies, c.supplyOf(node, name, quantity.Value()))
		}
	}
	return supplies
}

func (c *Config) supplyOf(node *corev1.Node, name corev1.ResourceName, count int64) supply {
	s := supply{resource: name, labels: gpuLabels, count: count, replicas: 1}
	if strings.HasPrefix(string(name), migResources) {
		s.labels, s.slice = strings.TrimSuffix(string(name), sharedResource), true
	}
	if _, ok := node.Labels[s.labels+suffixSlices]; ok {
		s.slice = true
	}
	s.readSharing(node.Labels)
	s.readMemory(c, node.Labels)
	switch {
	case s.unusable != "":
	case strings.HasSuffix(node.Labels[s.labels+suffixProduct], invalidMIG):
		s.unusable = "its GPUs are not partitioned alike, as the MIG strategy single needs it"
	case s.sharing == sharingTimeSlicing && !c.TimeSlicing:
		s.unusable = "its GPUs are shared by time-slicing; set gpu.sharing.timeSlicing: Allow in the operator's configuration to use them"
	case s.sharing == sharingMPS && !c.MPS:
		s.unusable = "its GPUs are shared by MPS; set gpu.sharing.mps: Allow in the operator's configuration to use them"
	}
	return s
}

// readSharing finds out how a GPU is shared. Before it wrote how, GPU Feature Discovery knew only time-slicing.
func (s *supply) readSharing(labels map[string]string) {
	if text, ok := labels[s.labels+suffixReplicas]; ok {
		replicas, err := strconv.ParseInt(text, 10, 64)
		if err != nil || replicas < 0 || replicas > maxReplicas {
			s.unusable = s.malformed(suffixReplicas, text, "a number of replicas")
			return
		}
		s.replicas = max(1, replicas)
	}
	switch strategy := labels[s.labels+suffixSharing]; {
	case strategy == sharingTimeSlicing, strategy == sharingMPS:
		s.sharing = strategy
	case s.replicas > 1, strings.HasSuffix(string(s.resource), sharedResource):
		s.sharing = sharingTimeSlicing
	}
}

// readMemory finds out what one GPU gives: MPS divides the memory, time-slicing does not.
func (s *supply) readMemory(c *Config, labels map[string]string) {
	text, ok := labels[s.labels+suffixMemory]
	if !ok {
		s.profile = c.profileOf(labels)
		if s.profile != nil && s.labels == gpuLabels && s.sharing == "" {
			s.memory = s.profile.Memory
			return
		}
		s.profile, s.unlabelled = nil, true
		return
	}
	memory, err := strconv.ParseInt(text, 10, 64)
	if err != nil || memory < 1 || memory >= memoryCeiling {
		s.mislabelled = s.malformed(suffixMemory, text, "a number of MiB")
		return
	}
	s.memory = memory
	if s.sharing == sharingMPS {
		s.memory = memory / s.replicas
	}
}

// malformed is the word that messages have for a label that cannot be read.
const malformed = "LabelMalformed"

func (s *supply) malformed(suffix, text, want string) string {
	return fmt.Sprintf("%s: its label %s is %q and not %s; correct it, or update GPU Feature Discovery", malformed, s.labels+suffix, text, want)
}

// profileOf gives the first profile that a node's labels are of. Nil if there is none.
func (c *Config) profileOf(labels map[string]string) *Profile {
	for i := range c.Profiles {
		if p := &c.Profiles[i]; len(p.NodeSelector) > 0 && includes(labels, p.NodeSelector) {
			return p
		}
	}
	return nil
}

func includes(all, some map[string]string) bool {
	for name, value := range some {
		if got, ok := all[name]; !ok || got != value {
			return false
		}
	}
	return true
}

// adds says whether several of them together serve one task.
func (s *supply) adds() bool { return !s.slice && s.sharing == "" }

// need is how many GPUs of this supply meet a demand together: a power of two for tensor parallelism.
func (s *supply) need(d *demand) int64 {
	if d.memory == 0 {
		return 1
	}
	k := (d.memory + s.memory - 1) / s.memory
	if !d.TensorParallel {
		return k
	}
	power := int64(1)
	for power < k {
		power *= 2
	}
	return power
}

func sortedKeys[K ~string, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
