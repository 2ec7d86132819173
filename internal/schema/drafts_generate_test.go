package schema

import (
	"maps"
	"strings"
)

// older makes schemas of a draft before 2020-12, of the small domain.
type older struct {
	generator
	draft draft
}

// newerKeywords is how often, one in how many, a schema has a keyword that its draft does not have.
const newerKeywords = 12

func (o older) schema(depth int) any {
	if o.draft >= draft06 && o.Intn(15) == 0 {
		return pick(o.generator, true, true, false)
	}
	schema := map[string]any{}
	if o.Intn(6) == 0 {
		maps.Copy(schema, o.together(depth))
	}
	for n := o.Intn(4); len(schema) == 0 || n > 0; n-- {
		name := pick(o.generator, sortedNames(olderKeywords)...)
		if since[name] > o.draft && o.Intn(newerKeywords) > 0 || depth <= 0 && keywords[name].shape <= dependencyMap {
			continue
		}
		maps.Copy(schema, olderKeywords[name](o, depth-1))
	}
	if o.Intn(3) == 0 {
		schema["type"] = pick(o.generator, "integer", "string", "array", "object", "number")
	}
	if _, ok := schema["$ref"]; ok && o.draft < draft2019 {
		delete(schema, "const") // which the library reads beside a reference, although these drafts ignore it there
	}
	return schema
}

// together are keywords whose meanings depend on each other, and that chance seldom brings together.
func (o older) together(depth int) map[string]any {
	if o.draft == draft2019 && o.Intn(2) == 0 {
		return pick(o.generator,
			map[string]any{"contains": o.leaf(), "unevaluatedItems": false},
			map[string]any{"allOf": []any{map[string]any{"contains": o.leaf()}}, "unevaluatedItems": o.leaf()},
			map[string]any{"items": []any{o.leaf()}, "unevaluatedItems": o.leaf()},
			map[string]any{"dependentRequired": map[string]any{"a": []any{"b"}, "c": []any{"b"}}, "dependencies": map[string]any{"a": []any{"c"}, "b": o.leafOfObject()}})
	}
	return pick(o.generator,
		map[string]any{"dependencies": map[string]any{"a": []any{"b"}, "b": []any{"c"}}},
		map[string]any{"dependencies": map[string]any{"a": o.leafOfObject(), "c": []any{"a"}}, "type": "object"},
		map[string]any{"$ref": o.reference(), "type": "boolean"},
		map[string]any{"items": []any{o.leaf(), o.schema(depth - 1)}, "additionalItems": pick[any](o.generator, false, o.leaf())})
}

// members is an object of some of the few names.
func (o older) members(depth int) map[string]any {
	members := map[string]any{}
	for _, name := range []string{"a", "b", "c"} {
		if o.Intn(2) == 0 {
			members[name] = o.instance(depth)
		}
	}
	return members
}

func (o older) schemas(n, depth int) []any {
	list := make([]any, n)
	for i := range list {
		list[i] = o.schema(depth)
	}
	return list
}

func (o older) named(depth int) map[string]any {
	return map[string]any{o.key(): o.schema(depth), o.key(): o.schema(depth)}
}

// reference is one of those that the documents of olderDocument can have.
func (o older) reference() string {
	all := []string{"#/definitions/d", "#/definitions/e", "#/definitions/list", "#/definitions/tree", "#/definitions/a~1b%25",
		"#/definitions/tuple/items/0", "#/definitions/tuple/additionalItems", "#/definitions/dependent/dependencies/a", "#anchor",
		"http://example.com/root.json#/definitions/d", "root.json#anchor", "named.json", "http://example.com/named.json#/definitions/inner", "#/properties/p0",
		"#/components/schemas/c", "#/components/schemas/c/properties/a", "#/components/schemas/other"}
	if o.draft >= draft06 {
		all = append(all, "#/definitions/contained/contains")
	}
	if o.draft >= draft2019 {
		all = append(all, "#/$defs/defined")
	}
	return pick(o.generator, all...)
}

// olderKeywords are what schemas of older drafts consist of, some of them several keywords.
var olderKeywords map[string]func(o older, depth int) map[string]any

// alone is a keyword by itself.
func alone(name string, value func(o older, depth int) any) func(o older, depth int) map[string]any {
	return func(o older, depth int) map[string]any { return map[string]any{name: value(o, depth)} }
}

