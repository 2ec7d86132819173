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

// choice is a number of GPUs, all of one node. None for tasks without.
type choice struct {
	count    int64
	resource corev1.ResourceName
	labels   string
	// supply is what was chosen, of class. Nil if nothing that exists is enough.
	supply *supply
	class  *Class
	// unified says that the GPUs' memory is the node's main memory.
	unified bool
}

// plan is the choice for a demand, and what a Pod needs for it.
type plan struct {
	demand
	choice
	placement v1alpha1.Placement
	pod       *pod
	// ambiguous says that nodes which would do have the labels of others that would not, so that neither is selected.
	ambiguous bool
	// indistinct is a supply that could host the task, were it not for that. Nil if there is none.
	indistinct *supply
}

// perGPU is how much memory each GPU must have, in MiB.
func (p *plan) perGPU() int64 {
	if p.count == 0 {
		return 0
	}
	return (p.memory + p.count - 1) / p.count
}

// plan chooses: nodes that exist and can host the task whatever their state, else what a profile describes, else nodes that exist and lack
// something other than GPUs, else GPUs that only labels tell of, else what comes nearest, else one GPU of the size, if there can be one.
func (inv *Inventory) plan(req Requirement) *plan {
	d := inv.config.demandOf(&req)
	if req.Type != v1alpha1.ResourceTypeGPU {
		return inv.planned(d, choice{})
	}
	found, told := inv.candidates(&d)
	tried := trials{inv: inv, demand: &d, plans: map[trial]*plan{}}
	roomy := found.withRoom(&d)
	for k := range roomy {
		roomy.best(k)
		if p := tried.host(roomy[k]); p != nil {
			return p
		}
	}
	p := inv.otherwise(d, found, told)
	p.indistinct = tried.indistinct
	return p
}

// otherwise plans for a demand that no nodes can host which exist.
func (inv *Inventory) otherwise(d demand, found, told candidates) *plan {
	if profiled := inv.profiled(&d); profiled != nil {
		return inv.planned(d, *profiled)
	}
	for _, some := range []candidates{found, told, inv.nearest(&d)} {
		if len(some) > 0 {
			some.best(0)
			return inv.planned(d, some[0].choice())
		}
	}
	largest := supply{memory: memoryCeiling - 1}
	return inv.planned(d, choice{count: max(1, largest.need(&d)), resource: inv.config.ResourceName, labels: labelsOf(inv.config.ResourceName)})
}

func (inv *Inventory) planned(d demand, c choice) *plan {
	p := &plan{demand: d, choice: c}
	p.placement = inv.placementOf(p)
	p.pod = placementPod(&p.placement)
	return p
}

// candidate is a choice of GPUs that exist.
type candidate struct {
	supply *supply
	// same are the other ways to ask for it: DeviceClasses that hand out the same of a node, of which clusters may have dozens.
	same         []*supply
	class        *Class
	count, waste int64
	// unsure says that its resource hands out devices that would not do, too.
	unsure bool
	// rare says that there are few of them, and many others that serve the task with as many.
	rare bool
	// order is that of the classes, which are sorted by name.
	order int
}

func candidateOf(d *demand, class *Class, s *supply) candidate {
	count := s.need(d)
	return candidate{supply: s, class: class, count: count, waste: s.waste(d, count)}
}

func (c *candidate) choice() choice {
	s := c.supply
	return choice{count: c.count, resource: s.resource, labels: s.labels, supply: s, class: c.class, unified: s.unified}
}

// compare orders candidates, the better ones first: the fewest GPUs, not those that are rare, not those of a resource that hands out smaller ones,
// too, the least waste, the most nodes. A task that names no size prefers whole GPUs.
func (c *candidate) compare(other *candidate) int {
	return cmp.Or(cmp.Compare(c.count, other.count), compareBool(c.rare, other.rare), compareBool(c.unsure, other.unsure),
		cmp.Compare(c.waste, other.waste), cmp.Compare(other.class.Nodes, c.class.Nodes), cmp.Compare(c.order, other.order),
		cmp.Compare(c.supply.place, other.supply.place))
}

// candidates are in no order.
type candidates []candidate

