package schema

import "slices"

// judgeSteps bound what it may cost to judge a value without the library.
const judgeSteps = 20_000

// Part is what one value is subject to: a parameter, or an item of one. The
// zero Part allows any value. Like the [Parameters] that it comes from it is
// not safe for concurrent use.
type Part struct {
	of *Parameters
	// any are alternatives. Each is a conjunction: schemas, as nodes, that all
	// apply. Nil stands for one that is empty, which allows any value.
	any [][]int
}

// alternatives are those of the part, at least one.
func (p Part) alternatives() [][]int {
	if len(p.any) == 0 {
		return [][]int{nil}
	}
	return p.any
}

// Validate checks a JSON value. The error says in one sentence where and why
// it does not fit, as that of [Validator.Validate] does.
func (p Part) Validate(value []byte) error {
	decoded, refusal := decode(value, valueLimits)
	if refusal != nil {
		return refusal
	}
	j := judge{Parameters: p.of, steps: judgeSteps}
	if p.judge(&j, decoded) == accepted {
		return nil
	}
	return p.validate(newInstance(decoded))
}

// judge judges what it can without the library.
func (p Part) judge(j *judge, value any) verdict {
	result := rejected
	for _, ids := range p.alternatives() {
		switch j.all(ids, value) {
		case accepted:
			return accepted
		case undecided:
			result = undecided
		}
	}
	return result
}

// validate asks the library, and gives the reason of the first alternative if none fits.
func (p Part) validate(value *instance) error {
	var first error
	for _, ids := range p.alternatives() {
		err := p.of.validateAll(ids, value)
		if err == nil {
			return nil
		}
		if first == nil {
			first = err
		}
	}
	return first
}

func (p *Parameters) validateAll(ids []int, value *instance) error {
	for _, id := range ids {
		if err := p.validate(id, value); err != nil {
			return err
		}
	}
	return nil
}

// Item is what the item at an index is subject to, counted from 0. False if
// no value of the part has such an item: it is no array, too short, or
// nothing may stand there.
func (p Part) Item(i int) (Part, bool) {
	if i < 0 {
		return Part{}, false
	}
	c := newComparison()
	alternatives, ok := c.expand(p)
	if !ok {
		alternatives = p.outlines()
	}
	items := Part{of: p.of}
	for _, a := range alternatives {
		if ids, ok := a.itemOrNone(i); ok && !slices.ContainsFunc(items.any, func(other []int) bool { return slices.Equal(ids, other) }) {
			item := Part{of: p.of, any: [][]int{ids}}
			if inner, ok := c.expand(item); !ok || len(inner) > 0 {
				items.any = append(items.any, ids)
			}
		}
	}
	return items, len(items.any) > 0
}

// outlines are the alternatives of a part without anyOf and the like, of which there are too many.
func (p Part) outlines() []alternative {
	var all []alternative
	for _, ids := range p.alternatives() {
		a := anything(p.of)
		for _, id := range ids {
			for _, applied := range p.of.reached(id, isUnconditional) {
				a.absorb(applied)
			}
		}
		all = append(all, a)
	}
	return all
}

func (a *alternative) itemOrNone(i int) ([]int, bool) {
	if a.kinds&arrayKind == 0 || a.items.max <= i {
		return nil, false
	}
	if a.listed && !slices.ContainsFunc(a.values, func(value any) bool { list, _ := value.([]any); return len(list) > i }) {
		return nil, false
	}
	return a.item(i), true
}