func init() { // they generate schemas, which have such keywords
	olderKeywords = map[string]func(o older, depth int) map[string]any{
		"minimum": func(o older, _ int) map[string]any { return o.limit("minimum", "exclusiveMinimum") },
		"maximum": func(o older, _ int) map[string]any { return o.limit("maximum", "exclusiveMaximum") },
		"items": func(o older, depth int) map[string]any {
			if o.Intn(3) == 0 {
				return map[string]any{"items": o.schema(depth)}
			}
			return map[string]any{"items": o.schemas(1+o.Intn(2), depth), "additionalItems": pick[any](o.generator, false, o.schema(depth), map[string]any{})}
		},
		"additionalItems": alone("additionalItems", func(o older, depth int) any { return pick[any](o.generator, false, o.schema(depth)) }),
		"dependencies": alone("dependencies", func(o older, depth int) any {
			return map[string]any{o.key(): []any{o.key()}, o.key(): o.schema(depth)}
		}),
		"$ref": func(o older, _ int) map[string]any {
			schema := map[string]any{"$ref": o.reference()}
			if o.Intn(2) == 0 {
				maps.Copy(schema, o.limit("minimum", "exclusiveMinimum"))
				schema["minLength"], schema["type"] = 1, pick(o.generator, "integer", "string")
			}
			return schema
		},
		"$recursiveRef": alone("$recursiveRef", func(older, int) any { return "#" }),
		"contains": func(o older, depth int) map[string]any {
			schema := map[string]any{"contains": o.schema(depth)}
			if o.Intn(2) == 0 {
				schema[pick(o.generator, "minContains", "maxContains")] = o.few()
			}
			return schema
		},
		"if": func(o older, depth int) map[string]any {
			return map[string]any{"if": o.schema(depth), pick(o.generator, "then", "else"): o.schema(depth)}
		},
		"dependentRequired": alone("dependentRequired", func(o older, _ int) any { return map[string]any{o.key(): []any{o.key()}} }),
		"dependentSchemas":  alone("dependentSchemas", func(o older, depth int) any { return o.named(depth) }),
		"prefixItems":       alone("prefixItems", func(o older, depth int) any { return o.schemas(1, depth) }),
		"format":            alone("format", func(o older, _ int) any { return pick(o.generator, "filepath", "color") }),
		"title":             alone("title", func(older, int) any { return "t" }),
		"properties":        alone("properties", func(o older, depth int) any { return o.named(depth) }),
		"patternProperties": alone("patternProperties", func(o older, depth int) any {
			return map[string]any{pick(o.generator, "^a", "b|c", "x"): o.schema(depth)}
		}),
	}
	for _, name := range []string{"additionalProperties", "unevaluatedProperties", "unevaluatedItems"} {
		olderKeywords[name] = alone(name, func(o older, depth int) any { return pick[any](o.generator, false, o.schema(depth)) })
	}
	for _, name := range []string{"propertyNames", "not"} {
		olderKeywords[name] = alone(name, func(o older, depth int) any { return o.schema(depth) })
	}
	for _, name := range []string{"allOf", "anyOf", "oneOf"} {
		olderKeywords[name] = alone(name, func(o older, depth int) any { return o.schemas(2, depth) })
	}
	for _, name := range []string{"type", "enum", "const", "multipleOf", "minLength", "maxLength", "pattern", "minItems", "maxItems", "uniqueItems",
		"minProperties", "maxProperties", "required"} {
		olderKeywords[name] = alone(name, func(o older, depth int) any {
			value := constraints[name](o.generator, depth)
			if value == "filepath" { // which is a type here only
				value = "string"
			}
			return value
		})
	}
}

// limit is a bound, exclusive in the way of the draft.
func (o older) limit(plain, exclusive string) map[string]any {
	schema := map[string]any{plain: o.number()}
	switch {
	case o.Intn(2) == 0:
	case o.draft == draft04:
		schema[exclusive] = pick(o.generator, true, true, false)
	default:
		schema[exclusive] = o.number()
	}
	return schema
}

// olderNames are spellings of a draft's name.
var olderNames = map[draft][]string{
	draft04:   {"http://json-schema.org/draft-04/schema#", "https://json-schema.org/draft-04/schema"},
	draft06:   {"http://json-schema.org/draft-06/schema#", "http://json-schema.org/draft-06/schema"},
	draft07:   {"http://json-schema.org/draft-07/schema#", "https://json-schema.org/draft-07/schema#"},
	draft2019: {"https://json-schema.org/draft/2019-09/schema", "http://json-schema.org/draft/2019-09/schema#"},
}

