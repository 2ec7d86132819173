package evolution

import (
	"encoding/json"
	"maps"
	"math/rand"
	"slices"
	"strings"
)

// wide makes schemas with keywords that [dice] does not: references, unions, constants, decimals, patterns, tuples, conditions, and what is
// said of several parameters together.
type wide struct{ *rand.Rand }

type object = map[string]any

func choose[T any](g wide, options ...T) T { return options[g.Intn(len(options))] }

func (g wide) name() string { return choose(g, "a", "b", "c", "x_d", "title", "é") }

func (g wide) number() any {
	return choose[any](g, 0, 1, 2, 3, -1, 0.1, 0.3, 1.5, json.Number("1.0"), json.Number("2e0"), json.Number("9007199254740993"),
		json.Number("1e30"), json.Number("-0.0"))
}

func (g wide) text() string {
	return choose(g, "", "a", "ab", "abc", "é", "中文", "👍🏽", "b<&>", "x_1", strings.Repeat("é", 4))
}

func (g wide) constant() any {
	return choose[any](g, g.number(), g.text(), true, false, nil, []any{1}, object{"a": 1})
}

// schema returns a schema of at most some levels.
func (g wide) schema(depth int) any {
	kinds := 9
	if depth > 0 {
		kinds = 22
	}
	switch g.Intn(kinds) {
	case 0:
		return g.some(object{"type": choose(g, "integer", "number")}, object{"minimum": g.number(), "maximum": g.number(),
			"exclusiveMinimum": g.number(), "exclusiveMaximum": g.number(), "multipleOf": choose[any](g, 0.1, 0.3, 0.01, 2, 1.5)})
	case 1, 2:
		return g.some(object{"type": "string"}, object{"minLength": g.Intn(3), "maxLength": g.Intn(5),
			"format":  choose(g, "filepath", "folderpath", "uri"),
			"pattern": choose(g, "^a", "b$", "^[a-z]*$", "é", "^.{2,3}$", "^x_")})
	case 3:
		return object{"const": g.constant()}
	case 4:
		return object{"enum": []any{g.constant(), g.constant(), g.constant()}[:1+g.Intn(3)]}
	case 5:
		return object{"type": []any{choose(g, "integer", "string"), choose(g, "null", "boolean", "array")}}
	case 6:
		return choose[any](g, true, object{}, object{"type": "boolean"}, object{"type": "null"})
	case 7:
		return object{"$ref": "#/$defs/" + choose(g, "n", "tree", "list", "options")}
	case 8:
		return object{"not": choose[any](g, object{"type": choose(g, "string", "null", "integer")}, object{"const": g.constant()},
			object{"minLength": 1})}
	case 9, 10:
		return g.some(object{"type": "array"}, object{"items": g.schema(depth - 1), "minItems": g.Intn(3), "maxItems": g.Intn(4),
			"uniqueItems": true, "contains": g.schema(0)})
	case 11:
		return g.some(object{"type": "array", "prefixItems": []any{g.schema(depth - 1), g.schema(0)}[:1+g.Intn(2)]},
			object{"items": choose(g, false, g.schema(0)), "minItems": g.Intn(3)})
	case 12:
		return object{"type": "array", "contains": g.schema(0), "minContains": g.Intn(3), "maxContains": 1 + g.Intn(3)}
	case 13, 14, 15:
		return g.members(depth)
	case 16, 17:
		return object{choose(g, "anyOf", "oneOf"): []any{g.schema(depth - 1), object{"type": "null"}}}
	case 18, 19:
		return object{choose(g, "anyOf", "oneOf"): []any{g.schema(depth - 1), g.schema(depth - 1)}}
	case 20:
		return g.some(object{"if": g.schema(0), "then": g.schema(0)}, object{"else": g.schema(0)})
	default:
		return object{"allOf": []any{g.schema(depth - 1), g.schema(0)}}
	}
}

// some adds some of the keywords to a schema.
func (g wide) some(base, more object) object {
	for _, keyword := range slices.Sorted(maps.Keys(more)) {
		if g.Intn(3) == 0 {
			base[keyword] = more[keyword]
		}
	}
	return base
}

func (g wide) members(depth int) object {
	properties := object{}
	for range 1 + g.Intn(2) {
		properties[g.name()] = g.described(g.schema(depth - 1))
	}
	out := g.some(object{"type": "object", "properties": properties}, object{"additionalProperties": choose(g, true, false, g.schema(0)),
		"patternProperties": object{choose(g, "^x_", "^a", "é"): g.schema(0)}, "minProperties": g.Intn(3)})
	if g.Intn(2) == 0 {
		out["required"] = []any{slices.Sorted(maps.Keys(properties))[0]}
	}
	return out
}

func (g wide) described(schema any) any {
	if inner, ok := schema.(object); ok && g.Intn(6) == 0 {
		inner[choose(g, "description", "title", "default", "$comment")] = g.text()
	}
	return schema
}

