package placement

// trials are plans that were made for a demand, by what a Pod selects with them.
type trials struct {
	inv    *Inventory
	demand *demand
	plans  map[trial]*plan
	// indistinct is a supply that could host the task, and has the labels of others that could not. Nil if there was none.
	indistinct *supply
}

type trial struct {
	number  int
	count   int64
	unified bool
}

// host returns a plan by which nodes of a candidate's class can host the task. It is nil if there is none. By another name that the GPUs can be asked
// for, fewer others may have to be kept off.
func (t *trials) host(c candidate) *plan {
	first := c.supply
	p, more := t.plan(c)
	for i := 0; p == nil && more && i < len(c.same); i++ {
		if c.supply = c.same[i]; c.supply != first {
			p, more = t.plan(c)
		}
	}
	return p
}

// plan returns the plan for a candidate, if nodes of its class can host the task by it, and otherwise nil, and whether only labels are amiss. Which
// nodes so many of a resource select does not depend on the class.
func (t *trials) plan(c candidate) (found *plan, more bool) {
	key := trial{c.supply.number, c.count, c.supply.unified}
	p := t.plans[key]
	if p == nil {
		p = t.inv.planned(*t.demand, c.choice())
		t.plans[key] = p
	}
	switch {
	case p.pod.fits(c.class.node, c.class.reserve) && p.class == c.class:
		return p, false
	case p.pod.fits(c.class.node, c.class.reserve):
		return t.inv.planned(*t.demand, c.choice()), false
	case p.ambiguous && t.indistinct == nil && len(p.others(c.class)) == 0:
		t.indistinct = c.supply
	}
	return nil, p.ambiguous
}
