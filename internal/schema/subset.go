package schema

import (
	"math/big"
	"slices"
	"strings"
)

// within says that every value of one part is allowed by another, if that can
// be shown: each alternative of the one is in an alternative of the other that
// holds nothing more than the part.
//
// Where a comparison leads back to itself, it is taken as shown: a value that
// disproved it would hold a smaller one that does, and so on for ever.
func (c *comparison) within(from, to Part) bool {
	if !c.descend() {
		return false
	}
	defer c.ascend()
	if c.isOpen(from, to) || c.isSame(from, to) {
		return true
	}
	c.open = append(c.open, [2]Part{from, to})
	defer func() { c.open = c.open[:len(c.open)-1] }()
	sources, known := c.expand(from)
	if !known {
		return false
	}
	targets, known := c.expand(to)
	if !known {
		return false
	}
	for i := range sources {
		if !c.alternativeWithin(&sources[i], targets, from, to) {
			return false
		}
	}
	return true
}

func (c *comparison) isOpen(from, to Part) bool {
	return slices.ContainsFunc(c.open, func(pair [2]Part) bool { return pair[0].same(from) && pair[1].same(to) })
}

// same says that two parts are the same schemas of one document.
func (p Part) same(other Part) bool {
	return p.of == other.of && slices.EqualFunc(p.any, other.any, slices.Equal[[]int])
}

func (c *comparison) alternativeWithin(f *alternative, targets []alternative, from, to Part) bool {
	if f.listed {
		return c.allWithin(f.values, from, to)
	}
	for kind := nullKind; kind <= objectKind; kind <<= 1 {
		if f.kinds&kind != 0 && !c.kindWithin(kind, f, targets, from, to) {
			return false
		}
	}
	return true
}

// allWithin says that each value is allowed by the one part or refused by the other.
func (c *comparison) allWithin(values []any, from, to Part) bool {
	for _, value := range values {
		if c.allows(to, value) != accepted && c.allows(from, value) != rejected {
			return false
		}
	}
	return true
}

func (c *comparison) kindWithin(kind kinds, f *alternative, targets []alternative, from, to Part) bool {
	if values, few := allOfKind[kind]; few {
		return c.allWithin(values, from, to)
	}
	for i := range targets {
		t := &targets[i]
		if t.kinds&kind != 0 && !t.loose && !t.listed && c.contentWithin(kind, f, t) &&
			c.extrasWithin(kind, f, t, from) && c.picksWithin(kind, f, t, from) {
			return true
		}
	}
	return false
}

func (c *comparison) contentWithin(kind kinds, f, t *alternative) bool {
	switch kind {
	case integerKind, fractionKind:
		return numbersWithin(kind, f, t)
	case stringKind:
		return f.length.within(t.length)
	case arrayKind:
		return c.arrayWithin(f, t)
	default:
		return c.objectWithin(f, t)
	}
}

// one is the step of integers.
var one = big.NewRat(1, 1)

func numbersWithin(kind kinds, f, t *alternative) bool {
	steps, numbers := f.steps, f.numbers
	if kind == integerKind {
		steps, numbers = append(slices.Clip(steps), one), numbers.rounded(one)
	}
	if !numbers.within(&t.numbers) && !numbers.isEmpty() {
		return false
	}
	for _, step := range t.steps {
		if !slices.ContainsFunc(steps, func(other *big.Rat) bool { return isMultiple(other, step) }) {
			return false
		}
	}
	return true
}

// extrasWithin says that each keyword that is not understood stands in both, with the same value, or refuses nothing of the one.
func (c *comparison) extrasWithin(kind kinds, f, t *alternative, from Part) bool {
	for _, e := range t.extras {
		if e.kinds&kind == 0 {
			continue
		}
		isInBoth := e.value != nil && slices.ContainsFunc(f.extras, func(other extra) bool {
			return other.keyword == e.keyword && c.isSameSchema(other.value, e.value)
		})
		if !isInBoth && !c.refusesNothing(kind, f, t, e, from) {
			return false
		}
	}
	return true
}

// refusesNothing says that a keyword of one alternative allows all values of another one.
func (c *comparison) refusesNothing(kind kinds, f, t *alternative, e extra, from Part) bool {
	if name, ok := strings.CutPrefix(e.keyword, "dependentSchemas "); ok {
		return c.lacks(f, name)
	}
	switch e.keyword {
	case "dependentRequired":
		needs, _ := e.value.(map[string]any)
		for _, name := range sortedNames(needs) {
			isThere := func(other string) bool { return slices.Contains(f.required, other) }
			if !allOf(texts(needs[name]), isThere) && !c.lacks(f, name) {
				return false
			}
		}
		return true
	case "propertyNames":
		declared, ok := f.onlyNames()
		fits := func(name string) bool { return c.allows(t.part([]int{e.node}), name) == accepted || c.lacks(f, name) }
		return ok && allOf(declared, fits)
	case "not":
		source := *f
		source.kinds = kind
		return c.apartFrom(&source, t.part([]int{e.node}), from)
	default:
		return false
	}
}

