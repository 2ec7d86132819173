package schema

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	"github.com/maze-agent/maregister/internal/nearest"
)

// maxToldValues is how many values of one enumeration are told by themselves.
const maxToldValues = 5

// values warns of values in "enum" and "const" that the rest of the schema does not allow.
func (s *slips) values(id int) {
	n := &s.nodes[id]
	if value, ok := n.schema["const"]; ok {
		s.value(id, n.pointer+"/const", value)
	}
	values, isList := n.schema["enum"].([]any)
	if isList && len(values) == 0 {
		s.contradiction(n, "enum", "the list is empty, so no value fits; list the values, or remove it")
	}
	told := 0
	seen := make(map[any]bool, len(values))
	for i, value := range values {
		if isScalar(value) {
			if seen[value] && told < maxToldValues {
				s.warn(KindContradiction, n.pointer+"/enum/"+strconv.Itoa(i), "%s is in the list already; remove one of the two", brief(value))
				told++
				continue
			}
			seen[value] = true
		}
		if told == maxToldValues {
			return
		}
		if s.value(id, n.pointer+"/enum/"+strconv.Itoa(i), value) {
			told++
		}
	}
}

// value reports whether it has warned that the schema does not allow a value which it lists.
func (s *slips) value(id int, pointer string, value any) bool {
	n, f := &s.nodes[id], s.facts(id)
	declared, typed := n.schema["type"]
	switch kind := kindOf(value); {
	case typed && kindsOf(declared)&kind == 0:
		s.warn(KindContradiction, pointer, "%s is not of the type %s, so it never fits; %s", brief(value), brief(declared),
			otherwiseWritten(value, kindsOf(declared)))
		return true
	case s.comparison.content(f, value) == rejected || len(f.lists) > 1 && s.comparison.lists(f, value) == rejected:
		s.warn(KindContradiction, pointer, "%s never fits, as the other keywords of the schema do not allow it; correct it, or them", brief(value))
		return true
	}
	for _, e := range f.extras {
		if e.keyword == "pattern" && e.kinds&kindOf(value) != 0 && s.comparison.extra(f, e, value) == rejected {
			s.warn(KindContradiction, pointer, `%s never fits, as it does not match the "pattern"; correct one of the two`, brief(value))
			return true
		}
	}
	return false
}

// otherwiseWritten returns how a value is probably to be written, so that it has one of the types.
func otherwiseWritten(value any, allowed kinds) string {
	switch v := value.(type) {
	case bool:
		if allowed&stringKind != 0 {
			return fmt.Sprintf("YAML reads %s without quotes as %t: put the text in quotes, or make the type boolean",
				map[bool]string{true: "yes, on and true", false: "no, off and false"}[v], v)
		}
	case json.Number:
		if allowed&stringKind != 0 {
			return fmt.Sprintf("put it in quotes, %s, or make the type number", strconv.Quote(v.String()))
		}
	case nil:
		return `add "null" to the types, or remove it`
	case string:
		if number, err := decode([]byte(v), valueLimits); err == nil && kindOf(number)&allowed != 0 && !isA[string](number) {
			return fmt.Sprintf("write it without quotes, %s, or make the type string", clip(v, maxQuoted))
		}
		if (v == "yes" || v == "no") && allowed&booleanKind != 0 {
			return "write true or false, or make the type string"
		}
	}
	return "correct it, or the type"
}

// pairs are the bounds that contradict each other if the one is above the other.
var pairs = []struct {
	low, high, what string
	kinds           kinds
}{
	{"minLength", "maxLength", "text", stringKind},
	{"minItems", "maxItems", "array", arrayKind},
	{"minProperties", "maxProperties", "object", objectKind},
	{"minContains", "maxContains", "array", arrayKind},
}

// bounds warns of counts between which there is nothing.
func (s *slips) bounds(id int) {
	n := &s.nodes[id]
	for _, pair := range pairs {
		if !n.has(pair.low) || !n.has(pair.high) {
			continue
		}
		low, high := rational(n.schema[pair.low]), rational(n.schema[pair.high])
		if low.Cmp(high) > 0 && s.facts(id).kinds&pair.kinds != 0 {
			s.contradiction(n, pair.low, "%q: %s is above %q: %s, so no %s fits; swap them, or correct one", pair.low, n.schema[pair.low],
				pair.high, n.schema[pair.high], pair.what)
		}
	}
}

