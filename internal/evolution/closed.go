package evolution

import (
	"maps"
	"slices"
)

// combining are the keywords by which a schema applies others to the same object, which may declare members, too.
var combining = []string{"$ref", "$dynamicRef", "allOf", "anyOf", "oneOf", "if", "dependentSchemas"}

// opening are the keywords that say what members there may be besides.
var opening = []string{"additionalProperties", "patternProperties", "unevaluatedProperties"}

func hasAny(schema map[string]any, keywords []string) bool {
	return slices.ContainsFunc(keywords, func(keyword string) bool { _, there := schema[keyword]; return there })
}

// isCloseable reports whether a schema of an object itself declares all members that there are, and says nothing of others.
func isCloseable(schema map[string]any) bool {
	return !hasAny(schema, combining) && !hasAny(schema, opening)
}

// closed returns a schema that allows only the members that it declares: nobody passes others, although JSON Schema allows them.
func closed(schema map[string]any) map[string]any {
	if !isCloseable(schema) {
		return schema
	}
	schema = maps.Clone(schema)
	schema["additionalProperties"] = false
	return schema
}

// closedWhole returns the schema of all parameters, closed: also where others that it applies declare some of the names. It stays as it is
// if one of them may allow more names.
func closedWhole(root map[string]any, names []string) map[string]any {
	whole, _ := expanded(root, root).(map[string]any)
	if hasAny(root, []string{"additionalProperties", "unevaluatedProperties", "$ref", "$dynamicRef"}) || opensInside(whole) {
		return root
	}
	properties, _ := root["properties"].(map[string]any)
	properties = maps.Clone(properties)
	for _, name := range names {
		if _, there := properties[name]; !there {
			if properties == nil {
				properties = map[string]any{}
			}
			properties[name] = true
		}
	}
	root = maps.Clone(root)
	root["additionalProperties"] = false
	if len(properties) > 0 {
		root["properties"] = properties
	}
	return root
}

// opens reports whether a schema, or one that it applies to the same object, may say which members there can be besides.
func opens(value any) bool {
	schema, ok := value.(map[string]any)
	return ok && (hasAny(schema, opening) || hasAny(schema, []string{"$ref", "$dynamicRef"}) || opensInside(schema))
}

// opensInside reports whether a schema applies one to the same object that opens it.
func opensInside(schema map[string]any) bool {
	found := false
	for _, keyword := range slices.Concat(combining, []string{"then", "else"}) {
		inside(keyword, schema[keyword], func(_ []string, inner any) any { found = found || opens(inner); return nil })
	}
	return found
}

// closedInside closes the objects inside a schema. Where a schema may be applied beside another one, as by allOf, it stays open.
func closedInside(root map[string]any) map[string]any {
	root = maps.Clone(root)
	closeMap(root, "properties")
	if !isCombined(root) {
		closeMap(root, "$defs")
	}
	return root
}

// closeValue closes the schema of a value and all inside.
func closeValue(value any) any {
	schema, ok := value.(map[string]any)
	if !ok {
		return value
	}
	schema = maps.Clone(schema)
	closeMap(schema, "properties")
	closeMap(schema, "patternProperties")
	for _, keyword := range []string{"items", "additionalProperties"} {
		if inner, ok := schema[keyword]; ok {
			schema[keyword] = closeValue(inner)
		}
	}
	closeList(schema, "prefixItems")
	if _, there := schema["properties"]; !there { // else they apply to the same object
		closeList(schema, "anyOf")
		closeList(schema, "oneOf")
		return schema
	}
	return closed(schema)
}

func closeMap(schema map[string]any, keyword string) {
	members, ok := schema[keyword].(map[string]any)
	if !ok {
		return
	}
	members = maps.Clone(members)
	for name, inner := range members {
		members[name] = closeValue(inner)
	}
	schema[keyword] = members
}

func closeList(schema map[string]any, keyword string) {
	list, ok := schema[keyword].([]any)
	if !ok {
		return
	}
	list = slices.Clone(list)
	for i, inner := range list {
		list[i] = closeValue(inner)
	}
	schema[keyword] = list
}

// isCombined reports whether a document has a keyword by which a definition may apply beside another schema.
func isCombined(value any) bool {
	switch v := value.(type) {
	case map[string]any:
		if hasAny(v, []string{"allOf", "if", "not", "dependentSchemas", "$dynamicRef"}) {
			return true
		}
		if _, refers := v["$ref"]; refers && v["properties"] != nil {
			return true
		}
		for _, inner := range v {
			if isCombined(inner) {
				return true
			}
		}
	case []any:
		return slices.ContainsFunc(v, isCombined)
	}
	return false
}
