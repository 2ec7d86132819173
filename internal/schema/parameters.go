package schema

import (
	"fmt"
	"regexp"
	"slices"
)

// Parameters is a task's schema, opened so that it can be asked about one
// parameter at a time. Not safe for concurrent use.
//
// It answers most questions from the schema's text. Only what that leaves
// open is compiled by the JSON Schema library, which takes much longer.
type Parameters struct {
	doc *document
	// names are those of Names.
	names []string
	// applied are the schemas that every instance is subject to, the root first.
	applied []int
	// What was asked for is kept: by node, by the text of a regular expression, and by node.
	known     map[int]*facts
	patterns  map[string]*regexp.Regexp
	libraries map[int]library
}

// Parameters opens the schema.
func (s *Schema) Parameters() (*Parameters, error) {
	doc, _ := read(s.json)
	if err := doc.err(); err != nil {
		return nil, err
	}
	return newParameters(doc), nil
}

// Open opens a schema from its normalised text, as a registry's entry has it.
// It refuses what [Parse] would refuse.
func Open(normalised []byte) (*Parameters, error) {
	doc, _ := read(normalised)
	if !doc.stopped {
		doc.checkDefaults()
	}
	err := doc.err()
	if err == nil {
		err = doc.checkGrowth(normalised)
	}
	if err != nil {
		return nil, err
	}
	return newParameters(doc), nil
}

func newParameters(doc *document) *Parameters {
	return &Parameters{doc: doc, known: map[int]*facts{}, patterns: map[string]*regexp.Regexp{}, libraries: map[int]library{}}
}

// Names are the declared parameters, sorted: the names below "properties" of
// the root and of whatever the root applies to the same object, be it under
// conditions (anyOf, if, dependentSchemas, …). What stands in "not" declares nothing.
func (p *Parameters) Names() []string {
	if p.names != nil {
		return p.names
	}
	p.names = []string{}
	for _, id := range p.reached(0, isDeclaring) {
		for _, e := range p.doc.nodes[id].edges {
			if e.keyword == "properties" {
				p.names = append(p.names, e.member)
			}
		}
	}
	slices.Sort(p.names)
	p.names = slices.Compact(p.names)
	return p.names
}

// Required are the names that every instance must have, sorted: those that
// "required" lists in the root, or in what it applies by allOf and $ref.
func (p *Parameters) Required() []string {
	names := []string{}
	for _, id := range p.unconditional() {
		names = append(names, texts(p.doc.nodes[id].schema["required"])...)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Allows reports whether a name may be passed that is not declared: because it
// matches "patternProperties", or because "additionalProperties" or
// "unevaluatedProperties" says so in words. That JSON Schema allows any name
// where nothing is said does not count: who misspells an argument wants to be told.
func (p *Parameters) Allows(name string) bool {
	if _, declared := slices.BinarySearch(p.Names(), name); declared {
		return true
	}
	for _, id := range p.unconditional() {
		for _, member := range p.facts(id).member(p, name) {
			if p.isFalse(member) {
				return false
			}
		}
	}
	for _, id := range p.reached(0, isDeclaring) {
		f, n := p.facts(id), &p.doc.nodes[id]
		others := slices.ContainsFunc(n.edges, func(e edge) bool {
			return (e.keyword == "additionalProperties" || e.keyword == "unevaluatedProperties") && !p.isFalse(e.to)
		})
		if others || slices.ContainsFunc(f.patterns, func(f patternFact) bool { return p.matches(f.source, name) && !p.isFalse(f.node) }) {
			return true
		}
	}
	return false
}

// Part is what a parameter's value is subject to in any case: the schemas of
// its name in the root and in what the root applies by allOf and $ref. False
// if the name is neither declared nor allowed.
func (p *Parameters) Part(name string) (Part, bool) {
	if !p.Allows(name) {
		return Part{}, false
	}
	var ids []int
	for _, id := range p.unconditional() {
		ids = append(ids, p.facts(id).member(p, name)...)
	}
	return Part{of: p, any: [][]int{ids}}, true
}

// Root returns what all arguments, a JSON object, are subject to.
func (p *Parameters) Root() Part { return Part{of: p, any: [][]int{{0}}} }

// Validate checks all arguments, a JSON object, against the whole schema. The
// error is worded as by [Validator.Validate].
func (p *Parameters) Validate(value []byte) error {
	return p.Root().Validate(value)
}

// isFalse says that a schema is the one that allows nothing.
func (p *Parameters) isFalse(id int) bool {
	n := &p.doc.nodes[id]
	return n.schema == nil && !n.always
}

func (p *Parameters) unconditional() []int {
	if p.applied == nil {
		p.applied = p.reached(0, isUnconditional)
	}
	return p.applied
}

func isUnconditional(e edge) bool { return e.keyword == "allOf" || e.keyword == "$ref" }

func isDeclaring(e edge) bool { return e.applies == toItself && e.keyword != "not" }

// reached are the schemas that a schema applies to the same value, itself first.
func (p *Parameters) reached(id int, follows func(edge) bool) []int {
	found, seen := []int{id}, map[int]bool{id: true}
	for next := 0; next < len(found); next++ {
		for _, e := range p.doc.nodes[found[next]].edges {
			if follows(e) && !seen[e.to] {
				seen[e.to] = true
				found = append(found, e.to)
			}
		}
	}
	return found
}

// validate lets the library check a value against a schema.
func (p *Parameters) validate(id int, value *instance) error {
	if newMeter(p.doc, valueLimits.steps).steps(id, value) > valueLimits.steps {
		return fmt.Errorf("checking the value takes more than %d steps, the limit", valueLimits.steps)
	}
	return p.library(id).validate(p.doc.nodes[id].pointer, value.value)
}

// library compiles no more than a schema, unless references may lead out of it.
func (p *Parameters) library(id int) library {
	if len(p.doc.references) > 0 && len(p.doc.errors) == 0 { // otherwise, see doubtful
		id = 0
	}
	l, ok := p.libraries[id]
	if !ok {
		n := &p.doc.nodes[id]
		var root any = n.schema
		if n.schema == nil {
			root = n.always
		}
		l = newLibrary(n.pointer, root)
		p.libraries[id] = l
	}
	return l
}