// numbers warns of bounds between which there is no number, or none that is a multiple as wanted.
func (s *slips) numbers(id int) {
	n := &s.nodes[id]
	if !n.has("minimum", "exclusiveMinimum") || !n.has("maximum", "exclusiveMaximum") {
		return
	}
	f := s.facts(id)
	if f.kinds&numberKinds == 0 {
		return
	}
	names := slices.DeleteFunc([]string{"minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf"}, func(name string) bool {
		return !n.has(name)
	})
	among := make([]string, len(names))
	for i, name := range names {
		among[i] = fmt.Sprintf("%q: %s", name, n.schema[name])
	}
	noun := "number"
	if n.schema["type"] == "integer" {
		noun = "integer"
	}
	switch {
	case f.numbers.isEmpty():
		s.contradiction(n, names[0], "no %s fits %s; swap or correct them", noun, joinWords(among))
	case s.noMultiple(f):
		s.contradiction(n, names[0], "no %s fits %s; correct them", noun, joinWords(among))
	}
}

// noMultiple reports whether no number within the bounds is a multiple of what it has to be.
func (*slips) noMultiple(f *facts) bool {
	if f.numbers.low.at == nil || f.numbers.high.at == nil {
		return false
	}
	steps := f.steps
	if f.kinds&fractionKind == 0 {
		steps = append(slices.Clip(steps), one)
	}
	for _, step := range steps {
		if multiples := f.numbers.rounded(step); multiples.isEmpty() {
			return true
		}
	}
	return false
}

func joinWords(words []string) string {
	text := words[0]
	for i, word := range words[1:] {
		if i == len(words)-2 {
			text += " and " + word
		} else {
			text += ", " + word
		}
	}
	return text
}

// composes are the keywords by which other schemas speak of the same object.
var composes = []string{"$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "if", "dependentSchemas"}

// required warns of required members that are forbidden, or that no one declares and that are nearly the name of another.
func (s *slips) required(id int) {
	n := &s.nodes[id]
	properties, _ := n.schema["properties"].(map[string]any)
	if !slices.ContainsFunc(texts(n.schema["required"]), func(name string) bool { _, declared := properties[name]; return !declared }) {
		return
	}
	f := s.facts(id)
	closed := f.additional != none && s.parameters.isFalse(f.additional)
	composed := slices.ContainsFunc(composes, func(keyword string) bool { _, ok := n.schema[keyword]; return ok })
	for i, name := range f.required {
		if _, declared := f.properties[name]; declared || !s.comparison.spend(1+f.matchSteps(name)) || slices.ContainsFunc(f.patterns,
			func(p patternFact) bool { return s.parameters.matches(p.source, name) }) {
			continue
		}
		pointer := n.pointer + "/required/" + strconv.Itoa(i)
		guess := nearest.Name(name, slices.DeleteFunc(sortedNames(f.properties), func(other string) bool { return slices.Contains(f.required, other) }))
		meant := ""
		if guess != "" {
			meant = fmt.Sprintf("; did you mean %q?", guess)
		}
		switch {
		case closed:
			s.warn(KindContradiction, pointer, `%s is required, and "additionalProperties": false forbids it, so no object fits; declare it below "properties"%s`,
				quote(name), meant)
		case guess != "" && f.additional == none && !composed:
			s.warn(KindContradiction, pointer, `%s is required, and not declared below "properties"%s`, quote(name), meant)
		case id == 0 && len(f.properties) > 0 && f.additional == none && !composed:
			s.warn(KindContradiction, pointer, `%s is required, and not declared below "properties"; declare it there, or remove it`, quote(name))
		}
	}
}

// nothingFits warns of a schema that allows no value, as what it is combined of contradicts itself.
func (s *slips) nothingFits(id int) {
	n, f := &s.nodes[id], s.facts(id)
	if len(f.all) == 0 && len(f.choices) == 0 {
		return
	}
	if alternatives, ok := s.comparison.expand(Part{of: s.parameters, any: [][]int{{id}}}); ok && len(alternatives) == 0 && !s.hasEmptyPart(f) {
		s.warn(KindContradiction, n.pointer, "no value fits, as what is combined here contradicts itself; correct one of the schemas")
	}
}

// hasEmptyPart reports whether a schema that is combined allows nothing by itself: that is told there, or meant.
func (s *slips) hasEmptyPart(f *facts) bool {
	return slices.ContainsFunc(f.all, func(id int) bool {
		alternatives, ok := s.comparison.expand(Part{of: s.parameters, any: [][]int{{id}}})
		return !ok || len(alternatives) == 0
	})
}