// together returns what a schema may say of several parameters.
func (g wide) together() object {
	a, b := g.name(), g.name()
	return object{
		"dependentRequired":     object{a: []any{b}},
		"dependentSchemas":      object{a: object{"required": []any{b}}},
		"anyOf":                 []any{object{"required": []any{a}}, object{"required": []any{b}}},
		"oneOf":                 []any{object{"required": []any{a}}, object{"required": []any{b}}},
		"not":                   object{"required": []any{a, b}[:1+g.Intn(2)]},
		"if":                    object{"required": []any{a}},
		"then":                  object{"required": []any{b}},
		"minProperties":         g.Intn(3),
		"maxProperties":         1 + g.Intn(3),
		"propertyNames":         object{"maxLength": 1 + g.Intn(4)},
		"patternProperties":     object{choose(g, "^x_", "^a$"): g.schema(0)},
		"additionalProperties":  choose(g, true, false, g.schema(0)),
		"unevaluatedProperties": choose(g, true, false),
		"allOf":                 []any{object{"properties": object{b: g.schema(0)}}},
		"description":           g.text(),
	}
}

// root returns the parameters of a task.
func (g wide) root() object {
	properties, required := object{}, []any{}
	for range 1 + g.Intn(3) {
		properties[g.name()] = g.described(g.schema(2))
	}
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		if g.Intn(2) == 0 {
			required = append(required, name)
		}
	}
	out := object{"type": "object", "properties": properties, "required": required, "$defs": object{
		"n":       g.schema(0),
		"options": g.members(1),
		"tree": object{"type": "object", "properties": object{"v": g.schema(0), "next": object{"$ref": "#/$defs/tree"}},
			"required": []any{choose(g, "v", "v", "next")}},
		"list": object{"type": "array", "items": object{"anyOf": []any{g.schema(0), object{"$ref": "#/$defs/list"}}}},
	}}
	if g.Intn(2) == 0 {
		more := g.together()
		keyword := choose(g, slices.Sorted(maps.Keys(more))...)
		out[keyword] = more[keyword]
	}
	return out
}

// edited returns a copy of a document with few edits.
func (g wide) edited(root object) object {
	next := clone(root).(object)
	for range 1 + g.Intn(2) {
		if g.Intn(3) == 0 {
			more := g.together()
			keyword := choose(g, slices.Sorted(maps.Keys(more))...)
			if _, there := next[keyword]; there && g.Intn(2) == 0 {
				delete(next, keyword)
			} else {
				next[keyword] = more[keyword]
			}
			continue
		}
		g.editParameters(next)
	}
	return next
}

func (g wide) editParameters(root object) {
	properties := root["properties"].(object)
	names := slices.Sorted(maps.Keys(properties))
	if len(names) == 0 {
		properties["a"] = g.schema(1)
		return
	}
	name := choose(g, names...)
	switch g.Intn(9) {
	case 0:
		delete(properties, name)
	case 1:
		properties[g.name()] = g.schema(1)
	case 2:
		other := name + "s"
		properties[other] = properties[name]
		delete(properties, name)
		required, _ := root["required"].([]any)
		if at := slices.Index(required, any(name)); at >= 0 {
			required[at] = other
		}
	case 3:
		required, _ := root["required"].([]any)
		if at := slices.Index(required, any(name)); at >= 0 {
			root["required"] = slices.Delete(slices.Clone(required), at, at+1)
		} else {
			root["required"] = append(slices.Clone(required), name)
		}
	case 4:
		defs := root["$defs"].(object)
		def := choose(g, "n", "options", "list")
		defs[def] = g.varied(defs[def], 2)
	default:
		properties[name] = g.varied(properties[name], 2)
	}
}

// varied changes a schema a little.
func (g wide) varied(schema any, depth int) any {
	inner, ok := schema.(object)
	if !ok || len(inner) == 0 || g.Intn(8) == 0 {
		return g.schema(depth)
	}
	if g.Intn(10) == 0 {
		return object{"anyOf": []any{inner, object{"type": "null"}}}
	}
	keyword := choose(g, slices.Sorted(maps.Keys(inner))...)
	switch value := inner[keyword].(type) {
	case object:
		if keyword != "properties" {
			inner[keyword] = g.varied(value, depth-1)
			return inner
		}
		names := slices.Sorted(maps.Keys(value))
		switch name := choose(g, append(names, "new")...); {
		case name == "new":
			value[g.name()] = g.schema(0)
		case g.Intn(3) == 0:
			delete(value, name)
		default:
			value[name] = g.varied(value[name], depth-1)
		}
	case []any:
		if at := g.Intn(len(value) + 1); at < len(value) && keyword != "required" && keyword != "type" && keyword != "enum" {
			value[at] = g.varied(value[at], depth-1)
		} else if len(value) > 1 {
			inner[keyword] = value[:len(value)-1]
		}
	case int:
		inner[keyword] = max(0, value+g.Intn(3)-1)
	case string:
		if keyword != "type" && keyword != "$ref" {
			inner[keyword] = g.text()
		} else if keyword == "type" {
			inner[keyword] = choose[any](g, "integer", "number", []any{value, "null"}, value)
		}
	default:
		if g.Intn(2) == 0 {
			delete(inner, keyword)
		}
	}
	if keyword == "anyOf" && g.Intn(3) == 0 || keyword == "oneOf" && g.Intn(3) == 0 {
		options := inner[keyword]
		delete(inner, keyword)
		inner[choose(g, "anyOf", "oneOf")] = options
	}
	return inner
}

func clone(value any) any {
	switch v := value.(type) {
	case object:
		out := object{}
		for name, inner := range v {
			out[name] = clone(inner)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, inner := range v {
			out[i] = clone(inner)
		}
		return out
	default:
		return value
	}
}