// withRoom returns those of nodes that have the processors and the memory, too. Others need not be planned for.
func (all candidates) withRoom(d *demand) candidates {
	lacks := func(c candidate) bool { return !c.class.hasRoom(d) }
	if !slices.ContainsFunc(all, lacks) {
		return all
	}
	return slices.DeleteFunc(slices.Clone(all), lacks)
}

// best moves the best candidate from a place on to that place. Mostly one is enough: only then are they sorted.
func (all candidates) best(from int) {
	const few = 3
	switch rest := all[from:]; {
	case from > few: // they are sorted
	case from == few:
		slices.SortFunc(rest, func(a, b candidate) int { return a.compare(&b) })
	default:
		least := 0
		for i := range rest {
			if rest[i].compare(&rest[least]) < 0 {
				least = i
			}
		}
		rest[0], rest[least] = rest[least], rest[0]
	}
}

// candidates returns every way to meet a demand with GPUs that exist. Those that only labels tell of are apart.
func (inv *Inventory) candidates(d *demand) (found, told candidates) {
	unsure := inv.unsure(d)
	for i := range inv.classes {
		class := &inv.classes[i]
		if len(class.ways) == 0 || len(d.hostMismatches(class.node.Labels)) > 0 {
			continue
		}
		for j := range class.ways {
			w := &class.ways[j]
			if !w.serves(d) || len(d.Kind.mismatches(class.node.Labels, w.supply)) > 0 {
				continue
			}
			next := candidateOf(d, class, w.supply)
			next.order, next.same, next.unsure = i, w.same, true
			if sure := slices.IndexFunc(w.same, func(s *supply) bool { return !unsure(s, next.count) }); sure >= 0 {
				next.supply, next.unsure = w.same[sure], false
			}
			if w.unallocatable {
				told = append(told, next)
			} else {
				if found == nil {
					found = make(candidates, 0, len(inv.classes))
				}
				found = append(found, next)
			}
		}
	}
	found.markRare()
	told.markRare()
	return found, told
}

// markRare marks the candidates of which there are few. Tasks of another resource are not selected by the same placement: all would wait for
// those few. Several DeviceClasses hand out the same devices, and do not make each other rare.
func (all candidates) markRare() {
	several := slices.ContainsFunc(all, func(c candidate) bool { return c.supply.number != all[0].supply.number })
	if !several || !slices.ContainsFunc(all, func(c candidate) bool { return !c.supply.devices }) {
		return
	}
	type kind struct {
		number int
		count  int64
		// most is that of one class of nodes, and plugged that of one whose device plugin offers them.
		most, plugged units
	}
	var kinds []kind
	for i := range all {
		c := &all[i]
		at := slices.IndexFunc(kinds, func(k kind) bool { return k.number == c.supply.number && k.count == c.count })
		if at < 0 {
			at = len(kinds)
			kinds = append(kinds, kind{number: c.supply.number, count: c.count})
		}
		units := c.class.unitsOf(c.supply)
		if kinds[at].most = max(kinds[at].most, units); !c.supply.devices {
			kinds[at].plugged = max(kinds[at].plugged, units)
		}
	}
	for i := range all {
		c := &all[i]
		units := c.class.unitsOf(c.supply)
		c.rare = slices.ContainsFunc(kinds, func(k kind) bool {
			beside := k.most
			if c.supply.devices {
				beside = k.plugged
			}
			return k.number != c.supply.number && k.count == c.count && beside > 0 && units.isRare(beside)
		})
	}
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	default:
		return 1
	}
}

// nearest returns the GPUs that come nearest to a demand, where more of them on one node would meet it: those of nodes with several, and all if
// one GPU with so much memory cannot be. It returns one at most: that of which a node has the most memory, the first by name.
func (inv *Inventory) nearest(d *demand) candidates {
	var best *supply
	var of *Class
	impossible := d.memory > awsLargest()
	for i := range inv.classes {
		class := &inv.classes[i]
		if d.suits(class.node.Labels, nil) == fitNo {
			continue
		}
		for _, w := range class.ways {
			s := w.supply
			if d.memory == 0 || s.unusable != "" || s.unallocatable || s.devices || s.memory == 0 || !s.adds() || s.count == 0 || s.count == 1 && !impossible {
				continue
			}
			if s.need(d) > 0 && (best == nil || s.total() > best.total()) {
				best, of = s, class
			}
		}
	}
	if best == nil {
		return nil
	}
	return candidates{candidateOf(d, of, best)}
}

