package evolution

import (
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// annotations are the keywords that describe a value without restricting it.
var annotations = []string{"title", "description", "default", "examples", "format", "deprecated", "readOnly", "writeOnly", "$comment"}

var (
	// schemasByName are the keywords that have schemas by names.
	schemasByName = []string{"properties", "patternProperties", "$defs", "definitions", "dependentSchemas", "dependencies"}
	// literal are the keywords whose values look like schemas, and hold none.
	literal = []string{"enum", "const", "default", "examples"}
)

// inside returns the value of a keyword with each schema in it replaced. path leads to the schema: its name, or the keyword and its place
// there.
func inside(keyword string, value any, replace func(path []string, schema any) any) any {
	if slices.Contains(literal, keyword) {
		return value
	}
	switch v := value.(type) {
	case map[string]any:
		if !slices.Contains(schemasByName, keyword) {
			return replace([]string{keyword}, v)
		}
		out := make(map[string]any, len(v))
		for _, name := range slices.Sorted(maps.Keys(v)) {
			path := []string{keyword, name}
			if keyword == "properties" {
				path = path[1:]
			}
			out[name] = replace(path, v[name])
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, inner := range v {
			out[i] = replace([]string{keyword, strconv.Itoa(i)}, inner)
		}
		return out
	default:
		return value
	}
}

// bare returns a schema without the keywords that only describe values.
func bare(value any) any { return stripped(value, annotations) }

// stripped returns a schema without some keywords, here and inside.
func stripped(value any, keywords []string) any {
	schema, ok := value.(map[string]any)
	if !ok {
		return value
	}
	out := make(map[string]any, len(schema))
	for keyword, inner := range schema {
		if !slices.Contains(keywords, keyword) {
			out[keyword] = inside(keyword, inner, func(_ []string, schema any) any { return stripped(schema, keywords) })
		}
	}
	return out
}

// maxExpanded bounds how many schemas are read to replace the references of one.
const maxExpanded = 2_000

// expansion replaces references by what they refer to. One that leads back to itself stays, and so does one beside keywords that restrict,
// too.
type expansion struct {
	root map[string]any
	left int
	open []string
}

// expanded returns a schema of a document with what it refers to in place of its references.
func expanded(root map[string]any, schema any) any {
	e := &expansion{root: root, left: maxExpanded}
	return e.of(schema)
}

func (e *expansion) of(value any) any {
	schema, ok := value.(map[string]any)
	if e.left--; !ok || e.left < 0 {
		return value
	}
	if reference, ok := schema["$ref"].(string); ok {
		return e.referred(schema, reference)
	}
	out := make(map[string]any, len(schema))
	for _, keyword := range slices.Sorted(maps.Keys(schema)) {
		out[keyword] = inside(keyword, schema[keyword], func(_ []string, inner any) any { return e.of(inner) })
	}
	return out
}

// referred returns what a schema with a reference stands for, with its own annotations.
func (e *expansion) referred(schema map[string]any, reference string) any {
	target, found := lookUp(e.root, reference)
	if _, isObject := target.(map[string]any); !found || !isObject || slices.Contains(e.open, reference) {
		return schema
	}
	for keyword := range schema {
		if keyword != "$ref" && !slices.Contains(annotations, keyword) {
			return schema
		}
	}
	e.open = append(e.open, reference)
	out, _ := e.of(target).(map[string]any)
	e.open = e.open[:len(e.open)-1]
	out = maps.Clone(out)
	for keyword, value := range schema {
		if keyword != "$ref" {
			out[keyword] = value
		}
	}
	return out
}

// unescape reads the names in a JSON pointer.
var unescape = strings.NewReplacer("~1", "/", "~0", "~")

// lookUp returns what a reference to a place of the document leads to.
func lookUp(root map[string]any, reference string) (any, bool) {
	pointer, isPointer := strings.CutPrefix(reference, "#/")
	pointer, err := url.PathUnescape(pointer)
	if !isPointer || err != nil {
		return nil, false
	}
	var at any = root
	for token := range strings.SplitSeq(pointer, "/") {
		token = unescape.Replace(token)
		switch v := at.(type) {
		case map[string]any:
			inner, there := v[token]
			if !there {
				return nil, false
			}
			at = inner
		case []any:
			index, err := strconv.Atoi(token)
			if err != nil || index < 0 || index >= len(v) {
				return nil, false
			}
			at = v[index]
		default:
			return nil, false
		}
	}
	return at, true
}

// inBoth calls a function for two schemas, and for all inside that both have in the same place. path leads to them.
func inBoth(path []string, was, is any, visit func(path []string, old, now map[string]any)) {
	old, isOld := was.(map[string]any)
	now, isNow := is.(map[string]any)
	if !isOld || !isNow {
		return
	}
	visit(path, old, now)
	for _, keyword := range slices.Sorted(maps.Keys(old)) {
		others := map[string]any{}
		inside(keyword, now[keyword], func(at []string, schema any) any { others[strings.Join(at, "/")] = schema; return nil })
		inside(keyword, old[keyword], func(at []string, schema any) any {
			inBoth(slices.Concat(path, at), schema, others[strings.Join(at, "/")], visit)
			return nil
		})
	}
}

// annotations returns what two schemas of a parameter say of values without restricting them, and say differently, here or inside.
func (f flow) annotations(name string, was, is map[string]any) []Change {
	var changes []Change
	inBoth(nil, was, is, func(path []string, old, now map[string]any) {
		changes = append(changes, f.annotationsAt(name, path, old, now)...)
	})
	return changes
}

func (f flow) annotationsAt(name string, path []string, old, now map[string]any) []Change {
	var changes []Change
	for _, keyword := range annotations {
		change := Change{Side: f.side, Kind: Described, Parameter: name, Was: strings.Join(path, "."), Keyword: keyword,
			Old: keywordText(old, keyword), New: keywordText(now, keyword)}
		switch keyword {
		case "default":
			change.Kind = Default
		case "format":
			change.Kind = Format
			if change.New != nil && f.side == Input || change.Old != nil && f.side == Output {
				change.Verdict = Unknown // a format asserts nothing, and who expects a file may not get one
			}
		}
		if string(change.Old) != string(change.New) {
			changes = append(changes, change)
		}
	}
	return changes
}
