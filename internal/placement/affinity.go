package placement

import (
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
)

// preference is the weight of what kube-scheduler should prefer: the most there is, so that it counts among its other wishes.
const preference = 100

// keepGPUsFree prefers nodes without GPUs. gpu-operator and GPU Feature Discovery have a label each.
func keepGPUsFree() []corev1.PreferredSchedulingTerm {
	return []corev1.PreferredSchedulingTerm{{Weight: preference, Preference: corev1.NodeSelectorTerm{
		MatchExpressions: []corev1.NodeSelectorRequirement{
			{Key: gpuLabels + suffixPresent, Operator: corev1.NodeSelectorOpDoesNotExist},
			{Key: gpuLabels + suffixMemory, Operator: corev1.NodeSelectorOpDoesNotExist},
		},
	}}}
}

// affinity selects the nodes whose GPUs have enough memory each, and prefers the tightest. Nil if any GPU will do.
func (inv *Inventory) affinity(p *plan) *corev1.NodeAffinity {
	affinity := &corev1.NodeAffinity{}
	terms := slices.DeleteFunc(append([]corev1.NodeSelectorTerm{inv.plainTerm(p)}, inv.mpsTerms(p)...), func(term corev1.NodeSelectorTerm) bool {
		return len(term.MatchExpressions) == 0
	})
	if len(terms) == 0 {
		return nil
	}
	affinity.RequiredDuringSchedulingIgnoredDuringExecution = &corev1.NodeSelector{NodeSelectorTerms: terms}
	if p.supply != nil && p.memory > 0 {
		labelled := p.supply.memory
		if p.supply.sharing == sharingMPS {
			labelled *= p.supply.replicas
		}
		affinity.PreferredDuringSchedulingIgnoredDuringExecution = []corev1.PreferredSchedulingTerm{{
			Weight:     preference,
			Preference: corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{below(p.labels, labelled+1)}},
		}}
	}
	return affinity
}

// plainTerm selects GPUs whose label tells what one request gets: whole ones, MIG slices, and time-sliced ones where they are
// allowed. Several for one task must be whole.
func (inv *Inventory) plainTerm(p *plan) corev1.NodeSelectorTerm {
	var term corev1.NodeSelectorTerm
	require := func(requirements ...corev1.NodeSelectorRequirement) {
		term.MatchExpressions = append(term.MatchExpressions, requirements...)
	}
	if p.memory > 0 {
		require(atLeast(p.labels, p.perGPU()), below(p.labels, memoryCeiling))
	}
	legacy := inv.unwantedReplicas(p)
	var unwanted []string
	if !inv.config.MPS || p.count > 1 || p.memory > 0 || len(legacy) > 0 {
		unwanted = append(unwanted, sharingMPS) // those that are wanted have terms of their own
	}
	if !inv.slices(p) {
		unwanted = append(unwanted, sharingTimeSlicing)
	}
	if len(unwanted) > 0 {
		require(corev1.NodeSelectorRequirement{Key: p.labels + suffixSharing, Operator: corev1.NodeSelectorOpNotIn, Values: unwanted})
	}
	if len(legacy) > 0 {
		require(corev1.NodeSelectorRequirement{Key: p.labels + suffixReplicas, Operator: corev1.NodeSelectorOpNotIn, Values: legacy})
	}
	if p.count > 1 {
		require(corev1.NodeSelectorRequirement{Key: p.labels + suffixSlices, Operator: corev1.NodeSelectorOpDoesNotExist})
	}
	return term
}

// slices says whether a plan may take a time-sliced GPU.
func (inv *Inventory) slices(p *plan) bool { return inv.config.TimeSlicing && p.count == 1 }

// unwantedReplicas are the numbers of replicas by which to keep off time-sliced GPUs whose labels do not say how they are shared.
func (inv *Inventory) unwantedReplicas(p *plan) []string {
	if inv.slices(p) {
		return nil
	}
	return inv.legacy[p.labels]
}

// mpsTerms selects GPUs that MPS shares: the label tells the memory of the whole GPU, and each of the replicas gets its part; or any of them, for a
// task that names no size.
func (inv *Inventory) mpsTerms(p *plan) []corev1.NodeSelectorTerm {
	if !inv.config.MPS || p.count != 1 || p.memory == 0 && len(inv.unwantedReplicas(p)) == 0 {
		return nil
	}
	shared := corev1.NodeSelectorRequirement{Key: p.labels + suffixSharing, Operator: corev1.NodeSelectorOpIn, Values: []string{sharingMPS}}
	if p.memory == 0 {
		return []corev1.NodeSelectorTerm{{MatchExpressions: []corev1.NodeSelectorRequirement{shared}}}
	}
	var terms []corev1.NodeSelectorTerm
	for _, replicas := range inv.mps[p.labels] {
		n, err := strconv.ParseInt(replicas, 10, 64)
		if err != nil || n < 1 || n > maxReplicas {
			continue
		}
		terms = append(terms, corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{
			shared,
			{Key: p.labels + suffixReplicas, Operator: corev1.NodeSelectorOpIn, Values: []string{replicas}},
			atLeast(p.labels, p.memory*n), below(p.labels, memoryCeiling),
		}})
	}
	return terms
}

// atLeast and below select by the memory label, in MiB. Gt and Lt of a node affinity are strict, and compare integers.
func atLeast(labels string, memory int64) corev1.NodeSelectorRequirement {
	return corev1.NodeSelectorRequirement{Key: labels + suffixMemory, Operator: corev1.NodeSelectorOpGt, Values: []string{strconv.FormatInt(memory-1, 10)}}
}

func below(labels string, memory int64) corev1.NodeSelectorRequirement {
	return corev1.NodeSelectorRequirement{Key: labels + suffixMemory, Operator: corev1.NodeSelectorOpLt, Values: []string{strconv.FormatInt(memory, 10)}}
}
