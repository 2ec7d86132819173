package placement

import (
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
)

// separators are the labels by which nodes are kept off first, as they tell the difference.
var separators = []string{
	gpuLabels + suffixReplicas, gkeSharing, karpenterCount, eksCount, gpuLabels + suffixCount, gpuLabels + suffixProduct, gpuLabels + suffixMemory,
}

// separate keeps off the nodes that terms select, and that allocate enough GPUs, which are not what the task needs: those that are shared by
// something that no label names, that are more than any label vouches for, or that a profile describes and their own labels contradict.
// It reports whether such nodes have the labels of others that would do. Then it keeps off both: a Pod must not come to the wrong ones.
func (inv *Inventory) separate(p *plan, terms []corev1.NodeSelectorTerm) ([]corev1.NodeSelectorTerm, bool) {
	var bad, good []*Class
	for _, o := range inv.offers[p.resource] {
		class, s := o.class, o.supply
		if s.unallocatable || s.unmanaged || s.count < p.count && !s.stalls(p.count) ||
			len(terms) > 0 && !slices.ContainsFunc(terms, class.matches) {
			continue
		}
		if p.meets(class, s) {
			good = append(good, class)
		} else {
			bad = append(bad, class)
		}
	}
	ambiguous := false
	var off []corev1.NodeSelectorRequirement
	for _, class := range bad {
		if !satisfies(off, class.node.Labels) {
			continue // kept off together with another one
		}
		next, clean := separator(class, good)
		ambiguous = ambiguous || !clean
		off = merge1(off, next)
	}
	if len(off) == 0 {
		return terms, false
	}
	if len(terms) == 0 {
		terms = []corev1.NodeSelectorTerm{{}}
	}
	for i := range terms {
		terms[i].MatchExpressions = slices.Concat(terms[i].MatchExpressions, off)
	}
	return terms, ambiguous
}

// merge1 adds a requirement. Values that must not be are put together by their label.
func merge1(all []corev1.NodeSelectorRequirement, next corev1.NodeSelectorRequirement) []corev1.NodeSelectorRequirement {
	i := slices.IndexFunc(all, func(r corev1.NodeSelectorRequirement) bool { return r.Key == next.Key && r.Operator == next.Operator })
	if i < 0 || len(next.Values) == 0 {
		return append(all, next)
	}
	all[i].Values = insert(all[i].Values, next.Values[0])
	return all
}

// insert adds to a sorted set.
func insert(set []string, value string) []string {
	if i, found := slices.BinarySearch(set, value); !found {
		return slices.Insert(set, i, value)
	}
	return set
}

// separator returns what keeps off a class, and none of others if there is such a thing.
func separator(bad *Class, good []*Class) (corev1.NodeSelectorRequirement, bool) {
	var keys []string
	for _, key := range slices.Concat(separators, sortedKeys(bad.node.Labels)) {
		if _, ok := bad.node.Labels[key]; ok && platformOf(key) != key && !isCommon(key) {
			keys = append(keys, key)
		}
	}
	for _, key := range keys {
		value := bad.node.Labels[key]
		if !slices.ContainsFunc(good, func(c *Class) bool { got, ok := c.node.Labels[key]; return ok && got == value }) {
			return noneOf(key, value), true
		}
	}
	for _, key := range slices.Concat([]string{gpuLabels + suffixMemory}, commonKeys(good)) {
		if _, has := bad.node.Labels[key]; !has && !slices.ContainsFunc(good, func(c *Class) bool { _, ok := c.node.Labels[key]; return !ok }) {
			return corev1.NodeSelectorRequirement{Key: key, Operator: corev1.NodeSelectorOpExists}, true
		}
	}
	if len(keys) > 0 {
		return noneOf(keys[0], bad.node.Labels[keys[0]]), false
	}
	return corev1.NodeSelectorRequirement{Key: gpuLabels + suffixMemory, Operator: corev1.NodeSelectorOpExists}, false
}

// commonKeys returns the labels of the first class, by which others are asked.
func commonKeys(classes []*Class) []string {
	if len(classes) == 0 {
		return nil
	}
	return slices.DeleteFunc(sortedKeys(classes[0].node.Labels), func(key string) bool { return platformOf(key) == key || isCommon(key) })
}

// matches reports whether a term selects the nodes of a class.
func (c *Class) matches(term corev1.NodeSelectorTerm) bool {
	return satisfies(term.MatchExpressions, c.node.Labels)
}

// satisfies reports whether labels are what requirements ask for, as kube-scheduler reads them.
func satisfies(requirements []corev1.NodeSelectorRequirement, labels map[string]string) bool {
	for i := range requirements {
		if !satisfiesOne(&requirements[i], labels) {
			return false
		}
	}
	return true
}

func satisfiesOne(r *corev1.NodeSelectorRequirement, labels map[string]string) bool {
	value, ok := labels[r.Key]
	switch r.Operator {
	case corev1.NodeSelectorOpIn:
		return ok && slices.Contains(r.Values, value)
	case corev1.NodeSelectorOpNotIn:
		return !ok || !slices.Contains(r.Values, value)
	case corev1.NodeSelectorOpExists:
		return ok
	case corev1.NodeSelectorOpDoesNotExist:
		return !ok
	}
	bound, err := strconv.ParseInt(r.Values[0], 10, 64)
	got, wrong := strconv.ParseInt(value, 10, 64)
	if err != nil || wrong != nil || !ok {
		return false
	}
	if r.Operator == corev1.NodeSelectorOpGt {
		return got > bound
	}
	return got < bound
}

// noteSharing notes the values of labels by which placements keep off shared GPUs, or ask for them.
func (inv *Inventory) noteSharing(class *Class) {
	for i := range class.supplies {
		s := &class.supplies[i]
		if s.devices {
			continue // its slices tell
		}
		replicas := class.node.Labels[s.labels+suffixReplicas]
		_, told := class.node.Labels[s.labels+suffixSharing]
		gke := class.node.Labels[gkeSharing] != ""
		switch {
		case s.sharing == sharingMPS && gke:
			inv.gkeMPS = insert(inv.gkeMPS, class.node.Labels[gkeClients])
		case s.sharing == sharingMPS && replicas != "":
			inv.mps[s.labels] = insert(inv.mps[s.labels], replicas)
		case s.sharing == sharingTimeSlicing && !told && !gke && replicas != "":
			inv.legacy[s.labels] = insert(inv.legacy[s.labels], replicas)
		}
	}
}
