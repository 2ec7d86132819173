package schema

import (
	"encoding/json"
	"slices"
)

// Forbids reports whether no instance can have a member of a name: by the schema of that member, as "additionalProperties": false
// gives it one, by "propertyNames", by "maxProperties": 0 or by "unevaluatedProperties": false. It looks at the root, and at what the
// root applies by allOf and $ref.
func (p *Parameters) Forbids(name string) bool {
	for _, id := range p.unconditional() {
		f := p.facts(id)
		if f.members.max == 0 {
			return true
		}
		for _, member := range f.member(p, name) {
			if p.allowsNothing(member) {
				return true
			}
		}
		for _, e := range f.extras {
			if e.keyword == "propertyNames" && p.refusesName(e.node, name) {
				return true
			}
		}
	}
	return p.unevaluated(name)
}

// TakesNothing reports whether the schema fits no object but the empty one: a task whose input it is has no parameters.
func (p *Parameters) TakesNothing() bool {
	for _, id := range p.unconditional() {
		f := p.facts(id)
		closed := f.additional != none && p.allowsNothing(f.additional)
		for _, member := range f.properties {
			closed = closed && p.allowsNothing(member)
		}
		for _, pattern := range f.patterns {
			closed = closed && p.allowsNothing(pattern.node)
		}
		if closed || f.members.max == 0 {
			return true
		}
	}
	return false
}

// allowsNothing reports whether a schema is false, or applies one that is.
func (p *Parameters) allowsNothing(id int) bool {
	if p.isFalse(id) || !slices.ContainsFunc(p.doc.nodes[id].edges, isUnconditional) {
		return p.isFalse(id)
	}
	return slices.ContainsFunc(p.reached(id, isUnconditional), p.isFalse)
}

// refusesName reports whether a name does not fit the schema of names.
func (p *Parameters) refusesName(id int, name string) bool {
	text, err := json.Marshal(name)
	return err == nil && Part{of: p, any: [][]int{{id}}}.Validate(text) != nil
}

// unevaluated reports whether "unevaluatedProperties": false of the root forbids a name: none of the schemas that the root applies,
// under whatever condition, has a word for it.
func (p *Parameters) unevaluated(name string) bool {
	closed := false
	for _, e := range p.doc.nodes[0].edges {
		closed = closed || e.keyword == "unevaluatedProperties" && p.isFalse(e.to)
	}
	if !closed {
		return false
	}
	for _, id := range p.reached(0, isDeclaring) {
		if len(p.facts(id).member(p, name)) > 0 {
			return false
		}
		if id == 0 {
			continue
		}
		for _, e := range p.doc.nodes[id].edges {
			if e.keyword == "unevaluatedProperties" {
				return false
			}
		}
	}
	return true
}