// total is what all of one node have together, in MiB.
func (s *supply) total() int64 { return min(s.count, maxReplicas) * s.memory }

// waste is how much memory, in MiB, the GPUs have beyond what is needed; for a task that names no size, how unusual they are.
func (s *supply) waste(d *demand, count int64) int64 {
	switch {
	case d.memory > 0:
		return count*s.counted(d) - d.memory
	case s.sharing != sharingNone:
		return 2
	case s.slice:
		return 1
	default:
		return 0
	}
}

// supplyOfProfile returns the supply of an empty node of a profile.
func (c *Config) supplyOfProfile(p *Profile) supply {
	return supply{
		resource: c.ResourceName, labels: labelsOf(c.ResourceName), count: p.Count, memory: p.Memory, replicas: 1, unified: p.Unified,
		source: source{trust: TrustProfile, profile: p},
	}
}

// profiled chooses by a profile: the fewest GPUs, the least waste, the first in the configuration. It is nil if none is enough.
func (inv *Inventory) profiled(d *demand) *choice {
	var best *choice
	var least int64
	for i := range inv.config.Profiles {
		s := inv.config.supplyOfProfile(&inv.config.Profiles[i])
		if !s.serves(d) || !d.growable(inv.config.Profiles[i].NodeSelector) {
			continue
		}
		next := &choice{count: s.need(d), resource: s.resource, labels: s.labels, unified: s.unified}
		if total := next.count * s.memory; best == nil || cmp.Or(cmp.Compare(next.count, best.count), cmp.Compare(total, least)) < 0 {
			best, least = next, total
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
	memory := p.Memory
	if p.unified {
		memory += p.memory << 20 // the GPU takes its memory from the node's
	}
	if memory > 0 {
		out.Requests[corev1.ResourceMemory] = *resource.NewQuantity(memory, resource.BinarySI)
	}
	if p.count == 0 {
		affinity := &corev1.NodeAffinity{PreferredDuringSchedulingIgnoredDuringExecution: inv.keepGPUsFree()}
		if terms := inv.suited(&p.demand, nil); len(terms) > 0 {
			affinity.RequiredDuringSchedulingIgnoredDuringExecution = &corev1.NodeSelector{NodeSelectorTerms: terms}
		}
		out.Affinity = &v1alpha1.Affinity{NodeAffinity: affinity}
		return out
	}
	gpus := *resource.NewQuantity(p.count, resource.DecimalSI)
	out.Requests[p.resource] = gpus
	out.Limits = corev1.ResourceList{p.resource: gpus}
	out.Tolerations = inv.tolerations(p)
	out.GPU = &v1alpha1.GPUPlacement{Count: int32(p.count), MemoryPerGPU: p.perGPU(), ResourceName: p.resource}
	if p.even {
		out.GPU.TensorParallelSize = int32(p.count)
	}
	inv.config.provide(p, &out)
	affinity, ambiguous := inv.affinity(p)
	p.ambiguous = ambiguous
	if affinity != nil {
		out.Affinity = &v1alpha1.Affinity{NodeAffinity: affinity}
	}
	return out
}

// tolerations are the ones that GPU nodes have by convention, the configured ones and those of the profiles that are enough, each once.
func (inv *Inventory) tolerations(p *plan) []corev1.Toleration {
	exists := func(key string) corev1.Toleration {
		return corev1.Toleration{Key: key, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoSchedule}
	}
	all := []corev1.Toleration{exists(gpuLabels)}
	wanted := append([]corev1.Toleration{exists(string(inv.config.ResourceName))}, inv.config.Tolerations...)
	for i := range inv.config.Profiles {
		if s := inv.config.supplyOfProfile(&inv.config.Profiles[i]); p.memory > 0 && p.resource == s.resource && s.enough(&p.demand, p.count) {
			wanted = append(wanted, inv.config.Profiles[i].Tolerations...)
		}
	}
	for _, toleration := range wanted {
		if !slices.ContainsFunc(all, func(t corev1.Toleration) bool { return t.MatchToleration(&toleration) }) {
			all = append(all, toleration)
		}
	}
	return all
}