// olderDocument has parts many parameters, and definitions of every kind that references lead to.
func (o older) olderDocument(parts int) map[string]any {
	id := "$id"
	if o.draft == draft04 {
		id = "id"
	}
	properties := map[string]any{}
	for i := range parts {
		properties[partName(i)] = o.schema(3)
	}
	anchored := map[string]any{id: "#anchor", "type": pick(o.generator, "integer", "string")}
	if o.draft == draft2019 {
		anchored = map[string]any{"$anchor": "anchor", "type": "string"}
	}
	contained := map[string]any{}
	if o.draft >= draft06 {
		contained["contains"] = o.schema(1)
	}
	document := map[string]any{"$schema": pick(o.generator, olderNames[o.draft]...), id: "http://example.com/root.json", "type": "object", "properties": properties,
		"definitions": map[string]any{
			"d": o.leaf(), "e": o.schema(1), "a/b%": o.leaf(), "anchored": anchored, "contained": contained,
			"list":      map[string]any{"type": "array", "items": map[string]any{"anyOf": []any{o.leaf(), map[string]any{"$ref": "#/definitions/list"}}}},
			"tree":      map[string]any{"type": "object", "properties": map[string]any{"a": o.leaf(), "b": map[string]any{"$ref": "#/definitions/tree"}}},
			"tuple":     map[string]any{"items": []any{o.schema(1)}, "additionalItems": o.leaf()},
			"dependent": map[string]any{"dependencies": map[string]any{"a": o.leafOfObject(), "b": []any{"a"}}},
			"named": map[string]any{id: "named.json", "definitions": map[string]any{"inner": o.leaf()},
				"properties": map[string]any{"a": map[string]any{"$ref": "#/definitions/inner"}, "b": map[string]any{"$ref": "named.json"}}},
		},
		"components": map[string]any{"schemas": map[string]any{ // which no draft knows, and validators follow
			"c":     map[string]any{"properties": map[string]any{"a": o.schema(1), "b": map[string]any{"$ref": "#/components/schemas/other"}}},
			"other": map[string]any{"items": []any{o.leaf()}, "not": o.schema(1)},
		}}}
	if o.draft == draft2019 {
		document["$defs"] = map[string]any{"defined": o.schema(1), "d": o.leaf()} // d is in both
		if o.Intn(2) == 0 {
			document["$recursiveAnchor"] = true
		}
	}
	return document
}

func (o older) leaf() map[string]any {
	return map[string]any{"type": pick(o.generator, "integer", "number", "string", "boolean", "null")}
}

func (o older) leafOfObject() map[string]any {
	return map[string]any{"required": []any{o.key()}, "properties": map[string]any{o.key(): o.leaf()}}
}

// value has a fair chance to fit a schema of a document.
func (o older) value(schema any, definitions map[string]any, depth int) any {
	object, ok := schema.(map[string]any)
	if !ok || depth == 0 || o.Intn(10) == 0 {
		return o.instance(2)
	}
	if value, ok := object["const"]; ok {
		return value
	}
	if values, ok := object["enum"].([]any); ok {
		return pick(o.generator, values...)
	}
	if target, ok := object["$ref"].(string); ok {
		return o.value(definitions[strings.TrimPrefix(target, "#/definitions/")], definitions, depth-1)
	}
	if _, typed := object["type"]; !typed {
		for _, keyword := range []string{"items", "contains", "additionalItems", "unevaluatedItems"} {
			if _, ok := object[keyword]; ok {
				items := []any{}
				for i := range o.few() {
					item := object[keyword]
					if list, ok := item.([]any); ok {
						item = list[min(i, len(list)-1)]
					}
					items = append(items, o.value(item, definitions, depth-1))
				}
				return items
			}
		}
		for _, keyword := range []string{"properties", "dependencies", "required", "patternProperties", "dependentRequired", "unevaluatedProperties"} {
			if _, ok := object[keyword]; ok {
				return o.members(1)
			}
		}
	}
	for _, keyword := range []string{"anyOf", "oneOf", "allOf"} {
		if options, ok := object[keyword].([]any); ok {
			return o.value(pick(o.generator, options...), definitions, depth-1)
		}
	}
	if _, isList := object["items"].([]any); isList {
		return []any{o.number(), o.instance(1)}
	}
	if object["type"] == "object" && object["properties"] == nil {
		return o.members(1)
	}
	return o.typed(object, definitions, depth)
}
