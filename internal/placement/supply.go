package placement

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// sharedResource ends the names of resources that are shared and for that renamed.
const sharedResource = ".shared"

// invalidMIG ends the product's name where the GPUs of a node are not partitioned alike, as the strategy "single" wants it.
const invalidMIG = "-MIG-INVALID"

// sharing is how a GPU is given to several Pods.
type sharing string

const (
	sharingNone sharing = ""
	// sharingTimeSlicing lets Pods take turns. The memory is not divided.
	sharingTimeSlicing sharing = "time-slicing"
	// sharingMPS divides the memory into an equal part for each Pod.
	sharingMPS sharing = "mps"
	// sharingHAMi divides the memory by what a Pod asks of HAMi's scheduler, and not at all for others.
	sharingHAMi sharing = "HAMi"
	// sharingFraction is of machines that have a part of a GPU, with a memory of its own.
	sharingFraction sharing = "a fraction of a GPU"
)

// memoryCeiling, in MiB, is more than any GPU has. Very old GPU Feature Discovery wrote bytes into the label; those are above.
const memoryCeiling = 1 << 20

// maxReplicas is more than any device plugin shares one GPU into. It keeps products of labels far from overflowing.
const maxReplicas = 1 << 16

// supply is one way in which nodes of a class give GPUs. A DeviceClass of Dynamic Resource Allocation is one more: its resource is the
// class's, its count and memory are those of the devices that it selects, and its source comes before all labels.
type supply struct {
	// resource is what a Pod requests, and number the resource's, from 0 on.
	resource corev1.ResourceName
	number   int
	// labels is what the labels about it begin with.
	labels string
	// count is how many one empty node has.
	count int64
	// memory is what one of them gives, in MiB. 0 if that is not known. sold is the same as the part is sold, where its name tells that.
	memory, sold int64
	// source is what tells the memory.
	source source
	// replicas is into how many a GPU is shared, at least 1.
	replicas int64
	// sharing is how.
	sharing sharing
	// slice says that it is a part of a GPU by MIG.
	slice bool
	// unified says that its memory is the node's main memory.
	unified bool
	// devices says that Dynamic Resource Allocation hands it out. largest is then the most memory that one has, products are what they are called.
	// atLeast says that a Pod may get more than count. doubtful says that it is not known whether it is there, or can be asked for.
	devices, atLeast, doubtful bool
	largest                    int64
	products                   string
	// models are the names of the devices' products as labels have them, sorted. unnamed says that a device tells none. capability is the least compute
	// capability of one, 0 if one does not tell, and newest the greatest.
	models             []string
	unnamed            bool
	capability, newest Capability
	// place is its place among those of its class of nodes.
	place int
	// alike is a number that is the same for DeviceClasses which hand out the same of a node, by their implicit names. 0 for others.
	alike int
	// failed says that its DeviceClass fails, for which unusable has the reason.
	failed bool
	// unallocatable says that only labels tell of it.
	unallocatable bool
	// unusable says why it is not used, if so, and mislabelled why its memory is not known.
	unusable, mislabelled string
	// unmanaged says that a scheduler keeps Pods with GPUs off, whatever the nodes' labels are.
	unmanaged bool
	// unlabelled says that it might be used if its memory were known. unvouched says that there are more than any label or profile vouches for.
	unlabelled, unvouched bool
}

// isGPU reports whether a resource is a GPU or a part of one.
func (c *Config) isGPU(name corev1.ResourceName) bool {
	return name == c.ResourceName || name == c.ResourceName+sharedResource || strings.HasPrefix(string(name), migResources)
}

// suppliesOf reads the GPUs of a classified node, sorted by resource. What is left of a device plugin that is gone, and of which no label tells,
// is none; what only labels tell of is one that cannot be allocated.
func (c *Config) suppliesOf(node *corev1.Node) []supply {
	var supplies []supply
	for _, name := range sortedKeys(node.Status.Allocatable) {
		quantity := node.Status.Allocatable[name]
		if !c.isGPU(name) || quantity.Sign() <= 0 && !c.mentions(node.Labels, name) {
			continue
		}
		supplies = append(supplies, c.supplyOf(node, name, max(0, quantity.Value())))
	}
	if len(supplies) > 0 {
		return supplies
	}
	names := []corev1.ResourceName{c.ResourceName}
	for label := range node.Labels {
		if name, ok := strings.CutSuffix(label, suffixMemory); ok && strings.HasPrefix(label, migResources) {
			names = append(names, corev1.ResourceName(name))
		}
	}
	slices.Sort(names)
	for _, name := range slices.Compact(names) {
		if s := c.supplyOf(node, name, 0); s.memory > 0 {
			s.count, s.unallocatable = max(1, s.source.read(c, node.Labels).count)*s.replicas, true
			supplies = append(supplies, s)
		}
	}
	return supplies
}

