package schema

import (
	"cmp"
	"encoding/json"
	"maps"
	"math/big"
	"slices"
)

// Within reports whether every value of one part is allowed by another, as far as that can be shown. False says nothing: ask Counterexample.
func Within(from, to Part) bool { return newComparison().within(from, to) }

// Counterexample returns a value, as JSON text, that one part allows and another refuses. It is the shortest of those that were found, and
// the JSON Schema library has confirmed it. False if none was found, although there may be one.
func Counterexample(from, to Part) (json.RawMessage, bool) {
	found := Counterexamples(from, to)
	if len(found) == 0 {
		return nil, false
	}
	return found[0], true
}

// Counterexamples returns all that Counterexample has to choose from, the shortest first.
func Counterexamples(from, to Part) []json.RawMessage {
	var found []json.RawMessage
	for _, value := range newSampler().candidates(from, to, 0) {
		text, err := canonical(value)
		if err == nil && from.Validate(text) == nil && isRefused(to, text) {
			found = append(found, text)
		}
	}
	slices.SortFunc(found, func(a, b json.RawMessage) int { return cmp.Or(cmp.Compare(len(a), len(b)), slices.Compare(a, b)) })
	return found
}

// Example returns a short value that a part allows, as JSON text. False if none was found.
func (p Part) Example() (json.RawMessage, bool) {
	value, found := newSampler().example(p, 0)
	if !found {
		return nil, false
	}
	text, err := canonical(value)
	return text, err == nil
}

const (
	// sampleDepth bounds how deep samples are, sampleParts of how many parts they are made, and sampleSides how many alternatives count
	// on either side, below the top.
	sampleDepth = 4
	sampleParts = 1_500
	sampleSides = 3
	// sampleLength bounds the characters, items and members of a sample.
	sampleLength = 1_000
	// sampleText bounds the characters of the few texts that may be longer, and sampleTexts how many these are.
	sampleText  = 1<<16 + 1
	sampleTexts = 32
	sampleItems = 40
)

// sampleCount is how many candidates there are at the top, and below it.
func sampleCount(depth int) int {
	if depth == 0 {
		return 400
	}
	return 24
}

// sampler makes values of a part that another part may refuse: at the bounds of both, without what the other requires, with what it forbids.
// What it makes is a guess, which is judged afterwards.
type sampler struct {
	*comparison
	// parts is of how many parts it may still make samples.
	parts int
	// texts is how many long texts it may still make.
	texts int
}

func newSampler() *sampler {
	return &sampler{comparison: newComparison(), parts: sampleParts, texts: sampleTexts}
}

// isRefused reports whether a part refuses a value that can be judged. A value beyond the limits is neither allowed nor refused.
func isRefused(p Part, text json.RawMessage) bool {
	decoded, refusal := decode(text, valueLimits)
	if refusal != nil {
		return false
	}
	j := judge{Parameters: p.of, steps: judgeSteps}
	if p.of == nil {
		return false
	}
	switch p.judge(&j, decoded) {
	case accepted:
		return false
	case rejected:
		return true
	default:
		return p.validate(newInstance(decoded)) != nil
	}
}

// examples returns values that a part allows.
func (s *sampler) examples(p Part, depth int) []any {
	var fit []any
	for _, value := range s.candidates(p, Part{}, depth) {
		if s.allows(p, value) == accepted {
			fit = append(fit, value)
		}
	}
	return fit
}

// example returns one value that a part allows.
func (s *sampler) example(p Part, depth int) (any, bool) {
	for _, value := range s.candidates(p, Part{}, depth) {
		if s.allows(p, value) == accepted {
			return value, true
		}
	}
	return nil, false
}

// candidates returns values that one part may allow and another may refuse.
func (s *sampler) candidates(from, to Part, depth int) []any {
	if s.parts--; s.parts < 0 || depth > sampleDepth || from.of == nil && to.of == nil {
		return []any{json.Number("0"), "a", nil}
	}
	sources, targets := s.alternativesOf(from), s.alternativesOf(to)
	if depth > 0 {
		sources, targets = sources[:min(len(sources), sampleSides)], targets[:min(len(targets), sampleSides)]
	}
	var all []any
	add := func(values ...any) { all = append(all, values...) }
	for i := range sources {
		f := &sources[i]
		if f.listed {
			add(f.values...)
			continue
		}
		for kind := nullKind; kind <= objectKind; kind <<= 1 {
			if f.kinds&kind != 0 {
				add(s.ofKind(kind, f, targets, depth)...)
			}
		}
	}
	if most := sampleCount(depth); len(all) > most {
		all = all[:most]
	}
	return all
}

// alternativesOf returns the alternatives of a part, or its outlines where these are too many.
func (*sampler) alternativesOf(p Part) []alternative {
	if p.of == nil {
		return []alternative{anything(nil)}
	}
	if all, ok := newComparison().expand(p); ok {
		return all
	}
	return p.outlines()
}

func (s *sampler) ofKind(kind kinds, f *alternative, targets []alternative, depth int) []any {
	if depth > 0 && f.isAnything() && !slices.ContainsFunc(targets, func(t alternative) bool { return !t.isAnything() }) {
		return oneOfKind[kind] // what is inside does not matter either, and would take all parts
	}
	switch kind {
	case nullKind, booleanKind:
		return allOfKind[kind]
	case integerKind, fractionKind:
		return numberSamples(kind, f, targets)
	case stringKind:
		return s.stringSamples(f, targets)
	case arrayKind:
		return s.arrays(f, targets, depth)
	default:
		return s.objects(f, targets, depth)
	}
}

