package placement

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
)

// noteDevices notes by which resources devices are handed out, with the least memory that a device may have of each, in MiB.
func (inv *Inventory) noteDevices(class *Class) {
	for i := range class.supplies {
		s := &class.supplies[i]
		if !s.devices || s.count == 0 {
			continue
		}
		memory := s.memory
		if s.unusable != "" {
			memory = 0
		}
		if known, ok := inv.handedOut[s.resource]; !ok || memory < known {
			inv.handedOut[s.resource], inv.least[s.number] = memory, memory
		}
	}
}

// unsure returns what reports whether the resource of a supply hands out, anywhere, devices of which so many would not do, or that are not of the
// kind: then labels have to tell nodes apart.
func (inv *Inventory) unsure(d *demand) func(s *supply, count int64) bool {
	var others []bool // by the resource's number
	if d.Kind.discovered() {
		others = make([]bool, len(inv.least))
		for i := range inv.classes {
			for _, w := range inv.classes[i].ways {
				if !w.devices || w.count == 0 || len(d.Kind.deviceMismatches(w.supply)) == 0 {
					continue
				}
				for _, s := range w.same {
					others[s.number] = true
				}
			}
		}
	}
	return func(s *supply, count int64) bool {
		return s.devices && (d.memory > 0 && inv.least[s.number]*count < d.memory || others != nil && others[s.number])
	}
}

// handedOutOnly reports whether no device plugin offers what a plan asks for.
func (p *plan) handedOutOnly(c *Config) bool {
	return p.supply != nil && p.supply.devices && !c.isGPU(p.resource)
}

// stalls reports whether kube-scheduler takes long to find out that the devices of a node are too few.
func (s *supply) stalls(count int64) bool { return s.devices && s.count < count && s.count >= maxTried }

// admit adds to the terms that select nodes by labels what nodes need whose devices will do, and which no label describes. Where nothing but
// devices can be handed out, and all will do, nothing is selected: it returns no terms. It reports whether nodes that would do are left out, as
// nothing tells them from others.
func (inv *Inventory) admit(p *plan, terms []corev1.NodeSelectorTerm) ([]corev1.NodeSelectorTerm, bool) {
	if _, ok := inv.handedOut[p.resource]; !ok {
		return terms, false
	}
	will, wont, plugin, others := inv.served(p)
	if len(will) == 0 || len(terms) == 0 && others {
		return terms, false // or all are selected, and what will not do is kept off afterwards
	}
	selected := func(c *Class) bool { return slices.ContainsFunc(terms, c.matches) }
	if !plugin && !inv.grows(p) && !slices.ContainsFunc(will, selected) {
		terms = nil // labels of GPU Feature Discovery, or of a cloud, tell of none of them
	}
	if len(terms) == 0 && len(wont) == 0 {
		return nil, false
	}
	missed := slices.DeleteFunc(slices.Clone(will), selected)
	if len(missed) == 0 {
		return terms, false
	}
	if requirement, ok := commonLabel(missed, wont); ok {
		return append(terms, corev1.NodeSelectorTerm{MatchExpressions: []corev1.NodeSelectorRequirement{requirement}}), false
	}
	if len(terms) == 0 {
		return nil, false // then what will not do is kept off, if it can be
	}
	return terms, true
}

// grows reports whether a profile is enough, by whose labels nodes are selected that need not be there yet.
func (inv *Inventory) grows(p *plan) bool {
	return p.memory > 0 && slices.ContainsFunc(inv.config.Profiles, func(profile Profile) bool {
		s := inv.config.supplyOfProfile(&profile)
		return p.resource == s.resource && s.enough(&p.demand, p.count)
	})
}

// served returns the nodes that give a plan's resource by their devices and would do, and those that would not, in whatever way they give it. It
// reports whether a device plugin offers it anywhere, and whether what one offers would do, too.
func (inv *Inventory) served(p *plan) (will, wont []*Class, plugin, others bool) {
	for _, o := range inv.offers[p.resource] {
		class, s := o.class, o.supply
		plugin = plugin || !s.devices
		switch {
		case p.meets(class, s):
			if others = others || !s.devices; s.devices {
				will = append(will, class)
			}
		case !s.devices || s.count >= p.count || s.stalls(p.count):
			wont = append(wont, class)
		}
	}
	return will, wont, plugin, others
}

// commonLabel returns a label that all of some nodes have, and none of others: by what tells GPUs apart first. Else it is the lack of the label of
// GPU Feature Discovery, if all others have that.
func commonLabel(will, wont []*Class) (corev1.NodeSelectorRequirement, bool) {
	for _, key := range slices.Concat(deviceLabels, []string{gkeAccelerator, gpuLabels + suffixProduct}, commonKeys(will)) {
		var values []string
		lacks := func(c *Class) bool { _, ok := c.node.Labels[key]; return !ok }
		if platformOf(key) == key || slices.ContainsFunc(will, lacks) {
			continue
		}
		for _, class := range will {
			values = insert(values, class.node.Labels[key])
		}
		if !slices.ContainsFunc(wont, func(c *Class) bool { value, ok := c.node.Labels[key]; return ok && slices.Contains(values, value) }) {
			return oneOf(key, values...), true
		}
	}
	const memory = gpuLabels + suffixMemory
	has := func(c *Class) bool { _, ok := c.node.Labels[memory]; return ok }
	lacks := func(c *Class) bool { return !has(c) }
	if slices.ContainsFunc(will, has) || slices.ContainsFunc(wont, lacks) {
		return corev1.NodeSelectorRequirement{}, false
	}
	return absent(memory), true
}
