package schema

import (
	"encoding/json"
	"fmt"
	"strings"
)

// findSlips warns of what JSON Schema allows and hardly anyone means: names that are nearly keywords, and, in schemas that are valid,
// keywords that contradict each other or say nothing. It reads what is normalised.
func (d *document) findSlips() {
	s := &slips{document: d}
	doubtful := d.doubtful()
	s.neverPassed(doubtful)
	for id := range d.nodes {
		if d.nodes[id].schema == nil {
			continue
		}
		s.unknownKeywords(id)
		if !doubtful[d.nodes[id].pointer] {
			s.contradictions(id)
		}
	}
}

// slips looks for what is probably not meant.
type slips struct {
	*document
	// parameters and comparison are made when they are needed first, which they seldom are.
	parameters *Parameters
	comparison *comparison
}

// facts returns what a schema says.
func (s *slips) facts(id int) *facts {
	if s.comparison == nil {
		s.parameters, s.comparison = newParameters(s.document), newComparison()
		s.comparison.Parameters = s.parameters
	}
	return s.parameters.facts(id)
}

// contradictions looks at one schema. Most have none of the keywords that may contradict each other.
func (s *slips) contradictions(id int) {
	n := &s.nodes[id]
	before := len(s.warnings)
	s.withoutEffect(n)
	if text, isText := n.schema["nullable"].(string); isText {
		s.contradiction(n, "nullable", `"nullable" is true or false, found the string %s, so it says nothing; write it without quotes`, quote(text))
	}
	s.otherTypes(n)
	if n.has("enum", "const") {
		s.values(id)
	}
	s.bounds(id)
	s.numbers(id)
	if n.has("required") {
		s.required(id)
	}
	if len(s.warnings) == before && n.has("$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "if") {
		s.nothingFits(id)
	}
}

// has reports whether a schema has one of some keywords.
func (n *node) has(keywords ...string) bool {
	for _, keyword := range keywords {
		if _, ok := n.schema[keyword]; ok {
			return true
		}
	}
	return false
}

// contradiction warns at a keyword.
func (s *slips) contradiction(n *node, keyword, format string, args ...any) {
	s.warn(KindContradiction, n.pointer+"/"+token(keyword), format, args...)
}

// needs are the keywords that say nothing without another one.
var needs = map[string][]string{
	"then": {"if"}, "else": {"if"}, "if": {"then", "else"}, "minContains": {"contains"}, "maxContains": {"contains"},
}

// withoutEffect warns of keywords that lack the one that they belong to.
func (s *slips) withoutEffect(n *node) {
	for keyword, others := range needs {
		if n.has(keyword) && !n.has(others...) {
			s.contradiction(n, keyword, "%q says nothing without %s; add it, or remove %q", keyword, quoteAll(others, " or "), keyword)
		}
	}
	if _, there := n.schema["additionalItems"]; there {
		s.contradiction(n, "additionalItems", `"additionalItems" says nothing without a list of "items", and is called "items" in 2020-12; %s`, additionalMeant(n))
	}
	if text, ok := n.schema["pattern"].(string); ok && (strings.HasPrefix(text, "/^") || strings.HasPrefix(text, "/") && strings.Contains(text, "$/")) {
		s.contradiction(n, "pattern", "the slashes around %s are part of the regular expression here, so hardly any text matches; leave them out", quote(text))
	}
}

// additionalMeant says what to write for "additionalItems", which 2020-12 does not have.
func additionalMeant(n *node) string {
	switch {
	case n.schema["type"] == "object":
		return `did you mean "additionalProperties"?`
	case n.has("prefixItems") && !n.has("items"):
		return `did you mean "items", which is for what is behind "prefixItems"?`
	}
	return `remove it, or use "prefixItems" and "items"`
}

// restricts are the keywords that speak of values of some types only.
var restricts = map[string]kinds{
	"minLength": stringKind, "maxLength": stringKind, "pattern": stringKind,
	"minimum": numberKinds, "maximum": numberKinds, "exclusiveMinimum": numberKinds, "exclusiveMaximum": numberKinds, "multipleOf": numberKinds,
	"items": arrayKind, "prefixItems": arrayKind, "contains": arrayKind, "minItems": arrayKind, "maxItems": arrayKind, "uniqueItems": arrayKind,
	"properties": objectKind, "patternProperties": objectKind, "additionalProperties": objectKind, "propertyNames": objectKind, "required": objectKind,
	"minProperties": objectKind, "maxProperties": objectKind, "dependentRequired": objectKind, "dependentSchemas": objectKind,
}

// counted are the keywords for how large a value is, by what is counted.
var counted = map[kinds][2]string{
	stringKind: {"minLength", "maxLength"}, arrayKind: {"minItems", "maxItems"}, objectKind: {"minProperties", "maxProperties"},
	numberKinds: {"minimum", "maximum"}, integerKind: {"minimum", "maximum"},
}

// otherTypes warns of keywords that the type of the schema leaves nothing to say.
func (s *slips) otherTypes(n *node) {
	declared, typed := n.schema["type"]
	if !typed {
		return
	}
	allowed := kindsOf(declared)
	for keyword, value := range n.schema {
		kind := restricts[keyword]
		if kind == 0 || kind&allowed != 0 || isTrivial(value) {
			continue
		}
		advice := fmt.Sprintf("remove it, or add %q to the types", kindNames[kind])
		switch other := counted[allowed&^nullKind]; {
		case other[0] != "" && strings.HasPrefix(keyword, "min"):
			advice = fmt.Sprintf("did you mean %q?", other[0])
		case other[1] != "" && strings.HasPrefix(keyword, "max"):
			advice = fmt.Sprintf("did you mean %q?", other[1])
		}
		s.contradiction(n, keyword, "%q is for the type %s, and the type is %s, so it says nothing; %s", keyword, kindNames[kind], brief(declared), advice)
	}
}

var kindNames = map[kinds]string{stringKind: "string", numberKinds: "number", arrayKind: "array", objectKind: "object"}

// isTrivial reports whether the value of a keyword restricts nothing of what it is for: tools write such values for any type.
func isTrivial(value any) bool {
	switch v := value.(type) {
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0
	case bool:
		return true // additionalProperties, uniqueItems, items
	case json.Number:
		return rational(v).Sign() == 0
	default:
		return false
	}
}
