package schema

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/maze-agent/maregister/internal/nearest"
)

// findSlips warns of what JSON Schema allows and hardly anyone means: names that are nearly keywords, and, in schemas that are valid,
// keywords that contradict each other or say nothing. It reads what is normalised.
func (d *document) findSlips() {
	s := &slips{document: d}
	doubtful := d.doubtful()
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

// common are members of schemas that are near a keyword, and that other tools read.
var common = map[string]bool{
	"comment": true, "cost": true, "example": true, "id": true, "item": false, "note": true, "property": true, "schema": true, "unit": true, "types": false,
}

// calledElsewhere are what other languages call a keyword.
var calledElsewhere = map[string]string{
	"choices": "enum", "regex": "pattern", "regexp": "pattern",
	"minlen": "minLength", "min_len": "minLength", "minLen": "minLength", "maxlen": "maxLength", "max_len": "maxLength", "maxLen": "maxLength",
	"max": "maximum", "min": "minimum", "max_value": "maximum", "min_value": "minimum", "maxValue": "maximum", "minValue": "minimum",
}

// boundsOfTypes are what "minimum" and "maximum" are called for other types than numbers.
var boundsOfTypes = map[string]map[string]string{
	"minimum": {"string": "minLength", "array": "minItems", "object": "minProperties"},
	"maximum": {"string": "maxLength", "array": "maxItems", "object": "maxProperties"},
}

// unknownKeywords warns of members that are probably misspelt keywords. Whoever extends JSON Schema begins a name with x-, or with a
// word that is near none of its own.
func (s *slips) unknownKeywords(id int) {
	n := &s.nodes[id]
	var unknown []string
	for name := range n.schema {
		if _, known := keywords[name]; !known {
			unknown = append(unknown, name)
		}
	}
	slices.Sort(unknown)
	for _, name := range unknown {
		value, isObject := n.schema[name].(map[string]any)
		if guess := keywordMeant(name, n.schema); guess != "" {
			hint := ""
			if strings.HasPrefix(name, guess+":") {
				hint = "; YAML wants a space behind the colon"
			}
			s.warn(KindUnknownKeyword, n.pointer+"/"+token(name), "JSON Schema has no keyword %s, so it says nothing; did you mean %q?%s", quote(name), guess, hint)
		} else if id == 0 && isObject && isFullSchema(value) {
			s.warn(KindUnknownKeyword, "/"+token(name),
				`this is no keyword of JSON Schema and declares nothing; a parameter of this name belongs below "properties"`)
		}
	}
}

// keywordMeant returns the keyword that a name was probably meant to be. Empty if it is none.
func keywordMeant(name string, schema map[string]any) string {
	value := schema[name]
	if keyword, _, ok := strings.Cut(name, ":"); ok && value == nil {
		if _, known := keywords[keyword]; known { // {type:string} of YAML, which is one key
			return keyword
		}
	}
	if strings.HasPrefix(name, "x-") || strings.ContainsAny(name, ":/. ") || common[name] {
		return ""
	}
	if guess, ok := calledElsewhere[name]; ok {
		if typed, ok := schema["type"].(string); ok && boundsOfTypes[guess][typed] != "" {
			guess = boundsOfTypes[guess][typed]
		}
		return fitting(guess, schema, value, true)
	}
	if keyword, ok := plainKeywords[plainName(name)]; ok {
		return fitting(keyword, schema, value, false)
	}
	const long = 6 // so many letters are not near a keyword by chance
	guess := nearest.Name(name, keywordNames)
	switch {
	case guess == "" || len(guess) < 4:
		return ""
	case len(name) >= long:
		return fitting(guess, schema, value, false)
	case nearest.Within(name, guess, 1):
		return fitting(guess, schema, value, true)
	default:
		return ""
	}
}

// fitting returns a keyword if the schema does not have it yet, and, where that is asked for, the value is one that it can have.
func fitting(keyword string, schema map[string]any, value any, asked bool) string {
	if _, there := schema[keyword]; there || asked && !fitsShape(keywords[keyword].shape, value) {
		return ""
	}
	return keyword
}

func fitsShape(s shape, value any) bool {
	if plain, ok := plainShapes[s]; ok {
		return plain.ok(value)
	}
	switch s {
	case oneSchema:
		return isObjectOrBool(value)
	case schemaList:
		return isA[[]any](value)
	case typeNames:
		return isStringOrArray(value)
	case reference, anchor, pattern:
		return isA[string](value)
	default:
		return isA[map[string]any](value)
	}
}

// plainName leaves out of a name what spellings differ in: case, underscores, hyphens, and the $ of keywords.
func plainName(name string) string {
	return strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r == '$' {
			return -1
		}
		return unicode.ToLower(r)
	}, name)
}

// keywordNames are those of 2020-12, and of "nullable".
var keywordNames = func() []string {
	names := slices.DeleteFunc(sortedNames(keywords), func(name string) bool {
		k := keywords[name]
		return k.shape == refused || k.shape == dependencyMap || name == "$comment" || name == "additionalItems" || name == "definitions"
	})
	return append(names, "nullable")
}()

// plainKeywords has the keywords by what is left of their names without what spellings differ in.
var plainKeywords = func() map[string]string {
	plain := map[string]string{}
	for _, name := range keywordNames {
		plain[plainName(name)] = name
	}
	return plain
}()

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
		s.contradiction(n, "additionalItems", `"additionalItems" says nothing without a list of "items", and is called "items" in 2020-12; `+
			`remove it, or use "prefixItems" and "items"`)
	}
	if text, ok := n.schema["pattern"].(string); ok && (strings.HasPrefix(text, "/^") || strings.HasPrefix(text, "/") && strings.Contains(text, "$/")) {
		s.contradiction(n, "pattern", "the slashes around %s are part of the regular expression here, so hardly any text matches; leave them out", quote(text))
	}
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
