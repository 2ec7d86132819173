package schema

import (
	"bytes"
	"encoding/json"
	"slices"
)

// Declared are the parameters that are declared in any case, sorted: the names below "properties" of the root and of what it applies
// by allOf and $ref. Names also has those that are declared under conditions.
func (p *Parameters) Declared() []string {
	names := []string{}
	for _, id := range p.unconditional() {
		for name := range p.facts(id).properties {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// Default is the value that a schema has for a parameter which is not given.
type Default struct {
	Name string
	// Value is JSON.
	Value json.RawMessage
}

// Defaults returns those of the parameters in Declared, sorted by name. Of several for one parameter, the first counts: the root's
// before that of what it applies.
func (p *Parameters) Defaults() []Default {
	var all []Default
	for _, id := range p.unconditional() {
		for name, property := range p.facts(id).properties {
			known := slices.ContainsFunc(all, func(d Default) bool { return d.Name == name })
			if value, ok := p.doc.nodes[property].schema["default"]; ok && !known {
				all = append(all, Default{name, encoded(value)})
			}
		}
	}
	slices.SortFunc(all, func(a, b Default) int { return bytes.Compare([]byte(a.Name), []byte(b.Name)) })
	return all
}

// encoded returns a value that was decoded from JSON as JSON again.
func encoded(value any) json.RawMessage {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(err) // it came from JSON
	}
	return bytes.TrimSpace(out.Bytes())
}

// Place is where a value is within another one: a name of a member, an index of an item, or nil for every member and item, on the way
// to it.
type Place []any

// How far Places looks: a schema may repeat itself without end.
const (
	maxPlaces     = 64
	maxPlaceDepth = 8
	maxPlaceSteps = 2_000
)

// Places returns where an instance may have texts of one of some formats, such as "filepath", in the order in which they are found. It
// looks into all alternatives, and neither deeper than eight levels nor for more than 64 places.
func (p *Parameters) Places(formats ...string) []Place {
	w := placeWalk{of: p, formats: formats}
	w.walk(0, nil, nil)
	return w.found
}

type placeWalk struct {
	of      *Parameters
	formats []string
	found   []Place
	steps   int
}

// walk looks into a schema. at is where its instance is, and inside are the schemas that apply to the same instance.
func (w *placeWalk) walk(id int, at Place, inside []int) {
	if w.steps++; len(at) > maxPlaceDepth || len(w.found) >= maxPlaces || w.steps > maxPlaceSteps || slices.Contains(inside, id) {
		return
	}
	f := w.of.facts(id)
	known := slices.ContainsFunc(w.found, func(other Place) bool { return slices.Equal(other, at) })
	if f.kinds&stringKind != 0 && slices.Contains(w.formats, f.format) && !known {
		w.found = append(w.found, slices.Clone(at))
	}
	for _, name := range sortedNames(f.properties) {
		w.walk(f.properties[name], append(slices.Clone(at), name), nil)
	}
	for i, item := range f.prefix {
		w.walk(item, append(slices.Clone(at), i), nil)
	}
	every := append(slices.Clone(at), nil)
	for _, pattern := range f.patterns {
		w.walk(pattern.node, every, nil)
	}
	for _, rest := range []int{f.additional, f.rest} {
		if rest != none {
			w.walk(rest, every, nil)
		}
	}
	inside = append(slices.Clone(inside), id)
	for _, e := range w.of.doc.nodes[id].edges {
		if isDeclaring(e) && e.keyword != "if" {
			w.walk(e.to, at, inside)
		}
	}
}
