package schema

import (
	"slices"
)

// nullability is what becomes of OpenAPI's "nullable": true.
type nullability int

const (
	notNullable  nullability = iota
	anyway                   // null is allowed without it
	byType                   // "null" goes to the types, and null to the enumeration
	byWrapping               // the schema becomes one of two alternatives
	notAtTheRoot             // the whole is always an object
)

// decidesNull are the keywords that may refuse null whatever the type is.
var decidesNull = []string{"$ref", "$dynamicRef", "$recursiveRef", "allOf", "anyOf", "oneOf", "not", "if", "const"}

// readNullable finds out what "nullable" becomes, and prepares the place where the schema is written.
//
// OpenAPI 3.0 gives the keyword a meaning beside "type" only, and leaves an enumeration as it is. Those who write it beside "$ref",
// "allOf" or "enum" mean that null is allowed.
func (r *rewrite) readNullable() {
	if r.from["nullable"] != true {
		return
	}
	_, isEnum := r.from["enum"].([]any)
	switch declared, typed := r.from["type"]; {
	case r.declared == "":
		r.nullable = notAtTheRoot
	case slices.ContainsFunc(decidesNull, func(name string) bool { _, ok := r.from[name]; return ok }):
		r.nullable = byWrapping
		r.to = map[string]any{}
		r.now += "/anyOf/0"
		r.moves.declared[r.now] = r.declared
	case !typed && !isEnum:
		r.nullable = anyway
	case (!typed || namesNull(declared)) && (!isEnum || slices.Contains(enumOf(r.from), nil)):
		r.nullable = anyway
	default:
		r.nullable = byType
	}
}

func enumOf(schema map[string]any) []any {
	values, _ := schema["enum"].([]any)
	return slices.DeleteFunc(slices.Clone(values), func(v any) bool { return !isScalar(v) })
}

// namesNull reports whether the value of "type" allows null.
func namesNull(declared any) bool {
	if list, isList := declared.([]any); isList {
		return slices.ContainsFunc(list, namesNull)
	}
	name, _ := declared.(string)
	t, known := acceptedTypes[name]
	return known && (t.jsonType == "null" || t.jsonType == "")
}

func (r *rewrite) dropNullable(name string, _ any) bool {
	pointer := r.declared + "/" + name
	switch r.nullable {
	case notNullable, anyway:
		return false
	case notAtTheRoot:
		r.warn(pointer, `"nullable" is OpenAPI's, and the whole is always an object: left out`)
	case byWrapping:
		r.warn(pointer, `"nullable" is OpenAPI's: read as "anyOf" of the schema and {"type": "null"}`)
	case byType:
		read := ""
		if declared, ok := r.from["type"]; ok && !namesNull(declared) {
			read = `"type": ` + brief(withNull(declared))
		}
		if values, ok := r.from["enum"].([]any); ok && !slices.Contains(enumOf(r.from), nil) {
			if read != "" {
				read += " and "
			}
			read += `"enum": ` + brief(withNull(values))
		}
		r.warn(pointer, `"nullable" is OpenAPI's: read as %s`, read)
	}
	return true
}

// writeNullable allows null in what the keywords have become.
func (r *rewrite) writeNullable() {
	switch r.nullable {
	case byType:
		if declared, ok := r.to["type"]; ok && !namesNull(declared) {
			r.to["type"] = withNull(declared)
		}
		if values, ok := r.to["enum"].([]any); ok && !slices.Contains(enumOf(r.to), nil) {
			r.to["enum"] = append(slices.Clip(values), nil)
		}
	case byWrapping:
		r.outer["anyOf"] = []any{r.to, map[string]any{"type": "null"}}
	default: // nothing to be written
	}
}

// withNull adds null to the value of "type", or to that of "enum".
func withNull(declared any) []any {
	list, isList := declared.([]any)
	switch {
	case !isList:
		return []any{declared, "null"}
	case len(list) > 0 && isA[string](list[0]) && acceptedTypes[list[0].(string)] != typeName{}:
		return append(slices.Clip(list), "null")
	default:
		return append(slices.Clip(list), nil)
	}
}