// oneOfKind are values of each kind where any will do.
var oneOfKind = map[kinds][]any{
	nullKind: {nil}, booleanKind: {false, true}, integerKind: {json.Number("0"), json.Number("1")}, fractionKind: {json.Number("0.5")},
	stringKind: {"", "a"}, arrayKind: {[]any{}}, objectKind: {map[string]any{}},
}

// arrays returns lists at the bounds of both sides' lengths, each position in turn with what the other side may refuse there.
func (s *sampler) arrays(f *alternative, targets []alternative, depth int) []any {
	lengths := []int{f.items.min, f.items.min + 1, f.items.min + 2, f.positions(), f.positions() + 1}
	for i := range targets {
		lengths = append(lengths, targets[i].items.min-1, targets[i].positions()+1)
		if targets[i].items.max < sampleItems {
			lengths = append(lengths, targets[i].items.max+1)
		}
	}
	slices.Sort(lengths)
	var all []any
	for _, n := range slices.Compact(lengths) {
		if n < 0 || n > sampleItems || !f.items.contains(n) {
			continue
		}
		base, ok := s.items(f, n, depth)
		if !ok {
			continue
		}
		all = append(all, base)
		for i := range min(n, max(f.positions(), mostPositions(targets))+1) {
			for j := range targets {
				for _, value := range s.candidates(f.part(f.item(i)), targets[j].itemPart(i), depth+1) {
					next := slices.Clone(base)
					next[i] = value
					all = append(all, next)
				}
			}
		}
	}
	return all
}

func mostPositions(targets []alternative) int {
	most := 0
	for i := range targets {
		most = max(most, targets[i].positions())
	}
	return most
}

// itemPart returns what an item is subject to. The zero Part for anything.
func (a *alternative) itemPart(i int) Part {
	if a.of == nil {
		return Part{}
	}
	return a.part(a.item(i))
}

// memberPart returns what a member is subject to. The zero Part for anything.
func (a *alternative) memberPart(name string) Part {
	if a.of == nil {
		return Part{}
	}
	return a.part(a.member(name))
}

// items returns n items that differ where they can, as uniqueItems may ask for.
func (s *sampler) items(f *alternative, n, depth int) ([]any, bool) {
	base := make([]any, n)
	for i := range base {
		examples := []any{json.Number("0")}
		if f.of != nil {
			examples = s.examples(f.part(f.sampledItem(i)), depth+1)
		}
		if len(examples) == 0 {
			return nil, false
		}
		base[i] = examples[0]
		for _, e := range examples {
			if !slices.ContainsFunc(base[:i], func(other any) bool { return equal(other, e) }) {
				base[i] = e
				break
			}
		}
	}
	return base, true
}

// sampledItem returns the schemas that an item is made for: its own, and of the first items also those that a list has to contain.
func (a *alternative) sampledItem(i int) []int {
	ids := a.item(i)
	for _, e := range a.extras {
		if e.keyword != "contains" {
			continue
		}
		least := rational(e.value.([]any)[1])
		if least == nil {
			least = one
		}
		if least.Cmp(big.NewRat(int64(i), 1)) > 0 {
			ids = append(slices.Clip(ids), e.node)
		}
	}
	return ids
}

// objects returns objects with what is required and no more, with each other member in turn, and with all of them.
func (s *sampler) objects(f *alternative, targets []alternative, depth int) []any {
	base := map[string]any{}
	for _, name := range f.required {
		if !s.fill(base, f, name, depth) {
			return nil
		}
	}
	sides := []*alternative{f}
	for i := range targets {
		sides = append(sides, &targets[i])
	}
	declared := names(sides...)
	for _, name := range slices.Concat(declared, undeclared) {
		if len(base) < f.members.min {
			s.fill(base, f, name, depth)
		}
	}
	all := []any{base}
	for _, name := range append(slices.Clip(declared), undeclared[0]) {
		for i := range targets {
			for _, value := range s.candidates(f.memberPart(name), targets[i].memberPart(name), depth+1) {
				all = append(all, with(base, name, value))
			}
		}
	}
	return append(all, s.crowds(f, targets, base, declared, depth)...)
}

// undeclared are names that schemas seldom declare.
var undeclared = []string{"extra", "x0", "x1", "x2", "x3"}

// with returns a copy of an object that has another member.
func with(object map[string]any, name string, value any) map[string]any {
	next := maps.Clone(object)
	next[name] = value
	return next
}

// fill adds a member that the alternative allows to an object. It reports whether there is one.
func (s *sampler) fill(object map[string]any, a *alternative, name string, depth int) bool {
	if _, there := object[name]; there {
		return true
	}
	value, ok := s.example(a.memberPart(name), depth+1)
	if ok {
		object[name] = value
	}
	return ok
}

// crowds returns objects with all declared members, all but one, and more than the other side allows.
func (s *sampler) crowds(f *alternative, targets []alternative, base map[string]any, declared []string, depth int) []any {
	whole := maps.Clone(base)
	for _, name := range declared {
		s.fill(whole, f, name, depth)
	}
	all := []any{whole}
	for _, name := range declared {
		if _, there := base[name]; !there {
			next := maps.Clone(whole)
			delete(next, name)
			all = append(all, next)
		}
	}
	for i := range targets {
		if most := targets[i].members.max; most < len(undeclared)+len(base) {
			next := maps.Clone(base)
			for _, name := range slices.Concat(declared, undeclared) {
				if len(next) <= most {
					s.fill(next, f, name, depth)
				}
			}
			all = append(all, next)
		}
	}
	return all
}
