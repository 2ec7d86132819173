package schema

import (
	"encoding/json"
	"maps"
	"strconv"
	"strings"
)

// Schemas and values of a small domain, so that what one schema allows is often what another allows.

func (g generator) few() int { return g.Intn(4) }

func (g generator) key() string { return pick(g, "a", "b", "c") }

func (g generator) number() any {
	return pick[any](g, 0, 1, 2, 3, -1, 1.5, 0.5, json.Number("1.0"), json.Number("2e0"))
}

// instance is a value of at most some levels.
func (g generator) instance(depth int) any {
	kinds := 6
	if depth > 0 {
		kinds = 10
	}
	switch g.Intn(kinds) {
	case 0:
		return pick[any](g, nil, true, false)
	case 1, 2:
		return g.number()
	case 3, 4, 5:
		return pick(g, "", "a", "b", "ab", "abc", "é")
	case 6, 7:
		items := make([]any, g.few())
		for i := range items {
			items[i] = g.instance(depth - 1)
		}
		return items
	default:
		members := map[string]any{}
		for range g.few() {
			members[g.key()] = g.instance(depth - 1)
		}
		return members
	}
}

// constraints are the keywords of small schemas, most of which leave something to be allowed.
var constraints map[string]func(g generator, depth int) any

func init() { // they generate schemas, which have such keywords
	constraints = map[string]func(g generator, depth int) any{
		"type": func(g generator, _ int) any {
			types := []string{"null", "boolean", "integer", "number", "string", "array", "object"}
			return pick[any](g, pick(g, types...), pick(g, types...), []any{pick(g, types...), pick(g, types...)}, "filepath")
		},
		"enum":             func(g generator, _ int) any { return []any{g.instance(1), g.instance(1), g.instance(2)} },
		"const":            func(g generator, _ int) any { return g.instance(1) },
		"minimum":          func(g generator, _ int) any { return g.number() },
		"maximum":          func(g generator, _ int) any { return g.number() },
		"exclusiveMinimum": func(g generator, _ int) any { return g.number() },
		"exclusiveMaximum": func(g generator, _ int) any { return g.number() },
		"multipleOf":       func(g generator, _ int) any { return pick[any](g, 1, 2, 3, 0.5, 1.5) },
		"minLength":        func(g generator, _ int) any { return g.few() },
		"maxLength":        func(g generator, _ int) any { return g.few() },
		"pattern":          func(g generator, _ int) any { return pick(g, "^a", "b$", "^[a-c]*$", "é") },
		"minItems":         func(g generator, _ int) any { return g.few() },
		"maxItems":         func(g generator, _ int) any { return g.few() },
		"uniqueItems":      func(generator, int) any { return true },
		"minProperties":    func(g generator, _ int) any { return g.few() },
		"maxProperties":    func(g generator, _ int) any { return g.few() },
		"minContains":      func(g generator, _ int) any { return g.few() },
		"maxContains":      func(g generator, _ int) any { return g.few() },
		"required":         func(g generator, _ int) any { return []any{g.key()} },
		"dependentRequired": func(g generator, _ int) any {
			return map[string]any{g.key(): []any{g.key()}}
		},
		"dependencies":      func(g generator, d int) any { return map[string]any{"a": []any{g.key()}, "b": g.small(d)} },
		"format":            func(g generator, _ int) any { return pick(g, "filepath", "uri") },
		"$ref":              func(g generator, _ int) any { return "#/$defs/" + pick(g, "d", "e", "list", "tree") },
		"$dynamicRef":       func(g generator, _ int) any { return "#/$defs/" + pick(g, "d", "list") },
		"properties":        smallMap,
		"dependentSchemas":  smallMap,
		"patternProperties": func(g generator, d int) any { return map[string]any{pick(g, "^a", "b|c", "x"): g.small(d)} },
		"prefixItems":       smallList,
		"allOf":             smallList,
		"anyOf":             smallList,
		"oneOf":             smallList,

		"additionalProperties":  func(g generator, d int) any { return pick(g, false, g.small(d)) },
		"unevaluatedProperties": func(g generator, d int) any { return pick(g, false, g.small(d)) },
		"unevaluatedItems":      func(g generator, d int) any { return pick(g, false, g.small(d)) },
		"propertyNames":         small,
		"items":                 small,
		"contains":              small,
		"not":                   small,
		"if":                    small,
		"then":                  small,
		"else":                  small,
	}
}

func small(g generator, depth int) any { return g.small(depth) }

func smallMap(g generator, depth int) any {
	return map[string]any{g.key(): g.small(depth), g.key(): g.small(depth)}
}

func smallList(g generator, depth int) any { return []any{g.small(depth), g.small(depth)} }

// usual are the keywords that most schemas consist of.
var usual = []string{"type", "type", "type", "enum", "const", "minimum", "maximum", "minLength", "maxLength", "properties", "required", "items", "anyOf",
	"$ref", "additionalProperties", "minItems", "maxItems"}

// small is a schema of the small domain.
func (g generator) small(depth int) any {
	if g.Intn(20) == 0 {
		return pick(g, true, true, false)
	}
	schema := map[string]any{}
	if g.Intn(2) == 0 { // a plausible one
		maps.Copy(schema, g.plausible())
	}
	for n := g.Intn(3); len(schema) == 0 || n > 0; n-- {
		name := pick(g, usual...)
		if g.Intn(3) == 0 {
			name = pick(g, sortedNames(constraints)...)
		}
		if depth > 0 || keywords[name].shape > dependencyMap { // which the shapes with subschemas come before
			schema[name] = constraints[name](g, depth-1)
		}
	}
	return schema
}

