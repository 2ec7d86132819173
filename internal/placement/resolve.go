// Package placement maps what a task needs to what a Pod asks for, true to the nodes of a cluster: a task says how much GPU
// memory it needs, while a Pod can only ask for a number of GPUs and for labels of nodes.
package placement

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"github.com/maze-agent/maregister/api/v1alpha1"
)

// Resolution is what is known of where a task can run.
type Resolution struct {
	// Placement is what a Pod needs. It depends on the classes of nodes that exist, and not on whether they take Pods now.
	Placement v1alpha1.Placement
	// Verdict says whether some node can host such a Pod, were it empty.
	Verdict Verdict
}

// Resolve maps a requirement to a placement. The same requirement and the same classes give the same placement.
func Resolve(req Requirement, inv *Inventory) Resolution {
	p := inv.plan(req)
	return Resolution{Placement: p.placement, Verdict: inv.judge(p)}
}

// Fit says of the nodes of a class whether one of them can host a task when it is empty.
type Fit struct {
	Class Class
	// Why says why not. Empty if one can.
	Why string
}

// Explain does what Resolve does, and says of every class how it fits.
func Explain(req Requirement, inv *Inventory) (Resolution, []Fit) {
	p := inv.plan(req)
	fits := make([]Fit, len(inv.classes))
	for i := range inv.classes {
		fits[i] = Fit{Class: inv.classes[i], Why: p.why(&inv.classes[i])}
	}
	return Resolution{Placement: p.placement, Verdict: inv.judge(p)}, fits
}

// demand is what a requirement comes to, in this configuration.
type demand struct {
	Requirement
	// memory is what the GPUs must have together, in MiB, as it is compared.
	memory int64
}

// choice is a number of GPUs, all of one node. None for tasks without.
type choice struct {
	count    int64
	resource corev1.ResourceName
	labels   string
	// supply is what was chosen, of class. Nil if nothing that exists is enough.
	supply *supply
	class  *Class
	// profile is of nodes that are chosen by its labels.
	profile *Profile
}

// plan is the choice for a demand, and what a Pod needs for it.
type plan struct {
	demand
	choice
	placement v1alpha1.Placement
	pod       *pod
}

// perGPU is how much memory each GPU must have, in MiB.
func (p *plan) perGPU() int64 {
	if p.count == 0 {
		return 0
	}
	return (p.memory + p.count - 1) / p.count
}

// nominalPercent is how much of its nominal memory, in percent, a card has at least: an H100 of 80 GB has 81559 of 81920 MiB.
const nominalPercent = 97

// plan chooses: nodes that exist and can host the task whatever their state, else a profile, else nodes that exist and lack
// something other than GPUs, else one GPU of the size, if there can be one.
func (inv *Inventory) plan(req Requirement) *plan {
	d := demand{Requirement: req, memory: req.GPUMemory}
	if req.Type != v1alpha1.ResourceTypeGPU {
		return inv.planned(d, choice{})
	}
	if inv.config.Nominal {
		d.memory = d.memory * nominalPercent / 100
	}
	candidates := inv.candidates(&d)
	for _, candidate := range candidates {
		if p := inv.planned(d, candidate.choice); p.pod.fits(p.class.node) {
			return p
		}
	}
	if profiled := inv.profiled(&d); profiled != nil {
		return inv.planned(d, *profiled)
	}
	if len(candidates) > 0 {
		return inv.planned(d, candidates[0].choice)
	}
	largest := supply{memory: memoryCeiling - 1}
	return inv.planned(d, choice{count: largest.need(&d), resource: inv.config.ResourceName, labels: gpuLabels})
}

func (inv *Inventory) planned(d demand, c choice) *plan {
	p := &plan{demand: d, choice: c}
	p.placement = inv.placementOf(p)
	p.pod = placementPod(&p.placement)
	return p
}

// candidate is a choice of GPUs that exist.
type candidate struct {
	choice
	waste int64
	// order is that of the classes, which are sorted by name, and of the resources of a class.
	order int
}