// mentions reports whether labels of GPU Feature Discovery tell of a resource.
func (*Config) mentions(labels map[string]string, name corev1.ResourceName) bool {
	_, memory := labels[labelsOf(name)+suffixMemory]
	_, product := labels[labelsOf(name)+suffixProduct]
	return memory || product
}

// supplyOf reads a supply: how it is shared, what its memory is, and whether it can be used at all.
func (c *Config) supplyOf(node *corev1.Node, name corev1.ResourceName, count int64) supply {
	s := supply{resource: name, labels: labelsOf(name), count: count, replicas: 1}
	_, sliced := node.Labels[s.labels+suffixSlices]
	_, partition := node.Labels[gkePartition]
	s.slice = strings.HasPrefix(string(name), migResources) || sliced || partition && s.labels == gpuLabels
	s.readSharing(node)
	s.readMemory(c, node.Labels)
	s.unified = s.unified || isUnified(node.Labels[s.labels+suffixProduct])
	if why := c.unmanaged(&s); why != "" {
		s.unusable, s.unmanaged = why, true
	}
	if s.unusable == "" {
		s.unusable = c.refusal(&s, node.Labels)
	}
	return s
}

// refusal returns why a supply is not used, by its labels and the configuration.
func (c *Config) refusal(s *supply, labels map[string]string) string {
	deny := func(allowed bool, how, field string) string {
		if allowed {
			return ""
		}
		return fmt.Sprintf("its GPUs are shared by %s; set gpu.sharing.%s: Allow in the operator's configuration to use them", how, field)
	}
	switch {
	case strings.HasSuffix(labels[s.labels+suffixProduct], invalidMIG):
		return "its GPUs are not partitioned alike, as the MIG strategy single needs it"
	case s.resource == c.ResourceName && !s.slice && labels[s.labels+suffixReplicas] == "0":
		return fmt.Sprintf("its GPUs are in MIG mode and given as slices, as its label %s is 0; the %d %s that it still allocates are not there",
			s.labels+suffixReplicas, s.count, s.resource)
	case s.sharing == sharingTimeSlicing:
		return deny(c.TimeSlicing, "time-slicing", "timeSlicing")
	case s.sharing == sharingHAMi:
		if c.Provider == ProviderHAMi {
			return ""
		}
		if why := deny(c.TimeSlicing, "HAMi", "timeSlicing"); why != "" {
			return why + ", or gpu.sharing.provider: HAMi to use shares by memory"
		}
		return ""
	case s.sharing == sharingMPS && s.devices && !c.MPS:
		return "several Pods get one of its devices, and each a part of the memory; set gpu.sharing.mps: Allow in the operator's configuration to use them"
	case s.sharing == sharingMPS:
		return deny(c.MPS, "MPS", "mps")
	case s.sharing == sharingFraction && !c.MPS:
		return "its machine has a fraction of a GPU; set gpu.sharing.mps: Allow in the operator's configuration to use it"
	default:
		return ""
	}
}

// readSharing finds out how a GPU is shared. Before it wrote how, GPU Feature Discovery knew only time-slicing.
func (s *supply) readSharing(node *corev1.Node) {
	labels := node.Labels
	if text, ok := labels[s.labels+suffixReplicas]; ok {
		replicas, err := strconv.ParseInt(text, 10, 64)
		if err != nil || replicas < 0 || replicas > maxReplicas {
			s.unusable = malformedLabel(s.labels+suffixReplicas, text, "a number of replicas")
			return
		}
		s.replicas = max(1, replicas)
	}
	strategy := sharing(labels[s.labels+suffixSharing])
	_, hami := node.Annotations[hamiAnnotation]
	switch {
	case strategy == sharingTimeSlicing, strategy == sharingMPS:
		s.sharing = strategy
	case s.replicas > 1, strings.HasSuffix(string(s.resource), sharedResource):
		s.sharing = sharingTimeSlicing
	case s.labels != gpuLabels:
	case labels[gkeSharing] != "":
		s.sharing, s.replicas = sharingTimeSlicing, min(max(1, numberOf(labels, gkeClients)), maxReplicas)
		if labels[gkeSharing] == gkeMPS {
			s.sharing = sharingMPS
		}
	case hami:
		s.sharing = sharingHAMi
	case labels[karpenterCount] == "0", labels[eksCount] == "0":
		s.sharing = sharingFraction
	}
}

