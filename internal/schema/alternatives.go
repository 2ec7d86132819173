package schema

import (
	"math/big"
	"slices"
)

// maxAlternatives is how many alternatives a part is compared by.
const maxAlternatives = 64

// alternative is one of the sets that make up a part: the values that all of
// some schemas allow, with one option chosen of each anyOf, oneOf and if. It
// may have values that the part has not, but no value of the part is in none
// of its alternatives.
type alternative struct {
	of *Parameters
	// nodes are the schemas, each once, with all that they apply to the same value.
	nodes []int

	kinds    kinds
	numbers  interval
	steps    []*big.Rat
	length   span
	items    span
	members  span
	required []string
	format   string
	// values are all that there can be, if listed.
	listed bool
	values []any

	// What follows narrows the set further. extras does so by keywords that
	// are not understood, picks by what oneOf excludes, loose in some other way.
	extras []extra
	picks  []chosen
	loose  bool
}

// chosen is one option of a oneOf: the value fits none of the others.
type chosen struct {
	options []int
	index   int
}

func anything(p *Parameters) alternative {
	return alternative{of: p, kinds: allKinds, length: anyCount, items: anyCount, members: anyCount}
}

// absorb narrows the set by one schema, but for what that applies to the same value.
func (a *alternative) absorb(id int) *facts {
	f := a.of.facts(id)
	a.nodes = append(a.nodes, id)
	a.kinds &= f.kinds
	a.numbers.intersect(f.numbers)
	a.steps = append(a.steps, f.steps...)
	a.length.intersect(f.length)
	a.items.intersect(f.items)
	a.members.intersect(f.members)
	a.required = append(a.required, f.required...)
	a.extras = append(a.extras, f.extras...)
	if f.format != "" {
		a.format = f.format
	}
	for _, list := range f.lists {
		if !a.listed || len(list) < len(a.values) {
			a.listed, a.values = true, list
		}
	}
	if f.rest != none && a.of.isFalse(f.rest) {
		a.items.max = min(a.items.max, len(f.prefix))
	}
	return f
}

// finish drops the kinds of which there is no value.
func (a *alternative) finish() {
	a.required = slices.Clone(a.required) // other branches share it
	slices.Sort(a.required)
	a.required = slices.Compact(a.required)
	a.members.min = max(a.members.min, len(a.required))
	if a.length.isEmpty() {
		a.kinds &^= stringKind
	}
	if a.items.isEmpty() {
		a.kinds &^= arrayKind
	}
	if a.members.isEmpty() {
		a.kinds &^= objectKind
	}
	if a.numbers.isEmpty() {
		a.kinds &^= numberKinds
	}
	if a.listed && a.kinds != allKinds {
		a.values = slices.DeleteFunc(slices.Clone(a.values), func(value any) bool { return kindOf(value)&a.kinds == 0 })
	}
	if a.listed && len(a.values) == 0 {
		a.kinds = 0
	}
}

// isAnything says that no schema of the alternative has a keyword.
func (a *alternative) isAnything() bool {
	return !slices.ContainsFunc(a.nodes, func(id int) bool { return len(a.of.doc.nodes[id].schema) > 0 })
}

// member returns the schemas that apply to a member.
func (a *alternative) member(name string) []int {
	var ids []int
	for _, id := range a.nodes {
		ids = append(ids, a.of.facts(id).member(a.of, name)...)
	}
	return ids
}

// item returns the schemas that apply to an item.
func (a *alternative) item(i int) []int {
	var ids []int
	for _, id := range a.nodes {
		if item := a.of.facts(id).item(i); item != none {
			ids = append(ids, item)
		}
	}
	return ids
}

// positions is how many items have schemas of their own; from there on, all have the same.
func (a *alternative) positions() int {
	n := 0
	for _, id := range a.nodes {
		n = max(n, len(a.of.facts(id).prefix))
	}
	return n
}

// branch is an alternative that is not complete yet.
type branch struct {
	alternative
	// todo are schemas that apply too, choices are still to be made.
	todo    []int
	choices []choice
}

// expand returns the alternatives of a part; false if there are too many. A part
// without alternatives is empty.
func (c *comparison) expand(p Part) ([]alternative, bool) {
	var found []alternative
	var open []*branch
	for _, ids := range slices.Backward(p.alternatives()) {
		open = append(open, &branch{alternative: anything(p.of), todo: slices.Clip(ids)})
	}
	for len(open) > 0 {
		b := open[len(open)-1]
		open = open[:len(open)-1]
		if !c.settle(b) {
			return nil, false
		}
		if b.kinds == 0 {
			continue
		}
		if len(b.choices) > 0 {
			open = append(open, b.choose()...)
			continue
		}
		if b.finish(); b.kinds == 0 {
			continue
		}
		if found = append(found, b.alternative); len(found) > maxAlternatives {
			return nil, false
		}
	}
	return found, true
}

// settle absorbs what is to do; false if that takes too many steps.
func (c *comparison) settle(b *branch) bool {
	for len(b.todo) > 0 && b.kinds != 0 {
		if !c.spend(1) {
			return false
		}
		id := b.todo[0]
		b.todo = b.todo[1:]
		if slices.Contains(b.nodes, id) {
			continue
		}
		f := b.absorb(id)
		b.todo = append(slices.Clip(b.todo), f.all...)
		b.choices = append(b.choices, f.choices...)
	}
	return true
}

// choose makes one choice: a branch for each option, the first one last.
func (b *branch) choose() []*branch {
	made := b.choices[0]
	b.choices = slices.Clip(b.choices[1:])
	if made.keyword == "if" {
		otherwise := b.with(made.otherwise)
		otherwise.loose = true // the condition does not hold
		return []*branch{otherwise, b.with(made.options[0], made.then)}
	}
	var branches []*branch
	for i, id := range slices.Backward(made.options) {
		next := b.with(id)
		if made.keyword == "oneOf" {
			next.picks = append(next.picks, chosen{options: made.options, index: i})
		}
		branches = append(branches, next)
	}
	return branches
}

// with is a copy that more schemas apply to.
func (b *branch) with(ids ...int) *branch {
	next := *b
	next.nodes, next.steps, next.required = slices.Clip(b.nodes), slices.Clip(b.steps), slices.Clip(b.required)
	next.extras, next.picks = slices.Clip(b.extras), slices.Clip(b.picks)
	for _, id := range ids {
		if id != none {
			next.todo = append(slices.Clip(next.todo), id)
		}
	}
	return &next
}