// plausible are keywords that belong together, and that chance seldom brings together.
func (g generator) plausible() map[string]any {
	number := map[string]any{"type": pick(g, "integer", "number"), "minimum": g.number(), "exclusiveMinimum": g.number(),
		"maximum": g.number(), "exclusiveMaximum": g.number(), "multipleOf": pick[any](g, 1, 2, 0.5)}
	for range 3 {
		delete(number, pick(g, "minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum", "multipleOf"))
	}
	return pick(g, number, g.leaf(), g.leaf(), g.leaf(),
		map[string]any{"type": "object", "properties": map[string]any{"a": g.leaf(), g.key(): g.leaf()}, "required": []any{"a"}},
		map[string]any{"type": "object", "patternProperties": map[string]any{pick(g, "^a", "b|c", "x"): pick[any](g, g.leaf(), true)},
			"additionalProperties": pick[any](g, false, g.leaf())},
		map[string]any{"type": "object", "additionalProperties": g.leaf(), pick(g, "maxProperties", "minProperties"): g.few()},
		map[string]any{"type": "object", "required": []any{"b", "a"}, "allOf": []any{map[string]any{"required": []any{g.key()}}},
			"anyOf": []any{map[string]any{"minProperties": 3}, g.bound()}},
		map[string]any{"type": "array", "items": g.leaf(), "minItems": g.Intn(2)},
		map[string]any{"type": "array", "prefixItems": []any{g.leaf(), true}, "items": pick[any](g, false, g.leaf()), "maxItems": g.few()},
		map[string]any{"type": "array", "contains": g.leaf(), "minContains": g.few()},
		map[string]any{"if": g.leaf(), "then": g.bound(), "else": g.bound()},
		map[string]any{"type": "object", pick(g, "properties", "patternProperties"): map[string]any{g.key(): g.leaf()}, "unevaluatedProperties": false})
}

func (g generator) bound() any {
	return pick[any](g, g.leaf(), true, map[string]any{"minLength": g.few()}, map[string]any{"maximum": g.number()},
		map[string]any{"required": []any{g.key()}}, map[string]any{"minItems": g.few()})
}

func (g generator) leaf() map[string]any {
	return map[string]any{"type": pick(g, "integer", "number", "string", "boolean", "filepath", "null")}
}

// document is one with parts many parameters, p0, p1, …. The definitions are recursive; some parameters are variations of others.
func (g generator) document(parts int) map[string]any {
	properties := map[string]any{}
	for i := range parts {
		schema := g.small(3)
		if i > 0 && g.Intn(3) == 0 {
			schema = g.variation(properties[partName(i-1)])
		}
		properties[partName(i)] = schema
	}
	return map[string]any{"type": "object", "properties": properties, "$defs": map[string]any{
		"d":    g.leaf(),
		"e":    g.small(1),
		"list": map[string]any{"type": "array", "items": map[string]any{"anyOf": []any{g.leaf(), map[string]any{"$ref": "#/$defs/list"}}}},
		"tree": map[string]any{"type": "object", "properties": map[string]any{"a": g.leaf(), "b": map[string]any{"$ref": "#/$defs/tree"}},
			"required": []any{pick(g, "a", "a", "b")}},
	}}
}

func partName(i int) string { return "p" + strconv.Itoa(i) }

// variation changes a schema a little, or not at all.
func (g generator) variation(schema any) any {
	object, ok := schema.(map[string]any)
	if !ok {
		return schema
	}
	object = maps.Clone(object)
	for _, name := range sortedNames(object) {
		switch g.Intn(5) {
		case 0:
			delete(object, name)
		case 1:
			object[name] = constraints[name](g, 1)
		}
	}
	return object
}

// derived is a value that has a fair chance to fit a schema of a document.
func (g generator) derived(schema any, defs map[string]any, depth int) any {
	object, ok := schema.(map[string]any)
	if !ok || depth == 0 || g.Intn(12) == 0 {
		return g.instance(1)
	}
	if value, ok := object["const"]; ok {
		return value
	}
	if values, ok := object["enum"].([]any); ok {
		return pick(g, values...)
	}
	if target, ok := object["$ref"].(string); ok && g.Intn(2) == 0 {
		return g.derived(defs[strings.TrimPrefix(target, "#/$defs/")], defs, depth-1)
	}
	for _, keyword := range []string{"anyOf", "oneOf", "allOf"} {
		if options, ok := object[keyword].([]any); ok && g.Intn(2) == 0 {
			return g.derived(pick(g, options...), defs, depth-1)
		}
	}
	return g.typed(object, defs, depth)
}

func (g generator) typed(object, defs map[string]any, depth int) any {
	declared := object["type"]
	if types, ok := declared.([]any); ok {
		declared = pick(g, types...)
	}
	switch declared {
	case "null":
		return nil
	case "boolean":
		return pick(g, true, false)
	case "integer", "number":
		return g.number()
	case "string", "filepath":
		return pick(g, "", "a", "b", "ab", "abc", "é")
	case "array":
		items := []any{}
		for range g.few() {
			items = append(items, g.derived(object["items"], defs, depth-1))
		}
		return items
	case "object":
		members := map[string]any{}
		properties, _ := object["properties"].(map[string]any)
		for _, name := range sortedNames(properties) {
			if g.Intn(4) > 0 {
				members[name] = g.derived(properties[name], defs, depth-1)
			}
		}
		return members
	default:
		return g.instance(2)
	}
}