// readMemory asks the sources in their order. One that vouches for fewer GPUs than the node allocates does not count: what is more are shares of
// a GPU, or GPUs of several models of which the labels tell one.
func (s *supply) readMemory(c *Config, labels map[string]string) {
	var overdrawn string
	name := s.resource
	if s.devices {
		name = c.ResourceName // the labels are about the same GPUs
	}
	for _, from := range c.sourcesOf(name) {
		told := from.read(c, labels)
		switch {
		case !told.ok || from.trust == TrustProfile && s.sharing != sharingNone:
			continue
		case told.problem != "":
			s.mislabelled = told.problem
			return
		case from.trust > TrustDiscovery && s.slice && labels[gkePartition] == "":
			continue // it is about the whole card
		case s.vouched(&from, told) < s.count:
			if overdrawn == "" {
				overdrawn = fmt.Sprintf("allocates %d %s, and %s vouches for %d: they are shares of a GPU, or GPUs of several models; "+
					"describe the nodes by a profile with the memory of the smallest", s.count, s.resource, &from, s.vouched(&from, told))
			}
			continue
		}
		s.source, s.memory = from, told.memory
		s.unified = from.profile != nil && from.profile.Unified
		s.readPart(labels)
		return
	}
	s.unlabelled, s.unvouched = overdrawn == "", overdrawn != ""
	if s.unusable == "" {
		s.unusable = overdrawn
	}
}

// vouched returns for how many units a reading vouches at most.
func (s *supply) vouched(from *source, told reading) int64 {
	switch {
	case told.count == 0 || s.sharing == sharingHAMi || s.sharing == sharingFraction:
		return s.count
	case s.slice && from.trust != TrustDiscovery && told.count > 0:
		return max(s.count, told.count) // a card has several slices
	default:
		return max(0, told.count) * s.replicas
	}
}

// migProfile is the name of a MIG profile, such as 1g.10gb, with the GB that its slices are sold as.
var migProfile = regexp.MustCompile(`[0-9]g\.([0-9]{1,4})gb`)

// readPart finds out what a part of the card has.
func (s *supply) readPart(labels map[string]string) {
	if s.sharing == sharingMPS {
		s.memory /= s.replicas
	}
	if !s.slice {
		return
	}
	profile := string(s.resource)
	if s.labels == gpuLabels {
		profile = labels[gkePartition] + " " + labels[s.labels+suffixProduct]
	}
	if match := migProfile.FindStringSubmatch(profile); match != nil {
		gigabytes, _ := strconv.ParseInt(match[1], 10, 64) // of at most four digits
		s.sold = gigabytes << 10
		if s.source.trust != TrustDiscovery {
			s.memory = min(s.memory, partitionLeast(gigabytes))
		}
		return
	}
	if s.source.trust != TrustDiscovery {
		s.memory = 0
	}
}

// partitionLeast returns what a MIG slice has at least, in MiB, that is sold as so many GB. An H200's 1g.18gb has 88.9 percent of them.
func partitionLeast(gigabytes int64) int64 { return gigabytes << 10 * 7 / 8 }

// unifiedProducts are GPUs that use the node's main memory. NVML tells no memory of them.
var unifiedProducts = []string{"GB10", "Orin", "Thor", "Xavier", "Tegra", "Jetson"}

func isUnified(product string) bool {
	return slices.ContainsFunc(unifiedProducts, func(name string) bool {
		i := strings.Index(product, name)
		return i >= 0 && !isDigit(product, i+len(name)) // GB10 is not GB100
	})
}

func isDigit(text string, i int) bool { return i < len(text) && text[i] >= '0' && text[i] <= '9' }

func includes(all, some map[string]string) bool {
	for name, value := range some {
		if got, ok := all[name]; !ok || got != value {
			return false
		}
	}
	return true
}

// adds reports whether several of them together serve one task.
func (s *supply) adds() bool { return !s.slice && s.sharing == sharingNone }

// counted returns the memory of one, in MiB, as it is compared with a demand.
func (s *supply) counted(d *demand) int64 {
	if d.nominal && s.memory > 0 {
		return max(s.memory, asSold(s.sold))
	}
	return s.memory
}

// need returns how many GPUs of this supply meet a demand together: as many as its model allows. It is 0 if no number does.
func (s *supply) need(d *demand) int64 {
	if d.memory == 0 {
		return d.allowed(1)
	}
	memory := max(1, s.counted(d))
	return d.allowed((d.memory + memory - 1) / memory)
}

// enough reports whether some of them, of one node, meet a demand.
func (s *supply) enough(d *demand, count int64) bool {
	if s.unusable != "" || count > s.count || count > 1 && !s.adds() {
		return false
	}
	return d.memory == 0 || s.memory > 0 && s.counted(d)*count >= d.memory
}

// mayBeEnough reports whether GPUs could meet a demand of which only the number is known: those of one node, each with the most that there can be. A
// share or a slice counts alone.
func (s *supply) mayBeEnough(d *demand) bool {
	largest := *s
	largest.memory = memoryCeiling - 1
	k := largest.need(d)
	return k > 0 && k <= s.count && (k == 1 || s.adds())
}

// serves reports whether one node has enough of the supply.
func (s *supply) serves(d *demand) bool {
	if s.unusable != "" || d.memory > 0 && s.memory == 0 {
		return false
	}
	k := s.need(d)
	return k > 0 && s.enough(d, k)
}

func sortedKeys[K ~string, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
