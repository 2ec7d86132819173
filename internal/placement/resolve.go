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
	placement := inv.placementOf(&p)
	return Resolution{Placement: placement, Verdict: inv.judge(&p, placementPod(&placement))}
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
	placement := inv.placementOf(&p)
	candidate := placementPod(&placement)
	fits := make([]Fit, len(inv.classes))
	for i := range inv.classes {
		fits[i] = Fit{Class: inv.classes[i], Why: candidate.why(&p, &inv.classes[i])}
	}
	return Resolution{Placement: placement, Verdict: inv.judge(&p, candidate)}, fits
}

// plan is the choice of GPUs for a requirement.
type plan struct {
	Requirement
	// memory is what the GPUs must have together, in MiB, as it is compared.
	memory int64
	// count is the number of GPUs, all of one node. 0 for tasks without.
	count    int64
	resource corev1.ResourceName
	labels   string
	// supply is what was chosen, of class. Nil if nothing that exists is enough.
	supply *supply
	class  *Class
	// profile is of nodes that are chosen by its labels.
	profile *Profile
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
// something other than GPUs, else one GPU of the size.
func (inv *Inventory) plan(req Requirement) plan {
	p := plan{Requirement: req}
	if req.Type != v1alpha1.ResourceTypeGPU {
		return p
	}
	p.memory = req.GPUMemory
	if inv.config.Nominal {
		p.memory = p.memory * nominalPercent / 100
	}
	candidates := inv.candidates(&p)
	for i := range candidates {
		if candidate := candidates[i]; inv.hosts(&candidate) {
			return candidate
		}
	}
	if profiled := inv.profiled(&p); profiled != nil {
		return *profiled
	}
	if len(candidates) > 0 {
		return candidates[0]
	}
	p.count, p.resource, p.labels = 1, inv.config.ResourceName, gpuLabels
	return p
}

// candidates gives every way to serve a plan with GPUs that exist, the best first: the fewest GPUs, the least waste, the most
// nodes. A task that names no size prefers whole GPUs.
func (inv *Inventory) candidates(p *plan) []plan {
	var found []plan
	for i := range inv.classes {
		class := &inv.classes[i]
		for j := range class.supplies {
			s := &class.supplies[j]
			if !s.serves(p) {
				continue
			}
			candidate := *p
			candidate.count, candidate.resource, candidate.labels = s.need(p.memory, p.TensorParallel), s.resource, s.labels
			candidate.supply, candidate.class, candidate.profile = s, class, s.profile
			found = append(found, candidate)
		}
	}
	slices.SortFunc(found, func(a, b plan) int {
		return cmp.Or(cmp.Compare(a.count, b.count), cmp.Compare(a.waste(), b.waste()), cmp.Compare(b.class.Nodes, a.class.Nodes),
			cmp.Compare(a.class.Name, b.class.Name), cmp.Compare(a.class.key, b.class.key), cmp.Compare(a.resource, b.resource))
	})
	return found
}

// serves says whether one node has enough of the supply.
func (s *supply) serves(p *plan) bool {
	if s.unusable != "" || p.memory > 0 && s.memory == 0 {
		return false
	}
	k := s.need(p.memory, p.TensorParallel)
	return k <= s.count && (k == 1 || s.adds())
}

// waste is how much memory, in MiB, the GPUs have beyond what is needed; for a task that names no size, how unusual they are.
func (p *plan) waste() int64 {
	if p.memory > 0 {
		return p.count*p.supply.memory - p.memory
	}
	switch {
	case p.supply.sharing != "":
		return 2
	case p.supply.slice:
		return 1
	default:
		return 0
	}
}

// hosts says whether the nodes that were chosen can host the task, whatever their state.
func (inv *Inventory) hosts(p *plan) bool {
	placement := inv.placementOf(p)
	return placementPod(&placement).fits(p.class)
}

// profiled plans with a profile: the fewest GPUs, the least waste, the first in the configuration. Nil if none is enough.
func (inv *Inventory) profiled(p *plan) *plan {
	var best *plan
	for i := range inv.config.Profiles {
		profile := &inv.config.Profiles[i]
		s := &supply{resource: inv.config.ResourceName, labels: gpuLabels, count: profile.Count, memory: profile.Memory, replicas: 1, profile: profile}
		if !s.serves(p) {
			continue
		}
		next := *p
		next.count, next.resource, next.labels, next.profile = s.need(p.memory, p.TensorParallel), s.resource, s.labels, profile
		if best == nil || cmp.Or(cmp.Compare(next.count, best.count), cmp.Compare(next.count*profile.Memory, best.count*best.profile.Memory)) < 0 {
			best = &next
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
