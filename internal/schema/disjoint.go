package schema

import (
	"math/big"
	"slices"
)

// disjoint says that no value is allowed by both parts, if that can be shown,
// and why. Each alternative holds more than the part at most, so that it is
// enough if no two have a value in common.
func (c *comparison) disjoint(from, to Part) (reason string, ok bool) {
	if !c.descend() {
		return "", false
	}
	defer c.ascend()
	sources, known := c.expand(from)
	targets, also := c.expand(to)
	if !known || !also {
		return "", false
	}
	switch {
	case len(sources) == 0:
		return "the output allows no value", true
	case len(targets) == 0:
		return "the input allows no value", true
	}
	var reasons []string
	for i := range sources {
		for j := range targets {
			f, t := &sources[i], &targets[j]
			reason, apart := c.apart(f, t, from, to)
			if !apart {
				return "", false
			}
			if reason != "" {
				reasons = append(reasons, reason)
			}
		}
	}
	if len(reasons) == 1 {
		return reasons[0], true
	}
	return differ(from, to), true
}

// apart compares two alternatives. The reason is empty where their kinds tell.
func (c *comparison) apart(f, t *alternative, from, to Part) (reason string, ok bool) {
	if !c.spend(1) {
		return "", false
	}
	common := f.kinds & t.kinds
	if common == 0 {
		return "", true
	}
	if f.listed || t.listed {
		if f.listed && c.allApart(f.values, from, to) || t.listed && c.allApart(t.values, from, to) {
			return listReason(f, t, from, to), true
		}
		return "", false
	}
	for kind := nullKind; kind <= objectKind; kind <<= 1 {
		if kind&common == 0 {
			continue
		}
		why, apart := c.apartIn(kind, f, t, from, to)
		if !apart {
			return "", false
		}
		reason = why
	}
	return reason, true
}

// listReason words that an enumeration has no value in common with another part.
func listReason(f, t *alternative, from, to Part) string {
	switch {
	case f.listed && t.listed:
		return differ(from, to)
	case f.listed:
		return from.String() + ", which the input does not allow"
	default:
		return "never " + to.String()
	}
}

// allApart says that each value is refused by one of the parts.
func (c *comparison) allApart(values []any, from, to Part) bool {
	for _, value := range values {
		if c.allows(from, value) != rejected && c.allows(to, value) != rejected {
			return false
		}
	}
	return true
}

// allOfKind are the values of the kinds that have few.
var allOfKind = map[kinds][]any{nullKind: {nil}, booleanKind: {false, true}}

func (c *comparison) apartIn(kind kinds, f, t *alternative, from, to Part) (reason string, ok bool) {
	switch kind {
	case nullKind, booleanKind:
		if c.allApart(allOfKind[kind], from, to) {
			return differ(from, to), true
		}
		return "", false
	case integerKind, fractionKind:
		return numbersApart(kind, f, t)
	case stringKind:
		return apartCounts("characters", f.length, t.length)
	case arrayKind:
		return c.arraysApart(f, t)
	default:
		return c.objectsApart(f, t)
	}
}

func numbersApart(kind kinds, f, t *alternative) (reason string, ok bool) {
	both := f.numbers
	both.intersect(t.numbers)
	if both.isEmpty() {
		return "numbers " + f.numbers.String() + ", not " + t.numbers.String(), true
	}
	if both.low.at == nil || both.high.at == nil {
		return "", false
	}
	if kind == fractionKind && both.low.at.Cmp(both.high.at) == 0 && both.low.at.IsInt() {
		return noneFits, true
	}
	steps := slices.Concat(f.steps, t.steps)
	if kind == integerKind {
		steps = append(steps, big.NewRat(1, 1))
	}
	for _, step := range steps {
		if multiples := both.rounded(step); multiples.isEmpty() {
			return noneFits, true
		}
	}
	return "", false
}

func apartCounts(what string, f, t span) (reason string, ok bool) {
	both := f
	if both.intersect(t); !both.isEmpty() {
		return "", false
	}
	return f.String() + " " + what + ", not " + t.String(), true
}

func (c *comparison) arraysApart(f, t *alternative) (reason string, ok bool) {
	if why, apart := apartCounts("items", f.items, t.items); apart {
		return why, true
	}
	certain := min(max(f.items.min, t.items.min), max(f.positions(), t.positions())+1)
	for i := range certain {
		if why, apart := c.disjoint(f.part(f.item(i)), t.part(t.item(i))); apart {
			return at(itemPointer(i, f, t), why), true
		}
	}
	return "", false
}

func (c *comparison) objectsApart(f, t *alternative) (reason string, ok bool) {
	if why, apart := apartCounts("members", f.members, t.members); apart {
		return why, true
	}
	names := slices.Concat(f.required, t.required)
	slices.Sort(names)
	names = slices.Compact(names)
	for _, name := range names {
		if !c.spendMatching(f, name) || !c.spendMatching(t, name) {
			return "", false
		}
		source, target := f.part(f.member(name)), t.part(t.member(name))
		if why, apart := c.disjoint(source, target); apart {
			switch { // one may forbid what the other requires
			case slices.Contains(t.required, name) && c.isEmpty(source):
				why = "lacks " + quote(name) + ", which the input requires"
			case slices.Contains(f.required, name) && c.isEmpty(target):
				why = "has " + quote(name) + ", which the input does not allow"
			default:
				why = at("/"+token(name), why)
			}
			return why, true
		}
	}
	if most := min(f.members.max, t.members.max); len(names) > most {
		return noneFits, true
	}
	return "", false
}

func (c *comparison) isEmpty(p Part) bool {
	alternatives, ok := c.expand(p)
	return ok && len(alternatives) == 0
}

// part is what some schemas of the alternative's document allow together.
func (a *alternative) part(ids []int) Part { return Part{of: a.of, any: [][]int{ids}} }
