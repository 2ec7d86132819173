package schema

import (
	"slices"
	"strings"
	"unicode"

	"github.com/maze-agent/maregister/internal/nearest"
)

// common are members of schemas that are near a keyword, and that other tools read.
var common = map[string]bool{
	"comment": true, "cost": true, "example": true, "id": true, "item": false, "note": true, "property": true, "schema": true, "unit": true, "types": false,
}

// calledElsewhere are what other languages, and the forms of other frameworks, call a keyword.
var calledElsewhere = map[string]string{
	"allowed": "enum", "allowed_values": "enum", "allowedValues": "enum", "permitted": "enum",
	"additional_props": "additionalProperties", "additionalProps": "additionalProperties",
	"attributes": "properties", "fields": "properties", "parameters": "properties", "params": "properties", "props": "properties",
	"allow_none": "nullable", "allow_null": "nullable", "allowNull": "nullable", "is_nullable": "nullable", "isNullable": "nullable",
	"data_type": "type", "dataType": "type", "datatype": "type",
	"default_value": "default", "defaultValue": "default",
	"desc": "description", "docstring": "description",
	"element": "items", "element_type": "items", "elements": "items", "item_type": "items", "itemType": "items", "items_type": "items",
	"ge": "minimum", "gt": "exclusiveMinimum", "gte": "minimum", "le": "maximum", "lt": "exclusiveMaximum", "lte": "maximum",
	"multiple": "multipleOf", "unique": "uniqueItems",
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
	s.formats(n)
	for _, name := range unknown {
		if says, ok := saysRequired[plainName(name)]; ok && s.requiredBeside(n, name, says) {
			continue
		}
		value, isObject := n.schema[name].(map[string]any)
		switch guess := keywordMeant(name, n.schema); {
		case guess != "":
			hint := ""
			if strings.HasPrefix(name, guess+":") {
				hint = "; YAML wants a space behind the colon"
			}
			s.warn(KindUnknownKeyword, n.pointer+"/"+token(name), "JSON Schema has no keyword %s, so it says nothing; did you mean %q?%s", quote(name), guess, hint)
		case name == "schema" && isObject && isFullSchema(value) && !n.has("type", "properties", "$ref"):
			s.warn(KindUnknownKeyword, n.pointer+"/schema", `JSON Schema has no keyword "schema", so what is in it says nothing; write that instead of it, one level up`)
		case id == 0 && isObject && isFullSchema(value):
			s.warn(KindUnknownKeyword, "/"+token(name),
				`this is no keyword of JSON Schema and declares nothing; a parameter of this name belongs below "properties"`)
		case isObject && n.mayDeclare(name) && declaresType(value):
			s.warn(KindUnknownKeyword, n.pointer+"/"+token(name),
				`this is no keyword of JSON Schema and declares nothing; a member of this name belongs below "properties"`)
		}
	}
}

// mayDeclare reports whether a member of a schema with a name that is no keyword may be meant for a property: the schema is of an object, or
// does not say of what, and declares no properties.
func (n *node) mayDeclare(name string) bool {
	declared, typed := n.schema["type"]
	return (!typed || declared == "object") && !n.has("properties", "items", "$ref", "enum", "const", "anyOf", "oneOf", "allOf") &&
		!strings.HasPrefix(name, "x-") && !strings.ContainsAny(name, ":/. ")
}

// declaresType reports whether an object has a type, and so is a schema more likely than what another tool reads.
func declaresType(value map[string]any) bool {
	name, _ := value["type"].(string)
	return isTypeName(name)
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
		if !couldBe(guess, value) {
			return ""
		}
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

// couldBe reports whether a value that another name has may be meant for a keyword. The names are common, so the values have to tell.
func couldBe(keyword string, value any) bool {
	list, _ := value.([]any)
	switch keyword {
	case "enum": // and not what an editor shows, which has labels
		return len(list) > 0 && !slices.ContainsFunc(list, func(v any) bool { return !isScalar(v) })
	case "type":
		text, _ := value.(string)
		_, ok := notationMeant(text)
		return ok
	case "properties":
		object, _ := value.(map[string]any)
		return len(object) > 0 && !areValues(object)
	}
	return true
}

func fitsShape(s shape, value any) bool {
	if plain, ok := plainShapes[s]; ok {
		return plain.ok(value)
	}
	switch s {
	case oneSchema:
		text, _ := value.(string)
		return isObjectOrBool(value) || isTypeName(text)
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

// saysRequired are the names, as plainName has them, by which others say whether a parameter is required, and what true means.
var saysRequired = map[string]bool{
	"optional": false, "isoptional": false, "notrequired": false, "mandatory": true, "ismandatory": true, "isrequired": true,
}

// requiredBeside reports whether a member was taken for one by which the parameter is required, and reported.
func (s *slips) requiredBeside(n *node, name string, means bool) bool {
	parameter, ok := parameterAt(n.pointer)
	if !ok {
		return false
	}
	advice := "remove it: " + optionalUnlessNamed
	switch n.schema[name] {
	case means, map[bool]string{true: "true", false: "false"}[means]: // required
		advice = "remove it, and " + nameAsRequired(parameter)
	case !means, map[bool]string{true: "false", false: "true"}[means]:
	default:
		return false
	}
	s.warn(KindUnknownKeyword, n.pointer+"/"+token(name), "JSON Schema has no keyword %s, so it says nothing; %s", quote(name), advice)
	return true
}

// jsonSchemaFormats is how many of knownFormats are JSON Schema's: the first ones.
const jsonSchemaFormats = 19

// knownFormats are those of JSON Schema, of OpenAPI, and of Maze.
var knownFormats = []string{
	"date", "date-time", "duration", "email", "hostname", "idn-email", "idn-hostname", "ipv4", "ipv6", "iri", "iri-reference", "json-pointer", "regex",
	"relative-json-pointer", "time", "uri", "uri-reference", "uri-template", "uuid",
	"binary", "byte", "char", "decimal", "double", "float", "int16", "int32", "int64", "int8", "password", "uint16", "uint32", "uint64", "uint8",
	"filepath", "folderpath",
}

// formatsElsewhere are what others call a format.
var formatsElsewhere = map[string]string{
	"datetime": "date-time", "directory": "folderpath", "directory-path": "folderpath", "dir": "folderpath", "file": "filepath", "folder": "folderpath",
	"guid": "uuid", "ip": "ipv4", "path": "filepath", "timestamp": "date-time", "url": "uri", "uuid4": "uuid",
}

// formats warns of a format that is nearly one that others know. Any text may be a format.
func (s *slips) formats(n *node) {
	format, isText := n.schema["format"].(string)
	if !isText || slices.Contains(knownFormats, format) {
		return
	}
	guess := formatsElsewhere[strings.ToLower(format)]
	if plain := plainName(strings.ReplaceAll(format, " ", "")); guess == "" {
		for _, known := range knownFormats {
			if plain == plainName(known) {
				guess = known
			}
		}
	}
	const long = 4 // a shorter one is near too many
	if guess == "" && len(format) >= long {
		if near := nearest.Name(format, knownFormats); len(near) >= long && near[len(near)-1] >= 'a' { // those with numbers at the end are near each other
			guess = near
		}
	}
	if guess != "" {
		s.warn(KindUnknownKeyword, n.pointer+"/format", "JSON Schema has no format %s, so it says nothing; did you mean %q?", quote(format), guess)
	}
}
