package placement

import (
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
)

// preference is the weight of what kube-scheduler should prefer: the most there is, so that it counts among its other wishes.
const preference = 100

// keepGPUsFree prefers nodes without GPUs. gpu-operator and GPU Feature Discovery have a label each; other accelerators that the cluster has are
// told by labels of their own.
func (inv *Inventory) keepGPUsFree() []corev1.PreferredSchedulingTerm {
	term := corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{absent(gpuLabels + suffixPresent), absent(gpuLabels + suffixMemory)}}
	term.MatchExpressions = append(term.MatchExpressions, inv.marks...)
	return []corev1.PreferredSchedulingTerm{{Weight: preference, Preference: term}}
}

func absent(key string) corev1.NodeSelectorRequirement {
	return corev1.NodeSelectorRequirement{Key: key, Operator: corev1.NodeSelectorOpDoesNotExist}
}

func oneOf(key string, values ...string) corev1.NodeSelectorRequirement {
	return corev1.NodeSelectorRequirement{Key: key, Operator: corev1.NodeSelectorOpIn, Values: values}
}

func noneOf(key string, values ...string) corev1.NodeSelectorRequirement {
	return corev1.NodeSelectorRequirement{Key: key, Operator: corev1.NodeSelectorOpNotIn, Values: values}
}

// affinity selects the nodes whose GPUs have enough memory each, by every source that can tell so, and prefers the tightest. It is nil if any GPU
// will do. It reports whether nodes that will not do have the labels of nodes that will, so that it selects neither.
func (inv *Inventory) affinity(p *plan) (*corev1.NodeAffinity, bool) {
	terms := inv.terms(p)
	if !p.handedOutOnly(inv.config) {
		terms = inv.ofKind(&p.demand, terms)
	}
	terms, missed := inv.admit(p, terms)
	terms, ambiguous := inv.separate(p, inv.suited(&p.demand, terms))
	if len(terms) == 0 {
		return nil, false
	}
	affinity := &corev1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &corev1.NodeSelector{NodeSelectorTerms: terms}}
	if p.supply != nil && p.memory > 0 && p.supply.source.trust == TrustDiscovery {
		labelled := p.supply.memory
		if p.supply.sharing == sharingMPS {
			labelled *= p.supply.replicas
		}
		affinity.PreferredDuringSchedulingIgnoredDuringExecution = []corev1.PreferredSchedulingTerm{{
			Weight:     preference,
			Preference: corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{below(p.labels+suffixMemory, labelled+1)}},
		}}
	}
	return affinity, ambiguous || missed
}

// terms are the ways to be selected: the labels of GPU Feature Discovery first, then those of clouds, then those of each profile that is enough.
// Karpenter takes them one by one, until it knows all labels of one.
func (inv *Inventory) terms(p *plan) []corev1.NodeSelectorTerm {
	if p.handedOutOnly(inv.config) {
		return nil
	}
	var terms []corev1.NodeSelectorTerm
	add := func(requirements ...corev1.NodeSelectorRequirement) {
		if len(requirements) > 0 {
			terms = append(terms, corev1.NodeSelectorTerm{MatchExpressions: requirements})
		}
	}
	sources := inv.config.sourcesOf(p.resource)
	discovery := sources[0].requires(inv.config, inv.threshold(p), p.count)
	add(append(discovery, inv.exclusions(p, false)...)...)
	for _, requirements := range inv.parts(p) {
		add(requirements...)
	}
	if p.memory == 0 {
		return terms
	}
	for _, from := range sources[1:] {
		if from.platform != "" && !inv.platforms[from.platform] {
			continue
		}
		if requirements := from.requires(inv.config, p.perGPU(), p.count); requirements != nil {
			add(append(requirements, inv.exclusions(p, true)...)...)
		}
	}
	return terms
}

// threshold returns the least memory, in MiB, of the GPUs that the first term selects. Slices with a resource of their own are selected by
// that: where sizes count as sold, they may have less than their name says.
func (inv *Inventory) threshold(p *plan) int64 {
	least := p.perGPU()
	if p.labels == gpuLabels || !p.nominal {
		return least
	}
	for _, o := range inv.offers[p.resource] {
		if o.supply.memory > 0 && o.supply.enough(&p.demand, p.count) {
			least = min(least, o.supply.memory)
		}
	}
	return least
}