// candidates gives every way to meet a demand with GPUs that exist, the best first: the fewest GPUs, the least waste, the most
// nodes. A task that names no size prefers whole GPUs.
func (inv *Inventory) candidates(d *demand) []*candidate {
	var found []*candidate
	for i := range inv.classes {
		class := &inv.classes[i]
		for j := range class.supplies {
			if s := &class.supplies[j]; s.serves(d) {
				count := s.need(d)
				found = append(found, &candidate{
					choice: choice{count: count, resource: s.resource, labels: s.labels, supply: s, class: class, profile: s.profile},
					waste:  s.waste(d, count), order: len(found),
				})
			}
		}
	}
	slices.SortFunc(found, func(a, b *candidate) int {
		return cmp.Or(cmp.Compare(a.count, b.count), cmp.Compare(a.waste, b.waste), cmp.Compare(b.class.Nodes, a.class.Nodes), cmp.Compare(a.order, b.order))
	})
	return found
}

// serves says whether one node has enough of the supply.
func (s *supply) serves(d *demand) bool {
	if s.unusable != "" || d.memory > 0 && s.memory == 0 {
		return false
	}
	k := s.need(d)
	return k <= s.count && (k == 1 || s.adds())
}

// waste is how much memory, in MiB, the GPUs have beyond what is needed; for a task that names no size, how unusual they are.
func (s *supply) waste(d *demand, count int64) int64 {
	switch {
	case d.memory > 0:
		return count*s.memory - d.memory
	case s.sharing != "":
		return 2
	case s.slice:
		return 1
	default:
		return 0
	}
}

// profiled chooses by a profile: the fewest GPUs, the least waste, the first in the configuration. Nil if none is enough.
func (inv *Inventory) profiled(d *demand) *choice {
	var best *choice
	for i := range inv.config.Profiles {
		profile := &inv.config.Profiles[i]
		s := supply{resource: inv.config.ResourceName, labels: gpuLabels, count: profile.Count, memory: profile.Memory, replicas: 1}
		if !s.serves(d) {
			continue
		}
		next := &choice{count: s.need(d), resource: s.resource, labels: s.labels, profile: profile}
		if best == nil || cmp.Or(cmp.Compare(next.count, best.count), cmp.Compare(next.count*profile.Memory, best.count*best.profile.Memory)) < 0 {
			best = next
		}
	}
	return best
}

// placementOf writes a plan down. Quantities are in their canonical form, so that 4096Mi and 4Gi give the same bytes.
func (inv *Inventory) placementOf(p *plan) v1alpha1.Placement {
	out := v1alpha1.Placement{Requests: corev1.ResourceList{}}
	if p.MilliCPU > 0 {
		out.Requests[corev1.ResourceCPU] = *resource.NewMilliQuantity(p.MilliCPU, resource.DecimalSI)
	}
	if p.Memory > 0 {
		out.Requests[corev1.ResourceMemory] = *resource.NewQuantity(p.Memory, resource.BinarySI)
	}
	if p.count == 0 {
		out.Affinity = &v1alpha1.Affinity{NodeAffinity: &corev1.NodeAffinity{PreferredDuringSchedulingIgnoredDuringExecution: keepGPUsFree()}}
		return out
	}
	gpus := *resource.NewQuantity(p.count, resource.DecimalSI)
	out.Requests[p.resource] = gpus
	out.Limits = corev1.ResourceList{p.resource: gpus}
	out.Tolerations = inv.tolerations(p)
	out.GPU = &v1alpha1.GPUPlacement{Count: int32(p.count), MemoryPerGPU: p.perGPU(), ResourceName: p.resource}
	if p.TensorParallel {
		out.GPU.TensorParallelSize = int32(p.count)
	}
	if p.profile != nil {
		out.NodeSelector = p.profile.NodeSelector
		return out
	}
	if affinity := inv.affinity(p); affinity != nil {
		out.Affinity = &v1alpha1.Affinity{NodeAffinity: affinity}
	}
	return out
}

// tolerations are the one that GPU nodes have by convention, the configured ones and the profile's, each once.
func (inv *Inventory) tolerations(p *plan) []corev1.Toleration {
	all := []corev1.Toleration{{Key: gpuLabels, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoSchedule}}
	wanted := inv.config.Tolerations
	if p.profile != nil {
		wanted = slices.Concat(wanted, p.profile.Tolerations)
	}
	for _, toleration := range wanted {
		if !slices.ContainsFunc(all, func(t corev1.Toleration) bool { return t.MatchToleration(&toleration) }) {
			all = append(all, toleration)
		}
	}
	return all
}
