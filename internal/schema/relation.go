package schema

import "slices"

// Relation is whether values of one part can be passed to another.
type Relation int

const (
	// Unknown says that neither of the two could be shown: some values fit, or too much would have to be compared.
	Unknown Relation = iota
	// Compatible says that every value of the one part is allowed by the other.
	Compatible
	// Incompatible says that no value is allowed by both.
	Incompatible
)

// String names the relation in a message.
func (r Relation) String() string {
	switch r {
	case Compatible:
		return "compatible"
	case Incompatible:
		return "incompatible"
	default:
		return "unknown"
	}
}

// Feeds compares what an output gives with what an input takes. Compatible and
// Incompatible are proven; a part that allows nothing is incompatible with
// everything. Formats such as filepath assert nothing, and a default changes
// nothing. It takes well under a second whatever the schemas are: usual ones some
// microseconds.
func Feeds(from, to Part) Relation {
	if _, ok := newComparison().disjoint(from, to); ok {
		return Incompatible
	}
	if newComparison().within(from, to) {
		return Compatible
	}
	return Unknown
}

// Explain says in a few words why two parts are Incompatible, for instance
// "integer, not string"; empty if they are not. The text is made for an output
// that is wired to an input, and always the same.
func Explain(from, to Part) string {
	reason, _ := newComparison().disjoint(from, to)
	return clip(reason, maxReason)
}

// maxReason is the length of the longest explanation, in characters.
const maxReason = 200

const (
	// compareSteps bound what a comparison may cost.
	compareSteps = 20_000
	// compareDepth bounds how deep it descends into members and items.
	compareDepth = 64
	// libraryCalls is how often it may ask the library, which compiles schemas for it.
	libraryCalls = 50
)

// comparison is the state of one comparison of two parts. Whatever it shows
// is certain; when it runs out of steps, nothing more can be shown.
type comparison struct {
	judge
	depth int
	// calls is how often it may still ask the library.
	calls int
	// open are the pairs that are being compared.
	open [][2]Part
}

func newComparison() *comparison {
	return &comparison{judge: judge{steps: compareSteps}, calls: libraryCalls}
}

func (c *comparison) descend() bool {
	c.depth++
	if c.depth <= compareDepth && c.spend(1) {
		return true
	}
	c.depth--
	return false
}

func (c *comparison) ascend() { c.depth-- }

// spendMatching counts what it costs to match a name with the regular expressions of an alternative.
func (c *comparison) spendMatching(a *alternative, name string) bool {
	steps := 0
	for _, id := range a.nodes {
		steps += a.of.facts(id).matchSteps(name)
	}
	return c.spend(steps)
}

// allows judges a value, by the library if need be.
func (c *comparison) allows(p Part, value any) verdict {
	if p.of == nil {
		return accepted
	}
	c.Parameters = p.of
	if v := p.judge(&c.judge, value); v != undecided {
		return v
	}
	if c.calls--; c.calls < 0 || c.steps < 0 {
		return undecided
	}
	instance := newInstance(value)
	cost := 0
	for _, id := range slices.Concat(p.any...) {
		cost += newMeter(p.of.doc, compareSteps).steps(id, instance)
	}
	if !c.spend(cost) {
		return undecided
	}
	return verdictOf(p.validate(instance) == nil)
}

// isSame says that all schemas of one part stand in the other one word for word.
func (c *comparison) isSame(from, to Part) bool {
	if len(to.alternatives()) != 1 || len(from.alternatives()) != 1 {
		return false
	}
	sources := from.alternatives()[0]
	for _, id := range to.alternatives()[0] {
		target := &to.of.doc.nodes[id]
		if !slices.ContainsFunc(sources, func(source int) bool {
			return from.of == to.of && source == id || c.isSameSchema(from.of.doc.nodes[source].schema, target.schema)
		}) {
			return false
		}
	}
	return true
}

// isSameSchema compares two schemas, or other values of keywords, by their
// text. References make them differ: they may lead to different schemas. So do
// true and false, which have no keywords either: as nodes, both are nil.
func (c *comparison) isSameSchema(a, b any) bool {
	if !c.spend(1) {
		return false
	}
	switch a := a.(type) {
	case map[string]any:
		b, ok := b.(map[string]any)
		if !ok || len(a) != len(b) || a == nil || b == nil || a["$ref"] != nil || a["$dynamicRef"] != nil {
			return false
		}
		for _, name := range sortedNames(a) {
			if other, ok := b[name]; !ok || !c.isSameSchema(a[name], other) {
				return false
			}
		}
		return true
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, c.isSameSchema)
	default:
		return equal(a, b)
	}
}