// exclusions keep off GPUs that are shared in a way that is not wanted, and slices where several GPUs are needed. whole says that the term selects
// by what is known of whole cards.
func (inv *Inventory) exclusions(p *plan, whole bool) []corev1.NodeSelectorRequirement {
	var all []corev1.NodeSelectorRequirement
	legacy := inv.unwantedReplicas(p)
	var unwanted, unwantedGKE []string
	if !inv.config.MPS || p.count > 1 || p.memory > 0 || len(legacy) > 0 {
		unwanted, unwantedGKE = append(unwanted, string(sharingMPS)), append(unwantedGKE, gkeMPS) // those that are wanted have terms of their own
	}
	if !inv.slices(p) {
		unwanted, unwantedGKE = append(unwanted, string(sharingTimeSlicing)), append(unwantedGKE, gkeTimeSharing)
	}
	if len(unwanted) > 0 {
		all = append(all, noneOf(p.labels+suffixSharing, unwanted...))
	}
	if len(legacy) > 0 {
		all = append(all, noneOf(p.labels+suffixReplicas, legacy...))
	}
	if p.count > 1 || whole {
		all = append(all, absent(p.labels+suffixSlices))
	}
	if !inv.platforms[platformGKE] || p.labels != gpuLabels {
		return all
	}
	if len(unwantedGKE) > 0 {
		all = append(all, noneOf(gkeSharing, unwantedGKE...))
	}
	if p.count > 1 || whole {
		all = append(all, absent(gkePartition))
	}
	return all
}

// slices reports whether a plan may take a time-sliced GPU.
func (inv *Inventory) slices(p *plan) bool { return inv.config.TimeSlicing && p.count == 1 }

// unwantedReplicas are the numbers of replicas by which to keep off time-sliced GPUs whose labels do not say how they are shared.
func (inv *Inventory) unwantedReplicas(p *plan) []string {
	if inv.slices(p) {
		return nil
	}
	return inv.legacy[p.labels]
}

// parts selects GPUs of which one request gets a part, where the labels tell of the whole: those that MPS shares, and slices that are told by
// their names. Each of several replicas gets its part of the memory.
func (inv *Inventory) parts(p *plan) [][]corev1.NodeSelectorRequirement {
	if p.count != 1 {
		return nil
	}
	var all [][]corev1.NodeSelectorRequirement
	switch {
	case !inv.config.MPS:
	case p.memory == 0 && len(inv.unwantedReplicas(p)) > 0:
		all = append(all, []corev1.NodeSelectorRequirement{oneOf(p.labels+suffixSharing, string(sharingMPS))})
	case p.memory > 0:
		all = append(all, inv.mpsParts(p)...)
	}
	var products, partitions []string
	for _, o := range inv.offers[p.resource] {
		class, s := o.class, o.supply
		if p.memory == 0 || !s.slice || p.labels != gpuLabels || !s.enough(&p.demand, 1) {
			continue
		}
		switch {
		case s.source.trust != TrustDiscovery:
			partitions = insert(partitions, class.node.Labels[gkePartition])
		case s.memory < p.memory:
			products = insert(products, class.node.Labels[p.labels+suffixProduct])
		}
	}
	if len(products) > 0 {
		all = append(all, append([]corev1.NodeSelectorRequirement{oneOf(p.labels+suffixProduct, products...)}, inv.exclusions(p, false)...))
	}
	if len(partitions) > 0 {
		all = append(all, append([]corev1.NodeSelectorRequirement{oneOf(gkePartition, partitions...)}, inv.exclusions(p, false)...))
	}
	return all
}

// mpsParts selects GPUs that MPS shares, by the number of replicas that there are.
func (inv *Inventory) mpsParts(p *plan) [][]corev1.NodeSelectorRequirement {
	var all [][]corev1.NodeSelectorRequirement
	each := func(replicas []string, do func(text string, n int64)) {
		for _, text := range replicas {
			if n, err := strconv.ParseInt(text, 10, 64); err == nil && n >= 1 && n <= maxReplicas {
				do(text, n)
			}
		}
	}
	memory := p.labels + suffixMemory
	each(inv.mps[p.labels], func(text string, n int64) {
		all = append(all, []corev1.NodeSelectorRequirement{
			oneOf(p.labels+suffixSharing, string(sharingMPS)), oneOf(p.labels+suffixReplicas, text), above(memory, p.memory*n-1), below(memory, memoryCeiling),
		})
	})
	if p.labels != gpuLabels {
		return all
	}
	each(inv.gkeMPS, func(text string, n int64) {
		shared := []corev1.NodeSelectorRequirement{oneOf(gkeSharing, gkeMPS), oneOf(gkeClients, text)}
		all = append(all, append(slices.Clone(shared), above(memory, p.memory*n-1), below(memory, memoryCeiling)))
		if values := inv.config.values(gkeAccelerator, p.memory*n, 1); len(values) > 0 {
			all = append(all, append(shared, oneOf(gkeAccelerator, values...)))
		}
	})
	return all
}
