package schema

import (
	"slices"
	"strings"

	"github.com/maze-agent/maregister/internal/nearest"
)

// typeName is what the value of "type" stands for.
type typeName struct {
	// jsonType is the type in JSON Schema; empty for any type.
	jsonType string
	// format is set beside the type where Maze has a type that JSON Schema lacks.
	format string
	// python marks names that are accepted with a warning.
	python bool
}

// acceptedTypes has every name that "type" may hold.
var acceptedTypes = map[string]typeName{
	"array":   {jsonType: "array"},
	"boolean": {jsonType: "boolean"},
	"integer": {jsonType: "integer"},
	"null":    {jsonType: "null"},
	"number":  {jsonType: "number"},
	"object":  {jsonType: "object"},
	"string":  {jsonType: "string"},

	"filepath":   {jsonType: "string", format: "filepath"},
	"folderpath": {jsonType: "string", format: "folderpath"},

	"Any":      {python: true},
	"None":     {jsonType: "null", python: true},
	"NoneType": {jsonType: "null", python: true},
	"any":      {python: true},
	"bool":     {jsonType: "boolean", python: true},
	"dict":     {jsonType: "object", python: true},
	"float":    {jsonType: "number", python: true},
	"int":      {jsonType: "integer", python: true},
	"list":     {jsonType: "array", python: true},
	"str":      {jsonType: "string", python: true},
	"tuple":    {jsonType: "array", python: true},
}

// normaliseType rewrites the "type" of one schema in place.
func (d *document) normaliseType(at site) *Error {
	declared, isList := at.value.([]any)
	if !isList {
		declared = []any{at.value}
	}
	if len(declared) == 0 {
		return invalid(at.pointer(), `the list of types is empty; name a type or remove "type"`)
	}
	types, format, anyType, err := d.readTypes(at, declared, isList)
	if err != nil {
		return err
	}
	switch {
	case anyType || len(types) == 0: // with no name that is known, there is an error
		delete(at.schema, at.name)
		return nil
	case isList:
		at.schema[at.name] = types
	default:
		at.schema[at.name] = types[0]
	}
	if format == "" {
		return nil
	}
	if other, ok := at.schema["format"]; ok && other != format {
		return invalid(at.pointer(), `type %q stands for "format": %q, but "format" is %s; remove one of the two`, format, format, describe(other))
	}
	at.schema["format"] = format
	return nil
}

// readTypes returns the JSON Schema types of a list of type names, without
// duplicates, and the format that goes with "string". It notes the names that
// are none.
func (d *document) readTypes(at site, declared []any, isList bool) (types []any, format string, anyType bool, _ *Error) {
	stringFormats := map[string]bool{}
	for i, value := range declared {
		pointer := at.pointer
		if isList {
			pointer = func() string { return at.item(i) }
		}
		name, ok := value.(string)
		if !ok {
			hint := ""
			if value == nil {
				hint = `; put it in quotes, "null"`
			}
			d.note(invalid(pointer(), `a type is a name such as "string", found %s%s`, describe(value), hint))
			continue
		}
		t, ok := acceptedTypes[name]
		if !ok {
			d.note(invalid(pointer(), "%s", unknownType(name)))
			continue
		}
		if t.python {
			d.warn(KindPythonType, pointer(), "Python type name %q read as %s", name, t.reading())
		}
		anyType = anyType || t.jsonType == ""
		if t.jsonType == "string" {
			stringFormats[t.format] = true
			format = t.format
		}
		if t.jsonType != "" && !slices.Contains(types, any(t.jsonType)) {
			types = append(types, t.jsonType)
		}
	}
	if len(stringFormats) > 1 && !anyType {
		return nil, "", false, invalid(at.pointer(),
			`"string", "filepath" and "folderpath" are all strings, so one list of types can hold only one of them; choose one`)
	}
	return types, format, anyType, nil
}

func (t typeName) reading() string {
	if t.jsonType == "" {
		return "any type"
	}
	return `"` + t.jsonType + `"`
}

// unknownType says of a name that is no type what was probably meant by it.
func unknownType(name string) string {
	if isJSONObject(name) {
		return "this is JSON in a text, and no type: write " + quote(name) + " without the quotes around it"
	}
	if m, ok := elsewhereMeant(name); ok {
		return "unknown type " + quote(name) + m.advice()
	}
	if _, known := acceptedTypes[nearest.Name(name, sortedNames(acceptedTypes))]; !known || strings.ContainsAny(name, "[]<>?|") {
		if m, ok := notationMeant(name); ok {
			return "unknown type " + quote(name) + m.advice()
		}
	}
	suggestion := nearest.Question(nearest.Name(name, sortedNames(acceptedTypes)))
	return "unknown type " + quote(name) + suggestion + " (accepted: " + typesInMessages + ")"
}

// elsewhereMeant returns what a name stands for that other languages have for a type, or JSON Schema for a format. It reports false for any
// other, and for an accepted one in another case.
func elsewhereMeant(name string) (meaning, bool) {
	plain := plainName(name)
	if slices.Contains(knownFormats[:jsonSchemaFormats], strings.ToLower(name)) && simpleNotation[plain].types == nil {
		return formatted(strings.ToLower(name)), true
	}
	for accepted := range acceptedTypes {
		if strings.EqualFold(accepted, plain) {
			return meaning{}, false
		}
	}
	m, ok := simpleNotation[plain]
	return m, ok
}

// typesInMessages lists the accepted types, JSON Schema's and Maze's first.
var typesInMessages = func() string {
	var own, python []string
	for _, name := range sortedNames(acceptedTypes) {
		if acceptedTypes[name].python {
			python = append(python, name)
		} else {
			own = append(own, name)
		}
	}
	return strings.Join(own, ", ") + " and Python's " + strings.Join(python, ", ")
}()