func allOf(names []string, is func(string) bool) bool {
	return !slices.ContainsFunc(names, func(name string) bool { return !is(name) })
}

// lacks says that no object of an alternative has a member.
func (c *comparison) lacks(f *alternative, name string) bool {
	return c.spendMatching(f, name) && c.isEmpty(f.part(f.member(name)))
}

// onlyNames returns the names that members can have, sorted, where others are forbidden: of several such lists, the shortest.
func (a *alternative) onlyNames() (names []string, ok bool) {
	for _, id := range a.nodes {
		f := a.of.facts(id)
		isClosed := f.additional != none && a.of.isFalse(f.additional) && len(f.patterns) == 0
		if isClosed && (!ok || len(f.properties) < len(names)) {
			names, ok = sortedNames(f.properties), true
		}
	}
	return names, ok
}

// picksWithin says that the values are in none of the options that were not chosen.
func (c *comparison) picksWithin(kind kinds, f, t *alternative, from Part) bool {
	source := *f
	source.kinds = kind
	for _, p := range t.picks {
		for i, id := range p.options {
			if i != p.index && !c.apartFrom(&source, t.part([]int{id}), from) {
				return false
			}
		}
	}
	return true
}

func (c *comparison) apartFrom(f *alternative, other, from Part) bool {
	if !c.descend() {
		return false
	}
	defer c.ascend()
	alternatives, ok := c.expand(other)
	if !ok {
		return false
	}
	for i := range alternatives {
		if _, apart := c.apart(f, &alternatives[i], from, other); !apart {
			return false
		}
	}
	return true
}

func (c *comparison) arrayWithin(f, t *alternative) bool {
	if !f.items.within(t.items) {
		return false
	}
	for i := range min(f.items.max, max(f.positions(), t.positions())+1) {
		if !c.within(f.part(f.item(i)), t.part(t.item(i))) {
			return false
		}
	}
	return true
}

func (c *comparison) objectWithin(f, t *alternative) bool {
	members := f.members
	members.max = min(members.max, f.mostMembers())
	if !members.within(t.members) {
		return false
	}
	for _, name := range t.required {
		if _, ok := slices.BinarySearch(f.required, name); !ok {
			return false
		}
	}
	checked, others := names(f, t), members.max > len(f.required)
	if !others { // there is no room for them, nor for what is declared and not required
		checked = f.required
	}
	for _, name := range checked {
		if !c.spendMatching(f, name) || !c.spendMatching(t, name) || !c.within(f.part(f.member(name)), t.part(t.member(name))) {
			return false
		}
	}
	return !others || c.othersWithin(f, t)
}

// mostMembers is how many members there can be where other names are forbidden.
func (a *alternative) mostMembers() int {
	if names, ok := a.onlyNames(); ok {
		return len(names)
	}
	return anyCount.max
}

// names are those that either side has a schema for, sorted.
func names(alternatives ...*alternative) []string {
	var all []string
	for _, a := range alternatives {
		for _, id := range a.nodes {
			for name := range a.of.facts(id).properties {
				all = append(all, name)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// othersWithin compares the members whose names neither side has a schema for.
// Which regular expressions their names match is not known: on the one side
// any of them, or none, on the other all at once.
func (c *comparison) othersWithin(f, t *alternative) bool {
	var wanted, base []int
	for _, id := range t.nodes {
		wanted = append(wanted, t.of.facts(id).others()...)
	}
	var open [][]int
	for _, id := range f.nodes {
		if facts := f.of.facts(id); len(facts.patterns) == 0 {
			base = append(base, facts.others()...)
		} else {
			open = append(open, facts.others())
			if facts.additional == none {
				open[len(open)-1] = nil // where nothing matches, anything goes
			}
		}
	}
	target := t.part(wanted)
	if c.within(f.part(base), target) {
		return true
	}
	return slices.ContainsFunc(open, func(options []int) bool {
		return len(options) > 0 && !slices.ContainsFunc(options, func(id int) bool {
			return !c.within(f.part(append(slices.Clip(base), id)), target)
		})
	})
}

// others are the schemas of members that "properties" has not.
func (f *facts) others() []int {
	var ids []int
	for _, p := range f.patterns {
		ids = append(ids, p.node)
	}
	if f.additional != none {
		ids = append(ids, f.additional)
	}
	return ids
}
