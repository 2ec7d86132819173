package schema

import "strings"

// propertiesPointer is where the shorthand's parameters are once it is a full
// schema. Messages leave it out, since the user did not write it.
const propertiesPointer = "/properties"

// fullSchemaMarkers are the members that make a document a full schema if
// their value fits; see the table in the package's documentation.
var fullSchemaMarkers = map[string]func(value any) bool{
	"type":                  isStringOrArray,
	"properties":            func(v any) bool { o, ok := v.(map[string]any); return ok && !isStringOrArray(o["type"]) },
	"required":              isA[[]any],
	"allOf":                 isA[[]any],
	"anyOf":                 isA[[]any],
	"oneOf":                 isA[[]any],
	"additionalProperties":  isObjectOrBool,
	"patternProperties":     isObjectOrBool,
	"propertyNames":         isObjectOrBool,
	"unevaluatedProperties": isObjectOrBool,
}

func isStringOrArray(v any) bool { return isA[string](v) || isA[[]any](v) }

func isObjectOrBool(v any) bool { return isA[map[string]any](v) || isA[bool](v) }

// isFullSchema tells a full schema from the shorthand.
func isFullSchema(declared map[string]any) bool {
	for name, value := range declared {
		if strings.HasPrefix(name, "$") {
			return true
		}
		if fits, ok := fullSchemaMarkers[name]; ok && fits(value) {
			return true
		}
	}
	return false
}

// expandShorthand makes a full schema of a map of parameter name to property schema.
// What is no schema is told, and left out.
func expandShorthand(declared map[string]any) (map[string]any, []*Error) {
	var errs []*Error
	for _, name := range sortedNames(declared) {
		switch value := declared[name].(type) {
		case map[string]any, bool:
		case string:
			declared[name] = map[string]any{"type": value}
		default:
			errs = append(errs, invalid(propertiesPointer+"/"+token(name),
				`a parameter is declared by an object such as {"type": "string"}, found %s; if the document is a full JSON Schema, add "type": "object" to it`,
				describe(value)))
			delete(declared, name)
		}
	}
	return map[string]any{"type": "object", "properties": declared}, errs
}
